//! Conditions of a template: the ways in which they can turn out, and whether one holds.
//!
//! What a condition compares (a parameter, the Region) takes each value it is compared with, and one more; so that two
//! conditions on one parameter never contradict each other. Conditions that no log configuration depends on are left alone.

use super::value::{Choice, Template, holds, parameter};
use crate::{
    document::{Kind, Node},
    observed::{
        dumps::child,
        hole,
        policy::{Reading, Resolved},
    },
};
use std::collections::{BTreeMap, BTreeSet};

/// More ways than this are not tried.
const MOST_WAYS: usize = 64;

/// The ways in which the conditions turn out that these parts of the template depend on. True if there are more.
pub(crate) fn ways(template: &Template<'_>, parts: &[&Node]) -> (Vec<Choice>, bool) {
    let mut names = BTreeSet::new();
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
    let mut ways = vec![Choice::default()];
    let mut more = false;
    let mut grow = |each: &dyn Fn(&Choice) -> Vec<Choice>| {
        let next: Vec<Choice> = ways.iter().flat_map(each).collect();
        if next.len() <= MOST_WAYS { ways = next } else { more = true }
    };
    for (name, compared) in &found.values {
        let allowed = template.in_section("Parameters", name).and_then(|node| child(node, "AllowedValues"));
        let allowed: Option<Vec<String>> = allowed.map(|node| match &node.kind {
            Kind::Sequence(items) => items.iter().filter_map(|item| template.text(item)).collect(),
            _ => Vec::new(),
        });
        let possible = |value: &&String| allowed.as_ref().is_none_or(|allowed| allowed.contains(value));
        let closed = found.closed.contains(name)
            || allowed.as_ref().is_some_and(|allowed| allowed.iter().all(|value| compared.contains(value)));
        grow(&|way| {
            let mut next: Vec<Choice> = compared
                .iter()
                .filter(possible)
                .map(|value| {
                    let mut way = way.clone();
                    way.values.insert(name.clone(), value.clone());
                    way
                })
                .collect();
            if !closed || next.is_empty() {
                let mut other = way.clone();
                other.others.insert(name.clone());
                next.push(other);
            }
            next
        });
    }
    for at in found.tests {
        grow(&|way| {
            [true, false]
                .map(|holds| {
                    let mut way = way.clone();
                    way.tests.insert(at, holds);
                    way
                })
                .to_vec()
        });
    }
    (ways, more)
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
        let Some(map) = template.text(map).and_then(|name| template.in_section("Mappings", &name)) else { return false };
        let entries = |node: &Node| match &template.document.resolve(node).kind {
            Kind::Mapping(entries) => entries.clone(),
            _ => Vec::new(),
        };
        let top = entries(map);
        let is_open = |node: &Node| template.text(node).is_some_and(|text| hole::has(&text));
        let mut any = false;
        let levels = [
            (first, top.iter().map(|entry| entry.key.to_string()).collect::<BTreeSet<_>>()),
            (second, top.iter().flat_map(|entry| entries(&entry.value)).map(|entry| entry.key.to_string()).collect()),
        ];
        for (node, keys) in levels {
            if let Some(name) = parameter(template, node).filter(|_| is_open(node)) {
                self.values.entry(name.clone()).or_default().extend(keys);
                self.closed.insert(name);
                any = true;
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
