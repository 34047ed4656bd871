//! Pairs of region maps: one with a few parts replaced, and random ones without errors, as JSON text (which is YAML).
#![allow(dead_code, reason = "each test file uses what it needs")]

use logmap::testing::{
    analysis::analyze,
    plan::prove::{Proven, proven},
    source::SourceFile,
};
use proptest::{prelude::*, sample::select};
use serde_json::{Map, Value, json};

const REGIONS: [&str; 4] = ["us-east-1", "eu-west-1", "eu-central-1", "ap-southeast-2"];
const ACCOUNTS: [(&str, &str); 3] = [("prod", "111122223333"), ("stage", "222233334444"), ("archive", "444455556666")];

/// The plan of a map; nothing if it has errors.
pub fn plan(text: &str) -> Option<Proven> {
    analyze(SourceFile::new("map", text.to_owned())).plan.map(|plan| proven(plan).unwrap())
}

pub const OLD: &str = r#"
version: 1
organization: { name: acme }
accounts:
  prod:
    id: "111122223333"
    regions:
      us-east-1: { buckets: [acme-web, acme-data, acme-moving] }
      eu-west-1: { buckets: [acme-eu] }
  archive: { id: "444455556666", regions: {} }
trails:
  audit: { accounts: [prod], home_region: us-east-1 }
"#;

/// The old map with parts replaced.
pub fn new_map(edits: &[(&str, &str)]) -> String {
    edits.iter().fold(OLD.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    })
}

/// What is drawn of one account and Region.
#[derive(Debug, Clone)]
pub struct Place {
    /// Which of ten source buckets are here; a bucket that two places draw is given to the first.
    pub sources: Vec<usize>,
    pub external: bool,
    pub settings: Settings,
}

/// What is drawn of a `log_bucket`.
#[derive(Debug, Clone)]
pub struct Settings {
    pub name: Option<&'static str>,
    pub prefix: Option<&'static str>,
    pub key_format: Option<&'static str>,
    pub policy_scope: Option<&'static str>,
    pub split: bool,
    pub versioning: bool,
    pub tls: bool,
    pub expire: u32,
    pub tag: Option<&'static str>,
    pub readers: Option<&'static str>,
}

/// What is drawn of a trail.
#[derive(Debug, Clone)]
pub struct Trail {
    pub name: &'static str,
    pub account: usize,
    pub home: Option<&'static str>,
    pub to: Option<usize>,
    pub prefix: &'static str,
    pub data: bool,
    pub validation: bool,
}

fn settings() -> impl Strategy<Value = Settings> {
    (
        prop_oneof![3 => Just(None), 1 => select(vec!["{org}-new-{account_id}-{region}", "{account}-{account_id}-{region}-x"]).prop_map(Some)],
        prop_oneof![3 => Just(None), 1 => select(vec!["logs/", "s3/", ""]).prop_map(Some)],
        prop_oneof![3 => Just(None), 1 => select(vec!["simple", "partitioned-delivery-time"]).prop_map(Some)],
        prop_oneof![3 => Just(None), 1 => select(vec!["account", "buckets"]).prop_map(Some)],
        prop::bool::weighted(0.2),
        prop::bool::weighted(0.8),
        prop::bool::weighted(0.8),
        select(vec![400, 400, 90]),
        prop_oneof![2 => Just(None), 1 => select(vec!["a", "b"]).prop_map(Some)],
        prop_oneof![2 => Just(None), 1 => select(vec!["auditor", "reader"]).prop_map(Some)],
    )
        .prop_map(|(name, prefix, key_format, policy_scope, split, versioning, tls, expire, tag, readers)| Settings {
            name,
            // an empty prefix covers a trail's path
            prefix: prefix.filter(|prefix| !prefix.is_empty() || split),
            key_format,
            policy_scope,
            split,
            versioning,
            tls,
            expire,
            tag,
            readers,
        })
}

fn trail() -> impl Strategy<Value = Trail> {
    (
        select(vec!["audit", "data", "local"]),
        0..ACCOUNTS.len(),
        prop_oneof![3 => select(REGIONS.to_vec()).prop_map(Some), 1 => Just(None)],
        prop_oneof![1 => Just(None), 1 => (0..ACCOUNTS.len()).prop_map(Some)],
        select(vec!["", "", "trails", "t/u"]),
        prop::bool::weighted(0.3),
        prop::bool::weighted(0.8),
    )
        .prop_map(|(name, account, home, to, prefix, data, validation)| Trail {
            name,
            account,
            home,
            to,
            prefix,
            data,
            validation,
        })
}

/// A map with up to three accounts in up to four Regions.
pub fn map() -> impl Strategy<Value = String> {
    let place = (proptest::collection::vec(0..10usize, 1..4), prop::bool::weighted(0.1), settings())
        .prop_map(|(sources, external, settings)| Place { sources, external, settings });
    (
        proptest::collection::btree_map((0..ACCOUNTS.len(), 0..REGIONS.len()), place, 1..6),
        proptest::collection::vec(trail(), 0..3),
        prop::bool::weighted(0.1),
    )
        .prop_map(|(places, trails, renamed)| write(&places, &trails, renamed))
}

fn write(places: &std::collections::BTreeMap<(usize, usize), Place>, trails: &[Trail], renamed: bool) -> String {
    let key = |at: usize| {
        let name = ACCOUNTS[at].0;
        if renamed && at == 0 { format!("{name}uction") } else { name.to_owned() }
    };
    let mut accounts = Map::new();
    for (at, (_, id)) in ACCOUNTS.iter().enumerate() {
        accounts.insert(key(at), json!({ "id": id, "regions": {} }));
    }
    let mut taken = Vec::new();
    for ((account, region), place) in places {
        let mut buckets = Vec::new();
        for source in &place.sources {
            if !taken.contains(source) {
                taken.push(*source);
                let name = format!("acme-source-{source}");
                buckets.push(if place.external { json!({ "name": name, "logging": "external" }) } else { json!(name) });
            }
        }
        let s = &place.settings;
        let mut bucket = json!({
            "split_trails": s.split, "versioning": s.versioning, "deny_insecure_transport": s.tls,
            "retention": { "expire_after_days": s.expire },
        });
        let texts = [("name", s.name), ("prefix", s.prefix), ("key_format", s.key_format), ("policy_scope", s.policy_scope)];
        for (key, value) in texts.into_iter().filter_map(|(key, value)| Some((key, value?))) {
            bucket[key] = json!(value);
        }
        if let Some(tag) = s.tag {
            bucket["tags"] = json!({ "owner": tag });
        }
        if let Some(role) = s.readers {
            bucket["extra_statements"] = json!([{
                "Sid": "Readers", "Effect": "Allow", "Principal": { "AWS": format!("arn:aws:iam::111122223333:role/{role}") },
                "Action": ["s3:GetObject"], "Resource": ["{log_bucket_arn}/*"],
            }]);
        }
        accounts[&key(*account)]["regions"][REGIONS[*region]] = json!({ "log_bucket": bucket, "buckets": buckets });
    }
    let mut written = Map::new();
    for trail in trails {
        let mut one = json!({ "accounts": [key(trail.account)], "prefix": trail.prefix, "s3_data_events": trail.data,
            "log_file_validation": trail.validation });
        match trail.home {
            Some(home) => one["home_region"] = json!(home),
            None => one["coverage"] = json!("per-region"),
        }
        if let Some(to) = trail.to {
            one["deliver_to"] = json!({ "account": key(to) });
        }
        written.insert(trail.name.to_owned(), one);
    }
    json!({ "version": 1, "organization": { "name": "acme" }, "accounts": accounts, "trails": Value::Object(written) })
        .to_string()
}
