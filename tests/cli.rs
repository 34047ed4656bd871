//! The command line: exit codes, where output goes, finding the map, `init`, `explain`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail loudly")]

mod common;

use common::{logmap, logmap_with_input, logmap_with_variables, tree};
use std::fs;

const GOOD: &str = "version: 1\naccounts: { prod: { id: \"111122223333\", regions: { us-east-1: { buckets: [abc], log_bucket: { name: abc-logs } } } } }\n";

#[test]
fn exit_codes_are_the_tables() {
    let dir = tempfile::tempdir().unwrap();
    let ends = |arguments: &[&str], input: &str| logmap_with_input(dir.path(), arguments, input).code;
    assert_eq!(ends(&["validate", "-"], GOOD), 0);
    assert_eq!(ends(&["validate", "-"], &GOOD.replace("us-east-1", "us-east-7")), 0, "warnings alone");
    assert_eq!(ends(&["validate", "-", "--fail-on", "warning"], &GOOD.replace("us-east-1", "us-east-7")), 1);
    assert_eq!(ends(&["validate", "-"], &GOOD.replace("111122223333", "1111")), 1);
    assert_eq!(ends(&["validate", "missing.yaml"], ""), 2);
    assert_eq!(ends(&["validate", "--frobnicate"], ""), 2);
    assert_eq!(ends(&["frobnicate"], ""), 2);
    assert_eq!(ends(&["--help"], ""), 0);
    assert_eq!(ends(&["explain", "LM9999"], ""), 1);
    fs::write(dir.path().join("out"), "a file where the folder should be").unwrap();
    assert_eq!(ends(&["generate", "-"], GOOD), 3);
}

#[test]
fn the_exit_code_is_the_same_in_every_format() {
    let dir = tempfile::tempdir().unwrap();
    for (map, code) in [(GOOD.to_owned(), 0), (GOOD.replace("abc-logs", "Abc"), 1)] {
        for format in ["text", "json", "sarif", "github", "junit", "gitlab", "concise"] {
            assert_eq!(logmap_with_input(dir.path(), &["validate", "-", "--format", format], &map).code, code, "{format}");
        }
    }
}

#[test]
fn the_map_is_found_here_and_above() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("logmap.yaml"), GOOD.replace("abc-logs", "Abc")).unwrap();
    fs::create_dir_all(dir.path().join("a/b")).unwrap();
    assert!(logmap(dir.path(), &["validate"]).stdout.contains("--> logmap.yaml:2:"));
    let above = logmap(&dir.path().join("a/b"), &["validate"]).stdout.replace(std::path::MAIN_SEPARATOR, "/");
    assert!(above.contains("--> ../../logmap.yaml:2:"), "{above}");
    assert!(logmap(dir.path(), &["validate", "./logmap.yaml"]).stdout.contains("--> logmap.yaml:2:"));
}

#[test]
fn quiet_says_errors_only_and_colours_are_for_terminals() {
    let dir = tempfile::tempdir().unwrap();
    let warning = GOOD.replace("us-east-1", "us-east-7");
    let quiet = logmap_with_input(dir.path(), &["validate", "-", "-q"], &warning);
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", ""));
    assert!(!logmap_with_input(dir.path(), &["validate", "-"], &warning).stdout.contains('\u{1b}'));
    assert!(logmap_with_input(dir.path(), &["validate", "-", "--color", "always"], &warning).stdout.contains('\u{1b}'));
}

#[test]
fn init_writes_a_map_that_validates_and_never_overwrites() {
    let dir = tempfile::tempdir().unwrap();
    let run = logmap(
        dir.path(),
        &[
            "init",
            "--org",
            "acme",
            "--account",
            "prod=012345678901",
            "--account",
            "dev=111122223333",
            "--region",
            "eu-west-1,us-east-1",
        ],
    );
    assert_eq!(run.code, 0, "{}", run.stderr);
    let files = tree(dir.path());
    assert!(files["logmap.yaml"].contains("id: \"012345678901\""));
    for path in
        [".vscode/settings.json", ".idea/jsonSchemas.xml", ".github/workflows/logmap.yml", ".logmap/region-map.schema.json"]
    {
        assert!(files.contains_key(path), "{path}");
    }
    assert_eq!(logmap(dir.path(), &["validate"]).code, 0);
    assert_eq!(logmap(dir.path(), &["generate"]).code, 0);
    let before = tree(dir.path());
    let again = logmap(dir.path(), &["init", "--org", "other"]);
    assert_eq!(again.code, 2, "{}", again.stderr);
    assert_eq!(tree(dir.path()), before);
    // other files of the same name stay, too
    let other = tempfile::tempdir().unwrap();
    fs::create_dir(other.path().join(".vscode")).unwrap();
    fs::write(other.path().join(".vscode/settings.json"), "{}").unwrap();
    assert_eq!(logmap(other.path(), &["init"]).code, 0);
    assert_eq!(fs::read_to_string(other.path().join(".vscode/settings.json")).unwrap(), "{}");
    // GitHub reads no workflow below a repository's root
    fs::create_dir(other.path().join(".git")).unwrap();
    let below = logmap(other.path(), &["init", "--dir", "infra/logs"]);
    assert!(below.stderr.contains("working-directory: infra/logs"), "{}", below.stderr);
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join(".git")).unwrap();
    assert!(!logmap(root.path(), &["init"]).stderr.contains("working-directory"));
    for bad in ["prod", "prod=123", "Prod=111122223333"] {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(logmap(dir.path(), &["init", "--account", bad]).code, 2);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}

#[test]
fn explain_knows_ids_and_names() {
    let dir = tempfile::tempdir().unwrap();
    for word in ["LM0203", "lm0203", "source-twice"] {
        let run = logmap(dir.path(), &["explain", word]);
        assert_eq!((run.code, run.stdout.starts_with("# LM0203 source-twice")), (0, true), "{word}");
    }
    let list = logmap(dir.path(), &["explain", "--list"]);
    assert_eq!(list.stdout.lines().count(), logmap::testing::rules::all().len());
}

#[test]
fn comments_silence_with_a_reason_only() {
    let dir = tempfile::tempdir().unwrap();
    let map = |comment: &str| {
        format!(
            "version: 1\norganization: {{ name: acme }}\naccounts:\n  prod:\n    id: \"111122223333\"\n    regions:\n      {comment}\n      us-east-7: {{ buckets: [abc] }}\n"
        )
    };
    let rules = |comment: &str| -> Vec<String> {
        let run = logmap_with_input(dir.path(), &["validate", "-", "--format", "json"], &map(comment));
        let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        report["findings"].as_array().unwrap().iter().map(|finding| finding["rule"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(rules("# nothing"), ["LM0105"]);
    assert_eq!(rules("# logmap: ignore[LM0105] opened last week"), Vec::<String>::new());
    assert_eq!(rules("# logmap: ignore[LM0105]"), ["LM0014", "LM0105"]);
    assert_eq!(rules("# logmap: ignore[LM0203] not here"), ["LM0015", "LM0105"]);
}

#[test]
fn a_command_takes_the_flags_that_mean_something_to_it() {
    let dir = tempfile::tempdir().unwrap();
    let shown = |command: &str| logmap(dir.path(), &[command, "--help"]).stdout;
    let flags = ["--format", "--fail-on", "--baseline", "--write-baseline"];
    for (command, wanted) in [
        ("validate", &flags[..]),
        ("generate", &flags[..]),
        ("check", &flags[..]),
        ("import", &flags[..]),
        ("graph", &flags[..]),
        ("diff", &flags[..2]),
        ("runbook", &flags[1..2]),
        ("explain", &flags[..1]),
        ("templates", &flags[..1]),
        ("init", &[]),
        ("schema", &[]),
        ("completions", &[]),
        ("man", &[]),
        #[cfg(feature = "lsp")]
        ("lsp", &[]),
    ] {
        let help = shown(command);
        let offered: Vec<&str> = flags.into_iter().filter(|flag| help.contains(&format!(" {flag} "))).collect();
        assert_eq!(offered, wanted, "{command}");
        for flag in flags.iter().filter(|flag| !wanted.contains(flag)) {
            let run = logmap(dir.path(), &[command, flag, "text"]);
            assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{command} {flag}: {}", run.stderr);
        }
        for common in ["--color", "--quiet", "--verbose"] {
            assert!(help.contains(common), "{command} {common}");
        }
    }
    // before the command stand the flags of every command, and no others
    assert_eq!(logmap(dir.path(), &["-q", "--color", "never", "schema"]).code, 0);
    assert_eq!(logmap(dir.path(), &["--format", "json", "validate"]).code, 2);
}

#[test]
fn colours_are_as_the_flag_says_else_as_the_environment_does() {
    let dir = tempfile::tempdir().unwrap();
    let bad = GOOD.replace("abc-logs", "Abc");
    let coloured = |arguments: &[&str], variables: &[(&str, &str)]| {
        let run = logmap_with_variables(dir.path(), arguments, &bad, variables);
        (run.stdout + &run.stderr).contains('\u{1b}')
    };
    // findings, help and mistakes are coloured alike
    for arguments in [&["validate", "-"][..], &["--help"], &["validate", "-h"], &["validate", "--frobnicate"]] {
        for (variables, wanted) in [
            (&[][..], false),
            (&[("FORCE_COLOR", "1")], true),
            (&[("FORCE_COLOR", "0")], false),
            (&[("CLICOLOR_FORCE", "1")], true),
            (&[("CLICOLOR_FORCE", "0")], false),
            (&[("NO_COLOR", "1"), ("FORCE_COLOR", "1"), ("CLICOLOR_FORCE", "1")], false),
            (&[("TERM", "xterm")], false),
        ] {
            assert_eq!(coloured(arguments, variables), wanted, "{arguments:?} {variables:?}");
            let with = |when: &'static str| [arguments, &["--color", when]].concat();
            assert!(coloured(&[&["--color", "always"], arguments].concat(), variables), "{arguments:?} {variables:?}");
            assert!(!coloured(&[&["--color=never"], arguments].concat(), variables), "{arguments:?} {variables:?}");
            assert!(coloured(&with("always"), variables) && !coloured(&with("never"), variables), "{arguments:?} {variables:?}");
        }
    }
    // after `--` it is a file's name
    assert!(!coloured(&["validate", "--frobnicate", "--", "--color=always"], &[]));
}

/// A template in which a bucket logs to itself.
const LOOP: &str = r#"{"Resources":{"Web":{"Type":"AWS::S3::Bucket","Properties":{"LoggingConfiguration":{"DestinationBucketName":{"Ref":"Web"}}}}}}"#;

#[test]
fn a_hook_takes_every_name_for_a_file() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("self.json"), LOOP).unwrap();
    // as a flag this name would hide the finding, or write a file
    let write = logmap(dir.path(), &["check", "self.json", "--write-baseline", "b.json"]);
    assert_eq!(write.code, 0, "{}", write.stderr);
    let hooks = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/.pre-commit-hooks.yaml")).unwrap();
    let hooks: serde_json::Value = serde_yaml::from_str(&hooks).unwrap();
    let hook = hooks.as_array().unwrap().iter().find(|hook| hook["id"] == "logmap-check").unwrap();
    // pre-commit runs the words of `entry`, then `args`, then the files
    let words = hook["entry"].as_str().unwrap().split(' ').skip(1);
    let words: Vec<&str> = words.chain(hook["args"].as_array().unwrap().iter().map(|word| word.as_str().unwrap())).collect();
    for name in ["--baseline=b.json", "--write-baseline=logmap.yaml", "-h.json", "--help"] {
        fs::write(dir.path().join(name), "{}").unwrap();
        let run = logmap(dir.path(), &[&words[..], &[name, "self.json"]].concat());
        assert_eq!(run.code, 1, "{name}: {}{}", run.stdout, run.stderr);
        assert!(run.stdout.contains("LM1104"), "{name}: {}", run.stdout);
        assert!(!dir.path().join("logmap.yaml").exists(), "{name} wrote a file");
    }
    // the others pass no names
    for hook in hooks.as_array().unwrap().iter().filter(|hook| hook["id"] != "logmap-check") {
        assert_eq!(hook["pass_filenames"], false, "{hook}");
    }
}

#[test]
fn every_command_with_files_takes_names_that_look_like_flags() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("--out=x.yaml"), GOOD).unwrap();
    fs::write(dir.path().join("-q"), GOOD.replace("abc", "abd")).unwrap();
    let ends = |arguments: &[&str]| {
        let run = logmap(dir.path(), arguments);
        (run.code, run.stdout + &run.stderr)
    };
    assert_eq!(ends(&["validate", "--", "--out=x.yaml"]).0, 0);
    assert_eq!(ends(&["generate", "--", "--out=x.yaml"]).0, 0);
    let (code, said) = ends(&["generate", "--check", "--", "-q"]);
    assert_eq!(code, 1);
    assert!(said.contains("`logmap generate ./-q`"), "the command that mends it takes the name for a file: {said}");
    assert_eq!(ends(&["generate", "./-q"]).0, 0);
    assert_eq!(ends(&["diff", "--", "--out=x.yaml", "-q"]).0, 1);
    assert_eq!(ends(&["graph", "--", "-q"]).0, 0);
    assert!(!dir.path().join("x.yaml").exists());
}

#[test]
fn a_quote_that_is_not_closed_is_shown_where_it_opens() {
    let dir = tempfile::tempdir().unwrap();
    for (text, place) in [
        ("version: 1\norganization: { name: \"acme }\naccounts:\n  prod:\n    id: \"111122223333\"\n", ":2:23"),
        ("version: 1\norganization:\n  name: 'acme\naccounts:\n  prod:\n    id: 1\n", ":3:9"),
        ("version: 1\norganization:\n  name: \"acme\naccounts:\n  prod:\n    id: \"1\"\n", ":3:9"),
        ("version: 1 # it's fine\norganization:\n  name: 'acme", ":3:9"),
        ("version: 1\norganization:\n  name: \"acme\n", ":3:9"),
    ] {
        std::fs::write(dir.path().join("logmap.yaml"), text).unwrap();
        let run = logmap(dir.path(), &["validate"]);
        assert_eq!(run.code, 1, "{text}");
        assert!(run.stdout.contains("a quote is opened and not closed"), "{text}\n{}", run.stdout);
        assert!(run.stdout.contains(&format!("logmap.yaml{place}\n")), "{text}\n{}", run.stdout);
    }
    // one that is closed in its line is not what is wrong
    std::fs::write(dir.path().join("logmap.yaml"), "version: 1\norganization: { name: \"acme\" x }\n").unwrap();
    let run = logmap(dir.path(), &["validate"]);
    assert!(run.code == 1 && !run.stdout.contains("not closed"), "{}", run.stdout);
}

#[test]
fn braces_in_statements_are_written_twice() {
    let dir = tempfile::tempdir().unwrap();
    let map = "version: 1\norganization: { name: acme }\ndefaults:\n  log_bucket:\n    extra_statements:\n      - { Sid: Read, Effect: Allow, Principal: { AWS: \"arn:aws:iam::111122223333:role/auditor\" }, Action: \"s3:GetObject\", Resource: \"{log_bucket_arn}/{{a}}/*\" }\naccounts:\n  prod: { id: \"111122223333\", regions: { us-east-1: { buckets: [acme-web] } } }\n";
    std::fs::write(dir.path().join("logmap.yaml"), map).unwrap();
    let run = logmap(dir.path(), &["generate", "--out", "out"]);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    let policy = std::fs::read_to_string(dir.path().join("out/policies/acme-logs-111122223333-us-east-1.json")).unwrap();
    assert!(policy.contains("acme-logs-111122223333-us-east-1/{a}/*"), "{policy}");
}

#[test]
fn scripts_of_shells_are_given_the_accounts_that_go_on_from_what_is_typed() {
    let dir = tempfile::tempdir().unwrap();
    let account = |key: &str, id: &str| format!("  {key}: {{ id: \"{id}\" }}\n");
    let map = |accounts: &[String]| format!("version: 1\naccounts:\n{}", accounts.concat());
    let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
    write("logmap.yaml", &map(&[account("prod", "111122223333"), account("\"$(id)\"", "$(id)"), account("dev", "222233334444")]));
    write("a b.yaml", &map(&[account("spaced", "333344445555")]));
    write("several.yaml", "version: 1\ninclude: [part.yaml]\naccounts: { one: { id: \"111122223333\" } }\n");
    write("part.yaml", "accounts: { two: { id: \"222233334444\" } }\n");
    write("broken.yaml", "accounts: { one: [\n");
    let home = dir.path().to_str().unwrap();
    let offered = |typed: &str, words: &[&str]| {
        let typed = format!("--accounts={typed}");
        let arguments = [&["completions", typed.as_str(), "--", "logmap"], words].concat();
        let run = logmap_with_variables(dir.path(), &arguments, GOOD, &[("HOME", home)]);
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{arguments:?}");
        run.stdout.lines().collect::<Vec<_>>().join(" ")
    };
    for (typed, words, wanted) in [
        ("", &["generate", "--account", ""][..], "prod dev"),
        ("p", &["generate", "--account", "p"], "prod"),
        ("prod,", &["-q", "graph", "--account", "prod,"], "prod,dev"),
        ("x", &["generate", "--account", "x"], ""),
        // maps that are named, before and after, with quotes, a backslash, a home folder, a break at `=`
        ("", &["drift", "a\\ b.yaml", "--account", ""], "spaced"),
        ("", &["drift", "--account", "", "'a b.yaml'"], "spaced"),
        ("", &["drift", "\"a b.yaml\"", "--account", ""], "spaced"),
        ("", &["drift", "~/several.yaml", "--account", ""], "one two"),
        ("", &["check", "--map", "=", "logmap.yaml", "x.json", "--account", ""], "111122223333 222233334444"),
        ("2", &["check", "--map=logmap.yaml", "--account", "2"], "222233334444"),
        ("", &["generate", "--frobnicate", "--account", ""], "prod dev"),
        // nothing, and no word
        ("", &["check", "--account", ""], ""),
        ("", &["generate", "broken.yaml", "--account", ""], ""),
        ("", &["generate", "missing.yaml", "--account", ""], ""),
        ("", &["generate", "-", "--account", ""], ""),
        ("", &["generate", "/dev/stdin", "--account", ""], ""),
        ("", &["schema", "--account", ""], ""),
        ("", &[], ""),
    ] {
        assert_eq!(offered(typed, words), wanted, "{typed} {words:?}");
    }
    // of no use to people, and not offered to them
    assert_eq!(logmap(dir.path(), &["completions", "--accounts=x"]).code, 2);
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = logmap(dir.path(), &["completions", shell]).stdout;
        assert!(!script.contains("logmap-accounts"), "{shell}");
        assert_eq!(script.contains("\"--accounts="), !matches!(shell, "elvish" | "powershell"), "{shell}");
    }
}
