//! Names that are not what they seem, in a map that is edited: whatever the server says of them is text, and its Markdown makes no link,
//! no image and no page of it.

use crate::{
    SAMPLE,
    client::{Client, MAP, position},
    markdown::outside_of_code,
};
use serde_json::{Value, json};

/// As a YAML string in double quotes.
const HOSTILE: &str = "\"x`y ``z [a](https://evil.example) ![b](https://evil.example) <img src=https://evil.example> <!-- \\n# T\\n::error::FORGED\\r\\e[2J\\u202e https://evil.example\"";

#[test]
fn hovers_are_text_whatever_a_name_is() {
    let names = [
        "acme-prod-web",
        "acme-prod-data",
        "acme-prod-eu",
        "data/",
        "us-east-1",
        "\n  prod",
        "audit",
        "\"444455556666\"",
        "acme,",
        "o-a1b2c3d4e5",
    ];
    let mut hovered = 0;
    for name in names {
        let with = match name {
            "\n  prod" => format!("\n  {HOSTILE}"),
            "acme," => format!("{HOSTILE},"),
            _ => HOSTILE.to_owned(),
        };
        let text = SAMPLE.replace(name, &with);
        let (mut client, found) = Client::with(&text);
        for message in found {
            let message = message["message"].as_str().unwrap();
            assert!(!message.contains(['\u{1b}', '\r', '\u{202e}']), "{name}: {message:?}");
        }
        for (line, content) in text.lines().enumerate() {
            for character in (0..content.encode_utf16().count()).step_by(3) {
                let at = json!({ "line": line, "character": character });
                let hover = client.at("textDocument/hover", &at);
                let Some(said) = hover["contents"]["value"].as_str() else { continue };
                hovered += 1;
                assert!(!said.contains(['\u{1b}', '\r', '\u{202e}']), "{name}: {said:?}");
                let outside = outside_of_code(said);
                for bad in ["evil.example", "<img", "<!--", "FORGED", "# T"] {
                    assert!(!outside.contains(bad), "{name}: {bad} in {said}");
                }
            }
        }
        let all = json!({ "start": { "line": 0, "character": 0 }, "end": { "line": 99, "character": 0 } });
        for (method, params) in [
            ("codeAction", json!({ "textDocument": { "uri": MAP }, "range": all, "context": { "diagnostics": [] } })),
            ("documentSymbol", json!({ "textDocument": { "uri": MAP } })),
            ("inlayHint", json!({ "textDocument": { "uri": MAP }, "range": all })),
        ] {
            let answer = client.ask(&format!("textDocument/{method}"), params);
            let mut titles = Vec::new();
            labels(&answer, &mut titles);
            for title in titles {
                assert!(!title.contains(['\u{1b}', '\r', '\n', '\u{202e}']), "{name}, {method}: {title:?}");
            }
        }
        client.goodbye();
    }
    assert!(hovered > 100, "{hovered}");
}

/// The texts that an editor shows in a line.
fn labels(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (key, field) in fields {
                match field.as_str() {
                    Some(text) if matches!(key.as_str(), "title" | "name" | "detail" | "label") => found.push(text.to_owned()),
                    _ => labels(field, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| labels(item, found)),
        _ => {}
    }
}

#[test]
fn a_name_of_an_account_is_offered_and_renamed_as_text() {
    let text = SAMPLE.replace("\n  prod:", &format!("\n  {HOSTILE}:")).replace("accounts: [prod]", "accounts: []");
    let (mut client, _) = Client::with(&text);
    let at = position(&text, text.find("accounts: []").unwrap() + "accounts: [".len());
    let offers = client.at("textDocument/completion", &at);
    let mut shown = Vec::new();
    labels(&offers, &mut shown);
    for label in shown {
        assert!(!label.contains(['\u{1b}', '\r', '\n', '\u{202e}']), "{label:?}");
    }
    client.goodbye();
}
