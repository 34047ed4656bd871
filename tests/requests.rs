//! What is proven of a policy, before requests: a plan's own policies with random statements beside them, and for each row of the proof
//! that holds random requests of its kind with full contexts. None may contradict it. What does not hold is shown by its witness.
//!
//! `LOGMAP_REQUESTS=N` asks N requests instead of the few of every day, `LOGMAP_REQUESTS_ONLY=I` with that one policy alone. Each policy is
//! made of its number alone.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may fail loudly, and says what it did"
)]

#[path = "common/dice.rs"]
mod dice;
#[path = "common/requests.rs"]
mod requests;
#[path = "common/rows.rs"]
mod rows;
#[path = "common/statements.rs"]
mod statements;

use dice::Dice;
use indexmap::IndexMap;
use logmap::testing::{
    analysis::analyze,
    inspection::inspect,
    observed::Told,
    plan::{
        Plan,
        prove::{Kind, Proof, Subject, prove},
    },
    policy::{
        Condition, Effect, Element, Policy, Principal, Statement, Version,
        evaluate::{Prepared, Verdict},
    },
    source::SourceFile,
};
use requests::{Asked, STRANGERS, call, day, fill_call, unique};
use rows::{CLOUDTRAIL, LOGGING, OBJECTS, ROLE, agrees, asked};
use serde_json::{Value, json};
use statements::{ORGANIZATION, OWN, fence, statement};
use std::{collections::BTreeMap, env};

/// Requests of every day.
const EVERY_DAY: usize = 6_000;
/// Requests to each row of a proof that holds.
const OF_A_ROW: usize = 24;

const RESOURCES: [&str; 2] = ["{log_bucket_arn}", "{log_bucket_arn}/*"];

/// Sources in one bucket with a trail of all Regions and one of the organization; by account; with simple keys and nothing else; with
/// every other service that can write.
const MAPS: [&str; 4] = [
    r#"{ "version": 1, "organization": { "name": "acme", "id": "o-a1b2c3d4e5", "management_account": "prod" },
      "defaults": { "log_bucket": { "name": "acme-logs", "prefix": "s3-access/" } },
      "accounts": { "prod": { "id": "111122223333", "role": "arn:aws:iam::111122223333:role/deployer",
        "regions": { "us-east-1": { "buckets": ["acme-web", "acme-data"] } } } },
      "trails": { "audit": { "accounts": ["prod"], "coverage": "multi-region", "home_region": "us-east-1" },
        "everywhere": { "scope": "organization", "coverage": "multi-region", "home_region": "us-east-1" } } }"#,
    r#"{ "version": 1, "organization": { "name": "acme", "id": "o-a1b2c3d4e5" },
      "defaults": { "log_bucket": { "name": "acme-logs", "prefix": "s3-access/", "policy_scope": "account", "deny_insecure_transport": false } },
      "accounts": { "prod": { "id": "111122223333", "role": "arn:aws:iam::111122223333:role/deployer",
        "regions": { "us-east-1": { "buckets": ["acme-web", "acme-data"] } } } },
      "trails": { "audit": { "accounts": ["prod"], "coverage": "multi-region", "home_region": "us-east-1" } } }"#,
    r#"{ "version": 1, "organization": { "name": "acme" },
      "defaults": { "log_bucket": { "name": "acme-logs", "prefix": "s3-access/", "key_format": "simple", "deny_insecure_transport": false } },
      "accounts": { "prod": { "id": "111122223333", "regions": { "us-east-1": { "buckets": ["acme-web", "acme-data"] } } } } }"#,
    r#"{ "version": 1, "organization": { "name": "acme", "id": "o-a1b2c3d4e5" },
      "defaults": { "log_bucket": { "name": "acme-logs", "prefix": "s3-access/", "senders":
        [{ "service": "config", "prefix": "", "accounts": "all" }, "elb", "nlb", { "service": "vpc-flow-logs", "accounts": ["prod", "test"] }, "cloudfront"] } },
      "accounts": { "prod": { "id": "111122223333", "role": "arn:aws:iam::111122223333:role/deployer",
        "regions": { "us-east-1": { "buckets": ["acme-web", "acme-data"] } } }, "test": { "id": "555566667777" } } }"#,
];

fn plans() -> Vec<Plan> {
    let plan = |text: &&str| {
        let analysis = analyze(SourceFile::new("map", (*text).to_owned()));
        analysis.plan.unwrap_or_else(|| panic!("{:?}", analysis.findings))
    };
    MAPS.iter().map(plan).collect()
}

/// Statements that look harmless and are not, each with the row that it breaks, and one like it that breaks none.
#[test]
fn what_looks_harmless_is_looked_at() {
    let slash_eights: Vec<String> = (0..256).map(|first| format!("{first}.0.0.0/8")).collect();
    let deny = |principal: Value| json!({ "Effect": "Deny", "Principal": principal, "Action": "s3:*", "Resource": RESOURCES });
    let but = |names: Value| {
        let exempt = json!({ "Bool": { "aws:PrincipalIsAWSService": "false" } });
        json!({ "Effect": "Deny", "NotPrincipal": { "AWS": names }, "Action": "s3:*", "Resource": RESOURCES, "Condition": exempt })
    };
    let from = |networks: &[String]| {
        let condition = json!({ "IpAddress": { "aws:SourceIp": networks } });
        json!({ "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": RESOURCES[1], "Condition": condition })
    };
    let without_acl = |action: &str| {
        let condition = json!({ "StringNotEquals": { "s3:x-amz-acl": "bucket-owner-full-control" } });
        let who = json!({ "Service": CLOUDTRAIL });
        json!({ "Effect": "Deny", "Principal": who, "Action": action, "Resource": RESOURCES, "Condition": condition })
    };
    let root = "arn:aws:iam::111122223333:root";
    let session = "arn:aws:sts::111122223333:assumed-role/deployer/session";
    let reader = |principal: Value| json!({ "Effect": "Allow", "Principal": principal, "Action": "s3:GetObject", "Resource": RESOURCES[1] });
    let mut wrong = Vec::new();
    let mut look = |map: &str, statement: &Value, broken: Option<&str>| {
        let mut map: Value = serde_json::from_str(map).unwrap();
        map["defaults"]["log_bucket"]["extra_statements"] = json!([statement]);
        let analysis = analyze(SourceFile::new("map", map.to_string()));
        let rows = &analysis.derived().unwrap().accounts[0].placements[0].buckets[0].proof.rows;
        let failed: Vec<&str> = rows.iter().filter(|row| !row.failures.is_empty()).map(|row| row.kind.words()).collect();
        if failed != broken.into_iter().collect::<Vec<_>>() {
            wrong.push(format!("{failed:?} of {statement:.300}"));
        }
    };
    for (statement, broken) in [
        // the look at the ACL has no canned ACL
        (without_acl("s3:*"), Some("each trail can write")),
        (without_acl("s3:PutObject"), None),
        // an account excepts none of its roles, and a role is not excepted without its account
        (but(json!([root])), Some("owner not locked out")),
        (but(json!([ROLE])), Some("owner not locked out")),
        (but(json!([ROLE, root])), None),
        // the role by another name
        (deny(json!({ "AWS": session })), Some("owner not locked out")),
        (deny(json!({ "AWS": "AROAEXAMPLEEXAMPLE123" })), Some("owner not locked out")),
        (deny(json!({ "AWS": "arn:aws:sts::111122223333:assumed-role/another/session" })), None),
        // everybody, in small pieces
        (from(&slash_eights), Some("strangers kept out")),
        (from(&slash_eights[..128]), Some("strangers kept out")),
        (from(&slash_eights[..16]), None),
        // whoever has signed up somewhere
        (reader(json!({ "Federated": "cognito-identity.amazonaws.com" })), Some("strangers kept out")),
        (reader(json!({ "Federated": "arn:aws:iam::444455556666:saml-provider/acme" })), None),
    ] {
        look(MAPS[1], &statement, broken);
    }
    // where any administrator will do, one that is meant is another
    for statement in [deny(json!({ "AWS": session })), deny(json!({ "AWS": "AROAEXAMPLEEXAMPLE123" }))] {
        look(MAPS[2], &statement, None);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[derive(Debug, Default)]
struct Tally {
    policies: usize,
    requests: usize,
    /// Rows that hold, by kind, and requests to each.
    held: BTreeMap<Kind, (usize, usize)>,
    /// Rows that don't hold, and of these those that no witness shows.
    failed: BTreeMap<Kind, (usize, usize)>,
    /// Requests that contradict a row, the first ones.
    contradicted: Vec<String>,
    /// Rows that are contradicted, by kind.
    wrong: BTreeMap<Kind, usize>,
}

fn policy(plan: &Plan, number: usize) -> (Subject<'_>, Policy) {
    let account = &plan.accounts[0];
    let placement = &account.placements[0];
    let bucket = &placement.buckets[0];
    let mut dice = Dice((number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mut policy = bucket.policy.clone();
    for _ in 0..[1, 1, 1, 2, 2, 3][dice.below(6)] {
        policy.statements.push(statement(&mut dice, &bucket.name, &OBJECTS));
    }
    if dice.below(3) == 0 {
        let [wide, but] = fence(&mut dice, &bucket.name, &OBJECTS);
        policy.statements.extend([wide, but]);
    }
    (Subject::of(account, placement, bucket), policy)
}

impl Tally {
    fn take(&mut self, plan: &Plan, number: usize) {
        let (subject, policy) = policy(plan, number);
        let subject = Subject { policy: &policy, ..subject };
        let Proof { rows, .. } = prove(&subject);
        let prepared = Prepared::new(&policy);
        let mut dice = Dice((number as u64 + 1).wrapping_mul(0xd134_2543_de82_ef95));
        self.policies += 1;
        for row in rows {
            if !row.failures.is_empty() {
                self.failure(number, &row, &prepared, &policy);
                continue;
            }
            let held = self.held.entry(row.kind).or_default();
            held.0 += 1;
            for _ in 0..OF_A_ROW {
                let Some(asked) = asked(&mut dice, row.kind, &subject) else { break };
                held.1 += 1;
                self.requests += 1;
                let verdict = asked.verdict(&prepared);
                if !agrees(row.kind, &verdict) {
                    *self.wrong.entry(row.kind).or_default() += 1;
                    let statements: Vec<String> = policy
                        .statements
                        .iter()
                        .filter(|one| !one.sid.starts_with("Logmap"))
                        .map(|one| serde_json::to_string(one).unwrap())
                        .collect();
                    let by = match verdict {
                        Verdict::Allowed(one) | Verdict::Denied(one) => serde_json::to_string(one).unwrap(),
                        Verdict::NotAllowed => "nothing".to_owned(),
                    };
                    self.contradicted.push(format!(
                        "{number}: `{}` holds, but {by}\n  says otherwise of {asked}\n  in {}",
                        row.kind.words(),
                        statements.join("\n     ")
                    ));
                    break;
                }
            }
        }
    }

    fn failure(&mut self, number: usize, row: &logmap::testing::plan::prove::Row, prepared: &Prepared<'_>, policy: &Policy) {
        let failed = self.failed.entry(row.kind).or_default();
        failed.0 += 1;
        let mut shown = false;
        for blamed in row.failures.iter().flat_map(|failure| &failure.statements) {
            let Some(witness) = &blamed.witness else { continue };
            shown = true;
            assert!(
                !agrees(row.kind, &witness.verdict(prepared)),
                "{number}: {}\n{witness}\n{}",
                row.kind.words(),
                policy.to_json()
            );
        }
        failed.1 += usize::from(!shown);
    }
}

fn number(name: &str) -> Option<usize> {
    env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
}

#[test]
fn no_request_contradicts_what_is_proven() {
    let plans = plans();
    assert_eq!(plans[0].accounts[0].placements[0].buckets.len(), 1);
    assert_eq!(ORGANIZATION, plans[0].accounts[0].placements[0].buckets[0].basis.organization_id.as_deref().unwrap());
    let mut tally = Tally::default();
    if let Some(only) = number("LOGMAP_REQUESTS_ONLY") {
        tally.take(&plans[only % plans.len()], only);
    } else {
        let wanted = number("LOGMAP_REQUESTS").unwrap_or(EVERY_DAY);
        for number in 0.. {
            if tally.requests >= wanted {
                break;
            }
            tally.take(&plans[number % plans.len()], number);
        }
    }
    let Tally { policies, requests, held, failed, contradicted, wrong } = &tally;
    println!(
        "{policies} policies, {requests} requests\nrows that held, and requests to them: {held:#?}\nrows that did not, and those without a witness: {failed:#?}\nwrong: {wrong:?}"
    );
    assert!(
        contradicted.is_empty(),
        "{}\n{}",
        contradicted.len(),
        contradicted.iter().take(12).cloned().collect::<Vec<_>>().join("\n\n")
    );
}

/// What `check` is given: a source and a trail of all Regions, and the policy of their bucket.
fn template(policy: &Policy) -> String {
    let bucket = json!({ "Type": "AWS::S3::Bucket", "Properties": { "BucketName": "acme-logs" } });
    let source = json!({ "BucketName": "acme-web", "LoggingConfiguration": { "DestinationBucketName": "acme-logs", "LogFilePrefix": "s3-access/" } });
    let trail = json!({ "TrailName": "audit", "IsLogging": true, "IsMultiRegionTrail": true, "EnableLogFileValidation": true, "S3BucketName": "acme-logs" });
    json!({ "Resources": {
        "Logs": bucket,
        "Policy": { "Type": "AWS::S3::BucketPolicy", "Properties": { "Bucket": "acme-logs", "PolicyDocument": policy } },
        "Web": { "Type": "AWS::S3::Bucket", "Properties": source },
        "Trail": { "Type": "AWS::CloudTrail::Trail", "DependsOn": "Policy", "Properties": trail },
    } })
    .to_string()
}

/// A delivery of the template's source, or of its trail; the organization is nobody's knowledge.
fn of_template(dice: &mut Dice, service: &'static str, policy: &Policy) -> Asked {
    let [year, month, of_month] = day(dice);
    let bucket = "arn:aws:s3:::acme-logs";
    let mut asked = if service == LOGGING {
        let key = format!("s3-access/{year}-{month}-{of_month}-00-00-00-{}", unique(dice));
        let mut asked = call(dice, service, "s3:PutObject", format!("{bucket}/{key}"));
        asked.set("aws:SourceArn", "arn:aws:s3:::acme-web");
        asked
    } else {
        let region = dice.one_of(&["us-east-1", "eu-west-1", "ap-southeast-7"]);
        let folder = dice.one_of(&["CloudTrail", "CloudTrail-Digest"]);
        let key = format!("AWSLogs/{OWN}/{folder}/{region}/{year}/{month}/{of_month}/{}.json.gz", unique(dice));
        let mut asked = match dice.below(4) {
            0 => call(dice, service, "s3:GetBucketAcl", bucket.to_owned()),
            _ => call(dice, service, "s3:PutObject", format!("{bucket}/{key}")),
        };
        asked.set("aws:SourceArn", "arn:aws:cloudtrail:us-east-1:111122223333:trail/audit");
        if asked.action == "s3:PutObject" {
            asked.set("s3:x-amz-acl", "bucket-owner-full-control");
        }
        asked
    };
    asked.set("aws:SourceAccount", OWN);
    let headers: &[&str] = if service == LOGGING { &["s3:x-amz-server-side-encryption"] } else { &[] };
    fill_call(dice, &mut asked, headers, policy);
    asked
}

/// A write of the service for somebody whom nobody names.
fn for_a_stranger(dice: &mut Dice, service: &'static str, policy: &Policy) -> Asked {
    let of_template = of_template(dice, service, policy);
    let key = if dice.below(2) == 0 { "s3-access/x" } else { "AWSLogs/999988887777/CloudTrail/us-east-1/x" };
    let resource =
        if of_template.resource.contains('/') { of_template.resource } else { format!("arn:aws:s3:::acme-logs/{key}") };
    let mut asked = call(dice, service, "s3:PutObject", resource);
    let account = STRANGERS[dice.below(STRANGERS.len())];
    asked.set("aws:SourceAccount", account);
    match service {
        LOGGING => asked.set("aws:SourceArn", dice.one_of(&["arn:aws:s3:::mallory", "arn:aws:s3:::mallory-logs"])),
        _ => {
            asked.set("aws:SourceArn", &format!("arn:aws:cloudtrail:us-east-1:{account}:trail/audit"));
            asked.set("s3:x-amz-acl", "bucket-owner-full-control");
        }
    }
    if dice.below(2) == 0 {
        asked.set("aws:SourceOrgID", "o-zzzzzzzzzz");
        asked.set("aws:SourceOrgPaths", "o-zzzzzzzzzz/r-zz99/");
    }
    let headers: &[&str] = if service == LOGGING { &["s3:x-amz-server-side-encryption"] } else { &[] };
    let absent: Vec<&str> = headers.iter().chain(&["aws:SourceOrgID", "aws:SourceOrgPaths"]).copied().collect();
    fill_call(dice, &mut asked, &absent, policy);
    asked
}

/// What people write for the source and the trail: as AWS documents it, or with something left out.
fn grants(dice: &mut Dice) -> Vec<Statement> {
    let statement = |service: &str, action: &str, resource: &str, condition: Condition| Statement {
        sid: String::new(),
        effect: Effect::Allow,
        principal: Element::Is(Principal::service(service)),
        action: Element::Is(vec![action.to_owned()]),
        resource: Element::Is(vec![resource.to_owned()]),
        condition,
    };
    let mut bound = |service: &str| -> Condition {
        let mut condition: Condition = IndexMap::new();
        let arn =
            if service == LOGGING { "arn:aws:s3:::acme-web" } else { "arn:aws:cloudtrail:us-east-1:111122223333:trail/audit" };
        if dice.below(5) > 0 {
            condition.entry("StringEquals".to_owned()).or_default().insert("aws:SourceAccount".to_owned(), vec![OWN.to_owned()]);
        }
        if dice.below(3) > 0 {
            condition.entry("ArnLike".to_owned()).or_default().insert("aws:SourceArn".to_owned(), vec![arn.to_owned()]);
        }
        condition
    };
    vec![
        statement(LOGGING, "s3:PutObject", "arn:aws:s3:::acme-logs/s3-access/*", bound(LOGGING)),
        statement(CLOUDTRAIL, "s3:GetBucketAcl", "arn:aws:s3:::acme-logs", bound(CLOUDTRAIL)),
        statement(CLOUDTRAIL, "s3:PutObject", "arn:aws:s3:::acme-logs/AWSLogs/111122223333/*", bound(CLOUDTRAIL)),
    ]
}

/// Requests to each verdict of a policy of somebody else's.
fn check_one(number: usize, tally: &mut Checked) {
    let mut dice = Dice((number as u64 + 1).wrapping_mul(0xa076_1d64_78bd_642f));
    let mut statements = if dice.below(6) > 0 { grants(&mut dice) } else { Vec::new() };
    for _ in 0..1 + dice.below(3) {
        statements.push(statement(&mut dice, "acme-logs", &OBJECTS));
    }
    if dice.below(4) == 0 {
        statements.extend(fence(&mut dice, "acme-logs", &OBJECTS));
    }
    let version = if dice.below(4) == 0 { Version::Old } else { Version::Newest };
    let policy = Policy { version, statements };
    let told = Told { region: Some("us-east-1".to_owned()), account: Some(OWN.to_owned()), ..Told::default() };
    let inspection = inspect(vec![SourceFile::new("template.json", template(&policy))], &told, None);
    let prepared = Prepared::new(&policy);
    let verdict =
        |kind: &str| inspection.configurations.iter().find(|one| one.kind.word() == kind).map(|one| one.verdict().word());
    let mut look = |what: &str, asked: &Asked, right: bool| {
        tally.requests += 1;
        if !right {
            tally.contradicted.push(format!(
                "{number}: {what}, but {:?} of {asked}\n  in {}",
                asked.verdict(&prepared),
                policy.to_json()
            ));
        }
        right
    };
    for (kind, service) in [("access-log", LOGGING), ("trail", CLOUDTRAIL)] {
        *tally.verdicts.entry((kind, verdict(kind).unwrap())).or_default() += 1;
        for _ in 0..if verdict(kind) == Some("ok") { OF_A_ROW } else { 0 } {
            let asked = of_template(&mut dice, service, &policy);
            if !look(&format!("{kind} is ok"), &asked, matches!(asked.verdict(&prepared), Verdict::Allowed(_))) {
                break;
            }
        }
    }
    let is_open = inspection.findings.iter().any(|finding| finding.rule.id == "LM1303");
    // a policy that names no delivery service is not judged as one of a log bucket
    let names = |statement: &Statement| {
        let Principal::Kinds(kinds) = statement.principal.inner() else { return false };
        kinds.get("Service").is_some_and(|names| names.iter().any(|name| name == LOGGING || name == CLOUDTRAIL))
    };
    // where one thing is wrong and another is not known, the verdict is of what is wrong
    let doubts = inspection.configurations.iter().any(|one| one.kind.word() == "policy" && !one.unknown.is_empty());
    let is_known = policy.statements.iter().any(names) && matches!(verdict("policy"), Some("ok" | "violation")) && !doubts;
    *tally
        .verdicts
        .entry((
            "open",
            if is_open {
                "open"
            } else if is_known {
                "closed"
            } else {
                "unknown"
            },
        ))
        .or_default() += 1;
    for service in [LOGGING, CLOUDTRAIL] {
        for _ in 0..if is_known && !is_open { OF_A_ROW / 2 } else { 0 } {
            let asked = for_a_stranger(&mut dice, service, &policy);
            if !look("nothing is open", &asked, !matches!(asked.verdict(&prepared), Verdict::Allowed(_))) {
                break;
            }
        }
    }
}

#[derive(Debug, Default)]
struct Checked {
    requests: usize,
    /// What was looked at, and how often it came out so.
    verdicts: BTreeMap<(&'static str, &'static str), usize>,
    contradicted: Vec<String>,
}

#[test]
fn no_request_contradicts_what_check_says() {
    let mut tally = Checked::default();
    if let Some(only) = number("LOGMAP_REQUESTS_ONLY") {
        check_one(only, &mut tally);
    } else {
        let wanted = number("LOGMAP_REQUESTS").unwrap_or(EVERY_DAY);
        for number in 0.. {
            if tally.requests >= wanted {
                break;
            }
            check_one(number, &mut tally);
        }
    }
    let Checked { requests, verdicts, contradicted } = &tally;
    println!("{requests} requests, {verdicts:#?}");
    assert!(
        contradicted.is_empty(),
        "{}\n{}",
        contradicted.len(),
        contradicted.iter().take(8).cloned().collect::<Vec<_>>().join("\n\n")
    );
}
