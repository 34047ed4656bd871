//! Principals of policies: those that deliver logs, and those that look like it and don't.

use super::{Configuration, admit::does, finding};
use crate::{
    aws::{CLOUDTRAIL_SERVICE, LOGGING_SERVICE, arn},
    catalog::observed::{NO_DELIVERY, POLICY_SERVICE},
    observed::{
        hole,
        policy::{PolicyDoc, StatementPlaces},
    },
    policy::{Effect, Element, Principal, Statement},
};

/// The services that deliver.
pub(super) const SERVICES: [&str; 2] = [LOGGING_SERVICE, CLOUDTRAIL_SERVICE];

/// Names that differ from a delivery service's in no more letters are misspelt; no other service's name does.
const MOST_WRONG_LETTERS: usize = 2;

/// The accounts with which CloudTrail delivered before it had a service principal, in the Regions of that time. Source: CloudTrail
/// user guide, "Amazon S3 bucket policy for CloudTrail" (write the service principal instead); the ids are those that Terraform's
/// `aws_cloudtrail_service_account` gives.
const CLOUDTRAIL_ACCOUNTS: [&str; 31] = [
    "525921808201",
    "119688915426",
    "216624486486",
    "492519147666",
    "765225791966",
    "977081816279",
    "582488909970",
    "903692715234",
    "284668455005",
    "069019280451",
    "187074758985",
    "819402241893",
    "193415116832",
    "681348832753",
    "035351147821",
    "453052556044",
    "829690693026",
    "669305197877",
    "757211635381",
    "859597730677",
    "282025262664",
    "262312530599",
    "683224464357",
    "585772288577",
    "034638983726",
    "814480443879",
    "086441151436",
    "475085895292",
    "608710470296",
    "388731089494",
    "113285607260",
];

/// The names under a kind of principal.
fn names<'s>(statement: &'s Statement, kind: &str) -> &'s [String] {
    match statement.principal.inner() {
        Principal::Any => &[],
        Principal::Kinds(kinds) => kinds.get(kind).map_or(&[][..], Vec::as_slice),
    }
}

/// The delivery services that a statement names, whatever else it does.
pub(super) fn named(statement: &Statement) -> impl Iterator<Item = &'static str> {
    let services = names(statement, "Service");
    SERVICES.into_iter().filter(|service| services.iter().any(|name| name == service))
}

/// The delivery service that a name is meant to be, if it is none and was meant to.
pub(super) fn meant(name: &str) -> Option<&'static str> {
    if SERVICES.contains(&name) || hole::has(name) {
        return None;
    }
    let clean = name.trim().to_ascii_lowercase();
    SERVICES.into_iter().find(|service| {
        let label = service.trim_end_matches(".amazonaws.com");
        // of a partition or a Region, or of the wrong domain
        let other_end = clean.strip_prefix(label).is_some_and(|rest| rest.starts_with('.') && rest.contains(".amazon"))
            || clean.strip_prefix(label).is_some_and(|rest| rest.starts_with(".amazon"));
        let near = clean.chars().count().abs_diff(service.len()) <= MOST_WRONG_LETTERS
            && strsim::damerau_levenshtein(&clean, service) <= MOST_WRONG_LETTERS;
        // other orders of the same words
        let turned =
            *service == LOGGING_SERVICE && ["s3.logging.amazonaws.com", "logging-s3.amazonaws.com"].contains(&clean.as_str());
        other_end || near || turned
    })
}

/// Does a statement let something do what a delivery does?
fn delivers(statement: &Statement) -> bool {
    statement.effect == Effect::Allow
        && matches!(statement.principal, Element::Is(_))
        && (does(statement, "s3:PutObject") || does(statement, "s3:GetBucketAcl"))
}

/// Judges the principals of a statement; true if something there was meant to be a delivery service.
pub(super) fn judge(doc: &PolicyDoc, statement: &Statement, places: &StatementPlaces, configuration: &mut Configuration) -> bool {
    let mut meant_one = false;
    for name in names(statement, "Service") {
        let Some(service) = meant(name) else { continue };
        meant_one = true;
        configuration
            .findings
            .push(finding(&POLICY_SERVICE, places.principal, format!("`{name}` is no service; log delivery is `{service}`")).help(
            "the service has one name in every partition and Region; S3 answers `MalformedPolicy`: invalid principal in policy",
        ));
    }
    for name in names(statement, "AWS").iter().filter(|name| SERVICES.contains(&name.as_str()) || meant(name).is_some()) {
        meant_one = true;
        configuration.findings.push(
            finding(
                &POLICY_SERVICE,
                places.principal,
                format!("`{name}` is a service, and `AWS` names accounts, roles and users"),
            )
            .help("write it under `Service`; S3 answers `MalformedPolicy`: invalid principal in policy"),
        );
    }
    if !delivers(statement) {
        return meant_one;
    }
    let let_in = |service: &str| {
        let others = || doc.policy.statements.iter().filter(|other| other.effect == Effect::Allow);
        others().any(|other| named(other).any(|named| named == service))
    };
    if let Some(account) = old_accounts(statement).next().filter(|_| !let_in(CLOUDTRAIL_SERVICE)) {
        meant_one = true;
        configuration.findings.push(
            finding(
                &NO_DELIVERY,
                places.principal,
                format!("`{account}` is an account with which CloudTrail delivered before it had a service principal"),
            )
            .help(
                "trails of newer Regions are not let in; let `cloudtrail.amazonaws.com` in, with `aws:SourceArn` of the trails",
            ),
        );
        configuration.doubt(format!("whether trails are let in: `{account}` delivers for trails of its Region alone"));
    }
    if names(statement, "Service").iter().any(|name| name == "s3.amazonaws.com")
        && speaks_of_access_logs(statement)
        && !let_in(LOGGING_SERVICE)
    {
        meant_one = true;
        configuration.findings.push(
            finding(&NO_DELIVERY, places.principal, "`s3.amazonaws.com` writes inventories and analytics, and no access logs")
                .help("access logs are written by `logging.s3.amazonaws.com`; let that one in, with `aws:SourceAccount`"),
        );
        configuration.doubt("whether access logs are meant to arrive: the statement lets in another service");
    }
    meant_one
}

/// Old accounts of CloudTrail among the principals.
fn old_accounts(statement: &Statement) -> impl Iterator<Item = &str> {
    names(statement, "AWS").iter().filter_map(|name| {
        let account = arn::parse(name)
            .filter(|arn| arn.service == "iam" && arn.resource == "root")
            .map_or(name.as_str(), |arn| arn.account);
        CLOUDTRAIL_ACCOUNTS.contains(&account).then_some(account)
    })
}

/// Do a statement's Sid or resources say that it is for access logs of S3?
fn speaks_of_access_logs(statement: &Statement) -> bool {
    let mut texts = std::iter::once(&statement.sid).chain(statement.resource.inner());
    texts.any(|text| {
        let text: String = text.to_ascii_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
        ["s3access", "serveraccess", "accesslog"].iter().any(|word| text.contains(word)) && !text.contains("inventory")
    })
}

/// What a policy lets in that looks like the delivery of access logs and is none.
pub(super) fn instead_of_access_logs(doc: &PolicyDoc) -> Option<&str> {
    let allows = doc.policy.statements.iter().filter(|statement| delivers(statement) && does(statement, "s3:PutObject"));
    let found = allows.flat_map(|statement| names(statement, "Service"));
    found
        .map(String::as_str)
        .find(|name| ["s3.amazonaws.com", "delivery.logs.amazonaws.com"].contains(name) || meant(name).is_some())
}
