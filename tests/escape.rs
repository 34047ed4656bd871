//! What the escape functions write means the string it was made from, says each language's own reader.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail loudly")]

use logmap::testing::escape;
use proptest::{prelude::*, strategy::ValueTree};
use serde_json::{Map, Value, json};
use std::process::Command;

/// Pieces that mean something in one of the languages, and whatever else there is.
fn text() -> impl Strategy<Value = String> {
    let pieces = vec![
        "${",
        "%{",
        "$${",
        "%%{",
        "$",
        "%",
        "{",
        "}",
        "{{",
        "}}",
        "\"",
        "'",
        "\\",
        "`",
        "$(",
        ")",
        "\n",
        "\r",
        "\t",
        "#",
        ": ",
        "- ",
        "!Sub ",
        "&",
        "*",
        "|",
        ">",
        "no",
        "on",
        "1_000",
        "12:30:45",
        " ",
        "<<EOF",
        "//",
        "/*",
        "*/",
        "\u{feff}",
        "</script>",
        "<!--",
        "&amp;",
        "\u{2028}",
        "\u{85}",
        "\u{202e}",
        "😀",
        "\u{0}",
        "\u{7f}",
        "e\u{301}",
    ];
    proptest::collection::vec(
        prop_oneof![3 => proptest::sample::select(pieces).prop_map(str::to_owned), 1 => any::<String>()],
        0..6,
    )
    .prop_map(|parts| parts.concat())
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![4 => text().prop_map(Value::from), 1 => any::<bool>().prop_map(Value::from), 1 => any::<u32>().prop_map(Value::from)];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((text(), inner), 0..4)
                .prop_map(|entries| Value::Object(entries.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    /// hcl-rs does not refuse raw line ends, which Terraform does; so that is asked for apart.
    #[test]
    fn hcl_means_the_string(text in text()) {
        let token = escape::hcl(&json!(text), 0);
        prop_assert!(!token.contains(['\n', '\r']), "{token}");
        let body: hcl::Body = hcl::parse(&format!("a = {token}\n")).map_err(|error| TestCaseError::fail(format!("{token}: {error}")))?;
        let found = body.attributes().next().unwrap().expr();
        let found: hcl::Value = hcl::eval::Evaluate::evaluate(found, &hcl::eval::Context::new()).map_err(|error| TestCaseError::fail(format!("{token}: {error}")))?;
        prop_assert_eq!(found.as_str(), Some(text.as_str()));
    }

    #[test]
    fn yaml_means_the_value(value in value()) {
        let flow: Value = serde_yaml::from_str(&format!("a: {}\nb: 1\n", escape::yaml(&value))).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(&flow, &json!({"a": value, "b": 1}));
        let block: Value = serde_yaml::from_str(&format!("a:{}\nb: 1\n", escape::yaml_block(&value, 2))).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(&block, &json!({"a": value, "b": 1}));
    }

    /// Data of a page: the same to a reader of JSON, and nothing in it ends the element or the line that it stands in.
    #[test]
    fn data_of_a_page_means_the_value_and_stays_in_its_element(value in value()) {
        let data = escape::script(&value);
        prop_assert!(!data.contains(['<', '>', '&', '\u{2028}', '\u{2029}', '\n']), "{data}");
        prop_assert_eq!(serde_json::from_str::<Value>(&data).unwrap(), value);
    }

    /// DOT: a string ends at a quote with no backslash before it, and a label knows backslashes and entities. What does not show is
    /// a space.
    #[test]
    fn dot_strings_end_where_they_should_and_mean_the_text(text in text()) {
        let token = escape::dot(std::slice::from_ref(&text));
        let mut chars = token.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap().chars();
        let mut label = String::new();
        while let Some(c) = chars.next() {
            prop_assert!(c != '"', "{token}");
            label.push(if c == '\\' { chars.next().unwrap() } else { c });
        }
        prop_assert_eq!(label.replace("&amp;", "&"), escape::comment(&text));
    }

    /// Mermaid: nothing but plain letters, and references by number.
    #[test]
    fn mermaid_texts_have_no_markup_and_mean_the_text(text in text()) {
        let token = escape::mermaid(std::slice::from_ref(&text));
        let inner = token.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap();
        let mut back = String::new();
        let mut rest = inner;
        while let Some((before, after)) = rest.split_once('#') {
            let (code, behind) = after.split_once(';').unwrap();
            back += before;
            back.push(char::from_u32(code.parse().unwrap()).unwrap());
            rest = behind;
        }
        back += rest;
        prop_assert_eq!(back, escape::comment(&text));
        prop_assert!(!inner.contains(['"', '<', '>', '`', '[', ']', '{', '}', '&', '%', '|', '\\', '*', '+', '\n']), "{token}");
    }

    /// The quote ends a literal unless it is doubled (queries) or comes after a backslash (DDL), which there stands for itself when doubled.
    #[test]
    fn sql_literals_end_where_they_should(text in text()) {
        let (query, ddl) = (escape::sql(&text), escape::hive(&text));
        let body = query.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')).unwrap();
        prop_assert!(!body.replace("''", "").contains('\''), "{query}");
        prop_assert_eq!(body.replace("''", "'"), text.as_str());
        let mut chars = ddl.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')).unwrap().chars();
        let mut read = String::new();
        while let Some(c) = chars.next() {
            prop_assert!(c != '\'', "{ddl}");
            read.push(if c == '\\' { chars.next().unwrap() } else { c });
        }
        prop_assert_eq!(read, text);
    }

    /// One line stays one line, and nothing invisible or turning round is left.
    #[test]
    fn comments_stay_comments(text in text()) {
        for out in [escape::comment(&text), escape::markdown(&text)] {
            let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
            prop_assert!(!out.contains(breaks), "{out:?}");
        }
        prop_assert_eq!(escape::comment(&text).chars().count(), text.chars().count());
        // no mark of Markdown or HTML stands without a backslash
        let shown = escape::markdown(&text);
        let mut chars = shown.chars();
        while let Some(c) = chars.next() {
            if c == '\\' {
                prop_assert!(chars.next().is_some_and(|c| c.is_ascii_punctuation()), "{shown:?}");
            } else {
                prop_assert!(!"`*_[]()<>#!|~".contains(c), "{shown:?}");
            }
        }
        // a code span ends with the backticks it began with, and none as long stand between
        let code = escape::markdown_code(&text);
        prop_assert!(!code.contains(char::is_control) && !code.is_empty());
        let ticks = code.chars().take_while(|c| *c == '`').count();
        let inner = code.trim_matches('`');
        prop_assert!(code == "(empty)" || (ticks > 0 && code.ends_with(&"`".repeat(ticks)) && inner.split(|c| c != '`').all(|run| run.len() < ticks)), "{code:?}");
    }
}

/// Many at a time: bash starts slowly.
#[test]
fn sh_means_the_string() {
    let folder = tempfile::tempdir().unwrap();
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let texts = proptest::collection::vec(text(), 200);
    for _ in 0..10 {
        let mut wanted = texts.new_tree(&mut runner).unwrap().current();
        wanted.extend(["$(touch marker)", "`touch marker`", "'; touch marker; '", "\\", "'", "-n", ""].map(str::to_owned));
        wanted.iter_mut().for_each(|text| text.retain(|c| c != '\0')); // no word of bash holds it
        let words: Vec<String> = wanted.iter().map(|text| escape::sh(text)).collect();
        let script = format!("printf '%s\\0' {}\n", words.join(" "));
        let path = folder.path().join("script.sh");
        std::fs::write(&path, script).unwrap();
        let done = Command::new("bash").arg(&path).current_dir(folder.path()).output().unwrap();
        assert!(done.status.success() && done.stderr.is_empty(), "{}", String::from_utf8_lossy(&done.stderr));
        let found: Vec<String> = String::from_utf8(done.stdout).unwrap().split_terminator('\0').map(str::to_owned).collect();
        assert_eq!(found, wanted);
    }
    assert!(!folder.path().join("marker").exists(), "a command was run");
}

/// The templates of every good map, read as YAML 1.2: policies, tags and prefixes are those of the map and of `policies/`.
#[test]
fn templates_mean_the_same_to_another_reader() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut seen = 0;
    for entry in std::fs::read_dir(root.join("tests/maps")).unwrap() {
        let map = entry.unwrap().path();
        let folder = tempfile::tempdir().unwrap();
        let done = Command::new(env!("CARGO_BIN_EXE_logmap"))
            .args(["generate", "-q", "--out"])
            .arg(folder.path())
            .arg(&map)
            .output()
            .unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let reviewed = |bucket: &str| -> Value {
            serde_json::from_str(&std::fs::read_to_string(folder.path().join(format!("policies/{bucket}.json"))).unwrap())
                .unwrap()
        };
        for account in std::fs::read_dir(folder.path().join("cloudformation")).unwrap() {
            for file in std::fs::read_dir(account.unwrap().path()).unwrap() {
                let file = file.unwrap().path();
                if file.extension().is_none_or(|extension| extension != "yaml") {
                    continue;
                }
                let template: Value = serde_yaml::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
                for resource in template["Resources"].as_object().unwrap().values() {
                    if resource["Type"] == "AWS::S3::BucketPolicy" {
                        let bucket =
                            &template["Resources"][resource["Properties"]["Bucket"]["Ref"].as_str().unwrap()]["Properties"];
                        let document = &resource["Properties"]["PolicyDocument"];
                        // what is asked for is no log bucket
                        if file.to_string_lossy().ends_with("-athena-central.yaml") {
                            let effects: Vec<&Value> =
                                document["Statement"].as_array().unwrap().iter().map(|one| &one["Effect"]).collect();
                            assert_eq!(effects, ["Deny"], "{file:?}");
                            continue;
                        }
                        assert_eq!(*document, reviewed(bucket["BucketName"].as_str().unwrap()), "{file:?}");
                        seen += 1;
                    }
                }
                if map.ends_with("hostile.yaml") {
                    the_map_s_own(&serde_yaml::from_str(&std::fs::read_to_string(&map).unwrap()).unwrap(), &template);
                }
            }
        }
    }
    assert!(seen > 10);
}

fn the_map_s_own(map: &Value, template: &Value) {
    let resources = template["Resources"].as_object().unwrap();
    let of = |kind: &str| {
        resources.values().filter(|resource| resource["Type"] == kind).map(|resource| &resource["Properties"]).collect::<Vec<_>>()
    };
    for bucket in of("AWS::S3::Bucket") {
        let tags: Map<String, Value> = bucket["Tags"]
            .as_array()
            .unwrap()
            .iter()
            .map(|tag| (tag["Key"].as_str().unwrap().to_owned(), tag["Value"].clone()))
            .collect();
        assert_eq!(Value::from(tags), map["defaults"]["log_bucket"]["tags"]);
    }
    let prefixes: Vec<&Value> = of("Custom::AccessLogging").into_iter().map(|source| &source["Prefix"]).collect();
    assert_eq!(
        prefixes,
        [&map["defaults"]["log_bucket"]["prefix"], &map["accounts"]["on"]["regions"]["us-east-1"]["buckets"][1]["prefix"]]
    );
    let trails: Vec<&Value> = of("AWS::CloudTrail::Trail").into_iter().map(|trail| &trail["S3KeyPrefix"]).collect();
    // in the order of their names
    assert_eq!(trails, ["file-trail", "null-trail", "text-trail"].map(|name| &map["trails"][name]["prefix"]));
}
