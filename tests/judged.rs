//! What `check` says of random policies, before an independent judge: no `ok` that one request contradicts, and no finding whose request
//! does not show it. The judge is the crate iam-rs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail loudly")]

use iam_rs::{Arn, Context, ContextValue, Decision, IAMPolicy, IAMRequest, PolicyEvaluator, Principal, PrincipalId};
use logmap::testing::{inspection::inspect, observed::Told, source::SourceFile};
use proptest::{prelude::*, sample::select};
use serde_json::{Value, json};

const SERVICES: [&str; 2] = ["logging.s3.amazonaws.com", "cloudtrail.amazonaws.com"];
const TRAIL: &str = "arn:aws:cloudtrail:us-east-1:111122223333:trail/audit";

/// A condition: operator, key and values that a delivery may have or not.
fn condition() -> impl Strategy<Value = (&'static str, &'static str, Vec<&'static str>)> {
    prop_oneof![
        (
            select(&["StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIfExists"][..]),
            Just("aws:SourceAccount"),
            proptest::collection::vec(select(&["111122223333", "444455556666"][..]), 1..3),
        ),
        (
            select(&["ArnLike", "ArnNotLike", "ArnEquals", "StringEquals", "StringLike"][..]),
            Just("aws:SourceArn"),
            proptest::collection::vec(select(&["arn:aws:s3:::acme-web", "arn:aws:s3:::acme-data", TRAIL][..]), 1..3),
        ),
        (select(&["StringEquals", "StringNotEquals"][..]), Just("aws:PrincipalOrgID"), Just(vec!["o-a1b2c3d4e5"])),
        (
            select(&["Bool", "BoolIfExists"][..]),
            Just("aws:SecureTransport"),
            select(&["true", "false"][..]).prop_map(|v| vec![v])
        ),
        (Just("Bool"), Just("aws:PrincipalIsAWSService"), select(&["true", "false"][..]).prop_map(|v| vec![v])),
        (Just("StringEquals"), Just("s3:x-amz-acl"), select(&["bucket-owner-full-control", "private"][..]).prop_map(|v| vec![v])),
        select(&[("StringNotEquals", "AES256"), ("Null", "true")][..]).prop_map(|(operator, value)| (
            operator,
            "s3:x-amz-server-side-encryption",
            vec![value]
        )),
        (
            Just("Null"),
            select(&["aws:SourceArn", "aws:SourceAccount", "aws:PrincipalOrgID"][..]),
            select(&["true", "false"][..]).prop_map(|v| vec![v])
        ),
    ]
}

fn statement() -> impl Strategy<Value = Value> {
    let principal = prop_oneof![
        4 => select(&SERVICES[..]).prop_map(|service| json!({ "Service": service })),
        2 => Just(json!("*")),
        1 => Just(json!({ "AWS": "arn:aws:iam::111122223333:root" })),
    ];
    let resources = [
        "arn:aws:s3:::acme-logs",
        "arn:aws:s3:::acme-logs/*",
        "arn:aws:s3:::acme-logs/web/*",
        "arn:aws:s3:::acme-logs/AWSLogs/111122223333/*",
        "arn:aws:s3:::acme-logs/AWSLogs/111122223333/CloudTrail/*",
        "arn:aws:s3:::acme-logs/web/2026*",
    ];
    (
        prop_oneof![3 => Just("Allow"), 1 => Just("Deny")],
        principal,
        proptest::collection::vec(select(&["s3:PutObject", "s3:Put*", "s3:*", "s3:GetBucketAcl"][..]), 1..3),
        proptest::collection::vec(select(resources.to_vec()), 1..3),
        proptest::collection::vec(condition(), 0..3),
    )
        .prop_map(|(effect, principal, action, resource, conditions)| {
            let mut statement = json!({ "Effect": effect, "Principal": principal, "Action": action, "Resource": resource });
            for (operator, key, values) in conditions {
                statement["Condition"][operator][key] = json!(values);
            }
            statement
        })
}

/// iam-rs's verdict.
fn judge<'c>(
    policy: &Value,
    service: &str,
    action: &str,
    resource: &str,
    context: impl Iterator<Item = (&'c str, &'c str)>,
) -> Decision {
    let policy = IAMPolicy::from_json(&policy.to_string()).expect("iam-rs reads the policy");
    let mut values = Context::new();
    for (key, value) in context {
        let value = match value {
            "true" => ContextValue::Boolean(true),
            "false" => ContextValue::Boolean(false),
            text => ContextValue::String(text.to_owned()),
        };
        values.insert(key.to_owned(), value);
    }
    let principal = Principal::Service(PrincipalId::String(service.to_owned()));
    let request = IAMRequest::new_with_context(principal, action, Arn::parse(resource).unwrap(), values);
    PolicyEvaluator::with_policies(vec![policy]).evaluate(&request).expect("iam-rs evaluates").decision
}

/// An action, a resource and a context.
type Delivery = (&'static str, String, Vec<(&'static str, &'static str)>);

/// The deliveries of the inputs below, as AWS documents them.
fn deliveries(service: &str) -> Vec<Delivery> {
    let common = [("aws:SourceAccount", "111122223333"), ("aws:SecureTransport", "true"), ("aws:PrincipalIsAWSService", "true")];
    let with = |more: &[(&'static str, &'static str)]| common.iter().chain(more).copied().collect();
    if service == SERVICES[0] {
        let key = |day: &str| format!("arn:aws:s3:::acme-logs/web/{day}-00-00-00-0123456789ABCDEF");
        return ["2026-01-02", "2027-11-30"]
            .map(|day| ("s3:PutObject", key(day), with(&[("aws:SourceArn", "arn:aws:s3:::acme-web")])))
            .to_vec();
    }
    let key = |place: &str| format!("arn:aws:s3:::acme-logs/AWSLogs/111122223333/{place}/2026/01/02/x.json.gz");
    vec![
        ("s3:GetBucketAcl", "arn:aws:s3:::acme-logs".to_owned(), with(&[("aws:SourceArn", TRAIL)])),
        (
            "s3:PutObject",
            key("CloudTrail/us-east-1"),
            with(&[("aws:SourceArn", TRAIL), ("s3:x-amz-acl", "bucket-owner-full-control")]),
        ),
        (
            "s3:PutObject",
            key("CloudTrail/eu-west-1"),
            with(&[("aws:SourceArn", TRAIL), ("s3:x-amz-acl", "bucket-owner-full-control")]),
        ),
    ]
}

/// What `check` says of a policy, with a source and a trail that deliver to its bucket.
fn inspected(policy: &Value) -> (Vec<Value>, Vec<(String, String)>) {
    let bucket = json!({ "Type": "AWS::S3::Bucket", "Properties": { "BucketName": "acme-logs" } });
    let template = json!({ "Resources": {
        "Logs": bucket,
        "Policy": { "Type": "AWS::S3::BucketPolicy", "Properties": { "Bucket": "acme-logs", "PolicyDocument": policy } },
        "Web": { "Type": "AWS::S3::Bucket", "Properties": { "BucketName": "acme-web", "LoggingConfiguration": { "DestinationBucketName": "acme-logs", "LogFilePrefix": "web/" } } },
        "Trail": { "Type": "AWS::CloudTrail::Trail", "DependsOn": "Policy", "Properties": { "TrailName": "audit", "IsLogging": true, "IsMultiRegionTrail": true, "S3BucketName": "acme-logs" } },
    } });
    let told = Told { region: Some("us-east-1".to_owned()), account: Some("111122223333".to_owned()), ..Told::default() };
    let inspection = inspect(vec![SourceFile::new("template.json", template.to_string())], &told, None);
    let findings = inspection.findings.iter().map(
        |finding| json!({ "rule": finding.rule.id, "example": finding.example.as_ref().map(|example| example.json.clone()) }),
    );
    let verdicts = inspection.configurations.iter().map(|one| (one.kind.word().to_owned(), one.verdict().word().to_owned()));
    (findings.collect(), verdicts.collect())
}

/// Judges a policy; gives how many findings were shown to the judge, and how many verdicts were `ok`.
fn compare(policy: &Value) -> (usize, usize) {
    let (findings, verdicts) = inspected(policy);
    let (mut shown, mut ok) = (0, 0);
    for finding in findings {
        let example = &finding["example"];
        let (Some(service), Some(action)) = (example["principal"]["Service"].as_str(), example["action"].as_str()) else {
            continue;
        };
        let context: Vec<(&str, &str)> = example["context"]
            .as_array()
            .unwrap()
            .iter()
            .map(|pair| (pair[0].as_str().unwrap(), pair[1].as_str().unwrap()))
            .collect();
        let says = judge(policy, service, action, example["resource"].as_str().unwrap(), context.into_iter());
        let expected = match finding["rule"].as_str().unwrap() {
            "LM1302" => Decision::Deny,
            "LM1303" => Decision::Allow,
            _ => Decision::NotApplicable,
        };
        assert_eq!(says, expected, "{policy}\n{finding}");
        shown += 1;
    }
    for (kind, service) in [("access-log", SERVICES[0]), ("trail", SERVICES[1])] {
        let verdict = verdicts.iter().find(|(known, _)| known == kind).map(|(_, verdict)| verdict.as_str());
        let denied = deliveries(service).into_iter().find(|(action, resource, context)| {
            judge(policy, service, action, resource, context.iter().copied()) != Decision::Allow
        });
        match verdict.unwrap() {
            "ok" => {
                assert!(denied.is_none(), "ok, and denied: {kind} {policy}\n{denied:?}");
                ok += 1;
            }
            // what is said to fail does so for some delivery
            "violation" => assert!(denied.is_some(), "a violation, and allowed: {kind} {policy}"),
            _ => {}
        }
    }
    (shown, ok)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1500) })]

    #[test]
    fn the_judge_agrees_with_what_check_says(statements in proptest::collection::vec(statement(), 1..5)) {
        compare(&json!({ "Version": "2012-10-17", "Statement": statements }));
    }
}

/// The generated policies are of all kinds: a test in which nothing is ok, or nothing is shown, would prove nothing.
#[test]
fn the_policies_are_of_all_kinds() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let strategy = proptest::collection::vec(statement(), 1..5);
    let (mut shown, mut ok) = (0, 0);
    for _ in 0..600 {
        let statements = strategy.new_tree(&mut runner).unwrap().current();
        let (of_one, ok_of_one) = compare(&json!({ "Version": "2012-10-17", "Statement": statements }));
        (shown, ok) = (shown + of_one, ok + ok_of_one);
    }
    assert!(shown > 300 && ok > 30, "{shown} shown, {ok} ok");
}
