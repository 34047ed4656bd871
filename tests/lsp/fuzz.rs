//! Any sequence of edits and requests: the server answers, its positions are in the text, and its diagnostics are those
//! of a fresh analysis. Seeded, so that a failure comes again.

use crate::{
    SAMPLE,
    client::{Client, MAP, offset, position},
    dice::Dice,
};
use logmap::testing::{analysis::analyze, source::SourceFile};
use serde_json::{Value, json};

/// A map with so many sources.
pub fn big(sources: usize) -> String {
    let mut text = "version: 1\norganization: { name: acme }\naccounts:\n".to_owned();
    for account in 0..sources / 100 {
        text += &format!("  team-{account}:\n    id: \"{:012}\"\n    regions:\n", 100_000_000_000_u64 + account as u64);
        for region in ["us-east-1", "eu-west-1"] {
            text += &format!("      {region}:\n        buckets:\n");
            (0..50).for_each(|bucket| text += &format!("          - acme-{account}-{region}-{bucket}\n"));
        }
    }
    text
}

/// What is typed, pasted, or thrown in by a client that is out of its mind.
const PIECES: [&str; 44] = [
    "",
    "a",
    "x-1",
    " ",
    "  ",
    "\n",
    "\r\n",
    "\r",
    "\n\n  ",
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
    " # é",
    "&a ",
    "*a",
    "!t ",
    "|",
    "<<: *a\n",
    "---\n",
    "...\n",
    "%",
    "\t",
    "é",
    "𝄞",
    "\u{feff}",
    "\0",
    "{org}",
    "prod",
    "us-east-1",
    "regions:\n",
    "buckets: [a-bucket]\n",
    "id: 012345678901\n",
    "  dev:\n    id: \"222233334444\"\n    regions: { eu-west-1: { buckets: [acme-dev] } }\n",
    "version: 1\n",
    "accounts:\n",
    "# logmap: ignore[LM0209] because\n",
    "trails: { t: { accounts: [prod] } }\n",
];

/// The diagnostics of a text as (rule, start, end), made without the server.
fn fresh(text: &str) -> Vec<(String, Value, Value)> {
    let analysis = analyze(SourceFile::new("logmap.yaml", text));
    let mark = text.len() - analysis.file.text.len();
    let place = |at: u32| lone_returns(text, at as usize + mark);
    analysis.findings.iter().map(|one| (one.rule.id.to_owned(), place(one.span.start), place(one.span.end))).collect()
}

/// A position where a lone carriage return ends a line too.
fn lone_returns(text: &str, at: usize) -> Value {
    let unified = |text: &str| text.replace("\r\n", "\u{1}\n").replace('\r', "\n").replace('\u{1}', "\r");
    let before = unified(&text[..at]);
    position(&before, before.len())
}

/// Fails if a position in a message is no place of the text.
fn check_positions(text: &str, value: &Value) {
    match value {
        Value::Object(fields) if fields.contains_key("line") && fields.contains_key("character") => {
            offset(text, value);
        }
        Value::Object(fields) => fields.values().for_each(|field| check_positions(text, field)),
        Value::Array(items) => items.iter().for_each(|item| check_positions(text, item)),
        _ => {}
    }
}

fn session(seed: u64, edits: usize) {
    let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let mut text = if seed.is_multiple_of(3) { SAMPLE.replace('\n', "\r\n") } else { SAMPLE.to_owned() };
    let (mut client, _) = Client::with(&text);
    for step in 0..edits {
        let mut changes: Vec<(Value, String)> = Vec::new();
        for _ in 0..=dice.below(2) {
            let boundaries: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
            let start = dice.below(boundaries.len());
            let length = if dice.below(25) == 0 { dice.below(boundaries.len()) } else { dice.below(4) };
            let end = (start + length).min(boundaries.len() - 1);
            let (start, end) = (boundaries[start], boundaries[end]);
            let piece = dice.one_of(&PIECES);
            let whole = dice.below(60) == 0;
            let (a, b) = (lone_returns(&text, start), lone_returns(&text, end));
            // between `\r` and `\n` there is no place
            let is_place = |at: usize| !(text[..at].ends_with('\r') && text[at..].starts_with('\n'));
            if whole {
                text = SAMPLE.to_owned() + piece;
                changes.push((Value::Null, text.clone()));
            } else if is_place(start) && is_place(end) {
                // now and then the wrong way round
                let range = if dice.below(10) == 0 { json!({ "start": b, "end": a }) } else { json!({ "start": a, "end": b }) };
                text.replace_range(start..end, piece);
                changes.push((range, piece.to_owned()));
            }
        }
        let changes: Vec<(Value, &str)> = changes.iter().map(|(range, piece)| (range.clone(), piece.as_str())).collect();
        client.change(&changes);
        let shown = text.replace("\r\n", "\u{1}\n").replace('\r', "\n").replace('\u{1}', "\r");
        if dice.below(3) > 0 {
            let published = client.diagnostics();
            check_positions(&shown, &json!(published));
            let got: Vec<(String, Value, Value)> = published
                .iter()
                .map(|one| (one["code"].as_str().unwrap().to_owned(), one["range"]["start"].clone(), one["range"]["end"].clone()))
                .collect();
            assert_eq!(got, fresh(&text), "seed {seed}, step {step}, text {text:?}");
        }
        nonsense(&mut client, &mut dice);
        requests(&mut client, &mut dice, &text, &shown);
        if text.len() > 4000 || text.len() < 40 {
            text = SAMPLE.to_owned();
            client.change(&[(Value::Null, &text)]);
        }
    }
    client.goodbye();
}

/// Requests at a place that may be none.
fn requests(client: &mut Client, dice: &mut Dice, text: &str, shown: &str) {
    let place = if dice.below(8) == 0 {
        json!({ "line": dice.below(99), "character": dice.below(99) })
    } else {
        let boundaries: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        lone_returns(text, boundaries.get(dice.below(boundaries.len())).copied().unwrap_or_default())
    };
    let document = json!({ "uri": MAP });
    let range = json!({ "start": place, "end": { "line": dice.below(30), "character": 0 } });
    let (method, params) = match dice.below(9) {
        0 => ("textDocument/hover", json!({ "textDocument": document, "position": place })),
        1 | 2 => ("textDocument/completion", json!({ "textDocument": document, "position": place })),
        3 => ("textDocument/codeAction", json!({ "textDocument": document, "range": range, "context": { "diagnostics": [] } })),
        4 => ("textDocument/documentSymbol", json!({ "textDocument": document })),
        5 => ("textDocument/foldingRange", json!({ "textDocument": document })),
        6 => ("textDocument/inlayHint", json!({ "textDocument": document, "range": range })),
        7 => ("textDocument/definition", json!({ "textDocument": document, "position": place })),
        _ => ("textDocument/prepareRename", json!({ "textDocument": document, "position": place })),
    };
    let answer = client.ask(method, params);
    // folds count lines alone
    if method != "textDocument/foldingRange" {
        check_positions(shown, &answer);
    }
}

/// Messages that no client should send.
fn nonsense(client: &mut Client, dice: &mut Dice) {
    match dice.below(40) {
        0 => client.tell(
            "textDocument/didChange",
            json!({ "textDocument": { "uri": "file:///no", "version": 1 }, "contentChanges": [] }),
        ),
        1 => client.tell("textDocument/didChange", json!({ "textDocument": { "uri": MAP }, "contentChanges": 7 })),
        2 => client.tell("$/cancelRequest", json!({ "id": 100_000 })),
        3 => client.tell("$/setTrace", json!(null)),
        4 => drop(client.refused(
            "textDocument/hover",
            json!({ "textDocument": { "uri": MAP }, "position": { "line": -1, "character": 0 } }),
        )),
        5 => drop(client.refused("textDocument/unheard", json!([]))),
        6 => drop(client.refused(
            "textDocument/rename",
            json!({ "textDocument": { "uri": MAP }, "position": { "line": 1, "character": 0 }, "newName": "é\0" }),
        )),
        _ => {}
    }
}

#[test]
fn any_sequence_of_edits_is_survived_with_the_findings_of_a_fresh_analysis() {
    let sessions: Vec<_> =
        (1..=4_u64).map(|part| std::thread::spawn(move || (0..8).for_each(|seed| session(part * 100 + seed, EDITS)))).collect();
    sessions.into_iter().for_each(|session| session.join().unwrap());
}

/// In each of 32 sessions.
const EDITS: usize = 250;
