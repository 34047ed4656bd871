//! The runbook on a model: the planner's steps, one change at a time, from the world of one map to that of another.
//!
//! After every single change an evaluator asks whether each source's and each trail's objects would be let in where they
//! go, and whether that is where one of the two maps says. At the end the world is that of the new map and the old buckets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail loudly")]

mod common;
#[path = "common/maps.rs"]
mod maps;

use logmap::testing::{
    aws::Partition,
    plan::{KeyFormat, Plan, Source, Tier, Trail},
    policy::{
        Policy,
        evaluate::{Caller, Request, Verdict, evaluate},
    },
    runbook::{self, Leftover, Runbook, Step, Work},
};
use maps::{OLD, new_map, plan};
use proptest::prelude::*;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

fn book(old: &str, new: &str) -> Result<Runbook, Vec<String>> {
    runbook::plan(&plan(old).expect("a map without errors"), &plan(new).expect("a map without errors"))
}

type Name = (Partition, String);

/// Log bucket, prefix, key format.
type Destination = (String, String, KeyFormat);

/// A bucket's account and Region.
type Home = (String, String);

#[derive(Debug, Clone, PartialEq)]
struct World {
    buckets: BTreeMap<Name, (Home, Policy)>,
    sources: BTreeMap<Name, (Home, Option<Destination>)>,
    /// By ARN: the account, and the trail as text.
    trails: BTreeMap<String, (String, String)>,
}

fn destination(source: &Source) -> Destination {
    (source.log_bucket.to_string(), source.prefix.to_string(), source.key_format)
}

fn text(trail: &Trail) -> String {
    // the account's key may change, the account does not
    let mut trail = trail.clone();
    trail.bucket_account = String::new();
    serde_json::to_string(&trail).unwrap()
}

impl World {
    /// What applying a map from nothing gives.
    fn of(plan: &Plan) -> World {
        let mut world = World { buckets: BTreeMap::new(), sources: BTreeMap::new(), trails: BTreeMap::new() };
        for account in &plan.accounts {
            for placement in &account.placements {
                let home = (account.id.clone(), placement.region.clone());
                for bucket in &placement.buckets {
                    world.buckets.insert((account.partition, bucket.name.clone()), (home.clone(), bucket.policy.clone()));
                }
                for source in &placement.sources {
                    world.sources.insert((account.partition, source.name.clone()), (home.clone(), Some(destination(source))));
                }
                for trail in &placement.trails {
                    world.trails.insert(trail.arn.clone(), (account.id.clone(), text(trail)));
                }
            }
        }
        world
    }

    /// Makes the changes of a step in the order of its script, and looks after each.
    fn walk(&mut self, step: &Step, look: &mut dyn FnMut(&World, &str)) {
        let (partition, home) = (step.placement.partition, (step.placement.account_id.clone(), step.placement.region.clone()));
        if matches!(step.work, Work::Verify | Work::Drain) {
            return;
        }
        let trails_first = step.work == Work::Narrow;
        for part in if trails_first { [2, 0, 1] } else { [0, 1, 2] } {
            match part {
                0 => {
                    for bucket in &step.buckets {
                        let at = (partition, bucket.after.name.clone());
                        let there = self.buckets.get(&at).map(|(_, policy)| policy);
                        assert_eq!(
                            there,
                            bucket.before.as_ref().map(|before| &before.policy),
                            "{}: {at:?} is not as the step expects",
                            step.id
                        );
                        self.buckets.insert(at, (home.clone(), bucket.after.policy.clone()));
                        look(self, &format!("{}: bucket {}", step.id, bucket.after.name));
                    }
                }
                1 => {
                    for source in &step.sources {
                        let at = (partition, source.name.clone());
                        if step.work == Work::Recreate {
                            self.sources.insert(at, (home.clone(), None));
                        } else {
                            let fresh = (home.clone(), None);
                            let entry = self.sources.entry(at).or_insert(fresh);
                            assert_eq!(entry.0, home, "{}: {} is elsewhere", step.id, source.name);
                            assert_eq!(entry.1, source.before.as_ref().map(destination), "{}: {}", step.id, source.name);
                            entry.1 = source.after.as_ref().map(destination);
                        }
                        look(self, &format!("{}: source {}", step.id, source.name));
                    }
                }
                _ => {
                    for trail in &step.trails {
                        if let Some(before) = &trail.before {
                            let there = self.trails.remove(&before.arn).map(|(_, text)| text);
                            assert_eq!(there, Some(text(before)), "{}", step.id);
                        }
                        if let Some(after) = &trail.after {
                            self.trails.insert(after.arn.clone(), (step.placement.account_id.clone(), text(after)));
                        }
                        look(self, &format!("{}: trail", step.id));
                    }
                }
            }
        }
    }

    /// Everything that would not arrive.
    fn lost(&self) -> Vec<String> {
        let mut lost = Vec::new();
        for ((partition, name), (home, logging)) in &self.sources {
            let Some((bucket, prefix, format)) = logging else { continue };
            let Some((bucket_home, policy)) = self.buckets.get(&(*partition, bucket.clone())) else {
                lost.push(format!("{name} logs to {bucket}, which is not there"));
                continue;
            };
            if bucket_home != home {
                lost.push(format!("{name} in {home:?} logs to {bucket} in {bucket_home:?}"));
            }
            let key = match format {
                KeyFormat::Simple => format!("{prefix}2026-01-02-00-00-00-ABC"),
                _ => format!("{prefix}{}/{}/{name}/2026/01/02/2026-01-02-00-00-00-ABC", home.0, home.1),
            };
            let source = format!("arn:{partition}:s3:::{name}");
            if !lets_in(
                policy,
                "logging.s3.amazonaws.com",
                "s3:PutObject",
                &format!("arn:{partition}:s3:::{bucket}/{key}"),
                &source,
                &home.0,
            ) {
                lost.push(format!("{bucket} refuses the logs of {name} at {key}"));
            }
        }
        for (arn, (account, text)) in &self.trails {
            let trail: serde_json::Value = serde_json::from_str(text).unwrap();
            let partition = Partition::of_region(arn.split(':').nth(3).unwrap());
            let (bucket, prefix) = (trail["bucket"].as_str().unwrap(), trail["prefix"].as_str().unwrap());
            let Some((_, policy)) = self.buckets.get(&(partition, bucket.to_owned())) else {
                lost.push(format!("{arn} delivers to {bucket}, which is not there"));
                continue;
            };
            let base = format!("arn:{partition}:s3:::{bucket}");
            let folder = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
            let key = format!("{base}/{folder}AWSLogs/{account}/CloudTrail/x.json.gz");
            for (action, resource) in [("s3:GetBucketAcl", &base), ("s3:PutObject", &key)] {
                if !lets_in(policy, "cloudtrail.amazonaws.com", action, resource, arn, account) {
                    lost.push(format!("{bucket} refuses {action} of {arn}"));
                }
            }
        }
        lost
    }
}

fn lets_in(policy: &Policy, service: &str, action: &str, resource: &str, arn: &str, account: &str) -> bool {
    let context = [
        ("aws:SourceArn", arn),
        ("aws:SourceAccount", account),
        ("aws:SecureTransport", "true"),
        ("aws:PrincipalIsAWSService", "true"),
        ("s3:x-amz-acl", "bucket-owner-full-control"),
    ];
    let request = Request { principal: Caller::Service(service), action, resource, context: &context };
    matches!(evaluate(policy, &request), Verdict::Allowed(_))
}

/// Walks the whole runbook; gives how many changes were looked at.
fn walk(old: &Plan, new: &Plan, book: &Runbook) -> usize {
    let (was, is) = (World::of(old), World::of(new));
    let mut world = was.clone();
    assert_eq!(world.lost(), Vec::<String>::new(), "the old map");
    let mut window: BTreeSet<Name> = BTreeSet::new();
    let mut looks = 0;
    for step in &book.steps {
        if step.work == Work::Recreate {
            window.extend(step.sources.iter().map(|source| (step.placement.partition, source.name.clone())));
        }
        world.walk(step, &mut |world, what| {
            looks += 1;
            assert_eq!(world.lost(), Vec::<String>::new(), "after {what}");
            for (at, (_, new_destination)) in &is.sources {
                let Some((_, old_destination)) = was.sources.get(at) else { continue };
                let now = &world.sources[at].1;
                assert!(now.is_some() || window.contains(at), "after {what} {at:?} does not log, and is in no window");
                assert!(now.is_none() || now == old_destination || now == new_destination, "after {what} {at:?} logs to {now:?}");
            }
            for arn in is.trails.keys().filter(|arn| was.trails.contains_key(*arn)) {
                assert!(world.trails.contains_key(arn), "after {what} {arn} is gone");
            }
            for bucket in was.buckets.keys() {
                assert!(world.buckets.contains_key(bucket), "after {what} {bucket:?} is gone");
            }
        });
        if step.work == Work::Switch {
            window.retain(|at| world.sources[at].1.is_none());
        }
    }
    // the world of the new map, the sources that left without logging, and the old buckets without a grant for anybody
    for (at, bucket) in &world.buckets {
        match is.buckets.get(at) {
            Some(wanted) => assert_eq!(bucket, wanted, "{at:?}"),
            None => {
                let grants = |policy: &Policy| policy.to_json().matches("\"Service\"").count();
                assert_eq!(grants(&bucket.1), 0, "{at:?} still lets services in");
            }
        }
    }
    for (at, source) in &world.sources {
        assert_eq!(source.1, is.sources.get(at).and_then(|source| source.1.clone()), "{at:?}");
    }
    let plain = |trails: &BTreeMap<String, (String, String)>| trails.keys().cloned().collect::<Vec<_>>();
    assert_eq!(plain(&world.trails), plain(&is.trails));
    assert_eq!(world.trails, is.trails);
    looks
}

/// Plans, walks, and gives the works in order and the headings of the dangers.
fn told(old: &str, new: &str) -> (Vec<Work>, Vec<&'static str>, Runbook) {
    let book = book(old, new).unwrap_or_else(|problems| panic!("{problems:?}"));
    walk(&plan(old).unwrap(), &plan(new).unwrap(), &book);
    let works = book.steps.iter().map(|step| step.work).collect();
    (works, book.dangers.iter().map(|danger| danger.title).collect(), book)
}

#[test]
fn the_page_of_the_example_is_up_to_date() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/move");
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("runbook");
    let run = common::logmap(&example, &["runbook", "old.yaml", "logmap.yaml", "--out", out.to_str().unwrap()]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let (committed, written) =
        (fs::read_to_string(example.join("RUNBOOK.md")).unwrap(), fs::read_to_string(out.join("RUNBOOK.md")).unwrap());
    assert!(committed == written, "write examples/move/RUNBOOK.md anew with `logmap runbook`");
    // a second time nothing is written; an edited file is kept
    let before = common::tree(&out);
    let again = common::logmap(&example, &["runbook", "old.yaml", "logmap.yaml", "--out", out.to_str().unwrap()]);
    assert!(again.stderr.contains(" 0 files written") && common::tree(&out) == before, "{}", again.stderr);
    fs::write(out.join("status.sh"), "edited").unwrap();
    assert_eq!(common::logmap(&example, &["runbook", "old.yaml", "logmap.yaml", "--out", out.to_str().unwrap()]).code, 1);
    assert_eq!(fs::read_to_string(out.join("status.sh")).unwrap(), "edited");
}

#[test]
fn what_is_not_asked_for_is_not_written() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("old.yaml"), OLD).unwrap();
    fs::write(
        dir.path().join("gov.yaml"),
        new_map(&[
            ("us-east-1: {", "us-gov-west-1: {"),
            ("eu-west-1", "us-gov-east-1"),
            ("home_region: us-east-1", "home_region: us-gov-west-1"),
        ]),
    )
    .unwrap();
    fs::write(dir.path().join("bad.yaml"), OLD.replace("eu-west-1", "eu-wset-1")).unwrap();
    for (arguments, code, said) in [
        (&["runbook", "old.yaml", "old.yaml"][..], 0, "nothing to do"),
        (&["runbook", "old.yaml", "gov.yaml"], 1, "nothing crosses partitions"),
        (&["runbook", "old.yaml", "bad.yaml"], 1, "LM0104"),
        (&["runbook", "old.yaml", "none.yaml"], 2, "can't read the map"),
        (&["runbook", "old.yaml", "gov.yaml", "--format", "json"], 2, "unexpected argument '--format'"),
    ] {
        let run = common::logmap(dir.path(), arguments);
        assert!(run.code == code && run.stderr.contains(said), "{arguments:?} {} {}", run.code, run.stderr);
        assert!(!dir.path().join("runbook").exists(), "{arguments:?}");
    }
    // what `generate` wrote is not a runbook's to prune
    assert_eq!(common::logmap(dir.path(), &["generate", "old.yaml", "-q"]).code, 0);
    fs::write(dir.path().join("new.yaml"), new_map(&[("acme-eu", "acme-us")])).unwrap();
    let run = common::logmap(dir.path(), &["runbook", "old.yaml", "new.yaml", "--out", "out"]);
    assert!(run.code == 2 && run.stderr.contains("logmap generate"), "{}", run.stderr);
    assert!(dir.path().join("out/README.md").exists());
}

#[test]
fn hostile_values_stay_words_in_scripts_and_pages() {
    let evil = "x'; touch /tmp/pwned; ' `id` $(id) <b> [a](b)/";
    let new = new_map(&[("us-east-1: { ", &format!("us-east-1: {{ log_bucket: {{ prefix: {evil:?}, tags: {{ a: \"b\" }} }}, "))]);
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("old.yaml"), OLD).unwrap();
    fs::write(dir.path().join("new.yaml"), &new).unwrap();
    let run = common::logmap(dir.path(), &["runbook", "old.yaml", "new.yaml"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let files = common::tree(&dir.path().join("runbook"));
    let mut seen = 0;
    for (path, text) in files.iter().filter(|(path, _)| path.starts_with("steps/")) {
        seen += text.matches("pwned").count();
        // outside of single quotes nothing of it is left
        let bare: String = text.replace("'\\''", "").split('\'').step_by(2).collect();
        assert!(!bare.contains("pwned") && !bare.contains("$(id)"), "{path}");
    }
    assert!(seen > 0);
    let page = &files["RUNBOOK.md"];
    assert!(page.contains("pwned") && !page.contains("\n- <b>"), "{page}");
    for line in page.lines().filter(|line| line.contains("pwned")) {
        let outside: String = line.split('`').step_by(2).collect();
        assert!(!outside.contains("<b>") && !outside.contains("[a]("), "{line}");
    }
}

#[test]
fn nothing_to_do_is_no_step() {
    let (works, dangers, _) = told(OLD, OLD);
    assert_eq!((works.len(), dangers.len()), (0, 0));
    let (works, _, _) = told(OLD, &new_map(&[("prod", "production")]));
    assert_eq!(works, [], "AWS does not know an account's key");
}

#[test]
fn a_source_is_made_again_in_another_region() {
    let new = new_map(&[(", acme-moving", ""), ("[acme-eu]", "[acme-eu, acme-moving]")]);
    let (works, dangers, book) = told(OLD, &new);
    assert_eq!(works, [Work::Grant, Work::Recreate, Work::Switch, Work::Verify, Work::Drain, Work::Narrow]);
    assert!(dangers.contains(&"Source buckets that are made again elsewhere"));
    let text = &book.dangers[0].text;
    assert!(text.contains("one window") && text.contains("stranger") && text.contains("aws:SourceAccount"), "{text}");
    let recreate = &book.steps[1];
    assert_eq!(recreate.placement.region, "eu-west-1");
    assert_eq!(recreate.sources[0].moved_from.as_ref().unwrap().region, "us-east-1");
}

#[test]
fn another_name_for_every_log_bucket() {
    let regions: String = ["us-east-1", "us-east-2", "us-west-2", "eu-west-1", "eu-west-2", "eu-central-1"]
        .iter()
        .map(|region| format!("      {region}: {{ buckets: [src-KEY-{region}] }}\n"))
        .collect();
    let accounts: String = (0..40)
        .map(|n| format!("  a{n}:\n    id: \"1111222233{n:02}\"\n    regions:\n{}", regions.replace("KEY", &n.to_string())))
        .collect();
    let old = format!("version: 1\norganization: {{ name: acme }}\naccounts:\n{accounts}");
    let new =
        old.replace("accounts:\n", "defaults: { log_bucket: { name: \"{org}-access-{account_id}-{region}\" } }\naccounts:\n");
    let (works, dangers, book) = told(&old, &new);
    for work in [Work::Create, Work::Switch, Work::Verify, Work::Drain, Work::Narrow, Work::Retire] {
        assert_eq!(works.iter().filter(|other| **other == work).count(), 240, "{work:?}");
    }
    assert!(works.windows(2).all(|pair| pair[0] <= pair[1]), "each phase ends before the next begins");
    assert!(dangers.contains(&"Many log buckets at once") && dangers.contains(&"Old log buckets stay"));
    assert!(book.steps[0].id.starts_with("0001-create-"), "{}", book.steps[0].id);
}

#[test]
fn another_account_id_is_another_account() {
    let (works, dangers, book) = told(OLD, &new_map(&[("111122223333", "555566667777")]));
    assert!(dangers.contains(&"Accounts with another id"));
    assert_eq!(works.iter().filter(|work| **work == Work::Recreate).count(), 2);
    assert!(works.contains(&Work::Release) && works.contains(&Work::Retire));
    let keys: BTreeSet<&str> = book.steps.iter().map(|step| step.placement.account.as_str()).collect();
    assert_eq!(keys.into_iter().collect::<Vec<_>>(), ["prod", "prod-111122223333"]);
}

#[test]
fn a_closed_account_stays_in_the_map_and_out_of_all_that_runs() {
    let map = |state: &str, buckets: &str| {
        format!(
            "version: 1\norganization: {{ name: acme }}\naccounts:\n  archive: {{ id: \"111122223333\", regions: {{ us-east-1: {{ buckets: [{buckets}] }} }} }}\n  dev: {{ id: \"444455556666\",{state} regions: {{ us-east-1: {{ buckets: [acme-dev-web] }} }} }}\ntrails:\n  audit: {{ accounts: [archive, dev], deliver_to: {{ account: archive }} }}\n"
        )
    };
    let (open, closed) = (map("", "acme-web"), map(" state: closed,", "acme-web"));
    let (before, after) = (plan(&open).unwrap(), plan(&closed).unwrap());
    assert_eq!(
        (before.accounts.len(), after.accounts.len(), after.closed.as_slice()),
        (2, 1, ["444455556666".to_owned()].as_slice())
    );
    let book = book(&open, &closed).unwrap();
    assert!(!book.steps.is_empty() && book.steps.iter().all(|step| step.placement.account == "archive"), "{:?}", book.steps);
    let text = serde_json::to_string(&*after).unwrap();
    assert!(serde_json::to_string(&*before).unwrap().contains("444455556666") && !text.contains("444455556666"), "{text}");
    // the name of its source may be taken by somebody else now
    assert!(
        plan(&map(" state: closed,", "acme-web, acme-dev-web")).is_some() && plan(&map("", "acme-web, acme-dev-web")).is_none()
    );
}

#[test]
fn what_no_order_of_steps_can_do_is_refused() {
    let gov = [
        ("us-east-1: {", "us-gov-west-1: {"),
        ("eu-west-1", "us-gov-east-1"),
        ("home_region: us-east-1", "home_region: us-gov-west-1"),
    ];
    let problems = book(OLD, &new_map(&gov)).unwrap_err();
    assert!(problems.iter().any(|problem| problem.contains("change from the partition `aws` to `aws-us-gov`")), "{problems:?}");
    assert!(problems.iter().any(|problem| problem.contains("`acme-web` would move from the partition")), "{problems:?}");
    let swapped = new_map(&[
        ("us-east-1: { ", "us-east-1: { log_bucket: { name: acme-logs-111122223333-eu-west-1 }, "),
        ("eu-west-1: { ", "eu-west-1: { log_bucket: { name: acme-logs-111122223333-us-east-1 }, "),
    ]);
    let problems = book(OLD, &swapped).unwrap_err();
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(problems[0].contains("never deleted"), "{problems:?}");
}

#[test]
fn a_trail_that_delivers_elsewhere_needs_the_policy_first() {
    let new = new_map(&[("home_region: us-east-1", "home_region: us-east-1, deliver_to: { account: archive }")]);
    let (works, dangers, book) = told(OLD, &new);
    assert_eq!(
        works,
        [Work::Create, Work::Grant, Work::Switch, Work::Verify, Work::Drain, Work::Narrow, Work::Retire][..]
            .iter()
            .copied()
            .filter(|work| works.contains(work))
            .collect::<Vec<_>>()
    );
    let create = works.iter().position(|work| *work == Work::Create).unwrap();
    let switch = works.iter().position(|work| *work == Work::Switch).unwrap();
    assert!(
        create < switch && book.steps[create].placement.account == "archive" && book.steps[switch].placement.account == "prod"
    );
    let text = &book.dangers.iter().find(|danger| danger.title == "Trails that deliver elsewhere").unwrap().text;
    assert!(dangers.len() == 1 || dangers.contains(&"Trails that deliver elsewhere"));
    for word in ["digest", "InsufficientS3BucketPolicyException", "30 days", "billed"] {
        assert!(text.contains(word), "{text}");
    }
}

#[test]
fn a_trail_with_another_home_has_a_window_that_is_said() {
    let (_, dangers, book) = told(OLD, &new_map(&[("home_region: us-east-1", "home_region: eu-west-1")]));
    assert!(dangers.contains(&"Trails that end before their successor begins"), "{dangers:?}");
    let switch = book.steps.iter().find(|step| step.work == Work::Switch).unwrap();
    assert_eq!((switch.trails[0].old_home.as_str(), switch.placement.region.as_str()), ("us-east-1", "eu-west-1"));
}

/// A trail in each Region becomes one for all: its script hands over from one of the old ones, the others end before.
#[test]
fn several_trails_that_become_one_all_end() {
    let old = r#"{ version: 1, organization: { name: acme }, accounts: { stage: { id: "222233334444",
        regions: { us-east-1: { buckets: [acme-source-0] }, eu-west-1: { buckets: [] } } } }, trails: { audit: { coverage: per-region } } }"#;
    let new = r#"{ version: 1, organization: { name: acme }, accounts: { stage: { id: "222233334444", regions: {} } },
        trails: { audit: { accounts: [stage], home_region: eu-central-1 } } }"#;
    let (was, is) = (plan(old).expect("the old map"), plan(new).expect("the new map"));
    let book = runbook::plan(&was, &is).expect("a runbook");
    walk(&was, &is, &book);
    let ended = book.steps.iter().flat_map(|step| &step.trails).filter_map(|trail| trail.before.as_ref());
    let ended: BTreeSet<&str> = ended.map(|trail| trail.arn.as_str()).collect();
    assert_eq!(ended.len(), 2, "{ended:?}");
}

#[test]
fn another_key_format_keeps_both_prefixes_until_the_old_is_quiet() {
    let simple = new_map(&[("us-east-1: { ", "us-east-1: { log_bucket: { key_format: simple }, ")]);
    for (old, new) in [(OLD, simple.as_str()), (&simple, OLD)] {
        let (works, dangers, book) = told(old, new);
        assert!(dangers.contains(&"Another key format"));
        let drain = book.steps.iter().find(|step| step.work == Work::Drain);
        // the wider prefix stays granted when it is the new one's
        assert!(drain.is_some() && works.contains(&Work::Narrow), "{works:?}");
        assert_eq!(drain.unwrap().quiets.len(), 3);
        assert_eq!(drain.unwrap().quiets[0].folders, old == OLD);
    }
}

#[test]
fn growth_past_a_tier_is_granted_before_the_first_new_source_logs() {
    // statements that leave little room, so that few names are many
    let read: Vec<String> =
        (0..170).map(|n| format!("\"{{log_bucket_arn}}/a-folder-of-reports-that-somebody-reads-{n:04}/*\"")).collect();
    let extra = format!(
        "extra_statements: [{{ Sid: Read, Effect: Allow, Principal: {{ AWS: \"arn:aws:iam::111122223333:role/r\" }}, Action: \"s3:GetObject\", Resource: [{}] }}]",
        read.join(", ")
    );
    let names = |count: usize| {
        let name =
            |n: usize| format!("acme-{:x}-application-assets-of-the-team-{n:02}", (n as u64 * 2_654_435_761) % 4_294_967_291);
        (0..count).map(name).collect::<Vec<_>>().join(", ")
    };
    let map = |count: usize| {
        new_map(&[
            ("us-east-1: { ", &format!("us-east-1: {{ log_bucket: {{ {extra} }}, ")),
            ("acme-web, acme-data, acme-moving", &names(count)),
        ])
    };
    let (_, dangers, book) = told(&map(20), &map(60));
    assert!(dangers.contains(&"Policies that name sources less exactly"), "{dangers:?}");
    let grant = &book.steps[0].buckets[0];
    assert_eq!((grant.before.as_ref().unwrap().report.tier, grant.after.report.tier), (Tier::Buckets, Tier::Patterns));
    // old and new names together overflow, though each fits by itself
    let (old, new) = (map(24), map(24).replace("-application-", "-presentation-"));
    let (_, _, book) = told(&old, &new);
    let grant = book.steps.iter().find(|step| step.work == Work::Grant).unwrap();
    assert_eq!(grant.buckets[0].after.report.tier, Tier::Patterns);
    assert!(book.stages.notes.iter().any(|note| note.contains("patterns")), "{:?}", book.stages.notes);
}

#[test]
fn old_prefixes_expire_before_their_rule_goes() {
    let new = new_map(&[("us-east-1: { ", "us-east-1: { log_bucket: { prefix: logs/, retention: { expire_after_days: 30 } }, ")]);
    let (_, dangers, book) = told(OLD, &new);
    let rules = |work: Work| {
        let step = book.steps.iter().find(|step| step.work == work && step.placement.region == "us-east-1").unwrap();
        step.buckets[0]
            .after
            .lifecycle
            .iter()
            .map(|rule| (rule.prefix.clone(), rule.expire_after_days))
            .collect::<BTreeMap<_, _>>()
    };
    for work in [Work::Grant, Work::Narrow] {
        assert_eq!(rules(work)["s3-access/"], Some(400), "{work:?}");
        assert_eq!(rules(work)["AWSLogs/"], Some(400), "{work:?}");
    }
    assert!(!rules(Work::Retire).contains_key("s3-access/"));
    assert!(dangers.contains(&"Shorter retention"));
    let retire = book.steps.iter().find(|step| step.work == Work::Retire).unwrap();
    assert!(
        matches!(&retire.leftovers[..], [Leftover::Prefix { prefix, days: 430, .. }] if prefix == "s3-access/"),
        "{:?}",
        retire.leftovers.len()
    );
}

#[test]
fn what_the_new_map_writes_is_no_leftover() {
    let live = |old: &str, new: &str| {
        let bucket = |settings: &str| new_map(&[("us-east-1: { ", &format!("us-east-1: {{ log_bucket: {{ {settings} }}, "))]);
        let (_, _, book) = told(&bucket(old), &bucket(new));
        let leftovers: Vec<_> =
            book.steps.iter().filter(|step| step.work == Work::Retire).flat_map(|step| &step.leftovers).collect();
        let found = leftovers.iter().filter_map(|leftover| match leftover {
            Leftover::Prefix { prefix, live, .. } => Some(format!("{prefix}: {}", live.join(" "))),
            Leftover::Bucket(_) => None,
        });
        found.collect::<Vec<_>>()
    };
    assert_eq!(live("prefix: a/", "prefix: b/"), ["a/: "]);
    assert_eq!(live("prefix: logs/", "prefix: logs/m/"), ["logs/: logs/m/"]);
    // one folder for each source, without a rule of its own
    let never = "retention: { expire_after_days: never, noncurrent_expire_after_days: never }";
    assert_eq!(live("prefix: logs/", &format!("prefix: logs/m/, {never}")), ["logs/: logs/m/"]);
    assert_eq!(live("prefix: logs/m/", "prefix: logs/"), ["logs/m/: "]);
    // the logs of that prefix are to be kept for ever, and go on arriving there
    assert_eq!(live("prefix: logs/", &format!("prefix: logs/, {never}")), [""; 0]);
}

#[test]
fn a_deny_never_lapses_between_two_maps() {
    let deny = |role: &str| {
        format!(
            "us-east-1: {{ log_bucket: {{ extra_statements: [{{ Sid: Keep, Effect: Deny, Principal: \"*\", Action: \"s3:DeleteObject\", Resource: \"{{log_bucket_arn}}/*\", Condition: {{ StringNotEquals: {{ \"aws:PrincipalArn\": \"arn:aws:iam::111122223333:role/{role}\" }} }} }}] }}, "
        )
    };
    let (old, new) = (new_map(&[("us-east-1: { ", &deny("a"))]), new_map(&[("us-east-1: { ", &deny("b"))]));
    let (_, _, book) = told(&old, &new);
    for (_, stage) in book.stages.plans.iter() {
        let bucket = &stage
            .accounts
            .iter()
            .find(|account| account.key == "prod")
            .unwrap()
            .placements
            .iter()
            .find(|placement| placement.region == "us-east-1")
            .unwrap()
            .buckets[0];
        assert!(bucket.policy.to_json().contains("s3:DeleteObject"), "{}", bucket.policy.to_json());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, max_global_rejects: 20_000, max_shrink_iters: 300, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn every_change_keeps_every_log_legal(old in maps::map(), new in maps::map()) {
        let (Some(old), Some(new)) = (plan(&old), plan(&new)) else { return Err(TestCaseError::reject("a map with errors")) };
        match runbook::plan(&old, &new) {
            Ok(book) => { walk(&old, &new, &book); }
            Err(problems) => prop_assert!(problems.iter().all(|problem| problem.contains('`')), "{:?}", problems),
        }
    }
}

#[test]
fn a_log_bucket_that_comes_back_is_imported_by_the_stages() {
    let dir = tempfile::tempdir().unwrap();
    let both = "version: 1\norganization: { name: acme }\naccounts:\n  prod: { id: \"111122223333\", regions: { us-east-1: { buckets: [acme-web] }, eu-west-1: { buckets: [acme-eu] } } }\n";
    let one = both.replace(", eu-west-1: { buckets: [acme-eu] }", "");
    let run = |arguments: &[&str]| {
        let run = common::logmap(dir.path(), arguments);
        assert_eq!(run.code, 0, "{arguments:?}: {}", run.stderr);
    };
    for text in [both, &one] {
        fs::write(dir.path().join("logmap.yaml"), text).unwrap();
        run(&["generate"]);
    }
    fs::write(dir.path().join("old.yaml"), one).unwrap();
    fs::write(dir.path().join("logmap.yaml"), both).unwrap();
    run(&["runbook", "old.yaml", "logmap.yaml", "--out", "steps"]);
    let stages: Vec<String> = common::tree(&dir.path().join("steps"))
        .into_iter()
        .filter(|(path, _)| path.starts_with("stages/") && path.ends_with("terraform/prod/eu-west-1.tf"))
        .map(|(path, _)| path.replace("eu-west-1.tf", "imports.tf"))
        .collect();
    assert!(!stages.is_empty());
    for imports in stages {
        let text = fs::read_to_string(dir.path().join("steps").join(&imports)).unwrap_or_default();
        assert!(text.contains("to = aws_s3_bucket.acme_logs_111122223333_eu_west_1"), "{imports}: {text}");
    }
}

#[test]
fn modules_that_roots_call_are_handed_to_nobody_and_applied_by_their_roots() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/move");
    let dir = tempfile::tempdir().unwrap();
    for name in ["old.yaml", "logmap.yaml"] {
        let map = fs::read_to_string(example.join(name)).unwrap();
        let renamed =
            if name == "old.yaml" { map } else { map.replace("  prod:\n", "  production:\n").replace("[prod]", "[production]") };
        fs::write(dir.path().join(name), format!("{renamed}\nrender: {{ terraform: {{ layout: module }} }}\n")).unwrap();
    }
    let run = common::logmap(dir.path(), &["runbook", "old.yaml", "logmap.yaml", "--out", "book"]);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    let page = fs::read_to_string(dir.path().join("book/RUNBOOK.md")).unwrap();
    assert!(page.contains("in the roots that call the modules of production\n"), "{page}");
    assert!(page.contains("terraform state rm 'module.logs_us_east_1.aws_s3_bucket_logging.us_east_1["), "{page}");
    assert!(!page.contains("-chdir=\"${MODULES:?}"), "{page}");
    assert!(!dir.path().join("book/stages/0-hand-over").exists());
    assert!(dir.path().join("book/stages/1-grant/terraform/production/eu-west-1/main.tf").is_file());
}
