//! `drift` on a world that the scripts have made (`tests/drift/`), in which one thing after the other is changed: each change is found by
//! its rule, at its line of the map, and nothing else is.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail loudly")]

mod common;

use common::Run;
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

const LOGS: &str = "acme-logs-111122223333-us-east-1";
const TRAILS: &str = "acme-trails-444455556666-us-east-1";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/drift")
}

/// The world that the scripts make.
fn world() -> Value {
    serde_json::from_str(&fs::read_to_string(folder().join("snapshot.json")).unwrap()).unwrap()
}

/// Runs logmap in the folder of the world.
fn logmap(arguments: &[&str]) -> Run {
    common::logmap(&folder(), arguments)
}

/// What `drift` says of a world: its exit code and its report.
fn drift(world: &Value, flags: &[&str]) -> (i32, Value) {
    drift_of(&folder().join("logmap.yaml"), world, flags)
}

/// The same, of another map.
fn drift_of(map: &Path, world: &Value, flags: &[&str]) -> (i32, Value) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("snapshot.json");
    fs::write(&path, world.to_string()).unwrap();
    let mut args = vec!["drift", map.to_str().unwrap(), "--snapshot", path.to_str().unwrap(), "--format", "json"];
    args.extend(flags);
    let run = logmap(&args);
    let text = &run.stdout;
    let report = serde_json::from_str(text).unwrap_or_else(|_| panic!("{text}\n{}", run.stderr));
    (run.code, report)
}

/// Rules and what is underlined in the map, without what is only a note.
fn found(report: &Value) -> BTreeSet<(String, String)> {
    let map = fs::read_to_string(folder().join("logmap.yaml")).unwrap();
    let lines: Vec<&str> = map.lines().collect();
    let one = |finding: &Value| {
        let rule = finding["rule"].as_str().unwrap().to_owned();
        let line = finding["range"]["start"]["line"].as_u64().unwrap() as usize;
        let is_map = finding["file"].as_str().unwrap().ends_with("logmap.yaml");
        (rule, if is_map { lines[line - 1].trim().to_owned() } else { "snapshot".to_owned() })
    };
    report["findings"].as_array().unwrap().iter().map(one).collect()
}

fn pairs(expected: &[(&str, &str)]) -> BTreeSet<(String, String)> {
    expected.iter().map(|(rule, line)| ((*rule).to_owned(), (*line).to_owned())).collect()
}

/// A bucket of the world.
fn bucket<'w>(world: &'w mut Value, name: &str) -> &'w mut Value {
    let accounts = world["accounts"].as_array_mut().unwrap();
    accounts
        .iter_mut()
        .flat_map(|account| account["buckets"].as_array_mut().unwrap())
        .find(|bucket| bucket["Name"] == name)
        .unwrap()
}

/// A Region of the first account.
fn region<'w>(world: &'w mut Value, name: &str) -> &'w mut Value {
    world["accounts"][0]["regions"].as_array_mut().unwrap().iter_mut().find(|region| region["Region"] == name).unwrap()
}

fn audit(world: &mut Value) -> &mut Value {
    &mut region(world, "us-east-1")["trails"][0]
}

/// Changes the text of a bucket's policy.
fn policy(world: &mut Value, name: &str, change: impl Fn(&mut Value)) {
    let text = &mut bucket(world, name)["policy"]["Policy"];
    let mut policy: Value = serde_json::from_str(text.as_str().unwrap()).unwrap();
    change(&mut policy);
    *text = policy.to_string().into();
}

fn statement<'p>(policy: &'p mut Value, sid: &str) -> &'p mut Value {
    policy["Statement"].as_array_mut().unwrap().iter_mut().find(|statement| statement["Sid"] == sid).unwrap()
}

fn remove(world: &mut Value, name: &str) {
    for account in world["accounts"].as_array_mut().unwrap() {
        account["buckets"].as_array_mut().unwrap().retain(|bucket| bucket["Name"] != name);
    }
}

/// Where the map speaks of the log buckets.
const LOG_BUCKET: &str = "log_bucket:";
const ARCHIVE: &str = "us-east-1:";

type Change = fn(&mut Value);
/// A change in words, what makes it, and the rules with their lines.
type Case = (&'static str, Change, &'static [(&'static str, &'static str)]);

#[test]
fn the_world_of_the_scripts_has_no_drift() {
    let (code, report) = drift(&world(), &[]);
    assert_eq!((code, report["findings"].as_array().unwrap().len()), (0, 0), "{report:#}");
    let checked = &report["checked"];
    for (kind, count) in [("log_buckets", 5), ("sources", 6), ("trails", 2), ("monitoring", 17)] {
        assert_eq!(checked[kind], json!({ "as_mapped": count, "drifted": 0, "unknown": 0 }), "{kind}");
    }
}

#[test]
#[allow(clippy::too_many_lines, reason = "one table")]
fn each_change_has_its_rule_at_its_line() {
    let changes: Vec<Case> = vec![
        ("the log bucket is gone", |w| remove(w, LOGS), &[("LM2101", LOG_BUCKET)]),
        (
            "it belongs to somebody else",
            |w| {
                let entry = bucket(w, LOGS);
                *entry = json!({ "Name": LOGS, "BucketRegion": null, "listed": false, "head": { "error": "403", "call": "s3:HeadBucket", "message": "Forbidden" } });
            },
            &[("LM2102", LOG_BUCKET)],
        ),
        ("it is in another Region", |w| bucket(w, LOGS)["BucketRegion"] = "eu-west-1".into(), &[("LM2102", LOG_BUCKET)]),
        ("no policy", |w| bucket(w, LOGS)["policy"] = Value::Null, &[("LM2103", LOG_BUCKET)]),
        (
            "a source is not granted",
            |w| {
                policy(w, LOGS, |p| {
                    statement(p, "LogmapAccessLogs2")["Condition"]["ArnLike"]["aws:SourceArn"] = "arn:aws:s3:::acme-api".into();
                })
            },
            &[("LM2103", LOG_BUCKET)],
        ),
        (
            "a grant is missing",
            |w| {
                policy(w, LOGS, |p| {
                    p["Statement"].as_array_mut().unwrap().retain(|s| s["Sid"] != "LogmapAccessLogs");
                })
            },
            &[("LM2103", LOG_BUCKET)],
        ),
        (
            "a Deny without encryption headers",
            |w| {
                policy(w, LOGS, |p| {
                    p["Statement"].as_array_mut().unwrap().push(json!({ "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject",
                "Resource": format!("arn:aws:s3:::{LOGS}/*"), "Condition": { "Null": { "s3:x-amz-server-side-encryption": "true" } } }));
                })
            },
            &[("LM2103", LOG_BUCKET)],
        ),
        (
            "a Deny for everybody",
            |w| {
                policy(w, LOGS, |p| {
                    p["Statement"].as_array_mut().unwrap().push(json!({ "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": format!("arn:aws:s3:::{LOGS}/*") }));
                })
            },
            &[("LM2103", LOG_BUCKET)],
        ),
        (
            "a trail is not granted",
            |w| {
                policy(w, TRAILS, |p| {
                    p["Statement"].as_array_mut().unwrap().retain(|s| s["Sid"] != "LogmapCloudTrailWrite");
                })
            },
            &[("LM2103", ARCHIVE)],
        ),
        (
            "the ACL check is refused",
            |w| {
                policy(w, TRAILS, |p| {
                    statement(p, "LogmapCloudTrailAclCheck")["Condition"]["StringEquals"]["aws:SourceArn"] =
                        "arn:aws:cloudtrail:us-east-1:444455556666:trail/plain".into();
                })
            },
            &[("LM2103", ARCHIVE)],
        ),
        (
            "any account may deliver",
            |w| {
                policy(w, LOGS, |p| {
                    statement(p, "LogmapAccessLogs").as_object_mut().unwrap().remove("Condition");
                })
            },
            &[("LM2104", LOG_BUCKET)],
        ),
        (
            "any bucket may deliver",
            |w| {
                policy(w, LOGS, |p| {
                    statement(p, "LogmapAccessLogs2")["Condition"].as_object_mut().unwrap().remove("ArnLike");
                })
            },
            &[("LM2104", LOG_BUCKET)],
        ),
        (
            "any key may be written",
            |w| {
                policy(w, LOGS, |p| {
                    statement(p, "LogmapAccessLogs")["Resource"] = format!("arn:aws:s3:::{LOGS}/*").into();
                })
            },
            &[("LM2104", LOG_BUCKET)],
        ),
        (
            "a stranger may read",
            |w| {
                policy(w, LOGS, |p| {
                    p["Statement"].as_array_mut().unwrap().push(
                        json!({ "Sid": "Helpful", "Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::999988887777:root" },
                "Action": "s3:GetObject", "Resource": format!("arn:aws:s3:::{LOGS}/*") }),
                    );
                })
            },
            &[("LM2104", LOG_BUCKET)],
        ),
        (
            "everybody may read",
            |w| {
                policy(w, LOGS, |p| {
                    p["Statement"].as_array_mut().unwrap().push(json!({ "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": format!("arn:aws:s3:::{LOGS}/*") }));
                })
            },
            &[("LM2104", LOG_BUCKET)],
        ),
        (
            "another trail may write",
            |w| {
                policy(w, TRAILS, |p| {
                    statement(p, "LogmapCloudTrailWrite")["Condition"]["StringEquals"]
                        .as_object_mut()
                        .unwrap()
                        .remove("aws:SourceArn");
                })
            },
            &[("LM2104", ARCHIVE)],
        ),
        (
            "TLS is not asked for",
            |w| {
                policy(w, LOGS, |p| {
                    p["Statement"].as_array_mut().unwrap().retain(|s| s["Sid"] != "LogmapDenyInsecureTransport");
                })
            },
            &[("LM2104", LOG_BUCKET)],
        ),
        (
            "a statement of the map is gone",
            |w| {
                policy(w, LOGS, |p| {
                    p["Statement"].as_array_mut().unwrap().retain(|s| s.get("Sid").is_some());
                })
            },
            &[("LM2105", LOG_BUCKET)],
        ),
        (
            "a Deny beside the map",
            |w| {
                policy(w, LOGS, |p| {
                    p["Statement"].as_array_mut().unwrap().push(
                        json!({ "Sid": "NoDelete", "Effect": "Deny", "Principal": { "AWS": "arn:aws:iam::111122223333:role/ci" },
                "Action": "s3:DeleteObject", "Resource": format!("arn:aws:s3:::{LOGS}/*") }),
                    );
                })
            },
            &[("LM2105", LOG_BUCKET)],
        ),
        (
            "SSE-KMS",
            |w| {
                bucket(w, LOGS)["encryption"]["ServerSideEncryptionConfiguration"]["Rules"][0]["ApplyServerSideEncryptionByDefault"] =
                    json!({ "SSEAlgorithm": "aws:kms" })
            },
            &[("LM2106", LOG_BUCKET)],
        ),
        (
            "Object Lock",
            |w| bucket(w, LOGS)["object_lock"] = json!({ "ObjectLockConfiguration": { "ObjectLockEnabled": "Enabled" } }),
            &[("LM2106", LOG_BUCKET)],
        ),
        ("Requester Pays", |w| bucket(w, LOGS)["payer"] = json!({ "Payer": "Requester" }), &[("LM2106", LOG_BUCKET)]),
        ("Requester Pays for trails", |w| bucket(w, TRAILS)["payer"] = json!({ "Payer": "Requester" }), &[("LM2106", ARCHIVE)]),
        (
            "SSE-KMS for trails",
            |w| {
                bucket(w, TRAILS)["encryption"]["ServerSideEncryptionConfiguration"]["Rules"][0]["ApplyServerSideEncryptionByDefault"] =
                    json!({ "SSEAlgorithm": "aws:kms" })
            },
            &[("LM2107", ARCHIVE)],
        ),
        (
            "Object Lock for trails",
            |w| {
                bucket(w, TRAILS)["object_lock"] = json!({ "ObjectLockConfiguration": { "ObjectLockEnabled": "Enabled",
            "Rule": { "DefaultRetention": { "Mode": "GOVERNANCE", "Days": 1 } } } })
            },
            &[("LM2107", ARCHIVE)],
        ),
        ("no encryption", |w| bucket(w, LOGS)["encryption"] = Value::Null, &[("LM2107", LOG_BUCKET)]),
        (
            "ACLs",
            |w| bucket(w, LOGS)["ownership"]["OwnershipControls"]["Rules"][0]["ObjectOwnership"] = "ObjectWriter".into(),
            &[("LM2107", LOG_BUCKET)],
        ),
        ("no replication", |w| bucket(w, LOGS)["replication"] = Value::Null, &[("LM2115", LOG_BUCKET)]),
        (
            "logs that somebody else has copied",
            |w| {
                let rule = json!({ "ID": "x", "Status": "Enabled", "Filter": { "Prefix": "" }, "Destination": { "Bucket": "arn:aws:s3:::not-ours" } });
                bucket(w, LOGS)["replication"]["ReplicationConfiguration"]["Rules"].as_array_mut().unwrap().push(rule);
            },
            &[("LM2116", LOG_BUCKET)],
        ),
        (
            "logs of a bucket that nobody should copy",
            |w| {
                let rule =
                    json!({ "ID": "x", "Status": "Enabled", "Prefix": "", "Destination": { "Bucket": "arn:aws:s3:::not-ours" } });
                bucket(w, TRAILS)["replication"] = json!({ "ReplicationConfiguration": { "Role": "r", "Rules": [rule] } });
            },
            &[("LM2116", ARCHIVE)],
        ),
        (
            "no role that copies",
            |w| region(w, "us-east-1")["copy_roles"] = json!({ "logmap-replication-us-east-1": null }),
            &[("LM2115", "central:")],
        ),
        ("no ownership controls", |w| bucket(w, LOGS)["ownership"] = Value::Null, &[("LM2107", LOG_BUCKET)]),
        (
            "public policies",
            |w| bucket(w, LOGS)["public_access"]["PublicAccessBlockConfiguration"]["BlockPublicPolicy"] = false.into(),
            &[("LM2107", LOG_BUCKET)],
        ),
        ("no public access block", |w| bucket(w, LOGS)["public_access"] = Value::Null, &[("LM2107", LOG_BUCKET)]),
        (
            "versioning is suspended",
            |w| bucket(w, LOGS)["versioning"] = json!({ "Status": "Suspended" }),
            &[("LM2107", LOG_BUCKET)],
        ),
        ("versioning was never on", |w| bucket(w, LOGS)["versioning"] = Value::Null, &[("LM2107", LOG_BUCKET)]),
        (
            "logs go sooner",
            |w| bucket(w, LOGS)["lifecycle"]["Rules"][0]["Expiration"]["Days"] = 30.into(),
            &[("LM2108", LOG_BUCKET)],
        ),
        ("a rule is off", |w| bucket(w, LOGS)["lifecycle"]["Rules"][0]["Status"] = "Disabled".into(), &[("LM2108", LOG_BUCKET)]),
        ("no rules", |w| bucket(w, LOGS)["lifecycle"] = Value::Null, &[("LM2108", LOG_BUCKET)]),
        (
            "a rule of somebody else",
            |w| {
                bucket(w, LOGS)["lifecycle"]["Rules"]
                    .as_array_mut()
                    .unwrap()
                    .push(json!({ "ID": "cheap", "Status": "Enabled", "Filter": { "Prefix": "" }, "Expiration": { "Days": 7 } }))
            },
            &[("LM2108", LOG_BUCKET)],
        ),
        (
            "another storage class",
            |w| {
                for rule in bucket(w, LOGS)["lifecycle"]["Rules"].as_array_mut().unwrap() {
                    if rule["Transitions"].is_array() {
                        rule["Transitions"][0]["StorageClass"] = "DEEP_ARCHIVE".into();
                    }
                }
            },
            &[("LM2108", LOG_BUCKET)],
        ),
        (
            "small objects are moved, too",
            |w| bucket(w, LOGS)["lifecycle"]["TransitionDefaultMinimumObjectSize"] = "varies_by_storage_class".into(),
            &[("LM2108", LOG_BUCKET)],
        ),
        ("a tag is gone", |w| bucket(w, LOGS)["tags"] = Value::Null, &[("LM2109", LOG_BUCKET)]),
        (
            "a tag has another value",
            |w| bucket(w, LOGS)["tags"]["TagSet"][0]["Value"] = "nobody".into(),
            &[("LM2109", LOG_BUCKET)],
        ),
        (
            "the log bucket logs to itself",
            |w| bucket(w, LOGS)["logging"] = json!({ "LoggingEnabled": { "TargetBucket": LOGS, "TargetPrefix": "" } }),
            &[("LM2110", LOG_BUCKET)],
        ),
        ("a source does not log", |w| bucket(w, "acme-web")["logging"] = Value::Null, &[("LM2111", "- acme-web")]),
        ("the trails' bucket does not log", |w| bucket(w, TRAILS)["logging"] = Value::Null, &[("LM2111", ARCHIVE)]),
        (
            "a source logs elsewhere",
            |w| bucket(w, "acme-eu")["logging"]["LoggingEnabled"]["TargetBucket"] = LOGS.into(),
            &[("LM2112", "- acme-eu")],
        ),
        (
            "another prefix",
            |w| bucket(w, "acme-api")["logging"]["LoggingEnabled"]["TargetPrefix"] = "".into(),
            &[("LM2113", "- acme-api")],
        ),
        (
            "days of delivery",
            |w| {
                bucket(w, "acme-api")["logging"]["LoggingEnabled"]["TargetObjectKeyFormat"]["PartitionedPrefix"]["PartitionDateSource"] =
                    "DeliveryTime".into()
            },
            &[("LM2113", "- acme-api")],
        ),
        (
            "flat keys",
            |w| {
                bucket(w, "acme-api")["logging"]["LoggingEnabled"].as_object_mut().unwrap().remove("TargetObjectKeyFormat");
            },
            &[("LM2113", "- acme-api")],
        ),
        (
            "partitioned keys",
            |w| bucket(w, "acme-flat")["logging"]["LoggingEnabled"]["TargetObjectKeyFormat"] = json!({ "PartitionedPrefix": {} }),
            &[("LM2113", "- { name: acme-flat, key_format: simple, prefix: flat/ }")],
        ),
        ("a source is gone", |w| remove(w, "acme-web"), &[("LM2114", "- acme-web")]),
        (
            "a source is in another Region",
            |w| bucket(w, "acme-web")["BucketRegion"] = "us-west-2".into(),
            &[("LM2114", "- acme-web")],
        ),
        (
            "a source is in another account",
            |w| {
                let moved = bucket(w, "acme-web").clone();
                remove(w, "acme-web");
                w["accounts"][1]["buckets"].as_array_mut().unwrap().push(moved);
            },
            &[("LM2114", "- acme-web")],
        ),
        ("a trail is gone", |w| region(w, "us-east-1")["trails"] = json!([]), &[("LM2121", "audit:")]),
        ("a trail is stopped", |w| audit(w)["status"]["us-east-1"]["IsLogging"] = false.into(), &[("LM2122", "audit:")]),
        ("a trail delivers elsewhere", |w| audit(w)["trail"]["S3BucketName"] = "elsewhere".into(), &[("LM2123", "audit:")]),
        ("a trail has a prefix", |w| audit(w)["trail"]["S3KeyPrefix"] = "x".into(), &[("LM2123", "audit:")]),
        ("a trail records one Region", |w| audit(w)["trail"]["IsMultiRegionTrail"] = false.into(), &[("LM2123", "audit:")]),
        ("a trail has no digests", |w| audit(w)["trail"]["LogFileValidationEnabled"] = false.into(), &[("LM2123", "audit:")]),
        (
            "a trail has a key",
            |w| audit(w)["trail"]["KmsKeyId"] = "arn:aws:kms:us-east-1:111122223333:key/x".into(),
            &[("LM2123", "audit:")],
        ),
        (
            "no data events",
            |w| {
                audit(w)["selectors"]["AdvancedEventSelectors"].as_array_mut().unwrap().pop();
            },
            &[("LM2123", "audit:")],
        ),
        ("no selectors", |w| audit(w)["selectors"] = json!({ "EventSelectors": [] }), &[("LM2123", "audit:")]),
        ("no Insights", |w| audit(w)["insights"] = Value::Null, &[("LM2123", "audit:")]),
        (
            "management events are read only",
            |w| {
                w["accounts"][1]["regions"][0]["trails"][0]["selectors"]["EventSelectors"] =
                    json!([{ "ReadWriteType": "ReadOnly", "IncludeManagementEvents": true }])
            },
            &[("LM2123", "plain:")],
        ),
        (
            "the parameter is gone",
            |w| region(w, "us-east-1")["parameters"]["/logmap/access-log-bucket"] = Value::Null,
            &[("LM2131", "publish:")],
        ),
        (
            "the parameter has another value",
            |w| region(w, "us-east-1")["parameters"]["/logmap/access-log-bucket"]["Parameter"]["Value"] = "x".into(),
            &[("LM2131", "publish:")],
        ),
        (
            "the Config rule compares with another bucket",
            |w| {
                region(w, "us-east-1")["config_rules"]["logmap-acme-access-logging"]["InputParameters"] =
                    "{\"targetBucket\":\"x\"}".into()
            },
            &[("LM2131", "monitoring:")],
        ),
        (
            "the Config rule is gone",
            |w| region(w, "us-east-1")["config_rules"]["logmap-acme-access-logging"] = Value::Null,
            &[("LM2131", "monitoring:")],
        ),
        (
            "a rule is disabled",
            |w| region(w, "us-east-1")["event_rules"]["logmap-acme-trails"]["rule"]["State"] = "DISABLED".into(),
            &[("LM2131", "monitoring:")],
        ),
        (
            "a rule publishes nowhere",
            |w| region(w, "us-east-1")["event_rules"]["logmap-acme-trails"]["targets"]["Targets"] = json!([]),
            &[("LM2131", "monitoring:")],
        ),
        (
            "a rule publishes a text of others",
            |w| {
                region(w, "us-east-1")["event_rules"]["logmap-acme-trails"]["targets"]["Targets"][0]["InputTransformer"] =
                    json!({ "InputPathsMap": {}, "InputTemplate": "\"nothing\"" })
            },
            &[("LM2131", "monitoring:")],
        ),
        (
            "a rule watches less",
            |w| region(w, "us-east-1")["event_rules"]["logmap-acme-trails"]["rule"]["EventPattern"] = "{}".into(),
            &[("LM2131", "monitoring:")],
        ),
        (
            "the topic is gone",
            |w| region(w, "us-east-1")["topics"]["arn:aws:sns:us-east-1:111122223333:acme-alerts"] = Value::Null,
            &[("LM2131", "monitoring:")],
        ),
        (
            "the topic lets nobody publish",
            |w| {
                region(w, "us-east-1")["topics"]["arn:aws:sns:us-east-1:111122223333:acme-alerts"]["Attributes"]["Policy"] =
                    "{\"Statement\":[]}".into()
            },
            &[("LM2131", "monitoring:")],
        ),
    ];
    assert!(changes.len() >= 40, "{}", changes.len());
    let mut wrong = Vec::new();
    for (what, change, expected) in &changes {
        let mut changed = world();
        change(&mut changed);
        assert_ne!(changed, world(), "{what} changes nothing");
        let (code, report) = drift(&changed, &[]);
        let is_note = expected.iter().all(|(rule, _)| *rule == "LM2109");
        let is_warning = expected.iter().all(|(rule, _)| ["LM2105", "LM2108", "LM2131"].contains(rule));
        let right = found(&report) == pairs(expected) && code == i32::from(!is_note && !is_warning);
        if !right {
            wrong.push(format!("{what}: exit {code}, {:?}, expected {expected:?}\n{:#}", found(&report), report["findings"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_spelt_otherwise_is_no_drift() {
    let same: Vec<(&str, Change)> = vec![
        ("an account as the ARN of its root", |w| {
            policy(w, LOGS, |p| {
                for statement in p["Statement"].as_array_mut().unwrap() {
                    if statement.get("Sid").is_none() {
                        statement["Principal"]["AWS"] = "arn:aws:iam::444455556666:root".into();
                    }
                }
            })
        }),
        ("statements in another order", |w| policy(w, LOGS, |p| p["Statement"].as_array_mut().unwrap().reverse())),
        ("values in another order", |w| {
            policy(w, LOGS, |p| {
                statement(p, "LogmapAccessLogs2")["Condition"]["ArnLike"]["aws:SourceArn"].as_array_mut().unwrap().reverse();
            })
        }),
        ("everybody in the long form", |w| {
            policy(w, LOGS, |p| statement(p, "LogmapDenyInsecureTransport")["Principal"] = json!({ "AWS": "*" }))
        }),
        ("rules with other ids", |w| {
            for (at, rule) in bucket(w, LOGS)["lifecycle"]["Rules"].as_array_mut().unwrap().iter_mut().enumerate() {
                rule["ID"] = format!("rule-{at}").into();
            }
        }),
        ("a rule that is off beside them", |w| {
            bucket(w, LOGS)["lifecycle"]["Rules"]
                .as_array_mut()
                .unwrap()
                .push(json!({ "ID": "old", "Status": "Disabled", "Filter": { "Prefix": "" }, "Expiration": { "Days": 7 } }))
        }),
        ("a tag of somebody else", |w| {
            bucket(w, LOGS)["tags"]["TagSet"].as_array_mut().unwrap().push(json!({ "Key": "cost", "Value": "1" }))
        }),
        ("selectors with other names", |w| audit(w)["selectors"]["AdvancedEventSelectors"][0]["Name"] = "x".into()),
        ("fields of later versions", |w| {
            bucket(w, LOGS)["encryption"]["ServerSideEncryptionConfiguration"]["Rules"][0]["BlockedEncryptionTypes"] =
                json!({ "EncryptionType": ["SSE-C"] });
            bucket(w, LOGS)["news"] = json!({ "Any": true });
            w["more"] = json!([]);
        }),
    ];
    for (what, change) in &same {
        let mut changed = world();
        change(&mut changed);
        assert_ne!(changed, world(), "{what} changes nothing");
        let (code, report) = drift(&changed, &[]);
        assert_eq!((code, found(&report)), (0, BTreeSet::new()), "{what}: {:#}", report["findings"]);
    }
}

/// Readings of a log bucket, and of whatever else is asked.
const READINGS: [&str; 10] =
    ["logging", "policy", "encryption", "object_lock", "payer", "ownership", "public_access", "versioning", "lifecycle", "tags"];

#[test]
fn what_was_not_read_is_never_taken_for_right() {
    let failed = json!({ "error": "AccessDenied", "status": 403, "call": "s3:GetIt", "message": "with an explicit deny in a service control policy" });
    let mut seen = 0;
    for reading in READINGS {
        for replacement in [Some(failed.clone()), None] {
            for name in [LOGS, "acme-web"] {
                if name == "acme-web" && reading != "logging" {
                    continue;
                }
                let mut changed = world();
                let entry = bucket(&mut changed, name).as_object_mut().unwrap();
                match &replacement {
                    Some(failed) => entry.insert(reading.to_owned(), failed.clone()),
                    None => entry.remove(reading),
                };
                let (code, report) = drift(&changed, &[]);
                let rules: Vec<&str> =
                    report["findings"].as_array().unwrap().iter().map(|f| f["rule"].as_str().unwrap()).collect();
                assert_eq!((code, rules), (3, vec!["LM2291"]), "{reading} of {name}: {report:#}");
                assert_eq!(drift(&changed, &["--partial"]).0, 0, "{reading}");
                assert_eq!(drift(&changed, &["--strict"]).0, 1, "{reading}");
                // drift beside it is still found
                bucket(&mut changed, "acme-api")["logging"] = Value::Null;
                let (code, report) = drift(&changed, &[]);
                assert_eq!(code, 1);
                assert!(found(&report).contains(&("LM2111".to_owned(), "- acme-api".to_owned())), "{reading}");
                seen += 1;
            }
        }
    }
    assert_eq!(seen, 22);
    for (what, change) in [
        (
            "trails",
            (|w| region(w, "us-east-1")["trails"] = json!({ "error": "AccessDenied", "call": "c", "message": "m" })) as Change,
        ),
        ("trails not asked", |w| {
            region(w, "us-east-1").as_object_mut().unwrap().remove("trails");
        }),
        ("status", |w| audit(w)["status"]["us-east-1"] = json!({ "error": "AccessDenied", "call": "c", "message": "m" })),
        ("selectors", |w| audit(w)["selectors"] = json!({ "error": "AccessDenied", "call": "c", "message": "m" })),
        ("insights", |w| {
            audit(w).as_object_mut().unwrap().remove("insights");
        }),
        ("topics", |w| {
            region(w, "us-east-1").as_object_mut().unwrap().remove("topics");
        }),
        ("a Region", |w| *region(w, "us-east-1") = json!({ "Region": "us-east-1", "unreachable": "connect timeout" })),
        (
            "an account",
            |w| w["accounts"][1] = json!({ "Id": "444455556666", "partition": "aws", "taken_at": "2026-11-30T02:00:00Z", "error": "AccessDenied", "call": "sts:AssumeRole", "message": "m" }),
        ),
        ("an account that is not there", |w| {
            w["accounts"].as_array_mut().unwrap().pop();
        }),
        ("a bucket's Region", |w| bucket(w, "acme-web")["BucketRegion"] = Value::Null),
        ("other Regions alone were asked", |w| w["scope"]["regions"] = json!(["ap-south-1"])),
        ("the list", |w| {
            remove(w, "acme-web");
            w["accounts"][0]["buckets_complete"] = false.into();
        }),
    ] {
        let mut changed = world();
        change(&mut changed);
        let (code, report) = drift(&changed, &[]);
        let rules: BTreeSet<&str> = report["findings"].as_array().unwrap().iter().map(|f| f["rule"].as_str().unwrap()).collect();
        assert_eq!((code, rules), (3, BTreeSet::from(["LM2291"])), "{what}: {:#}", report["findings"]);
    }
}

#[test]
fn silence_does_not_make_the_unread_right() {
    let mut changed = world();
    bucket(&mut changed, "acme-web")["logging"] =
        json!({ "error": "AccessDenied", "call": "s3:GetBucketLogging", "message": "m" });
    let dir = tempfile::tempdir().unwrap();
    let (snapshot, known) = (dir.path().join("s.json"), dir.path().join("known.json"));
    fs::write(&snapshot, changed.to_string()).unwrap();
    let map = fs::read_to_string(folder().join("logmap.yaml")).unwrap();
    let path = dir.path().join("logmap.yaml");
    let run = |map: &str, flags: &[&str]| {
        fs::write(&path, map).unwrap();
        let mut args = vec!["drift", path.to_str().unwrap(), "--snapshot", snapshot.to_str().unwrap()];
        args.extend(flags);
        let done = logmap(&args);
        (done.code, done.stdout)
    };
    assert_eq!(run(&map, &["--write-baseline", known.to_str().unwrap()]).0, 3);
    let (code, text) = run(&map, &["--baseline", known.to_str().unwrap()]);
    assert!(code == 3 && !text.contains("LM2291"), "{code} {text}");
    let settings = format!("{map}settings: {{ rules: {{ LM2291: {{ severity: ignore, reason: tired }} }} }}\n");
    assert_eq!(run(&settings, &[]).0, 3);
    // what is drift may be silenced: by a comment, which `validate` does not call unused
    bucket(&mut changed, "acme-web")["logging"] = Value::Null;
    fs::write(&snapshot, changed.to_string()).unwrap();
    let commented =
        map.replace("          - acme-web\n", "          - acme-web # logmap: ignore[LM2111] is set by hand next week\n");
    assert_eq!(run(&map, &[]).0, 1);
    assert_eq!(run(&commented, &[]).0, 0);
    let validated = logmap(&["validate", path.to_str().unwrap(), "--fail-on", "warning"]);
    assert!(validated.code == 0, "{}", validated.stdout);
}

#[test]
fn buckets_that_the_map_does_not_know_are_counted() {
    let mut all = world();
    let here = json!({ "LoggingEnabled": { "TargetBucket": LOGS, "TargetPrefix": "s3-access/", "TargetObjectKeyFormat": { "PartitionedPrefix": { "PartitionDateSource": "EventTime" } } } });
    let add = |world: &mut Value, name: &str, region: &str, logging: Value| {
        let entry = json!({ "Name": name, "BucketRegion": region, "asked_at": "2026-11-30T02:00:00Z", "logging": logging });
        world["accounts"][0]["buckets"].as_array_mut().unwrap().push(entry);
    };
    add(&mut all, "cdk-abc-assets-1", "us-east-1", Value::Null);
    add(&mut all, "new-unlogged", "us-east-1", Value::Null);
    add(&mut all, "new-elsewhere", "us-east-1", json!({ "LoggingEnabled": { "TargetBucket": "other", "TargetPrefix": "" } }));
    add(&mut all, "new-here", "us-east-1", here.clone());
    add(&mut all, "new-cross", "eu-west-1", here);
    add(&mut all, "new-unread", "us-east-1", json!({ "error": "AccessDenied", "call": "s3:GetBucketLogging", "message": "m" }));
    add(&mut all, "new-vended", "us-east-1", Value::Null);
    add(&mut all, "new-place", "ap-south-1", Value::Null);
    let place = region(&mut all, "us-east-1");
    place["delivery_sources"] = json!([{ "name": "v", "logType": "S3_SERVER_ACCESS_LOGS", "arn": "arn:aws:logs:us-east-1:111122223333:delivery-source:v", "resourceArns": ["arn:aws:s3:::new-vended"] }]);
    place["deliveries"] = json!([{ "deliverySourceName": "v", "arn": "arn:aws:logs:us-east-1:111122223333:delivery:x" }]);
    let (code, report) = drift(&all, &["--coverage"]);
    assert_eq!(code, 1);
    let rules: BTreeSet<(String, String)> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| {
            let message = finding["message"].as_str().unwrap();
            let name = message.split('`').nth(1).unwrap_or_default();
            (finding["rule"].as_str().unwrap().to_owned(), name.to_owned())
        })
        .collect();
    let expected = pairs(&[
        ("LM2201", "new-unlogged"),
        ("LM2201", "new-place"),
        ("LM2201", "bystander-111122223333"),
        ("LM2203", "new-here"),
        ("LM2203", "new-cross"),
        ("LM2204", "new-elsewhere"),
        ("LM2205", "new-vended"),
        ("LM2206", "ap-south-1"),
        ("LM2291", "new-unread"),
    ]);
    assert_eq!(rules, expected, "{:#}", report["findings"]);
    let row = report["coverage"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["account"] == "111122223333" && row["region"] == "us-east-1")
        .unwrap();
    assert_eq!(
        row,
        &json!({ "account": "111122223333", "region": "us-east-1", "buckets": 10, "mapped": 4, "logged_here": 1, "elsewhere": 1, "vended": 1,
        "unlogged": 1, "ignored": 1, "unknown": 1 })
    );
    // a policy that names no source lets it in
    policy(&mut all, LOGS, |p| {
        statement(p, "LogmapAccessLogs2")["Condition"].as_object_mut().unwrap().remove("ArnLike");
    });
    let (_, report) = drift(&all, &["--coverage"]);
    assert!(
        report["findings"]
            .as_array()
            .unwrap()
            .iter()
            .any(|f| f["rule"] == "LM2202" && f["message"].as_str().unwrap().contains("`new-here`"))
    );
    // without the bucket the pattern is unused
    let (_, report) = drift(&world(), &["--coverage"]);
    assert!(report["findings"].as_array().unwrap().iter().any(|f| f["rule"] == "LM2207"), "{report:#}");
    // without --coverage nothing is said, and the text says that nothing was looked at
    assert_eq!(drift(&world(), &[]).1["coverage"], json!([]));
}

/// The log bucket with what was seen of each source.
fn with_days(world: &mut Value, days: &[&str], ever: bool) {
    let entry = |source: &str, prefix: &str, format: Value, days: &[&str], ever: bool| json!({ "source": source, "prefix": prefix, "format": format, "ever": ever, "days": days, "complete": true });
    let fine = ["2026-11-28", "2026-11-29"];
    bucket(world, LOGS)["delivered"] = json!([
        entry("acme-web", "s3-access/", "EventTime".into(), days, ever),
        entry("acme-api", "s3-access/", "EventTime".into(), &fine, true),
        entry("acme-flat", "flat/acme-flat/", Value::Null, &fine, true),
    ]);
    bucket(world, "acme-logs-111122223333-eu-west-1")["delivered"] =
        json!([entry("acme-eu", "s3-access/", "EventTime".into(), &fine, true)]);
    let archive = json!([
        entry("acme-vault", "s3-access/", "EventTime".into(), &fine, true),
        entry(TRAILS, "s3-access/", "EventTime".into(), &fine, true)
    ]);
    bucket(world, "acme-logs-444455556666-us-east-1")["delivered"] = archive;
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

/// `drift --delivery` with an earlier snapshot, in which the logging was read two days before.
fn delivery(now: &Value, earlier: Option<&Value>) -> (i32, Value) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("earlier.json");
    let Some(earlier) = earlier else { return drift(now, &["--delivery"]) };
    fs::write(&path, earlier.to_string().replace("2026-11-30T02", "2026-11-28T02")).unwrap();
    drift(now, &["--delivery", "--since", path.to_str().unwrap()])
}

fn verdict(report: &Value, name: &str) -> String {
    let rows = report["deliveries"].as_array().unwrap();
    rows.iter().find(|row| row["name"] == name).unwrap()["verdict"].as_str().unwrap().to_owned()
}

#[test]
fn whether_logs_arrive_is_said_of_each_source() {
    let mut fine = world();
    with_days(&mut fine, &["2026-11-28", "2026-11-29"], true);
    let (code, report) = delivery(&fine, Some(&world()));
    assert_eq!((code, found(&report)), (0, BTreeSet::new()), "{:#}", report["findings"]);
    assert_eq!(report["checked"]["deliveries"], json!({ "as_mapped": 8, "drifted": 0, "unknown": 0 }));
    // without a look at the keys nothing is known
    assert_eq!(delivery(&world(), Some(&world())).0, 3);
    for (days, ever, since, expected, rule) in [
        (&["2026-11-27"][..], true, true, "stopped", Some("LM2303")),
        (&[], true, true, "stopped", Some("LM2303")),
        (&[], false, true, "never", Some("LM2304")),
        (&[], false, false, "quiet", Some("LM2306")),
        (&["2026-11-29"], true, false, "arrives", None),
    ] {
        let mut now = world();
        with_days(&mut now, days, ever);
        let (code, report) = delivery(&now, since.then(world).as_ref());
        assert_eq!(verdict(&report, "acme-web"), expected);
        assert_eq!(found(&report), rule.iter().map(|rule| ((*rule).to_owned(), "- acme-web".to_owned())).collect(), "{expected}");
        assert_eq!(code, i32::from(["stopped", "never"].contains(&expected)));
    }
    // a request before the days that were looked at: its log is not to be seen, whether it is there or not
    let mut narrow = world();
    with_days(&mut narrow, &[], true);
    for (days, expected) in [(2, "quiet"), (3, "stopped")] {
        narrow["scope"]["delivery_days"] = days.into();
        assert_eq!(verdict(&delivery(&narrow, Some(&world())).1, "acme-web"), expected, "{days}");
    }
    // a setting that explains it leads
    let mut broken = world();
    with_days(&mut broken, &["2026-11-27"], true);
    bucket(&mut broken, LOGS)["encryption"]["ServerSideEncryptionConfiguration"]["Rules"][0]["ApplyServerSideEncryptionByDefault"] =
        json!({ "SSEAlgorithm": "aws:kms" });
    let mut before = world();
    bucket(&mut before, LOGS)["encryption"] = bucket(&mut broken, LOGS)["encryption"].clone();
    let (_, report) = delivery(&broken, Some(&before));
    let stopped = report["findings"].as_array().unwrap().iter().find(|f| f["rule"] == "LM2303").unwrap();
    assert!(stopped["help"].as_str().unwrap().contains("LM2106"), "{stopped:#}");
    // what has just changed waits
    let (_, report) = delivery(&broken, Some(&world()));
    assert_eq!(verdict(&report, "acme-web"), "waiting");
    // under the keys that the source has, not under those of the map
    let mut moved = world();
    with_days(&mut moved, &[], false);
    bucket(&mut moved, LOGS)["delivered"].as_array_mut().unwrap().push(
        json!({ "source": "acme-web", "prefix": "old/", "format": null, "ever": true, "days": ["2026-11-29"], "complete": true }),
    );
    let (_, report) = delivery(&moved, Some(&world()));
    assert_eq!(verdict(&report, "acme-web"), "misplaced");
    // a trail
    for (key, value, expected) in
        [("LatestDeliveryError", "AccessDenied", "stopped"), ("LatestDigestDeliveryTime", "2026-11-29T01:30:00Z", "stopped")]
    {
        let mut now = fine.clone();
        audit(&mut now)["status"]["eu-west-1"][key] = value.into();
        let (code, report) = delivery(&now, Some(&world()));
        assert_eq!(
            (code, verdict(&report, "audit").as_str(), found(&report)),
            (1, expected, pairs(&[("LM2307", "audit:")])),
            "{key}"
        );
    }
    // a list that could not be read
    let mut unread = fine.clone();
    bucket(&mut unread, LOGS)["delivered"] = json!({ "error": "AccessDenied", "call": "s3:ListObjectsV2", "message": "m" });
    let (code, report) = delivery(&unread, Some(&world()));
    assert_eq!((code, verdict(&report, "acme-web").as_str()), (3, "unknown"));
}

/// A cause in words, what makes it, the days with log objects, the verdict, its rule, and the rule that its help leads with.
type Cause =
    (&'static str, fn(&mut Value, &str), &'static [&'static str], &'static str, Option<&'static str>, Option<&'static str>);

#[test]
fn ten_causes_of_missing_logs_are_told_in_each_layout() {
    const UNTIL_THE_26TH: &[&str] = &["2026-11-25", "2026-11-26"];
    let causes: [Cause; 11] = [
        ("no grant", |world, _| bucket(world, LOGS)["policy"] = Value::Null, &[], "never", Some("LM2304"), Some("LM2103")),
        (
            "another key",
            |world, _| {
                bucket(world, LOGS)["encryption"]["ServerSideEncryptionConfiguration"]["Rules"][0]["ApplyServerSideEncryptionByDefault"] =
                    json!({ "SSEAlgorithm": "aws:kms" });
            },
            &[],
            "never",
            Some("LM2304"),
            Some("LM2106"),
        ),
        (
            "a default retention",
            |world, _| {
                let rule = json!({ "DefaultRetention": { "Mode": "GOVERNANCE", "Days": 1 } });
                bucket(world, LOGS)["object_lock"] =
                    json!({ "ObjectLockConfiguration": { "ObjectLockEnabled": "Enabled", "Rule": rule } });
            },
            &[],
            "never",
            Some("LM2304"),
            Some("LM2106"),
        ),
        (
            "a Deny without the header of encryption",
            |world, _| {
                policy(world, LOGS, |policy| {
                    let deny = json!({ "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": format!("arn:aws:s3:::{LOGS}/*"), "Condition": { "Null": { "s3:x-amz-server-side-encryption": "true" } } });
                    policy["Statement"].as_array_mut().unwrap().push(deny);
                });
            },
            UNTIL_THE_26TH,
            "stopped",
            Some("LM2303"),
            Some("LM2103"),
        ),
        (
            "another prefix",
            |world, name| {
                bucket(world, name)["logging"]["LoggingEnabled"]["TargetPrefix"] = "s3-access/old/".into();
                let mut other = seen(world, name).clone();
                other["prefix"] = "s3-access/old/".into();
                other["ever"] = true.into();
                other["days"] = json!(["2026-11-28", "2026-11-29"]);
                bucket(world, LOGS)["delivered"].as_array_mut().unwrap().push(other);
            },
            &[],
            "misplaced",
            Some("LM2305"),
            None,
        ),
        (
            "a grant that was taken away",
            |world, _| bucket(world, LOGS)["policy"] = Value::Null,
            UNTIL_THE_26TH,
            "stopped",
            Some("LM2303"),
            Some("LM2103"),
        ),
        (
            "a source that was moved",
            |world, name| {
                bucket(world, name)["BucketRegion"] = "eu-west-1".into();
                bucket(world, name)["logging"] = Value::Null;
            },
            UNTIL_THE_26TH,
            "quiet",
            Some("LM2306"),
            Some("LM2114"),
        ),
        (
            "logging that was switched off",
            |world, name| bucket(world, name)["logging"] = Value::Null,
            UNTIL_THE_26TH,
            "quiet",
            Some("LM2306"),
            Some("LM2111"),
        ),
        ("logs that come late", |_, _| {}, &["2026-11-28"], "arrives", None, None),
        ("nothing that is wrong", |_, _| {}, &[], "never", Some("LM2304"), None),
        (
            "keys that others have, too",
            |world, name| {
                let seen = seen(world, name);
                seen["shared"] = true.into();
                seen["complete"] = false.into();
            },
            &[],
            "unknown",
            Some("LM2291"),
            None,
        ),
    ];
    let dir = tempfile::tempdir().unwrap();
    let map = dir.path().join("logmap.yaml");
    let text = fs::read_to_string(folder().join("logmap.yaml")).unwrap();
    for (name, layout) in [("acme-web", Some("EventTime")), ("acme-web", Some("DeliveryTime")), ("acme-flat", None)] {
        let late = "          - { name: acme-web, key_format: partitioned-delivery-time }\n";
        let map_text = if layout == Some("DeliveryTime") { text.replace("          - acme-web\n", late) } else { text.clone() };
        fs::write(&map, map_text).unwrap();
        for (cause, make, days, expected, rule, leads) in causes {
            let mut now = world();
            with_days(&mut now, &["2026-11-28", "2026-11-29"], true);
            let entry = seen(&mut now, name);
            (entry["days"], entry["ever"]) = (json!(days), (!days.is_empty()).into());
            if let Some(layout) = layout {
                entry["format"] = layout.into();
                bucket(&mut now, name)["logging"]["LoggingEnabled"]["TargetObjectKeyFormat"]["PartitionedPrefix"]["PartitionDateSource"] =
                    layout.into();
            }
            make(&mut now, name);
            let earlier = dir.path().join("earlier.json");
            fs::write(&earlier, now.to_string().replace("2026-11-30T02", "2026-11-28T02")).unwrap();
            let (code, report) = drift_of(&map, &now, &["--delivery", "--since", earlier.to_str().unwrap()]);
            let about = format!("{cause}, {layout:?}: {:#}", report["findings"]);
            assert_eq!(verdict(&report, name), expected, "{about}");
            let of_delivery = report["findings"].as_array().unwrap().iter().find(|finding| {
                let id = finding["rule"].as_str().unwrap();
                (id.starts_with("LM230") || id == "LM2291") && finding["message"].as_str().unwrap().contains(name)
            });
            assert_eq!(of_delivery.map(|finding| finding["rule"].as_str().unwrap()), rule, "{about}");
            if let Some(leads) = leads {
                assert!(of_delivery.unwrap()["help"].as_str().unwrap().contains(leads), "{about}");
            }
            assert_eq!(code == 0, expected == "arrives", "{about}");
        }
    }
}

/// What was seen of a source's log objects.
fn seen<'w>(world: &'w mut Value, name: &str) -> &'w mut Value {
    bucket(world, LOGS)["delivered"].as_array_mut().unwrap().iter_mut().find(|entry| entry["source"] == name).unwrap()
}

#[test]
fn the_newest_reading_of_an_account_counts() {
    let dir = tempfile::tempdir().unwrap();
    let (old, new) = (dir.path().join("old.json"), dir.path().join("new.json"));
    let mut broken = world();
    bucket(&mut broken, "acme-web")["logging"] = Value::Null;
    fs::write(&old, broken.to_string()).unwrap();
    fs::write(&new, world().to_string().replace("2026-11-30T02", "2026-11-30T03")).unwrap();
    let map = folder().join("logmap.yaml");
    let run = |first: &Path, second: &Path| {
        let done = logmap(&[
            "drift",
            map.to_str().unwrap(),
            "--snapshot",
            first.to_str().unwrap(),
            "--snapshot",
            second.to_str().unwrap(),
        ]);
        (done.code, done.stderr)
    };
    for (code, said) in [run(&old, &new), run(&new, &old)] {
        assert_eq!(code, 0, "{said}");
        assert!(
            said.contains("account 111122223333 is in several snapshots: the reading of 2026-11-30T03:00:00Z counts"),
            "{said}"
        );
    }
}

#[test]
fn what_is_no_snapshot_is_refused_with_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s.json");
    let map = folder().join("logmap.yaml");
    for (text, said) in [
        ("{}", "is no snapshot: `logmap snapshot --script python` prints the program"),
        ("{\"logmap_snapshot\":\"2.0\",\"accounts\":[]}", "s.json:1:20: the snapshot's version is `2.0`"),
        ("{\"logmap_snapshot\":\"1.0\",", "the end of the text in line 1, column 26"),
        ("{\"logmap_snapshot\":\"1.0\",\"accounts\":[{\"Id\":\"x\"}]}", "has no `Id` of twelve digits"),
        (
            "{\"logmap_snapshot\":\"1.0\",\"accounts\":[{\"Id\":\"111122223333\",\"taken_at\":\"now\"}]}",
            "has no `taken_at` such as",
        ),
    ] {
        fs::write(&path, text).unwrap();
        let done = logmap(&["drift", map.to_str().unwrap(), "--snapshot", path.to_str().unwrap()]);
        let stderr = done.stderr;
        assert!(done.code == 2 && stderr.contains(said), "{text}: {stderr}");
    }
}

#[test]
fn a_snapshot_with_anything_cut_off_or_turned_over_ends_in_an_answer() {
    let text = fs::read_to_string(folder().join("snapshot.json")).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s.json");
    let map = folder().join("logmap.yaml");
    let ends = |text: &str| {
        fs::write(&path, text).unwrap();
        let done = logmap(&[
            "drift",
            map.to_str().unwrap(),
            "--coverage",
            "--delivery",
            "--snapshot",
            path.to_str().unwrap(),
            "--format",
            "json",
        ]);
        let code = done.code;
        assert!(matches!(code, 1..=3), "{code:?}: {}", done.stderr);
    };
    for cut in (0..text.len()).step_by(text.len() / 20).filter(|at| text.is_char_boundary(*at)) {
        ends(&text[..cut]);
    }
    // every object of the world by another kind of thing
    for wrong in ["null", "[]", "\"x\"", "7", "{\"error\":5}"] {
        for (at, _) in text.match_indices('{').step_by(29).take(12) {
            let mut reader = serde_json::Deserializer::from_str(&text[at..]).into_iter::<Value>();
            if let Some(Ok(_)) = reader.next() {
                let end = at + reader.byte_offset();
                ends(&format!("{}{wrong}{}", &text[..at], &text[end..]));
            }
        }
    }
}

#[test]
fn other_commands_read_a_snapshot_too() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s.json");
    let check = |world: &Value| -> (Vec<String>, Vec<String>) {
        fs::write(&path, world.to_string()).unwrap();
        let run = logmap(&["check", path.to_str().unwrap(), "--format", "json"]);
        let report: Value = serde_json::from_str(&run.stdout).unwrap();
        let texts = |list: &str, key: &str| -> Vec<String> {
            let mut all: Vec<String> =
                report[list].as_array().unwrap().iter().map(|one| one[key].as_str().unwrap().to_owned()).collect();
            all.sort();
            all.dedup();
            all
        };
        (texts("configurations", "verdict"), texts("findings", "rule"))
    };
    assert_eq!(check(&world()), (vec!["ok".to_owned()], vec![]));
    // that there is no policy is an answer, that it was not read is none
    let mut bare = world();
    bucket(&mut bare, LOGS)["policy"] = Value::Null;
    assert_eq!(check(&bare).1, ["LM1301"]);
    bucket(&mut bare, LOGS)["policy"] = json!({ "error": "AccessDenied", "call": "s3:GetBucketPolicy", "message": "m" });
    let (verdicts, rules) = check(&bare);
    assert!(verdicts.contains(&"unknown".to_owned()) && !rules.iter().any(|rule| rule == "LM1301"), "{verdicts:?} {rules:?}");
    // a map of what is there: nobody's code, and the same settings
    fs::write(&path, world().to_string()).unwrap();
    let run = logmap(&["import", path.to_str().unwrap(), "--organization", "acme"]);
    assert!(run.stdout.contains("adopt: true") && run.stdout.contains("- acme-web"), "{}", run.stdout);
    assert!(!run.stdout.contains("its own code sets"), "{}", run.stdout);
    assert!(run.stdout.contains("{ name: acme-flat, prefix: flat/, key_format: simple }"), "{}", run.stdout);
}

/// With `message: text` a target says what the map says, down to each path.
#[test]
fn messages_of_alerts_are_compared() {
    let dir = tempfile::tempdir().unwrap();
    let map = dir.path().join("logmap.yaml");
    let text = fs::read_to_string(folder().join("logmap.yaml")).unwrap();
    let readable = text.replace("sns_topic_name: acme-alerts", "sns_topic_name: acme-alerts, message: text");
    assert_ne!(readable, text);
    fs::write(&map, &readable).unwrap();
    let analysis = logmap::testing::analysis::analyze(logmap::testing::source::SourceFile::new("logmap.yaml", readable));
    let plan = serde_json::to_value(&analysis.plan.as_ref().unwrap().accounts).unwrap();
    let mut live = world();
    let silent =
        |report: &Value| report["findings"].as_array().unwrap().iter().filter(|finding| finding["rule"] == "LM2131").count();
    assert!(silent(&drift_of(&map, &live, &[]).1) > 0, "events instead of texts are no drift");
    for account in plan.as_array().unwrap() {
        for placement in account["placements"].as_array().unwrap() {
            for rule in placement["monitoring"]["alerts"]["rules"].as_array().into_iter().flatten() {
                for there in live["accounts"].as_array_mut().unwrap().iter_mut().filter(|one| one["Id"] == account["id"]) {
                    let mut regions = there["regions"].as_array_mut().unwrap().iter_mut();
                    let region = regions.find(|region| region["Region"] == placement["region"]).unwrap();
                    region["event_rules"][rule["name"].as_str().unwrap()]["targets"]["Targets"][0]["InputTransformer"] =
                        rule["message"].clone();
                }
            }
        }
    }
    assert_eq!(silent(&drift_of(&map, &live, &[]).1), 0);
    let target = |world: &mut Value, change: &dyn Fn(&mut Value)| {
        change(&mut region(world, "us-east-1")["event_rules"]["logmap-acme-trails"]["targets"]["Targets"][0]);
    };
    let changes: [&dyn Fn(&mut Value); 4] = [
        &|target| drop(target.as_object_mut().unwrap().remove("InputTransformer")),
        &|target| target["InputTransformer"]["InputTemplate"] = "\"x\"".into(),
        &|target| target["InputTransformer"]["InputPathsMap"]["who"] = "$.detail.eventID".into(),
        &|target| target["InputTransformer"]["InputPathsMap"]["more"] = "$.detail".into(),
    ];
    for (at, change) in changes.iter().enumerate() {
        let mut changed = live.clone();
        target(&mut changed, change);
        assert_eq!(silent(&drift_of(&map, &changed, &[]).1), 1, "change {at}");
    }
}
