//! Maps in several files: what is open counts, the rest is read from the disk, and each file gets what is in it.

use super::client::{Client, position, slice};
use serde_json::{Value, json};
use std::{fs, path::Path};

const ROOT: &str = "version: 1\norganization: { name: acme }\ninclude: [accounts/*.yaml, trails.yaml]\n";
const PROD: &str = "# Prödüktion\nversion: 1\naccounts:\n  prod:\n    id: \"111122223333\"\n    regions:\n      us-east-1: { buckets: [acme-prod-web] }\n";
const ARCHIVE: &str = "version: 1\naccounts:\n  log-archive: { id: \"999988887777\" }\n";
const TRAILS: &str = "version: 1\ntrails:\n  audit: { accounts: [prod], deliver_to: { account: log-archive } }\n";

fn folder() -> tempfile::TempDir {
    let dir = tempfile::Builder::new().prefix("ä b").tempdir().unwrap();
    fs::create_dir(dir.path().join("accounts")).unwrap();
    for (name, text) in
        [("logmap.yaml", ROOT), ("accounts/prod.yaml", PROD), ("accounts/archive.yaml", ARCHIVE), ("trails.yaml", TRAILS)]
    {
        fs::write(dir.path().join(name), text).unwrap();
    }
    dir
}

fn uri(dir: &Path, name: &str) -> String {
    let path = dir.join(name).to_string_lossy().replace('\\', "/").replace(' ', "%20").replace('ä', "%C3%A4");
    format!("file://{}{path}", if path.starts_with('/') { "" } else { "/" })
}

/// The next diagnostics of a document that are as wanted.
fn published(client: &mut Client, uri: &str, wanted: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    loop {
        while let Some(at) = client.published.iter().position(|(of, _, _)| of == uri) {
            let (_, _, found) = client.published.remove(at);
            if wanted(&found) {
                return found;
            }
        }
        client.receive();
    }
}

fn change(client: &Client, uri: &str, text: &str) {
    let document = json!({ "uri": uri, "version": 2 });
    client.tell("textDocument/didChange", json!({ "textDocument": document, "contentChanges": [{ "text": text }] }));
}

fn at(client: &mut Client, method: &str, uri: &str, position: &Value) -> Value {
    client.ask(method, json!({ "textDocument": { "uri": uri }, "position": position }))
}

#[test]
fn an_included_file_is_seen_as_a_part_of_its_map() {
    let dir = folder();
    let (trails, prod) = (uri(dir.path(), "trails.yaml"), uri(dir.path(), "accounts/prod.yaml"));
    let mut client = Client::ready();
    // its accounts are in other files, which nobody has open
    client.open(&trails, TRAILS);
    assert_eq!(published(&mut client, &trails, |_| true), Vec::<Value>::new());
    let place = position(TRAILS, TRAILS.find("log-archive").unwrap() + 1);
    let definition = at(&mut client, "textDocument/definition", &trails, &place);
    assert_eq!(definition["uri"], uri(dir.path(), "accounts/archive.yaml").as_str());
    assert_eq!(slice(ARCHIVE, &definition["range"]), "log-archive");
    let hover = at(&mut client, "textDocument/hover", &trails, &position(TRAILS, TRAILS.find("audit").unwrap())).to_string();
    assert!(hover.contains("acme-logs-999988887777-us-east-1"), "{hover}");
    let symbols = client.ask("textDocument/documentSymbol", json!({ "textDocument": { "uri": trails } }));
    assert_eq!(symbols.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect::<Vec<_>>(), ["trails"]);
    // a place behind characters of more bytes than units, in the file that comes first
    client.open(&prod, PROD);
    let hover = at(&mut client, "textDocument/hover", &prod, &position(PROD, PROD.find("acme-prod-web").unwrap() + 2));
    assert!(hover.to_string().contains("acme-logs-111122223333-us-east-1"), "{hover}");
    assert_eq!(slice(PROD, &hover["range"]), "acme-prod-web");
    let whole = json!({ "start": { "line": 0, "character": 0 }, "end": { "line": 99, "character": 0 } });
    let hints = client.ask("textDocument/inlayHint", json!({ "textDocument": { "uri": prod }, "range": whole }));
    assert_eq!(hints.as_array().unwrap().len(), 1, "{hints}");
    let rename =
        json!({ "textDocument": { "uri": prod }, "position": position(PROD, PROD.find("prod:").unwrap()), "newName": "live" });
    let edit = client.ask("textDocument/rename", rename);
    let changes = edit["changes"].as_object().unwrap();
    assert_eq!(changes.keys().collect::<std::collections::BTreeSet<_>>(), [&prod, &trails].into());
    assert_eq!(slice(TRAILS, &changes[&trails][0]["range"]), "prod");
    client.goodbye();
}

#[test]
fn a_change_of_one_file_is_seen_in_the_others() {
    let dir = folder();
    let (root, trails, prod) =
        (uri(dir.path(), "logmap.yaml"), uri(dir.path(), "trails.yaml"), uri(dir.path(), "accounts/prod.yaml"));
    let mut client = Client::ready();
    client.open(&root, ROOT);
    assert_eq!(published(&mut client, &root, |_| true), Vec::<Value>::new());
    client.open(&trails, TRAILS);
    client.open(&prod, PROD);
    published(&mut client, &prod, <[Value]>::is_empty);
    // not saved, and seen
    change(&client, &prod, &PROD.replace("prod:", "production:"));
    let found = published(&mut client, &trails, |found| !found.is_empty());
    assert!(found[0]["message"].as_str().unwrap().contains("`prod`"), "{found:#?}");
    assert_eq!(slice(TRAILS, &found[0]["range"]), "prod");
    change(&client, &prod, PROD);
    published(&mut client, &trails, <[Value]>::is_empty);
    // twice: what is said of one names the other
    change(&client, &trails, &format!("{TRAILS}accounts: {{ prod: {{ id: \"111122223334\" }} }}\n"));
    let found = published(&mut client, &trails, |found| !found.is_empty());
    let other = &found[0]["relatedInformation"][0]["location"];
    assert!(found[0]["message"].as_str().unwrap().contains("stands in two files") && other["uri"] == prod.as_str(), "{found:#?}");
    assert_eq!(slice(PROD, &other["range"]), "prod");
    change(&client, &trails, TRAILS);
    published(&mut client, &trails, <[Value]>::is_empty);
    // a file that can't be read takes nothing from what the others are known to have
    change(&client, &prod, "version: [\n");
    published(&mut client, &prod, |found| found.iter().any(|one| one["code"] == "LM0001"));
    let symbols = client.ask("textDocument/documentSymbol", json!({ "textDocument": { "uri": trails } }));
    assert_eq!(symbols.as_array().unwrap().len(), 1);
    let symbols = client.ask("textDocument/documentSymbol", json!({ "textDocument": { "uri": prod } }));
    assert_eq!(symbols.as_array().unwrap().len(), 1, "as it was when it could be read");
    change(&client, &prod, PROD);
    // a file that comes is there once something is saved
    fs::write(dir.path().join("accounts/dev.yaml"), PROD.replace("prod", "dev").replace("111122223333", "222233334444")).unwrap();
    client.tell("textDocument/didSave", json!({ "textDocument": { "uri": root } }));
    change(&client, &trails, &TRAILS.replace("[prod]", "[prod, dev]"));
    let longer = TRAILS.replace("[prod]", "[prod, dev]");
    let definition = at(&mut client, "textDocument/definition", &trails, &position(&longer, longer.find("dev").unwrap()));
    assert_eq!(definition["uri"], uri(dir.path(), "accounts/dev.yaml").as_str());
    client.goodbye();
}

#[test]
fn fixes_are_made_where_they_belong() {
    let dir = folder();
    let prod = uri(dir.path(), "accounts/prod.yaml");
    let text = PROD.replace("\"111122223333\"", "111122223333");
    let mut client = Client::ready();
    client.open(&prod, &text);
    let found = published(&mut client, &prod, |found| !found.is_empty());
    assert_eq!(slice(&text, &found[0]["range"]), "111122223333", "{found:#?}");
    let whole = json!({ "start": { "line": 0, "character": 0 }, "end": { "line": 99, "character": 0 } });
    for only in ["quickfix", "source.fixAll"] {
        let asked = json!({ "textDocument": { "uri": prod }, "range": whole, "context": { "diagnostics": [], "only": [only] } });
        let actions = client.ask("textDocument/codeAction", asked);
        let edits = &actions[0]["edit"]["changes"][&prod];
        assert!(edits[0]["newText"].as_str().unwrap().contains('"'), "{actions:#}");
        let line = edits[0]["range"]["start"]["line"].as_u64().unwrap();
        assert_eq!(line, 4, "{actions:#}");
    }
    client.goodbye();
}

#[test]
fn the_settings_of_a_map_hold_in_an_editor() {
    const REGIONS: &str = "version: 1\norganization: { name: acme }\naccounts:\n  prod:\n    id: \"111122223333\"\n    regions:\n      eu-south-1: { buckets: [acme-a] }\n      us-east-7: { buckets: [acme-b] }\n";
    let codes = |found: &[Value]| -> Vec<(String, u64)> {
        found.iter().map(|one| (one["code"].as_str().unwrap().to_owned(), one["severity"].as_u64().unwrap())).collect()
    };
    // outside of a repository, and in a folder of one
    for (root, below) in [(None, ""), (Some(".git"), "infra")] {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join(below);
        fs::create_dir_all(&folder).unwrap();
        root.iter().for_each(|root| fs::create_dir(dir.path().join(root)).unwrap());
        let set = format!("{REGIONS}settings:\n  baseline: known.json\n");
        fs::write(folder.join("logmap.yaml"), &set).unwrap();
        let map = uri(&folder, "logmap.yaml");
        let mut client = Client::ready();
        client.open(&map, REGIONS);
        let found = published(&mut client, &map, |found| !found.is_empty());
        assert_eq!(codes(&found), [("LM0106".to_owned(), 3), ("LM0105".to_owned(), 2)]);
        let rules = "settings:\n  rules:\n    LM0105: { severity: error, reason: x }\n    region-opt-in: { severity: ignore, reason: x }\n";
        let text = format!("{REGIONS}{rules}");
        change(&client, &map, &text);
        let found = published(&mut client, &map, |found| found.len() == 1);
        assert_eq!(codes(&found), [("LM0105".to_owned(), 1)]);
        let about = |client: &mut Client, word: &str| {
            at(client, "textDocument/hover", &map, &position(&text, text.find(word).unwrap() + 1)).to_string()
        };
        assert!(about(&mut client, "region-opt-in").contains("**LM0106 region-opt-in**, by itself info"));
        assert!(about(&mut client, "reason").contains("Why, for whoever reviews the map."));

        // a baseline that is not there yet, and then is
        change(&client, &map, &set);
        client.tell("textDocument/didSave", json!({ "textDocument": { "uri": map } }));
        let found = published(&mut client, &map, |found| found.iter().any(|one| one["code"] == "LM0017"));
        assert!(found[2]["message"].as_str().unwrap().starts_with("the baseline `known.json` can't be read"), "{found:#?}");
        let mut validate = std::process::Command::new(env!("CARGO_BIN_EXE_logmap"));
        let run = validate.current_dir(&folder).args(["validate", "--write-baseline", "known.json"]).output().unwrap();
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        client.tell("textDocument/didSave", json!({ "textDocument": { "uri": map } }));
        published(&mut client, &map, <[Value]>::is_empty);
        change(&client, &map, &set.replace("us-east-7", "us-east-8"));
        let found = published(&mut client, &map, |found| !found.is_empty());
        assert_eq!(codes(&found), [("LM0105".to_owned(), 2)]);
        // what another tool calls settings makes no map of its file
        let other = uri(&folder, "other.yaml");
        let text = "settings: { baseline: known.json }\naccounts: 1\n";
        fs::write(folder.join("other.yaml"), text).unwrap();
        client.open(&other, text);
        client.ask("textDocument/documentSymbol", json!({ "textDocument": { "uri": map } }));
        assert!(client.published.iter().all(|(of, _, _)| *of != other), "{:?}", client.published);
        client.goodbye();
    }
}

/// A snapshot in which the source of PROD was asked for its logging.
fn snapshot(day: &str, logging: &str) -> String {
    format!(
        r#"{{"logmap_snapshot":"1.0",
"taken_at":"2026-11-{day}T02:00:00Z","scope":{{"accounts":["111122223333"],"buckets":"all"}},"accounts":[
{{"Id":"111122223333","partition":"aws","taken_at":"2026-11-{day}T02:00:00Z","buckets_complete":true,"regions":[],"buckets":[
{{"Name":"acme-prod-web","BucketRegion":"us-east-1","logging":{logging}}}]}}]}}
"#
    )
}

#[test]
fn hovering_over_a_source_says_what_the_newest_snapshot_beside_the_map_has_of_it() {
    let dir = folder();
    let prod = uri(dir.path(), "accounts/prod.yaml");
    let mut client = Client::ready();
    client.open(&prod, PROD);
    published(&mut client, &prod, |_| true);
    let place = position(PROD, PROD.find("acme-prod-web").unwrap() + 2);
    let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
    let mut said = || at(&mut client, "textDocument/hover", &prod, &place)["contents"]["value"].as_str().unwrap().to_owned();
    // none, and what is none
    write("package.json", "{\"name\": \"x\"}");
    write("broken.json", "{\"logmap_snapshot\":\"1.0\",\n\"taken_at\":\"2026-11-01T02:00:00Z\",");
    assert!(!said().contains("Snapshot"), "{}", said());
    fs::remove_file(dir.path().join("broken.json")).unwrap();
    write("today.json", &snapshot("28", "null"));
    let off = said();
    assert!(off.contains("Snapshot `today.json` of 2026-11-28T02:00:00Z, ") && off.contains("it logs nowhere"), "{off}");
    assert!(off.contains("LM2111") && off.matches("Snapshot").count() == 1, "{off}");
    // an older one beside it changes nothing, and a newer one counts
    write("before.json", &snapshot("27", r#"{"LoggingEnabled":{"TargetBucket":"x","TargetPrefix":""}}"#));
    assert_eq!(said(), off);
    let right = r#"{"LoggingEnabled":{"TargetBucket":"acme-logs-111122223333-us-east-1","TargetPrefix":"s3-access/","TargetObjectKeyFormat":{"PartitionedPrefix":{"PartitionDateSource":"EventTime"}}}}"#;
    write("after.json", &snapshot("29", right));
    let on = said();
    assert!(
        on.contains("`after.json`") && on.contains("it logs to `acme-logs-111122223333-us-east-1` under `s3-access/`"),
        "{on}"
    );
    assert!(!on.contains("LM2111"), "{on}");
    // what could not be read is said to be so, in a text that does nothing
    write("after.json", &snapshot("30", r#"{"error":"`<b>`","call":"s3:GetBucketLogging","message":""}"#));
    let unread = said();
    assert!(unread.contains("its logging could not be read") && !unread.contains("LM2111"), "{unread}");
}
