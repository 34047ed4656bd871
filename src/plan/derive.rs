//! Settled map → plan. Placement is by construction: a source's log bucket is the one of its own account and Region,
//! and there is no way to say otherwise.
//!
//! Takes a settled map, gives a plan of whatever can be used, and the findings that only the whole shows. Deterministic:
//! the order of keys in the map does not matter.

mod bucket;
mod place;
mod settings;

use super::{
    Account, Place, Plan, guard, keys,
    memo::Memo,
    routes::{self, Delivery},
};
use crate::{
    aws::{Partition, arn},
    diagnostics::Finding,
    map::settle::{self, Settled},
    rules::{
        naming::LOG_BUCKET_NAME_TWICE,
        placement::{LOG_BUCKET_IS_SOURCE, UNUSED_ACCOUNT},
        trails::NO_ACCOUNTS,
    },
    source::Span,
};
use std::collections::{BTreeMap, BTreeSet};

/// The names of the log buckets in each partition, and what each is for.
type Taken = BTreeMap<Partition, BTreeMap<String, Vec<Named>>>;

/// A use of a name: in the order of the text, so that the later one is the finding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Named {
    /// Where its template stands.
    template: Span,
    /// The Region that it was filled in for.
    region: Span,
    /// As in "it is for …".
    what: String,
}

/// Derives the plan.
pub fn derive(map: &Settled<'_>, findings: &mut Vec<Finding>) -> Plan {
    derive_with(map, &mut Memo::default(), findings)
}

/// Derives the plan, with policies that are lent by an earlier one. The same plan as [`derive`] gives.
pub fn derive_with(map: &Settled<'_>, memo: &mut Memo, findings: &mut Vec<Finding>) -> Plan {
    // what seems to be unused may have lost its use to an error
    let whole = findings.iter().all(|finding| finding.rule.can_be_ignored);
    let before = findings.len();
    let deliveries = routes::deliveries(map, findings);
    let by_account = routes::by_account(&deliveries);
    let mut taken = Taken::new();
    let mut accounts = Vec::new();
    for account in map.accounts.values() {
        // Regions of the map, of its trails, and of trails that deliver to it
        let mut regions: BTreeSet<&str> =
            account.regions.iter().filter(|(_, region)| !region.sources.is_empty()).map(|(name, _)| *name).collect();
        let deliveries = by_account.get(account.key.as_str()).map_or(&[][..], Vec::as_slice);
        regions.extend(deliveries.iter().map(|delivery| delivery.region));
        if regions.is_empty() {
            findings.push(
                Finding::new(
                    &UNUSED_ACCOUNT,
                    account.key.span,
                    format!("the account `{}` has no source bucket and no trail", account.key.value),
                )
                .help("list buckets under its `regions`, or name it in a trail's `accounts` or `deliver_to`"),
            );
            continue;
        }
        let places: Vec<Place> = regions
            .into_iter()
            .map(|region| Planner { map, account, region, deliveries }.place(&mut taken, memo, findings))
            .collect();
        let partition = Partition::of_region(places.first().map_or("", |place| &place.region));
        accounts.push(Account {
            key: account.key.value.clone(),
            id: account.id.value.clone(),
            partition,
            role_arn: account
                .role
                .map(|role| if role.starts_with("arn:") { role.value.clone() } else { arn::role(partition, account.id, role) }),
            profile: account.profile.map(|profile| profile.value.clone()),
            places,
        });
    }
    log_buckets_that_are_sources(map, &taken, findings);
    names_twice(taken, findings);
    routes::finish_trails(map, &deliveries, &mut accounts, findings);
    guard::fill(&mut accounts, &map.wanted);
    guard::check(map, &accounts, findings);
    let apply_order = routes::apply_order(map, &accounts, &deliveries, findings);
    let key_policies = keys::key_policies(&accounts, &deliveries);
    once_each(findings, before);
    if !whole {
        findings.retain(|finding| finding.rule != &UNUSED_ACCOUNT && finding.rule != &NO_ACCOUNTS);
    }
    Plan { accounts, apply_order, render: map.render.clone(), key_policies, wanted: map.wanted.clone() }
}

/// Names that two log buckets would have.
fn names_twice(taken: Taken, findings: &mut Vec<Finding>) {
    for (name, mut uses) in taken.into_values().flatten() {
        uses.sort();
        let Some((first, later)) = uses.split_first() else { continue };
        findings.extend(later.iter().map(|second| {
            Finding::new(&LOG_BUCKET_NAME_TWICE, second.template, format!("two log buckets would be named `{name}`"))
                .label("this name, once more")
                .related(if first.template == second.template { first.region } else { first.template }, "the first one comes from here")
                .related(second.region, format!("the second one is for {}", second.what))
                .help("a name is unique in its partition: keep `{account_id}` and `{region}` in the template, and give each adopted bucket under its own Region")
        }));
    }
}

/// The same finding of a rule at the same place, met again in another Region, is said once.
fn once_each(findings: &mut Vec<Finding>, from: usize) {
    let mut seen = BTreeSet::new();
    let derived = findings.split_off(from);
    findings.extend(derived.into_iter().filter(|finding| seen.insert((finding.rule.id, finding.span))));
}

/// Sources that have the name of a log bucket. One that is listed again (reported already) is said once.
fn log_buckets_that_are_sources(map: &Settled<'_>, taken: &Taken, findings: &mut Vec<Finding>) {
    let mut said = BTreeSet::new();
    for (name, region) in map.accounts.values().flat_map(|account| &account.regions) {
        let uses = taken.get(&Partition::of_region(name));
        for source in &region.sources {
            let Some(first) = uses.and_then(|uses| uses.get(source.name.as_str())?.first()) else { continue };
            if said.insert((Partition::of_region(name), source.name.as_str())) {
                findings.push(
                    Finding::new(
                        &LOG_BUCKET_IS_SOURCE,
                        source.name.span,
                        format!("`{}` is a log bucket and can't be a source", source.name.value),
                    )
                    .label("its own log objects would be logged, without end")
                    .related(first.template, format!("the log bucket of {} has its name from here", first.what))
                    .help("take it out of `buckets`; AWS accepts it, and logs of logs pile up and are billed"),
                );
            }
        }
    }
}

/// Plans one account in one Region.
struct Planner<'a, 'm> {
    map: &'a Settled<'m>,
    account: &'a settle::Account<'m>,
    region: &'a str,
    /// Those that the account writes or takes.
    deliveries: &'a [&'a Delivery<'m>],
}

/// What takes shape for one log bucket before its policy is composed.
struct Draft {
    name: String,
    takes_access_logs: bool,
    takes_trails: bool,
}
