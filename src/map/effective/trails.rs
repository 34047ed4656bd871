//! Effective trails: who gets them, where they deliver, with their defaults.

use super::{Account, DEFAULT_HOME_REGION, Trail, closed};
use crate::{
    aws::{Partition, limits, region},
    map::{self, AdoptTrail, Coverage, ManagementEvents, RegionMap, Scope},
    source::{Spanned, beginning},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

pub(super) fn trails<'m>(map: &'m RegionMap, accounts: &BTreeMap<&'m str, Account<'m>>) -> BTreeMap<&'m str, Trail<'m>> {
    let usable = map.trails().filter(|(name, _)| limits::is_trail_name(name));
    let closed: BTreeSet<&str> = closed(map).map(|(key, _)| key.as_str()).collect();
    let mut of_partitions = BTreeMap::new();
    usable
        .filter_map(|(name, trail)| {
            Some((name.as_str(), effective_trail(name, trail, map, accounts, &closed, &mut of_partitions)?))
        })
        .collect()
}

/// The accounts of each partition, listed once however many trails they get.
type OfPartitions<'m> = BTreeMap<Partition, Arc<[&'m str]>>;

/// A trail whose account keys all name usable accounts.
fn effective_trail<'m>(
    name: &'m Spanned<String>,
    trail: &'m map::Trail,
    map: &'m RegionMap,
    accounts: &BTreeMap<&'m str, Account<'m>>,
    closed: &BTreeSet<&str>,
    of_partitions: &mut OfPartitions<'m>,
) -> Option<Trail<'m>> {
    let organization = trail.scope.is_some_and(|scope| scope.value == Scope::Organization);
    let per_region = trail.coverage.is_some_and(|coverage| coverage.value == Coverage::PerRegion);
    let home_region = (!per_region).then_some(match &trail.home_region {
        Some(region) => Spanned { value: region.value.as_str(), span: region.span },
        None => Spanned { value: DEFAULT_HOME_REGION, span: name.span },
    });
    if home_region.is_some_and(|home| !region::is_well_formed(home.value)) {
        return None;
    }
    let deliver_to = match &trail.deliver_to {
        Some(to) => Some(to.account.as_ref().filter(|account| accounts.contains_key(account.as_str()))?),
        None => None,
    };
    let partition = partition(home_region.map(|home| home.value), deliver_to.and_then(|to| accounts.get(to.as_str())), accounts);
    let writers: Arc<[&str]> = if organization {
        let management = map.organization.as_ref()?.management_account.as_ref()?;
        map.organization.as_ref()?.id.as_ref()?;
        Arc::from([*accounts.get_key_value(management.as_str())?.0])
    } else if let Some(listed) = &trail.accounts {
        // one in a closed account went with it
        let listed = listed.iter().filter(|key| !closed.contains(key.as_str()));
        // with an unknown account (reported already) nothing can be said about the trail as a whole
        let known: Option<Vec<&str>> = listed.map(|key| Some(*accounts.get_key_value(key.as_str())?.0)).collect();
        let mut keys = known?;
        keys.sort_unstable();
        keys.dedup();
        keys.into()
    } else {
        let all = || accounts.iter().filter(|(_, account)| account.partition() == Some(partition)).map(|(key, _)| *key).collect();
        Arc::clone(of_partitions.entry(partition).or_insert_with(all))
    };
    Some(Trail {
        name,
        organization,
        accounts: writers,
        home_region,
        deliver_to,
        // one of more than 200 characters has been reported
        prefix: trail.prefix.as_ref().map_or("", |prefix| beginning(prefix, 1024)).trim_matches('/'),
        kms_key: trail.kms_key_arn.as_ref().map(|key| &key.value),
        log_file_validation: trail.log_file_validation.is_none_or(|on| on.value),
        s3_data_events: trail.s3_data_events.is_some_and(|on| on.value),
        log_bucket_events: in_order(trail.log_bucket_events.as_deref()),
        management_events: trail.management_events.as_ref().map_or(ManagementEvents::All, |events| events.value),
        excluded_event_sources: in_order(trail.exclude_event_sources.as_deref()),
        insights: in_order(trail.insights.as_deref()),
        log_group: trail
            .cloudwatch_logs
            .as_ref()
            .and_then(|logs| Some((logs.log_group.as_ref()?.as_str(), logs.role.as_ref()?.as_str()))),
        topic: trail.sns_topic.as_ref().map(|topic| topic.as_str()),
        adopted: trail.adopt.as_ref().is_some_and(|adopt| matches!(adopt.value, AdoptTrail::Everywhere(true))),
        adopted_in: trail.adopt.iter().flat_map(|adopt| adopt.named()).map(|key| key.as_str()).collect(),
    })
}

/// The words of a list, sorted, each once.
pub(super) fn in_order<T: Ord + Copy>(words: Option<&Vec<Spanned<T>>>) -> Vec<T> {
    let words: BTreeSet<T> = words.into_iter().flatten().map(|word| word.value).collect();
    words.into_iter().collect()
}

/// The partition of a trail: its home Region's; for one trail in each Region its destination's, else the first account's.
fn partition(home: Option<&str>, deliver_to: Option<&Account<'_>>, accounts: &BTreeMap<&str, Account<'_>>) -> Partition {
    home.map(Partition::of_region)
        .or_else(|| deliver_to.and_then(Account::partition))
        .or_else(|| accounts.values().find_map(Account::partition))
        .unwrap_or(Partition::Aws)
}
