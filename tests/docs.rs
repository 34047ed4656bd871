//! The documentation says what the code says, and its links lead somewhere.
//!
//! Some files are made from the code. `LOGMAP_UPDATE=1 cargo test --test docs` writes them; without the variable the same test
//! says which lines are stale.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail loudly")]

mod common;
#[path = "common/contexts.rs"]
#[allow(dead_code, reason = "tests/contexts.rs uses the rest")]
mod contexts;

use clap::CommandFactory;
use common::logmap;
use logmap::testing::{
    cli::{args::Cli, exit::Exit},
    map::schema::{schema, schema_text},
    rules,
};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    sync::Once,
};

const UPDATE: &str = "LOGMAP_UPDATE=1 cargo test --test docs";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn updating() -> bool {
    std::env::var_os("LOGMAP_UPDATE").is_some()
}

/// Writes what is made from the code, once and before any test looks at it, where that was asked for.
fn update() {
    static DONE: Once = Once::new();
    DONE.call_once(|| {
        for (path, wanted) in made().iter().filter(|_| updating()) {
            if let Some(folder) = root().join(path).parent() {
                fs::create_dir_all(folder).unwrap();
            }
            fs::write(root().join(path), wanted).unwrap();
        }
    });
}

/// Markdown of one table cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

/// A page with its part between the two marks replaced; what stands around them is written by hand.
fn between(page: &str, name: &str, made: &str) -> String {
    let text = fs::read_to_string(root().join(page)).unwrap_or_else(|error| panic!("{page}: {error}"));
    let (start, end) = (format!("<!-- made: {name} -->\n"), format!("<!-- end: {name} -->\n"));
    let from = text.find(&start).unwrap_or_else(|| panic!("{page} has no line {start}")) + start.len();
    let to = from + text[from..].find(&end).unwrap_or_else(|| panic!("{page} has no line {end}"));
    format!("{}\n{made}\n{}", &text[..from], &text[to..])
}

/// Every file made from the code, by its path.
fn made() -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    files.insert("schemas/region-map.schema.json".to_owned(), schema_text());
    files.insert("docs/map.md".to_owned(), between("docs/map.md", "keys", &keys()));
    files.insert("docs/commands.md".to_owned(), between("docs/commands.md", "help", &help()));
    files.insert("docs/stability.md".to_owned(), between("docs/stability.md", "exit codes", &exit_codes()));
    files.insert("docs/rules/README.md".to_owned(), between("docs/rules/README.md", "rules", &rule_table()));
    for rule in rules::all() {
        files.insert(format!("docs/rules/{}.md", rule.id), rule.page.to_owned());
    }
    // a page that breaks a promise is not written: tests/contexts.rs says which
    let contexts = contexts::page();
    let before = contexts::promises(&fs::read_to_string(root().join("docs/template-contexts.md")).unwrap_or_default());
    let after = contexts::promises(&contexts);
    if before.0 < after.0 || before.1.is_subset(&after.1) || !updating() {
        files.insert("docs/template-contexts.md".to_owned(), contexts);
    }
    files.insert("docs/SUMMARY.md".to_owned(), summary());
    files
}

fn rule_table() -> String {
    let mut table = "| rule | name | severity | finds |\n| --- | --- | --- | --- |\n".to_owned();
    for rule in rules::all() {
        writeln!(table, "| [{0}]({0}.md) | {1} | {2} | {3} |", rule.id, rule.name, rule.severity.word(), cell(rule.summary))
            .unwrap();
    }
    table
}

/// The summary with the rules' pages at its end: mdBook shows only the pages that it lists.
fn summary() -> String {
    let text = fs::read_to_string(root().join("docs/SUMMARY.md")).unwrap();
    let last = "- [Rules](rules/README.md)\n";
    let written = &text[..text.find(last).expect("the summary lists the rules") + last.len()];
    rules::all().iter().fold(written.to_owned(), |mut list, rule| {
        writeln!(list, "  - [{0} {1}](rules/{0}.md)", rule.id, rule.name).unwrap();
        list
    })
}

fn exit_codes() -> String {
    let mut table = "| exit code | meaning |\n| ---: | --- |\n".to_owned();
    for (exit, meaning) in Exit::TABLE {
        writeln!(table, "| {} | {meaning} |", exit.code()).unwrap();
    }
    table
}

/// The long help of each command. The width is fixed and values of the environment are hidden, so that it is the same everywhere.
fn help() -> String {
    let mut cli = Cli::command().term_width(100);
    cli.build();
    let mut text = String::new();
    let names: Vec<String> = cli.get_subcommands().map(|command| command.get_name().to_owned()).collect();
    for name in names.iter().filter(|name| *name != "help") {
        let command = cli.find_subcommand(name).unwrap().clone().term_width(100).mut_args(|arg| arg.hide_env_values(true));
        let long = command.clone().render_long_help().to_string();
        let lines: Vec<&str> = long.trim_end().lines().map(str::trim_end).collect();
        write!(text, "{}## logmap {name}\n\n```text\n{}\n```\n", if text.is_empty() { "" } else { "\n" }, lines.join("\n"))
            .unwrap();
    }
    text
}

/// The schema that `$ref` names, or the schema itself.
fn named<'a>(schema: &'a Value, part: &'a Value) -> &'a Value {
    part.get("$ref").and_then(Value::as_str).and_then(|name| schema.pointer(&name[1..])).unwrap_or(part)
}

/// What kind of value a key takes, in words.
fn kind(schema: &Value, part: &Value) -> String {
    let name = part.get("$ref").and_then(Value::as_str).and_then(|name| name.rsplit('/').next());
    let whole = named(schema, part);
    if let Some(words) = whole.get("enum").and_then(Value::as_array) {
        return words.iter().map(|word| format!("`{}`", inline(word))).collect::<Vec<_>>().join(", ");
    }
    if let Some(keys) = whole.get("properties").and_then(Value::as_object) {
        // one without a name has no heading to go to
        return name.map_or_else(
            || format!("mapping with {}", keys.keys().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ")),
            |name| format!("[{name}](#{})", name.to_lowercase()),
        );
    }
    if let Some(constant) = whole.get("const") {
        return format!("`{}`", inline(constant));
    }
    // one that holds more of itself
    if let Some(title) = whole.get("title").and_then(Value::as_str) {
        return title.to_owned();
    }
    if let Some(ways) = ["anyOf", "oneOf"].iter().find_map(|key| whole.get(key)).and_then(Value::as_array) {
        let mut kinds: Vec<String> = Vec::new();
        for way in ways.iter().map(|way| kind(schema, way)).filter(|way| way != "null") {
            if !kinds.contains(&way) {
                kinds.push(way);
            }
        }
        return kinds.join(" or ");
    }
    let types: Vec<&str> = match whole.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).filter(|one| *one != "null").collect(),
        _ => return "any".to_owned(),
    };
    let of = |key: &str| whole.get(key).filter(|part| part.is_object()).map(|part| kind(schema, part));
    let words = types.iter().map(|one| match *one {
        "object" => of("additionalProperties").map_or("mapping".to_owned(), |of| format!("mapping of {of}")),
        "array" => of("items").map_or("list".to_owned(), |of| format!("list of {of}")),
        other => other.to_owned(),
    });
    words.collect::<Vec<_>>().join(" or ")
}

/// A value as it may stand in a map: words bare, the rest as JSON, which YAML reads.
fn inline(value: &Value) -> String {
    match value {
        Value::String(word)
            if !word.is_empty()
                && word.chars().all(|c| c.is_alphanumeric() || "-/_".contains(c))
                && word.parse::<f64>().is_err() =>
        {
            word.clone()
        }
        other => other.to_string(),
    }
}

/// Every record of the format, with its keys.
fn keys() -> String {
    let schema = schema();
    let mut text = String::new();
    let records = std::iter::once(("Map".to_owned(), &schema))
        .chain(schema["$defs"].as_object().unwrap().iter().map(|(name, part)| (name.clone(), part)))
        .filter(|(_, part)| part.get("properties").is_some());
    for (name, part) in records {
        let about = part.get("description").and_then(Value::as_str).unwrap_or_default();
        let required: Vec<&str> =
            part.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        if !text.is_empty() {
            text.push('\n');
        }
        write!(text, "## {name}\n\n").unwrap();
        if !about.is_empty() {
            write!(text, "{about}\n\n").unwrap();
        }
        text.push_str("| key | type | default | description | example |\n| --- | --- | --- | --- | --- |\n");
        for (key, property) in part["properties"].as_object().unwrap() {
            let whole = named(&schema, property);
            let default = match property.get("default") {
                Some(value) => format!("`{}`", inline(value)),
                None if required.contains(&key.as_str()) => "required".to_owned(),
                None => String::new(),
            };
            let mut about = property.get("description").and_then(Value::as_str).unwrap_or_default().to_owned();
            let words = whole.get("enum").and_then(Value::as_array).into_iter().flatten();
            let meanings = whole.get("markdownEnumDescriptions").and_then(Value::as_array).into_iter().flatten();
            for (word, meaning) in words.zip(meanings) {
                write!(about, " `{}`: {}", inline(word), meaning.as_str().unwrap()).unwrap();
            }
            let example = property.get("examples").and_then(|examples| examples.get(0)).or(property.get("default"));
            let example =
                example.or(whole.get("enum").and_then(|words| words.get(0))).map(|value| format!("`{}`", inline(value)));
            let cells = [format!("`{key}`"), kind(&schema, property), default, about, example.unwrap_or_default()];
            writeln!(text, "| {} |", cells.map(|text| cell(&text)).join(" | ")).unwrap();
        }
    }
    text
}

/// The lines that differ, a few of them, each with its number.
fn differences(found: &str, wanted: &str) -> String {
    let diff = similar::TextDiff::from_lines(found, wanted);
    let mut changed = diff.iter_all_changes().filter(|change| change.tag() != similar::ChangeTag::Equal);
    let mut text = String::new();
    for change in changed.by_ref().take(8) {
        let line = change.old_index().or(change.new_index()).unwrap_or_default() + 1;
        let line_text: String = change.value().trim_end().chars().take(160).collect();
        writeln!(text, "  {line}: {}{line_text}", change.tag()).unwrap();
    }
    let more = changed.count();
    if more > 0 {
        writeln!(text, "  and {more} more").unwrap();
    }
    text
}

#[test]
fn what_is_made_from_the_code_is_up_to_date() {
    update();
    let mut stale = String::new();
    let made = made();
    for (path, wanted) in &made {
        let found = fs::read_to_string(root().join(path)).unwrap_or_default();
        if &found == wanted {
            continue;
        }
        if !updating() {
            write!(stale, "{path} is stale:\n{}", differences(&found, wanted)).unwrap();
        }
    }
    // a rule that went leaves its page behind
    for path in pages(&root().join("docs/rules")) {
        let name = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
        if !made.contains_key(&name) && updating() {
            fs::remove_file(&path).unwrap();
        } else if !made.contains_key(&name) {
            writeln!(stale, "{name} belongs to no rule").unwrap();
        }
    }
    assert!(stale.is_empty(), "\n{stale}write them with: {UPDATE}");
}

/// Examples' trees; `tests/examples.rs` fails when they are stale.
#[test]
fn the_trees_of_examples_are_written_on_demand() {
    for example in fs::read_dir(root().join("examples")).unwrap().map(|entry| entry.unwrap().path()) {
        if updating() && example.join("out").is_dir() {
            let run = logmap(&example, &["generate", "-q"]);
            assert_eq!(run.code, 0, "{}: {}{}", example.display(), run.stdout, run.stderr);
        }
    }
}

#[test]
fn the_readme_is_short_and_has_every_command() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let lines = readme.lines().count();
    assert!(lines <= 200, "README.md has {lines} lines; at most 200: move something to docs/");
    for command in Cli::command().get_subcommands().filter(|command| command.get_name() != "help") {
        let name = command.get_name();
        assert!(readme.contains(&format!("| `logmap {name}")), "README.md's table of commands lacks `logmap {name}`");
    }
}

/// The Markdown files below a folder.
fn pages(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            found.extend(pages(&path));
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// A page's lines outside of fences.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    text.lines().enumerate().filter(move |(_, line)| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    })
}

/// The anchors of a page's headings, as GitHub and mdBook make them.
fn anchors(text: &str) -> Vec<String> {
    let headings = prose(text).filter_map(|(_, line)| Some(line.strip_prefix('#')?.trim_start_matches('#').trim()));
    let slug = |heading: &str| -> String {
        heading
            .to_lowercase()
            .chars()
            .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
            .map(|c| if c == ' ' { '-' } else { c })
            .collect()
    };
    headings.map(slug).collect()
}

/// What is wrong with a page's relative links.
fn dead(page: &Path, text: &str) -> Vec<String> {
    let mut dead = Vec::new();
    for (at, line) in prose(text) {
        for (start, _) in line.match_indices("](") {
            let target = line[start + 2..].split(')').next().unwrap_or_default();
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            let (file, anchor) = target.split_once('#').map_or((target, None), |(file, anchor)| (file, Some(anchor)));
            let there = page.parent().unwrap().join(file);
            let target_text = if file.is_empty() { text.to_owned() } else { fs::read_to_string(&there).unwrap_or_default() };
            let is_dead = !file.is_empty() && !there.exists()
                || anchor.is_some_and(|anchor| !anchors(&target_text).contains(&anchor.to_owned()));
            if is_dead {
                dead.push(format!("{}:{}: {target}", page.strip_prefix(root()).unwrap_or(page).display(), at + 1));
            }
        }
    }
    dead
}

#[test]
fn no_link_is_dead() {
    update();
    let mut all = pages(&root().join("docs"));
    all.extend([root().join("README.md"), root().join("CONTRIBUTING.md")]);
    let dead: Vec<String> = all.iter().flat_map(|page| dead(page, &fs::read_to_string(page).unwrap())).collect();
    assert!(dead.is_empty(), "dead links:\n{}", dead.join("\n"));
}

#[test]
fn a_dead_link_is_found() {
    let found = dead(
        &root().join("README.md"),
        "# One thing\n[a](#one-thing) [b](#other)\n```text\n[c](#fenced)\n```\n[d](no/such.md)\n[e](docs)\n",
    );
    assert_eq!(found, ["README.md:2: #other", "README.md:6: no/such.md"]);
}

#[test]
fn every_page_is_in_the_summary_once() {
    update();
    let summary = fs::read_to_string(root().join("docs/SUMMARY.md")).unwrap();
    for page in pages(&root().join("docs")) {
        let name = page.strip_prefix(root().join("docs")).unwrap().to_string_lossy().into_owned();
        let times = summary.matches(&format!("]({name})")).count();
        // mdBook makes one page of a file, whose place in the book the summary says
        assert!(name == "SUMMARY.md" || times == 1, "docs/SUMMARY.md lists {name} {times} times");
    }
}

#[test]
fn settings_of_editors_that_are_not_run_have_keys_that_these_read() {
    let page = fs::read_to_string(root().join("docs/editors.md")).unwrap();
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    // Zed passes over keys that it does not know (crates/settings_content/src/project.rs, `LspSettings` and `BinarySettings`)
    let zed =
        page.split("**Zed**").nth(1).and_then(|rest| rest.split("```json\n").nth(1)).and_then(|rest| rest.split("```").next());
    let zed: Value = serde_json::from_str(zed.unwrap()).unwrap();
    assert_eq!(keys(&zed), ["lsp"]);
    let server = &zed["lsp"]["yaml-language-server"];
    assert_eq!(
        (keys(server), keys(&server["binary"])),
        (vec!["binary".to_owned()], vec!["path".to_owned(), "arguments".to_owned()])
    );
    assert_eq!(server["binary"]["arguments"], serde_json::json!(["lsp"]));
    // LSP4IJ takes a template without an id or mappings, too, and then starts nothing (ServerTemplateJsonDeserializer)
    let template: Value =
        serde_json::from_str(&fs::read_to_string(root().join("editors/lsp4ij/template.json")).unwrap()).unwrap();
    assert_eq!(keys(&template), ["id", "name", "programArgs", "fileTypeMappings"]);
    assert_eq!(template["programArgs"], serde_json::json!({ "default": "logmap lsp" }));
    let patterns = page.split("*File name patterns*, `").nth(1).and_then(|rest| rest.split('`').next()).unwrap();
    let patterns: Vec<&str> = patterns.split(';').collect();
    assert_eq!(patterns, ["logmap.yaml", "logmap.yml", "*.logmap.yaml", "*.logmap.yml"]);
    let mapping = serde_json::json!([{ "fileType": { "patterns": patterns }, "languageId": "yaml" }]);
    assert_eq!(template["fileTypeMappings"], mapping);
}
