use super::{Guardrails, Naming, derive, log_bucket_actions, proof, rcp_text, scp_text};
use crate::{
    analysis::{Analysis, analyze},
    aws::limits::{RCP_CHARS, SCP_CHARS},
    plan::Plan,
    policy::{Element, Statement},
    source::SourceFile,
};
use std::fmt::Write;

fn analysis(rest: &str, accounts: &str) -> Analysis {
    let text = format!(
        "version: 1\norganization: {{ name: acme, id: o-a1b2c3d4e5 }}\n{rest}accounts:\n{accounts}guardrails: {{ deployer: logmap-deployer, exempt: [break-glass*] }}\n"
    );
    analyze(SourceFile::new("map", text))
}

fn plan(rest: &str, accounts: &str) -> Plan {
    let analysis = analysis(rest, accounts);
    analysis
        .plan
        .unwrap_or_else(|| panic!("{:?}", analysis.findings.iter().map(|finding| &finding.message).take(3).collect::<Vec<_>>()))
}

const PROD: &str =
    "  prod: { id: \"111122223333\", regions: { us-east-1: { buckets: [acme-web, { name: acme-old, logging: external }] } } }\n";
const WATCHED: &str = "trails: { audit: {} }\nmonitoring: { tamper_alerts: { sns_topic_name: alerts } }\ndefaults: { log_bucket: { split_trails: true } }\n";

fn only(plan: &Plan) -> &Guardrails {
    let [found] = &plan.guardrails[..] else { panic!("{:?}", plan.guardrails) };
    assert_eq!(found.failures, Vec::<String>::new());
    found
}

#[test]
fn a_small_map_is_held_by_names() {
    let plan = plan(WATCHED, PROD);
    let found = only(&plan);
    assert_eq!((found.log_buckets, found.sources), ((Naming::Names, Naming::Names), Naming::Names));
    let text = scp_text(&found.scp);
    assert!(!text.contains("Principal\"") && rcp_text(&found.rcp).contains("\"Principal\": \"*\""), "{text}");
    assert!(text.contains("arn:aws:s3:::acme-web\"") && !text.contains("acme-old"), "{text}");
    for name in ["logs", "trails"] {
        assert!(text.contains(&format!("arn:aws:s3:::acme-{name}-111122223333-us-east-1/*")), "{text}");
    }
    assert!(!rcp_text(&found.rcp).contains("SourceOrgID"));
}

/// Each statement, action, resource and condition is needed: without it, or with what it says turned around, the proof fails.
#[test]
fn a_policy_that_says_less_or_more_is_not_proven() {
    each_part_is_needed(&plan(WATCHED, PROD));
}

#[test]
fn deliveries_are_held_by_their_names() {
    let plan = plan("central: { deliver_to: { account: prod, region: us-east-1 }, via: vended }\n", PROD);
    let text = scp_text(&only(&plan).scp);
    for kind in ["source", "destination"] {
        assert!(text.contains(&format!("arn:aws:logs:*:*:delivery-{kind}:logmap-*")), "{text}");
    }
    each_part_is_needed(&plan);
}

fn each_part_is_needed(plan: &Plan) {
    let settings = plan.guardrail_settings.as_ref().unwrap();
    let good = only(plan);
    let subject = super::Subject::of(good.partition, &plan.accounts);
    let failures = |bad: &Guardrails| proof::failures(bad, &subject, settings, Some("o-a1b2c3d4e5"));
    assert_eq!(failures(good), Vec::<String>::new());
    let mut mutants: Vec<(String, Guardrails)> = Vec::new();
    for rcp in [false, true] {
        let count = if rcp { good.rcp.statements.len() } else { good.scp.statements.len() };
        for at in 0..count {
            let mut change = |what: String, change: &dyn Fn(&mut Statement)| {
                let mut bad = good.clone();
                let policy = if rcp { &mut bad.rcp } else { &mut bad.scp };
                change(&mut policy.statements[at]);
                mutants.push((what, bad));
            };
            let statement = if rcp { &good.rcp.statements[at] } else { &good.scp.statements[at] };
            // the two statements of the RCP stand in for each other within the organization
            let alone = !rcp || statement.sid == "LogmapLogBuckets";
            for action in statement.action.inner().iter().filter(|_| alone) {
                change(format!("{} without {action}", statement.sid), &|statement| {
                    let Element::Is(list) = &mut statement.action else { return };
                    list.retain(|other| other != action);
                });
            }
            for resource in statement.resource.inner().iter().filter(|_| alone) {
                change(format!("{} without {resource}", statement.sid), &|statement| {
                    let Element::Is(list) = &mut statement.resource else { return };
                    list.retain(|other| other != resource);
                });
            }
            change(format!("{} of every bucket", statement.sid), &|statement| {
                if statement.sid.contains("Bucket") || statement.sid.contains("Sources") || statement.sid.contains("Else") {
                    statement.resource = Element::Is(vec!["arn:aws:s3:::*".to_owned()]);
                } else {
                    statement.resource = Element::Is(vec!["arn:aws:s3:::elsewhere".to_owned()]);
                }
            });
            for operator in statement.condition.keys().cloned().collect::<Vec<_>>() {
                change(format!("{} without {operator}", statement.sid), &|statement| {
                    statement.condition.shift_remove(&operator);
                });
            }
        }
        let mut less = good.clone();
        (if rcp { &mut less.rcp } else { &mut less.scp }).statements.clear();
        mutants.push(("nothing".to_owned(), less));
    }
    assert!(mutants.len() > 80, "{}", mutants.len());
    for (what, bad) in mutants {
        assert!(!failures(&bad).is_empty(), "{what} passes");
    }
}

#[test]
fn any_number_of_sources_fits() {
    for (count, sources, log_buckets) in [(100, Naming::Names, Naming::Names), (100_000, Naming::Patterns, Naming::Names)] {
        let mut names = String::new();
        for at in 0..count {
            write!(names, "acme-{}-{at:06}, ", ["web", "data", "zoo", "logs-of"][at % 4]).unwrap();
        }
        let accounts = format!("  prod: {{ id: \"111122223333\", regions: {{ us-east-1: {{ buckets: [{names}] }} }} }}\n");
        let plan = plan("defaults: { log_bucket: { policy_scope: account } }\ntrails: { audit: {} }\n", &accounts);
        let found = only(&plan);
        assert_eq!((found.sources, found.log_buckets), (sources, (log_buckets, log_buckets)), "{count}");
        let (scp, rcp) = (scp_text(&found.scp).len(), rcp_text(&found.rcp).len());
        assert!(scp <= SCP_CHARS && rcp <= RCP_CHARS, "{count}: {scp} and {rcp}");
    }
}

#[test]
fn many_accounts_are_held_by_patterns_that_hold_no_source() {
    let mut accounts = String::new();
    for at in 0..1_000_u64 {
        writeln!(accounts, "  a{at}: {{ id: \"{}\", regions: {{ us-east-1: {{ buckets: [acme-web-{at}, {{ name: acme-out-{at}, logging: external }}] }} }} }}", 100_000_000_000 + at * 7_919).unwrap();
    }
    let plan = plan("trails: { audit: { scope: account } }\n", &accounts);
    let found = only(&plan);
    assert_eq!((found.log_buckets, found.sources), ((Naming::Patterns, Naming::Patterns), Naming::Patterns));
    assert!(scp_text(&found.scp).len() <= SCP_CHARS && rcp_text(&found.rcp).len() <= RCP_CHARS);
}

#[test]
fn external_sources_between_the_others_are_spared() {
    let mut names = String::new();
    for at in 0..600 {
        write!(names, "acme-{at:04}-of-a-name-that-is-rather-long, ").unwrap();
        if at % 300 == 0 {
            write!(names, "{{ name: acme-{at:04}-of-a-name-that-is-rather-long-x, logging: external }}, ").unwrap();
        }
    }
    let accounts = format!("  prod: {{ id: \"111122223333\", regions: {{ us-east-1: {{ buckets: [{names}] }} }} }}\n");
    let plan = plan("defaults: { log_bucket: { policy_scope: account } }\n", &accounts);
    let found = only(&plan);
    assert!(matches!(found.sources, Naming::Patterns | Naming::AllOthers), "{:?}", found.sources);
}

#[test]
fn partitions_have_policies_of_their_own() {
    let accounts = format!("{PROD}  cn: {{ id: \"444455556666\", regions: {{ cn-north-1: {{ buckets: [acme-cn] }} }} }}\n");
    let plan = plan("", &accounts);
    let found: Vec<_> =
        plan.guardrails.iter().map(|one| (one.partition.id(), scp_text(&one.scp).contains("arn:aws-cn:"))).collect();
    assert_eq!(found, [("aws", false), ("aws-cn", true)]);
}

#[test]
fn actions_are_once() {
    let actions = log_bucket_actions();
    assert_eq!(actions.iter().collect::<std::collections::BTreeSet<_>>().len(), actions.len());
    assert!(actions.contains(&"s3:ReplicateDelete") && !actions.contains(&"s3:PutObject"));
    assert!(derive(&[], &plan("", PROD).guardrail_settings.unwrap(), None).is_empty());
}
