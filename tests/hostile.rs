//! Names that are not what they seem: a control character, a turn of the writing direction, a line break, or a command to whoever keeps
//! the log of a pipeline, in every string of a map, plan, template, policy, dump or pasted text, in names of files and in arguments.
//! Whatever a command says of it in whatever format, it stays text.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail loudly")]

mod common;
#[path = "common/markdown.rs"]
mod markdown;

use common::{Run, logmap, logmap_with_input, tree};
use markdown::outside_of_code;
use serde_json::Value;
use std::{fs, path::Path};

const HOSTILE: &str = "x`\n::error file=a,line=1::FORGED\n##vso[task.setvariable variable=P]FORGED\r\u{1b}]0;t\u{7}\u{1b}[2J\u{9b}2J\u{202e}\u{2066}\u{2028}<!-- --> | ```\n  ::stop-commands::t\nFORGED: ok https://evil.example [a](b) ##[group]";

/// Is the text harmless to a terminal and to the log of a pipeline? `github` if it has annotations.
fn harmless(text: &str, github: bool, what: &str) {
    let hidden = |c: &char| {
        (c.is_control() && !matches!(c, '\n' | '\t'))
            || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if let Some(c) = text.chars().find(hidden) {
        let at = text.find(c).unwrap();
        panic!("{what}: {c:?} in {:?}", &text[text[..at].char_indices().rev().nth(60).map_or(0, |(at, _)| at)..at]);
    }
    for line in text.lines() {
        let ours =
            ["::error file=", "::warning file=", "::notice file=", "::error title=", "::warning title=", "::notice title="];
        // ` ::: file` is how the other end of a conflict is drawn; no runner knows a command of that name
        let begins = line.trim_start().strip_prefix("::: ").unwrap_or(line.trim_start());
        assert!(
            !begins.starts_with("::") || (github && ours.iter().any(|own| line.starts_with(own))),
            "{what}: a command: {line}"
        );
        assert!(!begins.starts_with("FORGED"), "{what}: a line of its own: {line}");
        let lower = line.to_ascii_lowercase();
        assert!(!lower.contains("##vso[") && !lower.contains("##["), "{what}: a command: {line}");
    }
}

fn both(run: &Run, github: bool, what: &str) {
    assert!(run.code <= 3, "{what} ends with {}", run.code);
    harmless(&run.stdout, github, &format!("{what}, standard output"));
    harmless(&run.stderr, github, &format!("{what}, standard error"));
}

/// A link that a reader of Markdown would make stands in code spans only.
fn no_links(text: &str, what: &str) {
    for line in text.lines().filter(|line| line.contains("evil.example")) {
        assert!(!outside_of_code(line).contains("https://evil.example"), "{what}: a link: {line}");
    }
}

/// The strings of a document, keys too, as how many there are; with `at` one of them is replaced.
fn strings(value: &mut Value, at: Option<usize>, count: &mut usize, with: &str) {
    let hit = |count: &mut usize| {
        *count += 1;
        at == Some(*count - 1)
    };
    match value {
        Value::String(text) if hit(count) => {
            *text = if text.len().is_multiple_of(2) { with.to_owned() } else { format!("{text}{with}") };
        }
        Value::Array(items) => items.iter_mut().for_each(|item| strings(item, at, count, with)),
        Value::Object(entries) => {
            let old = std::mem::take(entries);
            for (key, mut item) in old {
                let key = if hit(count) { format!("{key}{with}") } else { key };
                strings(&mut item, at, count, with);
                entries.insert(key, item);
            }
        }
        _ => {}
    }
}

/// The document with one string after another replaced: `most` of them, from all over it.
fn variants(document: &Value, most: usize) -> Vec<Value> {
    let mut count = 0;
    strings(&mut document.clone(), None, &mut count, "");
    let stride = count.div_ceil(most).max(1);
    (0..count)
        .step_by(stride)
        .map(|at| {
            let mut variant = document.clone();
            strings(&mut variant, Some(at), &mut 0, HOSTILE);
            variant
        })
        .collect()
}

/// Documents of a folder, YAML or JSON, without those that need tags.
fn documents(folder: &str, ending: &str) -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
        .into_iter()
        .filter(|file| file.to_string_lossy().ends_with(ending))
        .filter_map(|file| {
            let text = fs::read_to_string(&file).unwrap();
            let value = if ending == ".yaml" { serde_yaml::from_str(&text).ok()? } else { serde_json::from_str(&text).ok()? };
            Some((file.file_name().unwrap().to_string_lossy().into_owned(), value))
        })
        .collect()
}

const FORMATS: [&str; 7] = ["text", "json", "sarif", "github", "junit", "gitlab", "concise"];

#[test]
fn strings_of_a_map_stay_text() {
    let world = tempfile::tempdir().unwrap();
    let dir = world.path();
    let mut runs = 0;
    for (name, map) in documents("tests/maps", ".yaml").into_iter().step_by(2) {
        fs::write(dir.join("old.yaml"), map.to_string()).unwrap();
        for (at, variant) in variants(&map, 12).into_iter().enumerate() {
            let what = format!("{name} {at}");
            // as one line of JSON, and as lines of YAML, which findings show
            let text = if at % 2 == 0 { variant.to_string() } else { serde_yaml::to_string(&variant).unwrap() };
            fs::write(dir.join("new.yaml"), text).unwrap();
            let mut run = |arguments: &[&str], github: bool| {
                runs += 1;
                let done = logmap(dir, arguments);
                both(&done, github, &format!("{what} {arguments:?}"));
                done
            };
            let format = FORMATS[at % FORMATS.len()];
            run(&["validate", "-v", "new.yaml"], false);
            run(&["validate", "new.yaml", "--format", format], format == "github");
            run(&["graph", "new.yaml", "--format", ["svg", "dot", "mermaid", "html"][at % 4]], false);
            run(&["diff", "old.yaml", "new.yaml", "--format", ["text", "json"][at % 2]], false);
            no_links(&run(&["diff", "new.yaml", "old.yaml", "--format", "markdown"], false).stdout, &what);
            run(&["explain", "--map", "new.yaml", "CrossS3LocationLoggingProhibitted"], false);
            for (command, out) in [
                (&["generate", "new.yaml", "--out", "out"][..], "out"),
                (&["runbook", "old.yaml", "new.yaml", "--out", "book"], "book"),
            ] {
                run(command, false);
                if dir.join(out).exists() {
                    for (path, text) in tree(&dir.join(out)).into_iter().filter(|(path, _)| path.ends_with(".md")) {
                        harmless(&text, false, &format!("{what} {path}"));
                        no_links(&text, &format!("{what} {path}"));
                    }
                    fs::remove_dir_all(dir.join(out)).unwrap();
                }
            }
        }
    }
    assert!(runs > 250, "{runs}");
}

#[test]
fn strings_of_what_others_wrote_stay_text() {
    let world = tempfile::tempdir().unwrap();
    let dir = world.path();
    let mut runs = 0;
    let inputs = documents("tests/check", ".json").into_iter().chain(documents("tests/check", ".yaml").into_iter().step_by(4));
    for (name, input) in inputs {
        for (at, variant) in variants(&input, 6).into_iter().enumerate() {
            fs::write(dir.join("input.json"), variant.to_string()).unwrap();
            let format = FORMATS[at % FORMATS.len()];
            for arguments in [
                &["check", "-v", "input.json"][..],
                &["check", "input.json", "--format", format],
                &["import", "input.json", "--account", "111122223333", "--region", "eu-west-1"],
            ] {
                runs += 1;
                both(&logmap(dir, arguments), format == "github", &format!("{name} {at} {arguments:?}"));
            }
        }
    }
    assert!(runs > 250, "{runs}");
}

#[test]
fn dumps_stay_text_when_they_are_imported() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/import");
    let mut folders: Vec<_> =
        fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    for folder in folders {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        for (file, input) in documents(&format!("tests/import/{name}"), ".json") {
            for (at, variant) in variants(&input, 6).into_iter().enumerate() {
                let world = tempfile::tempdir().unwrap();
                for entry in fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file()) {
                    fs::copy(&entry, world.path().join(entry.file_name().unwrap())).unwrap();
                }
                fs::write(world.path().join(&file), variant.to_string()).unwrap();
                let run = logmap(world.path(), &["import", ".", "--account", "111122223333", "--region", "eu-west-1"]);
                both(&run, false, &format!("{name}/{file} {at}"));
            }
        }
    }
}

#[test]
fn names_of_files_arguments_and_pasted_texts_stay_text() {
    let world = tempfile::tempdir().unwrap();
    let dir = world.path();
    let name = "a\u{1b}[2J\n::error::FORGED\n##vso[x]\u{202e}.json";
    let map = "version: 1\norganization: { name: acme }\naccounts:\n  prod: { id: \"111122223333\", regions: { eu-west-1: { buckets: [acme-eu, acme-eu] } } }\n";
    let policy = "{\"Version\": \"2012-10-17\", \"Statement\": [{\"Effect\": \"Allow\", \"Principal\": \"*\", \"Action\": \"s3:PutObject\", \"Resource\": \"x\"}]}";
    for (text, commands) in [
        (
            map,
            &[
                "validate",
                "generate",
                "graph",
                "explain AccessDenied --map",
                "check",
                "import",
                "diff old.yaml",
                "runbook old.yaml",
            ][..],
        ),
        (policy, &["validate", "check", "import", "check --map"]),
        ("\u{0}\u{1}", &["validate", "check", "import", "validate --baseline", "validate old.yaml --write-baseline"]),
        ("{", &["validate", "check", "import", "validate --baseline", "graph old.yaml --out"]),
    ] {
        fs::write(dir.join(name), text).unwrap();
        fs::write(dir.join("old.yaml"), map.replace(", acme-eu]", "]")).unwrap();
        for command in commands {
            for format in FORMATS {
                let takes = ["validate", "generate", "check", "import"].iter().any(|taker| command.starts_with(taker));
                let mut arguments: Vec<&str> = command.split(' ').collect();
                arguments.push(name);
                if takes {
                    arguments.extend(["--format", format]);
                }
                both(&logmap(dir, &arguments), takes && format == "github", &format!("{arguments:?}"));
            }
        }
    }
    for arguments in [
        &["validate", "no such file"][..],
        &["no such command"],
        &["validate", "--no-such-flag"],
        &["generate", "old.yaml", "--target", "x"],
        &["generate", "old.yaml", "--account", "x"],
        &["generate", "old.yaml", "--region", "x"],
        &["generate", "old.yaml", "--templates", "x"],
        &["explain", "x"],
        &["explain", "LM0101"],
        &["check", "old.yaml", "--region", "x"],
        &["check", "old.yaml", "--account", "x"],
        &["check", "old.yaml", "--parameter", "x"],
        &["import", "old.yaml", "--organization", "x"],
        &["diff", "old.yaml", "--rev", "x"],
        &["init", "--org", "x"],
        &["init", "--account", "x"],
        &["init", "--region", "x"],
        &["graph", "old.yaml", "--out", "x"],
        &["man", "--out", "x"],
        &["completions", "x"],
    ] {
        let hostile: Vec<String> =
            arguments
                .iter()
                .map(|word| {
                    if arguments.last() == Some(word) {
                        format!("{word}{}", HOSTILE.replace('\0', ""))
                    } else {
                        (*word).to_owned()
                    }
                })
                .collect();
        let hostile: Vec<&str> = hostile.iter().map(String::as_str).collect();
        both(&logmap(dir, &hostile), false, &format!("{arguments:?}"));
    }
    for text in [
        format!("An error occurred (AccessDenied) bucket {HOSTILE}"),
        HOSTILE.to_owned(),
        format!("s3://acme-x/{HOSTILE} InvalidTargetBucketForLogging"),
    ] {
        both(&logmap_with_input(dir, &["explain", "-"], &text), false, "explain");
        both(&logmap_with_input(dir, &["explain", "-", "--map", "old.yaml"], &text), false, "explain --map");
    }
}

#[test]
fn init_shows_folders_and_answers_as_text_and_follows_no_link() {
    let world = tempfile::tempdir().unwrap();
    let name = "a\u{1b}[2J\n::error::FORGED\n##vso[x]\u{202e}";
    for arguments in
        [&["init", "--dir", name][..], &["init", "--dir", name], &["init", "--dir", "\u{9b}2J/x"], &["init", "--dir", ""]]
    {
        both(&logmap(world.path(), arguments), false, &format!("{arguments:?}"));
    }
    // the map is there by now, and each word of it is what a map may have
    let map = fs::read_to_string(world.path().join(name).join("logmap.yaml")).unwrap();
    harmless(&map, false, "the map");
    for (flag, words) in [
        ("--org", &["a: b", "a # b", "\"", "a\nb", "-a", "acme-"][..]),
        (
            "--account",
            &[
                "a: b=111122223333",
                "a\n=111122223333",
                "=111122223333",
                "prod=1111222233334",
                "prod=111122223333\n",
                "&a=111122223333",
            ],
        ),
        ("--region", &["us-east-1\n", "us-east-1: {}", "*", "us-east-1 # x", "${x}"]),
    ] {
        for word in words {
            let dir = tempfile::tempdir().unwrap();
            let run = logmap(dir.path(), &["init", &format!("{flag}={word}")]);
            both(&run, false, word);
            let made = dir.path().join("logmap.yaml").exists();
            assert_eq!(
                (run.code == 0, logmap(dir.path(), &["validate"]).code == 0),
                (made, made),
                "{flag} {word:?}: {}",
                run.stderr
            );
        }
    }
    #[cfg(unix)]
    for (link, file) in [
        (".vscode", "settings.json"),
        (".github", "workflows/logmap.yml"),
        ("out", ".gitattributes"),
        (".logmap", "region-map.schema.json"),
    ] {
        let (dir, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::os::unix::fs::symlink(elsewhere.path(), dir.path().join(link)).unwrap();
        let run = logmap(dir.path(), &["init"]);
        assert!(run.code == 2 && run.stderr.contains("symbolic link"), "{link}: {}", run.stderr);
        assert!(!elsewhere.path().join(file).exists() && !dir.path().join("logmap.yaml").exists(), "{link}");
    }
}
