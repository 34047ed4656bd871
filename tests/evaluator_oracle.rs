//! The evaluator before an independent judge: the crate iam-rs, on generated policies and requests.
//!
//! Where the two differ and AWS's documentation settles it, the case is left out of the generator with the reason.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail loudly")]

use iam_rs::{
    Arn, Context, ContextValue, Decision, IAMPolicy, IAMRequest, PolicyEvaluator, Principal as JudgePrincipal, PrincipalId,
};
use indexmap::IndexMap;
use logmap::testing::{
    aws::Partition,
    inspection::inspect,
    observed::Told,
    plan::{
        Tier,
        prove::{Subject, prove},
    },
    policy::{
        Condition, Effect, Element, Policy, Principal, Statement,
        compose::TrailGrant,
        evaluate::{
            Caller, Request, Verdict, evaluate,
            witness::{Asker, Witness},
        },
    },
    source::SourceFile,
};
use proptest::{prelude::*, sample::select};

const SERVICES: [&str; 3] = ["logging.s3.amazonaws.com", "cloudtrail.amazonaws.com", "config.amazonaws.com"];
const ACTIONS: [&str; 4] = ["s3:PutObject", "s3:GetBucketAcl", "s3:GetObject", "s3:PutObjectAcl"];
const ACTION_PATTERNS: [&str; 6] = ["s3:PutObject", "s3:Put*", "s3:*", "s3:putobject", "s3:Get?ucketAcl", "s3:GetObject"];
const RESOURCES: [&str; 4] = [
    "arn:aws:s3:::logs",
    "arn:aws:s3:::logs/s3-access/111122223333/x",
    "arn:aws:s3:::logs/AWSLogs/111122223333/CloudTrail/x",
    "arn:aws:s3:::logs/other",
];
const RESOURCE_PATTERNS: [&str; 6] = [
    "arn:aws:s3:::logs",
    "arn:aws:s3:::logs/*",
    "arn:aws:s3:::logs/s3-access/*",
    "arn:aws:s3:::logs/AWSLogs/111122223333/*",
    "arn:aws:s3:::logs/s3-access/????22223333/x",
    "arn:aws:s3:::other/*",
];
/// Keys with the values that requests have.
const KEYS: [(&str, &[&str]); 5] = [
    ("aws:SourceAccount", &["111122223333", "444455556666"]),
    (
        "aws:SourceArn",
        &["arn:aws:s3:::acme-web", "arn:aws:s3:::acme-data", "arn:aws:cloudtrail:us-east-1:111122223333:trail/audit"],
    ),
    ("aws:SecureTransport", &["true", "false"]),
    ("s3:x-amz-acl", &["bucket-owner-full-control", "private"]),
    ("aws:PrincipalOrgID", &["o-a1b2c3d4e5"]),
];

fn lists<T: Clone + std::fmt::Debug + 'static>(values: &'static [T]) -> impl Strategy<Value = Vec<T>> {
    proptest::collection::vec(select(values), 1..3)
}

fn statement() -> impl Strategy<Value = Statement> {
    let principal = prop_oneof![
        3 => lists(&SERVICES).prop_map(|services| {
            Principal::Kinds(IndexMap::from([("Service".to_owned(), services.into_iter().map(str::to_owned).collect())]))
        }),
        1 => Just(Principal::Any),
    ];
    let strings = |list: Vec<&str>| -> Vec<String> { list.into_iter().map(str::to_owned).collect() };
    (
        prop_oneof![2 => Just(Effect::Allow), 1 => Just(Effect::Deny)],
        principal,
        lists(&ACTION_PATTERNS),
        lists(&RESOURCE_PATTERNS),
        any::<(bool, bool)>().prop_map(|(a, r)| (a && r, a && !r)),
        proptest::collection::vec(condition(), 0..3),
    )
        .prop_map(move |(effect, principal, action, resource, (not_action, not_resource), conditions)| {
            let element =
                |list: Vec<&str>, negated| if negated { Element::IsNot(strings(list)) } else { Element::Is(strings(list)) };
            let mut condition: Condition = IndexMap::new();
            for (operator, key, values) in conditions {
                condition.entry(operator.to_owned()).or_default().insert(key.to_owned(), values);
            }
            Statement {
                sid: String::new(),
                effect,
                principal: Element::Is(principal),
                action: element(action, not_action),
                resource: element(resource, not_resource),
                condition,
            }
        })
}

fn condition() -> impl Strategy<Value = (&'static str, &'static str, Vec<String>)> {
    (select(&KEYS[..]), any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<prop::sample::Index>()).prop_map(
        |((key, values), operator, value, pattern)| {
            let operators: &[&str] = match key {
                "aws:SecureTransport" => &["Bool", "BoolIfExists", "Null"],
                "aws:SourceArn" => &[
                    "ArnLike",
                    "ArnEquals",
                    "ArnNotLike",
                    "ArnNotEquals",
                    "ArnLikeIfExists",
                    "StringEquals",
                    "StringLike",
                    "StringNotLike",
                    "Null",
                ],
                _ => &[
                    "StringEquals",
                    "StringNotEquals",
                    "StringLike",
                    "StringNotLike",
                    "StringEqualsIgnoreCase",
                    "StringNotEqualsIgnoreCase",
                    "StringEqualsIfExists",
                    "StringNotEqualsIfExists",
                    "Null",
                ],
            };
            let operator = *operator.get(operators);
            let value = *value.get(values);
            let patterns: Vec<String> = if operator == "Null" {
                vec![["true", "false"][pattern.index(2)].to_owned()]
            } else if operator.contains("Like") {
                // "each of the six colon-delimited components of the ARN is checked separately" (IAM user guide, ARN condition
                // operators): what an ARN pattern with fewer components means is not said, so none is generated
                let from = if value.starts_with("arn:") { value.rfind(':').map_or(0, |at| at + 1) } else { 0 };
                let cut = value.len() - (value.len() - from) / 4;
                vec![[value.to_owned(), format!("{}*", &value[..cut]), value.replacen('1', "?", 1)][pattern.index(3)].clone()]
            } else if operator == "Bool" || operator == "BoolIfExists" {
                vec![value.to_owned()]
            } else {
                [vec![value.to_owned()], values.iter().map(|value| (*value).to_owned()).collect()][pattern.index(2)].clone()
            };
            (operator, key, patterns)
        },
    )
}

#[derive(Debug, Clone)]
struct Asked {
    service: &'static str,
    action: &'static str,
    resource: &'static str,
    context: Vec<(&'static str, &'static str)>,
}

/// A request that AWS can make: bucket actions on the bucket, object actions on objects, the canned ACL on writes only.
fn asked() -> impl Strategy<Value = Asked> {
    let context =
        KEYS.map(|(key, values)| prop_oneof![3 => select(values).prop_map(move |value| Some((key, value))), 1 => Just(None)]);
    (select(&SERVICES[..]), select(&ACTIONS[..]), select(&RESOURCES[1..]), context).prop_map(
        |(service, action, object, context)| Asked {
            service,
            action,
            resource: if action == "s3:GetBucketAcl" { RESOURCES[0] } else { object },
            context: context
                .into_iter()
                .flatten()
                .filter(|(key, _)| *key != "s3:x-amz-acl" || action.starts_with("s3:Put"))
                .collect(),
        },
    )
}

/// Our verdict, as the judges say it.
fn word(verdict: Verdict<'_>) -> &'static str {
    match verdict {
        Verdict::Allowed(_) => "allowed",
        Verdict::Denied(_) => "denied",
        Verdict::NotAllowed => "not allowed",
    }
}

/// iam-rs's verdict.
fn judge(policy: &Policy, asked: &Asked) -> &'static str {
    let principal = JudgePrincipal::Service(PrincipalId::String(asked.service.to_owned()));
    judge_one(policy, principal, (asked.action, asked.resource), asked.context.iter().copied())
}

fn judge_one<'c>(
    policy: &Policy,
    principal: JudgePrincipal,
    (action, resource): (&str, &str),
    values: impl Iterator<Item = (&'c str, &'c str)>,
) -> &'static str {
    let policy = IAMPolicy::from_json(&policy.to_json()).expect("iam-rs reads what we write");
    let mut context = Context::new();
    for (key, value) in values {
        let value = match value {
            "true" => ContextValue::Boolean(true),
            "false" => ContextValue::Boolean(false),
            text => ContextValue::String(text.to_owned()),
        };
        context.insert(key.to_owned(), value);
    }
    let request = IAMRequest::new_with_context(principal, action, Arn::parse(resource).unwrap(), context);
    match PolicyEvaluator::with_policies(vec![policy]).evaluate(&request).expect("iam-rs evaluates").decision {
        Decision::Allow => "allowed",
        Decision::Deny => "denied",
        Decision::NotApplicable => "not allowed",
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(4000) })]

    #[test]
    fn the_judge_agrees(statements in proptest::collection::vec(statement(), 1..4), asked in asked()) {
        let policy = Policy::new(statements);
        let request = Request {
            principal: Caller::Service(asked.service),
            action: asked.action,
            resource: asked.resource,
            context: &asked.context,
        };
        prop_assert_eq!(word(evaluate(&policy, &request)), judge(&policy, &asked), "{}\n{:?}", policy.to_json(), asked);
    }
}

/// What the proof of a policy with these statements finds fault with: each statement's effect and the request that shows it.
fn accused(policy: &Policy) -> Vec<(Effect, Witness)> {
    let trail = TrailGrant {
        arn: "arn:aws:cloudtrail:us-east-1:111122223333:trail/audit".to_owned(),
        account_id: "111122223333".to_owned(),
        prefix: String::new(),
        organization: None,
        multi_region: true,
    };
    let proof = prove(&Subject {
        bucket: "logs",
        partition: Partition::Aws,
        region: "us-east-1",
        account_id: "111122223333",
        role_arn: Some("arn:aws:iam::111122223333:role/deployer"),
        organization_id: Some("o-a1b2c3d4e5"),
        policy,
        granted_by: policy,
        tier: Tier::None,
        sources: &[],
        trails: &[trail],
        senders: &[],
        readers: None,
        copies: &[],
        denies_insecure_transport: false,
        of_placements: 1,
    });
    let blamed = proof.rows.into_iter().flat_map(|row| row.failures).flat_map(|failure| failure.statements);
    blamed.filter_map(|blamed| Some((policy.statements[blamed.statement].effect, blamed.witness?))).collect()
}

/// The requests with which `check` shows what it finds in the policy of a bucket to which a source and a trail deliver: each with the
/// verdict that it is to have, and as `check` shows it.
fn shown(policy: &Policy) -> Vec<(&'static str, serde_json::Value)> {
    let template = serde_json::json!({ "Resources": {
        "Logs": { "Type": "AWS::S3::Bucket", "Properties": { "BucketName": "logs" } },
        "Policy": { "Type": "AWS::S3::BucketPolicy", "Properties": { "Bucket": "logs", "PolicyDocument": policy } },
        "Web": { "Type": "AWS::S3::Bucket", "Properties": { "BucketName": "acme-web", "LoggingConfiguration": {
            "DestinationBucketName": "logs", "LogFilePrefix": "s3-access/111122223333/" } } },
        "Trail": { "Type": "AWS::CloudTrail::Trail", "DependsOn": "Policy", "Properties": {
            "TrailName": "audit", "IsLogging": true, "IsMultiRegionTrail": true, "S3BucketName": "logs" } },
    } });
    let told = Told { region: Some("us-east-1".to_owned()), account: Some("111122223333".to_owned()), ..Told::default() };
    let findings = inspect(vec![SourceFile::new("template.json", template.to_string())], &told, None).findings;
    let shown = findings.into_iter().filter_map(|finding| {
        let wanted = match finding.rule.id {
            "LM1302" => "denied",
            "LM1303" => "allowed",
            _ => "not allowed",
        };
        Some((wanted, finding.example?.json))
    });
    shown.collect()
}

/// iam-rs's verdict on a witness; nothing for an anonymous caller, of whom it has no notion.
fn judge_witness(policy: &Policy, witness: &Witness) -> Option<&'static str> {
    let principal = match &witness.principal {
        Asker::Service(name) => JudgePrincipal::Service(PrincipalId::String(name.clone())),
        Asker::Iam(arn) => JudgePrincipal::Aws(PrincipalId::String(arn.clone())),
        Asker::Anonymous => return None,
    };
    let context = witness.context.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    Some(judge_one(policy, principal, (&witness.action, &witness.resource), context))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    /// Whoever is accused of letting somebody in or of keeping a delivery out does so before the judge, too.
    #[test]
    fn the_judge_sees_what_a_witness_shows(statements in proptest::collection::vec(statement(), 1..4)) {
        let policy = Policy::new(statements);
        for (effect, witness) in accused(&policy) {
            let wanted = if effect == Effect::Allow { "allowed" } else { "denied" };
            prop_assert_eq!(judge_witness(&policy, &witness).unwrap_or(wanted), wanted, "{}\n{}", policy.to_json(), witness);
        }
    }
}

/// Cases with our verdicts for judges that are no crates; `tests/run` hands them over.
#[test]
fn cases_for_other_judges_are_written() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let strategy = (proptest::collection::vec(statement(), 1..4), asked());
    let (mut lines, mut of_proof, mut of_check) = (String::new(), 0, 0);
    let mut verdicts = std::collections::BTreeMap::<&str, usize>::new();
    for _ in 0..1500 {
        let (statements, asked) = strategy.new_tree(&mut runner).unwrap().current();
        let policy = Policy::new(statements);
        let request = Request {
            principal: Caller::Service(asked.service),
            action: asked.action,
            resource: asked.resource,
            context: &asked.context,
        };
        let verdict = word(evaluate(&policy, &request));
        *verdicts.entry(verdict).or_default() += 1;
        let context: serde_json::Map<String, serde_json::Value> =
            asked.context.iter().map(|(key, value)| ((*key).to_owned(), (*value).into())).collect();
        lines += &serde_json::json!({
            "policy": policy,
            "service": asked.service,
            "action": asked.action,
            "resource": asked.resource,
            "context": context,
            "verdict": verdict,
        })
        .to_string();
        lines.push('\n');
        // and what the proof accuses the policy of, for the judges that know services
        for (effect, witness) in accused(&policy) {
            let Asker::Service(service) = &witness.principal else { continue };
            let context: serde_json::Map<String, serde_json::Value> =
                witness.context.iter().map(|(key, value)| (key.clone(), value.as_str().into())).collect();
            lines += &serde_json::json!({
                "policy": policy,
                "service": service,
                "action": witness.action,
                "resource": witness.resource,
                "context": context,
                "verdict": if effect == Effect::Allow { "allowed" } else { "denied" },
            })
            .to_string();
            lines.push('\n');
            of_proof += 1;
        }
        // and what `check` shows
        for (wanted, example) in shown(&policy) {
            let Some(service) = example["principal"]["Service"].as_str() else { continue };
            let pairs = example["context"].as_array().unwrap().iter();
            let context: serde_json::Map<String, serde_json::Value> =
                pairs.map(|pair| (pair[0].as_str().unwrap().to_owned(), pair[1].clone())).collect();
            lines += &serde_json::json!({
                "policy": policy,
                "service": service,
                "action": example["action"],
                "resource": example["resource"],
                "context": context,
                "verdict": wanted,
            })
            .to_string();
            lines.push('\n');
            of_check += 1;
        }
    }
    assert!(of_proof > 200 && of_check > 200, "the proof shows only {of_proof} requests, check only {of_check}");
    assert!(verdicts.len() == 3 && verdicts.values().all(|count| *count > 50), "the cases are one-sided: {verdicts:?}");
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/target");
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(format!("{folder}/judge-cases.jsonl"), lines).unwrap();
}
