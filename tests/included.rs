//! A map that is kept in several files means what it means in one, and what is said of it is said of the file that holds the thing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail loudly")]

mod common;

use common::{logmap, tree};
use logmap::testing::{
    analysis::{Analysis, AnalysisCache, analyze, analyze_incremental},
    included::Sources,
    source::SourceFile,
};
use serde_yaml::{Mapping, Value};
use std::{fs, path::Path, process::Command};

const ROOT: &str = "version: 1\norganization: { name: acme }\ninclude: [accounts/*.yaml, trails.yaml]\n";
const PROD: &str =
    "version: 1\naccounts:\n  prod:\n    id: \"111122223333\"\n    regions:\n      us-east-1: { buckets: [acme-prod-web] }\n";
const ARCHIVE: &str = "version: 1\naccounts:\n  log-archive: { id: \"999988887777\" } # ours\n";
const TRAILS: &str = "version: 1\ntrails:\n  audit: { deliver_to: { account: log-archive } }\n";

/// A folder with a map in several files.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    write(
        dir.path(),
        &[("logmap.yaml", ROOT), ("accounts/prod.yaml", PROD), ("accounts/archive.yaml", ARCHIVE), ("trails.yaml", TRAILS)],
    );
    write(dir.path(), files);
    dir
}

fn write(dir: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        fs::create_dir_all(dir.join(name).parent().unwrap()).unwrap();
        fs::write(dir.join(name), text).unwrap();
    }
}

/// A map with each of its accounts, trails and shared keys in a file of its own.
fn split(dir: &Path, text: &str) {
    let mut map: Mapping = serde_yaml::from_str(text).unwrap();
    for (section, folder) in [("accounts", "a"), ("trails", "t/all")] {
        let Some(Value::Mapping(entries)) = map.remove(section) else { continue };
        for (number, (key, value)) in entries.into_iter().enumerate() {
            let one = Mapping::from_iter([(key, value)]);
            let file = Mapping::from_iter([("version".into(), 1.into()), (section.into(), one.into())]);
            write(dir, &[(&format!("{folder}/{number:04}.yaml"), &serde_yaml::to_string(&file).unwrap())]);
        }
    }
    for section in ["defaults", "monitoring", "tags", "publish", "render"] {
        let Some(value) = map.remove(section) else { continue };
        let file = Mapping::from_iter([("version".into(), 1.into()), (section.into(), value)]);
        write(dir, &[(&format!("a/{section}.yaml"), &serde_yaml::to_string(&file).unwrap())]);
    }
    map.insert("include".into(), vec![Value::from("a/*.yaml"), Value::from("t/**/*.yaml")].into());
    if !dir.join("t").exists() {
        map.insert("include".into(), vec![Value::from("a/*.yaml")].into());
    }
    write(dir, &[("logmap.yaml", &serde_yaml::to_string(&map).unwrap())]);
}

#[test]
fn a_map_in_many_files_renders_what_it_renders_in_one() {
    let maps = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/maps");
    for name in ["full", "organization", "partitions", "small"] {
        let text = fs::read_to_string(maps.join(format!("{name}.yaml"))).unwrap();
        let (one, many) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        write(one.path(), &[("logmap.yaml", &text)]);
        split(many.path(), &text);
        for dir in [&one, &many] {
            let run = logmap(dir.path(), &["generate", "--quiet"]);
            assert_eq!(run.code, 0, "{name}: {}", run.stderr);
        }
        let (one, many) = (tree(&one.path().join("out")), tree(&many.path().join("out")));
        assert!(one.len() > 10, "{name}: {} files", one.len());
        let differ: Vec<&String> = one.keys().chain(many.keys()).filter(|path| one.get(*path) != many.get(*path)).collect();
        assert!(differ.is_empty(), "{name}: {differ:?}");
    }
}

#[test]
fn findings_stand_in_the_file_that_holds_the_thing() {
    let again =
        "# twice\naccounts:\n  prod: { id: 111122223334, regions: { us-east-1: { buckets: [acme-prod-web] } } }\nsettings: {}\n";
    let root = ROOT.replace("trails.yaml", "trails.yaml, tags.yaml") + "tags: { owner: us }\n";
    let tags = "version: 1\ntags: { owner: them }\n";
    let dir = folder(&[("accounts/prod-2.yaml", again), ("logmap.yaml", &root), ("tags.yaml", tags)]);
    let run = logmap(dir.path(), &["validate"]);
    for said in [
        "the account `prod` stands in two files\n --> accounts/prod.yaml:3:3",
        "::: accounts/prod-2.yaml:3:3",
        "the region map needs the key `version`\n --> accounts/prod-2.yaml:2:1",
        "`settings` can't stand in an included file\n --> accounts/prod-2.yaml:4:1",
        "`tags` stands in two files\n --> tags.yaml:2:1",
        "`id` is a number, expected a string\n --> accounts/prod-2.yaml:3:15",
    ] {
        assert!(run.stderr.contains(said) || run.stdout.contains(said), "{said}\n{}{}", run.stdout, run.stderr);
    }
    assert_eq!(run.code, 1);
    let json: serde_json::Value = serde_json::from_str(&logmap(dir.path(), &["validate", "--format", "json"]).stdout).unwrap();
    let twice = json["findings"].as_array().unwrap().iter().find(|finding| finding["rule"] == "LM0005").unwrap();
    assert_eq!(twice["file"], "accounts/prod.yaml");
    assert_eq!(twice["related"][0]["file"], "accounts/prod-2.yaml");
    assert_eq!(twice["related"][0]["range"]["start"]["line"], 3);
    assert_eq!(twice["route"], "accounts.prod");
    let sarif = logmap(dir.path(), &["validate", "--format", "sarif"]).stdout;
    assert!(sarif.contains("\"uri\": \"accounts/prod-2.yaml\""), "{sarif}");
}

#[test]
fn a_comment_silences_in_its_own_file() {
    // a version that is not known is an error that no comment silences; a bucket name that is not checked is one that may be
    let noisy = PROD.replace("[acme-prod-web]", "[acme-prod-web, Acme_Old]");
    let dir = folder(&[
        ("accounts/prod.yaml", &noisy),
        ("accounts/archive.yaml", &format!("{ARCHIVE}# logmap: ignore[LM0108] the last line\n")),
    ]);
    let run = logmap(dir.path(), &["validate", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let unused = json["findings"].as_array().unwrap().iter().filter(|finding| finding["rule"] == "LM0015");
    assert_eq!(unused.map(|finding| finding["file"].clone()).collect::<Vec<_>>(), ["accounts/archive.yaml"], "{}", run.stdout);
}

#[test]
fn what_a_pattern_means_is_read_or_said() {
    for (pattern, said) in [
        ("../x.yaml", "`../x.yaml` is no path below the map's folder"),
        ("/etc/passwd", "`/etc/passwd` is no path below the map's folder"),
        ("a/../../x.yaml", "is no path below the map's folder"),
        ("'C:x.yaml'", "is no path below the map's folder"),
        ("'a\\x.yaml'", "is no path below the map's folder"),
        ("''", "is no path below the map's folder"),
        ("none/*.yaml", "`none/*.yaml` can't be looked for"),
        ("accounts/*.json", "no file is meant by `accounts/*.json`"),
        ("accounts/x.yaml", "`accounts/x.yaml` can't be read"),
        ("accounts", "`accounts` can't be read: it is a folder, not a file"),
        ("'accounts/[.yaml'", "`accounts/[.yaml` is no pattern"),
    ] {
        let dir = folder(&[(
            "logmap.yaml",
            &format!("version: 1\norganization: {{ name: acme }}\ninclude: [accounts/*.yaml, {pattern}]\n"),
        )]);
        for arguments in [&["validate"][..], &["generate"]] {
            let run = logmap(dir.path(), arguments);
            let all = run.stdout + &run.stderr;
            assert!(
                run.code == 1 && all.contains("error[LM0016]") && all.contains(said),
                "{pattern} {arguments:?}: {} {all}",
                run.code
            );
        }
        assert!(!dir.path().join("out").exists(), "{pattern}");
    }
    // as many patterns as one likes cost no more than looking once
    let many: String = (0..2000).map(|at| format!("'{}a{at}', ", "*a".repeat(100))).collect();
    let dir =
        folder(&[("logmap.yaml", &format!("version: 1\norganization: {{ name: acme }}\ninclude: [accounts/*.yaml, {many}]\n"))]);
    let run = logmap(dir.path(), &["validate"]);
    let all = run.stdout + &run.stderr;
    assert!(run.code == 1 && all.contains("files are looked for by 100 patterns; `"), "{}", run.code);
    // the map itself and hidden files are not meant, and a file is read once
    let patterns = "version: 1\norganization: { name: acme }\ninclude: ['*.yaml', 'accounts/**/*.yaml', 'accounts/prod.yaml', './accounts/prod.yaml']\n";
    let dir = folder(&[("logmap.yaml", patterns), (".hidden.yaml", "no map"), ("accounts/.git/x.yaml", "no map")]);
    let run = logmap(dir.path(), &["validate"]);
    assert_eq!((run.code, run.stderr.contains("2 account(s)")), (0, true), "{}", run.stderr);
}

#[cfg(unix)]
#[test]
fn a_link_does_not_lead_out_of_the_folder() {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret.yaml"), "version: 1\ntoken: hunter2\n").unwrap();
    let dir = folder(&[]);
    std::os::unix::fs::symlink(outside.path().join("secret.yaml"), dir.path().join("accounts/link.yaml")).unwrap();
    let run = logmap(dir.path(), &["validate"]);
    let all = run.stdout + &run.stderr;
    assert!(
        run.code == 1 && all.contains("it is a link that leads out of the map's folder") && !all.contains("hunter2"),
        "{all}"
    );
    // within the folder it may lead anywhere, and a folder that is a link is not looked through
    fs::remove_file(dir.path().join("accounts/link.yaml")).unwrap();
    fs::rename(dir.path().join("accounts/prod.yaml"), dir.path().join("prod.text")).unwrap();
    std::os::unix::fs::symlink("../prod.text", dir.path().join("accounts/prod.yaml")).unwrap();
    std::os::unix::fs::symlink(outside.path(), dir.path().join("accounts/all.yaml")).unwrap();
    let run = logmap(dir.path(), &["validate"]);
    assert!(run.stderr.contains("`accounts/all.yaml` can't be read") || run.stdout.contains("`accounts/all.yaml` can't be read"));
    fs::remove_file(dir.path().join("accounts/all.yaml")).unwrap();
    assert_eq!(logmap(dir.path(), &["validate"]).code, 0);
}

#[test]
fn fixes_are_made_in_the_file_that_holds_the_thing() {
    let bad = format!("\u{feff}{}", PROD.replace("\"111122223333\"", "111122223333").replace("version: 1\n", ""));
    let dir = folder(&[("accounts/prod.yaml", &bad)]);
    let before = tree(dir.path());
    let diff = logmap(dir.path(), &["validate", "--diff"]);
    assert!(
        diff.code == 1 && diff.stdout.contains("accounts/prod.yaml") && diff.stdout.contains("+    id: \"111122223333\""),
        "{}",
        diff.stdout
    );
    assert_eq!(tree(dir.path()), before);
    let run = logmap(dir.path(), &["validate", "--fix"]);
    assert!(run.code == 0 && run.stderr.contains("fixed LM0011 at accounts/prod.yaml:3: put it in quotes"), "{}", run.stderr);
    let mut expected = before;
    expected.insert("accounts/prod.yaml".to_owned(), format!("\u{feff}{PROD}"));
    assert_eq!(tree(dir.path()), expected);
}

#[test]
fn import_writes_to_the_file_that_holds_the_account_or_makes_one() {
    let dir = folder(&[]);
    let listed = |name: &str, region: &str| format!("{{\"Name\": \"{name}\", \"BucketRegion\": \"{region}\"}}");
    let buckets =
        format!("{{\"Buckets\": [{}, {}]}}", listed("acme-prod-web", "us-east-1"), listed("acme-prod-new", "eu-west-1"));
    fs::write(dir.path().join("prod.json"), &buckets).unwrap();
    let run = logmap(dir.path(), &["import", "--account", "111122223333", "--into", "logmap.yaml", "prod.json"]);
    assert!(run.code == 0 && run.stderr.contains("extended accounts/prod.yaml"), "{}", run.stderr);
    let prod = fs::read_to_string(dir.path().join("accounts/prod.yaml")).unwrap();
    assert!(prod.starts_with(PROD) && prod.contains("eu-west-1:") && prod.contains("acme-prod-new"), "{prod}");
    fs::write(dir.path().join("new.json"), buckets.replace("acme-prod", "acme-stage")).unwrap();
    let arguments = ["import", "--account", "stage=444455556666", "--into", "logmap.yaml", "new.json"];
    let shown = logmap(dir.path(), &[&arguments[..], &["--diff"]].concat());
    assert!(shown.code == 1 && shown.stdout.contains("+++ accounts/stage.yaml"), "{}{}", shown.stdout, shown.stderr);
    let run = logmap(dir.path(), &arguments);
    assert!(run.code == 0 && run.stderr.contains("wrote accounts/stage.yaml"), "{}", run.stderr);
    let stage = fs::read_to_string(dir.path().join("accounts/stage.yaml")).unwrap();
    assert!(stage.starts_with("version: 1\naccounts:\n  stage:\n    id: \"444455556666\"\n"), "{stage}");
    let untouched =
        ["logmap.yaml", "accounts/archive.yaml", "trails.yaml"].map(|name| fs::read_to_string(dir.path().join(name)).unwrap());
    assert_eq!(untouched, [ROOT, ARCHIVE, TRAILS]);
    let again = logmap(dir.path(), &arguments);
    assert!(again.code == 0 && again.stderr.contains("has all of it already"), "{}", again.stderr);
    // a bucket that is elsewhere is shown where it is
    let moved = buckets.replace("us-east-1", "us-west-2");
    fs::write(dir.path().join("moved.json"), moved).unwrap();
    let run = logmap(dir.path(), &["import", "--account", "111122223333", "--into", "logmap.yaml", "moved.json"]);
    assert!(run.stderr.contains("accounts/prod.yaml:6:"), "{}", run.stderr);
}

#[test]
fn a_revision_has_the_files_it_had() {
    let dir = folder(&[]);
    let git = |arguments: &[&str]| {
        let done = Command::new("git")
            .args(["-c", "user.name=n", "-c", "user.email=n@example.com"])
            .args(arguments)
            .current_dir(dir.path())
            .output()
            .unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    };
    git(&["init", "--quiet"]);
    git(&["add", "."]);
    git(&["commit", "--quiet", "--message", "a"]);
    let stage = PROD.replace("prod", "stage").replace("111122223333", "444455556666");
    write(dir.path(), &[("accounts/stage.yaml", &stage)]);
    fs::remove_file(dir.path().join("trails.yaml")).unwrap();
    write(dir.path(), &[("logmap.yaml", &ROOT.replace(", trails.yaml", ""))]);
    for arguments in [
        &["diff", "--since", "HEAD"][..],
        &["diff", "HEAD:logmap.yaml", "logmap.yaml"],
        &["diff", "HEAD:./logmap.yaml", "logmap.yaml"],
    ] {
        let run = logmap(dir.path(), arguments);
        assert!(
            run.code == 1 && run.stdout.contains("acme-stage-web") && run.stdout.contains("audit"),
            "{arguments:?} {}{}",
            run.stdout,
            run.stderr
        );
        assert!(!run.stdout.contains("acme-prod-web"), "{}", run.stdout);
    }
    let below = dir.path().join("accounts");
    let run = logmap(&below, &["diff", "--since", "HEAD", "../logmap.yaml"]);
    assert!(
        run.code == 1 && run.stdout.contains("acme-stage-web") && !run.stdout.contains("acme-prod-web"),
        "{}{}",
        run.stdout,
        run.stderr
    );
}

#[test]
fn a_map_on_standard_input_includes_what_is_beside_its_name() {
    let dir = folder(&[]);
    let below = dir.path().join("below");
    fs::create_dir(&below).unwrap();
    let run = common::logmap_with_input(&below, &["validate", "-", "--stdin-filename", "../logmap.yaml"], ROOT);
    assert!(run.code == 0 && run.stderr.contains("2 account(s)"), "{}", run.stderr);
    let run = common::logmap_with_input(dir.path(), &["validate", "-"], ROOT);
    assert!(run.code == 0 && run.stderr.contains("2 account(s)"), "{}", run.stderr);
    let fixed = common::logmap_with_input(dir.path(), &["validate", "-", "--fix"], &ROOT.replace("version: 1\n", ""));
    assert_eq!(fixed.stdout, ROOT, "{}", fixed.stderr);
}

/// All of an analysis that people see.
fn shown(analysis: &Analysis) -> [String; 3] {
    let spans: Vec<String> =
        analysis.findings.iter().map(|one| format!("{} {:?} {}", one.rule.id, one.span, one.message)).collect();
    [format!("{:?}", analysis.document), format!("{spans:#?}"), serde_json::to_string(&analysis.plan).unwrap()]
}

#[test]
fn a_change_of_one_file_gives_what_reading_all_gives() {
    let files = |texts: &[&str]| {
        let mut files = texts.iter().enumerate().map(|(at, text)| SourceFile::new(format!("{at}.yaml"), *text));
        Sources { map: files.next().unwrap(), included: files.collect(), unusable: Some(Vec::new()), baseline: None }
    };
    let mut cache = AnalysisCache::for_editing();
    let mut texts = vec![ROOT, PROD, ARCHIVE, TRAILS];
    let longer = PROD.replace("acme-prod-web", "acme-prod-web, acme-prod-new");
    let commented = format!("# of the archive\n{ARCHIVE}  # and behind it\n");
    let (root, broken) = (format!("{ROOT}defaults: {{}}\n"), PROD.replace("id:", "id"));
    for (at, text) in [
        (1, longer.as_str()),
        (2, &commented),
        (2, ARCHIVE),
        (0, &root),
        (1, &broken),
        (1, PROD),
        (3, "version: 1\n"),
        (3, ""),
        (3, TRAILS),
        (0, ROOT),
    ] {
        let before = analyze_incremental(files(&texts), &mut cache);
        cache.keep(before);
        texts[at] = text;
        let (incremental, whole) = (analyze_incremental(files(&texts), &mut cache), analyze(files(&texts)));
        for (incremental, whole) in shown(&incremental).iter().zip(shown(&whole)) {
            let same = incremental.bytes().zip(whole.bytes()).take_while(|(a, b)| a == b).count();
            let from = same.saturating_sub(200);
            assert!(*incremental == whole, "file {at} is now {text}:\n{}\n{}", &incremental[from..], &whole[from..]);
        }
        cache.keep(incremental);
    }
}

#[test]
fn several_maps_are_looked_at_together() {
    let dir = tempfile::tempdir().unwrap();
    let map = |key: &str, id: &str, region: &str, bucket: &str| {
        format!(
            "version: 1\norganization: {{ name: acme }}\naccounts:\n  {key}: {{ id: \"{id}\", regions: {{ {region}: {{ buckets: [{bucket}] }} }} }}\n"
        )
    };
    let (a, b) = (map("prod", "111122223333", "us-east-1", "acme-web"), map("live", "111122223333", "us-east-1", "acme-data"));
    write(
        dir.path(),
        &[("a/logmap.yaml", &a), ("b/team.logmap.yml", &b), ("b/other.yaml", "no map"), (".hidden/logmap.yaml", "no map")],
    );
    for arguments in [
        &["validate", "a/logmap.yaml", "b/team.logmap.yml"][..],
        &["validate", "."],
        &["validate", "a", "b"],
        &["validate", "a", "b", "."],
    ] {
        let run = logmap(dir.path(), arguments);
        let all = run.stdout.clone() + &run.stderr;
        assert!(
            run.code == 1 && all.contains("error[LM0121]: `us-east-1` of account `111122223333` is in two maps"),
            "{arguments:?} {all}"
        );
        assert!(
            all.contains("--> b/team.logmap.yml:4:") && all.contains("a/logmap.yaml:4:") && all.contains("2 maps: 1 error"),
            "{arguments:?} {all}"
        );
    }
    let json: serde_json::Value =
        serde_json::from_str(&logmap(dir.path(), &["validate", ".", "--format", "json"]).stdout).unwrap();
    assert_eq!(json["findings"][0]["file"], "b/team.logmap.yml");
    assert_eq!(json["findings"][0]["route"], "accounts.live.regions.us-east-1");
    assert_eq!(json["findings"][0]["related"][0]["file"], "a/logmap.yaml");
    // what is known is not said again
    assert_eq!(logmap(dir.path(), &["validate", ".", "--write-baseline", "known.json"]).code, 0);
    assert_eq!(logmap(dir.path(), &["validate", ".", "--baseline", "known.json"]).code, 0);

    for (other, code, said) in [
        (map("live", "111122223333", "eu-west-1", "acme-data"), 0, "warning[LM0122]: account `111122223333` is in two maps"),
        (
            map("live", "444455556666", "eu-west-1", "acme-web"),
            1,
            "error[LM0121]: `acme-web` is in `eu-west-1` of account `444455556666` here",
        ),
        (map("live", "444455556666", "cn-north-1", "acme-web"), 0, "1 account(s)"),
        (map("prod", "444455556666", "us-east-1", "acme-data"), 0, "1 account(s)"),
        // a Region that one of them has for the trails of its accounts
        (
            map("live", "444455556666", "us-east-1", "acme-data")
                .replace("accounts:\n", "accounts:\n  archive: { id: \"111122223333\" }\n")
                + "trails: { audit: { accounts: [live], deliver_to: { account: archive } } }\n",
            1,
            "error[LM0121]: `us-east-1` of account `111122223333` is in two maps",
        ),
        // what is wrong in one of them is said, too
        (map("live", "444455556666", "eu-west-1", "[]"), 1, "error[LM0011]"),
    ] {
        write(dir.path(), &[("b/team.logmap.yml", &other)]);
        let run = logmap(dir.path(), &["validate", "a", "b"]);
        let all = run.stdout + &run.stderr;
        assert!(run.code == code && all.contains(said), "{other}{} {all}", run.code);
    }
    // a file that a map includes is no map of its own
    write(
        dir.path(),
        &[
            ("a/logmap.yaml", &a.replace("accounts:", "include: [x.logmap.yaml]\naccounts:")),
            (
                "a/x.logmap.yaml",
                "version: 1\naccounts: { x: { id: \"777788889999\", regions: { us-east-1: { buckets: [acme-x] } } } }\n",
            ),
        ],
    );
    let run = logmap(dir.path(), &["validate", "a"]);
    assert!(run.code == 0 && run.stderr.contains("2 account(s)") && run.stderr.lines().count() == 1, "{}", run.stderr);
    fs::create_dir(dir.path().join("none")).unwrap();
    for (arguments, said) in [
        (&["validate", "none"][..], "there is no logmap.yaml or *.logmap.yaml in none"),
        (&["validate", "a", "gone.yaml"], "can't read the map gone.yaml"),
        (&["validate", "a", "b", "--fix"], "take one map at a time"),
    ] {
        let run = logmap(dir.path(), arguments);
        assert!(run.code == 2 && run.stderr.contains(said), "{arguments:?} {}", run.stderr);
    }
}

#[test]
fn environments_share_what_they_include() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/environments");
    let dir = tempfile::tempdir().unwrap();
    for name in ["logmap.yaml", "stage.logmap.yaml", "shared/defaults.yaml", "shared/trails.yaml"] {
        write(dir.path(), &[(name, &fs::read_to_string(root.join(name)).unwrap())]);
    }
    let run = logmap(dir.path(), &["validate", ".", "--fail-on", "warning"]);
    assert!(run.code == 0 && run.stdout.is_empty(), "{}", run.stdout);
    assert!(run.stderr.contains("stage.logmap.yaml") && !run.stderr.contains("shared/"), "{}", run.stderr);
    for (map, out, retention) in [("logmap.yaml", "out", "400"), ("stage.logmap.yaml", "out-stage", "30")] {
        let run = logmap(dir.path(), &["generate", map, "--target", "terraform"]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        let made: String = tree(&dir.path().join(out)).into_values().collect();
        for part in [&format!("days = {retention}"), "platform-security", "logging-alerts", "aws_cloudtrail"] {
            assert!(made.contains(part), "{map}: {part}");
        }
    }
    // a mistake of the shared file is said there, by each map, and mended there
    let shared = fs::read_to_string(dir.path().join("shared/defaults.yaml")).unwrap();
    write(dir.path(), &[("shared/defaults.yaml", &shared.replace("    retention:", "    prefix: logs\n    retention:"))]);
    for map in ["logmap.yaml", "stage.logmap.yaml"] {
        let run = logmap(dir.path(), &["validate", map]);
        assert!(run.stdout.contains("LM0302") && run.stdout.contains("--> shared/defaults.yaml:6:13"), "{}", run.stdout);
    }
    assert_eq!(logmap(dir.path(), &["validate", "stage.logmap.yaml", "--fix"]).code, 0);
    let mended = fs::read_to_string(dir.path().join("shared/defaults.yaml")).unwrap();
    assert!(mended.contains("    prefix: logs/\n"), "{mended}");
    // what a map and its shared file both say is an error with both places
    let stage = fs::read_to_string(dir.path().join("stage.logmap.yaml")).unwrap();
    write(dir.path(), &[("stage.logmap.yaml", &format!("{stage}defaults: {{}}\n"))]);
    let run = logmap(dir.path(), &["validate", "stage.logmap.yaml"]);
    assert!(
        run.code == 1 && run.stdout.contains("`defaults` stands in two files\n  --> shared/defaults.yaml:3:1"),
        "{}",
        run.stdout
    );
    assert!(run.stdout.contains("::: stage.logmap.yaml:"), "{}", run.stdout);
}
