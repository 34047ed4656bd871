//! Patterns, names and the topic's policy, at their limits.

use super::{bus::bus_failures, *};
use crate::{
    analysis::analyze,
    policy::{Effect, Element, Principal},
    source::SourceFile,
};

const HEAD: &str = "version: 1\norganization: { name: ORG }\naccounts:\n  prod:\n    id: \"111122223333\"\n    regions:\n      us-east-1:\n        buckets: [BUCKETS]\nmonitoring: { config_rule: true, tamper_alerts: { sns_topic_name: alerts } }\npublish: { ssm_parameter: /x/y }\n";

fn monitoring(org: &str, sources: usize) -> Monitoring {
    let names: Vec<String> = (0..sources).map(|at| format!("acme-{at:05}-{}", "x".repeat(52))).collect();
    let own = if org.len() > 20 { "defaults: { log_bucket: { name: \"logs-{account_id}-{region}\" } }\n" } else { "" };
    let text = HEAD.replace("ORG", org).replace("BUCKETS", &names.join(", ")) + own;
    let analysis = analyze(SourceFile::new("map.yaml", text));
    let placement = analysis.plan.as_ref().and_then(|plan| plan.accounts.first()?.placements.first());
    placement.map(|placement| placement.monitoring.clone()).unwrap_or_else(|| unreachable!("{:?}", analysis.findings))
}

fn names(alerts: &Alerts) -> Vec<&str> {
    alerts.rules.iter().map(|rule| rule.name.as_str()).collect()
}

#[test]
fn sources_are_named_as_long_as_they_fit_and_every_pattern_does() {
    for (sources, rules) in [(1, 2), (23, 2), (25, 3), (400, 18), (2_000, 2)] {
        let alerts = monitoring("acme", sources).alerts.into_iter().next().unwrap_or_else(|| unreachable!());
        assert_eq!(alerts.rules.len(), rules, "{sources}: {:?}", names(&alerts));
        assert_eq!(alerts.every_bucket, sources == 2_000);
        for rule in &alerts.rules {
            assert!(rule.pattern.to_string().len() <= watch::PATTERN_CHARS, "{}: {}", rule.name, rule.pattern.to_string().len());
        }
        let named: usize = alerts
            .rules
            .iter()
            .filter(|rule| rule.name.contains("-sources-"))
            .map(|rule| rule.pattern["detail"]["requestParameters"]["bucketName"].as_array().map_or(0, Vec::len))
            .sum();
        assert_eq!(named, if alerts.every_bucket { 0 } else { sources });
    }
}

#[test]
fn names_of_rules_stay_within_their_limit_and_tell_organisations_apart() {
    let (long, other) = ("a".repeat(60), "a".repeat(61));
    let mut seen = std::collections::BTreeSet::new();
    for org in ["acme", long.as_str(), other.as_str()] {
        let monitoring = monitoring(org, 400);
        let alerts = monitoring.alerts.as_ref().unwrap_or_else(|| unreachable!());
        for name in names(alerts) {
            assert!(name.len() <= watch::RULE_NAME_CHARS && name.starts_with("logmap-"), "{name}");
            assert!(seen.insert(name.to_owned()), "{name}");
        }
        assert!(monitoring.config_rule.is_some_and(|rule| rule.name.len() <= 128));
    }
}

#[test]
fn the_policy_is_proven_and_no_mutant_of_it_is() {
    let good = monitoring("acme", 3).alerts.into_iter().next().unwrap_or_else(|| unreachable!());
    let failures = |alerts: &Alerts| alerts.failures("111122223333", Partition::Aws, "us-east-1");
    assert_eq!(failures(&good), Vec::<String>::new());
    let mutants: [fn(&mut Policy); 7] = [
        |policy| policy.statements.clear(),
        |policy| drop(policy.statements.remove(0)),
        |policy| drop(policy.statements.remove(1)),
        |policy| drop(policy.statements.remove(2)),
        |policy| policy.statements[0].principal = Element::Is(Principal::Any),
        |policy| drop(policy.statements[1].condition.shift_remove("Null")),
        |policy| policy.statements[1].condition.clear(),
    ];
    for (at, mutate) in mutants.iter().enumerate() {
        let mut bad = good.clone();
        mutate(&mut bad.policy);
        assert!(!failures(&bad).is_empty(), "mutant {at} passes");
    }
}

/// The alerts of the first place of a map.
fn alerts_of(text: &str) -> Alerts {
    let analysis = analyze(SourceFile::new("map.yaml", text));
    let placement = analysis.plan.as_ref().and_then(|plan| plan.accounts.first()?.placements.first());
    placement.and_then(|placement| placement.monitoring.alerts.clone()).unwrap_or_else(|| unreachable!("{:?}", analysis.findings))
}

const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const ALL: &str = "also: [alarm, keys, log-objects, public-access, replication, vended-logs], message: text";

#[test]
fn everything_fits_at_the_limits() {
    let org = "a".repeat(60);
    let buckets: Vec<String> = (0..400).map(|at| format!("acme-{at:05}-{}", "x".repeat(52))).collect();
    let except = format!("{}, arn:aws:iam::111122223333:user/{}", "r".repeat(64), "u".repeat(200));
    for sources in [1, 100, 400] {
        let text = format!(
            "version: 1\norganization: {{ name: {org} }}\ndefaults: {{ log_bucket: {{ name: \"logs-{{account_id}}-{{region}}\" }} }}\naccounts:\n  prod: {{ id: \"111122223333\", regions: {{ us-east-1: {{ buckets: [{}] }} }} }}\ntrails: {{ audit: {{ kms_key_arn: \"{KEY}\" }} }}\nmonitoring: {{ tamper_alerts: {{ sns_topic_name: {}, {ALL}, except: [{except}] }} }}\n",
            buckets[..sources].join(", "),
            "t".repeat(256),
        );
        let alerts = alerts_of(&text);
        assert!(alerts.rules.len() < 100, "{}", alerts.rules.len());
        assert!(
            ["-rules", "-topic", "-keys-1", "-public-access", "-deliveries"].iter().all(|end| names_end(&alerts, end)),
            "{:?}",
            names(&alerts)
        );
        for rule in &alerts.rules {
            let chars = rule.pattern.to_string().len();
            assert!(chars <= watch::PATTERN_CHARS && rule.name.len() <= watch::RULE_NAME_CHARS, "{}: {chars}", rule.name);
            assert_eq!(rule.pattern["$or"].as_array().map(Vec::len), Some(2), "{}", rule.name);
            let message = rule.message.as_ref().unwrap_or_else(|| unreachable!());
            assert!(message.template.len() <= watch::TEMPLATE_CHARS && message.paths.len() <= watch::TEMPLATE_PATHS);
            assert!(message.paths.keys().all(|name| message.template.contains(&format!("<{name}>"))), "{}", message.template);
        }
    }
}

fn names_end(alerts: &Alerts, end: &str) -> bool {
    alerts.rules.iter().any(|rule| rule.name.ends_with(end))
}

#[test]
fn a_rule_is_silent_where_no_trail_records_its_service() {
    let map = |trail: &str| {
        alerts_of(&format!(
            "version: 1\norganization: {{ name: acme }}\naccounts:\n  prod: {{ id: \"111122223333\", regions: {{ us-east-1: {{ buckets: [acme-a] }} }} }}\ntrails: {{ audit: {{ kms_key_arn: \"{KEY}\", {trail} }} }}\nmonitoring: {{ tamper_alerts: {{ sns_topic_name: alerts, also: [keys] }} }}\n"
        ))
    };
    assert_eq!(map("management_events: all").silent, Vec::<String>::new());
    assert_eq!(map("management_events: write-only, exclude_event_sources: [rdsdata.amazonaws.com]").silent, Vec::<String>::new());
    let partly = map("exclude_event_sources: [kms.amazonaws.com]");
    assert_eq!(partly.silent, ["logmap-acme-keys-1"]);
    assert!(!partly.is_silent());
    assert!(map("management_events: read-only").is_silent());
    let objects = |trail: &str| {
        alerts_of(&format!(
            "version: 1\norganization: {{ name: acme }}\naccounts:\n  prod: {{ id: \"111122223333\", regions: {{ us-east-1: {{ buckets: [acme-a] }} }} }}\ntrails: {{ audit: {{ {trail} }} }}\nmonitoring: {{ tamper_alerts: {{ sns_topic_name: alerts, also: [log-objects] }} }}\n"
        ))
        .silent
    };
    assert_eq!(objects("log_bucket_events: [reads], s3_data_events: true"), ["logmap-acme-log-objects"]);
    assert_eq!(objects("log_bucket_events: [deletes]"), Vec::<String>::new());
}

#[test]
fn nothing_is_added_unless_it_is_asked_for() {
    let plain = monitoring("acme", 1).alerts.into_iter().next().unwrap_or_else(|| unreachable!());
    assert!(plain.rules.iter().all(|rule| rule.message.is_none() && rule.pattern.get("$or").is_none()));
    assert_eq!(names(&plain), ["logmap-acme-log-buckets", "logmap-acme-sources-1"]);
}

#[test]
fn owners_of_sources_are_told_what_the_grant_covers() {
    let text = "version: 1\norganization: { name: acme }\naccounts:\n  prod:\n    id: \"111122223333\"\n    regions:\n      us-east-1:\n        buckets: [acme-a, acme-b, { name: acme-c, logging: external }, { name: acme-d, logging: external, prefix: own/ }, { name: acme-e, prefix: mine/ }, { name: acme-f, logging: external, key_format: simple }]\n      eu-west-1:\n        log_bucket: { key_format: simple }\n        buckets: [{ name: acme-g, logging: external }, acme-h]\npublish: { ssm_logging_parameter: /x/logging }\n";
    let analysis = analyze(SourceFile::new("map.yaml", text));
    let account =
        analysis.plan.as_ref().and_then(|plan| plan.accounts.first()).unwrap_or_else(|| unreachable!("{:?}", analysis.findings));
    let value = |placement: &Placement| -> Value {
        let parameter = placement.monitoring.logging_parameter.as_ref().unwrap_or_else(|| unreachable!());
        serde_json::from_str(&parameter.value).unwrap_or_default()
    };
    let by_time = json!({ "PartitionedPrefix": { "PartitionDateSource": "EventTime" } });
    let simple = json!({ "SimplePrefix": {} });
    assert_eq!(
        account.placements.iter().map(value).collect::<Vec<_>>(),
        [
            json!({ "TargetBucket": "acme-logs-111122223333-eu-west-1", "TargetPrefix": "s3-access/{source_bucket}/", "TargetObjectKeyFormat": simple }),
            json!({
                "TargetBucket": "acme-logs-111122223333-us-east-1", "TargetPrefix": "s3-access/", "TargetObjectKeyFormat": by_time,
                "Sources": {
                    "acme-d": { "TargetPrefix": "own/", "TargetObjectKeyFormat": by_time },
                    "acme-f": { "TargetPrefix": "s3-access/acme-f/", "TargetObjectKeyFormat": simple },
                }
            }),
        ]
    );
}

const BUS: &str = "arn:aws:events:us-east-1:999900001111:event-bus/security";

/// So many accounts that send to the bus, with the id of an organization or without.
fn sending(accounts: usize, organization: &str) -> crate::analysis::Analysis {
    use std::fmt::Write;
    let mut text = format!("version: 1\norganization: {{ name: acme{organization} }}\naccounts:\n");
    for at in 0..accounts {
        let id = 100_000_000_000_u64 + at as u64;
        let _ = writeln!(text, "  a{at}: {{ id: \"{id}\", regions: {{ us-east-1: {{ buckets: [acme-{at}] }} }} }}");
    }
    let _ = writeln!(
        text,
        "trails: {{ audit: {{}} }}\nmonitoring: {{ tamper_alerts: {{ sns_topic_name: t, event_bus: {{ arn: \"{BUS}\" }} }} }}"
    );
    analyze(SourceFile::new("map.yaml", text))
}

#[test]
fn what_the_bus_lets_in_is_proven_and_no_mutant_of_it_is() {
    for (accounts, organization) in [(1, ""), (50, ""), (50, ", id: o-a1b2c3d4e5"), (1_000, ", id: o-a1b2c3d4e5")] {
        let found = sending(accounts, organization);
        let plan = found.plan.as_ref().unwrap_or_else(|| unreachable!("{:?}", found.findings));
        let bus = plan.bus.as_ref().unwrap_or_else(|| unreachable!());
        assert_eq!(bus.failures, Vec::<String>::new(), "{accounts}");
        assert!(bus.policy.to_json().len() <= watch::BUS_POLICY_CHARS, "{accounts}");
        let id = (!organization.is_empty()).then_some("o-a1b2c3d4e5");
        let mutants: [fn(&mut Policy); 5] = [
            |policy| policy.statements.clear(),
            |policy| policy.statements[0].resource = Element::Is(vec![format!("{BUS}-other")]),
            |policy| policy.statements[0].action = Element::Is(vec!["events:*".to_owned()]),
            |policy| policy.statements[0].effect = Effect::Deny,
            |policy| {
                policy.statements[0].principal = Element::Is(Principal::Any);
                policy.statements[0].condition.clear();
            },
        ];
        for (at, mutate) in mutants.iter().enumerate() {
            let mut bad = bus.policy.clone();
            mutate(&mut bad);
            assert!(!bus_failures(&plan.accounts, &plan.monitoring, &bad, id).is_empty(), "mutant {at} of {accounts} passes");
        }
    }
}

#[test]
fn a_policy_of_the_bus_that_is_too_long_asks_for_the_organization() {
    let long = |found: &crate::analysis::Analysis| found.findings.iter().any(|finding| finding.rule.id == "LM0808");
    assert!(!long(&sending(200, "")) && long(&sending(400, "")) && !long(&sending(400, ", id: o-a1b2c3d4e5")));
}

#[test]
fn a_bus_is_one_of_its_own() {
    for (arn, good) in [
        (BUS, true),
        ("arn:aws-cn:events:cn-north-1:999900001111:event-bus/a.b-c_d", true),
        ("arn:aws:events:us-east-1:999900001111:event-bus/default", false),
        ("arn:aws:events:us-east-1:999900001111:event-bus/", false),
        ("arn:aws:events:us-east-1:999900001111:event-bus/a/b", false),
        ("arn:aws:events:us-east-1:999900001111:rule/security", false),
        ("arn:aws:events:us-east-1:99990000111:event-bus/security", false),
        ("arn:aws:events:cn-north-1:999900001111:event-bus/security", false),
        ("arn:aws:sns:us-east-1:999900001111:event-bus/security", false),
        ("security", false),
    ] {
        assert_eq!(watch::bus_problem(arn).is_none(), good, "{arn}");
    }
}
