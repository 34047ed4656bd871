//! Maps with known mistakes: the errors and warnings found are exactly those that the maps' own comments name.
//!
//! Each file of `tests/findings/` says in comments what is to be found. `#~ LM0203 acme-web` after the text of a line, or
//! alone on a line below it, expects a finding of that rule which starts on that line and underlines exactly `acme-web`.
//! Comments alone on their lines belong to the nearest line above that is no such comment. In the underlined text `⏎` and
//! `⇥` stand for a line break and a tab; with no text nothing is underlined. Infos are expected only where a comment names one of that rule.
//!
//! To YAML all of this is a comment. Every file is read as it stands, with CRLF line ends, with a byte order mark, and both.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail loudly")]

use logmap::testing::{analysis::analyze, diagnostics::Severity, rules, source::SourceFile};
use std::{collections::BTreeSet, fs, path::Path};

/// Line from 1, rule id, underlined text.
type Expected = (usize, String, String);

fn expectations(text: &str) -> Vec<Expected> {
    let mut expected = Vec::new();
    let mut owner = 1;
    for (at, line) in text.lines().enumerate() {
        let (before, rest) = match line.find("#~ ") {
            Some(mark) => (&line[..mark], Some(&line[mark + "#~ ".len()..])),
            None => (line, None),
        };
        if rest.is_none() || !before.trim().is_empty() {
            owner = at + 1;
        }
        let Some(rest) = rest else { continue };
        let (id, underlined) = rest.split_once(' ').unwrap_or((rest, ""));
        assert!(rules::all().iter().any(|rule| rule.id == id), "line {}: there is no rule `{id}`", at + 1);
        expected.push((owner, id.to_owned(), underlined.trim_end().to_owned()));
    }
    expected
}

fn found(text: &str, expected: &[Expected]) -> Vec<(Expected, String)> {
    let analysis = analyze(SourceFile::new("map.yaml", text));
    let wanted: BTreeSet<&str> = expected.iter().map(|(_, id, _)| id.as_str()).collect();
    let shown = |finding: &&logmap::testing::diagnostics::Finding| {
        finding.severity() != Severity::Info || wanted.contains(finding.rule.id)
    };
    let all = analysis.findings.iter().filter(shown).map(|finding| {
        let line = analysis.file.position(finding.span.start).line;
        let underlined = analysis.file.slice(finding.span).replace("\r\n", "⏎").replace('\n', "⏎").replace('\t', "⇥");
        ((line, finding.rule.id.to_owned(), underlined), finding.message.clone())
    });
    all.collect()
}

/// What differs, a line each.
fn differences(text: &str) -> Vec<String> {
    let expected = expectations(text);
    let mut missing = expected.clone();
    let mut differences = Vec::new();
    for (finding, message) in found(text, &expected) {
        match missing.iter().position(|other| *other == finding) {
            Some(at) => {
                missing.remove(at);
            }
            None => differences.push(format!("  not expected: line {}: {} `{}` ({message})", finding.0, finding.1, finding.2)),
        }
    }
    differences.extend(missing.into_iter().map(|(line, id, text)| format!("  not found: line {line}: {id} `{text}`")));
    differences
}

#[test]
fn maps_have_the_findings_that_their_comments_name_and_no_others() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/findings");
    let mut files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 10, "only {} maps in {}", files.len(), folder.display());
    let mut wrong = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap().replace("\r\n", "\n");
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let crlf = text.replace('\n', "\r\n");
        let shapes = [
            ("as it stands", text.clone()),
            ("with CRLF", crlf.clone()),
            ("with a byte order mark", format!("\u{feff}{text}")),
            ("with both", format!("\u{feff}{crlf}")),
            ("without its last line break", text.trim_end().to_owned()),
        ];
        for (shape, text) in shapes {
            let differences = differences(&text);
            if !differences.is_empty() {
                wrong.push(format!("{name} {shape}:\n{}", differences.join("\n")));
                break;
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_test_sees_what_is_missing_and_what_is_too_much() {
    let map = "version: 2 #~ LM0013 2\naccounts:\n  a: { id: 12 } #~ LM0101 12\n";
    let differences = differences(map);
    assert_eq!(differences.len(), 2, "{differences:?}");
    assert!(differences[0].starts_with("  not expected: line 3: LM0011 `12`"), "{differences:?}");
    assert_eq!(differences[1], "  not found: line 3: LM0101 `12`");
}
