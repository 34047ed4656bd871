//! Whatever the sources and trails: a policy fits into what S3 allows, lets each of them in, and says how many others.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail loudly")]

use logmap::testing::{
    aws::{Partition, limits::BUCKET_POLICY_BYTES},
    plan::Tier,
    policy::{
        compose::{Grants, Scope, TrailGrant, compose},
        evaluate::{Caller, Request, Verdict, evaluate, glob},
    },
};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const ACCOUNT: &str = "111122223333";

/// Few to many names, alike and not, under one to many prefixes.
fn sources() -> impl Strategy<Value = BTreeMap<String, BTreeSet<String>>> {
    let name = prop_oneof!["acme-[a-d]{1,2}-(web|data)-[a-z0-9]{1,24}[0-9]", "[a-z]{3}[a-z0-9.]{0,1}[a-z0-9]{4,30}"];
    let names = prop_oneof![
        3 => proptest::collection::btree_set(name.clone(), 1..40),
        2 => proptest::collection::btree_set(name, 250..700),
    ];
    (names, 1..90usize).prop_map(|(names, prefixes)| {
        let mut sources = BTreeMap::<String, BTreeSet<String>>::new();
        for (at, name) in names.into_iter().enumerate() {
            sources.entry(format!("team-{:03}/logs/", at % prefixes)).or_default().insert(name);
        }
        sources
    })
}

fn trails() -> impl Strategy<Value = Vec<TrailGrant>> {
    prop_oneof![3 => 0..3usize, 1 => 0..120usize].prop_map(|count| {
        (0..count)
            .map(|number| {
                let account_id = format!("{:012}", 444_400_000_000_u64 + number as u64);
                TrailGrant {
                    multi_region: true,
                    arn: format!("arn:aws:cloudtrail:us-east-1:{account_id}:trail/audit"),
                    account_id,
                    prefix: String::new(),
                    organization: None,
                }
            })
            .collect()
    })
}

fn allowed(
    policy: &logmap::testing::policy::Policy,
    service: &str,
    action: &str,
    resource: &str,
    context: &[(&str, &str)],
) -> bool {
    let context: Vec<_> = context.iter().copied().chain([("aws:SecureTransport", "true")]).collect();
    let request = Request { principal: Caller::Service(service), action, resource, context: &context };
    matches!(evaluate(policy, &request), Verdict::Allowed(_))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(20) })]

    #[test]
    fn a_policy_fits_and_covers_all(sources in sources(), trails in trails(), deny_insecure_transport: bool) {
        let grants = Grants {
            bucket: "acme-logs",
            partition: Partition::Aws,
            account_id: ACCOUNT,
            sources: sources.iter().map(|(prefix, names)| (prefix.as_str(), names.iter().map(String::as_str).collect())).collect(),
            trails: trails.clone(),
            senders: Vec::new(),
            readers: None,
            copies: &[],
            organization_id: None,
            scope: Scope::Auto,
            deny_insecure_transport,
            extra: &[],
        };
        let (policy, report) = compose(&grants).expect("some form fits");
        prop_assert_eq!(report.bytes_used, policy.to_json().len());
        prop_assert!(report.bytes_used <= BUCKET_POLICY_BYTES && report.bytes_used + report.bytes_left == BUCKET_POLICY_BYTES);
        for (prefix, names) in &sources {
            for name in names {
                let (key, arn) = (format!("arn:aws:s3:::acme-logs/{prefix}x"), format!("arn:aws:s3:::{name}"));
                let ours = |account| [("aws:SourceAccount", account), ("aws:SourceArn", arn.as_str())];
                prop_assert!(allowed(&policy, "logging.s3.amazonaws.com", "s3:PutObject", &key, &ours(ACCOUNT)), "{name} is kept out");
                prop_assert!(!allowed(&policy, "logging.s3.amazonaws.com", "s3:PutObject", &key, &ours("999999999999")));
            }
        }
        for trail in &trails {
            let key = format!("arn:aws:s3:::acme-logs/AWSLogs/{}/CloudTrail/x", trail.account_id);
            let context = [("aws:SourceAccount", trail.account_id.as_str()), ("aws:SourceArn", trail.arn.as_str()), ("s3:x-amz-acl", "bucket-owner-full-control")];
            prop_assert!(allowed(&policy, "cloudtrail.amazonaws.com", "s3:PutObject", &key, &context), "{} is kept out", trail.arn);
        }
        // nothing is widened that fits: without notes each name stands there as it is
        let patterns: BTreeSet<&String> = policy.statements.iter().filter_map(|s| s.condition.get("ArnLike")?.get("aws:SourceArn")).flatten().collect();
        if report.tier == Tier::Buckets {
            let exact: BTreeSet<String> = sources.values().flatten().map(|name| format!("arn:aws:s3:::{name}")).collect();
            prop_assert!(exact.iter().collect::<BTreeSet<_>>() == patterns);
        } else if report.tier == Tier::Patterns {
            prop_assert!(report.notes.iter().any(|note| note.contains("other names")));
            let used = |pattern: &&String| sources.values().flatten().any(|name| glob(pattern, &format!("arn:aws:s3:::{name}")));
            prop_assert!(patterns.iter().all(used), "a pattern is of no use");
        }
    }
}
