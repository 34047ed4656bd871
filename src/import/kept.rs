//! What the inputs show of an adopted bucket, held against the policy that the map derives for it: a delivery that is let in today
//! and would not be tomorrow is an error, because S3 takes the new policy and drops the logs without a word.
//!
//! `PutBucketPolicy` replaces the whole policy (S3 API reference).

use super::inventory::{Inventory, Known};
use crate::{
    analysis::Analysis,
    aws::{CLOUDTRAIL_SERVICE, LOGGING_SERVICE, Partition, arn, limits},
    catalog::importing::LOST_GRANT,
    diagnostics::{Finding, few},
    map::effective::with_slash,
    observed::{Setting, SourceLocation, Trail, hole},
    plan::{LogBucket, prove},
    policy::{
        Effect, Element, Policy, Principal, Statement,
        evaluate::{Caller, Request, Verdict, evaluate},
    },
};
use std::collections::{BTreeMap, BTreeSet};

/// Names that one message lists.
const MOST_NAMED: usize = 3;

/// An adopted bucket of the map.
struct Adopted<'a> {
    account: &'a str,
    region: &'a str,
    bucket: &'a LogBucket,
    /// Prefixes of the sources there.
    prefixes: BTreeMap<&'a str, &'a str>,
}

/// What the inputs tell, by where it is.
struct Told<'a> {
    inventory: &'a Inventory,
    /// Buckets by account and Region.
    buckets: BTreeMap<(&'a str, &'a str), Vec<&'a Known>>,
    /// Trails by the bucket that they deliver to.
    trails: BTreeMap<&'a str, Vec<&'a Trail>>,
}

/// Deliveries and grants of today that the map's policies do not let in.
pub(super) fn lost(inventory: &Inventory, analysis: &Analysis) -> Vec<Finding> {
    let Some(plan) = &analysis.plan else { return Vec::new() };
    let adopted: BTreeMap<&str, Adopted<'_>> = plan
        .accounts
        .iter()
        .flat_map(|account| account.placements.iter().map(move |placement| (account, placement)))
        .flat_map(|(account, placement)| {
            let prefixes = || placement.sources.iter().map(|source| (source.name.as_str(), &*source.prefix)).collect();
            let of = move |bucket| Adopted { account: &account.id, region: &placement.region, bucket, prefixes: prefixes() };
            placement.buckets.iter().filter(|bucket| bucket.adopt.is_some()).map(move |bucket| (bucket.name.as_str(), of(bucket)))
        })
        .collect();
    if adopted.is_empty() {
        return Vec::new();
    }
    let mut told = Told { inventory, buckets: BTreeMap::new(), trails: BTreeMap::new() };
    for known in &inventory.buckets {
        told.buckets.entry((&known.account, &known.region)).or_default().push(known);
    }
    for trail in inventory.trails.values() {
        if let Some(bucket) = trail.bucket.known() {
            told.trails.entry(&bucket.value).or_default().push(trail);
        }
    }
    let mut found = Vec::new();
    for known in &inventory.buckets {
        if let Some(adopted) = known.target().and_then(|target| adopted.get(target)) {
            found.extend(logs(known, adopted));
        }
    }
    for trail in inventory.trails.values() {
        if let Some(adopted) = trail.bucket.known().and_then(|bucket| adopted.get(bucket.value.as_str())) {
            found.extend(files(trail, adopted, inventory));
        }
    }
    for known in &inventory.buckets {
        if let Some(adopted) = adopted.get(known.name()) {
            found.extend(grants(known, adopted, &told));
        }
    }
    found
}

fn lets_in(policy: &Policy, service: &str, resource: &str, context: &[(&str, String)]) -> bool {
    let context: Vec<(&str, &str)> = context.iter().map(|(key, value)| (*key, value.as_str())).collect();
    let request = Request { principal: Caller::Service(service), action: "s3:PutObject", resource, context: &context };
    matches!(evaluate(policy, &request), Verdict::Allowed(_))
}

fn error(place: SourceLocation, message: String, help: &str) -> Finding {
    Finding::new(&LOST_GRANT, place.span, message).in_file(place.file).help(help)
}

/// The log objects of a source, as it logs today.
fn logs(known: &Known, adopted: &Adopted<'_>) -> Option<Finding> {
    let set = known.logging.as_ref()?;
    let (name, bucket) = (known.name(), &adopted.bucket.name);
    let prefix = match &set.logging.prefix {
        Setting::Known(prefix) if !hole::has(&prefix.value) => prefix.value.clone(),
        Setting::Unsaid if set.by_code => String::new(),
        // said where the source is, or told by nobody
        _ => return None,
    };
    if (known.account.as_str(), known.region.as_str()) != (adopted.account, adopted.region) {
        return None;
    }
    // its own prefix is proven
    if adopted.prefixes.get(name).is_some_and(|own| prefix.starts_with(own)) {
        return None;
    }
    let partition = Partition::of_region(&known.region);
    let whole = [None, Some((known.account.as_str(), known.region.as_str(), name))];
    let context = prove::service_context(LOGGING_SERVICE, arn::bucket(partition, name), known.account.clone());
    let let_in = whole.into_iter().all(|partitioned| {
        let key = prove::access_log_key(&prefix, partitioned);
        lets_in(&adopted.bucket.policy, LOGGING_SERVICE, &arn::object(partition, bucket, &key), &context)
    });
    (!let_in).then(|| {
        error(
            set.logging.place,
            format!("`{name}` logs to `{bucket}` under `{prefix}` today, and the map's policy would not let that in"),
            "list the bucket as a source whose `prefix` begins what it has today, or leave the log bucket out of the map",
        )
    })
}

/// The files of a trail, as it delivers today.
fn files(trail: &Trail, adopted: &Adopted<'_>, inventory: &Inventory) -> Option<Finding> {
    let bucket = &adopted.bucket.name;
    // a state has an empty one for none
    let prefix = trail.prefix.known().map_or_else(String::new, |prefix| with_slash(prefix.value.trim_end_matches('/')));
    let partition = Partition::of_region(adopted.region);
    let organization = inventory.organization.as_ref().map(|organization| organization.id.value.as_str());
    let paths = [Some(trail.account.as_str()), organization.filter(|_| super::inventory::is(&trail.organization, true))];
    let mut context = prove::service_context(CLOUDTRAIL_SERVICE, trail.arn.clone(), trail.account.clone());
    context.push(("s3:x-amz-acl", "bucket-owner-full-control".to_owned()));
    let let_in = paths.into_iter().flatten().all(|path| {
        let resource = arn::object(partition, bucket, &format!("{prefix}AWSLogs/{path}/CloudTrail/"));
        lets_in(&adopted.bucket.policy, CLOUDTRAIL_SERVICE, &resource, &context)
    });
    (!let_in).then(|| {
        error(
            trail.place,
            format!("the trail `{}` delivers to `{bucket}` today, and the map's policy would not let that in", trail.name.value),
            "add the trail to the map under `trails`, or leave the log bucket out of the map",
        )
    })
}

/// What today's policy lets in beside what the inputs tell of.
fn grants(known: &Known, adopted: &Adopted<'_>, told: &Told<'_>) -> Vec<Finding> {
    let Some(doc) = known.bucket.policy.known() else { return Vec::new() };
    let mut found = Vec::new();
    for (statement, places) in doc.value.policy.statements.iter().zip(&doc.value.places) {
        let is_for = |service: &str| statement.effect == Effect::Allow && serves(statement, service) && writes(statement);
        if is_for(LOGGING_SERVICE) {
            found.extend(unknown_sources(known, statement, adopted, told).map(|what| error(places.whole, what.0, what.1)));
        }
        if is_for(CLOUDTRAIL_SERVICE) {
            found.extend(unknown_trails(known, statement, adopted, told).map(|what| error(places.whole, what, TRAILS)));
        }
    }
    found
}

const TRAILS: &str = "import what `aws cloudtrail describe-trails` prints in those accounts, too, so that their trails are in the map; or leave the log bucket out of the map";

fn serves(statement: &Statement, service: &str) -> bool {
    match &statement.principal {
        Element::Is(Principal::Kinds(kinds)) => {
            kinds.get("Service").is_some_and(|names| names.iter().any(|name| name == service))
        }
        _ => false,
    }
}

fn writes(statement: &Statement) -> bool {
    statement.action.inner().iter().any(|action| action.eq_ignore_ascii_case("s3:PutObject") || action.contains('*'))
}

/// The values of a condition key, of operators that ask for one of them.
fn values<'s>(statement: &'s Statement, key: &str) -> Vec<&'s str> {
    let positive = |operator: &str| !operator.contains("Not") && operator != "Null";
    let tests = statement.condition.iter().filter(|(operator, _)| positive(operator)).flat_map(|(_, keys)| keys);
    tests.filter(|(name, _)| name.eq_ignore_ascii_case(key)).flat_map(|(_, values)| values.iter().map(String::as_str)).collect()
}

/// A grant of access logs that does not name its sources lets in whoever is in no input.
fn unknown_sources(
    known: &Known,
    statement: &Statement,
    adopted: &Adopted<'_>,
    told: &Told<'_>,
) -> Option<(String, &'static str)> {
    let name = known.name();
    let arns = values(statement, "aws:SourceArn");
    let exact = !arns.is_empty() && arns.iter().all(|arn| !arn.contains(['*', '?', '$']));
    if exact {
        let sources: Vec<&str> = arns.iter().filter_map(|arn| arn::parse(arn)).map(|arn| arn.resource).collect();
        let lost: Vec<&str> = sources.into_iter().filter(|source| !is_in(source, known, adopted)).collect();
        return (!lost.is_empty()).then(|| {
            (
                format!("the policy of `{name}` lets in the access logs of {}, which the map would not", few(&lost, MOST_NAMED)),
                "import what tells of these buckets, so that they are sources; or leave the log bucket out of the map",
            )
        });
    }
    // all of it stays: by account, and no prefix beside those of the map
    let policy = &adopted.bucket.policy;
    let partition = Partition::of_region(&known.region);
    let stranger = prove::service_context(LOGGING_SERVICE, arn::bucket(partition, "a-bucket-of-no-input"), known.account.clone());
    let stays = |resource: &String| {
        let key = resource.trim_end_matches('*');
        resource.matches(['*', '?', '$']).count() <= 1 && lets_in(policy, LOGGING_SERVICE, key, &stranger)
    };
    if statement.resource.inner().iter().all(stays) {
        return None;
    }
    // or the inputs tell of every bucket there whether it logs
    let of_place = told.buckets.get(&(known.account.as_str(), known.region.as_str())).map_or(&[][..], Vec::as_slice);
    let is_told = |other: &&Known| {
        other.name() == name || other.logging.is_some() || other.bucket.fresh || told.inventory.off.contains(other.name())
    };
    let listed = of_place.iter().any(|other| other.bucket.listed) || known.bucket.fresh;
    let untold: Vec<&str> = of_place.iter().filter(|other| !is_told(other)).map(|other| other.name()).collect();
    if listed && untold.is_empty() {
        return None;
    }
    let why = if untold.is_empty() {
        "and no input lists them".to_owned()
    } else {
        format!(
            "and no input tells whether {} {} to it",
            few(&untold, MOST_NAMED),
            if untold.len() == 1 { "logs" } else { "log" }
        )
    };
    Some((
        format!(
            "the policy of `{name}` lets in the access logs of any bucket of its account, {why}; the map's lets in those of its sources under their prefixes"
        ),
        "import the list of the buckets and what `aws s3api get-bucket-logging` prints for each, an empty answer too (`NAME.logging.json`); or keep the grant as it is with `policy_scope: account` and `prefix: \"\"` in `log_bucket`",
    ))
}

/// Is a bucket a source of the map, or the log bucket itself?
fn is_in(source: &str, known: &Known, adopted: &Adopted<'_>) -> bool {
    let partition = Partition::of_region(&known.region);
    let context = prove::service_context(LOGGING_SERVICE, arn::bucket(partition, source), known.account.clone());
    let policy = &adopted.bucket.policy;
    let resources =
        policy.statements.iter().filter(|statement| serves(statement, LOGGING_SERVICE)).flat_map(|one| one.resource.inner());
    resources.into_iter().any(|resource| lets_in(policy, LOGGING_SERVICE, resource.trim_end_matches('*'), &context))
}

/// A grant for CloudTrail lets in trails that are in no input.
fn unknown_trails(known: &Known, statement: &Statement, adopted: &Adopted<'_>, told: &Told<'_>) -> Option<String> {
    let name = known.name();
    let delivering = told.trails.get(name).map_or(&[][..], Vec::as_slice);
    let in_map: BTreeSet<&str> = adopted.bucket.basis.trails.iter().map(|grant| grant.arn.as_str()).collect();
    let arns = values(statement, "aws:SourceArn");
    let is_known = |arn: &str| in_map.contains(arn) || delivering.iter().any(|trail| trail.arn == arn);
    let mut lost: Vec<&str> = arns.iter().filter(|arn| !arn.contains(['*', '?', '$']) && !is_known(arn)).copied().collect();
    // who may write under which account's path
    let mut accounts: BTreeSet<&str> = values(statement, "aws:SourceAccount").into_iter().collect();
    let by_path = arns.is_empty() || arns.iter().any(|arn| arn.contains(['*', '?', '$']));
    accounts
        .extend(statement.resource.inner().iter().filter_map(|resource| resource.split_once("/AWSLogs/")?.1.split('/').next()));
    let writes_for = |account: &str| {
        in_map.iter().filter_map(|arn| arn::parse(arn)).any(|arn| arn.account == account)
            || delivering.iter().any(|trail| trail.account == account || super::inventory::is(&trail.organization, true))
            || adopted.bucket.basis.trails.iter().any(|grant| grant.organization.is_some())
    };
    lost.extend(accounts.into_iter().filter(|account| by_path && limits::is_account_id(account) && !writes_for(account)));
    (!lost.is_empty())
        .then(|| format!("the policy of `{name}` lets in the trails of {}, which the map would not", few(&lost, MOST_NAMED)))
}
