//! Deliveries of CloudWatch Logs to the archive: each account gets in with the header of an ACL and without it, whatever lies right beside it does
//! not, and a policy that lets more in, or less, is not proven, in each of the forms that the policy takes as the accounts grow.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail loudly")]

#[path = "common/archive.rs"]
mod archive;

use archive::{failing, plan_of, with};
use logmap::testing::{
    analysis::{Analysis, analyze},
    plan::prove::{Kind, Subject, prove},
    policy::{Element, Policy},
    source::SourceFile,
};
use std::fmt::Write;

/// So many accounts, whose logs are delivered.
fn analysis(accounts: usize, more: &str) -> Analysis {
    let mut text =
        "version: 1\norganization: { name: acme, id: o-a1b2c3d4e5 }\naccounts:\n  archive: { id: \"999900001111\" }\n".to_owned();
    for n in 0..accounts {
        let id = 100_000_000_000u64 + n as u64;
        writeln!(text, "  team-{n}: {{ id: \"{id:012}\", regions: {{ us-east-1: {{ buckets: [acme-{n}] }} }} }}").unwrap();
    }
    writeln!(text, "central: {{ deliver_to: {{ account: archive, region: eu-central-1 }}, via: vended{more} }}").unwrap();
    analyze(SourceFile::new("map", text))
}

#[test]
fn each_form_is_proven_under_both_readings_of_the_acl_header() {
    for (accounts, statements, form) in [(3, 3, None), (90, 1, Some("lists")), (1_000, 1, Some("AWSLogs/"))] {
        let (archive, proof) = with(&analysis(accounts, ""), |_| ());
        assert_eq!(failing(&proof), [], "{accounts}");
        assert_eq!(failing(&archive.proof), [], "{accounts}");
        let asked = |kind| proof.rows.iter().find(|row| row.kind == kind).map_or(0, |row| row.asked);
        assert_eq!(asked(Kind::VendedWrite), 2 * accounts);
        assert!(asked(Kind::OtherVended) >= 5, "{accounts}");
        assert_eq!(archive.policy.statements.len(), statements + 1, "{accounts}");
        assert!(archive.report.bytes_used <= 20_480);
        assert_eq!(archive.report.notes.len(), usize::from(form.is_some()), "{:?}", archive.report);
        assert!(form.is_none_or(|form| archive.report.notes[0].contains(form)), "{:?}", archive.report);
        assert!(archive.versioning && !archive.takes_access_logs && !archive.takes_trails);
    }
}

#[test]
fn more_accounts_than_the_list_has_room_for_are_an_error() {
    let found = analysis(1_500, "").findings;
    assert!(found.iter().any(|finding| finding.rule.id == "LM0401"), "{found:?}");
}

#[test]
fn a_policy_that_lets_more_in_or_less_is_not_proven() {
    for accounts in [3, 90, 300] {
        let found = analysis(accounts, "");
        let broken = |change: &dyn Fn(&mut Policy)| failing(&with(&found, change).1);
        let has = |kinds: &[Kind], kind: Kind, what: &str| assert!(kinds.contains(&kind), "{accounts}, {what}: {kinds:?}");
        let condition = |policy: &mut Policy, operator: &str, key: &str| {
            policy.statements[0].condition.get_mut(operator).unwrap().shift_remove(key).unwrap();
        };
        has(&broken(&|policy| condition(policy, "StringEquals", "aws:SourceAccount")), Kind::OtherVended, "any account");
        has(&broken(&|policy| condition(policy, "ArnLike", "aws:SourceArn")), Kind::OtherVended, "any delivery source");
        let action =
            |action: &'static str| move |policy: &mut Policy| policy.statements[0].action = Element::Is(vec![action.to_owned()]);
        has(&broken(&action("s3:*")), Kind::OtherVended, "more actions");
        has(&broken(&action("s3:GetObject")), Kind::OtherVended, "another action");
        has(&broken(&action("s3:DeleteObject")), Kind::VendedWrite, "another action");
        let resource = |key: &'static str| {
            move |policy: &mut Policy| {
                policy.statements[0].resource =
                    Element::Is(vec![format!("arn:aws:s3:::acme-central-999900001111-eu-central-1/{key}")]);
            }
        };
        has(&broken(&resource("AWSLogs/100000000000/x/*")), Kind::VendedWrite, "fewer objects");
        // what a policy grants is told by what was derived, so that a wider one is seen
        let account = plan_of(&found).account("archive").unwrap();
        let placement = account.placements.iter().find(|placement| !placement.buckets.is_empty()).unwrap();
        let archive = &placement.buckets[0];
        let mut policy = archive.policy.clone();
        resource("*")(&mut policy);
        let proof = prove(&Subject { policy: &policy, granted_by: &archive.policy, ..Subject::of(account, placement, archive) });
        has(&failing(&proof), Kind::OtherVended, "any object");
        // the header is asked for, as in AWS's own statement: a service that does not send it stays outside
        let acl = |policy: &mut Policy| {
            let keys = policy.statements[0].condition.get_mut("StringEquals").unwrap();
            keys.insert("s3:x-amz-acl".to_owned(), vec!["bucket-owner-full-control".to_owned()]);
        };
        has(&broken(&acl), Kind::VendedWrite, "the ACL's header");
        has(&broken(&|policy| _ = policy.statements.remove(0)), Kind::VendedWrite, "no grant");
        has(&broken(&|policy| _ = policy.statements.pop()), Kind::WithoutTls, "no Deny");
    }
}

#[test]
fn destinations_are_in_the_regions_of_the_sources_and_let_their_accounts_in() {
    let text = "version: 1\norganization: { name: acme }\naccounts:\n  archive: { id: \"999900001111\", regions: { eu-west-1: { buckets: [acme-inventory] } } }\n  \
                a: { id: \"111122223333\", regions: { us-east-1: { buckets: [a-web, { name: other, logging: external }] }, eu-west-1: { buckets: [eu-web] } } }\n  \
                b: { id: \"222233334444\", regions: { us-east-1: { buckets: [b-web] }, eu-north-1: { buckets: [{ name: b-ext, logging: external }] } } }\n  \
                c: { id: \"333344445555\", regions: { sa-east-1: { buckets: [c-web] } } }\n\
                central: { deliver_to: { account: archive, region: eu-central-1 }, via: vended, format: parquet, only: [a, b, archive] }\n";
    let found = analyze(SourceFile::new("map", text));
    let plan = plan_of(&found);
    let archive = plan.account("archive").unwrap();
    let destinations: Vec<(&str, Option<String>)> = archive
        .placements
        .iter()
        .map(|placement| {
            let destination = placement.vended.as_ref().and_then(|vended| vended.destination.as_ref());
            assert!(placement.vended.iter().all(|vended| vended.format == "parquet"));
            let policy = destination.map(|one| {
                one.policy.as_ref().map_or_else(String::new, |policy| policy["Statement"][0]["Principal"]["AWS"].to_string())
            });
            (placement.region.as_str(), policy)
        })
        .collect();
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(
        destinations,
        [
            ("eu-central-1", None),
            ("eu-west-1", some("[\"111122223333\"]")),
            ("us-east-1", some("[\"111122223333\",\"222233334444\"]"))
        ]
    );
    let delivered: Vec<(&str, &str, Vec<&str>)> = plan
        .placements()
        .filter_map(|(account, placement)| Some((account, placement, placement.vended.as_ref()?)))
        .map(|(account, placement, vended)| {
            assert!(
                vended
                    .destination_arn
                    .starts_with(&format!("arn:aws:logs:{}:999900001111:delivery-destination:logmap-", placement.region))
            );
            (
                account.key.as_str(),
                placement.region.as_str(),
                vended.sources.iter().map(|source| source.bucket.as_str()).collect(),
            )
        })
        .collect();
    assert_eq!(
        delivered,
        [
            ("a", "eu-west-1", vec!["eu-web"]),
            ("a", "us-east-1", vec!["a-web"]),
            ("archive", "eu-west-1", vec!["acme-inventory"]),
            ("archive", "us-east-1", vec![]),
            ("b", "us-east-1", vec!["b-web"]),
        ]
    );
    assert_eq!(plan.apply_order, ["archive", "a", "b", "c"]);
    // what is left out is said
    let left_out = found.findings.iter().filter(|finding| finding.rule.id == "LM1007");
    assert_eq!(
        left_out.map(|finding| finding.message.as_str()).collect::<Vec<_>>(),
        ["other", "b-ext"].map(|name| format!("logmap makes no delivery to the archive for `{name}`, whose logging others set"))
    );
    assert!(plan.account("a").unwrap().placements.iter().all(|placement| placement.replication_role.is_none()));
}

#[test]
fn what_goes_with_one_way_of_copying_is_said() {
    let rules = |more: &str| -> Vec<&str> {
        analysis(1, more).findings.iter().map(|finding| finding.rule.id).filter(|id| id.starts_with("LM10")).collect()
    };
    assert!(rules("").is_empty() && rules(", format: json").is_empty());
    assert_eq!(rules(", object_lock: { mode: GOVERNANCE, days: 30 }"), ["LM1011"]);
    assert_eq!(rules(", only: [archive]"), ["LM1008"]);
}
