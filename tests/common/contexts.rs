//! The contract of templates that may be replaced, read from the sources: which values each template gets. The page
//! docs/template-contexts.md is made of it, so that a field can't be added, renamed or taken away without the page.
//!
//! A struct whose comment begins with "Contract of `NAME`" is the context of that template. Fields are listed by their paths as
//! templates write them: `buckets[].name` is `bucket.name` in `{% for bucket in buckets %}`.

#[path = "template_names.rs"]
pub mod template_names;

use logmap::testing::render::templates::{CONTEXT_VERSION, Template, all};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};
use template_names::includes;

/// A struct or a field of one, as the sources have it.
#[derive(Debug, Clone)]
struct Field {
    /// Its name in a template.
    name: String,
    /// Its type in Rust.
    kind: String,
    /// Its comment, in one line.
    about: String,
}

/// A struct that is serialized.
#[derive(Debug, Clone)]
struct Record {
    file: PathBuf,
    about: String,
    fields: Vec<Field>,
    /// What serde is told of the struct as a whole.
    attributes: Vec<String>,
}

/// Where a value comes from that a type's name does not tell: type → what a template sees.
const KNOWN: &[(&str, &str)] = &[
    ("String", "string"),
    ("str", "string"),
    ("Part", "rendered text, which takes no filter"),
    ("bool", "boolean"),
    ("usize", "number"),
    ("u8", "number"),
    ("u32", "number"),
    ("u64", "number"),
    ("Value", "any JSON"),
    ("serde_json::Value", "any JSON"),
    ("Policy", "policy, for the filters `json`, `yaml` and `hcl`"),
];

/// The filters, with what each makes.
const FILTERS: &[(&str, &str)] = &[
    ("hcl", "any value as an HCL expression; `indent=N` puts spaces before lines after the first"),
    ("json", "any value as JSON on one line"),
    ("yaml", "any value as a YAML flow node"),
    ("yaml_block", "any value as a YAML block node on new lines; `indent=N`"),
    ("yaml_lines", "a string as the lines of a YAML literal; `indent=N`"),
    ("sh", "a string as one word of a shell"),
    ("sql", "a string as a literal of Athena's queries"),
    ("hive", "a string as a literal of Athena's DDL"),
    ("comment", "a string as a part of a comment that ends with its line"),
    ("markdown", "a string as text in a line of Markdown"),
    ("code", "a string as a code span of Markdown"),
    ("prose", "a sentence with values in backticks as Markdown"),
    ("xml", "a string as text of XML or HTML"),
    ("dot", "lines as a string of DOT"),
    ("mermaid", "lines as a text of Mermaid"),
];

/// Rendered without any value.
const WITHOUT_VALUES: &[&str] = &["cloudformation/access_logging.py"];

/// All structs below `src` that are serialized, by their names; several may have one name.
fn records() -> BTreeMap<String, Vec<Record>> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let mut files = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    files.sort();
    let mut found: BTreeMap<String, Vec<Record>> = BTreeMap::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        for (name, record) in structs(&file, &text) {
            found.entry(name).or_default().push(record);
        }
    }
    found
}

/// The structs with named fields that a file derives `Serialize` for, as rustfmt writes them.
fn structs(file: &Path, text: &str) -> Vec<(String, Record)> {
    let mut found = Vec::new();
    let (mut comments, mut attributes): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let word = line.trim_start();
        if let Some(comment) = word.strip_prefix("///") {
            comments.push(comment.trim());
        } else if word.starts_with("#[") {
            attributes.push(word);
        } else {
            let head = word.split_once("struct ").filter(|(before, _)| before.is_empty() || before.starts_with("pub"));
            if let Some((_, rest)) = head.filter(|(_, rest)| {
                rest.ends_with('{') && attributes.iter().any(|one| one.starts_with("#[derive(") && one.contains("Serialize"))
            }) {
                let told = attributes.iter().filter(|one| one.starts_with("#[serde("));
                let attributes = told.map(|one| (*one).to_owned()).collect();
                let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                let fields = fields(file, &name, &mut lines);
                found.push((name, Record { file: file.to_owned(), about: comments.join(" "), fields, attributes }));
            }
            comments.clear();
            attributes.clear();
        }
    }
    found
}

fn fields<'a>(file: &Path, owner: &str, lines: &mut impl Iterator<Item = &'a str>) -> Vec<Field> {
    let mut found = Vec::new();
    let (mut comments, mut attributes): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
    for line in lines.take_while(|line| line.trim_start() != "}") {
        let word = line.trim();
        if let Some(comment) = word.strip_prefix("///") {
            comments.push(comment.trim());
        } else if word.starts_with("#[") {
            attributes.push(word);
        } else if let Some((name, kind)) = word.trim_end_matches(',').split_once(": ") {
            let name = name.rsplit(' ').next().unwrap();
            let (mut name, mut kind, mut skip) = (name.to_owned(), kind.to_owned(), false);
            for attribute in &attributes {
                match *attribute {
                    "#[serde(skip)]" => skip = true,
                    "#[serde(serialize_with = \"prefixes\")]" => kind = "IndexMap<String, String>".to_owned(),
                    renamed if renamed.starts_with("#[serde(rename = \"") => name = renamed.split('"').nth(1).unwrap().to_owned(),
                    // these leave a value out, and then only plans and pages have it, not templates
                    left_out if left_out.starts_with("#[serde(") => kind = format!("{left_out} {kind}"),
                    _ => {}
                }
            }
            if !skip {
                found.push(Field { name, kind, about: comments.join(" ") });
            }
            comments.clear();
            attributes.clear();
        } else {
            assert!(word.is_empty() || word.starts_with("//"), "{}: {owner}: this is no field: {word}", file.display());
        }
    }
    found
}

/// A value that a template gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its path.
    pub path: String,
    /// What kind of value it is.
    pub kind: String,
    /// What it says.
    pub about: String,
}

/// Writes down a value of this type under this path, and what is in it.
fn expand(records: &BTreeMap<String, Vec<Record>>, from: &Path, path: &str, kind: &str, about: &str, out: &mut Vec<Entry>) {
    let bare = kind.trim_start_matches('&').trim_start_matches("'static ").trim_start_matches("'a ").trim();
    let inside = |open: &str| bare.strip_prefix(open).and_then(|rest| rest.strip_suffix('>'));
    let list = inside("Vec<").or_else(|| bare.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')));
    let entry = |kind: &str| Entry { path: path.to_owned(), kind: kind.to_owned(), about: about.to_owned() };
    if let Some(item) = list {
        let item = item.split(';').next().unwrap();
        let start = out.len();
        expand(records, from, &format!("{path}[]"), item, about, out);
        // a list of plain values is one row
        if out.len() == start + 1 && out[start].kind != "record" {
            let kind = format!("list of {}", out[start].kind);
            out[start] = entry(&kind);
        } else {
            out[start] = entry("list");
        }
        return;
    }
    if let Some(pair) = inside("IndexMap<") {
        let value = pair.split_once(", ").unwrap().1;
        let mut values = Vec::new();
        expand(records, from, path, value, about, &mut values);
        assert_eq!(values.len(), 1, "{path} maps to records");
        out.push(entry(&format!("mapping of {}", values[0].kind)));
        return;
    }
    if let Some((_, words)) = KNOWN.iter().find(|(known, _)| *known == bare) {
        out.push(entry(words));
        return;
    }
    let plain = bare.split('<').next().unwrap();
    let name = plain.rsplit("::").next().unwrap();
    let named = records.get(name).map(Vec::as_slice).unwrap_or_default();
    // a name means what stands nearest: in the file, in its folder, anywhere
    let nearest = [
        named.iter().filter(|record| record.file == from).collect::<Vec<_>>(),
        named.iter().filter(|record| record.file.parent() == from.parent()).collect(),
        named.iter().collect(),
    ];
    let Some(nearest) = nearest.iter().find(|some| !some.is_empty()) else {
        panic!("{path}: nothing is known of the type `{kind}`: say in tests/common/contexts.rs what a template sees of it");
    };
    assert_eq!(nearest.len(), 1, "{path}: several structs are called `{name}`");
    assert_eq!(nearest[0].attributes, Vec::<String>::new(), "{path}: what does a template see of a `{name}`?");
    out.push(entry("record"));
    for field in &nearest[0].fields {
        let about = if field.about.is_empty() { panic!("{path}: `{}` has no comment", field.name) } else { &field.about };
        expand(records, &nearest[0].file, &format!("{path}.{}", field.name), &field.kind, about, out);
    }
}

/// Template → its values, for each template that has a context of its own; parts of others get what those get.
pub fn contexts() -> BTreeMap<String, Vec<Entry>> {
    let records = records();
    let parts: BTreeSet<String> = all().iter().flat_map(|template| includes(template.name)).collect();
    let mut found = BTreeMap::new();
    for record in records.values().flatten() {
        let Some(rest) = record.about.strip_prefix("Contract of ") else { continue };
        let mut entries = Vec::new();
        for field in &record.fields {
            assert!(!field.about.is_empty(), "{}: `{}` has no comment", record.file.display(), field.name);
            expand(&records, &record.file, &field.name, &field.kind, &field.about, &mut entries);
        }
        for name in rest.split('`').skip(1).step_by(2).filter(|name| name.contains('/') && !parts.contains(*name)) {
            let before = found.insert(name.to_owned(), entries.clone());
            assert!(before.is_none(), "two structs are the contract of {name}");
        }
    }
    found
}

/// The templates that may be replaced.
pub fn replaceable() -> Vec<Template> {
    all().into_iter().filter(|template| template.command == "generate").collect()
}

/// The names of the filters that the engine registers, read from its source.
fn filters() -> BTreeSet<String> {
    let engine = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/render/engine.rs")).unwrap();
    let (from, to) = (engine.find("set_escape_fn").unwrap(), engine.find("let mut templates").unwrap());
    let lines = engine[from..to].lines().flat_map(|line| line.split("(\"").skip(1).map(move |rest| (line, rest)));
    // what a filter asks for is no filter
    let names =
        lines.filter(|(line, _)| !line.contains("kwargs.get")).filter_map(|(_, rest)| Some(rest.split_once('"')?.0.to_owned()));
    names.collect()
}

/// The page.
pub fn page() -> String {
    let contexts = contexts();
    let mut page = format!(
        "# Template contexts

The values that each template of `logmap generate` gets, in version {CONTEXT_VERSION} of the contexts. [Templates](templates.md) says how to replace
one, and [stability](stability.md) what stays. A path is written as in a template: `buckets[].name` is `bucket.name` inside of
`{{% for bucket in buckets %}}`. This page is made from the code.
"
    );
    let known: BTreeSet<String> = FILTERS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(filters(), known, "the filters of the engine, and those that tests/common/contexts.rs knows");
    page += "\n## Filters\n\n| filter | type | what it makes |\n| --- | --- | --- |\n";
    for (name, about) in FILTERS {
        writeln!(page, "| `{name}` | filter | {about} |").unwrap();
    }
    for template in replaceable() {
        let name = template.name;
        write!(page, "\n## {name}\n\n").unwrap();
        let parts = includes(name);
        if !parts.is_empty() {
            let parts: Vec<String> = parts.iter().map(|part| format!("`{part}`")).collect();
            write!(page, "It includes {}.\n\n", parts.join(", ")).unwrap();
        }
        match contexts.get(name) {
            Some(entries) => {
                page += "| value | type | what it is |\n| --- | --- | --- |\n";
                for Entry { path, kind, about } in entries {
                    let about = about.replace('|', "\\|");
                    writeln!(page, "| `{path}` | {kind} | {about} |").unwrap();
                }
            }
            None if WITHOUT_VALUES.contains(&name) => page += "It gets no values.\n",
            None => {
                let of: Vec<String> = replaceable()
                    .iter()
                    .filter(|other| includes(other.name).contains(name))
                    .map(|other| format!("`{}`", other.name))
                    .collect();
                assert!(!of.is_empty(), "{name} has no contract, and no template includes it");
                writeln!(page, "It is a part of {}, and gets what they get.", of.join(", ")).unwrap();
            }
        }
    }
    page
}

/// What a page promises: its version, and (template, path, type).
pub fn promises(page: &str) -> (u32, BTreeSet<(String, String, String)>) {
    let version = page.split("in version ").nth(1).and_then(|rest| rest.split(' ').next()?.parse().ok()).unwrap_or(0);
    let mut found = BTreeSet::new();
    let mut template = String::new();
    for line in page.lines() {
        if let Some(name) = line.strip_prefix("## ") {
            template = name.to_owned();
        } else if let Some(row) = line.strip_prefix("| `") {
            let mut cells = row.split(" | ");
            let path = cells.next().unwrap_or_default().trim_end_matches('`').to_owned();
            found.insert((template.clone(), path, cells.next().unwrap_or_default().to_owned()));
        }
    }
    (version, found)
}
