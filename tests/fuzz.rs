//! Random damage: maps, plans, templates, policies, dumps and frames of an editor, damaged in their structure or in their text, go
//! through every command in every format, within limits on time and memory. Whatever is in them, a run ends with an answer or a refusal,
//! and what is written for machines can be read by them.
//!
//! `LOGMAP_FUZZ=N` runs N executions instead of the few of every day, `LOGMAP_FUZZ_BINARY` with another binary, and `LOGMAP_FUZZ_ONLY=I`
//! that one execution again. Each is made of its number alone.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail loudly")]

#[path = "common/dice.rs"]
mod dice;

use dice::Dice;
use serde_json::{Map, Value, json};
use std::{
    env, fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
};

/// Executions of every day.
const EVERY_DAY: usize = 400;
/// Seconds of CPU, and KiB of address space, that a run may take: more than what is promised, for a debug build on a busy machine.
const LIMITS: &str = "ulimit -t 30; ulimit -v 2500000; exec \"$@\"";

/// Values that stand where others are expected.
const ODD: [&str; 22] = [
    "null",
    "true",
    "0",
    "-1",
    "1e999",
    "12345678901234567890",
    "\"\"",
    "\" \"",
    "\"*\"",
    "\"${x}\"",
    "\"{account_id}\"",
    "\"é𝄞\\u202e\"",
    "\"a`\\n::error::b\"",
    "[]",
    "{}",
    "[[]]",
    "{\"Ref\": \"A\"}",
    "{\"Fn::Sub\": \"${A}-${A}\"}",
    "{\"Fn::If\": [\"C\", {\"Ref\": \"AWS::NoValue\"}, 1]}",
    "{\"Fn::ImportValue\": \"x\"}",
    "\"arn:aws:s3:::*\"",
    "\"111122223333\"",
];

/// What is thrown into a text.
const PIECES: [&str; 26] = [
    "",
    "\n",
    "\r\n",
    "\t",
    " ",
    "  ",
    ":",
    ": ",
    "- ",
    "[",
    "]",
    "{",
    "}",
    "\"",
    "'",
    "#",
    "&a ",
    "*a",
    "!Ref ",
    "|\n",
    "<<: *a\n",
    "---\n",
    "\0",
    "\u{feff}",
    "𝄞",
    "# logmap: ignore[LM0203] because\n",
];

/// An input and what it is.
struct Seed {
    name: String,
    text: String,
    value: Option<Value>,
}

/// Everything that the tests have of a kind, in the order of names.
fn seeds(folders: &[&str]) -> Vec<Seed> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                walk(&path, found);
            } else if ["yaml", "json", "csv"].iter().any(|ending| path.extension().is_some_and(|is| is == *ending)) {
                found.push(path);
            }
        }
    }
    let mut files = Vec::new();
    folders.iter().for_each(|folder| walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut files));
    files.sort();
    let read = |file: PathBuf| {
        let text = fs::read_to_string(&file).ok().filter(|text| text.len() < 60_000)?;
        let value = serde_json::from_str(&text).or_else(|_| serde_yaml::from_str(&text)).ok();
        Some(Seed { name: file.file_name().unwrap().to_string_lossy().into_owned(), text, value })
    };
    files.into_iter().filter_map(read).collect()
}

/// How many nodes a document has.
fn size(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(size).sum(),
        Value::Object(entries) => entries.values().map(size).sum(),
        _ => 0,
    }
}

/// The node of a number, counted from the root on.
fn node(value: &mut Value, at: usize) -> Option<&mut Value> {
    if at == 0 {
        return Some(value);
    }
    let mut at = at - 1;
    let children: Vec<&mut Value> = match value {
        Value::Array(items) => items.iter_mut().collect(),
        Value::Object(entries) => entries.values_mut().collect(),
        _ => Vec::new(),
    };
    for child in children {
        let nodes = size(child);
        if at < nodes {
            return node(child, at);
        }
        at -= nodes;
    }
    None
}

/// Damages a document in its structure.
fn damage(value: &mut Value, other: &Value, dice: &mut Dice) {
    let at = dice.below(size(value));
    let odd = |dice: &mut Dice| serde_json::from_str::<Value>(ODD[dice.below(ODD.len())]).unwrap_or(Value::Null);
    let kind = dice.below(12);
    let mut from_other = other.clone();
    let taken = node(&mut from_other, dice.below(size(other))).map_or(Value::Null, |node| node.clone());
    let Some(node) = node(value, at) else { return };
    match (kind, &mut *node) {
        (0, _) => *node = odd(dice),
        (1, _) => *node = taken,
        (2, Value::Array(items)) if !items.is_empty() => drop(items.remove(dice.below(items.len()))),
        (2, Value::Object(entries)) if !entries.is_empty() => {
            let key = entries.keys().nth(dice.below(entries.len())).unwrap().clone();
            entries.remove(&key);
        }
        (3, Value::Array(items)) if !items.is_empty() => {
            let item = items[dice.below(items.len())].clone();
            items.extend(std::iter::repeat_n(item, 1 + dice.below(60)));
        }
        (4, Value::Object(entries)) if !entries.is_empty() => {
            let key = entries.keys().nth(dice.below(entries.len())).unwrap().clone();
            let value = entries.remove(&key).unwrap();
            let new = ["", "*", "Fn::Sub", "name", "Condition", "é`\n", "logmap"][dice.below(7)];
            entries.insert(if dice.below(2) == 0 { new.to_owned() } else { format!("{key}x") }, value);
        }
        (5, Value::Object(entries)) => drop(entries.insert(format!("k{}", dice.below(9)), odd(dice))),
        (6, _) => {
            for _ in 0..1 + dice.below(80) {
                let inner = std::mem::take(node);
                *node =
                    if dice.below(2) == 0 { json!([inner]) } else { Value::Object(Map::from_iter([("a".to_owned(), inner)])) };
            }
        }
        (7, Value::String(text)) => *text = text.repeat(1 + dice.below(300)),
        (8, Value::String(text)) => *text = format!("{text}{}", ["*", "?", "${", "}", "/", "é", "\u{202e}", "\n"][dice.below(8)]),
        (9, Value::String(text)) => *text = text.chars().rev().collect(),
        (10, Value::String(text)) => *text = text.to_uppercase(),
        _ => *node = odd(dice),
    }
}

/// An input, damaged.
fn damaged(seeds: &[Seed], dice: &mut Dice) -> (String, String) {
    let seed = &seeds[dice.below(seeds.len())];
    let mut text = match &seed.value {
        Some(value) if dice.below(4) > 0 => {
            let mut value = value.clone();
            for _ in 0..=dice.below(4) {
                let other = seeds[dice.below(seeds.len())].value.as_ref().unwrap_or(&Value::Null);
                damage(&mut value, other, dice);
            }
            if dice.below(3) == 0 { value.to_string() } else { serde_yaml::to_string(&value).unwrap_or_default() }
        }
        _ => seed.text.clone(),
    };
    // a spliced part may come with a part
    text.truncate((0..=text.len().min(400_000)).rev().find(|at| text.is_char_boundary(*at)).unwrap());
    if seed.value.is_none() || dice.below(3) == 0 {
        for _ in 0..=dice.below(3) {
            let place = |dice: &mut Dice, text: &str| {
                let near = dice.below(text.len() + 1);
                (0..=near).rev().find(|at| text.is_char_boundary(*at)).unwrap()
            };
            let (a, b) = (place(dice, &text), place(dice, &text));
            let end = if dice.below(8) == 0 {
                a.max(b)
            } else {
                (a..=text.len()).find(|at| *at > a && text.is_char_boundary(*at)).unwrap_or(a)
            };
            let start = if end == a.max(b) { a.min(b) } else { a };
            text.replace_range(start..end, dice.one_of(&PIECES));
        }
    }
    (seed.name.clone(), text)
}

/// What an editor says about a text, now and then not as it should.
fn session(text: &str, dice: &mut Dice) -> Vec<u8> {
    let uri = json!({ "uri": "file:///w/logmap.yaml" });
    let lines = text.lines().count() + 2;
    let place = |dice: &mut Dice| json!({ "line": dice.below(lines), "character": dice.below(60) });
    let full = json!({ "start": { "line": 0, "character": 0 }, "end": { "line": lines, "character": 0 } });
    let mut messages = vec![
        json!({ "id": 0, "method": "initialize", "params": { "capabilities": { "textDocument": {
            "hover": { "contentFormat": ["markdown"] }, "documentSymbol": { "hierarchicalDocumentSymbolSupport": dice.below(2) == 0 },
            "codeAction": { "codeActionLiteralSupport": {} }, "publishDiagnostics": { "relatedInformation": true },
        } } } }),
        json!({ "method": "textDocument/didOpen", "params": { "textDocument": {
            "uri": uri["uri"], "languageId": "yaml", "version": 1, "text": text,
        } } }),
    ];
    for id in 1..8 {
        let methods = [
            "hover",
            "completion",
            "codeAction",
            "documentSymbol",
            "foldingRange",
            "inlayHint",
            "definition",
            "references",
            "prepareRename",
            "rename",
            "nonsense",
        ];
        let method = methods[dice.below(methods.len())];
        let only = [json!(null), json!(["source.fixAll"])][dice.below(2)].clone();
        messages.push(json!({ "id": id, "method": format!("textDocument/{method}"), "params": {
            "textDocument": uri, "position": place(dice), "range": full, "newName": "other",
            "context": { "diagnostics": [], "includeDeclaration": true, "only": only },
        } }));
        if dice.below(3) == 0 {
            let (a, b) = (place(dice), place(dice));
            messages.push(json!({ "method": "textDocument/didChange", "params": {
                "textDocument": { "uri": uri["uri"], "version": id + 1 },
                "contentChanges": [{ "range": { "start": a, "end": b }, "text": dice.one_of(&PIECES) }],
            } }));
        }
    }
    messages.extend([json!({ "id": 9, "method": "shutdown" }), json!({ "method": "exit" })]);
    let mut bytes = Vec::new();
    for message in messages {
        let body = message.to_string();
        let length = if dice.below(40) == 0 { body.len() + dice.below(99) } else { body.len() };
        bytes.extend(format!("Content-Length: {length}\r\n\r\n{body}").into_bytes());
    }
    bytes
}

const FINDINGS: [&str; 7] = ["text", "json", "sarif", "github", "junit", "gitlab", "concise"];

/// What is run on a damaged map, and in which format.
fn on_a_map(dice: &mut Dice) -> Vec<&'static str> {
    let format = FINDINGS[dice.below(FINDINGS.len())];
    let graph = ["svg", "html", "dot", "mermaid"][dice.below(4)];
    let diff = ["text", "json", "markdown"][dice.below(3)];
    match dice.below(16) {
        0 | 1 => vec!["validate", "new.yaml", "--format", format],
        2 => vec!["validate", "-v", "new.yaml"],
        3 => vec!["validate", "new.yaml", "--diff", "--unsafe-fixes"],
        4 => vec!["validate", "new.yaml", "--fix"],
        5 => vec!["generate", "new.yaml", "--check", "--format", format],
        6 => vec!["generate", "new.yaml", "--stdout"],
        7 => vec!["generate", "new.yaml", "--force"],
        8 => vec!["graph", "new.yaml", "--format", graph],
        9 => vec!["diff", "old.yaml", "new.yaml", "--format", diff],
        10 => vec!["diff", "new.yaml", "old.yaml", "--format", diff],
        11 => vec!["runbook", "old.yaml", "new.yaml", "--force"],
        12 => vec!["explain", "--map", "new.yaml", "CrossS3LocationLoggingProhibited acme-web"],
        13 => vec!["check", "input.json", "--map", "new.yaml", "--format", format],
        14 => vec!["import", "input.json", "--into", "new.yaml", "--diff", "--account", "111122223333", "--region", "eu-west-1"],
        _ => vec!["lsp"],
    }
}

/// What is run on what somebody else wrote.
fn on_an_input(dice: &mut Dice) -> Vec<&'static str> {
    let format = FINDINGS[dice.below(FINDINGS.len())];
    match dice.below(10) {
        0..4 => vec!["check", "input.json", "--format", format],
        4 => vec!["check", "-v", "--strict", "input.json", "--region", "eu-west-1", "--account", "111122223333"],
        5 => vec!["check", "input.json", "--map", "old.yaml", "--format", format],
        6 => vec!["import", "input.json", "--account", "111122223333", "--region", "eu-west-1"],
        7 => vec!["import", "input.json", "--format", format, "--region", "eu-west-1"],
        8 => vec!["graph", "old.yaml", "--check", "input.json"],
        _ => vec!["explain", "-"],
    }
}

/// One execution; what is wrong with it, if anything is.
fn execute(number: usize, maps: &[Seed], inputs: &[Seed], dir: &Path, binary: &str) -> Result<(), String> {
    let mut dice = Dice((number as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let is_map = dice.below(2) == 0;
    let (name, text) = damaged(if is_map { maps } else { inputs }, &mut dice);
    let arguments = if is_map { on_a_map(&mut dice) } else { on_an_input(&mut dice) };
    let (sound, policy) = (&maps[dice.below(maps.len())].text, &inputs[dice.below(inputs.len())].text);
    fs::write(dir.join("old.yaml"), sound).unwrap();
    fs::write(dir.join("new.yaml"), if is_map { &text } else { sound }).unwrap();
    fs::write(dir.join("input.json"), if is_map { policy } else { &text }).unwrap();
    let stdin = match arguments[0] {
        "lsp" => session(&text, &mut dice),
        "explain" if arguments.contains(&"-") => text.clone().into_bytes(),
        _ => Vec::new(),
    };
    let mut child = Command::new("sh")
        .args(["-c", LIMITS, "sh", binary])
        .args(&arguments)
        .current_dir(dir)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = child.stdin.take().unwrap();
    let writing = std::thread::spawn(move || drop(pipe.write_all(&stdin)));
    let done = child.wait_with_output().unwrap();
    writing.join().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    let wrong = |what: String| {
        let end = stderr.char_indices().rev().nth(600).map_or(0, |(at, _)| at);
        Err(format!("execution {number}: {what}: {} {arguments:?} of {name}\n{}", done.status, &stderr[end..]))
    };
    match done.status.code() {
        Some(0..=3) if !stderr.contains("panicked") && !stderr.contains("this is a bug") => {}
        _ => return wrong("an end that is none".to_owned()),
    }
    // what is known in part is written with characters for private use, of which no seed has any: none may come out
    if let Some(mark) = stdout.chars().chain(stderr.chars()).find(|c| matches!(u32::from(*c), 0xf_0000..=0xf_ffff | 0x10_0000..))
    {
        return wrong(format!("{mark:?} of a hole is written out"));
    }
    let format = arguments.iter().position(|word| *word == "--format").map(|at| arguments[at + 1]);
    let report = if arguments[0] == "import" { &stderr } else { &stdout };
    // usage errors have no report
    let is_json = matches!(format, Some("json" | "sarif")) && done.status.code() != Some(2);
    if let Err(error) = serde_json::from_str::<Value>(report)
        && is_json
    {
        return wrong(format!("no JSON, {error}"));
    }
    Ok(())
}

#[test]
fn whatever_is_damaged_a_run_ends_with_an_answer() {
    let number = |name: &str| env::var(name).ok().map(|text| text.parse::<usize>().expect("a number"));
    let binary = env::var("LOGMAP_FUZZ_BINARY").unwrap_or_else(|_| env!("CARGO_BIN_EXE_logmap").to_owned());
    let maps = seeds(&["tests/maps", "tests/pairs", "tests/findings", "tests/fixes", "examples/small", "examples/move"]);
    let inputs = seeds(&["tests/check", "tests/import"]);
    assert!(maps.len() > 20 && inputs.len() > 100, "{} maps, {} inputs", maps.len(), inputs.len());
    let numbers = match number("LOGMAP_FUZZ_ONLY") {
        Some(one) => one..one + 1,
        None => 0..number("LOGMAP_FUZZ").unwrap_or(EVERY_DAY),
    };
    let (next, threads) = (AtomicUsize::new(numbers.start), std::thread::available_parallelism().map_or(1, |cores| cores.get()));
    let work = || {
        let mut failed = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= numbers.end || failed.len() > 9 {
                return failed;
            }
            // of its own, so that an execution comes again alone as it was among others
            let world = tempfile::tempdir().unwrap();
            failed.extend(execute(at, &maps, &inputs, world.path(), &binary).err());
        }
    };
    let failed: Vec<String> = std::thread::scope(|scope| {
        let working: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        working.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}
