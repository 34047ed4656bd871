//! The stages as trees of Terraform modules and CloudFormation templates: only what differs from the stage before.

use super::context;
use crate::{
    artifacts::Artifact,
    digest::digest,
    plan::{
        BucketRecord, LogBucket, Plan, Source, monitoring,
        prove::{Proven, proven},
    },
    render::{
        Filter, Sink, cloudformation,
        digests::Digests,
        targets,
        terraform::{called_module, label},
    },
    runbook::{ByStage, Runbook, Stage, Work},
};
use anyhow::Result;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// A stage that is a tree: folder, heading, and what to say of it.
const TREES: [(Stage, &str, &str, &str); 4] = [
    (Stage::Granted, "1-grant", "Make and grant", "It takes the place of the phases create and grant."),
    (
        Stage::Switched,
        "2-switch",
        "Switch",
        "It takes the place of the phases clear, switch and release; before it come recreate and its owners.",
    ),
    (Stage::Narrowed, "3-narrow", "Narrow", "It takes the place of the phase narrow; before it come verify and drain."),
    (
        Stage::Retired,
        "4-forget",
        "Settle",
        "After the phase retire: the new map's lifecycle rules, and the modules and stacks forget the old log buckets, which stay.",
    ),
];

/// A stage in the Markdown.
#[derive(Debug, Serialize)]
pub(super) struct StageContext {
    folder: &'static str,
    title: &'static str,
    /// What it is for.
    about: &'static str,
    /// Phases to run after it: they find nothing to change, and record that it is done.
    phases: Vec<&'static str>,
    /// Account keys of modules that change, in the order in which to apply.
    modules: Vec<String>,
    /// Stacks that change, in that order.
    stacks: Vec<Stack>,
}

/// A stack that changes.
#[derive(Debug, Serialize)]
struct Stack {
    account: String,
    region: String,
    /// Stack name.
    name: String,
    /// Path of the template below the stage.
    file: String,
    /// What it has to be allowed.
    capability: &'static str,
}

/// A source's logging that the module of its old place must forget before the bucket is deleted there.
#[derive(Debug, Serialize)]
pub(super) struct Forget {
    module: String,
    address: String,
}

/// Path → artifact of everything that the two targets make of some accounts of a plan.
fn tree(plan: &Proven, map_name: &str, retired: &[BucketRecord], filter: &Filter) -> Result<BTreeMap<String, Artifact>> {
    let mut found = BTreeMap::new();
    if filter.accounts.is_empty() {
        return Ok(found);
    }
    let digests = Digests::of(plan);
    let cx = context(&digests, map_name, filter, retired);
    let mut sink = |artifact: Artifact| {
        if !artifact.path.starts_with("cloudformation/stacksets/") {
            found.insert(artifact.path.clone(), artifact);
        }
        Ok(())
    };
    targets::modules(&cx, &mut sink)?;
    cloudformation::render(&cx, &mut sink)?;
    Ok(found)
}

/// The last plan without the log buckets that retire, and those.
fn settled(book: &Runbook) -> Result<(Proven, Vec<BucketRecord>)> {
    let stays = |sources: &[Source], bucket: &LogBucket| {
        !bucket.basis.trails.is_empty() || sources.iter().any(|source| *source.log_bucket == bucket.name)
    };
    let mut plan = Plan::clone(book.stages.last());
    let retired = plan
        .placements()
        .flat_map(|(account, placement)| {
            let gone = placement.buckets.iter().filter(|bucket| !stays(&placement.sources, bucket));
            gone.map(|bucket| BucketRecord::of(account, &placement.region, bucket))
        })
        .collect();
    for account in &mut plan.accounts {
        for placement in &mut account.placements {
            placement.buckets.retain(|bucket| stays(&placement.sources, bucket));
        }
        account
            .placements
            .retain(|placement| !(placement.buckets.is_empty() && placement.sources.is_empty() && placement.trails.is_empty()));
    }
    monitoring::fill(&mut plan.accounts, &plan.monitoring);
    Ok((proven(plan)?, retired))
}

/// Keys of the accounts that are not the same in all plans: the others' modules and stacks need not be rendered to be known as
/// equal, but for tables of Athena, which tell of other accounts.
fn changing(plans: &ByStage<&Proven>) -> Vec<String> {
    let mut seen: BTreeMap<&str, (usize, BTreeSet<String>)> = BTreeMap::new();
    for (_, plan) in plans.iter() {
        for account in &plan.accounts {
            let (count, digests) = seen.entry(&account.key).or_default();
            *count += 1;
            digests.insert(digest(account));
        }
    }
    let settings: BTreeSet<String> = plans.iter().map(|(_, plan)| digest(&plan.render)).collect();
    let all = settings.len() > 1 || plans.iter().any(|(_, plan)| plan.render.glue);
    let changes = |(count, digests): &(usize, BTreeSet<String>)| all || *count < Stage::ALL.len() || digests.len() > 1;
    seen.into_iter().filter(|(_, seen)| changes(seen)).map(|(key, _)| key.to_owned()).collect()
}

/// Writes the stages; gives what the Markdown says of them.
pub(super) fn render(book: &Runbook, map_name: &str, sink: &mut Sink<'_>) -> Result<Vec<StageContext>> {
    let (last, retired) = settled(book)?;
    let plans = ByStage::of(|stage| if stage == Stage::Retired { &last } else { &book.stages.plans[stage] });
    let filter = Filter { accounts: changing(&plans), regions: Vec::new() };
    let mut before = tree(plans[Stage::Old], map_name, &[], &filter)?;
    let mut contexts = Vec::new();
    for (stage, folder, title, about) in TREES {
        let plan = plans[stage];
        let now = tree(plan, map_name, if stage == Stage::Retired { &retired } else { &[] }, &filter)?;
        let differs = |path: &&String| before.get(*path) != now.get(*path);
        let part = |path: &str, at: usize| path.split('/').nth(at).unwrap_or_default().to_owned();
        let modules: BTreeSet<String> = now
            .keys()
            .chain(before.keys())
            .filter(differs)
            .filter(|path| path.starts_with("terraform/"))
            .map(|path| part(path, 1))
            .collect();
        let stacks: BTreeSet<(String, String)> = now
            .keys()
            .filter(differs)
            .filter(|path| path.starts_with("cloudformation/") && path.ends_with(".yaml"))
            .map(|path| (part(path, 1), part(path, 2).trim_end_matches(".yaml").to_owned()))
            .collect();
        // what belongs to a stack has its name up to the first dot
        let stem = |path: &str| part(path, 2).split('.').next().unwrap_or_default().to_owned();
        let wanted = |path: &str| match path.starts_with("cloudformation/") {
            true => stacks.contains(&(part(path, 1), stem(path))),
            false => modules.contains(&part(path, 1)),
        };
        for artifact in now.values().filter(|artifact| wanted(&artifact.path)) {
            sink(Artifact { path: format!("stages/{folder}/{}", artifact.path), ..artifact.clone() })?;
        }
        let order = |account: &String| plan.apply_order.iter().position(|key| key == account);
        let mut modules: Vec<String> = modules.into_iter().collect();
        modules.sort_by_key(|account| order(account));
        let mut stacks: Vec<Stack> = stacks
            .into_iter()
            .map(|(account, file)| {
                let (region, name) = match file.split_once("-sources-") {
                    Some((region, number)) => (region.to_owned(), format!("logmap-sources-{number}")),
                    None => (file.clone(), "logmap".to_owned()),
                };
                let capability = book.stages.last().render.capability();
                Stack { file: format!("cloudformation/{account}/{file}.yaml"), account, region, name, capability }
            })
            .collect();
        let archive = |stack: &Stack| {
            let placements = plan.account(&stack.account).map_or(&[][..], |account| &account.placements);
            placements.iter().any(|placement| placement.region == stack.region && placement.has_archive())
        };
        stacks.sort_by(|a, b| {
            (order(&a.account), !archive(a), &a.region, &a.name).cmp(&(order(&b.account), !archive(b), &b.region, &b.name))
        });
        if !modules.is_empty() || !stacks.is_empty() {
            let works: &[Work] = match stage {
                Stage::Granted => &[Work::Create, Work::Grant],
                Stage::Switched => &[Work::Clear, Work::Switch, Work::Release],
                Stage::Narrowed => &[Work::Narrow],
                Stage::Old | Stage::Retired => &[],
            };
            let phases = works.iter().filter(|work| book.steps.iter().any(|step| step.work == **work)).map(|work| work.word());
            contexts.push(StageContext { folder, title, about, phases: phases.collect(), modules, stacks });
        }
        before = now;
    }
    Ok(contexts)
}

/// Addresses that Terraform must forget before a bucket is deleted: it would look for it in a Region where it no longer is.
pub(super) fn forget(book: &Runbook) -> Vec<Forget> {
    let moved = book.steps.iter().filter(|step| step.work == Work::Recreate).flat_map(|step| &step.sources);
    moved
        .filter(|source| source.managed)
        .filter_map(|source| {
            let from = source.moved_from.as_ref()?;
            let module = if book.stages.plans[Stage::Old].render.modules { called_module(&from.region) } else { String::new() };
            let address = format!("{module}aws_s3_bucket_logging.{}[\"{}\"]", label(&from.region), source.name);
            Some(Forget { module: from.account.clone(), address })
        })
        .collect()
}
