//! While a line is half typed; clients that can less; actions on the whole text.

use crate::{
    SAMPLE,
    client::{Client, MAP, capable, edited, position},
};
use serde_json::{Value, json};

/// Outline, folds and hints of the map as it is.
fn shape(client: &mut Client) -> (Value, Value, Value) {
    let all = json!({ "start": { "line": 0, "character": 0 }, "end": { "line": 99, "character": 0 } });
    let symbols = client.of_map("textDocument/documentSymbol");
    let folds = client.of_map("textDocument/foldingRange");
    (symbols, folds, client.ask("textDocument/inlayHint", json!({ "textDocument": { "uri": MAP }, "range": all })))
}

/// The same with each line from `from` on further down.
fn lower(value: &Value, from: u64, by: u64) -> Value {
    match value {
        Value::Object(fields) => {
            let moved = fields.iter().map(|(key, field)| {
                let is_line = matches!(key.as_str(), "line" | "startLine" | "endLine");
                let line = field.as_u64().filter(|line| is_line && *line >= from).map(|line| json!(line + by));
                (key.clone(), line.unwrap_or_else(|| lower(field, from, by)))
            });
            Value::Object(moved.collect())
        }
        Value::Array(items) => items.iter().map(|item| lower(item, from, by)).collect(),
        other => other.clone(),
    }
}

#[test]
fn outline_folds_and_hints_stay_while_a_line_is_half_typed() {
    let (mut client, _) = Client::with(SAMPLE);
    let before = shape(&mut client);
    assert!(before.2.as_array().unwrap().len() == 2, "{}", before.2);
    let line = SAMPLE[..SAMPLE.find("  log-archive:\n").unwrap()].matches('\n').count() as u64;
    let here = json!({ "line": line, "character": 0 });
    let here = json!({ "start": here, "end": here });
    // two new lines, of which one is no YAML
    client.change(&[(here.clone(), "  stag\n    id: \"22223333\n")]);
    let codes: Vec<Value> = client.diagnostics().iter().map(|one| one["code"].clone()).collect();
    assert!(codes.contains(&json!("LM0001")), "{codes:?}");
    let while_typed = shape(&mut client);
    let moved = |value: &Value| lower(value, line, 2);
    assert_eq!(while_typed.1, moved(&before.1));
    assert_eq!(while_typed.2, moved(&before.2));
    assert_eq!(while_typed.0, moved(&before.0));
    // a part of the hints
    let range = json!({ "start": { "line": 0, "character": 0 }, "end": { "line": 7, "character": 99 } });
    let some = client.ask("textDocument/inlayHint", json!({ "textDocument": { "uri": MAP }, "range": range }));
    assert_eq!(some, json!([before.2[0]]));
    // what can be read again is read; what is emptied is empty
    client.change(&[(Value::Null, SAMPLE)]);
    assert_eq!(shape(&mut client), before);
    client.change(&[(Value::Null, "")]);
    assert_eq!(shape(&mut client), (json!([]), json!([]), json!([])));
    // a text that never could be read has no shape
    let (mut other, _) = Client::with("version: 1\naccounts: {\n");
    assert_eq!(shape(&mut other), (json!([]), json!([]), json!([])));
    other.goodbye();
    client.goodbye();
}

#[test]
fn a_client_that_can_less_gets_less() {
    let twice = SAMPLE.replace("      eu-west-1:\n        buckets:\n", "      us-east-1:\n        buckets:\n");
    let (mut client, said) = Client::that_can(json!({ "textDocument": { "foldingRange": { "rangeLimit": 2 }, "hover": 7 } }));
    assert_eq!(
        (&said["capabilities"]["codeActionProvider"], &said["capabilities"]["renameProvider"]),
        (&json!(true), &json!(true))
    );
    client.open(MAP, &twice);
    client.receive();
    let (_, version, found) = client.published.pop().unwrap();
    let one = found.iter().find(|one| one["code"] == "LM0005").expect("a duplicate key");
    assert_eq!((version, &one["relatedInformation"]), (None, &Value::Null));
    assert!(found.iter().all(|one| one["tags"].is_null() && one["codeDescription"].is_null()));
    client.change(&[(Value::Null, SAMPLE)]);
    assert_eq!(client.of_map("textDocument/foldingRange").as_array().unwrap().len(), 2);
    let symbols = client.of_map("textDocument/documentSymbol");
    let web = symbols.as_array().unwrap().iter().find(|one| one["name"] == "acme-prod-web").expect("all symbols in one list");
    assert_eq!((&web["containerName"], &web["location"]["uri"]), (&json!("us-east-1"), &json!(MAP)));
    let at = position(SAMPLE, SAMPLE.find("acme-prod-web").unwrap());
    assert_eq!(client.at("textDocument/hover", &at)["contents"]["kind"], "plaintext");
    client.change(&[(Value::Null, &SAMPLE.replace("\"111122223333\"", "111122223333"))]);
    let range = json!({ "start": { "line": 0, "character": 0 }, "end": { "line": 99, "character": 0 } });
    let actions = json!({ "textDocument": { "uri": MAP }, "range": range, "context": { "diagnostics": [] } });
    assert_eq!(client.ask("textDocument/codeAction", actions), json!([]), "an edit that it would not understand");
    client.goodbye();
    let (client, said) = Client::that_can(capable());
    assert_eq!(said["capabilities"]["codeActionProvider"]["codeActionKinds"], json!(["quickfix", "source.fixAll.logmap"]));
    assert_eq!(said["capabilities"]["renameProvider"]["prepareProvider"], true);
    client.goodbye();
}

#[test]
fn all_safe_fixes_are_one_action() {
    for text in [
        SAMPLE.replace("\"111122223333\"", "111122223333").replace("\"444455556666\"", "444455556666"),
        SAMPLE.replace("\"111122223333\"", "111122223333").replace('\n', "\r\n"),
        format!("\u{feff}{}", SAMPLE.replace("\"111122223333\"", "111122223333")),
    ] {
        let (mut client, _) = Client::with(&text);
        let range = json!({ "start": { "line": 0, "character": 0 }, "end": { "line": 0, "character": 0 } });
        let params = |only: Value| json!({ "textDocument": { "uri": MAP }, "range": range, "context": { "diagnostics": [], "only": only } });
        for only in ["source.fixAll", "source", "source.fixAll.logmap"] {
            let list = client.ask("textDocument/codeAction", params(json!([only])));
            assert_eq!((list.as_array().unwrap().len(), &list[0]["kind"]), (1, &json!("source.fixAll.logmap")), "{only}");
            let after = edited(&text, &list[0]["edit"]["changes"][MAP]);
            let plain = after.replace("\r\n", "\n");
            assert_eq!(plain.trim_start_matches('\u{feff}'), SAMPLE, "{only}");
        }
        for only in [json!(["source.organizeImports"]), json!(["source.fixAll.other"]), Value::Null] {
            let list = client.ask("textDocument/codeAction", params(only.clone()));
            assert!(list.as_array().unwrap().iter().all(|one| one["kind"] == "quickfix"), "{only}: {list}");
        }
        client.goodbye();
    }
    let (mut client, _) = Client::with(SAMPLE);
    let range = json!({ "start": { "line": 0, "character": 0 }, "end": { "line": 0, "character": 0 } });
    let params =
        json!({ "textDocument": { "uri": MAP }, "range": range, "context": { "diagnostics": [], "only": ["source.fixAll"] } });
    assert_eq!(client.ask("textDocument/codeAction", params), json!([]), "there is nothing to fix");
    client.goodbye();
}

#[test]
fn a_finding_can_be_ignored_once_a_reason_is_written() {
    let text = SAMPLE.replace("          - acme-prod-eu\n", "          - acme-prod-eu\n          - acme-prod-eu\n");
    let (mut client, found) = Client::with(&text);
    let twice = found.iter().find(|one| one["code"] == "LM0203").expect("a source that is listed twice");
    let params = |range: &Value| json!({ "textDocument": { "uri": MAP }, "range": range, "context": { "diagnostics": [] } });
    let list = client.ask("textDocument/codeAction", params(&twice["range"]));
    let ignore = list.as_array().unwrap().last().unwrap().clone();
    assert!(ignore["title"].as_str().unwrap().starts_with("Ignore LM0203 here"), "{list}");
    let after = edited(&text, &ignore["edit"]["changes"][MAP]);
    assert!(after.contains("\n          # logmap: ignore[LM0203] \n          - acme-prod-eu\n"), "{after}");
    let rules = |client: &mut Client, text: &str| -> Vec<String> {
        client.change(&[(Value::Null, text)]);
        client.diagnostics().iter().map(|one| one["code"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(rules(&mut client, &after), ["LM0014", "LM0203"], "without a reason nothing is silenced");
    let reasoned = after.replace("ignore[LM0203] \n", "ignore[LM0203] it is moved next week\n");
    assert_eq!(rules(&mut client, &reasoned), Vec::<String>::new());
    // what keeps the map from being used can't be ignored
    client.change(&[(Value::Null, &SAMPLE.replace("version: 1", "version: 2"))]);
    let range = client.diagnostics()[0]["range"].clone();
    let list = client.ask("textDocument/codeAction", params(&range));
    assert!(!list.to_string().contains("Ignore"), "{list}");
    client.goodbye();
}

#[test]
fn very_many_findings_are_cut_with_a_word() {
    let mut text = "version: 1\norganization: { name: acme }\naccounts:\n  prod:\n    id: \"111122223333\"\n    regions:\n      us-east-7:\n        buckets:\n".to_owned();
    text.extend((0..700).map(|number| format!("          - Acme_{number}\n")));
    let (client, found) = Client::with(&text);
    assert_eq!(found.len(), 501);
    let word = found[0]["message"].as_str().unwrap();
    assert!(word.contains("more findings are not shown") && word.contains("logmap validate"), "{word}");
    assert_eq!((&found[0]["severity"], &found[0]["range"]["start"]["line"]), (&json!(3), &json!(0)));
    assert!(found[1..].iter().all(|one| one["severity"] == 1), "errors go first");
    client.goodbye();
}
