//! The arrows: which module may name which. Data flows one way, so the table below is in layer order, and nothing points down it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail loudly")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    sync::OnceLock,
};

/// Each module of the crate with all that it may name, from the ground up: a module stands above everything that it names. An
/// arrow that is not here needs a reason before it gets a word; a word without an arrow goes.
const ALLOWED: &[(&str, &str)] = &[
    ("threads", ""),
    ("text", ""),
    ("digest", ""),
    ("source", ""),
    ("formats", ""),
    ("files", ""),
    ("places", "source"),
    ("artifacts", ""),
    ("aws", ""),
    ("hole", ""),
    ("escape", "text"),
    ("edit", "source"),
    ("policy", "aws hole text"),
    ("diagnostics", "digest edit escape formats source text"),
    ("catalog", "diagnostics"),
    ("document", "catalog diagnostics edit source text"),
    ("map", "aws catalog diagnostics document edit escape source"),
    ("rules", "aws catalog diagnostics document edit map policy source"),
    ("plan", "aws diagnostics map policy rules source text threads"),
    ("scope", "aws plan"),
    ("tables", "aws digest plan"),
    ("included", "catalog diagnostics document map rules source"),
    ("folders", "files included places source"),
    ("analysis", "catalog diagnostics document included map plan rules source threads"),
    ("several", "analysis aws catalog diagnostics document map plan source"),
    ("fix", "analysis diagnostics edit included rules"),
    ("explain", "analysis aws document plan"),
    ("snapshot", "aws document source"),
    ("observed", "aws catalog diagnostics document hole policy snapshot source"),
    ("inputs", "files observed places source"),
    ("compare", "aws catalog diagnostics observed plan policy source"),
    ("inspection", "catalog compare diagnostics observed plan rules source"),
    ("import", "analysis aws catalog diagnostics escape included map observed plan policy rules source text"),
    ("changes", "aws escape plan policy tables text"),
    (
        "drift",
        "analysis aws catalog changes compare diagnostics document escape map observed plan policy rules snapshot source text",
    ),
    ("runbook", "aws plan policy tables text"),
    ("topology", "compare diagnostics drift inspection plan source"),
    ("live", "aws policy scope snapshot threads"),
    ("render", "artifacts aws digest drift escape plan policy runbook scope tables text topology"),
    ("disk", "artifacts digest formats plan"),
    ("generate", "artifacts disk plan render threads"),
    (
        "lsp",
        "analysis aws diagnostics document drift edit escape fix folders included map observed places plan rules snapshot source",
    ),
    (
        "cli",
        "analysis aws catalog changes compare diagnostics digest disk document drift escape explain files fix folders formats generate import included inputs inspection live lsp map observed places plan render \
         rules runbook scope several snapshot source text topology",
    ),
    (
        "testing",
        "analysis artifacts aws changes cli diagnostics digest disk document edit escape fix import included inspection lsp map observed plan policy render rules runbook source",
    ),
];

/// Macros stand at the crate's root, wherever they are declared.
const MACROS: &[(&str, &str)] = &[("rule_family", "diagnostics"), ("record", "map"), ("words", "map")];

/// What a file says, as far as arrows go: paths that begin at the crate or above, as (the path's first names, line).
#[derive(Debug, Default, Clone, PartialEq)]
struct Named {
    paths: Vec<(Vec<String>, usize)>,
    wrong: Vec<String>,
}

/// A token: a name, `::`, or one other character.
#[derive(Debug, Clone, PartialEq)]
struct Token {
    text: String,
    line: usize,
}

/// Takes a file apart; comments, strings and characters are left out.
fn tokens(code: &str) -> Vec<Token> {
    let chars: Vec<char> = code.chars().collect();
    let (mut found, mut at, mut line) = (Vec::new(), 0, 1);
    let skip = |at: &mut usize, line: &mut usize, count: usize| {
        for _ in 0..count {
            *line += usize::from(chars.get(*at) == Some(&'\n'));
            *at += 1;
        }
    };
    while at < chars.len() {
        let c = chars[at];
        let next = chars.get(at + 1).copied().unwrap_or('\0');
        if c == '/' && next == '/' {
            while at < chars.len() && chars[at] != '\n' {
                at += 1;
            }
        } else if c == '/' && next == '*' {
            let mut depth = 0;
            loop {
                match (chars.get(at), chars.get(at + 1)) {
                    (Some('/'), Some('*')) => (depth, _) = (depth + 1, skip(&mut at, &mut line, 2)),
                    (Some('*'), Some('/')) => (depth, _) = (depth - 1, skip(&mut at, &mut line, 2)),
                    (None, _) => break,
                    _ => skip(&mut at, &mut line, 1),
                }
                if depth == 0 {
                    break;
                }
            }
        } else if let Some(hashes) = raw_string(&chars[at..]) {
            let close: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
            let open = chars[at..].iter().position(|c| *c == '"').unwrap() + 1;
            skip(&mut at, &mut line, open);
            while at < chars.len() && !chars[at..].starts_with(&close) {
                skip(&mut at, &mut line, 1);
            }
            skip(&mut at, &mut line, close.len());
        } else if c == '"' {
            skip(&mut at, &mut line, 1);
            while at < chars.len() && chars[at] != '"' {
                let escaped = chars[at] == '\\';
                skip(&mut at, &mut line, 1 + usize::from(escaped));
            }
            at += 1;
        } else if c == '\'' && (next == '\\' || chars.get(at + 2) == Some(&'\'')) {
            at += 2 + usize::from(next == '\\');
            while at < chars.len() && chars[at] != '\'' {
                at += 1;
            }
            at += 1;
        } else if c.is_alphanumeric() || c == '_' {
            let start = at;
            while chars.get(at).is_some_and(|c| c.is_alphanumeric() || *c == '_') {
                at += 1;
            }
            found.push(Token { text: chars[start..at].iter().collect(), line });
        } else if c == ':' && next == ':' {
            found.push(Token { text: "::".to_owned(), line });
            at += 2;
        } else {
            if !c.is_whitespace() {
                found.push(Token { text: c.to_string(), line });
            }
            skip(&mut at, &mut line, 1);
        }
    }
    found
}

/// The hashes of a raw string that begins here.
fn raw_string(chars: &[char]) -> Option<usize> {
    let rest = chars.strip_prefix(&['r']).or_else(|| chars.strip_prefix(&['b', 'r']))?;
    let hashes = rest.iter().take_while(|c| **c == '#').count();
    (rest.get(hashes) == Some(&'"')).then_some(hashes)
}

/// Leaves out every item below `#[cfg(test)]`, and nothing else: what stands after it is the house, too.
fn without_tests(tokens: &[Token]) -> Vec<Token> {
    let mark = ["#", "[", "cfg", "(", "test", ")", "]"];
    let (mut kept, mut at) = (Vec::new(), 0);
    while at < tokens.len() {
        if !mark.iter().enumerate().all(|(offset, text)| tokens.get(at + offset).is_some_and(|token| token.text == *text)) {
            kept.push(tokens[at].clone());
            at += 1;
            continue;
        }
        at += mark.len();
        let mut depth = 0;
        while at < tokens.len() {
            let text = tokens[at].text.as_str();
            at += 1;
            match text {
                "{" | "(" | "[" => depth += 1,
                "}" | ")" | "]" => depth -= 1,
                _ => {}
            }
            // an item ends with its block or its semicolon; an import's braces are followed by one
            if depth == 0 && (text == ";" || text == "}" && tokens.get(at).is_none_or(|next| next.text != ";")) {
                break;
            }
        }
    }
    kept
}

/// The paths of a file that begin with `crate`, `super` or `self`.
fn named(code: &str) -> Named {
    let tokens = without_tests(&tokens(code));
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text.as_str());
    let mut named = Named::default();
    let mut at = 0;
    while at < tokens.len() {
        let (word, line) = (text(at), tokens[at].line);
        let starts = at == 0 || text(at - 1) != "::";
        let visibility = at > 1 && text(at - 1) == "(" && text(at - 2) == "pub" && text(at + 1) == ")";
        let restricted = at > 1 && text(at - 1) == "in" && text(at - 2) == "(";
        if starts && word == "crate" && text(at + 1) != "::" && !visibility {
            named.wrong.push(format!("line {line}: `crate` under another name"));
        }
        if starts && !restricted && matches!(word, "crate" | "super" | "self") && text(at + 1) == "::" {
            at = tree(&tokens, at, &mut Vec::new(), &mut named);
        } else {
            at += 1;
        }
    }
    named
}

/// Reads one path, or a group of them, and gives the token after it.
fn tree(tokens: &[Token], mut at: usize, before: &mut Vec<String>, named: &mut Named) -> usize {
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text.as_str());
    let depth = before.len();
    let line = tokens.get(at).map_or(0, |token| token.line);
    loop {
        match text(at) {
            "{" => {
                at += 1;
                while !matches!(text(at), "}" | "") {
                    at = if text(at) == "," { at + 1 } else { tree(tokens, at, before, named) };
                }
                before.truncate(depth);
                return at + 1;
            }
            word => before.push(word.to_owned()),
        }
        at += 1;
        if text(at) != "::" || text(at + 1) == "<" {
            break;
        }
        at += 1;
    }
    if before.iter().filter(|word| *word == "super").count() > 1 {
        named.wrong.push(format!("line {line}: `super::super`; a path from further away begins with `crate`"));
    }
    named.paths.push((before.clone(), line));
    before.truncate(depth);
    if text(at) == "as" { at + 2 } else { at }
}

/// path below `src` → text; test modules in files of their own are left out.
fn sources() -> BTreeMap<String, String> {
    fn read(root: &Path, folder: &Path, found: &mut BTreeMap<String, String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                read(root, &path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
                if !matches!(name.as_str(), "main.rs" | "lib.rs") && !name.ends_with("/tests.rs") {
                    found.insert(name, fs::read_to_string(&path).unwrap());
                }
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = BTreeMap::new();
    read(&root, &root, &mut found);
    found
}

/// `render/terraform/mod.rs` → render, terraform.
fn module_of(path: &str) -> Vec<String> {
    let mut parts: Vec<String> = path.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if parts.last().is_some_and(|last| last == "mod") {
        parts.pop();
    }
    parts
}

/// A path as it is from the crate's root; nothing for one that leaves the crate.
fn resolve(here: &[String], path: &[String]) -> Vec<String> {
    let mut full: Vec<String> = if path[0] == "crate" { Vec::new() } else { here.to_vec() };
    for word in path {
        match word.as_str() {
            "crate" | "self" => {}
            "super" => drop(full.pop()),
            word => full.push(word.to_owned()),
        }
    }
    full
}

/// path below `src` → what the file names.
type House = BTreeMap<String, Named>;

/// The house as it stands, read once for all tests.
fn house() -> House {
    static HOUSE: OnceLock<House> = OnceLock::new();
    HOUSE.get_or_init(|| sources().into_iter().map(|(path, code)| (path, named(&code))).collect()).clone()
}

/// All that is wrong with such a house.
fn faults(house: &House, allowed: &[(&str, &str)]) -> Vec<String> {
    let order: Vec<&str> = allowed.iter().map(|(module, _)| *module).collect();
    let mut faults = Vec::new();
    for (at, (module, names)) in allowed.iter().enumerate() {
        let above = names.split_whitespace().filter(|name| !order[..at].contains(name));
        faults.extend(above.map(|name| format!("the table lets `{module}` name `{name}`, which does not stand below it")));
    }
    let mut arrows: BTreeSet<(String, String)> = BTreeSet::new();
    // folder → (one of its children, another that it names)
    let mut siblings: BTreeMap<Vec<String>, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
    let modules: BTreeSet<Vec<String>> = house.keys().map(|path| module_of(path)).collect();
    for (path, named) in house {
        let here = module_of(path);
        let Some(room) = allowed.iter().find(|(module, _)| *module == here[0]) else {
            faults.push(format!("{path}: the module `{}` is not in the table", here[0]));
            continue;
        };
        faults.extend(named.wrong.iter().map(|wrong| format!("{path}: {wrong}")));
        for (words, line) in &named.paths {
            let mut full = resolve(&here, words);
            if let (1, Some((_, home))) =
                (full.len(), MACROS.iter().find(|(name, _)| full.first().is_some_and(|first| first == name)))
            {
                full = vec![(*home).to_owned()];
            }
            let Some(first) = full.first() else {
                faults.push(format!("{path}, line {line}: the crate's root is no module to name"));
                continue;
            };
            if *first != here[0] {
                if !room.1.split_whitespace().any(|name| name == first) {
                    faults.push(format!("{path}, line {line}: `{}` must not name `{first}`", here[0]));
                }
                arrows.insert((here[0].clone(), first.clone()));
                continue;
            }
            // within a room: which child of their common folder names which
            let file = (1..=full.len()).rev().map(|end| full[..end].to_vec()).find(|module| modules.contains(module));
            let Some(file) = file else { continue };
            let common = here.iter().zip(&file).take_while(|(a, b)| a == b).count();
            if let (Some(from), Some(to)) = (here.get(common), file.get(common)) {
                siblings.entry(here[..common].to_vec()).or_default().entry(from.clone()).or_default().insert(to.clone());
            }
        }
    }
    for (module, names) in allowed {
        let unused = names.split_whitespace().filter(|name| !arrows.contains(&((*module).to_owned(), (*name).to_owned())));
        faults.extend(unused.map(|name| format!("the table lets `{module}` name `{name}`, and it does not: take the word out")));
        if !modules.iter().any(|known| known[0] == *module) {
            faults.push(format!("the table has a module `{module}` that is not there"));
        }
    }
    for (folder, mut edges) in siblings {
        // what names nothing that is left is done; what is left at the end goes in a circle
        let mut left: BTreeSet<String> = edges.iter().flat_map(|(from, to)| to.iter().chain([from]).cloned()).collect();
        while let Some(done) = left.iter().find(|one| edges.get(*one).is_none_or(|to| to.is_disjoint(&left))).cloned() {
            left.remove(&done);
        }
        edges.retain(|from, _| left.contains(from));
        if !left.is_empty() {
            let arrows: Vec<String> = edges
                .iter()
                .flat_map(|(from, to)| to.iter().filter(|to| left.contains(*to)).map(move |to| format!("{from} → {to}")))
                .collect();
            faults.push(format!("in {}: a circle of {}", folder.join("/"), arrows.join(", ")));
        }
    }
    faults
}

#[test]
fn arrows_never_point_back() {
    assert_eq!(faults(&house(), ALLOWED), Vec::<String>::new());
}

/// A house with one line more in one file.
fn with(path: &str, line: &str) -> Vec<String> {
    let mut house = house();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(path);
    let text = fs::read_to_string(&file).unwrap_or_else(|_| panic!("{path} is not there any more: choose another file"));
    house.insert(path.to_owned(), named(&(text + line)));
    faults(&house, ALLOWED)
}

#[test]
fn an_arrow_that_points_back_is_found_wherever_it_stands() {
    for (path, line, said) in [
        // below a test module, in a group, deep inside a group, over several lines
        ("render/terraform/mod.rs", "\nuse crate::{cli::args, disk::Writer, map::RegionMap};\n", "`render` must not name `disk`"),
        ("render/terraform/names.rs", "\nuse super::super::super::disk::Writer;\n", "`super::super`"),
        ("policy/condense/mod.rs", "\nuse crate::{\n    aws,\n    plan::{Plan, names},\n};\n", "`policy` must not name `plan`"),
        ("text.rs", "\nuse super::source::Span;\n", "`text` must not name `source`"),
        (
            "render/engine.rs",
            "\n#[cfg(test)]\nmod more {\n    use super::*;\n}\nfn f() { crate::disk::unified() }\n",
            "must not name `disk`",
        ),
        ("aws/arn.rs", "\nuse crate as logmap;\n", "`crate` under another name"),
        ("aws/arn.rs", "\nuse crate::*;\n", "must not name `*`"),
        ("import/names.rs", "\nuse super::propose;\n", "a circle of"),
        ("disk/lock.rs", "\nuse super::check::Checker;\n", "a circle of"),
    ] {
        let found = with(path, line);
        assert!(found.iter().any(|fault| fault.contains(said)), "{path} with {line}: {found:?}");
    }
}

#[test]
fn every_layer_is_held() {
    for (at, (module, _)) in ALLOWED.iter().enumerate() {
        let Some((above, _)) = ALLOWED.get(at + 1) else { continue };
        let path = house().into_keys().find(|path| module_of(path)[0] == **module).unwrap();
        let found = with(&path, &format!("\nuse crate::{above};\n"));
        assert!(found.iter().any(|fault| fault.contains(&format!("`{module}` must not name `{above}`"))), "{module}: {found:?}");
    }
}

#[test]
fn an_unknown_module_and_a_table_that_is_wrong_are_found() {
    let mut with_another = house();
    with_another.insert("news.rs".to_owned(), Named::default());
    assert!(faults(&with_another, ALLOWED).iter().any(|fault| fault.contains("`news` is not in the table")));
    let upside_down: Vec<(&str, &str)> = ALLOWED.iter().rev().copied().collect();
    assert!(faults(&house(), &upside_down).iter().any(|fault| fault.contains("does not stand below it")));
    let mut wider = ALLOWED.to_vec();
    wider.last_mut().unwrap().1 = "threads";
    let found = faults(&house(), &wider);
    assert!(found.iter().any(|fault| fault.contains("take the word out")), "{found:?}");
}

#[test]
fn what_only_looks_like_an_arrow_is_none() {
    let code = r##"
// use crate::disk;
/* crate::disk /* crate::disk */ crate::disk */
const A: &str = "use crate::disk; \" crate::disk";
const B: &str = r#"crate::disk " "#;
const C: [char; 2] = ['"', '\''];
pub(in crate::plan) fn f<'a>(text: &'a str) {}
pub(crate) struct D;
#[cfg(test)]
use crate::{disk, lsp};
#[cfg(test)]
mod tests { use crate::disk; fn g() { { crate::disk::x() } } }
use crate::plan::{self, Plan as P, names::{a, b}};
"##;
    let words: Vec<String> = named(code).paths.iter().map(|(words, line)| format!("{line} {}", words.join(" "))).collect();
    assert_eq!(
        words,
        ["13 crate plan self", "13 crate plan Plan", "13 crate plan names a", "13 crate plan names b"],
        "{:?}",
        named(code).wrong
    );
    assert_eq!(named(code).wrong, Vec::<String>::new());
}

#[test]
fn every_file_says_what_it_owns_and_one_names_the_yaml_parser_and_one_prints() {
    let mut wrong = Vec::new();
    for (path, code) in sources() {
        if !code.starts_with("//!") {
            wrong.push(format!("{path} has no header"));
        }
        let words = without_tests(&tokens(&code));
        let names =
            |what: &[&str]| words.windows(what.len()).any(|some| some.iter().zip(what).all(|(token, text)| token.text == *text));
        if names(&["granit_parser"]) && path != "document.rs" {
            wrong.push(format!("{path} names the YAML parser"));
        }
        let prints = ["stdout", "stderr"].iter().any(|stream| names(&["io", "::", stream]));
        if prints && path != "cli/io.rs" {
            wrong.push(format!("{path} prints"));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}
