//! `logmap graph`: formats, filters, marks, files, and what it must never do. Pictures are looked at in tests/harness/graph.py.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail loudly")]

mod common;

use common::{logmap, logmap_with_input};
use std::{fs, path::Path};

fn example(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name).join("logmap.yaml")).unwrap()
}

fn draw(map: &str, arguments: &[&str]) -> String {
    let dir = tempfile::tempdir().unwrap();
    let run = logmap_with_input(dir.path(), &[&["graph", "-", "-q"], arguments].concat(), map);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{arguments:?}");
    run.stdout
}

#[test]
fn the_committed_picture_is_what_graph_draws() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/organization");
    let drawn = logmap(&root, &["graph", "-q"]).stdout;
    assert!(
        drawn == fs::read_to_string(root.join("topology.svg")).unwrap_or_default(),
        "`logmap graph --out topology.svg` in examples/organization"
    );
}

#[test]
fn every_node_of_a_map_is_on_every_picture() {
    let map = example("organization");
    let names = [
        "acme-prod-legacy",
        "acme-old-eu-logs",
        "acme-trails-444455556666-us-east-1",
        "prod-data",
        "organization",
        "222233334444",
        "ap-southeast-2",
    ];
    for format in ["svg", "dot", "mermaid", "html"] {
        let drawn = draw(&map, &["--format", format]);
        for name in names {
            assert!(drawn.contains(name), "{format} lacks {name}");
        }
        assert_eq!(drawn, draw(&map, &["--format", format]), "{format} is not the same twice");
    }
    assert!(draw(&map, &[]).starts_with("<svg"), "without --format it is svg");
}

#[test]
fn other_services_that_write_into_a_log_bucket_are_on_every_picture() {
    let map = r#"
version: 1
organization: { name: acme }
defaults: { log_bucket: { senders: [config, { service: vpc-flow-logs, prefix: flow/, accounts: all }] } }
accounts:
  prod: { id: "111122223333", regions: { us-east-1: { buckets: [acme-web] } } }
  shop: { id: "444455556666", regions: {} }
"#;
    for format in ["svg", "dot", "mermaid", "html"] {
        assert!(draw(map, &["--format", format]).contains("also AWS Config · VPC flow logs"), "{format}");
    }
    let svg = draw(map, &[]);
    assert!(svg.contains("VPC flow logs may write under flow/AWSLogs/ for 2 accounts"), "{svg}");
    let page = draw(map, &["--format", "html"]);
    let wanted = r#"{"service":"VPC flow logs","folder":"flow/AWSLogs/","accounts":["111122223333","444455556666"],"more":0}"#;
    assert!(page.contains(wanted), "{page}");
    for format in ["svg", "html"] {
        assert!(!draw(&example("organization"), &["--format", format]).contains("also AWS"), "{format}");
    }
}

#[test]
fn filters_keep_what_is_connected_and_unknown_words_are_refused() {
    let map = example("organization");
    let archive = draw(&map, &["--account", "log-archive"]);
    assert!(archive.contains("organization trail") && archive.contains("only what is connected"), "{archive}");
    assert!(!archive.contains("acme-dev-web") && !archive.contains("acme-mgmt-billing-reports"));
    let sydney = draw(&map, &["--region", "ap-southeast-2"]);
    assert!(sydney.contains("acme-prod-syd-web") && !sydney.contains("acme-prod-web"));
    let dir = tempfile::tempdir().unwrap();
    let run = logmap_with_input(dir.path(), &["graph", "-", "-q", "--account", "prodd"], &map);
    assert!(run.code == 2 && run.stdout.is_empty() && run.stderr.contains("did you mean `prod`?"), "{}", run.stderr);
}

#[test]
fn a_map_with_errors_gives_findings_and_no_picture() {
    let dir = tempfile::tempdir().unwrap();
    let run = logmap_with_input(dir.path(), &["graph", "-", "--out", "a.svg"], &example("broken"));
    assert!(run.code == 1 && run.stdout.is_empty() && run.stderr.contains("error[LM0011]"), "{}", run.stderr);
    assert!(!dir.path().join("a.svg").exists());
    let warning = example("small").replace("eu-west-1:", "eu-west-7:");
    assert_eq!(logmap_with_input(dir.path(), &["graph", "-"], &warning).code, 0);
    let strict = logmap_with_input(dir.path(), &["graph", "-", "--fail-on", "warning"], &warning);
    assert!(strict.code == 1 && strict.stdout.is_empty(), "{}", strict.stderr);
}

#[test]
fn the_format_is_the_pictures_alone() {
    let dir = tempfile::tempdir().unwrap();
    // a command that refuses its arguments does not read standard input
    fs::write(dir.path().join("map.yaml"), example("small")).unwrap();
    let ends = |arguments: &[&str]| {
        let run = logmap(dir.path(), arguments);
        assert!(run.code == 0 || run.stdout.is_empty());
        (run.code, run.stderr)
    };
    for format in ["svg", "dot", "mermaid", "html"] {
        let (code, said) = ends(&["validate", "map.yaml", "--format", format]);
        assert!(code == 2 && said.contains("[possible values: text, json, sarif, github, junit]"), "{said}");
    }
    for format in ["json", "sarif", "github", "junit", "markdown"] {
        let (code, said) = ends(&["graph", "map.yaml", "--format", format]);
        assert!(code == 2 && said.contains("[possible values: svg, dot, mermaid, html]"), "{said}");
    }
    for (file, beginning) in
        [("a.svg", "<svg"), ("a.dot", "// "), ("a.gv", "// "), ("a.mmd", "%% "), ("a.html", "<!doctype html>")]
    {
        assert_eq!(ends(&["graph", "map.yaml", "--out", file]).0, 0);
        assert!(fs::read_to_string(dir.path().join(file)).unwrap().starts_with(beginning), "{file}");
    }
    let (code, said) = ends(&["graph", "map.yaml", "--out", "a.png"]);
    assert!(code == 2 && said.contains("`.png` is no format of a picture"), "{said}");
}

#[test]
fn an_earlier_picture_is_replaced_and_nothing_else() {
    let (dir, map) = (tempfile::tempdir().unwrap(), example("small"));
    for file in ["a.svg", "a.dot", "a.mmd", "a.html"] {
        for _ in 0..2 {
            assert_eq!(logmap_with_input(dir.path(), &["graph", "-", "--out", file], &map).code, 0, "{file}");
        }
    }
    fs::write(dir.path().join("notes.svg"), "mine").unwrap();
    let run = logmap_with_input(dir.path(), &["graph", "-", "--out", "notes.svg"], &map);
    assert!(run.code == 2 && run.stderr.contains("not overwritten"), "{}", run.stderr);
    assert_eq!(fs::read_to_string(dir.path().join("notes.svg")).unwrap(), "mine");
}

/// What others deployed for the small example: one source logs to another Region, one can't be known, one is not in the map.
const CHECKED: &str = r#"
Resources:
  Web:
    Type: AWS::S3::Bucket
    Properties: { BucketName: acme-prod-web, LoggingConfiguration: { DestinationBucketName: acme-logs-111122223333-eu-west-1 } }
  Eu:
    Type: AWS::S3::Bucket
    Properties: { BucketName: acme-prod-eu, LoggingConfiguration: { DestinationBucketName: !ImportValue logs } }
  Stranger:
    Type: AWS::S3::Bucket
    Properties: { BucketName: acme-stranger, LoggingConfiguration: { DestinationBucketName: acme-stranger } }
"#;

#[test]
fn violations_are_marked_in_words_on_their_nodes() {
    let (dir, map) = (tempfile::tempdir().unwrap(), example("small"));
    fs::write(dir.path().join("stack.yaml"), CHECKED).unwrap();
    let run = |format: &str| {
        let run = logmap_with_input(dir.path(), &["graph", "-", "--check", "stack.yaml", "--format", format], &map);
        assert!(run.code == 0 && run.stderr.contains("violation(s)"), "{}", run.stderr);
        run.stdout
    };
    let svg = run("svg");
    let node = |name: &str| {
        let (_, rest) = svg.split_once(&format!("source bucket {name} ")).unwrap_or_else(|| panic!("{name} is not drawn"));
        let before = svg[..svg.len() - rest.len()].rsplit_once("<a class=\"").unwrap().1.split_once('"').unwrap().0;
        (before.to_owned(), rest.split_once("</a>").unwrap().0.to_owned())
    };
    let (class, text) = node("acme-prod-web");
    assert!(class == "node source violation" && text.contains("LM1101") && text.contains("stack.yaml:5:"), "{class}: {text}");
    let (class, text) = node("acme-prod-eu");
    assert!(
        class == "node source unknown" && text.contains("can&apos;t be known") || text.contains("can't be known"),
        "{class}: {text}"
    );
    assert_eq!(node("acme-prod-data").0, "node source", "what was not checked has no mark");
    assert!(svg.contains("1 checked configuration not on this picture") && svg.contains("acme-stranger"), "{svg}");
    assert!(run("dot").contains("violation:\\nLM1101") && run("mermaid").contains("violation:<br/>LM1101"));
    assert!(run("mermaid").contains(":::violation"));
    assert!(run("html").contains(r#""verdict":"violation","words":"`acme-prod-web` logs to"#));
}

/// Many accounts with sources in them, and a trail of all in one place.
fn large(accounts: usize, sources: usize) -> String {
    let mut map =
        "version: 1\norganization: { name: acme }\naccounts:\n  archive: { id: \"999900000000\", regions: {} }\n".to_owned();
    for account in 0..accounts {
        let names: Vec<String> = (0..sources).map(|at| format!("acme-{account}-{at}")).collect();
        let list = names.join(", ");
        map += &format!(
            "  a{account}: {{ id: \"{}\", regions: {{ us-east-1: {{ buckets: [{list}] }} }} }}\n",
            100_000_000_000 + account as u64
        );
    }
    map + "trails: { audit: { home_region: us-east-1, deliver_to: { account: archive } } }\n"
}

#[test]
fn large_maps_are_grouped_and_nothing_is_dropped_in_silence() {
    let dir = tempfile::tempdir().unwrap();
    let map = large(400, 5);
    let run = logmap_with_input(dir.path(), &["graph", "-"], &map);
    assert!(run.stderr.contains("large groups are drawn as counts"), "{}", run.stderr);
    assert!(
        run.stdout.contains("+ 101 more accounts in partition aws") && run.stdout.contains("505 sources"),
        "{}",
        &run.stdout[..3000]
    );
    assert!(run.stdout.contains("← 400 trails of 400 other accounts") && run.stdout.contains(">archive<"));
    let mermaid = draw(&map, &["--format", "mermaid"]);
    assert!(mermaid.chars().count() <= 50_000 && mermaid.matches("-->").count() + mermaid.matches("==>").count() <= 500);
    assert!(
        mermaid.contains("more accounts in aws") && mermaid.contains("a count") || mermaid.contains("Large groups are counts")
    );
    let page = draw(&map, &["--format", "html"]);
    assert!(page.contains("acme-399-4"), "the page has every source");
    let few = draw(&large(1, 30), &[]);
    assert!(few.contains(">acme-0-0<") && few.contains("+ 20 more sources"), "{few}");
    assert!(draw(&large(1, 11), &[]).contains(">acme-0-9<"), "a count of one would save nothing");
}

#[test]
fn strings_of_a_map_are_never_markup() {
    let hostile = example("small").replace("prefix: \"data/\"", "prefix: \"</script><img src=x onerror=alert(1)>&<!--/\"");
    let page = draw(&hostile, &["--format", "html"]);
    assert!(!page.contains("<img") && !page.contains("onerror=alert(1)>&"), "{page}");
    assert!(page.contains(r"\u003c/script\u003e\u003cimg src=x"), "{page}");
    assert_eq!(page.matches("</script>").count(), 2);
    let dir = tempfile::tempdir().unwrap();
    let name = "a\"];x-->y%%{init}%%<b>&amp;`\\n.yaml";
    fs::write(dir.path().join(name), example("small")).unwrap();
    for (format, wrong) in [("svg", "<b>"), ("html", "<b>"), ("dot", "<b>\n"), ("mermaid", "<b>\n")] {
        let run = logmap(dir.path(), &["graph", name, "-q", "--format", format]);
        assert!(run.code == 0 && !run.stdout.contains(wrong), "{format}: {}", run.stdout);
    }
}
