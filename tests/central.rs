//! The archive's policy: each role that copies gets in, whatever lies right beside it does not, and a policy that lets more in, or less, is not
//! proven, in each of the forms that the policy takes as the accounts grow.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail loudly")]

use logmap::testing::{
    analysis::{Analysis, analyze},
    plan::{
        LogBucket,
        prove::{Kind, Proof, Subject, prove},
    },
    policy::{Element, Policy},
    source::SourceFile,
};
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

/// The archive, and its proof with another policy.
fn with(analysis: &Analysis, change: impl Fn(&mut Policy)) -> (LogBucket, Proof) {
    let plan = analysis.plan.as_ref().unwrap_or_else(|| panic!("{:?}", analysis.findings));
    let account = plan.account("archive").unwrap();
    let placement = &account.placements[0];
    let archive = &placement.buckets[0];
    let mut policy = archive.policy.clone();
    change(&mut policy);
    let proof = prove(&Subject { policy: &policy, ..Subject::of(account, placement, archive) });
    (archive.clone(), proof)
}

fn failing(proof: &Proof) -> Vec<Kind> {
    proof.rows.iter().filter(|row| !row.failures.is_empty()).map(|row| row.kind).collect()
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
