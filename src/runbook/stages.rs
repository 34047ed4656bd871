//! Stages: the way from one plan to another as five whole plans, each of which could be applied as it stands.
//!
//! | stage | log buckets | sources and trails |
//! | --- | --- | --- |
//! | old | of the old map | of the old map |
//! | granted | of both; what both have lets in the old and the new | of the old map |
//! | switched | the same | of the new map |
//! | narrowed | new policies; those that retire take nothing | the same |
//! | retired | new lifecycles too | the same |
//!
//! Takes two plans. The steps are the differences between neighbouring stages, placement by placement; Terraform and CloudFormation
//! render the stages themselves.

use super::{
    blend::{BucketPlacement, bare, blend, lifecycle},
    stage::{ByStage, Stage},
};
use crate::{
    aws::{Partition, limits},
    plan::{
        Account, LogBucket, Placement, Plan, Source, Trail,
        monitoring::{self, Monitoring},
        prove::{Proven, proven},
    },
};
use std::collections::{BTreeMap, BTreeSet};

/// The stages, and what to know about them.
#[derive(Debug)]
pub struct Stages {
    /// An account has one key in all of them: its new one, if it has one.
    pub plans: ByStage<Proven>,
    /// What is wider or different for the time between the maps.
    pub notes: Vec<String>,
    /// ARNs of old trails that have to go before new ones can be made: same name, or no room.
    pub in_the_way: BTreeSet<String>,
    /// Old keys of accounts that are known by another one in the stages, by that one.
    pub renamed_accounts: BTreeMap<String, String>,
}

/// What the stages are made from.
struct Maker<'a> {
    old: &'a Plan,
    new: &'a Plan,
    pairs: Vec<AccountPair<'a>>,
    in_the_way: BTreeSet<String>,
}

/// An account in the old map, the new map or both.
struct AccountPair<'a> {
    key: String,
    old: Option<&'a Account>,
    new: Option<&'a Account>,
}

/// Makes the stages, or says why there are none.
pub(super) fn stages(old: &Plan, new: &Plan) -> Result<Stages, Vec<String>> {
    let pairs = pairs(old, new);
    let maker = Maker { in_the_way: in_the_way(old, new, &pairs), old, new, pairs };
    let (mut notes, mut problems) = (Vec::new(), Vec::new());
    let plans = ByStage::of(|stage| maker.plan(stage, &mut notes, &mut problems));
    notes.extend(monitoring(&plans[Stage::Old], &plans[Stage::Retired]));
    problems.sort();
    problems.dedup();
    if !problems.is_empty() {
        return Err(problems);
    }
    let renamed_accounts = maker
        .pairs
        .iter()
        .filter_map(|pair| Some((pair.key.clone(), pair.old?.key.clone())))
        .filter(|(new, old)| new != old)
        .collect();
    // a stage is a plan of its own, so the proofs of the two maps say nothing of it
    let plans = plans.try_map(proven).map_err(|unproven| vec![unproven.to_string()])?;
    Ok(Stages { plans, notes, renamed_accounts, in_the_way: maker.in_the_way })
}

/// What the steps' scripts leave alone: what is published and watched. The stages carry it.
fn monitoring(old: &Plan, new: &Plan) -> Vec<String> {
    let mut notes = Vec::new();
    let monitored = |plan: &'_ Plan| plan.placements().any(|(_, placement)| !placement.monitoring.is_empty());
    if monitored(old) || monitored(new) {
        notes.push("the steps leave parameters, alerts and AWS Config rules as they are: the stages carry them, and the new map's scripts set them once the phase retire is done".to_owned());
    }
    for (account, placement) in new.placements() {
        let before = old.placements().find(|(other, was)| (&other.id, &was.region) == (&account.id, &placement.region));
        let was = |name: &str| before.and_then(|(_, was)| was.monitoring.parameters().find(|(was, _)| was.name == name));
        for (parameter, _) in placement.monitoring.parameters() {
            if was(&parameter.name).is_none_or(|(was, _)| was.value == parameter.value) {
                continue;
            }
            // a name needs no quotes, and JSON is no word of a shell
            let plain = parameter.value.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
            notes.push(match plain {
                true => format!(
                    "the parameter `{}` names another log bucket in `{}` of `{}`: right after the phase switch run `aws ssm put-parameter --region {} --name={} --type String --overwrite --value {}` there, so that nobody is sent to the old one",
                    parameter.name, placement.region, account.key, placement.region, parameter.name, parameter.value
                ),
                false => format!(
                    "the parameter `{}` says other things of logging in `{}` of `{}`: right after the phase switch give it the value that the new map's targets have, so that nobody sets what the old one says",
                    parameter.name, placement.region, account.key
                ),
            });
        }
    }
    notes
}

/// Accounts by id, in the order in which to apply.
fn pairs<'a>(old: &'a Plan, new: &'a Plan) -> Vec<AccountPair<'a>> {
    let mut pairs: Vec<AccountPair<'a>> = new
        .apply_order
        .iter()
        .filter_map(|key| new.account(key))
        .map(|account| AccountPair {
            key: account.key.clone(),
            old: old.accounts.iter().find(|other| other.id == account.id),
            new: Some(account),
        })
        .collect();
    for account in old.apply_order.iter().filter_map(|key| old.account(key)) {
        if !pairs.iter().any(|pair| pair.old.is_some_and(|other| other.id == account.id)) {
            // a key that now stands for another account
            let taken = new.accounts.iter().any(|other| other.key == account.key);
            let key = if taken { format!("{}-{}", account.key, account.id) } else { account.key.clone() };
            pairs.push(AccountPair { key, old: Some(account), new: None });
        }
    }
    pairs
}

/// Trails of an account with their home Region.
fn trails(account: &Account) -> impl Iterator<Item = (&str, &Trail)> {
    account.placements.iter().flat_map(|placement| placement.trails.iter().map(|trail| (placement.region.as_str(), trail)))
}

fn in_the_way(old: &Plan, new: &Plan, pairs: &[AccountPair<'_>]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let everywhere = |plan: &'_ Plan| -> Vec<Trail> {
        plan.accounts.iter().flat_map(trails).filter(|(_, trail)| trail.organization).map(|(_, trail)| trail.clone()).collect()
    };
    let organization: BTreeSet<String> = everywhere(old).into_iter().chain(everywhere(new)).map(|trail| trail.arn).collect();
    for pair in pairs {
        let (was, is): (Vec<_>, Vec<_>) =
            (pair.old.into_iter().flat_map(trails).collect(), pair.new.into_iter().flat_map(trails).collect());
        let leaves = |trail: &Trail| !is.iter().any(|(_, other)| other.arn == trail.arn);
        let comes = |trail: &Trail| !was.iter().any(|(_, other)| other.arn == trail.arn);
        for (_, trail) in was.iter().filter(|(_, trail)| leaves(trail)) {
            let rival = |other: &Trail| comes(other) && other.name == trail.name && (other.multi_region || trail.multi_region);
            if is.iter().any(|(_, other)| rival(other)) {
                found.insert(trail.arn.clone());
            }
        }
        // a trail of all Regions takes room in each of them
        let regions: BTreeSet<&str> = was.iter().chain(&is).map(|(region, _)| *region).collect();
        let crowded = regions.iter().any(|region| {
            let here: BTreeSet<&str> = was
                .iter()
                .chain(&is)
                .filter(|(home, trail)| home == region || trail.multi_region)
                .map(|(_, trail)| trail.arn.as_str())
                .chain(organization.iter().map(String::as_str))
                .collect();
            here.len() > limits::TRAILS_PER_REGION && is.iter().any(|(_, trail)| comes(trail))
        });
        if crowded {
            found.extend(was.iter().filter(|(_, trail)| leaves(trail)).map(|(_, trail)| trail.arn.clone()));
        }
    }
    found
}

impl<'a> Maker<'a> {
    fn plan(&self, stage: Stage, notes: &mut Vec<String>, problems: &mut Vec<String>) -> Plan {
        // in an account that is closed by now nothing can be done, and its log buckets go with it
        let closed = |pair: &AccountPair<'_>| pair.old.is_some_and(|account| self.new.closed.contains(&account.id));
        let accounts = self.pairs.iter().filter(|pair| !closed(pair)).filter_map(|pair| {
            let shell = pair.new.or(pair.old)?;
            let regions: BTreeSet<&str> = pair
                .old
                .into_iter()
                .chain(pair.new)
                .flat_map(|account| &account.placements)
                .map(|placement| placement.region.as_str())
                .collect();
            let placements = regions.into_iter().map(|region| self.placement(stage, pair, region, notes, problems));
            Some(Account {
                key: pair.key.clone(),
                // whoever may act in the account is said by the new map
                role_arn: shell.role_arn.clone(),
                profile: shell.profile.clone(),
                id: shell.id.clone(),
                partition: shell.partition,
                placements: placements
                    .filter(|placement| {
                        !(placement.buckets.is_empty() && placement.sources.is_empty() && placement.trails.is_empty())
                    })
                    .collect(),
            })
        });
        let mut accounts: Vec<Account> = accounts.collect();
        let map = if stage == Stage::Old { self.old } else { self.new };
        // what is copied needs the archive
        let archive = map.archive.as_ref().map(|central| central.account_id.as_str());
        let (first, others): (Vec<&Account>, Vec<&Account>) =
            accounts.iter().partition(|account| Some(account.id.as_str()) == archive);
        let apply_order = first.into_iter().chain(others).map(|account| account.key.clone()).collect();
        accounts.sort_by(|a, b| a.key.cmp(&b.key));
        monitoring::fill(&mut accounts, &map.monitoring);
        Plan {
            monitoring: map.monitoring.clone(),
            accounts,
            apply_order,
            render: map.render.clone(),
            key_policies: map.key_policies.clone(),
            closed: map.closed.clone(),
            guardrail_settings: None,
            archive: map.archive.clone(),
            bus: map.bus.clone(),
            management_account: map.management_account.clone(),
            guardrails: Vec::new(),
            central: map.central.clone(),
            targets: map.targets.clone(),
        }
    }

    fn placement(
        &self,
        stage: Stage,
        pair: &AccountPair<'a>,
        region: &str,
        notes: &mut Vec<String>,
        problems: &mut Vec<String>,
    ) -> Placement {
        let of = |account: Option<&'a Account>| {
            account.and_then(|account| account.placements.iter().find(|placement| placement.region == region))
        };
        let (old, new) = (of(pair.old), of(pair.new));
        let partition = pair.new.or(pair.old).map_or(Partition::Aws, |account| account.partition);
        let logs_as = if stage.is_before_the_switch() { old } else { new };
        let sources = logs_as.map_or(Vec::new(), |placement| placement.sources.clone());
        let account_id = pair.new.or(pair.old).map_or("", |account| &account.id);
        let mut buckets = self.buckets(stage, BucketPlacement { partition, account_id, region }, old, new, notes, problems);
        // the targets write one destination for the sources of a placement
        let target = logs_as.and_then(Placement::access_log_bucket);
        let target = target.or(old.and_then(Placement::access_log_bucket)).or(new.and_then(Placement::access_log_bucket));
        for bucket in &mut buckets {
            bucket.takes_access_logs = target.is_some_and(|target| target.name == bucket.name);
        }
        Placement {
            region: region.to_owned(),
            buckets,
            sources,
            trails: self.trails(stage, old, new),
            function_vpc: new.or(old).and_then(|placement| placement.function_vpc.clone()),
            replication_role: new.or(old).and_then(|placement| placement.replication_role.clone()),
            vended: None,
            monitoring: Monitoring::default(),
        }
    }

    fn buckets(
        &self,
        stage: Stage,
        at: BucketPlacement<'_>,
        old: Option<&Placement>,
        new: Option<&Placement>,
        notes: &mut Vec<String>,
        problems: &mut Vec<String>,
    ) -> Vec<LogBucket> {
        let (was, is) =
            (old.map_or(&[][..], |placement| &placement.buckets), new.map_or(&[][..], |placement| &placement.buckets));
        if stage == Stage::Old {
            return was.to_vec();
        }
        let senders = |placement: Option<&Placement>, bucket: &LogBucket| -> Vec<Source> {
            placement.map_or(Vec::new(), |placement| {
                placement.sources.iter().filter(|source| *source.log_bucket == bucket.name).cloned().collect()
            })
        };
        let mut buckets = Vec::new();
        let mut keep = |result: Result<LogBucket, String>| match result {
            Ok(bucket) => buckets.push(bucket),
            Err(problem) => problems.push(problem),
        };
        for bucket in is {
            let Some(before) = was.iter().find(|other| other.name == bucket.name) else {
                keep(Ok(bucket.clone()));
                continue;
            };
            keep(match stage {
                Stage::Old | Stage::Granted | Stage::Switched => {
                    let (old_senders, new_senders) = (senders(old, before), senders(new, bucket));
                    blend(at, (before, &old_senders), (bucket, &new_senders)).map(|blended| {
                        if stage == Stage::Granted {
                            notes.extend(blended.notes);
                        }
                        blended.bucket
                    })
                }
                Stage::Narrowed => Ok(LogBucket { lifecycle: lifecycle(&before.lifecycle, &bucket.lifecycle), ..bucket.clone() }),
                Stage::Retired => Ok(bucket.clone()),
            });
        }
        for bucket in was.iter().filter(|bucket| !is.iter().any(|other| other.name == bucket.name)) {
            keep(if stage < Stage::Narrowed { Ok(bucket.clone()) } else { bare(at, bucket) });
        }
        buckets
    }

    fn trails(&self, stage: Stage, old: Option<&Placement>, new: Option<&Placement>) -> Vec<Trail> {
        let (was, is) = (old.map_or(&[][..], |placement| &placement.trails), new.map_or(&[][..], |placement| &placement.trails));
        let both = |trail: &Trail, others: &[Trail]| -> Option<Vec<String>> {
            let mut all = trail.data_events_exclude.clone()?;
            let other = others.iter().find(|other| other.arn == trail.arn)?.data_events_exclude.clone()?;
            all.extend(other);
            all.sort();
            all.dedup();
            // ten values are taken by categories and types
            (all.len() <= limits::SELECTOR_VALUES - 10).then_some(all)
        };
        let wider = |trail: &Trail, others: &[Trail]| Trail {
            data_events_exclude: both(trail, others).or(trail.data_events_exclude.clone()),
            ..trail.clone()
        };
        let mut trails: Vec<Trail> = match stage {
            Stage::Old => was.to_vec(),
            Stage::Granted => was.iter().map(|trail| wider(trail, is)).collect(),
            Stage::Switched => is.iter().map(|trail| wider(trail, was)).collect(),
            Stage::Narrowed | Stage::Retired => is.to_vec(),
        };
        if stage.is_before_the_switch() {
            // an old trail speaks of accounts by their old keys
            for trail in &mut trails {
                let id = self.old.account(&trail.bucket_account).map(|account| account.id.as_str());
                let pair = self.pairs.iter().find(|pair| pair.old.is_some_and(|account| Some(account.id.as_str()) == id));
                trail.bucket_account = pair.map_or_else(|| trail.bucket_account.clone(), |pair| pair.key.clone());
            }
        }
        trails.sort_by(|a, b| a.name.cmp(&b.name));
        trails
    }
}
