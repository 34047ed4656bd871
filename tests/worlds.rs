//! Worlds of random maps: as the map says there is no drift, and one reading that is another one is found.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail loudly")]

mod common;
#[path = "common/maps.rs"]
mod maps;

use common::logmap_with_input;
use logmap::testing::plan::{LogBucket, Plan, Trail};
use maps::{map, plan};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::fs;

const NOW: &str = "2026-11-30T02:00:00Z";

/// What AWS answers where all is as the plan says.
fn world(plan: &Plan) -> Value {
    let account = |account: &logmap::testing::plan::Account| {
        let places = || account.placements.iter();
        let mut buckets: Vec<Value> = Vec::new();
        for place in places() {
            let logging = |name: &str| {
                let source = place.sources.iter().find(|source| source.name == name)?;
                let mut target = json!({ "TargetBucket": &*source.log_bucket, "TargetPrefix": &*source.prefix });
                if let Some(date) = source.key_format.partition_date_source() {
                    target["TargetObjectKeyFormat"] = json!({ "PartitionedPrefix": { "PartitionDateSource": date } });
                }
                Some(json!({ "LoggingEnabled": target }))
            };
            let entry =
                |name: &str| json!({ "Name": name, "BucketRegion": place.region, "asked_at": NOW, "logging": logging(name) });
            let names = || place.buckets.iter().map(|bucket| bucket.name.as_str());
            let sources = place.sources.iter().map(|source| source.name.as_str()).filter(|name| !names().any(|one| one == *name));
            buckets.extend(sources.map(entry));
            buckets.extend(place.buckets.iter().map(|bucket| log_bucket(bucket, entry(&bucket.name))));
        }
        let regions: Vec<Value> = places()
            .map(|place| json!({ "Region": place.region, "trails": place.trails.iter().map(trail).collect::<Vec<_>>() }))
            .collect();
        json!({ "Id": account.id, "partition": "aws", "taken_at": NOW, "buckets_complete": true, "regions": regions, "buckets": buckets })
    };
    let accounts: Vec<Value> = plan.accounts.iter().map(account).collect();
    json!({ "logmap_snapshot": "1.0", "taken_at": NOW, "scope": { "accounts": [], "buckets": "all" }, "accounts": accounts })
}

fn log_bucket(bucket: &LogBucket, mut entry: Value) -> Value {
    let rules = bucket.lifecycle.iter().map(|rule| {
        let mut one = json!({ "ID": rule.id, "Status": "Enabled", "Filter": { "Prefix": rule.prefix },
            "AbortIncompleteMultipartUpload": { "DaysAfterInitiation": 7 } });
        if let Some(days) = rule.expire_after_days {
            one["Expiration"] = json!({ "Days": days });
        }
        if let Some(days) = rule.noncurrent_expire_after_days {
            one["NoncurrentVersionExpiration"] = json!({ "NoncurrentDays": days });
        }
        one
    });
    let tags: Vec<Value> = bucket.tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
    for (key, value) in [
        ("policy", json!({ "Policy": serde_json::to_string(&bucket.policy).unwrap() })),
        (
            "encryption",
            json!({ "ServerSideEncryptionConfiguration": { "Rules": [{ "ApplyServerSideEncryptionByDefault": { "SSEAlgorithm": "AES256" } }] } }),
        ),
        ("object_lock", Value::Null),
        ("payer", json!({ "Payer": "BucketOwner" })),
        ("ownership", json!({ "OwnershipControls": { "Rules": [{ "ObjectOwnership": "BucketOwnerEnforced" }] } })),
        (
            "public_access",
            json!({ "PublicAccessBlockConfiguration": { "BlockPublicAcls": true, "BlockPublicPolicy": true, "IgnorePublicAcls": true, "RestrictPublicBuckets": true } }),
        ),
        ("versioning", json!({ "Status": if bucket.versioning { "Enabled" } else { "Suspended" } })),
        ("lifecycle", json!({ "Rules": rules.collect::<Vec<_>>() })),
        ("tags", json!({ "TagSet": tags })),
    ] {
        entry[key] = value;
    }
    entry
}

fn trail(trail: &Trail) -> Value {
    let status = json!({ "IsLogging": true, "LatestDeliveryError": "" });
    let home = trail.arn.split(':').nth(3).unwrap();
    json!({ "trail": { "Name": trail.name, "TrailARN": trail.arn, "HomeRegion": home, "S3BucketName": trail.bucket, "S3KeyPrefix": trail.prefix,
            "IsMultiRegionTrail": trail.multi_region, "IsOrganizationTrail": trail.organization, "LogFileValidationEnabled": trail.log_file_validation },
        "selectors": { "EventSelectors": [{ "ReadWriteType": "All", "IncludeManagementEvents": true }] }, "status": { (home): status } })
}

/// One reading that is another one: which, by a number, and the rule that finds it.
fn mutate(world: &mut Value, number: usize) -> &'static str {
    let mut buckets: Vec<&mut Value> = world["accounts"]
        .as_array_mut()
        .unwrap()
        .iter_mut()
        .flat_map(|account| account["buckets"].as_array_mut().unwrap())
        .collect();
    let at = number / 7 % buckets.len();
    let bucket = &mut buckets[at];
    if bucket.get("policy").is_none() {
        bucket["logging"] = if number.is_multiple_of(2) {
            Value::Null
        } else {
            json!({ "LoggingEnabled": { "TargetBucket": "elsewhere", "TargetPrefix": "" } })
        };
        return if number.is_multiple_of(2) { "LM2111" } else { "LM2112" };
    }
    match number % 7 {
        0 => (bucket["policy"] = Value::Null, "LM2103").1,
        1 => (bucket["payer"] = json!({ "Payer": "Requester" }), "LM2106").1,
        2 => (bucket["encryption"] = Value::Null, "LM2107").1,
        3 => (bucket["ownership"] = Value::Null, "LM2107").1,
        4 => (bucket["public_access"] = Value::Null, "LM2107").1,
        5 => (bucket["lifecycle"]["Rules"][0]["Expiration"]["Days"] = 7.into(), "LM2108").1,
        _ => (bucket["Name"] = "gone".into(), "LM2101").1,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(40) })]
    #[test]
    fn a_world_as_the_map_says_has_no_drift_and_a_change_of_it_is_found(map in map(), number in 0..10_000usize) {
        let map = map.replace("\"s3_data_events\":true", "\"s3_data_events\":false");
        let Some(plan) = plan(&map) else { return Ok(()) };
        let mut world = world(&plan);
        if world["accounts"].as_array().unwrap().iter().all(|account| account["buckets"].as_array().unwrap().is_empty()) {
            return Ok(());
        }
        let dir = tempfile::tempdir().unwrap();
        let drift = |world: &Value| {
            fs::write(dir.path().join("s.json"), world.to_string()).unwrap();
            let run = logmap_with_input(dir.path(), &["drift", "-", "--snapshot", "s.json", "--format", "json"], &map);
            let report: Value = serde_json::from_str(&run.stdout).unwrap();
            let rules: Vec<String> = report["findings"].as_array().unwrap().iter().map(|one| format!("{}: {}", one["rule"].as_str().unwrap(), one["message"])).collect();
            (run.code, rules)
        };
        prop_assert_eq!(drift(&world), (0, Vec::new()), "{}", map);
        let rule = mutate(&mut world, number);
        let (code, found) = drift(&world);
        // another retention is a warning
        prop_assert!(code == i32::from(rule != "LM2108") && found.iter().any(|one| one.starts_with(rule)), "{}: {} is not among {:?}", map, rule, found);
    }
}
