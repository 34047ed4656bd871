//! Fixes on whole maps: `NAME.safe.yaml` or `NAME.unsafe.yaml` in `tests/fixes/` becomes, byte by byte, `….fixed.yaml`.
//!
//! The rules' pages have their fixes tried one by one in `rule_pages.rs`; here all are made, and the command is run.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail loudly")]

mod common;

use common::{logmap, logmap_with_input};
use logmap::testing::{analysis::analyze, fix::fix, source::SourceFile};
use proptest::prelude::*;
use std::{fs, path::Path};

#[test]
fn maps_are_fixed_as_their_twins_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixes");
    let mut names: Vec<String> =
        fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    let mut wrong = Vec::new();
    let maps: Vec<&String> = names.iter().filter(|name| !name.ends_with(".fixed.yaml")).collect();
    assert!(maps.len() >= 10 && names.len() == maps.len() * 2, "a map in {} is without its twin", folder.display());
    for name in maps {
        let stem = name.strip_suffix(".yaml").unwrap();
        let unsafe_fixes = stem.ends_with(".unsafe");
        assert!(unsafe_fixes || stem.ends_with(".safe"), "{name} says neither safe nor unsafe");
        let text = fs::read_to_string(folder.join(name)).unwrap();
        let expected = fs::read_to_string(folder.join(format!("{stem}.fixed.yaml"))).unwrap();
        for (shape, text, expected) in [
            ("as it stands", text.clone(), expected.clone()),
            ("with CRLF", text.replace('\n', "\r\n"), expected.replace('\n', "\r\n")),
            ("without its last line break", text.trim_end().to_owned(), expected.trim_end().to_owned()),
        ] {
            let fixed = fix(SourceFile::new("logmap.yaml", text), unsafe_fixes);
            if fixed.analysis.file.text != expected {
                wrong.push(format!("{name} {shape}: {:#?} gives\n{}", fixed.made, fixed.analysis.file.text));
                break;
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const BAD: &str = "# ours\r\nversion: 1\r\norganization: { name: acme }\r\naccounts:\r\n  prod:\r\n    id: 111122223333 # prod\r\n    regions:\r\n      us-esat-1: { buckets: [acme-web, acme-web] }\r\n";

#[test]
fn the_command_writes_shows_and_prints() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("logmap.yaml");
    let marked = format!("\u{feff}{BAD}");
    fs::write(&path, &marked).unwrap();
    let safe = BAD.replace("111122223333", "\"111122223333\"");
    // the second `acme-web` is found, though its Region is not one
    let diff = logmap(dir.path(), &["validate", "--diff"]);
    assert_eq!(diff.code, 1);
    assert!(
        diff.stdout.contains("-    id: 111122223333 # prod") && diff.stdout.contains("+    id: \"111122223333\" # prod"),
        "{}",
        diff.stdout
    );
    assert!(diff.stderr.contains("would fix LM0011 at logmap.yaml:6: put it in quotes"), "{}", diff.stderr);
    assert_eq!(fs::read_to_string(&path).unwrap(), marked, "--diff writes nothing");
    let fixed = logmap(dir.path(), &["validate", "--fix"]);
    assert_eq!(fixed.code, 1, "the Region is still wrong");
    assert!(fixed.stdout.contains("LM0104") && !fixed.stdout.contains("LM0011"), "{}", fixed.stdout);
    assert_eq!(fs::read_to_string(&path).unwrap(), format!("\u{feff}{safe}"));
    let guessed = logmap(dir.path(), &["validate", "--fix", "--unsafe-fixes"]);
    assert_eq!(guessed.code, 0, "{}", guessed.stdout);
    let all = safe.replace("us-esat-1", "us-east-1").replace("[acme-web, acme-web]", "[acme-web]");
    assert_eq!(fs::read_to_string(&path).unwrap(), format!("\u{feff}{all}"));
    let modified = fs::metadata(&path).unwrap().modified().unwrap();
    let again = logmap(dir.path(), &["validate", "--fix", "--unsafe-fixes"]);
    assert_eq!((again.code, fs::metadata(&path).unwrap().modified().unwrap()), (0, modified), "nothing to write");
    let piped = logmap_with_input(dir.path(), &["validate", "-", "--fix"], BAD);
    assert_eq!((piped.code, piped.stdout), (1, safe));
    assert!(piped.stderr.contains("LM0104"), "{}", piped.stderr);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "no temporary file is left");
}

#[cfg(unix)]
#[test]
fn a_link_stays_a_link_and_permissions_stay() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("real")).unwrap();
    let real = dir.path().join("real/map.yaml");
    fs::write(&real, BAD).unwrap();
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
    symlink("real/map.yaml", dir.path().join("logmap.yaml")).unwrap();
    logmap(dir.path(), &["validate", "--fix"]);
    assert!(fs::symlink_metadata(dir.path().join("logmap.yaml")).unwrap().is_symlink());
    assert!(fs::read_to_string(&real).unwrap().contains("\"111122223333\""));
    assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);
}

#[test]
fn utf_16_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("buckets.json"), r#"{"Buckets": [{"Name": "acme-new", "BucketRegion": "us-east-1"}]}"#).unwrap();
    let import = ["import", "buckets.json", "--account", "111122223333", "--into", "logmap.yaml"];
    for mark in [&[0xff, 0xfe][..], &[]] {
        let bytes: Vec<u8> = mark.iter().copied().chain(BAD.encode_utf16().flat_map(u16::to_le_bytes)).collect();
        fs::write(dir.path().join("logmap.yaml"), &bytes).unwrap();
        for arguments in [&["validate", "--fix"][..], &import] {
            let run = logmap(dir.path(), arguments);
            assert!(run.code == 2 && run.stderr.contains("logmap.yaml is UTF-16"), "{mark:?} {arguments:?}: {}", run.stderr);
            assert_eq!(fs::read(dir.path().join("logmap.yaml")).unwrap(), bytes);
        }
    }
}

const FULL: &str = include_str!("maps/full.yaml");

/// What people get wrong: bytes of the full map and what they become.
const SLIPS: [(&str, &str); 14] = [
    ("\"111122223333\"", "111122223333"),
    ("\"444455556666\"", "4444-5555-6666"),
    ("true", "yes"),
    ("us-east-1", "us-esat-1"),
    ("buckets", "bucket"),
    ("version: 1", "# no version"),
    ("prefix: \"", "prefix: \"/"),
    ("account: ", "account: x"),
    ("GLACIER_IR", "glacier-ir"),
    (":\n", ": # why\n"),
    ("name: ", "name: !!str "),
    ("-", "- "),
    ("\"", ""),
    ("{", "["),
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(150) })]

    #[test]
    fn fixes_never_make_a_map_unreadable_or_lose_a_comment(
        slips in proptest::collection::vec((0..SLIPS.len(), any::<prop::sample::Index>()), 1..5),
        repeated in any::<prop::sample::Index>(),
        crlf in any::<bool>(),
    ) {
        let mut text = FULL.to_owned();
        for (slip, at) in &slips {
            let (from, to) = SLIPS[*slip];
            let places: Vec<usize> = text.match_indices(from).map(|(at, _)| at).collect();
            if !places.is_empty() {
                let place = *at.get(&places);
                text.replace_range(place..place + from.len(), to);
            }
        }
        let lines: Vec<&str> = text.lines().collect();
        let line = repeated.index(lines.len());
        let mut lines: Vec<String> = lines.iter().enumerate().map(|(n, line)| format!("{line} # line {n}")).collect();
        lines.insert(line, lines[line].clone());
        let text = lines.join(if crlf { "\r\n" } else { "\n" });
        let comments = |text: &str| {
            let analysis = analyze(SourceFile::new("m", text));
            let readable = analysis.document.root.is_some();
            let mut texts: Vec<String> = analysis.document.comments.iter().map(|comment| comment.text.trim().to_owned()).collect();
            texts.sort();
            (readable, texts)
        };
        let before = comments(&text);
        for unsafe_fixes in [false, true] {
            let fixed = fix(SourceFile::new("m", text.clone()), unsafe_fixes);
            if fixed.made.is_empty() {
                prop_assert_eq!(&fixed.analysis.file.text, &text);
            } else {
                prop_assert_eq!(&comments(&fixed.analysis.file.text), &before, "{:?}\n{}", fixed.made, fixed.analysis.file.text);
            }
            if crlf {
                prop_assert!(!fixed.analysis.file.text.replace("\r\n", "").contains('\n'));
            }
        }
    }
}
