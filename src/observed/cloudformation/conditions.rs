//! Conditions of a template: the ways in which they can turn out, and whether one holds.
//!
//! What a condition compares (a parameter, the Region) takes each value it is compared with, and one more; so that two
//! conditions on one parameter never contradict each other. Conditions that no log configuration depends on are left alone.

use super::{
    choice::Choice,
    value::{Template, holds, parameter},
};
use crate::{
    document::{Entry, Kind, Node},
    observed::{
        dumps::child,
        hole,
        policy::{Reading, Resolved},
    },
};
use std::collections::{BTreeMap, BTreeSet};

/// More ways than this are not tried.
const MOST_WAYS: usize = 64;
/// Resources that are read in all ways together. AWS allows 500 in a template.
const MOST_RESOURCES: usize = 100_000;

/// The ways in which the conditions turn out that these parts of the template depend on, and those of these names. True if there
/// are more.
pub(crate) fn ways(template: &Template<'_>, parts: &[&Node], mut names: BTreeSet<String>) -> (Vec<Choice>, bool) {
    for part in parts {
        conditions_in(template, part, &mut names, 0);
    }
    let mut found = Compared::default();
    let mut queue: Vec<String> = names.iter().cloned().collect();
    while let Some(name) = queue.pop() {
        let Some(node) = template.in_section("Conditions", &name) else { continue };
        found.add(template, node, &mut |other| {
            if names.insert(other.to_owned()) {
                queue.push(other.to_owned());
            }
        });
    }
    let most = (MOST_RESOURCES / parts.len().max(1)).clamp(1, MOST_WAYS);
    let mut ways = Ways { ways: vec![Choice::default()], most, more: false };
    for (name, compared) in &found.values {
        let allowed = template.in_section("Parameters", name).and_then(|node| child(node, "AllowedValues"));
        let allowed: Option<BTreeSet<String>> = allowed.map(|node| match &node.kind {
            Kind::Sequence(items) => items.iter().filter_map(|item| template.text(item)).collect(),
            _ => BTreeSet::new(),
        });
        let possible = |value: &&String| allowed.as_ref().is_none_or(|allowed| allowed.contains(*value));
        let mut values: Vec<Option<&String>> = compared.iter().filter(possible).map(Some).collect();
        let closed = found.closed.contains(name)
            || allowed.as_ref().is_some_and(|allowed| allowed.iter().all(|value| compared.contains(value)));
        if !closed || values.is_empty() {
            values.push(None);
        }
        ways.grow(&values, |way, value| match value {
            Some(value) => {
                way.values.insert(name.clone(), (*value).clone());
            }
            None => {
                way.others.insert(name.clone());
            }
        });
    }
    for at in found.tests {
        ways.grow(&[true, false], |way, holds| {
            way.tests.insert(at, *holds);
        });
    }
    (ways.ways, ways.more)
}

/// The ways that are told apart.
struct Ways {
    ways: Vec<Choice>,
    /// How many they may be.
    most: usize,
    /// Are there others?
    more: bool,
}

impl Ways {
    /// Tells each way apart by what something can be. Where that makes too many ways it stays unknown.
    fn grow<T>(&mut self, values: &[T], choose: impl Fn(&mut Choice, &T)) {
        if self.ways.len().saturating_mul(values.len()) > self.most {
            self.more = true;
            return;
        }
        // the ways themselves are the last of each, so that nothing is copied where there is one value
        let Some((last, others)) = values.split_last() else { return };
        let mut next = Vec::new();
        for mut way in std::mem::take(&mut self.ways) {
            next.extend(others.iter().map(|value| {
                let mut way = way.clone();
                choose(&mut way, value);
                way
            }));
            choose(&mut way, last);
            next.push(way);
        }
        self.ways = next;
    }
}

/// Names of the conditions that a part of the template asks for, also by way of the buckets that it names.
fn conditions_in(template: &Template<'_>, node: &Node, names: &mut BTreeSet<String>, depth: usize) {
    if depth > 60 {
        return;
    }
    let node = template.document.resolve(node);
    match &node.kind {
        Kind::Sequence(items) => items.iter().for_each(|item| conditions_in(template, item, names, depth + 1)),
        Kind::Mapping(entries) => {
            for entry in entries {
                let value = template.document.resolve(&entry.value);
                match (&*entry.key, &value.kind) {
                    ("Fn::If", Kind::Sequence(items)) => {
                        if let Some(Kind::Scalar { text, .. }) = items.first().map(|item| &template.document.resolve(item).kind) {
                            names.insert(text.to_string());
                        }
                    }
                    ("Condition", Kind::Scalar { text, .. }) => {
                        names.insert(text.to_string());
                    }
                    _ => {}
                }
                conditions_in(template, value, names, depth + 1);
            }
        }
        _ => {}
    }
}

/// What conditions compare.
#[derive(Default)]
struct Compared {
    /// Parameters, with the values that they are compared with or looked up under.
    values: BTreeMap<String, BTreeSet<String>>,
    /// Parameters that can have no other value: a lookup would fail.
    closed: BTreeSet<String>,
    /// Places of other comparisons.
    tests: BTreeSet<u32>,
    /// Lookups that were seen: parameter, mapping and level.
    lookups: BTreeSet<(String, String, usize)>,
}

impl Compared {
    /// Adds what a condition compares, and names the conditions that it asks for.
    fn add(&mut self, template: &Template<'_>, node: &Node, other: &mut dyn FnMut(&str)) {
        let node = template.document.resolve(node);
        match &node.kind {
            Kind::Sequence(items) => items.iter().for_each(|item| self.add(template, item, other)),
            Kind::Mapping(entries) => {
                for entry in entries {
                    let value = template.document.resolve(&entry.value);
                    match (&*entry.key, &value.kind) {
                        ("Condition", Kind::Scalar { text, .. }) => other(text),
                        ("Fn::Equals", Kind::Sequence(items)) => {
                            if let [a, b] = items.as_slice() {
                                self.equals(template, node, a, b);
                            }
                        }
                        _ => self.add(template, value, other),
                    }
                }
            }
            _ => {}
        }
    }

    fn equals(&mut self, template: &Template<'_>, test: &Node, a: &Node, b: &Node) {
        let Some((first, second)) = template.text(a).zip(template.text(b)) else { return };
        if hole::same(&first, &second) != hole::Same::Maybe || self.lookup(template, a) || self.lookup(template, b) {
            return;
        }
        let pair = [(a, &second), (b, &first)].into_iter().find_map(|(node, with)| {
            let name = parameter(template, node)?;
            (!hole::has(with)).then(|| (name, with.clone()))
        });
        match pair {
            Some((name, with)) => {
                self.values.entry(name).or_default().insert(with);
            }
            None => {
                self.tests.insert(test.span.start);
            }
        }
    }

    /// A lookup in a mapping under a parameter: it has one of the mapping's keys, or the template fails.
    fn lookup(&mut self, template: &Template<'_>, node: &Node) -> bool {
        let Kind::Mapping(entries) = &template.document.resolve(node).kind else { return false };
        let [one] = entries.as_slice() else { return false };
        let ("Fn::FindInMap", Kind::Sequence(items)) = (&*one.key, &template.document.resolve(&one.value).kind) else {
            return false;
        };
        let [map, first, second, ..] = items.as_slice() else { return false };
        let Some(name_of_map) = template.text(map) else { return false };
        let Some(map) = template.in_section("Mappings", &name_of_map) else { return false };
        fn keys_of<'n>(template: &'n Template<'_>, node: &'n Node) -> &'n [Entry] {
            match &template.document.resolve(node).kind {
                Kind::Mapping(entries) => entries,
                _ => &[],
            }
        }
        let top = keys_of(template, map);
        let is_open = |node: &Node| template.text(node).is_some_and(|text| hole::has(&text));
        let mut any = false;
        for (level, node) in [first, second].into_iter().enumerate() {
            let Some(name) = parameter(template, node).filter(|_| is_open(node)) else { continue };
            any = true;
            // a mapping may be long, and looked up in many conditions
            if self.lookups.insert((name.clone(), name_of_map.clone(), level)) {
                let values = self.values.entry(name.clone()).or_default();
                match level {
                    0 => values.extend(top.iter().map(|entry| entry.key.to_string())),
                    _ => values
                        .extend(top.iter().flat_map(|entry| keys_of(template, &entry.value)).map(|entry| entry.key.to_string())),
                }
                self.closed.insert(name);
            }
        }
        any
    }
}

/// Is a resource made in this way? One whose condition can't be known is taken to be.
pub(crate) fn is_made(template: &Template<'_>, resource: &Node) -> bool {
    match child(resource, "Condition").map(|node| template.resolve(node)) {
        Some(Resolved::Node(node)) => match &node.kind {
            Kind::Scalar { text, .. } => holds(template, text).unwrap_or(true),
            _ => true,
        },
        _ => true,
    }
}
