//! Effective map → plan. Placement is by construction: a source's log bucket is the one of its own account and Region,
//! and there is no way to say otherwise.
//!
//! Takes an effective map, gives a plan of whatever can be used, and the findings that only the whole shows. Deterministic:
//! the order of keys in the map does not matter.

mod archive;
mod bucket;
mod placement;
mod retention;
mod settings;

use super::{
    Account, Placement, Plan, central, copies, guardrails, keys, monitoring, names,
    policy_cache::PolicyCache,
    routes::{self, Delivery},
    vended,
};
use crate::{
    aws::Partition,
    diagnostics::Finding,
    map::effective::{self, EffectiveMap, MOST_STATEMENTS},
    policy::compose::ReaderGrant,
    rules::{
        budget,
        naming::LOG_BUCKET_NAME_TWICE,
        placement::{LOG_BUCKET_IS_SOURCE, UNUSED_ACCOUNT},
        trails::NO_ACCOUNTS,
    },
    source::Span,
    threads::{self, cores},
};
use std::collections::{BTreeMap, BTreeSet};

/// Most statements of the map in all policies together, each of which is filled in and proven for each policy.
const MOST_STATEMENTS_IN_ALL: usize = 250_000;

/// From so many sources on, threads cost less than they save.
const WORTH_THREADS: usize = 5_000;

/// The names of the log buckets in each partition, and what each is for.
type Taken = BTreeMap<Partition, BTreeMap<String, Vec<Named>>>;

/// A use of a name. Ordered by place in the text, so that the finding is on the later one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Named {
    /// Where its template stands.
    template: Span,
    /// The second bucket of `split_trails`, which logs by itself.
    of_trails: bool,
    /// The Region that it was filled in for.
    region: Span,
    /// As in "it is for …".
    what: String,
}

/// Derives the plan. What seems to be unused may have lost its use to an error that others find: see [`keep_what_is_sure`].
pub fn derive(map: &EffectiveMap<'_>, findings: &mut Vec<Finding>) -> Plan {
    derive_with(map, &mut PolicyCache::default(), findings)
}

/// Drops the findings of a derivation that may go away once other errors of the map are mended.
pub fn keep_what_is_sure(derived: &mut Vec<Finding>) {
    derived.retain(|finding| finding.rule != &UNUSED_ACCOUNT && finding.rule != &NO_ACCOUNTS);
}

/// Derives the plan, reusing policies of an earlier one. Gives the same plan as [`derive`].
pub fn derive_with(map: &EffectiveMap<'_>, cache: &mut PolicyCache, findings: &mut Vec<Finding>) -> Plan {
    // an edit changes little, and one cache serves all placements
    let sources: usize =
        map.accounts.values().flat_map(|account| account.regions.values()).map(|region| region.sources.len()).sum();
    let threads = if cache.enabled() || sources < WORTH_THREADS { 1 } else { cores() };
    derive_on(threads, map, cache, findings)
}

/// Derives the plan on some threads, each with some of the placements; the plan and the findings are the same on any number.
fn derive_on(threads: usize, map: &EffectiveMap<'_>, cache: &mut PolicyCache, findings: &mut Vec<Finding>) -> Plan {
    let before = findings.len();
    let deliveries = routes::deliveries(map, findings);
    let by_account = routes::by_account(&deliveries);
    let central = central::derive(map, &by_account, findings);
    let (readers, readers_partition) =
        (central.as_ref().map(central::Central::grant), central.as_ref().map(|central| central.account.partition));
    let mut planned = Vec::new();
    let mut planners = Vec::new();
    let (mut statements, mut refused) = (0usize, false);
    for account in map.accounts.values() {
        // Regions of the map, of its trails, and of trails that deliver to it
        let mut regions: BTreeSet<&str> =
            account.regions.iter().filter(|(_, region)| !region.sources.is_empty()).map(|(name, _)| *name).collect();
        let deliveries = by_account.get(account.key.as_str()).map_or(&[][..], Vec::as_slice);
        regions.extend(deliveries.iter().map(|delivery| delivery.region));
        let archive = map.archive.iter().filter(|archive| archive.account.as_str() == account.key.as_str());
        regions.extend(archive.map(|archive| archive.region.value));
        regions.extend(vended::regions(map, account, &by_account));
        if regions.is_empty() && map.central.as_ref().is_some_and(|central| central.account == account.key.value) {
            continue;
        }
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
        planned.push((account, regions.len()));
        for region in regions {
            statements = statements.saturating_add(account.statements(region).min(MOST_STATEMENTS));
            let has_statements = statements <= MOST_STATEMENTS_IN_ALL;
            if !has_statements && !std::mem::replace(&mut refused, true) {
                budget::report_too_many_in_all(MOST_STATEMENTS_IN_ALL, account.key.span, findings);
            }
            planners.push(Planner {
                map,
                account,
                region,
                deliveries,
                has_statements,
                of_placements: 0,
                readers: readers.as_ref(),
                readers_partition,
            });
        }
    }
    let of_placements = planners.len();
    planners.iter_mut().for_each(|planner| planner.of_placements = of_placements);
    let (placements, taken) = placements(threads, &planners, cache, findings);
    let (mut placements, mut accounts) = (placements.into_iter(), Vec::new());
    for (account, count) in planned {
        let placements: Vec<Placement> = placements.by_ref().take(count).collect();
        let partition = Partition::of_region(placements.first().map_or("", |placement| &placement.region));
        accounts.push(Account {
            key: account.key.value.clone(),
            id: account.id.value.clone(),
            partition,
            role_arn: names::role_arn(account, partition),
            profile: account.profile.map(|profile| profile.value.clone()),
            placements,
        });
    }
    log_buckets_that_are_sources(map, &taken, findings);
    names_twice(taken, findings);
    let archive = match map.archive.as_ref().is_some_and(|archive| archive.vended.is_some()) {
        true => vended::finish(map, &mut accounts, findings),
        false => copies::finish(map, &deliveries, &mut accounts, findings),
    };
    routes::finish_trails(map, &deliveries, &mut accounts, findings);
    monitoring::fill(&mut accounts, &map.monitoring);
    monitoring::check(map, &accounts, findings);
    let organization_id = map.organization_id.map(|id| id.value.as_str());
    let guardrails =
        map.guardrails.as_ref().map_or_else(Vec::new, |settings| guardrails::derive(&accounts, settings, organization_id));
    guardrails::check(map, &accounts, &guardrails, findings);
    let apply_order = routes::apply_order(map, &accounts, &deliveries, &copies::waiting(archive.as_ref()), findings);
    let key_policies = keys::key_policies(&accounts, &deliveries, central.as_ref(), archive.as_ref());
    central::check(map, central.as_ref(), &accounts, findings);
    let bus = monitoring::bus_policy(&accounts, &map.monitoring, organization_id);
    once_each(findings, before);
    let closed = map.closed.iter().map(|id| (*id).to_owned()).collect();
    Plan {
        accounts,
        apply_order,
        render: map.render.clone(),
        key_policies,
        closed,
        monitoring: map.monitoring.clone(),
        guardrail_settings: map.guardrails.clone(),
        archive,
        bus,
        management_account: map.management_account.map(str::to_owned),
        guardrails,
        central,
        targets: map.targets.clone(),
    }
}

/// The placements of the planners, and the names that they use.
fn placements(
    count: usize,
    planners: &[Planner<'_, '_>],
    cache: &mut PolicyCache,
    findings: &mut Vec<Finding>,
) -> (Vec<Placement>, Taken) {
    let plan = |planners: &[Planner<'_, '_>], cache: &mut PolicyCache, findings: &mut Vec<Finding>| {
        let mut taken = Taken::new();
        let placements: Vec<Placement> = planners.iter().map(|planner| planner.placement(&mut taken, cache, findings)).collect();
        (placements, taken)
    };
    if count < 2 {
        return plan(planners, cache, findings);
    }
    let (mut placements, mut taken) = (Vec::new(), Taken::new());
    let planned = threads::map(planners.chunks(planners.len().div_ceil(count).max(1)), |part| {
        let mut findings = Vec::new();
        (plan(part, &mut PolicyCache::default(), &mut findings), findings)
    });
    for ((more, names), found) in planned {
        placements.extend(more);
        findings.extend(found);
        for (partition, names) in names {
            let known = taken.entry(partition).or_default();
            names.into_iter().for_each(|(name, uses)| known.entry(name).or_default().extend(uses));
        }
    }
    (placements, taken)
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

/// Keeps one of the findings that the same rule makes at the same place for several Regions.
fn once_each(findings: &mut Vec<Finding>, from: usize) {
    let mut seen = BTreeSet::new();
    let derived = findings.split_off(from);
    findings.extend(derived.into_iter().filter(|finding| seen.insert((finding.rule.id, finding.span))));
}

/// Reports sources that have the name of a log bucket, each once: that one is listed twice is another rule's finding.
fn log_buckets_that_are_sources(map: &EffectiveMap<'_>, taken: &Taken, findings: &mut Vec<Finding>) {
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
                    .label(match first.of_trails {
                        true => "the trails' own bucket logs by itself",
                        false => "its own log objects would be logged, without end",
                    })
                    .related(first.template, format!("the log bucket of {} has its name from here", first.what))
                    .help(match first.of_trails {
                        true => {
                            "take it out of `buckets`; it logs to the access-log bucket of its account and Region without that"
                        }
                        false => "take it out of `buckets`; AWS accepts it, and logs of logs pile up and are billed",
                    }),
                );
            }
        }
    }
}

/// Plans one account in one Region.
struct Planner<'a, 'm> {
    map: &'a EffectiveMap<'m>,
    account: &'a effective::Account<'m>,
    region: &'a str,
    /// Those that the account writes or takes.
    deliveries: &'a [&'a Delivery<'m>],
    /// Do its policies have the map's extra statements? Not behind too many others, which is an error.
    has_statements: bool,
    /// How many placements the map has.
    of_placements: usize,
    /// Whom of another account the log buckets of a partition let read.
    readers: Option<&'a ReaderGrant>,
    readers_partition: Option<Partition>,
}

/// A log bucket before its policy is composed.
struct Draft {
    name: String,
    takes_access_logs: bool,
    takes_trails: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{diagnostics, document, map, source::SourceFile};

    #[test]
    fn a_source_that_is_listed_twice_is_planned_as_it_is_listed_last() {
        let text = "version: 1\norganization: { name: acme }\naccounts:\n  a: { id: \"111122223333\", regions: { us-east-1: { buckets: \
                    [{ name: web, prefix: one/ }, api, { name: web, prefix: two/ }] } } }\n";
        let document = document::read(&SourceFile::new("logmap.yaml", text), &mut Vec::new());
        let map = map::decode(&document, &mut Vec::new());
        let plan = derive(&effective::effective_map(&map), &mut Vec::new());
        let sources: Vec<(&str, &str)> =
            plan.accounts[0].placements[0].sources.iter().map(|source| (source.name.as_str(), &*source.prefix)).collect();
        assert_eq!(sources, [("api", "s3-access/"), ("web", "two/")]);
    }

    #[test]
    fn the_number_of_threads_changes_nothing() {
        let twice = "version: 1\norganization: { name: acme }\ndefaults: { log_bucket: { name: \"{org}-logs\" } }\naccounts:\n  \
                     a: { id: \"111122223333\", regions: { us-east-1: { buckets: [x] }, eu-west-1: { buckets: [acme-logs] } } }\n  \
                     b: { id: \"222233334444\", regions: { us-east-1: { buckets: [y] } } }\n  c: { id: \"333344445555\" }\n";
        for text in [include_str!("../../examples/organization/logmap.yaml"), twice] {
            let derived = |threads: usize| {
                let mut findings = Vec::new();
                let document = document::read(&SourceFile::new("logmap.yaml", text.to_owned()), &mut findings);
                let map = map::decode(&document, &mut findings);
                let plan = derive_on(threads, &effective::effective_map(&map), &mut PolicyCache::default(), &mut findings);
                diagnostics::sort(&mut findings);
                (crate::text::json(&plan), format!("{findings:?}"))
            };
            let one = derived(1);
            assert!(one.0.contains("\"names\""), "{}", one.1);
            for threads in [2, 3, 100] {
                assert_eq!(derived(threads), one, "{threads}");
            }
        }
    }
}
