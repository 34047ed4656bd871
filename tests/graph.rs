//! `logmap graph`: formats, filters, marks, files, and what it must never do. Pictures are looked at in tests/harness/graph.py.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail loudly")]

mod common;

use common::{logmap, logmap_with_input};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

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
        assert!(code == 2 && said.contains("[possible values: text, json, sarif, github, junit, gitlab, concise]"), "{said}");
    }
    for format in ["json", "sarif", "github", "junit", "gitlab", "concise", "markdown"] {
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

const LOGS: &str = "acme-logs-111122223333-us-east-1";

/// The world of `tests/drift/`, with days on which logs arrived; what is wrong is put in by each test.
fn world(change: impl Fn(&mut Value)) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/drift/snapshot.json");
    let mut world: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    change(&mut world);
    world.to_string()
}

fn world_map() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/drift/logmap.yaml")).unwrap()
}

fn bucket<'w>(world: &'w mut Value, name: &str) -> &'w mut Value {
    let accounts = world["accounts"].as_array_mut().unwrap().iter_mut();
    accounts.flat_map(|account| account["buckets"].as_array_mut().unwrap()).find(|bucket| bucket["Name"] == name).unwrap()
}

/// Looks for the days of every source: until the 26th for one, never for one, not read for one, and lately for the others.
fn with_days(world: &mut Value) {
    let seen = |source: &str, prefix: &str, format: Value, days: &[&str]| json!({ "source": source, "prefix": prefix, "format": format, "ever": !days.is_empty(), "days": days, "complete": true });
    let fine = ["2026-11-28", "2026-11-29"];
    world["scope"]["delivery_days"] = 7.into();
    bucket(world, LOGS)["delivered"] = json!([
        seen("acme-web", "s3-access/", "EventTime".into(), &["2026-11-26"]),
        seen("acme-api", "s3-access/", "EventTime".into(), &fine),
        seen("acme-flat", "flat/acme-flat/", Value::Null, &[]),
    ]);
    bucket(world, "acme-logs-111122223333-eu-west-1")["delivered"] =
        json!({ "error": "AccessDenied", "call": "s3:ListObjectsV2", "message": "m" });
    bucket(world, "acme-logs-444455556666-us-east-1")["delivered"] = json!([
        seen("acme-vault", "s3-access/", "EventTime".into(), &fine),
        seen("acme-trails-444455556666-us-east-1", "s3-access/", "EventTime".into(), &fine),
    ]);
    for account in world["accounts"].as_array_mut().unwrap() {
        for region in account["regions"].as_array_mut().unwrap() {
            for trail in region["trails"].as_array_mut().unwrap() {
                for status in trail["status"].as_object_mut().unwrap().values_mut() {
                    status["LatestDigestDeliveryTime"] = "2026-11-30T01:30:00Z".into();
                }
            }
        }
    }
}

fn broken(world: &mut Value) {
    bucket(world, "acme-api")["logging"] = Value::Null;
    bucket(world, LOGS)["tags"] = json!({ "error": "AccessDenied", "call": "s3:GetBucketTagging", "message": "m" });
    bucket(world, "acme-logs-444455556666-us-east-1")["versioning"] = json!({ "Status": "Suspended" });
    world["accounts"][0]["regions"][1]["topics"] =
        json!({ "error": "AccessDenied", "call": "sns:GetTopicAttributes", "message": "m" });
}

/// Draws the map of `tests/drift/` in a folder with files; gives what is drawn and what is said beside it.
fn held(files: &[(&str, &str)], arguments: &[&str]) -> (String, String) {
    let dir = tempfile::tempdir().unwrap();
    files.iter().for_each(|(name, text)| fs::write(dir.path().join(name), text).unwrap());
    let run = logmap_with_input(dir.path(), &[&["graph", "-"], arguments].concat(), &world_map());
    assert_eq!(run.code, 0, "{arguments:?}: {}", run.stderr);
    (run.stdout, run.stderr)
}

/// The class and the texts of each node of a picture, by what its title begins with.
fn nodes(svg: &str) -> BTreeMap<String, (String, String)> {
    let one = |node: &str| {
        let (class, rest) = node.split_once('"')?;
        let (_, title) = rest.split_once("<title>")?;
        let (title, texts) = title.split_once("</title>")?;
        let first = title.lines().next()?.to_owned();
        Some((first, (class.to_owned(), format!("{title}\n{}", texts.split("</a>").next()?))))
    };
    svg.split("<a class=\"").filter_map(one).collect()
}

fn node<'n>(nodes: &'n BTreeMap<String, (String, String)>, begins: &str) -> &'n (String, String) {
    let found = nodes.iter().find(|(title, _)| title.starts_with(begins));
    found.unwrap_or_else(|| panic!("{begins} is not among {:?}", nodes.keys())).1
}

#[test]
fn what_drift_says_of_a_snapshot_is_on_every_node() {
    let files = [
        (
            "now.json",
            &*world(|world| {
                with_days(world);
                broken(world)
            }),
        ),
        ("before.json", &world(with_days).replace("2026-11-30T02", "2026-11-28T02")),
    ];
    let draw = |format: &str| held(&files, &["--check", "now.json", "--since", "before.json", "--format", format]);
    let (svg, said) = draw("svg");
    assert!(said.contains("held against a snapshot: 26 as the map says, 2 in drift, 2 not read"), "{said}");
    let nodes = nodes(&svg);
    for (begins, class, words) in [
        ("source bucket acme-web ", "stopped", &["as the map says", "delivery: stopped, last on 2026-11-26", "LM2303: "][..]),
        ("source bucket acme-flat ", "stopped", &["as the map says · delivery: never", "LM2304: "]),
        (
            "source bucket acme-api ",
            "drift",
            &["drift · delivery: arrives", "LM2111: `acme-api` logs nowhere", "as read at 2026-11-30T02:00:00Z"],
        ),
        (
            "source bucket acme-eu ",
            "unknown",
            &["as the map says · delivery: not read", "its log objects could not be read: AWS answered"],
        ),
        ("source bucket acme-vault ", "ok", &["as the map says · delivery: arrives"]),
        (&format!("log bucket {LOGS}"), "unknown", &["not read", "tags could not be read: AWS answered"]),
        ("log bucket acme-logs-444455556666", "drift", &["drift", "LM2107: versioning of"]),
        ("log bucket acme-trails-444455556666", "ok", &["as the map says"]),
        ("trail audit ", "ok", &["as the map says", "delivery: arrives"]),
    ] {
        let (found, text) = node(&nodes, begins);
        assert_eq!(found.rsplit(' ').next(), Some(class), "{begins}: {found}");
        // a sign beside the colour, and words
        assert!(text.contains(&format!("class=\"sign {class}\"")), "{begins}: {text}");
        words.iter().for_each(|words| assert!(text.contains(words), "{begins} lacks {words}: {text}"));
    }
    let heading = "as read at 2026-11-30T02:00:00Z · 10 as the map says · 2 in drift · 1 not read · delivery: 5 arrives, 1 stopped, 1 never, 1 unknown";
    for format in ["svg", "dot", "mermaid", "html"] {
        let (drawn, _) = draw(format);
        assert!(drawn.replace('\n', " ").contains(heading), "{format}: {}", drawn.replace('\n', " "));
        for words in ["as the map says", "delivery: stopped, last on 2026-11-26", "not read", "LM2107: versioning"] {
            assert!(drawn.contains(words), "{format} lacks {words}");
        }
    }
    assert!(
        svg.contains("what is published and watched in us-east-1 of prod: topics") || svg.contains("not on this picture"),
        "{svg}"
    );
    assert!(draw("mermaid").0.contains(":::stopped") && draw("mermaid").0.contains(":::drift"));
    assert!(draw("html").0.contains(
        r#""look":"stopped","state":"as the map says","delivery":["delivery: stopped, last on 2026-11-26","stopped"]"#
    ));
}

#[test]
fn a_picture_counts_what_drift_counts() {
    let mutations: [fn(&mut Value); 6] = [
        |_| {},
        with_days,
        |world| {
            with_days(world);
            broken(world)
        },
        |world| {
            world["accounts"].as_array_mut().unwrap().pop();
        },
        |world| {
            world["accounts"][0]["regions"][0] = json!({ "Region": "eu-west-1", "unreachable": "no answer" });
        },
        |world| {
            world["accounts"][1] = json!({ "Id": "444455556666", "partition": "aws", "taken_at": "2026-11-30T02:00:00Z", "error": "AccessDenied", "call": "sts:AssumeRole", "message": "m" });
        },
    ];
    let dir = tempfile::tempdir().unwrap();
    for (at, change) in mutations.into_iter().enumerate() {
        let text = world(change);
        fs::write(dir.path().join("s.json"), &text).unwrap();
        let (svg, _) = held(&[("s.json", &text)], &["--check", "s.json"]);
        let delivery = text.contains("\"delivered\"");
        let flags =
            [&["drift", "-", "--snapshot", "s.json", "--format", "json"][..], if delivery { &["--delivery"] } else { &[] }]
                .concat();
        let run = logmap_with_input(dir.path(), &flags, &world_map());
        let report: Value = serde_json::from_str(&run.stdout).unwrap();
        let count = |state: &str| -> u64 {
            ["log_buckets", "sources", "trails"].iter().map(|kind| report["checked"][kind][state].as_u64().unwrap()).sum()
        };
        let wanted =
            format!("{} as the map says · {} in drift · {} not read", count("as_mapped"), count("drifted"), count("unknown"));
        assert!(svg.contains(&wanted), "{at}: {wanted} is not in {}", &svg[..900]);
        assert_eq!(svg.contains("whether logs arrive was not looked at"), !delivery, "{at}");
        assert_eq!(svg.contains("delivery:"), delivery, "{at}");
        let nodes = nodes(&svg);
        for row in report["deliveries"].as_array().unwrap() {
            let what = if row["kind"] == "source" { "source bucket" } else { "trail" };
            let verdict = row["verdict"].as_str().unwrap().replace("unknown", "not read");
            let (_, text) = node(&nodes, &format!("{what} {} ", row["name"].as_str().unwrap()));
            assert!(text.contains(&format!("delivery: {verdict}")), "{at}: {row}: {text}");
        }
    }
}

#[test]
fn what_was_not_read_is_never_shown_as_right() {
    // an account in no snapshot, one that could not be read, and a Region that does not answer
    let gone = world(|world| {
        with_days(world);
        world["accounts"].as_array_mut().unwrap().remove(0);
    });
    let refused = world(
        |world| world["accounts"][0] = json!({ "Id": "111122223333", "partition": "aws", "taken_at": "2026-11-30T02:00:00Z", "error": "AccessDenied", "call": "sts:AssumeRole", "message": "m" }),
    );
    for (text, why) in [
        (gone, "account `111122223333` is in no snapshot"),
        (refused, "nothing was read of account `111122223333`: sts:AssumeRole answered `AccessDenied`"),
    ] {
        let (svg, _) = held(&[("s.json", &text)], &["--check", "s.json"]);
        let nodes = nodes(&svg);
        for begins in ["source bucket acme-web ", "source bucket acme-eu ", &format!("log bucket {LOGS}"), "trail audit "] {
            let (class, text) = node(&nodes, begins);
            assert!(class.ends_with(" unknown") && text.contains("not read") && text.contains(why), "{begins}: {class}: {text}");
            assert!(!text.contains("as the map says") && !text.contains("sign ok"), "{begins}: {text}");
        }
        assert!(node(&nodes, "source bucket acme-vault ").0.ends_with(" ok"));
        // what is drawn because it is connected is marked as well
        let (part, _) = held(&[("s.json", &text)], &["--check", "s.json", "--account", "archive"]);
        assert!(
            part.contains("trail audit ") && self::node(&self::nodes(&part), "trail audit ").0.ends_with(" unknown"),
            "{part}"
        );
    }
    // without a snapshot nothing is marked
    let (svg, _) = held(&[], &[]);
    assert!(nodes(&svg).values().all(|(class, _)| ["source", "bucket", "trail"].iter().any(|kind| class.ends_with(kind))));
}

#[test]
fn of_several_snapshots_the_newest_reading_counts_and_what_others_wrote_is_checked_too() {
    let old = world(|world| {
        bucket(world, "acme-web")["logging"] = Value::Null;
    })
    .replace("2026-11-30T02", "2026-11-29T02");
    let new = world(|_| {});
    let stack = "Resources: { Api: { Type: AWS::S3::Bucket, Properties: { BucketName: acme-api, LoggingConfiguration: { DestinationBucketName: acme-logs-111122223333-eu-west-1 } } } }";
    let files = [("old.json", &*old), ("new.json", &*new), ("stack.yaml", stack)];
    let (svg, said) = held(&files, &["--check", "old.json", "--check", "new.json", "--check", "stack.yaml"]);
    assert!(said.contains("account 111122223333 is in several snapshots: the reading of 2026-11-30T02:00:00Z counts"), "{said}");
    assert!(said.contains("1 configurations checked: 1 violation(s)") && said.contains("held against 2 snapshots"), "{said}");
    let nodes = nodes(&svg);
    assert!(node(&nodes, "source bucket acme-web ").0.ends_with(" ok"));
    let (class, text) = node(&nodes, "source bucket acme-api ");
    assert!(class.ends_with(" violation") && text.contains("LM1101") && text.contains("as the map says"), "{class}: {text}");
    let page = held(&files, &["--check", "old.json", "--check", "stack.yaml", "--format", "html"]).0;
    assert!(
        page.contains(r#""look":"drift","held":{"look":"drift","state":"drift""#)
            && page.contains(r#""look":"violation","check":{"#),
        "{page}"
    );
}

#[test]
fn drift_that_the_map_silences_is_neither_right_nor_wrong() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(
        dir.path().join("s.json"),
        world(|world| {
            bucket(world, "acme-web")["logging"] = Value::Null;
        }),
    )
    .unwrap();
    let map = world_map().replace("          - acme-web\n", "          - acme-web # logmap: ignore[LM2111] on purpose\n");
    let run = logmap_with_input(dir.path(), &["graph", "-", "-q", "--check", "s.json"], &map);
    let nodes = nodes(&run.stdout);
    let (class, text) = node(&nodes, "source bucket acme-web ");
    assert!(
        class.ends_with(" open") && text.contains("drift, silenced in the map") && !text.contains("LM2111"),
        "{class}: {text}"
    );
}

#[test]
fn a_bucket_that_the_map_does_not_know_and_whose_logs_are_refused_is_beside_the_picture() {
    let text = world(|world| {
        bucket(world, "bystander-111122223333")["logging"] =
            json!({ "LoggingEnabled": { "TargetBucket": LOGS, "TargetPrefix": "x/" } });
    });
    let (svg, _) = held(&[("s.json", &text)], &["--check", "s.json"]);
    assert!(svg.contains("not on this picture") && svg.contains("`bystander-111122223333` is in `eu-west-1`"), "{svg}");
}

#[test]
fn a_snapshot_that_cannot_be_read_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("map.yaml"), world_map()).unwrap();
    for (text, said) in [
        ("{\"logmap_snapshot\":\"2.0\",\"accounts\":[]}", "s.json:1:20: the snapshot's version is `2.0`"),
        ("{\"logmap_snapshot\":\"1.0\",", "is no snapshot: "),
    ] {
        fs::write(dir.path().join("s.json"), text).unwrap();
        let run = logmap(dir.path(), &["graph", "map.yaml", "--check", "s.json"]);
        assert!(run.code == 2 && run.stdout.is_empty() && run.stderr.contains(said), "{text}: {}", run.stderr);
    }
    fs::write(dir.path().join("t.yaml"), "Resources: {}").unwrap();
    let run = logmap(dir.path(), &["graph", "map.yaml", "--check", "t.yaml", "--since", "s.json"]);
    assert!(run.code == 2 && run.stderr.contains("no file of `--check` is a snapshot"), "{}", run.stderr);
}

#[test]
fn copies_and_guardrails_are_on_every_picture() {
    let map = "version: 1\norganization: { name: acme }\naccounts:\n  prod: { id: \"111122223333\", regions: { us-east-1: { buckets: [acme-web] } } }\n  vault: { id: \"222233334444\" }\ncentral: { deliver_to: { account: vault, region: eu-west-1 }, via: replication }\nguardrails: { deployer: logmap-deployer }\n";
    for format in ["svg", "dot", "mermaid"] {
        let drawn = draw(map, &["--format", format]);
        // its title has it once more where there are titles
        assert!((1..=2).contains(&drawn.matches("copied to the archive of vault").count()), "{format}: {drawn}");
        assert_eq!(drawn.matches("guardrails: SCP, RCP").count(), 2, "{format}: {drawn}");
    }
    assert!(draw(map, &["--format", "dot"]).contains("b0x0 -> b1x0 [color=\"#556273\", style=dashed"));
    assert!(draw(map, &["--format", "mermaid"]).contains("  b0x0 -. copy .-> b1x0\n"));
    let page = draw(map, &["--format", "html"]);
    assert!(page.contains(r#""copies":[[0,0,0,1,0,0]]"#) && page.matches(r#""guarded":true"#).count() == 2, "{page}");
    // they bind all accounts but the management account
    let organization = map.replace("name: acme", "name: acme, id: o-a1b2c3d4e5, management_account: prod");
    assert_eq!(draw(&organization, &["--format", "dot"]).matches("guardrails: SCP, RCP").count(), 1);
    // of one account alone the archive stays, with nothing else of its account
    assert!(draw(map, &["--format", "mermaid", "--account", "prod"]).contains("b0x0 -. copy .-> b1x0"));
    let (plain, _) = map.split_once("central").unwrap();
    let plain = plain.replace("  vault: { id: \"222233334444\" }\n", "");
    for format in ["svg", "dot", "mermaid", "html"] {
        let drawn = draw(&plain, &["--format", format]);
        assert!(
            !drawn.contains("copied to the archive of") && !drawn.contains("guardrails: SCP") && !drawn.contains("\"copies\""),
            "{format}"
        );
    }
}

#[test]
fn accounts_whose_alerts_are_silent_are_told_as_such() {
    let map = "version: 1\norganization: { name: acme }\naccounts:\n  prod: { id: \"111122223333\", regions: { us-east-1: { buckets: [acme-web] } } }\n  dev: { id: \"222233334444\", regions: { us-east-1: { buckets: [acme-dev] } } }\ntrails: { audit: { accounts: [prod], home_region: us-east-1 } }\nmonitoring: { tamper_alerts: { sns_topic_name: alerts } }\n";
    for format in ["svg", "dot", "mermaid"] {
        let drawn = draw(map, &["--format", format]);
        assert_eq!(drawn.matches("alerts are silent: no trail of the map records").count(), 1, "{format}: {drawn}");
    }
    assert!(draw(map, &[]).contains("class=\"sign silent\""));
    assert_eq!(draw(map, &["--format", "html"]).matches("\"silent\":true").count(), 1);
    let heard = map.replace("[prod], home", "[prod, dev], home");
    assert!(!draw(&heard, &[]).contains("silent:") && !draw(&heard, &["--format", "html"]).contains("\"silent\":true"));
    assert!(!draw(&map.replace("monitoring", "# monitoring"), &[]).contains("silent:"));
}

#[test]
fn lines_of_different_trails_into_one_bucket_are_told_apart() {
    let trails = |names: &[&str]| -> String {
        let one = |name: &&str| {
            format!(
                "  {name}: {{ accounts: [prod, dev], home_region: us-east-1, deliver_to: {{ account: archive }}, prefix: {name} }}\n"
            )
        };
        let all: String = names.iter().map(one).collect();
        format!(
            "version: 1\norganization: {{ name: acme }}\naccounts:\n  archive: {{ id: \"444455556666\", regions: {{}} }}\n  prod: {{ id: \"111122223333\", regions: {{ us-east-1: {{ buckets: [acme-web] }} }} }}\n  dev: {{ id: \"222233334444\", regions: {{ us-east-1: {{ buckets: [acme-dev] }} }} }}\ntrails:\n{all}"
        )
    };
    let classes = |svg: &str| -> BTreeMap<String, usize> {
        let mut classes = BTreeMap::new();
        for class in svg.split("<path class=\"line crossing").skip(1).filter_map(|rest| rest.split('"').next()) {
            *classes.entry(class.trim().to_owned()).or_default() += 1;
        }
        classes
    };
    let one = draw(&trails(&["audit"]), &[]);
    assert!(one.contains("← 2 trails of 2 other accounts") && classes(&one).keys().all(String::is_empty), "{one}");
    let two = draw(&trails(&["audit", "data"]), &[]);
    assert!(
        two.contains("← audit: 2 trails of 2 other accounts") && two.contains("← data: 2 trails of 2 other accounts"),
        "{two}"
    );
    // two accounts and the arrow at the bucket, of each; and the legend
    assert_eq!(classes(&two), [("".to_owned(), 4), ("lane1".to_owned(), 4)].into());
    // dashes do not lie on each other: of each line one path goes all the way
    let paths = two.split("<path class=\"line crossing").skip(1).filter_map(|rest| rest.split("/>").next());
    assert_eq!(paths.filter(|path| path.contains('V')).count(), 2, "{two}");
    let many = draw(&trails(&["a00", "a01", "a02", "a03", "a04"]), &[]);
    assert!(many.contains("← others: 4 trails of 2 other accounts") && classes(&many).len() == 4, "{many}");
    let dot = draw(&trails(&["audit", "data"]), &["--format", "dot"]);
    assert!(dot.contains("style=dashed") && dot.contains("data: another account"), "{dot}");
    let mermaid = draw(&trails(&["audit", "data"]), &["--format", "mermaid"]);
    assert!(mermaid.contains("stroke-dasharray:9 4") && mermaid.contains("audit: another account"), "{mermaid}");
}

/// A map in which each trail delivers to an account of its own. An account may have five trails.
fn archives(count: usize) -> String {
    let archive = |at: usize| format!("  archive{at:02}: {{ id: \"{:012}\", regions: {{}} }}\n", 444_400_000_000_u64 + at as u64);
    let prod = |at: usize| {
        let id = 111_100_000_000_u64 + at as u64;
        format!("  prod{at:02}: {{ id: \"{id:012}\", regions: {{ us-east-1: {{ buckets: [acme-web-{at:02}] }} }} }}\n")
    };
    let trail = |at: usize| {
        let from = at / 5;
        format!(
            "  audit{at:02}: {{ accounts: [prod{from:02}], home_region: us-east-1, deliver_to: {{ account: archive{at:02} }} }}\n"
        )
    };
    let accounts: String = (0..count).map(archive).chain((0..count.div_ceil(5)).map(prod)).collect();
    let trails: String = (0..count).map(trail).collect();
    format!("version: 1\norganization: {{ name: acme }}\naccounts:\n{accounts}trails:\n{trails}")
}

#[test]
fn lines_of_different_trails_into_different_buckets_are_told_apart() {
    let two = draw(&archives(2), &[]);
    for wanted in ["← audit00: 1 trail of 1 other account", "← audit01: 1 trail of 1 other account", "another trail"] {
        assert!(two.contains(wanted), "{wanted}: {two}");
    }
    // a line to the right and the arrow at its bucket, of each; and the legend
    for class in ["line crossing\"", "line crossing lane1\""] {
        assert_eq!(two.matches(&format!("<path class=\"{class}")).count(), 3, "{two}");
    }
    let mermaid = draw(&archives(2), &["--format", "mermaid"]);
    assert!(mermaid.contains("audit00: another account") && mermaid.contains("audit01: another account"), "{mermaid}");
}

#[test]
fn many_lines_lie_closer_and_not_on_each_other() {
    let places = |count: usize| -> BTreeSet<String> {
        let svg = draw(&archives(count), &[]);
        let paths = svg.split("<path class=\"line crossing").skip(1).filter_map(|rest| rest.split("/>").next());
        let down = paths.filter(|path| path.contains('V')).filter_map(|path| path.split('Q').nth(1)?.split(' ').next());
        down.map(str::to_owned).collect()
    };
    for count in [2, 24, 40] {
        assert_eq!(places(count).len(), count);
    }
}
