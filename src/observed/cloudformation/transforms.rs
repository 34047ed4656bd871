//! What rewrites a template before it is deployed: macros, of which nobody knows here what they make.

use crate::{
    diagnostics::few,
    document::{Document, Kind, Node},
    observed::dumps::child,
};
use std::collections::BTreeSet;

/// Transforms of AWS that leave buckets, policies and trails as they are written, or that are followed here. Source: CloudFormation
/// user guide, "Transforms reference"; `AWS::Include` puts in what stands elsewhere and is not among them.
const HARMLESS: [&str; 5] = [
    "AWS::LanguageExtensions",
    "AWS::Serverless-2016-10-31",
    "AWS::CodeDeployBlueGreen",
    "AWS::SecretsManager-2020-07-23",
    "AWS::SecretsManager-2024-09-16",
];
/// Nesting in which transforms are looked for.
const MAX_DEPTH: usize = 60;
/// Macros that are named.
const MOST_NAMED: usize = 3;

/// Why nothing that the template says is certain: one sentence, if there is a macro.
pub(super) fn doubts(document: &Document) -> Option<String> {
    let mut found = BTreeSet::new();
    let root = document.root.as_ref()?;
    for key in ["Transform", "Fn::Transform"] {
        if let Some(node) = child(root, key) {
            names(document, node, &mut found);
        }
    }
    // a macro in a part that is not read changes nothing that is
    for section in ["Conditions", "Mappings", "Parameters", "Resources"] {
        if let Some(node) = child(root, section) {
            walk(document, node, &mut found, 0);
        }
    }
    let found: Vec<&String> = found.iter().filter(|name| !HARMLESS.contains(&name.as_str())).collect();
    (!found.is_empty()).then(|| {
        format!(
            "what the macro {} makes of it; check the template that is deployed: `aws cloudformation get-template --template-stage Processed`",
            few(&found, MOST_NAMED)
        )
    })
}

/// Names in the value of `Transform`: a text, a list, or mappings with a `Name`.
fn names(document: &Document, node: &Node, found: &mut BTreeSet<String>) {
    match &document.resolve(node).kind {
        Kind::Scalar { text, .. } => {
            found.insert(text.to_string());
        }
        Kind::Sequence(items) => items.iter().for_each(|item| names(document, item, found)),
        Kind::Mapping(_) => match child(document.resolve(node), "Name").map(|name| &document.resolve(name).kind) {
            Some(Kind::Scalar { text, .. }) => {
                found.insert(text.to_string());
            }
            _ => {
                found.insert("?".to_owned());
            }
        },
        Kind::Alias(_) => {}
    }
}

fn walk(document: &Document, node: &Node, found: &mut BTreeSet<String>, depth: usize) {
    match &document.resolve(node).kind {
        _ if depth > MAX_DEPTH => {}
        Kind::Sequence(items) => items.iter().for_each(|item| walk(document, item, found, depth + 1)),
        Kind::Mapping(entries) => {
            for entry in entries {
                if &*entry.key == "Fn::Transform" {
                    names(document, &entry.value, found);
                }
                walk(document, &entry.value, found, depth + 1);
            }
        }
        _ => {}
    }
}
