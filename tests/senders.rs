//! Other services that write into a log bucket: what each one's documentation says of its deliveries gets in, and what lies right beside
//! it does not; a policy that lets more in, or less, is not proven.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail loudly")]

mod common;

use logmap::testing::{
    analysis::{Analysis, analyze},
    plan::{
        LogBucket,
        prove::{Kind, Proof, Subject, prove},
    },
    policy::{
        Element, Policy, Principal,
        evaluate::{Caller, Request, Verdict, evaluate},
    },
    source::SourceFile,
};

const OWN: &str = "111122223333";
const OTHER: &str = "444455556666";
const BUCKET: &str = "arn:aws:s3:::acme-logs-111122223333-eu-west-1";

fn analysis(senders: &str) -> Analysis {
    let text = format!(
        "version: 1\norganization: {{ name: acme, id: o-a1b2c3d4e5 }}\naccounts:\n  prod:\n    id: \"{OWN}\"\n    regions:\n      \
         eu-west-1: {{ log_bucket: {{ senders: {senders} }}, buckets: [acme-web] }}\n  test: {{ id: \"{OTHER}\" }}\n"
    );
    analyze(SourceFile::new("map", text))
}

fn bucket(analysis: &Analysis) -> &LogBucket {
    let plan = analysis.plan.as_ref().unwrap_or_else(|| panic!("{:?}", analysis.findings));
    &plan.accounts[0].placements[0].buckets[0]
}

fn gets_in(policy: &Policy, service: &str, action: &str, resource: &str, context: &[(&str, &str)]) -> bool {
    let context: Vec<(&str, &str)> = context.iter().copied().chain([("aws:SecureTransport", "true")]).collect();
    matches!(
        evaluate(policy, &Request { principal: Caller::Service(service), action, resource, context: &context }),
        Verdict::Allowed(_)
    )
}

/// Word, service, key, `aws:SourceArn` if there is one, what it asks of the bucket. From the pages that `src/aws/sender.rs` names.
type Documented = (&'static str, &'static str, &'static str, Option<&'static str>, &'static [&'static str]);

const DOCUMENTED: [Documented; 7] = [
    (
        "config",
        "config.amazonaws.com",
        "config/AWSLogs/111122223333/Config/us-east-2/2026/1/2/ConfigHistory/x.json.gz",
        Some("arn:aws:config:us-east-2:111122223333:x"),
        &["s3:GetBucketAcl", "s3:ListBucket"],
    ),
    (
        "elb",
        "logdelivery.elasticloadbalancing.amazonaws.com",
        "elb/AWSLogs/111122223333/elasticloadbalancing/eu-west-1/2026/01/02/x.log.gz",
        None,
        &[],
    ),
    ("elb", "logdelivery.elasticloadbalancing.amazonaws.com", "elb/AWSLogs/111122223333/ELBAccessLogTestFile", None, &[]),
    (
        "nlb",
        "delivery.logs.amazonaws.com",
        "nlb/AWSLogs/111122223333/elasticloadbalancing/eu-west-1/2026/01/02/x.log.gz",
        Some("arn:aws:logs:eu-west-1:111122223333:x"),
        &["s3:GetBucketAcl"],
    ),
    (
        "vpc-flow-logs",
        "delivery.logs.amazonaws.com",
        "vpc-flow-logs/AWSLogs/111122223333/vpcflowlogs/eu-west-1/2026/01/02/x.log.gz",
        Some("arn:aws:logs:eu-west-1:111122223333:x"),
        &["s3:GetBucketAcl", "s3:ListBucket"],
    ),
    (
        "vpc-flow-logs",
        "delivery.logs.amazonaws.com",
        "vpc-flow-logs/AWSLogs/aws-account-id=111122223333/aws-service=vpcflowlogs/aws-region=eu-west-1/year=2026/x.log.gz",
        Some("arn:aws:logs:eu-west-1:111122223333:x"),
        &[],
    ),
    (
        "cloudfront",
        "delivery.logs.amazonaws.com",
        "cloudfront/E1TR1RHV123ABC.2026-01-02-03.x.gz",
        Some("arn:aws:logs:us-east-1:111122223333:delivery-source:web"),
        &[],
    ),
];

#[test]
fn what_is_documented_gets_in_and_what_lies_beside_it_does_not() {
    for (word, service, key, arn, asks) in DOCUMENTED {
        let analysis = analysis(&format!("[{word}]"));
        let policy = &bucket(&analysis).policy;
        let object = format!("{BUCKET}/{key}");
        let arn = arn.map(|arn| ("aws:SourceArn", arn));
        let account = (word != "elb").then_some(("aws:SourceAccount", OWN));
        let known: Vec<(&str, &str)> = arn.into_iter().chain(account).collect();
        let with_acl: Vec<(&str, &str)> = known.iter().copied().chain([("s3:x-amz-acl", "bucket-owner-full-control")]).collect();
        for context in [&known, &with_acl] {
            assert!(gets_in(policy, service, "s3:PutObject", &object, context), "{key}: {}", policy.to_json());
        }
        for action in ["s3:GetBucketAcl", "s3:ListBucket", "s3:PutBucketPolicy"] {
            let asked = key.contains("aws-account-id=") && action != "s3:PutBucketPolicy" || asks.contains(&action);
            assert_eq!(gets_in(policy, service, action, BUCKET, &known), asked, "{word} {action}");
        }
        let refused = |what: &str, service: &str, action: &str, object: &str, context: &[(&str, &str)]| {
            assert!(!gets_in(policy, service, action, object, context), "{word}: {what}: {}", policy.to_json());
        };
        refused("another service", "s3.amazonaws.com", "s3:PutObject", &object, &with_acl);
        refused("another action", service, "s3:DeleteObject", &object, &with_acl);
        refused("another path", service, "s3:PutObject", &format!("{BUCKET}/s3-access/x"), &with_acl);
        refused("beside the prefix", service, "s3:PutObject", &format!("{BUCKET}/{word}x/AWSLogs/{OWN}/Config/x"), &with_acl);
        refused("another bucket", service, "s3:PutObject", &object.replace("acme-logs", "acme-log"), &with_acl);
        let theirs: Vec<(&str, String)> = with_acl.iter().map(|(key, value)| (*key, value.replace(OWN, OTHER))).collect();
        let theirs: Vec<(&str, &str)> = theirs.iter().map(|(key, value)| (*key, value.as_str())).collect();
        refused("another account in its own path", service, "s3:PutObject", &object.replace(OWN, OTHER), &theirs);
        if word == "elb" {
            continue; // whose load balancer it is, the path alone tells
        }
        refused("another account", service, "s3:PutObject", &object, &theirs);
        refused("without an account", service, "s3:PutObject", &object, &[]);
        if word != "config" {
            let elsewhere =
                [("aws:SourceAccount", OWN), ("aws:SourceArn", "arn:aws:logs:ap-south-1:111122223333:delivery-source:x")];
            refused("another Region", service, "s3:PutObject", &object, &elsewhere);
        }
    }
}

#[test]
fn accounts_of_the_map_are_let_in_each_under_its_own_path() {
    let analysis =
        analysis("[{ service: config, prefix: \"\", accounts: all }, { service: cloudfront, prefix: \"\", accounts: [test] }]");
    let policy = &bucket(&analysis).policy;
    let config = |account: &str, path: &str| {
        let key = format!("{BUCKET}/AWSLogs/{path}/Config/x");
        gets_in(policy, "config.amazonaws.com", "s3:PutObject", &key, &[("aws:SourceAccount", account)])
    };
    assert!(config(OWN, OWN) && config(OTHER, OTHER) && !config(OWN, OTHER) && !config(OTHER, OWN));
    assert!(!config("999988887777", OWN) && !config("999988887777", "999988887777"));
    let cloudfront = |account: &str| {
        let arn = format!("arn:aws:logs:us-east-1:{account}:delivery-source:x");
        let context = [("aws:SourceAccount", account), ("aws:SourceArn", arn.as_str())];
        let key = format!("{BUCKET}/AWSLogs/{account}/CloudFront/x");
        gets_in(policy, "delivery.logs.amazonaws.com", "s3:PutObject", &key, &context)
    };
    assert!(cloudfront(OTHER) && !cloudfront(OWN));
}

fn broken(analysis: &Analysis, change: &dyn Fn(&mut Policy)) -> Vec<Kind> {
    let plan = analysis.plan.as_ref().unwrap();
    let (account, placement) = (&plan.accounts[0], &plan.accounts[0].placements[0]);
    let subject = Subject::of(account, placement, &placement.buckets[0]);
    let mut policy = placement.buckets[0].policy.clone();
    change(&mut policy);
    let Proof { rows, .. } = prove(&Subject { policy: &policy, ..subject });
    rows.into_iter().filter(|row| !row.failures.is_empty()).map(|row| row.kind).collect()
}

#[test]
fn a_grant_that_is_wider_or_narrower_is_not_proven() {
    let analysis = analysis("[{ service: config, accounts: all }, elb, nlb, vpc-flow-logs, cloudfront]");
    assert_eq!(broken(&analysis, &|_| ()), []);
    let own: Vec<(usize, String)> = bucket(&analysis)
        .policy
        .statements
        .iter()
        .enumerate()
        .filter(|(_, statement)| statement.sid.starts_with("LogmapSender"))
        .map(|(at, statement)| (at, statement.sid.clone()))
        .collect();
    assert_eq!(own.len(), 9, "{own:?}");
    for (at, sid) in own {
        let of_elb = sid.contains("LogmapSenderLoadBalancers");
        // both let the delivery service look at the ACL
        let twice = sid == "LogmapSenderNetworkLoadBalancersCheck";
        let lacks = broken(&analysis, &|policy| drop(policy.statements.remove(at)));
        assert_eq!(lacks.contains(&Kind::SendersWrite), !twice, "{sid}");
        let others: [&dyn Fn(&mut Policy); 4] = [
            &|policy| policy.statements[at].resource = Element::Is(vec![format!("{BUCKET}/*"), BUCKET.to_owned()]),
            &|policy| policy.statements[at].action = Element::Is(vec!["s3:*".to_owned()]),
            &|policy| policy.statements[at].condition.clear(),
            &|policy| policy.statements[at].principal = Element::Is(Principal::service("s3.amazonaws.com")),
        ];
        for (number, change) in others.into_iter().enumerate() {
            let found = broken(&analysis, change);
            let opens = [Kind::OtherSender, Kind::Strangers].iter().any(|kind| found.contains(kind));
            // it has no condition that could go; a service that looks at the ACL for the account itself is nobody's stranger
            let harmless = of_elb && number == 2 || twice && number == 3;
            assert_eq!(opens || found.contains(&Kind::SendersWrite), !harmless, "{sid} {number}: {found:?}");
        }
    }
    // one account of the list under the path of another
    let crossed = broken(&analysis, &|policy| {
        let writes = policy.statements.iter_mut().filter(|one| one.sid.starts_with("LogmapSenderConfigWrite"));
        for statement in writes {
            let keys = statement.condition.get_mut("StringEquals").unwrap();
            let account = keys.get_mut("aws:SourceAccount").unwrap();
            *account = vec![if account[0] == OWN { OTHER } else { OWN }.to_owned()];
        }
    });
    assert!(crossed.contains(&Kind::OtherSender) && crossed.contains(&Kind::SendersWrite), "{crossed:?}");
}

#[test]
fn statements_of_the_map_for_the_same_service_are_judged_as_before() {
    let map = |statement: &str, senders: &str| {
        let text = format!(
            "version: 1\norganization: {{ name: acme }}\ndefaults: {{ log_bucket: {{ senders: {senders}, extra_statements: [{statement}] }} }}\n\
             accounts: {{ prod: {{ id: \"{OWN}\", regions: {{ us-east-1: {{ buckets: [acme-web] }} }} }} }}\n"
        );
        let findings = analyze(SourceFile::new("map", text)).findings;
        findings.iter().map(|finding| finding.rule.id).filter(|id| id.starts_with("LM03")).collect::<Vec<_>>()
    };
    let write = |service: &str, condition: &str| {
        format!(
            "{{ Sid: Mine, Effect: Allow, Principal: {{ Service: {service} }}, Action: s3:PutObject, Resource: \"{{log_bucket_arn}}/mine/*\"{condition} }}"
        )
    };
    for senders in ["[]", "[elb, vpc-flow-logs]"] {
        let open = write("logdelivery.elasticloadbalancing.amazonaws.com", "");
        assert_eq!(map(&open, senders), ["LM0315"], "{senders}");
        let own =
            write("delivery.logs.amazonaws.com", ", Condition: { StringEquals: { \"aws:SourceAccount\": \"{account_id}\" } }");
        assert_eq!(map(&own, senders), Vec::<&str>::new(), "{senders}");
        let open = write("delivery.logs.amazonaws.com", "");
        assert_eq!(map(&open, senders), ["LM0315"], "{senders}");
    }
}

#[test]
fn many_accounts_share_a_statement_and_too_many_are_refused() {
    let map = |count: usize| {
        let mut text =
            "version: 1\norganization: { name: acme }\naccounts:\n  hub: { id: \"111122223333\", regions: { us-east-1: { \
                        log_bucket: { senders: [{ service: config, accounts: all }] }, buckets: [acme-hub] } } }\n"
                .to_owned();
        (0..count)
            .for_each(|number| text += &format!("  a{number}: {{ id: \"{:012}\" }}\n", 500_000_000_000_u64 + number as u64));
        analyze(SourceFile::new("map", text))
    };
    let (few, many) = (map(20), map(100));
    let writes = |analysis: &Analysis| {
        bucket(analysis).policy.statements.iter().filter(|one| one.sid.starts_with("LogmapSenderConfigWrite")).count()
    };
    assert_eq!((writes(&few), writes(&many)), (21, 1));
    assert!(bucket(&few).report.notes.is_empty());
    assert!(bucket(&many).report.notes[0].contains("lists of accounts and paths"), "{:?}", bucket(&many).report.notes);
    assert!(bucket(&many).proof.holds() && bucket(&many).report.bytes_used <= 20_480);
    for (count, word) in [(300, "bytes"), (1_000, "400 accounts")] {
        let findings = map(count).findings;
        let found = findings.iter().find(|finding| finding.rule.id == "LM0401").unwrap();
        assert!(found.message.contains(word) && found.help.contains("accounts"), "{found:?}");
    }
}

#[test]
fn check_takes_their_statements_for_no_strangers() {
    let dir = tempfile::tempdir().unwrap();
    let map = format!(
        "version: 1\norganization: {{ name: acme }}\naccounts: {{ prod: {{ id: \"{OWN}\", regions: {{ eu-west-1: {{ buckets: [acme-web], \
         log_bucket: {{ senders: [config, elb, nlb, vpc-flow-logs, cloudfront] }} }} }} }} }}\n"
    );
    std::fs::write(dir.path().join("logmap.yaml"), map).unwrap();
    let run = common::logmap(
        dir.path(),
        &["generate", "logmap.yaml", "--target", "terraform", "--target", "policies", "--target", "cloudformation"],
    );
    assert_eq!(run.code, 0, "{}", run.stderr);
    let policy = std::fs::read_to_string(dir.path().join("out/policies/acme-logs-111122223333-eu-west-1.json")).unwrap();
    std::fs::write(dir.path().join("acme-logs-111122223333-eu-west-1.policy.json"), &policy).unwrap();
    let run = common::logmap(
        dir.path(),
        &[
            "check",
            "acme-logs-111122223333-eu-west-1.policy.json",
            "--map",
            "logmap.yaml",
            "--account",
            OWN,
            "--region",
            "eu-west-1",
        ],
    );
    assert!(!run.stdout.contains("LM1") && run.code == 0, "{}\n{}", run.stdout, run.stderr);
}
