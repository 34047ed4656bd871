//! What a template makes after what: by `DependsOn`, or because a resource names another.

use super::value::Template;
use crate::{
    document::{Entry, Kind, Node},
    observed::{dumps::child, policy::Reading},
};
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

/// Nesting in which names are looked for.
const MAX_DEPTH: usize = 60;

/// The bucket policies among the resources that are made: the first logical id for each name of a bucket.
pub(super) fn policies<'a>(template: &Template<'a>, made: &[(&'a Entry, &'a Node)]) -> BTreeMap<String, &'a str> {
    let mut policies = BTreeMap::new();
    for (entry, node) in made {
        let is = matches!(child(node, "Type").map(|node| &node.kind), Some(Kind::Scalar { text, .. }) if &**text == "AWS::S3::BucketPolicy");
        let name = child(node, "Properties").filter(|_| is).and_then(|node| template.get(node, "Bucket"));
        if let Some(name) = name.and_then(|node| template.text(node)) {
            policies.entry(name).or_insert(&*entry.key);
        }
    }
    policies
}

/// Which resources wait for which.
pub(super) struct Order<'a> {
    /// The resources that name each resource.
    named_by: BTreeMap<&'a str, Vec<&'a str>>,
    /// The resources that wait for each, by `DependsOn`, by naming it, or by way of a third. Found when they are asked for.
    waiting: RefCell<BTreeMap<String, BTreeSet<&'a str>>>,
}

impl<'a> Order<'a> {
    /// The order of a template.
    pub(super) fn of(template: &Template<'a>) -> Self {
        let mut named_by: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        if let Some(Kind::Mapping(all)) = template.section("Resources").map(|node| &node.kind) {
            for entry in all {
                let mut named = BTreeSet::new();
                let resource = template.document.resolve(&entry.value);
                for part in ["DependsOn", "Properties"].into_iter().filter_map(|key| child(resource, key)) {
                    names(template, part, &mut named, 0);
                }
                for name in named.into_iter().filter(|name| template.in_section("Resources", name).is_some()) {
                    named_by.entry(name).or_default().push(&entry.key);
                }
            }
        }
        Order { named_by, waiting: RefCell::default() }
    }

    /// Does a resource wait for another? One of a template that is too complex is taken to.
    pub(super) fn waits(&self, template: &Template<'_>, resource: &Node, id: &str, other: &'a str) -> bool {
        let mut waiting = self.waiting.borrow_mut();
        let waiting = waiting.entry(other.to_owned()).or_insert_with(|| {
            let mut found: BTreeSet<&str> = BTreeSet::new();
            let mut queue = vec![other];
            while let Some(next) = queue.pop() {
                let by = self.named_by.get(next).map_or(&[][..], Vec::as_slice);
                if !template.work.take_at(by.len(), resource.span) {
                    break;
                }
                queue.extend(by.iter().copied().filter(|name| found.insert(name)));
            }
            found
        });
        waiting.contains(id) || template.work.stopped().is_some()
    }
}

/// The names that a part of a template may name resources by.
fn names<'a>(template: &Template<'a>, node: &'a Node, found: &mut BTreeSet<&'a str>, depth: usize) {
    let node = template.document.resolve(node);
    match &node.kind {
        _ if depth >= MAX_DEPTH => {}
        Kind::Scalar { text, .. } => {
            // `Name`, `Name.Attribute`, and both within `${…}`
            let end = |text: &'a str| text.split(['.', '}']).next().unwrap_or_default();
            found.insert(text);
            found.insert(text.split('.').next().unwrap_or_default());
            found.extend(text.split("${").skip(1).map(end));
        }
        Kind::Sequence(items) => items.iter().for_each(|item| names(template, item, found, depth + 1)),
        Kind::Mapping(entries) => entries.iter().for_each(|entry| names(template, &entry.value, found, depth + 1)),
        Kind::Alias(_) => {}
    }
}
