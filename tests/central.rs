//! The archive's policy: each role that copies gets in, whatever lies right beside it does not, and a policy that lets more in, or less, is not
//! proven, in each of the forms that the policy takes as the accounts grow.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail loudly")]

#[path = "common/archive.rs"]
mod archive;
mod common;

use archive::{failing, with};
use common::logmap_with_input;
use logmap::testing::{
    analysis::{Analysis, analyze},
    plan::prove::Kind,
    policy::{Element, Policy},
    source::SourceFile,
};
use serde_json::{Value, json};
use std::fmt::Write;

/// So many accounts, each of which is copied.
fn analysis(accounts: usize, organization: &str, more: &str) -> Analysis {
    let mut text =
        format!("version: 1\norganization: {{ name: acme{organization} }}\naccounts:\n  archive: {{ id: \"999900001111\" }}\n");
    for n in 0..accounts {
        writeln!(
            text,
            "  team-{n}: {{ id: \"{:012}\", regions: {{ us-east-1: {{ buckets: [acme-{n}] }} }} }}",
            100_000_000_000u64 + n as u64
        )
        .unwrap();
    }
    writeln!(text, "central: {{ deliver_to: {{ account: archive, region: eu-central-1 }}, via: replication{more} }}").unwrap();
    analyze(SourceFile::new("map", text))
}

const ORGANIZATION: &str = ", id: o-a1b2c3d4e5";

#[test]
fn each_form_is_proven_and_names_who_it_lets_in() {
    for (accounts, form) in [(3, None), (60, None), (180, None), (300, Some("whole organization"))] {
        let (archive, proof) = with(&analysis(accounts, ORGANIZATION, ""), |_| ());
        assert_eq!(failing(&proof), [], "{accounts}: {:?}", proof.rows);
        // the same with the time that so many placements share
        assert_eq!(failing(&archive.proof), [], "{accounts}");
        let asked = |kind| proof.rows.iter().find(|row| row.kind == kind).map_or(0, |row| row.asked);
        assert_eq!(asked(Kind::CopiesWrite), accounts);
        assert!(asked(Kind::OtherCopy) > accounts, "{accounts}");
        assert_eq!(archive.report.notes.len(), usize::from(form.is_some()), "{:?}", archive.report);
        assert!(form.is_none_or(|form| archive.report.notes[0].contains(form)), "{:?}", archive.report);
        assert!(archive.versioning && !archive.takes_access_logs && !archive.takes_trails);
    }
}

#[test]
fn without_the_organization_too_many_accounts_are_an_error() {
    let found = analysis(700, "", "");
    assert!(found.findings.iter().any(|finding| finding.rule.id == "LM0401"), "{:?}", found.findings);
}

#[test]
fn a_policy_that_lets_more_in_or_less_is_not_proven() {
    for accounts in [3, 300] {
        let found = analysis(accounts, ORGANIZATION, "");
        let broken = |change: &dyn Fn(&mut Policy)| failing(&with(&found, change).1);
        let has = |kinds: &[Kind], kind: Kind, what: &str| assert!(kinds.contains(&kind), "{accounts}, {what}: {kinds:?}");
        has(&broken(&|policy| policy.statements[0].condition.clear()), Kind::OtherCopy, "no condition");
        has(
            &broken(&|policy| policy.statements[0].action = Element::Is(vec!["s3:Replicate*".to_owned()])),
            Kind::OtherCopy,
            "more actions",
        );
        has(&broken(&|policy| _ = policy.statements.remove(0)), Kind::CopiesWrite, "no grant");
        has(
            &broken(&|policy| {
                policy.statements[0].resource =
                    Element::Is(vec!["arn:aws:s3:::acme-central-999900001111-eu-central-1/x/*".to_owned()])
            }),
            Kind::CopiesWrite,
            "less objects",
        );
        has(&broken(&|policy| _ = policy.statements.pop()), Kind::WithoutTls, "no Deny");
    }
}

#[test]
fn log_buckets_that_could_write_one_key_are_refused() {
    let same = |first: &str, second: &str| {
        let text = format!(
            "version: 1\norganization: {{ name: acme, id: o-a1b2c3d4e5, management_account: mgmt }}\naccounts:\n  archive: {{ id: \"999900001111\" }}\n  \
             mgmt: {{ id: \"222233334444\" }}\n  prod:\n    id: \"111122223333\"\n    regions:\n      us-east-1: {{ buckets: [{{ name: acme-web, {first} }}] }}\n      \
             eu-west-1: {{ buckets: [{{ name: acme-api, {second} }}] }}\ntrails: {{ audit: {{ coverage: per-region }} }}\n\
             central: {{ deliver_to: {{ account: archive, region: eu-central-1 }}, via: replication, only: [prod] }}\n"
        );
        let found = analyze(SourceFile::new("map", text));
        let rules: Vec<&str> = found.findings.iter().map(|finding| finding.rule.id).filter(|id| id.starts_with("LM10")).collect();
        rules.contains(&"LM1004")
    };
    let flat = |prefix: &str| format!("key_format: simple, exact_prefix: \"{prefix}\"");
    assert!(same(&flat("logs/"), &flat("logs/")));
    assert!(same(&flat("logs/"), &flat("logs/more-")), "one begins the other");
    assert!(same(&flat("logs/"), "prefix: logs/"), "account and Region follow, and a flat key may begin so");
    assert!(same(&flat("AWSLogs/111122223333/CloudTrail/eu-west-1/"), "prefix: logs/"), "where the other's trail writes");
    assert!(!same(&flat("logs/a-"), &flat("logs/b-")));
    assert!(!same("prefix: logs/", "prefix: logs/"), "account and Region tell them apart, as they tell trails of one Region");
    assert!(!same("key_format: simple", "key_format: simple"), "the bucket's name is in the prefix");
}

const KEY: &str = "arn:aws:kms:eu-central-1:999900001111:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const ARCHIVE: &str = "arn:aws:s3:::acme-central-999900001111-eu-central-1";
const ROLE: &str = "arn:aws:iam::100000000000:role/logmap-replication-us-east-1";
const COPIED: &str = "acme-logs-100000000000-us-east-1";

/// What is read of an account that is copied, as far as it is about copies: the replication of its log bucket, and the role.
fn reading() -> Value {
    let statement = |sid: &str, action: Value, resource: Value| json!({ "Sid": sid, "Effect": "Allow", "Action": action, "Resource": resource });
    let mut encrypt = statement("EncryptCopies", json!("kms:Encrypt"), json!(KEY));
    encrypt["Condition"] = json!({ "StringEquals": { "kms:ViaService": "s3.eu-central-1.amazonaws.com" } });
    let reads = json!(["s3:GetObjectVersionAcl", "s3:GetObjectVersionForReplication", "s3:GetObjectVersionTagging"]);
    let policy = json!({ "Version": "2012-10-17", "Statement": [
        statement("ReadLogBuckets", json!(["s3:GetReplicationConfiguration", "s3:ListBucket"]), json!(format!("arn:aws:s3:::{COPIED}"))),
        statement("ReadLogs", reads, json!(format!("arn:aws:s3:::{COPIED}/*"))),
        statement("WriteCopies", json!(["s3:ReplicateObject", "s3:ReplicateTags"]), json!([format!("{ARCHIVE}/*")])),
        encrypt,
    ] });
    let trust = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Principal": { "Service": "s3.amazonaws.com" }, "Action": "sts:AssumeRole" }] });
    let rule = json!({ "ID": "named-by-hand", "Priority": 3, "Status": "Enabled", "Filter": { "Prefix": "" },
        "DeleteMarkerReplication": { "Status": "Disabled" }, "SourceSelectionCriteria": { "SseKmsEncryptedObjects": { "Status": "Enabled" } },
        "Destination": { "Bucket": ARCHIVE, "EncryptionConfiguration": { "ReplicaKmsKeyID": KEY } } });
    json!({ "Id": "100000000000", "partition": "aws", "taken_at": "2026-11-30T02:00:00Z", "buckets_complete": true,
        "regions": [{ "Region": "us-east-1", "copy_roles": {
            "logmap-replication-us-east-1": { "trust": trust, "boundary": null, "policy": policy } } }],
        "buckets": [{ "Name": COPIED, "BucketRegion": "us-east-1",
            "replication": { "ReplicationConfiguration": { "Role": ROLE, "Rules": [rule] } } }] })
}

/// What `drift` says of copies, and whether it says that they were not read.
fn drift(account: &Value) -> (Vec<String>, bool) {
    let map = format!(
        "version: 1\norganization: {{ name: acme }}\naccounts:\n  archive: {{ id: \"999900001111\" }}\n  \
         team: {{ id: \"100000000000\", regions: {{ us-east-1: {{ buckets: [acme-0] }} }} }}\n\
         central: {{ deliver_to: {{ account: archive, region: eu-central-1 }}, via: replication, kms_key_arn: \"{KEY}\" }}\n"
    );
    let dir = tempfile::tempdir().unwrap();
    let world = json!({ "logmap_snapshot": "1.0", "taken_at": "2026-11-30T02:00:00Z", "scope": { "accounts": [], "buckets": "all" }, "accounts": [account] });
    std::fs::write(dir.path().join("s.json"), world.to_string()).unwrap();
    let run = logmap_with_input(dir.path(), &["drift", "-", "--snapshot", "s.json", "--format", "json"], &map);
    let report: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{}{}", run.stdout, run.stderr));
    let all = || report["findings"].as_array().unwrap().iter();
    let said = |finding: &Value| finding["message"].as_str().unwrap().to_owned();
    let unread = all()
        .filter(|one| one["rule"] == "LM2291")
        .map(said)
        .any(|text| text.starts_with("replication") || text.starts_with("copy roles"));
    (all().filter(|one| one["rule"] == "LM2115").map(said).collect(), unread)
}

#[test]
fn copies_that_are_as_the_map_says_are_no_drift() {
    assert_eq!(drift(&reading()), (Vec::new(), false));
    // another rule, to elsewhere, is no fault of the copies that are wanted
    let mut more = reading();
    let rules = more["buckets"][0]["replication"]["ReplicationConfiguration"]["Rules"].as_array_mut().unwrap();
    rules.insert(0, json!({ "ID": "other", "Status": "Enabled", "Filter": { "Prefix": "x" }, "Destination": { "Bucket": "arn:aws:s3:::other" } }));
    assert_eq!(drift(&more), (Vec::new(), false));
}

type Change = fn(&mut Value);

#[test]
fn each_way_in_which_nothing_or_less_is_copied_is_found() {
    fn rule(account: &mut Value) -> &mut Value {
        &mut account["buckets"][0]["replication"]["ReplicationConfiguration"]["Rules"][0]
    }
    fn role(account: &mut Value) -> &mut Value {
        &mut account["regions"][0]["copy_roles"]["logmap-replication-us-east-1"]
    }
    let changes: [(&str, Change); 17] = [
        ("has no replication", |a| a["buckets"][0]["replication"] = Value::Null),
        ("is copied with the role `arn:aws:iam::100000000000:role/other`", |a| {
            a["buckets"][0]["replication"]["ReplicationConfiguration"]["Role"] = "arn:aws:iam::100000000000:role/other".into();
        }),
        ("its rule is off", |a| rule(a)["Status"] = "Disabled".into()),
        ("for the prefix `x` only", |a| rule(a)["Filter"]["Prefix"] = "x".into()),
        ("for the prefix `x` only", |a| {
            rule(a)["Filter"] = json!({});
            rule(a)["Prefix"] = "x".into();
        }),
        ("certain tags only", |a| rule(a)["Filter"] = json!({ "And": { "Prefix": "", "Tags": [{ "Key": "a", "Value": "b" }] } })),
        ("delete markers are copied", |a| rule(a)["DeleteMarkerReplication"]["Status"] = "Enabled".into()),
        ("copies have no KMS key", |a| rule(a)["Destination"]["EncryptionConfiguration"] = Value::Null),
        ("what is encrypted with a KMS key is left out", |a| rule(a)["SourceSelectionCriteria"] = Value::Null),
        ("no rule of its replication has it as its destination", |a| {
            rule(a)["Destination"]["Bucket"] = "arn:aws:s3:::other".into()
        }),
        ("is not there", |a| *role(a) = Value::Null),
        ("another trust policy", |a| role(a)["trust"]["Statement"][0]["Principal"] = json!("*")),
        ("another trust policy", |a| role(a)["trust"]["Statement"][0]["Condition"] = json!({})),
        ("another policy `copy-logs`", |a| role(a)["policy"]["Statement"][1]["Resource"] = "arn:aws:s3:::other/*".into()),
        ("another policy `copy-logs`", |a| drop(role(a)["policy"]["Statement"].as_array_mut().unwrap().remove(3))),
        ("has no policy `copy-logs`", |a| role(a)["policy"] = Value::Null),
        ("has the permissions boundary `arn:aws:iam::100000000000:policy/b`", |a| {
            role(a)["boundary"] = "arn:aws:iam::100000000000:policy/b".into();
        }),
    ];
    for (says, change) in changes {
        let mut account = reading();
        change(&mut account);
        let (found, unread) = drift(&account);
        assert!(!unread, "{says}");
        assert!(matches!(&found[..], [one] if one.contains(says)), "{says}: {found:?}");
    }
}

#[test]
fn what_was_not_read_of_copies_is_unknown() {
    let denied = json!({ "error": "AccessDenied", "call": "s3:GetBucketReplication", "message": "no" });
    for change in [
        |a: &mut Value, _: &Value| drop(a["buckets"][0].as_object_mut().unwrap().remove("replication")),
        |a, denied| {
            a["buckets"][0]["replication"] = denied.clone();
        },
        |a, _| drop(a["regions"][0].as_object_mut().unwrap().remove("copy_roles")),
        |a, denied| {
            a["regions"][0]["copy_roles"]["logmap-replication-us-east-1"] = denied.clone();
        },
    ] as [fn(&mut Value, &Value); 4]
    {
        let mut account = reading();
        change(&mut account, &denied);
        assert_eq!(drift(&account), (Vec::new(), true), "{account}");
    }
}

#[test]
fn a_lock_of_the_archive_has_days_that_s3_takes() {
    for (days, wrong) in [(0, true), (1, false), (36_500, false), (36_501, true)] {
        let found = analysis(1, ORGANIZATION, &format!(", object_lock: {{ mode: COMPLIANCE, days: {days} }}"));
        assert_eq!(found.findings.iter().any(|finding| finding.rule.id == "LM0501"), wrong, "{days}: {:?}", found.findings);
    }
}
