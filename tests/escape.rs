//! What the escape functions write means the string it was made from, says each language's own reader.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail loudly")]

use logmap::render::escape;
use proptest::{prelude::*, strategy::ValueTree};
use serde_json::{Map, Value, json};
use std::process::Command;

/// Pieces that mean something in one of the languages, and whatever else there is.
fn text() -> impl Strategy<Value = String> {
    let pieces = vec![
        "${", "%{", "$${", "%%{", "$", "%", "{", "}", "{{", "}}", "\"", "'", "\\", "`", "$(", ")", "\n", "\r", "\t", "#", ": ",
        "- ", "!Sub ", "&", "*", "|", ">", "no", "on", "1_000", "12:30:45", " ", "<<EOF", "//", "/*", "*/", "\u{feff}",
        "\u{2028}", "\u{85}", "\u{202e}", "😀", "\u{0}", "\u{7f}", "e\u{301}",
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
