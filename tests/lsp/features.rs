//! Hover, fixes, outline, hints, definition, references, rename.

use crate::{
    SAMPLE,
    client::{Client, MAP, edited, marked, position, slice},
};
use serde_json::{Value, json};

/// The hover where `‸` stands: its Markdown and the text it is of.
fn hover(text: &str) -> (String, String) {
    let (text, at) = marked(text);
    let (mut client, _) = Client::with(&text);
    let hover = client.at("textDocument/hover", &at);
    client.goodbye();
    assert_eq!(hover["contents"]["kind"], "markdown", "{hover}");
    (hover["contents"]["value"].as_str().unwrap().to_owned(), slice(&text, &hover["range"]).to_owned())
}

fn sample(needle: &str, with_cursor: &str) -> String {
    assert!(SAMPLE.contains(needle));
    SAMPLE.replacen(needle, with_cursor, 1)
}

fn says(text: &str, of: &str, words: &[&str]) {
    let (said, what) = hover(text);
    assert_eq!(what, of);
    for word in words {
        assert!(said.contains(word), "`{word}` is not in:\n{said}");
    }
}

#[test]
fn hover_on_a_source_says_where_its_logs_go_and_what_lets_them_in() {
    let log_bucket = "logs to `acme-logs-111122223333-us-east-1`";
    says(
        &sample("acme-prod-web", "acme-p‸rod-web"),
        "acme-prod-web",
        &[
            log_bucket,
            "prefix: `s3-access/`",
            "keys: `s3-access/111122223333/us-east-1/acme-prod-web/2026/01/02/",
            "let in by `LogmapAccessLogs",
            "which admits sources by exact names",
            " bytes used, ",
            " left",
        ],
    );
    says(&sample("name: acme-prod-data", "name: acme-prod-d‸ata"), "acme-prod-data", &[log_bucket, "prefix: `data/`"]);
}

#[test]
fn hover_on_names_says_what_they_are() {
    says(
        &sample("us-east-1:", "us-e‸ast-1:"),
        "us-east-1",
        &["N. Virginia", "partition `aws`", "takes access logs", "bytes used"],
    );
    says(&sample("  prod:", "  ‸prod:"), "prod", &["id `111122223333`", "3 sources", "`eu-west-1`, `us-east-1`"]);
    says(
        &sample("audit:", "audi‸t:"),
        "audit",
        &[
            "arn:aws:cloudtrail:us-east-1:111122223333:trail/audit",
            "delivers to `acme-logs-444455556666-us-east-1` of `log-archive` in `us-east-1`",
            "AWSLogs/111122223333/CloudTrail/",
        ],
    );
    says(&sample("account: log-archive", "account: log-a‸rchive"), "log-archive", &["id `444455556666`"]);
    says(&sample("deliver_to", "deliver‸_to"), "deliver_to", &["**deliver_to**: Whose log bucket takes its logs"]);
    says(&sample("version", "‸version"), "version", &["Version of the format", "Example: `1`"]);
}

#[test]
fn hover_on_a_finding_says_what_the_rules_page_says() {
    says(
        &sample("\"111122223333\"", "1111222‸23333"),
        "111122223333",
        &["**LM0011 wrong-type**", "`logmap explain LM0011` shows examples", "The account id: twelve digits, in quotes"],
    );
}

/// The titles of the fixes where `‸` stands, and the text after the first.
fn fixes(text: &str) -> (Vec<Value>, String) {
    let (text, at) = marked(text);
    let (mut client, _) = Client::with(&text);
    let range = json!({ "start": at, "end": at });
    let document = json!({ "uri": MAP });
    let params =
        |only: Value| json!({ "textDocument": document, "range": range, "context": { "diagnostics": [], "only": only } });
    let list = client.ask("textDocument/codeAction", params(Value::Null));
    assert_eq!(client.ask("textDocument/codeAction", params(json!(["quickfix"]))), list);
    assert_eq!(client.ask("textDocument/codeAction", params(json!(["refactor"]))), json!([]));
    client.goodbye();
    let list = list.as_array().unwrap().clone();
    let after = list.first().map_or(text.clone(), |first| edited(&text, &first["edit"]["changes"][MAP]));
    (list, after)
}

#[test]
fn a_fix_is_a_code_action_that_keeps_everything_else() {
    let (list, after) = fixes(&sample("\"111122223333\"", "1111222‸23333"));
    assert_eq!(after, SAMPLE);
    assert_eq!(list[0]["title"], "Put it in quotes");
    assert_eq!(list[0]["kind"], "quickfix");
    assert_eq!(list[0]["isPreferred"], true);
    assert_eq!(list[0]["diagnostics"][0]["code"], "LM0011");

    let (list, after) = fixes(&sample("deliver_to:", "delivr_‸to:"));
    assert_eq!(after, SAMPLE);
    assert_eq!(list[0]["isPreferred"], Value::Null, "a guess is for a person to choose");
    assert_eq!(fixes(&sample("version", "ver‸sion")).0, Vec::<Value>::new());
}

#[test]
fn the_fixes_of_the_rules_arrive_whole_also_those_with_edits_in_two_places() {
    let after = |text: &str| fixes(text).1;
    assert_eq!(after(&sample("eu-west-1:", "eu-w‸set-1:")), SAMPLE);
    let added = after(&sample("account: log-archive", "account: arch‸ive"));
    assert!(added.contains("\n  archive: { id: ") && added.contains("account: archive }"), "{added}");
    let moved = after(&sample("- acme-prod-eu", "- acme-444455556666-‸us-east-1-an"));
    assert!(
        !moved.contains("- acme-444455556666") && moved.contains("us-east-1: { buckets: [acme-444455556666-us-east-1-an] }"),
        "{moved}"
    );
}

#[test]
fn the_outline_has_accounts_regions_buckets_and_trails() {
    let (mut client, _) = Client::with(SAMPLE);
    let symbols = client.of_map("textDocument/documentSymbol");
    let mut lines = Vec::new();
    fn walk(symbols: &Value, depth: usize, lines: &mut Vec<String>) {
        for symbol in symbols.as_array().into_iter().flatten() {
            lines.push(format!("{}{}", "  ".repeat(depth), symbol["name"].as_str().unwrap()));
            assert!(slice(SAMPLE, &symbol["selectionRange"]).contains(symbol["name"].as_str().unwrap()));
            assert!(slice(SAMPLE, &symbol["range"]).contains(slice(SAMPLE, &symbol["selectionRange"])));
            walk(&symbol["children"], depth + 1, lines);
        }
    }
    walk(&symbols, 0, &mut lines);
    let expected = "accounts\n  prod\n    us-east-1\n      acme-prod-web\n      acme-prod-data\n    eu-west-1\n      acme-prod-eu\n  log-archive\ntrails\n  audit";
    assert_eq!(lines.join("\n"), expected);

    let folds = client.of_map("textDocument/foldingRange");
    let folded: Vec<&str> = folds
        .as_array()
        .unwrap()
        .iter()
        .map(|fold| SAMPLE.lines().nth(fold["startLine"].as_u64().unwrap() as usize).unwrap().trim())
        .collect();
    let sections = ["accounts:", "prod: # Prödüktion 𝄞", "us-east-1:", "eu-west-1:", "log-archive:", "trails:", "audit:"];
    assert_eq!(folded, sections);
    client.goodbye();
}

#[test]
fn each_region_has_its_derived_bucket_as_a_hint_also_while_something_else_is_wrong() {
    for text in [SAMPLE.to_owned(), sample("deliver_to:", "delivr_to:")] {
        let (mut client, _) = Client::with(&text);
        let all = json!({ "start": { "line": 0, "character": 0 }, "end": { "line": 99, "character": 0 } });
        let hints = client.ask("textDocument/inlayHint", json!({ "textDocument": { "uri": MAP }, "range": all }));
        let labels: Vec<&str> = hints.as_array().unwrap().iter().map(|hint| hint["label"].as_str().unwrap()).collect();
        assert_eq!(labels, ["→ acme-logs-111122223333-us-east-1", "→ acme-logs-111122223333-eu-west-1"]);
        let at = text.find("us-east-1:").unwrap() + "us-east-1:".len();
        assert_eq!(hints[0]["position"], position(&text, at));
        client.goodbye();
    }
}

#[test]
fn an_account_is_renamed_where_a_log_bucket_takes_its_logs() {
    let sender = |key: &str| format!("{{ senders: [config, {{ service: elb, accounts: [{key}] }}] }}");
    let map = |key: &str| {
        format!(
            "version: 1\norganization: {{ name: acme }}\ndefaults:\n  log_bucket: {0}\naccounts:\n  {key}:\n    id: \"111122223333\"\n    log_bucket: {0}\n    \
             regions:\n      us-east-1:\n        log_bucket: {0}\n        buckets: [acme-web]\n",
            sender(key)
        )
    };
    let (mut client, _) = Client::with(&map("prod"));
    let at = json!({ "line": 5, "character": 3 });
    let edit = client.ask("textDocument/rename", json!({ "textDocument": { "uri": MAP }, "position": at, "newName": "live" }));
    assert_eq!(edited(&map("prod"), &edit["changes"][MAP]), map("live"));
    client.goodbye();
}

#[test]
fn an_account_is_found_and_renamed_everywhere() {
    let (text, at) = marked(&sample("accounts: [prod]", "accounts: [pr‸od]"));
    let (mut client, _) = Client::with(&text);
    let definition = client.at("textDocument/definition", &at);
    assert_eq!(definition["range"]["start"], position(&text, text.find("prod: #").unwrap()));
    let place = json!({ "textDocument": { "uri": MAP }, "position": at, "context": { "includeDeclaration": true } });
    assert_eq!(client.ask("textDocument/references", place).as_array().unwrap().len(), 3);
    let prepared = client.at("textDocument/prepareRename", &at);
    assert_eq!((prepared["placeholder"].as_str(), slice(&text, &prepared["range"])), (Some("prod"), "prod"));
    let rename = |new: &str| json!({ "textDocument": { "uri": MAP }, "position": at, "newName": new });
    let edit = client.ask("textDocument/rename", rename("live"));
    let expected = SAMPLE
        .replace("prod: #", "live: #")
        .replace("[prod]", "[live]")
        .replace("management_account: prod", "management_account: live");
    assert_eq!(edited(&text, &edit["changes"][MAP]), expected);
    for (bad, why) in
        [("Live", "can't be an account key"), ("log-archive", "already"), ("stacksets", "folder of the output"), ("", "can't be")]
    {
        let (code, message) = client.refused("textDocument/rename", rename(bad));
        assert!(code == -32803 && message.contains(why), "{bad}: {code} {message}");
    }
    let elsewhere = json!({ "textDocument": { "uri": MAP }, "position": { "line": 1, "character": 0 }, "newName": "live" });
    assert!(client.refused("textDocument/rename", elsewhere).1.contains("only account keys"));
    assert_eq!(client.at("textDocument/prepareRename", &json!({ "line": 1, "character": 0 })), Value::Null);
    client.goodbye();
}

#[test]
fn renaming_keeps_quotes_and_refuses_what_an_alias_writes() {
    let quoted =
        sample("accounts: [prod]", "accounts: ['prod']").replace("deliver_to: { account: log", "deliver_to: { account: \"log");
    let quoted = quoted.replace("log-archive }", "log-archive\" }");
    let (mut client, _) = Client::with(&quoted);
    let at = position(&quoted, quoted.find("'prod'").unwrap() + 2);
    // words that some YAML reader takes for a truth value or a number
    for word in ["on", "nan"] {
        let edit = client.ask("textDocument/rename", json!({ "textDocument": { "uri": MAP }, "position": at, "newName": word }));
        let after = edited(&quoted, &edit["changes"][MAP]);
        let found = [format!("accounts: ['{word}']"), format!("\"{word}\": # Pr"), format!("management_account: \"{word}\"")];
        assert!(found.iter().all(|text| after.contains(text)), "{after}");
    }
    client.goodbye();

    let alias = sample("management_account: prod", "management_account: &a prod").replace("[prod]", "[*a]");
    let (mut client, _) = Client::with(&alias);
    let at = position(&alias, alias.find("prod: #").unwrap());
    let rename = json!({ "textDocument": { "uri": MAP }, "position": at, "newName": "live" });
    assert!(client.refused("textDocument/rename", rename).1.contains("alias in line 18"));
    client.goodbye();
}
