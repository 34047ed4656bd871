//! Routes of trails: which account's trail delivers to which bucket, in which Region, and what follows from it: homes,
//! quotas, the Regions of KMS keys, the order in which accounts are applied.

use super::{Account, LogGroup, Placement, Topic, Trail, selectors::OfLogBuckets};
use crate::{
    aws::{Partition, arn, limits, region},
    diagnostics::{Finding, list},
    map::{
        KmsKey,
        effective::{self, EffectiveMap, with_slash},
    },
    policy::compose::TrailGrant,
    rules::{
        placement::PARTITION_CROSSED,
        trails::{CIRCLE, KMS_KEY, NO_ACCOUNTS, TRAIL_QUOTA, TRAIL_QUOTA_REACHED, home_region_span},
    },
    source::{self, Span},
};
use std::collections::{BTreeMap, BTreeSet};

/// One trail of one account, and where it delivers.
#[derive(Debug)]
pub(crate) struct Delivery<'m> {
    /// The trail of the map.
    pub trail: &'m effective::Trail<'m>,
    /// Key of the account that owns it.
    pub writer: &'m str,
    /// Key of the account whose bucket takes it.
    pub reader: &'m str,
    /// Home Region of the trail, which is also the bucket's Region.
    pub region: &'m str,
    /// ARN of the trail.
    pub arn: String,
    /// Account id of the writer.
    pub writer_id: &'m str,
}

impl Delivery<'_> {
    /// What the bucket's policy has to grant.
    pub(crate) fn grant(&self, map: &EffectiveMap<'_>) -> TrailGrant {
        TrailGrant {
            arn: self.arn.clone(),
            account_id: self.writer_id.to_owned(),
            prefix: with_slash(self.trail.prefix),
            organization: self.organization_id(map),
            multi_region: self.trail.home_region.is_some(),
        }
    }

    /// Id of the organization if the trail is one of an organization; empty where the map lacks it, which is a finding.
    fn organization_id(&self, map: &EffectiveMap<'_>) -> Option<String> {
        self.trail.organization.then(|| map.organization_id.map_or(String::new(), |id| id.value.clone()))
    }

    /// The KMS key for this delivery and where it stands.
    pub(super) fn key(&self) -> Option<(&str, Span)> {
        match self.trail.kms_key? {
            KmsKey::One(arn) => Some((beginning(arn.value.as_str()), arn.span)),
            KmsKey::ByRegion(entries) => entries
                .items
                .iter()
                .find(|(region, _)| region.as_str() == self.region)
                .map(|(_, arn)| (beginning(arn.value.as_str()), arn.span)),
        }
    }
}

/// As much of a key's ARN as one may have; a longer one has been reported, and each account's trail has it once more.
fn beginning(arn: &str) -> &str {
    source::beginning(arn, limits::KMS_KEY_CHARS)
}

/// Most trails of accounts that a map may make: five in each Region of an account are allowed, so that these are of tens of
/// thousands of accounts.
const MOST_DELIVERIES: usize = 150_000;

fn too_many(trail: &effective::Trail<'_>) -> Finding {
    Finding::new(
        &TRAIL_QUOTA,
        trail.name.span,
        format!("with the trail `{}` the map has more than {MOST_DELIVERIES} trails in its accounts", trail.name.value),
    )
    .label("trails from here on are left out")
    .help(format!(
        "CloudTrail allows {} trails in a Region of an account; use one organization trail, or split the map",
        limits::TRAILS_PER_REGION
    ))
}

/// All deliveries, in the order of trails, writers and Regions. After too many of them, which is a finding, there are no others.
pub(crate) fn deliveries<'m>(map: &'m EffectiveMap<'m>, findings: &mut Vec<Finding>) -> Vec<Delivery<'m>> {
    let mut all = Vec::new();
    let mapped = mapped_regions(map);
    let partitions = partitions_by_trails(map, &mapped);
    for trail in map.trails.values() {
        let before = all.len();
        for key in trail.accounts.iter() {
            if all.len() >= MOST_DELIVERIES {
                findings.push(too_many(trail));
                return all;
            }
            let Some(writer) = map.accounts.get(key) else { continue };
            let reader = trail.deliver_to.and_then(|to| map.accounts.get(to.as_str())).unwrap_or(writer);
            for home in homes(trail, writer, &mapped) {
                let partition = Partition::of_region(home);
                let crossed =
                    [writer, reader].into_iter().find(|account| account.partition().is_some_and(|other| other != partition));
                if let Some(account) = crossed {
                    findings.push(crossing(trail, account, home, partition));
                    continue;
                }
                let torn = [writer, reader].into_iter().find_map(|account| {
                    Some((account, partitions.get(account.key.as_str())?)).filter(|(_, by)| by.0 != partition)
                });
                if let Some((account, (other, first))) = torn {
                    findings.push(
                        Finding::new(
                            &PARTITION_CROSSED,
                            trail.name.span,
                            format!(
                                "the trail `{}` in `{home}` is of the partition `{partition}`, the account `{}` is in `{other}`",
                                trail.name.value, account.key.value
                            ),
                        )
                        .related(*first, format!("this trail puts the account, which has no Regions, into `{other}`"))
                        .help("an account exists in one partition only; give the other partition's account a key of its own"),
                    );
                    continue;
                }
                let arn = arn::trail(partition, home, writer.id, trail.name);
                all.push(Delivery { trail, writer: writer.key, reader: reader.key, region: home, arn, writer_id: writer.id });
            }
        }
        if all.len() == before
            && findings.iter().all(|finding| finding.rule != &PARTITION_CROSSED || finding.span != trail.name.span)
        {
            findings.push(no_accounts(trail));
        }
    }
    all
}

/// The deliveries that each account writes or takes, by its key.
pub(crate) fn by_account<'a, 'm>(deliveries: &'a [Delivery<'m>]) -> BTreeMap<&'m str, Vec<&'a Delivery<'m>>> {
    let mut found: BTreeMap<&str, Vec<&Delivery<'_>>> = BTreeMap::new();
    for delivery in deliveries {
        found.entry(delivery.writer).or_default().push(delivery);
        if delivery.reader != delivery.writer {
            found.entry(delivery.reader).or_default().push(delivery);
        }
    }
    found
}

/// The partition of each account without Regions: that of the first trail in the text that it writes or takes.
fn partitions_by_trails<'m>(map: &'m EffectiveMap<'m>, mapped: &MappedRegions<'m>) -> BTreeMap<&'m str, (Partition, Span)> {
    let mut trails: Vec<&effective::Trail<'_>> = map.trails.values().collect();
    trails.sort_by_key(|trail| trail.name.span);
    let mut partitions = BTreeMap::new();
    let lacking = map.accounts.values().filter(|account| account.partition().is_none()).count();
    let mut pairs = 0;
    for trail in trails {
        pairs += trail.accounts.len();
        // there are not more deliveries than that either
        if partitions.len() == lacking || pairs > MOST_DELIVERIES {
            break;
        }
        for writer in trail.accounts.iter().filter_map(|key| map.accounts.get(key)) {
            let reader = trail.deliver_to.and_then(|to| map.accounts.get(to.as_str())).unwrap_or(writer);
            let Some(home) = homes(trail, writer, mapped).into_iter().next() else { continue };
            for account in [writer, reader].into_iter().filter(|account| account.partition().is_none()) {
                partitions.entry(account.key.as_str()).or_insert((Partition::of_region(home), trail.name.span));
            }
        }
    }
    partitions
}

/// The mapped Regions of all accounts, in order, by partition.
struct MappedRegions<'m> {
    of: BTreeMap<Partition, Vec<&'m str>>,
    /// The partition of the first account that has one.
    first: Option<Partition>,
}

fn mapped_regions<'m>(map: &'m EffectiveMap<'m>) -> MappedRegions<'m> {
    let regions: BTreeSet<&str> = map.accounts.values().flat_map(|account| account.regions.keys().copied()).collect();
    let mut of: BTreeMap<Partition, Vec<&str>> = BTreeMap::new();
    regions.into_iter().for_each(|name| of.entry(Partition::of_region(name)).or_default().push(name));
    MappedRegions { of, first: map.accounts.values().find_map(effective::Account::partition) }
}

/// The home Regions of a trail in an account.
fn homes<'m>(trail: &'m effective::Trail<'m>, writer: &'m effective::Account<'m>, mapped: &MappedRegions<'m>) -> Vec<&'m str> {
    if let Some(home) = trail.home_region {
        return vec![home.value];
    }
    if trail.organization {
        // every mapped Region of the organization, in the management account's partition
        let partition = writer.partition().or(mapped.first);
        return partition.and_then(|partition| mapped.of.get(&partition)).cloned().unwrap_or_default();
    }
    writer.regions.keys().copied().collect()
}

fn crossing(trail: &effective::Trail<'_>, account: &effective::Account<'_>, home: &str, partition: Partition) -> Finding {
    let other = account.partition().unwrap_or(Partition::Aws);
    let mut finding = Finding::new(
        &PARTITION_CROSSED,
        trail.name.span,
        format!(
            "the trail `{}` in `{home}` is of the partition `{partition}`, the account `{}` is in `{other}`",
            trail.name.value, account.key.value
        ),
    )
    .related(account.key.span, format!("this account's Regions are in `{other}`"));
    if trail.home_region.is_some() && home_region_span(trail) != trail.name.span {
        finding = finding.related(home_region_span(trail), format!("`{home}` puts the trail into `{partition}`"));
    }
    finding.help(
        "accounts, trails and buckets of different partitions can't reach each other; give each partition a trail of its own",
    )
}

fn no_accounts(trail: &effective::Trail<'_>) -> Finding {
    let finding = Finding::new(&NO_ACCOUNTS, trail.name.span, format!("no account gets the trail `{}`", trail.name.value));
    match trail.home_region {
        Some(home) => finding.help(format!(
            "by default a trail covers the accounts with a mapped Region in the partition of its home Region, here `{}` of `{}`; list others under `accounts`, or set `home_region`",
            home.value,
            Partition::of_region(home.value)
        )),
        None => finding.help("with `coverage: per-region` an account gets a trail in each of its mapped Regions; map some, or list accounts that have them"),
    }
}

/// Puts the trails where their homes are, and judges keys and quotas.
pub(crate) fn finish_trails(
    map: &EffectiveMap<'_>,
    deliveries: &[Delivery<'_>],
    accounts: &mut [Account],
    findings: &mut Vec<Finding>,
) {
    let targets: BTreeMap<(String, String), String> = accounts
        .iter()
        .flat_map(|account| account.placements.iter().map(move |placement| (account, placement)))
        .filter_map(|(account, placement)| {
            let bucket = placement.buckets.iter().find(|bucket| bucket.takes_trails)?;
            Some(((account.key.clone(), placement.region.clone()), bucket.name.clone()))
        })
        .collect();
    let mut excluded_by_all: BTreeMap<(Option<&str>, Partition, usize), Vec<String>> = BTreeMap::new();
    let lacking = keys_lacking(deliveries);
    for delivery in deliveries {
        let Some(bucket) = targets.get(&(delivery.reader.to_owned(), delivery.region.to_owned())) else { continue };
        let writer = super::position(accounts, delivery.writer);
        let words = &delivery.trail.log_bucket_events;
        // three values of the selectors are taken by categories and types, and lists of the same length share what is left
        let lists = usize::from(delivery.trail.s3_data_events) + words.len();
        let most = if words.is_empty() { limits::SELECTOR_VALUES - 10 } else { (limits::SELECTOR_VALUES - 20) / lists };
        let exclude = |accounts: &[Account]| {
            let recorded = |placement: &&Placement| {
                (delivery.trail.home_region.is_some() || placement.region == delivery.region)
                    && Partition::of_region(&placement.region) == Partition::of_region(delivery.region)
            };
            let placements = accounts.iter().flat_map(|account| &account.placements).filter(recorded);
            within_selector(
                most,
                placements.flat_map(|placement| &placement.buckets).map(|bucket| format!("{}/", bucket.arn)).collect(),
            )
        };
        let log_objects = match writer.filter(|_| !delivery.trail.organization) {
            _ if lists == 0 => Vec::new(),
            Some(writer) => exclude(&accounts[writer..=writer]),
            // the same for all such trails of a Region, or of a partition
            None => {
                let home = delivery.trail.home_region.is_none().then_some(delivery.region);
                let key = (home, Partition::of_region(delivery.region), most);
                excluded_by_all.entry(key).or_insert_with(|| exclude(accounts)).clone()
            }
        };
        let trail = Trail {
            name: delivery.trail.name.value.clone(),
            arn: delivery.arn.clone(),
            multi_region: delivery.trail.home_region.is_some(),
            organization: delivery.trail.organization,
            organization_id: delivery.organization_id(map),
            bucket: bucket.clone(),
            bucket_account: delivery.reader.to_owned(),
            bucket_region: delivery.region.to_owned(),
            prefix: delivery.trail.prefix.to_owned(),
            kms_key_arn: delivery.key().map(|(arn, _)| arn.to_owned()),
            log_file_validation: delivery.trail.log_file_validation,
            management_events: delivery.trail.management_events,
            excluded_event_sources: delivery.trail.excluded_event_sources.clone(),
            insights: delivery.trail.insights.clone(),
            log_group: log_group(delivery, accounts),
            topic: topic(delivery, accounts),
            adopt: delivery.trail.exists_in(delivery.writer),
            log_bucket_events: words
                .iter()
                .filter(|_| !log_objects.is_empty())
                .map(|what| OfLogBuckets { what: *what, arns: log_objects.clone() })
                .collect(),
            data_events_exclude: delivery.trail.s3_data_events.then_some(log_objects),
        };
        judge_key(delivery, &lacking, bucket, findings);
        let home = writer
            .and_then(|writer| accounts[writer].placements.iter_mut().find(|placement| placement.region == delivery.region));
        if let Some(placement) = home {
            placement.trails.push(trail);
        }
    }
    quotas(map, deliveries, findings);
}

/// The id of the account that has a trail, and the partition.
fn home<'a>(delivery: &Delivery<'_>, accounts: &'a [Account]) -> Option<(Partition, &'a str)> {
    let writer = super::position(accounts, delivery.writer)?;
    Some((Partition::of_region(delivery.region), &accounts[writer].id))
}

fn log_group(delivery: &Delivery<'_>, accounts: &[Account]) -> Option<LogGroup> {
    let (group, role) = delivery.trail.log_group?;
    let (partition, account) = home(delivery, accounts)?;
    let region = delivery.region;
    Some(LogGroup {
        arn: format!("{}:*", arn::log_group(partition, region, account, group)),
        role_arn: arn::role(partition, account, role),
    })
}

fn topic(delivery: &Delivery<'_>, accounts: &[Account]) -> Option<Topic> {
    let name = delivery.trail.topic?.to_owned();
    let (partition, account) = home(delivery, accounts)?;
    let arn = if name.starts_with("arn:") { name.clone() } else { arn::topic(partition, delivery.region, account, &name) };
    Some(Topic { name, arn })
}

/// Beginnings of ARNs for a `StartsWith` or `NotStartsWith`, few enough for a selector: shorter ones where the list is too long.
fn within_selector(most: usize, mut arns: Vec<String>) -> Vec<String> {
    arns.sort();
    arns.dedup();
    while arns.len() > most {
        let longest = arns.iter().map(String::len).max().unwrap_or(0);
        for arn in &mut arns {
            if arn.len() == longest {
                arn.pop();
            }
        }
        arns.sort();
        arns.dedup();
    }
    arns
}

/// A trail's key must be in the Region of the bucket (CloudTrail API, CreateTrail: KmsKeyNotFoundException).
fn judge_key(delivery: &Delivery<'_>, lacking: &BTreeMap<&str, BTreeSet<&str>>, bucket: &str, findings: &mut Vec<Finding>) {
    let Some(key) = delivery.trail.kms_key else { return };
    let Some((text, span)) = delivery.key() else {
        let KmsKey::ByRegion(entries) = key else { return };
        let there: BTreeSet<&str> = entries.items.iter().map(|(region, _)| region.as_str()).collect();
        // all Regions that lack one, said once
        let Some(lacking) = lacking.get(delivery.trail.name.as_str()) else { return };
        if lacking.first() != Some(&delivery.region) {
            return;
        }
        let help = match there.is_empty() {
            true => "add one for each Region in which the trail is delivered".to_owned(),
            false => format!("there are keys for {}; add one for each Region in which the trail is delivered", list(there)),
        };
        findings.push(
            Finding::new(
                &KMS_KEY,
                entries.items.first().map_or(delivery.trail.name.span, |(region, _)| region.span),
                format!("the trail `{}` has no key for {}", delivery.trail.name.value, list(lacking.iter().copied())),
            )
            .help(help),
        );
        return;
    };
    let Some(arn) = arn::parse(text).filter(|arn| region::is_well_formed(arn.region)) else { return };
    if arn.region != delivery.region {
        findings.push(
            Finding::new(&KMS_KEY, span, format!("the key is in `{}`, the log bucket `{bucket}` is in `{}`", arn.region, delivery.region))
                .label("not the Region of the bucket")
                .related(home_region_span(delivery.trail), format!("the trail `{}` is delivered in `{}`", delivery.trail.name.value, delivery.region))
                .help("CloudTrail answers `KmsKeyNotFoundException`; use a key of that Region (a mapping from Region to ARN gives each Region its own)"),
        );
    }
}

/// The Regions of each trail, by its name, for which it has no key though it has keys by Region.
fn keys_lacking<'m>(deliveries: &[Delivery<'m>]) -> BTreeMap<&'m str, BTreeSet<&'m str>> {
    let mut lacking: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for delivery in deliveries.iter().filter(|delivery| delivery.trail.kms_key.is_some() && delivery.key().is_none()) {
        lacking.entry(delivery.trail.name.as_str()).or_default().insert(delivery.region);
    }
    lacking
}

/// Five trails in a Region, multi-Region and organization trails counted everywhere.
fn quotas(map: &EffectiveMap<'_>, deliveries: &[Delivery<'_>], findings: &mut Vec<Finding>) {
    let by_account = by_account(deliveries);
    // so many trails of an organization are far too many, and each account is judged with all of them
    let of_organization: Vec<&Delivery<'_>> = deliveries.iter().filter(|d| d.trail.organization).take(1_000).collect();
    for account in map.accounts.values() {
        let key = account.key.as_str();
        let own = by_account.get(key).into_iter().flatten().filter(|d| d.writer == key && !d.trail.organization);
        let shared = of_organization
            .iter()
            .filter(|d| d.writer == key || account.partition().is_none_or(|p| p == Partition::of_region(d.region)));
        let touching: Vec<&Delivery<'_>> = own.chain(shared).copied().collect();
        let regions: BTreeSet<&str> = touching.iter().map(|d| d.region).chain(account.regions.keys().copied()).collect();
        for region in regions {
            let here: Vec<&&Delivery<'_>> =
                touching.iter().filter(|d| d.region == region || d.trail.home_region.is_some()).collect();
            if here.len() < limits::TRAILS_PER_REGION {
                continue;
            }
            let names = || here.iter().map(|d| d.trail.name.span);
            let (Some(first), Some(last)) = (names().min(), names().max()) else { continue };
            let (rule, message) = if here.len() > limits::TRAILS_PER_REGION {
                (
                    &TRAIL_QUOTA,
                    format!(
                        "the account `{}` would have {} trails in `{region}`; {} are allowed",
                        account.key.value,
                        here.len(),
                        limits::TRAILS_PER_REGION
                    ),
                )
            } else {
                (
                    &TRAIL_QUOTA_REACHED,
                    format!("the account `{}` has {} trails in `{region}`, all that are allowed", account.key.value, here.len()),
                )
            };
            findings.push(
                Finding::new(rule, last, message)
                    .related(first, "the first of them")
                    .help("multi-Region and organization trails count in every Region, and the quota can't be raised; CloudTrail answers `MaximumNumberOfTrailsExceededException`"),
            );
            break;
        }
    }
}

/// Accounts whose buckets take others' trails, or copies from others, come first; `copies` says who copies to whom. A circle is reported, and its accounts follow in order.
pub(crate) fn apply_order(
    map: &EffectiveMap<'_>,
    accounts: &[Account],
    deliveries: &[Delivery<'_>],
    copies: &[(&str, &str)],
    findings: &mut Vec<Finding>,
) -> Vec<String> {
    let mut waits: BTreeMap<&str, BTreeSet<&str>> =
        accounts.iter().map(|account| (account.key.as_str(), BTreeSet::new())).collect();
    let mut behind: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let trails = deliveries.iter().map(|delivery| (delivery.writer, delivery.reader));
    for (writer, reader) in trails.chain(copies.iter().copied()) {
        if writer == reader || super::position(accounts, reader).is_none() {
            continue;
        }
        if let Some(readers) = waits.get_mut(writer) {
            readers.insert(reader);
            behind.entry(reader).or_default().push(writer);
        }
    }
    let mut ready: BTreeSet<&str> = waits.iter().filter(|(_, readers)| readers.is_empty()).map(|(key, _)| *key).collect();
    let mut order: Vec<String> = Vec::new();
    while !waits.is_empty() {
        let next = ready.pop_first().unwrap_or_else(|| {
            let stuck = waits.keys().next().copied().unwrap_or_default();
            let others = waits.get(stuck).cloned().unwrap_or_default();
            let copies = copies.iter().any(|(from, _)| *from == stuck);
            let what = if copies { "delivers trails or copies logs to" } else { "delivers trails to" };
            let message =
                format!("the account `{stuck}` {what} {}, and one of theirs comes back to it", list(others.iter().copied()));
            findings.push(
                Finding::new(&CIRCLE, map.accounts.get(stuck).map_or(Span::default(), |account| account.key.span), message)
                    .help("no order of accounts has every bucket ready before the trails that need it: apply twice, or deliver all trails to one account"),
            );
            stuck
        });
        waits.remove(next);
        for writer in behind.get(next).into_iter().flatten() {
            let readers = waits.get_mut(writer);
            if readers.is_some_and(|readers| readers.remove(next) && readers.is_empty()) {
                ready.insert(writer);
            }
        }
        order.push(next.to_owned());
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{document, map, source::SourceFile};
    use std::fmt::Write;

    #[test]
    fn trails_in_more_accounts_than_anybody_has_are_left_out_with_a_finding() {
        let mut text = "version: 1\norganization: { name: acme }\naccounts:\n".to_owned();
        for number in 0..1_000 {
            let _ =
                writeln!(text, "  a{number}: {{ id: \"{number:012}\", regions: {{ us-east-1: {{ buckets: [b{number}-x] }} }} }}");
        }
        text += "trails:\n";
        (0..200).for_each(|number| text += &format!("  trail-{number:03}: {{ home_region: us-east-1 }}\n"));
        let document = document::read(&SourceFile::new("logmap.yaml", text), &mut Vec::new());
        let map = map::decode(&document, &mut Vec::new());
        let map = effective::effective_map(&map);
        let trails: Vec<_> = map.trails.values().map(|trail| trail.accounts.as_ptr()).collect();
        assert!(trails.windows(2).all(|two| two[0] == two[1]), "the accounts are listed once for all trails");
        let mut findings = Vec::new();
        assert_eq!(deliveries(&map, &mut findings).len(), MOST_DELIVERIES);
        let messages: Vec<&str> = findings.iter().map(|finding| finding.message.as_str()).collect();
        assert_eq!(messages, ["with the trail `trail-150` the map has more than 150000 trails in its accounts"]);
    }
}
