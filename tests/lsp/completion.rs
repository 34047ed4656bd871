//! Completion, most of it in texts that are not whole. `‸` is the cursor.

use crate::{
    SAMPLE,
    client::{Client, edited, marked},
};
use serde_json::{Value, json};

/// What is offered.
fn offers(text: &str) -> (String, Vec<Value>) {
    let (text, at) = marked(text);
    let (mut client, _) = Client::with(&text);
    let list = client.at("textDocument/completion", &at);
    client.goodbye();
    (text, list.as_array().unwrap().clone())
}

fn labels(text: &str) -> Vec<String> {
    offers(text).1.iter().map(|item| item["label"].as_str().unwrap().to_owned()).collect()
}

/// The text after the offer with this label was taken.
fn taken(text: &str, label: &str) -> String {
    let (text, list) = offers(text);
    let item = list.iter().find(|item| item["label"] == label).unwrap_or_else(|| panic!("no `{label}` in {list:#?}"));
    edited(&text, &json!([item["textEdit"]]))
}

#[test]
fn keys_of_the_place_that_are_not_there_yet_with_documentation() {
    let (_, list) = offers("version: 1\n‸\n");
    let names: Vec<&str> = list.iter().map(|item| item["label"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "organization",
            "defaults",
            "accounts",
            "trails",
            "include",
            "monitoring",
            "guardrails",
            "athena",
            "central",
            "tags",
            "publish",
            "render",
            "settings",
            "coverage"
        ]
    );
    assert!(list[2]["documentation"]["value"].as_str().unwrap().starts_with("The AWS accounts"));
    assert_eq!(labels("accounts:\n  prod:\n    id: \"1\"\n    ‸\n"), ["state", "role", "profile", "log_bucket", "regions"]);
    assert_eq!(taken("accounts:\n  prod:\n    re‸\n", "regions"), "accounts:\n  prod:\n    regions:\n");
    assert_eq!(taken("accounts:\n  prod:\n    i‸\n", "id"), "accounts:\n  prod:\n    id: \n");
    assert_eq!(taken("trails:\n  audit: { ho‸ }\n", "home_region"), "trails:\n  audit: { home_region:  }\n");
    // a key that the editor has indented too far
    let (text, list) = offers("trails:\n  audit:\n    accounts: [prod]\n      ho‸\n");
    let item = list.iter().find(|item| item["label"] == "home_region").unwrap();
    let edits = json!([item["textEdit"], item["additionalTextEdits"][0]]);
    assert_eq!(edited(&text, &edits), "trails:\n  audit:\n    accounts: [prod]\n    home_region: \n");
    // a key that has its colon
    assert_eq!(
        taken("defaults:\n  log_bucket:\n    ver‸: true\n", "versioning"),
        "defaults:\n  log_bucket:\n    versioning: true\n"
    );
    assert_eq!(
        labels("accounts:\n  prod:\n    regions:\n      us-east-1:\n        buckets:\n          - ‸\n"),
        ["name", "prefix", "exact_prefix", "key_format", "logging"]
    );
    assert_eq!(
        labels("accounts:\n  prod:\n    regions:\n      us-east-1:\n        buckets:\n          - name: x\n            ‸\n"),
        ["prefix", "exact_prefix", "key_format", "logging"]
    );
}

#[test]
fn values_are_words_accounts_and_regions() {
    assert_eq!(labels("trails:\n  audit:\n    scope: ‸\n"), ["account", "organization"]);
    assert_eq!(taken("trails:\n  audit:\n    scope:‸\n", "organization"), "trails:\n  audit:\n    scope: organization\n");
    assert_eq!(
        taken("trails:\n  audit:\n    coverage: per‸-region # x\n", "multi-region"),
        "trails:\n  audit:\n    coverage: multi-region # x\n"
    );
    assert_eq!(labels("defaults: { log_bucket: { versioning: ‸ } }\n"), ["true", "false"]);
    assert_eq!(labels("defaults: { log_bucket: { senders: [{ service: c‸ }] } }\n")[0], "config");
    assert!(
        labels("defaults:\n  log_bucket:\n    retention:\n      transition: { after_days: 1, storage_class: G‸ }\n")
            .contains(&"GLACIER_IR".to_owned())
    );
    for text in [
        SAMPLE.replace("accounts: [prod]", "accounts: [prod, ‸]"),
        SAMPLE.replace("accounts: [prod]", "accounts:\n      - pro‸"),
        SAMPLE.replace("account: log-archive", "account: ‸"),
        SAMPLE.replace("management_account: prod", "management_account: p‸"),
        format!("{SAMPLE}defaults:\n  log_bucket:\n    senders: [{{ service: elb, accounts: [‸] }}]\n"),
    ] {
        assert_eq!(labels(&text), ["prod", "log-archive"], "{text}");
    }
    let (_, list) = offers(&SAMPLE.replace("accounts: [prod]", "home_region: us-‸"));
    let ohio = list.iter().find(|item| item["label"] == "us-east-2").unwrap();
    assert_eq!(ohio["detail"], "Ohio");
}

#[test]
fn regions_are_offered_as_keys_but_those_that_are_there() {
    let text = SAMPLE.replace("      eu-west-1:", "      ‸\n      eu-west-1:");
    let list = labels(&text);
    assert!(list.contains(&"eu-central-1".to_owned()) && !list.contains(&"us-east-1".to_owned()), "{list:?}");
    assert!(taken(&text.replace("‸", "eu-c‸"), "eu-central-1").contains("\n      eu-central-1:\n      eu-west-1:"));
}

#[test]
fn types_of_backends_and_placeholders_of_their_settings_are_offered() {
    let terraform = "render:\n  terraform:\n";
    assert_eq!(labels(&format!("{terraform}    ‸\n")), ["aws_provider", "aliased_providers", "layout", "backend", "cloud"]);
    assert_eq!(labels(&format!("{terraform}    layout: ‸\n")), ["root", "module"]);
    let types = labels(&format!("{terraform}    backend:\n      ‸\n"));
    assert!(types.contains(&"s3".to_owned()) && types.contains(&"gcs".to_owned()), "{types:?}");
    let offered = ["{org}", "{account}", "{account_id}", "{partition}"];
    for place in [
        "backend:\n      gcs:\n        prefix: \"{‸\"",
        "cloud:\n      workspaces: { name: \"{‸\" }",
        "backend:\n      s3:\n        settings: { key: \"{‸\" }",
    ] {
        assert_eq!(labels(&format!("{terraform}    {place}\n")), offered, "{place}");
    }
    // these take none
    assert!(labels(&format!("{terraform}    backend:\n      s3:\n        bucket: \"{{‸\"\n")).is_empty());
}

#[test]
fn placeholders_are_offered_in_names_and_statements() {
    let name = |text: &str| format!("defaults:\n  log_bucket:\n    name: {text}\n");
    let all = ["{org}", "{account}", "{account_id}", "{region}", "{partition}"];
    assert_eq!(labels(&name("\"{‸\"")), all);
    assert_eq!(taken(&name("\"{org}-logs-{acc‸\""), "{account_id}"), name("\"{org}-logs-{account_id}\""));
    assert_eq!(taken(&name("\"{org}-{re‸}-x\""), "{region}"), name("\"{org}-{region}-x\""));
    assert_eq!(taken(&name("\"{org}-{‸"), "{region}"), name("\"{org}-{region}"), "in quotes that are still open");
    assert_eq!(labels("defaults:\n  log_bucket:\n    extra_statements:\n      - { Resource: \"{‸\" }\n")[0], "{log_bucket_arn}");
    assert_eq!(labels("accounts:\n  prod:\n    role: \"{‸\"\n"), Vec::<String>::new());
}

#[test]
fn a_text_that_is_broken_elsewhere_or_here_is_no_obstacle() {
    let broken_below = SAMPLE.replace("    accounts: [prod]", "    scope: ‸\n    accounts: [prod").replace(" }\n", "\n");
    assert_eq!(labels(&broken_below), ["account", "organization"]);
    let broken_above = SAMPLE.replace("version: 1", "version: [1").replace("    accounts: [prod]", "    ‸");
    assert!(labels(&broken_above).contains(&"home_region".to_owned()));
    // in the line itself: a list that is not closed, a quote that is not closed
    assert!(labels("accounts:\n  prod:\n    ‸ \"x\n").contains(&"id".to_owned()));
    assert_eq!(labels("trails:\n  audit:\n    accounts: [‸\n"), Vec::<String>::new(), "no account is known");
    // the accounts of the last text that could be read
    let (mut client, _) = Client::with(SAMPLE);
    let (text, at) = marked("version: [\ntrails:\n  audit:\n    accounts: [‸\n");
    client.change(&[(Value::Null, &text)]);
    let list = client.at("textDocument/completion", &at);
    let names: Vec<&str> = list.as_array().unwrap().iter().map(|item| item["label"].as_str().unwrap()).collect();
    assert_eq!(names, ["prod", "log-archive"]);
    client.goodbye();
    assert_eq!(labels("‸").len(), 15);
    assert_eq!(labels("version: 1 # ‸\n"), Vec::<String>::new(), "in a comment");
}

#[test]
fn rules_that_a_map_can_set() {
    let text = |line: &str| {
        format!("version: 1\nsettings:\n  rules:\n    region-unknown: {{ severity: ignore, reason: x }}\n    {line}\n")
    };
    let (_, list) = offers(&text("LM‸"));
    let labels: Vec<&str> = list.iter().map(|item| item["label"].as_str().unwrap()).collect();
    assert!(labels.contains(&"LM0106") && labels.contains(&"LM1406"), "{labels:?}");
    // what is set already, what keeps a map from being used, and what is about files that were generated
    assert!(!["LM0105", "LM0001", "LM0305", "LM1702", "LM1604"].iter().any(|id| labels.contains(id)), "{labels:?}");
    let item = list.iter().find(|item| item["label"] == "LM0106").unwrap();
    assert_eq!(item["detail"], "region-opt-in, info");
    assert!(taken(&text("LM‸"), "LM0106").ends_with("    LM0106:\n"));
    assert_eq!(self::labels("settings:\n  rules:\n    LM0106: { severity: ‸ }\n"), ["error", "warning", "info", "ignore"]);
    assert_eq!(
        self::labels("settings:\n  targets: [‸]\n"),
        ["policies", "terraform", "cloudformation", "aws-cli", "athena", "guardrails"]
    );
}
