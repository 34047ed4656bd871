//! Files that a stranger put there: locks that name others' files, links, pipes, and outputs whose place is taken. Nothing outside the
//! output folder is read, printed, replaced or removed, and nothing inside it but what logmap wrote.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail loudly")]

mod common;

use common::{Run, logmap, tree};
use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
};

const MAP: &str = "version: 1\norganization: { name: acme }\naccounts:\n  prod:\n    id: \"111122223333\"\n    regions:\n      eu-west-1: { buckets: [acme-eu] }\n";
const SECRET: &str = "the secret of a neighbour\n";

/// A folder with a map in `repo/` and a secret beside it.
fn world() -> tempfile::TempDir {
    let world = tempfile::tempdir().unwrap();
    fs::create_dir(world.path().join("repo")).unwrap();
    fs::write(world.path().join("repo/logmap.yaml"), MAP).unwrap();
    fs::write(world.path().join("secret"), SECRET).unwrap();
    world
}

fn run(world: &tempfile::TempDir, arguments: &[&str]) -> Run {
    logmap(&world.path().join("repo"), arguments)
}

fn sha256(text: &str) -> String {
    use sha2::Digest;
    sha2::Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Adds a file to the lock's `files`, or to a journal.
fn list(out: &Path, part: &str, path: &str, hash: &str) {
    let name = out.join("logmap.lock.json");
    let mut lock: serde_json::Value = serde_json::from_str(&fs::read_to_string(&name).unwrap()).unwrap();
    lock[part][path] = hash.into();
    fs::write(name, serde_json::to_string_pretty(&lock).unwrap()).unwrap();
}

const COMMANDS: [&[&str]; 5] = [
    &["generate"],
    &["generate", "--force"],
    &["generate", "--check"],
    &["generate", "--target", "policies", "--account", "prod"],
    &["runbook", "logmap.yaml", "new.yaml", "--out", "out"],
];

#[test]
fn a_lock_that_names_other_than_plain_files_below_the_folder_is_refused_whole() {
    let world = world();
    let repo = world.path().join("repo");
    fs::write(repo.join("new.yaml"), MAP.replace("acme-eu", "acme-other")).unwrap();
    assert_eq!(run(&world, &["generate"]).code, 0);
    let out = repo.join("out");
    let lock = fs::read_to_string(out.join("logmap.lock.json")).unwrap();
    let absolute = world.path().join("secret").display().to_string();
    let paths = [
        "policies/../../../secret",
        "../../secret",
        "policies/./x",
        "policies//x",
        "policies/",
        "/etc/passwd",
        &absolute,
        "",
        ".",
        "..",
        "policies\\..\\..\\secret",
        "C:/secret",
        "policies/x\u{1b}[2J",
        "policies/x\n",
        "logmap.lock.json",
        "LOGMAP.lock.json",
        ".git/config",
        "policies/.logmap-stage-x/y",
    ];
    for path in paths {
        for part in ["files", "journal"] {
            list(&out, part, path, &sha256(SECRET));
            let before = tree(world.path());
            for arguments in if part == "files" { &COMMANDS[..] } else { &COMMANDS[..1] } {
                let run = run(&world, arguments);
                assert_eq!(run.code, 3, "{path:?} {part} {arguments:?} {}", run.stderr);
                assert!(run.stderr.contains("is not a lock that logmap wrote"), "{path:?} {}", run.stderr);
                assert!(!run.stdout.contains("secret of") && !run.stderr.contains("secret of"), "{path:?} {}", run.stderr);
                assert!(!run.stderr.contains('\u{1b}'), "{path:?} {}", run.stderr);
                assert!(tree(world.path()) == before, "{path:?} {part} {arguments:?}");
            }
            fs::write(out.join("logmap.lock.json"), &lock).unwrap();
        }
    }
    for (from, to) in [
        ("\"account_id\": \"111122223333\"", "\"account_id\": \"1\\\"\""),
        ("\"region\": \"eu-west-1\"", "\"region\": \"eu-west-1\\n}\""),
        ("\"bucket\": \"acme-logs-111122223333-eu-west-1\"", "\"bucket\": \"${file(1)}\""),
        ("\"account\": \"prod\"", "\"account\": \"../prod\""),
    ] {
        assert!(lock.contains(from), "{lock}");
        fs::write(out.join("logmap.lock.json"), lock.replacen(from, to, 1)).unwrap();
        let run = run(&world, &["generate"]);
        assert_eq!(run.code, 3, "{to} {}", run.stderr);
    }
    fs::write(out.join("logmap.lock.json"), &lock).unwrap();
    assert_eq!(run(&world, &["generate", "--check"]).code, 0);
}

#[test]
fn links_and_pipes_below_the_folder_are_neither_read_nor_printed_nor_removed() {
    let world = world();
    let repo = world.path().join("repo");
    assert_eq!(run(&world, &["generate"]).code, 0);
    let out = repo.join("out");
    let readme = fs::read_to_string(out.join("README.md")).unwrap();
    let elsewhere = world.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    fs::write(elsewhere.join("eu-west-1.sql"), SECRET).unwrap();

    // a file that is wanted, a folder on the way to one, and a listed file that is no longer wanted
    let put = |path: &str, target: &Path| {
        let place = out.join(path);
        if place.is_dir() {
            fs::remove_dir_all(&place).unwrap()
        } else {
            fs::remove_file(&place).unwrap_or(())
        }
        symlink(target, place).unwrap();
    };
    put("README.md", &world.path().join("secret"));
    put("athena/prod", &elsewhere);
    put("policies/gone.json", &world.path().join("secret"));
    list(&out, "files", "policies/gone.json", &sha256(SECRET));
    list(&out, "files", "athena/prod/us-east-1.sql", &sha256(SECRET));
    fs::write(elsewhere.join("us-east-1.sql"), SECRET).unwrap();
    for arguments in [&["generate", "--check"][..], &["generate"], &["generate", "--force"]] {
        let run = run(&world, arguments);
        assert!(run.code != 0, "{arguments:?}");
        assert!(
            !run.stdout.contains("secret of") && !run.stderr.contains("secret of"),
            "{arguments:?} {}{}",
            run.stdout,
            run.stderr
        );
        assert!(format!("{}{}", run.stdout, run.stderr).contains("link"), "{arguments:?} {}{}", run.stdout, run.stderr);
        assert_eq!(fs::read_to_string(world.path().join("secret")).unwrap(), SECRET);
        assert_eq!(fs::read_to_string(elsewhere.join("us-east-1.sql")).unwrap(), SECRET);
        assert_eq!(fs::read_to_string(elsewhere.join("eu-west-1.sql")).unwrap(), SECRET);
    }

    // a pipe would never be read to its end
    fs::remove_file(out.join("README.md")).unwrap();
    fs::remove_file(out.join("athena/prod")).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(out.join("README.md")).status().unwrap().success());
    for arguments in [&["generate", "--check"][..], &["generate"], &["generate", "--force"]] {
        let run = run(&world, arguments);
        assert!(run.code != 0 && format!("{}{}", run.stdout, run.stderr).contains("README.md"), "{arguments:?} {}", run.stderr);
    }
    fs::remove_file(out.join("README.md")).unwrap();
    fs::write(out.join("README.md"), readme).unwrap();

    // the lock itself
    let lock = out.join("logmap.lock.json");
    let text = fs::read_to_string(&lock).unwrap();
    fs::write(world.path().join("lock"), text).unwrap();
    fs::remove_file(&lock).unwrap();
    symlink(world.path().join("lock"), &lock).unwrap();
    for arguments in [&["generate", "--check"][..], &["generate"]] {
        let run = run(&world, arguments);
        assert!(run.code == 3 && run.stderr.contains("is not a plain file"), "{arguments:?} {}", run.stderr);
    }
    fs::remove_file(&lock).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&lock).status().unwrap().success());
    assert_eq!(run(&world, &["generate", "--check"]).code, 3);
}

#[test]
fn what_looks_like_a_stage_is_cleared_without_following_links() {
    let world = world();
    let out = world.path().join("repo/out");
    fs::create_dir(&out).unwrap();
    fs::create_dir(world.path().join("precious")).unwrap();
    fs::write(world.path().join("precious/file"), SECRET).unwrap();
    symlink(world.path().join("precious"), out.join(".logmap-stage-x")).unwrap();
    assert_eq!(run(&world, &["generate"]).code, 0);
    assert_eq!(fs::read_to_string(world.path().join("precious/file")).unwrap(), SECRET);
    assert!(fs::symlink_metadata(out.join(".logmap-stage-x")).is_err());
}

#[test]
fn a_default_folder_that_is_a_link_is_not_written_through() {
    let world = world();
    fs::create_dir(world.path().join("elsewhere")).unwrap();
    symlink(world.path().join("elsewhere"), world.path().join("repo/out")).unwrap();
    let refused = run(&world, &["generate"]);
    assert!(refused.code == 3 && refused.stderr.contains("symbolic link"), "{}", refused.stderr);
    assert_eq!(fs::read_dir(world.path().join("elsewhere")).unwrap().count(), 0);
    // who names it means it
    assert_eq!(run(&world, &["generate", "--out", "out"]).code, 0);
}

/// Commands that write one file, with the file's name.
const OUTPUTS: [(&[&str], &str); 6] = [
    (&["validate", "--write-baseline", "target"], "target"),
    (&["check", "--write-baseline", "target", "policy.json"], "target"),
    (&["graph", "--format", "svg", "--out", "target"], "target"),
    (&["graph", "--out", "target.html"], "target.html"),
    (&["import", "buckets.json", "--account", "111122223333", "--region", "eu-west-1", "--force", "--out", "target"], "target"),
    (&["man", "--out", "."], "logmap.1"),
];

#[test]
fn an_output_replaces_only_what_the_same_option_wrote() {
    for (arguments, target) in OUTPUTS {
        let world = world();
        let repo = world.path().join("repo");
        fs::write(repo.join("buckets.json"), "{\"Buckets\": [{\"Name\": \"acme-web\", \"BucketRegion\": \"eu-west-1\"}]}")
            .unwrap();
        fs::write(repo.join("policy.json"), "{\"Version\": \"2012-10-17\", \"Statement\": []}").unwrap();
        let foreign = [MAP, "{\"format_version\": 3}", "[]", "\u{0}\u{1}", "<svg/>", ".TH ls 1\n", "# Made by hand\n"];
        for text in foreign {
            fs::write(repo.join(target), text).unwrap();
            let run = run(&world, arguments);
            assert!(
                run.code == 2 && run.stderr.contains("is not overwritten"),
                "{arguments:?} {text:?} {} {}",
                run.code,
                run.stderr
            );
            assert_eq!(fs::read_to_string(repo.join(target)).unwrap(), text, "{arguments:?}");
        }
        fs::remove_file(repo.join(target)).unwrap();
        // through a link, too
        symlink(world.path().join("secret"), repo.join(target)).unwrap();
        assert_eq!(run(&world, arguments).code, 2, "{arguments:?}");
        assert_eq!(fs::read_to_string(world.path().join("secret")).unwrap(), SECRET);
        fs::remove_file(repo.join(target)).unwrap();
        // a device or a pipe is no file to be replaced
        assert!(std::process::Command::new("mkfifo").arg(repo.join(target)).status().unwrap().success());
        let refused = run(&world, arguments);
        assert!(refused.code == 2 && refused.stderr.contains("is not a plain file"), "{arguments:?} {}", refused.stderr);
        fs::remove_file(repo.join(target)).unwrap();
        // its own file is replaced, and an empty one is nobody's
        fs::write(repo.join(target), "").unwrap();
        for _ in 0..2 {
            let run = run(&world, arguments);
            assert!(run.code <= 1, "{arguments:?} {}", run.stderr);
            assert!(!fs::read_to_string(repo.join(target)).unwrap().is_empty(), "{arguments:?}");
        }
        fs::remove_file(repo.join(target)).unwrap();
        assert!(run(&world, arguments).code <= 1);
        let mode = fs::metadata(repo.join(target)).unwrap().permissions().mode() & 0o777;
        let plain = repo.join("plain");
        fs::write(&plain, "").unwrap();
        assert_eq!(mode, fs::metadata(&plain).unwrap().permissions().mode() & 0o777, "{arguments:?}: not what umask leaves");
    }
}

#[test]
fn new_files_heed_the_umask() {
    let world = world();
    let repo = world.path().join("repo");
    let script = format!(
        "umask 077 && '{0}' generate && '{0}' graph --out g.svg && '{0}' validate --write-baseline b.json",
        env!("CARGO_BIN_EXE_logmap")
    );
    let done = std::process::Command::new("sh").args(["-c", &script]).current_dir(&repo).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    for path in ["g.svg", "b.json", "out/README.md", "out/logmap.lock.json", "out/aws-cli/run-all.sh"] {
        let mode = fs::metadata(repo.join(path)).unwrap().permissions().mode() & 0o077;
        assert_eq!(mode, 0, "{path} is open to others");
    }
}
