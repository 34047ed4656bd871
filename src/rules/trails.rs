//! Rules on trails: names, the accounts they speak of, prefixes and keys.
//!
//! Quotas and circles depend on all trails together and are judged in `plan::derive`, with the rules declared here.

use super::accounts;
use crate::{
    aws::{Partition, arn, limits, region, watch},
    diagnostics::Finding,
    edit::Change,
    map::{Coverage, Insight, KmsKey, ManagementEvents, RegionMap, Scope, Trail, effective},
    rule_family,
    source::{Span, Spanned},
};
use std::collections::{BTreeMap, BTreeSet};

rule_family! {
    since "0.1.0";
    TRAIL_NAME = "LM0601" "trail-name" Error Map blocking: "CloudTrail would not create a trail of this name";
    TRAIL_ACCOUNT = "LM0602" "trail-account" Error Map blocking: "a trail names an account that the map does not have";
    TRAIL_KEYS = "LM0603" "trail-keys" Error Map blocking: "keys of a trail that do not go together";
    TRAIL_PREFIX = "LM0604" "trail-prefix" Error Map: "a trail's prefix can't be used";
    TRAIL_QUOTA = "LM0605" "trail-quota" Error Map: "more than five trails in a Region";
    TRAIL_QUOTA_REACHED = "LM0606" "trail-quota-reached" Warning Map: "five trails in a Region";
    KMS_KEY = "LM0607" "kms-key" Error Map: "a trail's KMS key is malformed or in the wrong Region";
    NO_ACCOUNTS = "LM0608" "trail-without-accounts" Warning Map: "no account gets the trail";
    CIRCLE = "LM0609" "trail-circle" Warning Map: "accounts deliver trails to each other";
    HOME_REGION = "LM0610" "trail-home-region" Warning Map: "a trail's home Region is the default, and the map does not use that Region";
    CLOSED_ACCOUNT = "LM0611" "trail-closed-account" Error Map: "a trail needs an account that is closed";
    FEED_NAME = "LM0612" "trail-feed-name" Error Map: "the log group, role or topic of a trail has a name that it can't have";
    RECORDS_NOTHING = "LM0613" "trail-records-nothing" Error Map: "a trail records neither management events nor data events";
    NO_EFFECT = "LM0614" "trail-without-effect" Warning Map: "a trail leaves out, or looks into, events that it does not record";
}

/// Checks each trail as it stands.
pub(crate) fn check(map: &RegionMap, findings: &mut Vec<Finding>) {
    let known = accounts::ids(map);
    let closed: BTreeMap<&str, Span> = map
        .accounts()
        .filter(|(_, account)| account.is_closed())
        .filter_map(|(key, account)| Some((key.as_str(), account.state.as_ref()?.span)))
        .collect();
    if let Some(management) = map.organization.as_ref().and_then(|organization| organization.management_account.as_ref()) {
        account(management, &known, findings);
        if map.trails().any(|(_, trail)| trail.scope.is_some_and(|scope| scope.value == Scope::Organization)) {
            in_use(&closed, management, "is the management account, which makes the organization trails", findings);
        }
    }
    let used: BTreeSet<&str> =
        map.accounts_in_use().flat_map(|(_, account)| account.regions().map(|(name, _)| name.as_str())).collect();
    for (name, trail) in map.trails() {
        home_region(name, trail, &used, findings);
        if !limits::is_trail_name(name) {
            findings.push(
                Finding::new(&TRAIL_NAME, name.span, format!("`{}` can't be the name of a trail", name.value))
                    .help("3 to 128 letters, digits, `.`, `_` and `-`; a letter or digit at both ends; no two of `._-` side by side; CloudTrail answers `InvalidTrailNameException`"),
            );
        }
        let listed = trail.accounts.iter().flat_map(|accounts| accounts.iter());
        let adopting = trail.adopt.iter().flat_map(|adopt| adopt.named());
        for key in listed.chain(trail.deliver_to.iter().filter_map(|to| to.account.as_ref())).chain(adopting) {
            account(key, &known, findings);
        }
        if let Some(to) = trail.deliver_to.as_ref().and_then(|to| to.account.as_ref()) {
            in_use(&closed, to, &format!("takes the logs of the trail `{}`", name.value), findings);
        }
        go_together(map, name, trail, findings);
        feeds(trail, findings);
        events(name, trail, findings);
        if let Some(home) = &trail.home_region {
            super::naming::region_name(home, findings);
        }
        if let Some(prefix) = &trail.prefix {
            self::prefix(prefix, findings);
        }
        if let Some(key) = &trail.kms_key_arn {
            match &key.value {
                KmsKey::One(arn) => kms_key(arn, findings),
                KmsKey::ByRegion(entries) => {
                    for (region, arn) in &entries.items {
                        super::naming::region_name(region, findings);
                        kms_key(arn, findings);
                    }
                }
            }
        }
    }
}

/// Reports an account on which others depend if it is closed; `closed` has the places that say so, by key.
fn in_use(closed: &BTreeMap<&str, Span>, key: &Spanned<String>, why: &str, findings: &mut Vec<Finding>) {
    let Some(state) = closed.get(key.as_str()) else { return };
    findings.push(
        Finding::new(&CLOSED_ACCOUNT, key.span, format!("the account `{}` is closed, and it {why}", key.value))
            .label("nothing is delivered to it or made in it")
            .related(*state, "it is closed by this")
            .help("name an account that is in use, and move the trail with `logmap runbook`"),
    );
}

fn account(key: &Spanned<String>, known: &BTreeMap<&str, &str>, findings: &mut Vec<Finding>) {
    accounts::known(&TRAIL_ACCOUNT, key, known, findings);
}

/// A default that nobody looked at puts a log bucket and the trail's logs into a Region where nobody expects them.
fn home_region(name: &Spanned<String>, trail: &Trail, used: &BTreeSet<&str>, findings: &mut Vec<Finding>) {
    let per_region = trail.coverage.is_some_and(|coverage| coverage.value == Coverage::PerRegion);
    let default = effective::DEFAULT_HOME_REGION;
    // in another partition the default is an error of its own
    let of_partition = used.iter().any(|region| Partition::of_region(region) == Partition::of_region(default));
    if per_region || trail.home_region.is_some() || used.contains(default) || !of_partition {
        return;
    }
    let first = used.first().copied().unwrap_or_default();
    let message =
        format!("the home Region of the trail `{}` is `{default}` by default, and the map does not use that Region", name.value);
    findings.push(Finding::new(&HOME_REGION, name.span, message).label("its logs go to a log bucket there").help(format!(
        "name it, `home_region: {first}` or `home_region: {default}`, or write `coverage: per-region` for a trail in each Region"
    )));
}

fn go_together(map: &RegionMap, name: &Spanned<String>, trail: &Trail, findings: &mut Vec<Finding>) {
    let per_region = trail.coverage.filter(|coverage| coverage.value == Coverage::PerRegion);
    let organization = trail.scope.filter(|scope| scope.value == Scope::Organization);
    if let (Some(coverage), Some(home)) = (per_region, &trail.home_region) {
        findings.push(
            Finding::new(&TRAIL_KEYS, home.span, "`home_region` has no meaning with `coverage: per-region`")
                .related(coverage.span, "each Region has a trail of its own")
                .help("leave `home_region` out, or write `coverage: multi-region`")
                .unsafe_fix("leave `home_region` out", Change::RemoveEntry(home.span)),
        );
    }
    let listed: Option<BTreeSet<&str>> =
        trail.accounts.as_ref().map(|accounts| accounts.iter().map(|key| key.as_str()).collect());
    let gets = |key: &str| match (organization.is_some(), &listed) {
        (true, _) => {
            let management = map.organization.as_ref().and_then(|organization| organization.management_account.as_ref());
            management.is_none_or(|management| management.as_str() == key)
        }
        (false, Some(accounts)) => accounts.contains(key),
        (false, None) => true,
    };
    for key in trail.adopt.iter().flat_map(|adopt| adopt.named()).filter(|key| !gets(key)) {
        let message = format!("`adopt` names `{}`, which does not get the trail `{}`", key.value, name.value);
        findings.push(Finding::new(&TRAIL_KEYS, key.span, message).help(match organization.is_some() {
            true => "the organization's trail exists in the management account alone; write `adopt: true`",
            false => "a trail of another account is not this one; add the account to the trail's `accounts`, or leave it out of `adopt`",
        }));
    }
    let Some(scope) = organization else { return };
    if let Some(accounts) = &trail.accounts {
        findings.push(
            Finding::new(&TRAIL_KEYS, accounts.span, "`accounts` has no meaning with `scope: organization`")
                .related(scope.span, "an organization trail records every account of the organization")
                .help("leave `accounts` out, or write `scope: account`")
                .unsafe_fix("leave `accounts` out", Change::RemoveEntry(accounts.span)),
        );
    }
    let has =
        |get: fn(&crate::map::Organization) -> bool| map.organization.as_ref().is_some_and(|organization| get(organization));
    for (key, there) in [
        ("id", has(|organization| organization.id.is_some())),
        ("management_account", has(|organization| organization.management_account.is_some())),
    ] {
        if !there {
            findings.push(
                Finding::new(&TRAIL_KEYS, scope.span, format!("the organization trail `{}` needs `organization.{key}`", name.value)).help(if key == "id" {
                    "its logs go to `AWSLogs/<organization id>/`, which the bucket policy must grant; write `organization: { id: o-… }`"
                } else {
                    "the trail belongs to the management account; list that account and name its key under `organization`"
                }),
            );
        }
    }
}

/// What a trail feeds beside its bucket exists elsewhere, so only the names can be judged.
fn feeds(trail: &Trail, findings: &mut Vec<Finding>) {
    let logs = trail.cloudwatch_logs.as_ref();
    let names = [
        (
            logs.and_then(|logs| logs.log_group.as_ref()),
            limits::is_log_group_name as fn(&str) -> bool,
            "the name of a log group",
            "write the name alone, of 1 to 512 letters, digits and `_-/.#`: its ARN has the account and Region of each trail",
        ),
        (
            logs.and_then(|logs| logs.role.as_ref()),
            limits::is_role_name,
            "the name of a role",
            "write the name alone, with its path if it has one, such as `service-role/acme-trail-to-logs`: its ARN has the account of each trail",
        ),
        (
            trail.sns_topic.as_ref(),
            is_topic,
            "the name or ARN of a topic",
            "write a name of letters, digits, `_` and `-`, or `arn:aws:sns:us-east-1:111122223333:acme-trail-files`; CloudTrail sends nothing to a FIFO topic",
        ),
    ];
    for (name, is_good, what, help) in names {
        let Some(name) = name.filter(|name| !is_good(name)) else { continue };
        findings.push(Finding::new(&FEED_NAME, name.span, format!("`{}` can't be {what}", name.value.escape_debug())).help(help));
    }
}

/// Can it be the name or the ARN of a topic that CloudTrail sends to?
pub(crate) fn is_topic(text: &str) -> bool {
    match arn::parse(text) {
        None => watch::topic_problem(text).is_none(),
        Some(arn) => {
            arn.service == "sns"
                && region::is_well_formed(arn.region)
                && limits::is_account_id(arn.account)
                && Partition::from_id(arn.partition) == Some(Partition::of_region(arn.region))
                && watch::topic_problem(arn.resource).is_none()
        }
    }
}

/// Which events a trail records, and what else it says of them.
fn events(name: &Spanned<String>, trail: &Trail, findings: &mut Vec<Finding>) {
    let Some(management) = trail.management_events else { return };
    let none = management.value == ManagementEvents::None;
    let of_log_buckets = trail.log_bucket_events.as_ref().is_some_and(|events| !events.value.is_empty());
    if none && !of_log_buckets && !trail.s3_data_events.is_some_and(|on| on.value) {
        let message = format!("the trail `{}` records neither management events nor data events", name.value);
        findings.push(
            Finding::new(&RECORDS_NOTHING, management.span, message)
                .help("write `s3_data_events: true` for it, or leave `management_events` out"),
        );
    }
    if let Some(sources) = trail.exclude_event_sources.as_ref().filter(|sources| none && !sources.value.is_empty()) {
        findings.push(
            Finding::new(
                &NO_EFFECT,
                sources.span,
                "`exclude_event_sources` leaves nothing out, as no management events are recorded",
            )
            .related(management.span, "it is turned off by this")
            .help("leave one of the two out")
            .unsafe_fix("leave `exclude_event_sources` out", Change::RemoveEntry(sources.span)),
        );
    }
    for insight in trail.insights.iter().flat_map(|insights| insights.iter()) {
        let (blind, needs) = match insight.value {
            Insight::CallRate => {
                (matches!(management.value, ManagementEvents::ReadOnly | ManagementEvents::None), "management events that write")
            }
            Insight::ErrorRate => (none, "management events"),
        };
        if blind {
            findings.push(
                Finding::new(
                    &NO_EFFECT,
                    insight.span,
                    format!("`{}` looks into {needs}, which are not recorded", insight.value.word()),
                )
                .related(management.span, "they are turned off by this")
                .help(format!(
                    "record {needs}, or leave `{}` out: CloudTrail finds nothing in events that the trail does not have",
                    insight.value.word()
                )),
            );
        }
    }
}

fn prefix_problem(text: &str) -> Option<(&'static str, &'static str)> {
    if text.starts_with('/') || text.ends_with('/') {
        Some(("has a slash at its beginning or end", "CloudTrail puts the slashes itself; write the name between them"))
    } else if text.chars().count() > limits::TRAIL_PREFIX_CHARS {
        Some(("is longer than 200 characters", "CloudTrail answers `InvalidS3PrefixException`"))
    } else if text == "AWSLogs" || text.contains("AWSLogs/") {
        Some(("contains `AWSLogs/`", "CloudTrail adds `AWSLogs/<account id>/` itself and answers `InvalidS3PrefixException`"))
    } else {
        super::delivery::prefix_problem(text)
    }
}

fn prefix(prefix: &Spanned<String>, findings: &mut Vec<Finding>) {
    let text = prefix.as_str();
    if let Some((problem, help)) = prefix_problem(text) {
        let finding =
            Finding::new(&TRAIL_PREFIX, prefix.span, format!("the trail prefix `{}` {problem}", text.escape_debug())).help(help);
        let bare = text.trim_matches('/');
        findings.push(if bare != text && prefix_problem(bare).is_none() {
            finding.safe_fix(format!("write `{bare}`"), Change::Scalar(prefix.span, bare.to_owned()))
        } else {
            finding
        });
    }
}

/// Is it the ARN of a KMS key, or of an alias of one?
pub(super) fn is_kms_key(key: &str) -> bool {
    arn::parse(key).is_some_and(|arn| {
        arn.service == "kms"
            && key.len() <= limits::KMS_KEY_CHARS
            && region::is_well_formed(arn.region)
            && limits::is_account_id(arn.account)
            && Partition::from_id(arn.partition) == Some(Partition::of_region(arn.region))
            && ["key/", "alias/"].iter().any(|kind| {
                arn.resource
                    .strip_prefix(kind)
                    .is_some_and(|id| !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_/".contains(&b)))
            })
    })
}

fn kms_key(key: &Spanned<String>, findings: &mut Vec<Finding>) {
    if !is_kms_key(key) {
        findings.push(
            Finding::new(&KMS_KEY, key.span, format!("`{}` is not the ARN of a KMS key", key.value.escape_debug()))
                .help("it looks like `arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab`; CloudTrail answers `InvalidKmsKeyIdException`"),
        );
    }
}

/// Where a finding about the default of `home_region` points: the trail's name.
pub(crate) fn home_region_span(trail: &effective::Trail<'_>) -> Span {
    trail.home_region.map_or(trail.name.span, |home| home.span)
}
