//! Which rules hear anything: EventBridge sees calls only where a trail records them. And what else only the plan shows.

use super::{Account, Alerts, bus, key_arns, rules::S3_OBJECTS};
use crate::{
    aws::{Partition, arn, parameter},
    diagnostics::Finding,
    map::{AlsoWatched, KmsKey, LogBucketEvents, ManagementEvents, effective::EffectiveMap},
    plan::Trail,
    rules::monitoring::{ALERTS_WITHOUT_TRAIL, CONFIG_RULE_REGION, KEY_NOT_WATCHED, PARAMETER_VALUE},
};
use std::collections::{BTreeMap, BTreeSet};

impl Alerts {
    /// True if no rule hears anything.
    pub fn is_silent(&self) -> bool {
        !self.rules.is_empty() && self.silent.len() == self.rules.len()
    }
}

/// Finds the rules that hear nothing.
pub(super) fn listen(accounts: &mut [Account]) {
    let recorded = Recorded::of(accounts);
    let mut found = Vec::new();
    for account in accounts.iter() {
        for placement in &account.placements {
            let rules = placement.monitoring.alerts.iter().flat_map(|alerts| &alerts.rules);
            let silent =
                rules.filter(|rule| !recorded.trails(account, &placement.region).any(|trail| hears(trail, rule.service)));
            found.push(silent.map(|rule| rule.name.clone()).collect::<Vec<String>>());
        }
    }
    let placements = accounts.iter_mut().flat_map(|account| &mut account.placements);
    for (placement, silent) in placements.zip(found) {
        if let Some(alerts) = &mut placement.monitoring.alerts {
            alerts.silent = silent;
        }
    }
}

/// The accounts and Regions whose alerts stay silent: no trail of the map records what they are about.
pub(crate) fn silent(accounts: &[Account]) -> BTreeSet<(&str, &str)> {
    let all = accounts.iter().flat_map(|account| account.placements.iter().map(move |placement| (account, placement)));
    let silent = all.filter(|(_, placement)| placement.monitoring.alerts.as_ref().is_some_and(Alerts::is_silent));
    silent.map(|(account, placement)| (account.key.as_str(), placement.region.as_str())).collect()
}

/// Reports what only the plan shows: Regions without the Config rule, and accounts whose changes no trail records.
pub(crate) fn check(map: &EffectiveMap<'_>, accounts: &[Account], findings: &mut Vec<Finding>) {
    check_keys(map, accounts, findings);
    bus::check_bus(map, accounts, findings);
    let recorded = Recorded::of(accounts);
    for account in accounts {
        let Some(effective) = map.accounts.get(account.key.as_str()) else { continue };
        let span = |region: &str| effective.regions.get(region).map_or(effective.key.span, |region| region.span);
        let mut silent: Vec<&str> = Vec::new();
        for placement in &account.placements {
            if map.monitoring.config_rule && placement.access_log_bucket().is_some() && placement.monitoring.config_rule.is_none()
            {
                findings.push(
                    Finding::new(
                        &CONFIG_RULE_REGION,
                        span(&placement.region),
                        format!("AWS Config is not known to have the rule `S3_BUCKET_LOGGING_ENABLED` in `{}`", placement.region),
                    )
                    .help("the rule is left out there; everything else is rendered, and `--verify` and `logmap check` compare targets"),
                );
            }
            if let Some(parameter) = placement
                .monitoring
                .logging_parameter
                .as_ref()
                .filter(|parameter| parameter.value.chars().count() > parameter::VALUE_CHARS)
            {
                findings.push(
                    Finding::new(
                        &PARAMETER_VALUE,
                        span(&placement.region),
                        format!(
                            "the parameter `{}` would have {} characters in `{}`, and a parameter has at most {}",
                            parameter.name,
                            parameter.value.chars().count(),
                            placement.region,
                            parameter::VALUE_CHARS
                        ),
                    )
                    .help("give sources with `logging: external` the prefix and the key format of the others, or leave `ssm_logging_parameter` out"),
                );
            }
            if placement.monitoring.alerts.as_ref().is_some_and(Alerts::is_silent) {
                silent.push(&placement.region);
            }
        }
        let Some(first) = silent.first() else { continue };
        // trails that are there and leave this out are the way out
        let deaf: BTreeMap<&str, &Trail> =
            silent.iter().flat_map(|region| recorded.trails(account, region)).map(|trail| (trail.name.as_str(), trail)).collect();
        let mut finding = Finding::new(
            &ALERTS_WITHOUT_TRAIL,
            span(first),
            format!(
                "no alert comes from {} of `{}`: no trail of the map records there who changes what",
                crate::diagnostics::list(silent),
                account.key
            ),
        )
        .help("EventBridge sees API calls only where a trail records write management events: give the account a trail with `coverage: multi-region`, or an organization trail; one that is not in the map does as well");
        for (name, trail) in deaf {
            let at = map.trails.get(name).map_or(effective.key.span, |trail| trail.name.span);
            finding = finding
                .related(at, format!("`{name}` records no writes: `management_events: {}`", trail.management_events.word()));
        }
        findings.push(finding);
    }
}

/// Reports keys that nothing watches, although the map asks for it: in a place without alerts, or behind an alias.
fn check_keys(map: &EffectiveMap<'_>, accounts: &[Account], findings: &mut Vec<Finding>) {
    if map.monitoring.topic.is_none() || !map.monitoring.also.contains(&AlsoWatched::Keys) {
        return;
    }
    let watched = |id: &str, region: &str| {
        accounts.iter().any(|account| account.id == id && account.placements.iter().any(|placement| placement.region == region))
    };
    let in_use: BTreeSet<&str> = key_arns(accounts).collect();
    let written = map.trails.values().filter_map(|trail| trail.kms_key).flat_map(|key| match key {
        KmsKey::One(arn) => vec![arn],
        KmsKey::ByRegion(entries) => entries.items.iter().map(|(_, arn)| arn).collect(),
    });
    let mut told = BTreeSet::new();
    for key in written.filter(|key| in_use.contains(key.as_str())) {
        let Some(parsed) = arn::parse(key).filter(|_| told.insert(key.as_str())) else { continue };
        let finding = |message, help| Finding::new(&KEY_NOT_WATCHED, key.span, message).help(help);
        if !watched(parsed.account, parsed.region) {
            findings.push(finding(
                format!("no alert comes of this key: the map has nothing in `{}` of the account {}", parsed.region, parsed.account),
                "watch it where it is, by code of your own: `DisableKey`, `PutKeyPolicy` and `ScheduleKeyDeletion` of `kms.amazonaws.com`",
            ));
        } else if parsed.resource.starts_with("alias/") {
            findings.push(finding(
                "of an alias only what it stands for is watched, not the key behind it".to_owned(),
                "write the ARN of the key: `arn:…:key/…`; events of a key do not have its aliases",
            ));
        }
    }
}

/// Does a trail record the calls of a service that change something? All that is watched are writes.
fn hears(trail: &Trail, service: &str) -> bool {
    if service == S3_OBJECTS {
        return trail.log_bucket_events.iter().any(|events| events.what == LogBucketEvents::Deletes);
    }
    matches!(trail.management_events, ManagementEvents::All | ManagementEvents::WriteOnly)
        && !trail.excluded_event_sources.iter().any(|source| source.word().strip_suffix(".amazonaws.com") == Some(service))
}

/// The organization trails, with their partition and Region.
struct Recorded<'a>(Vec<(Partition, &'a str, &'a Trail)>);

impl<'a> Recorded<'a> {
    fn of(accounts: &'a [Account]) -> Self {
        let placements =
            accounts.iter().flat_map(|account| account.placements.iter().map(move |placement| (account.partition, placement)));
        let trails = placements.flat_map(|(partition, placement)| {
            placement.trails.iter().map(move |trail| (partition, placement.region.as_str(), trail))
        });
        Recorded(trails.filter(|(_, _, trail)| trail.organization).collect())
    }

    /// The trails of the map that are there for an account's events in a Region: its own and the organization's, of that Region or
    /// of all. What they record of them is another question.
    fn trails<'t>(&'t self, account: &'t Account, region: &'t str) -> impl Iterator<Item = &'t Trail> {
        let own = account
            .placements
            .iter()
            .flat_map(|placement| placement.trails.iter().map(|trail| (placement.region.as_str(), trail)));
        let organization = self.0.iter().filter(|(partition, _, _)| *partition == account.partition);
        own.chain(organization.map(|(_, home, trail)| (*home, *trail)))
            .filter(move |(home, trail)| trail.multi_region || *home == region)
            .map(|(_, trail)| trail)
    }
}
