//! The help: short and long, in groups, and with examples that work.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail loudly")]

mod common;

use clap::{Command, CommandFactory};
use common::{Run, logmap, shell};
use logmap::testing::cli::args::{
    Cli,
    examples::{EXAMPLES, Example},
};
use std::{fs, path::Path};

/// All commands, with what they have of the global options.
fn commands() -> Vec<Command> {
    let mut cli = Cli::command();
    cli.build();
    cli.get_subcommands().filter(|command| command.get_name() != "help").cloned().collect()
}

/// The map of the examples.
const MAP: &str = "version: 1
organization: { name: acme }
accounts: { prod: { id: \"111122223333\", regions: { us-east-1: { buckets: [acme-web] } } } }
";
/// A stack with a bucket that logs to itself.
const STACK: &str = r#"{"Resources":{"Web":{"Type":"AWS::S3::Bucket","Properties":{"LoggingConfiguration":{"DestinationBucketName":{"Ref":"Web"}}}}}}"#;
/// Prints what Terraform would, as far as the examples ask for it.
const TERRAFORM: &str = r#"#!/bin/sh
case $1 in
show) echo '{"format_version":"1.2","terraform_version":"1.9.0","planned_values":{"root_module":{}},"resource_changes":[],"configuration":{"root_module":{}}}' ;;
apply) echo 'Error: putting S3 Bucket (acme-web) Logging: api error CrossLocationLoggingProhibitted' >&2; exit 1 ;;
esac
"#;

/// A snapshot in which nothing logs.
const SNAPSHOT: &str = r#"{"logmap_snapshot":"1.0","taken_at":"2026-11-30T02:00:00Z","scope":{"accounts":["111122223333"],"buckets":"all"},"accounts":[
{"Id":"111122223333","partition":"aws","taken_at":"2026-11-30T02:00:00Z","buckets_complete":true,"regions":[],"buckets":[]}]}"#;

/// A folder with everything that the examples name.
fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let old = MAP.replace("acme-web", "acme-web, acme-old");
    write("logmap.yaml", &old);
    let git = "git init -q -b main && git -c user.name=a -c user.email=a@example.com commit -q --allow-empty -m map && git add logmap.yaml \
        && git -c user.name=a -c user.email=a@example.com commit -q -m map";
    let run = shell(dir.path(), git, "");
    assert_eq!(run.code, 0, "{}", run.stderr);
    write("logmap.yaml", MAP);
    write("old.yaml", &old);
    write("draft.yaml", &MAP.replace("\"111122223333\"", "111122223333"));
    write("templates/stack.json", STACK);
    write("--strict=yes.json", STACK);
    write("buckets.json", r#"{"Buckets":[{"Name":"acme-data","BucketRegion":"us-east-1"}]}"#);
    write("snapshot.json", SNAPSHOT);
    write("bin/terraform", TERRAFORM);
    assert_eq!(shell(dir.path(), "chmod +x bin/terraform", "").code, 0);
    dir
}

/// What an editor says that starts the language server and stops it again.
fn session() -> String {
    let messages = [
        r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"capabilities":{}}}"#,
        r#"{"jsonrpc":"2.0","method":"initialized","params":{}}"#,
        r#"{"jsonrpc":"2.0","id":2,"method":"shutdown"}"#,
        r#"{"jsonrpc":"2.0","method":"exit"}"#,
    ];
    messages.iter().map(|message| format!("Content-Length: {}\r\n\r\n{message}", message.len())).collect()
}

/// Runs a line in a folder of its own.
fn played(line: &str) -> Run {
    let dir = folder();
    // `init` is for a folder without a map
    if line.starts_with("logmap init") {
        fs::remove_file(dir.path().join("logmap.yaml")).unwrap();
    }
    shell(dir.path(), line, &if line == "logmap lsp" { session() } else { String::new() })
}

#[test]
fn every_example_ends_as_it_says() {
    let mut wrong = Vec::new();
    for Example { line, code, .. } in EXAMPLES.iter().flat_map(|(_, examples)| *examples) {
        let run = played(line);
        let crashed = ["panicked", "not found", "unexpected argument"].iter().any(|word| run.stderr.contains(word));
        if run.code != *code || crashed {
            wrong.push(format!("$ {line}\nends with {}, not {code}:\n{}{}", run.code, run.stdout, run.stderr));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_example_with_a_wrong_flag_is_seen() {
    assert_eq!(played("logmap validate --fixx").code, 2);
    assert_eq!(played("logmap graph --format png").code, 2);
}

#[test]
fn the_long_help_of_each_command_ends_with_its_examples() {
    let dir = tempfile::tempdir().unwrap();
    let commands = commands();
    let names: Vec<&str> = commands.iter().map(Command::get_name).collect();
    assert_eq!(EXAMPLES.iter().map(|(name, _)| *name).collect::<Vec<_>>(), names, "a row for each command, in their order");
    for (name, examples) in EXAMPLES {
        assert!((1..=3).contains(&examples.len()), "{name} has {} examples", examples.len());
        let long = logmap(dir.path(), &[name, "--help"]).stdout;
        let section = long.split_once("\nExamples:\n").unwrap_or_else(|| panic!("{name} --help has no examples:\n{long}")).1;
        let wanted: Vec<String> = examples.iter().map(|example| format!("  # {}\n  {}\n", example.about, example.line)).collect();
        assert_eq!(section, wanted.join("\n"), "{name}");
        for Example { line, about, .. } in *examples {
            assert!(line.contains(&format!("logmap {name}")), "{name}: {line}");
            assert!(line.len() <= 108 && about.len() <= 80, "{name}: too long for a terminal: {line}");
        }
    }
}

#[test]
fn the_short_help_has_a_line_for_each_argument_and_the_long_help_has_more() {
    let dir = tempfile::tempdir().unwrap();
    for command in commands() {
        let name = command.get_name();
        let (short, long) = (logmap(dir.path(), &[name, "-h"]), logmap(dir.path(), &[name, "--help"]));
        assert_eq!((short.code, long.code), (0, 0));
        assert!(!short.stdout.contains("Examples:") && !short.stdout.contains("Possible values:"), "{name}: {}", short.stdout);
        assert!(short.stdout.lines().count() < long.stdout.lines().count(), "{name}");
        for argument in command.get_arguments().filter(|argument| !argument.is_hide_set()) {
            let id = argument.get_id();
            let help = argument.get_help().unwrap_or_else(|| panic!("{name} says nothing of {id}")).to_string();
            assert!(help.chars().count() <= 95 && !help.contains('\n'), "{name}, {id}: too long for -h: {help}");
            assert!(!help.ends_with('.'), "{name}, {id}: {help}");
            assert!(
                argument.is_positional() || argument.get_help_heading().is_some(),
                "{name}, {id}: stands under no heading of its own"
            );
        }
        assert!(!long.stdout.contains("\nOptions:"), "{name}: {}", long.stdout);
    }
}

#[test]
fn every_command_is_in_the_help_and_the_top_says_how_runs_end() {
    let dir = tempfile::tempdir().unwrap();
    let run = logmap(dir.path(), &["--help"]);
    for command in commands() {
        assert!(run.stdout.contains(&format!("\n  {}  ", command.get_name())), "{}", run.stdout);
    }
    assert!(run.stdout.contains("Exit codes: 0 clean"), "{}", run.stdout);
    let version = logmap(dir.path(), &["--version"]);
    let short = concat!("logmap ", env!("CARGO_PKG_VERSION"));
    let lines: Vec<&str> = version.stdout.lines().collect();
    assert!(version.code == 0 && lines.len() == 2 && lines[0].starts_with(short), "{}", version.stdout);
    assert!(lines[1].strip_prefix("Regions of 20").is_some_and(|date| date.len() == "26-10-31".len()), "{}", version.stdout);
    assert_eq!(logmap(dir.path(), &["-V"]).stdout, format!("{short}\n"));
}

#[test]
fn a_flag_of_another_command_is_met_with_that_command() {
    let dir = tempfile::tempdir().unwrap();
    for (line, hint) in [
        (&["runbook", "a", "b", "--format", "json"][..], "logmap diff --format json"),
        (&["-q", "generate", "--diff"], "logmap generate --check"),
        (&["check", ".", "--fix"], "logmap validate --fix"),
    ] {
        let run = logmap(dir.path(), line);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{line:?}");
        assert!(run.stderr.contains(hint), "{line:?}: {}", run.stderr);
        assert!(!run.stderr.contains("similar") && !run.stderr.contains("--force"), "{line:?}: {}", run.stderr);
    }
    // of a flag that nobody has nothing is said, and near ones are still named
    assert!(logmap(dir.path(), &["runbook", "a", "b", "--forse"]).stderr.contains("'--force'"));
}

#[test]
fn help_needs_no_terminal_and_no_file() {
    assert!(!Path::new("logmap.yaml").exists());
    let dir = tempfile::tempdir().unwrap();
    let run = logmap(dir.path(), &["help", "generate"]);
    assert_eq!(run.code, 0);
    assert!(run.stdout.contains("Examples:"), "{}", run.stdout);
}
