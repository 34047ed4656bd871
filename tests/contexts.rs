//! Contexts of templates: what the page promises is what templates get, and it goes only with a new version.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail loudly")]

#[path = "common/contexts.rs"]
mod contexts;

use contexts::{
    contexts, page, promises, replaceable,
    template_names::{includes, names, needs},
};
use std::{collections::BTreeSet, fs, path::Path};

/// The names of a context's values at the top.
fn tops(template: &str) -> BTreeSet<String> {
    let entries = contexts().remove(template).unwrap_or_default();
    entries.into_iter().map(|entry| entry.path).filter(|path| !path.contains(['.', '['])).collect()
}

#[test]
fn every_template_takes_no_name_that_its_context_does_not_have() {
    let contexts = contexts();
    let mut wrong = Vec::new();
    for template in replaceable() {
        // a part takes from the context of what includes it
        if replaceable().iter().any(|other| includes(other.name).contains(template.name)) {
            continue;
        }
        let known = tops(template.name);
        let unknown: Vec<String> = needs(template.name).into_iter().filter(|name| !known.contains(name)).collect();
        if !unknown.is_empty() {
            wrong.push(format!("{}: {unknown:?}", template.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let names: BTreeSet<&str> = replaceable().iter().map(|template| template.name).collect();
    let strangers: Vec<&String> =
        contexts.keys().filter(|name| !names.contains(name.as_str()) && !is_of_another_command(name)).collect();
    assert_eq!(strangers, Vec::<&String>::new());
}

fn is_of_another_command(name: &str) -> bool {
    ["graph/", "runbook/", "init/"].iter().any(|folder| name.starts_with(folder))
}

#[test]
fn names_are_what_a_template_takes_from_outside() {
    let text = r#"{# comment #}{{ a | sh }} {%- for b in list_of.things -%}{{ b.name | hcl(indent=c) }}{{ loop.index }}{% endfor %}
        {% if d and not e == "f" %}{% include "g/h" %}{% elif i.j is defined %}{% endif %}{% set k = l %}{{ k }} {% for m, n in o %}{{ m }}{{ n }}{% endfor %}"#;
    let found: Vec<String> = names(text).into_iter().collect();
    assert_eq!(found, ["a", "c", "d", "e", "i", "l", "list_of", "o"].map(str::to_owned));
}

#[test]
fn what_a_page_promises_stays_within_its_version() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/template-contexts.md");
    let (version, before) = promises(&fs::read_to_string(path).unwrap_or_default());
    let (now_version, now) = promises(&page());
    assert!(now.len() > 150, "only {} values", now.len());
    assert!(version <= now_version);
    let gone: Vec<_> = before.difference(&now).collect();
    assert!(
        version < now_version || gone.is_empty(),
        "templates that others wrote may need these: raise CONTEXT_VERSION in src/render/templates.rs, or before the first release take their rows out of the page: {gone:#?}"
    );
}
