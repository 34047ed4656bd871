//! Handing over: the resources of one root module go to another, because the account's key changes. `moved` does not cross
//! modules, so the old module forgets (`removed`) and the new one imports; AWS sees neither.

use super::context;
use crate::{
    artifacts::Artifact,
    plan::{Account, BucketRecord, Plan, prove::proven},
    render::{
        Filter, Sink,
        digests::Digests,
        engine::Engine,
        targets,
        terraform::{BUCKET_TYPES, label, monitoring_resources, trail_label},
    },
    runbook::{Runbook, Stage},
    tables::Catalog,
};
use anyhow::Result;
use serde::Serialize;

/// Template of the import blocks.
pub(super) const IMPORTS: &str = "runbook/hand-over.tf";
/// Template of the removed blocks.
pub(super) const FORGET: &str = "runbook/forget.tf";

/// A module that changes hands.
#[derive(Debug, Serialize)]
pub(super) struct Handover {
    old: String,
    new: String,
}

/// An import block.
#[derive(Debug, Serialize)]
struct Import {
    /// Alias of the provider, an identifier; empty with provider 6.
    provider: String,
    #[serde(rename = "type")]
    kind: &'static str,
    label: String,
    /// Key of the instance; empty for none.
    key: String,
    id: String,
}

/// An address to forget.
#[derive(Debug, Serialize)]
struct Address {
    #[serde(rename = "type")]
    kind: &'static str,
    label: String,
}

/// Writes both modules of each account that changes its key.
pub(super) fn render(book: &Runbook, engine: &Engine, map_name: &str, sink: &mut Sink<'_>) -> Result<Vec<Handover>> {
    let start = &book.stages.plans[Stage::Old];
    let mut found = Vec::new();
    // modules that roots call have addresses and a state of those; the root calls another folder, and nothing goes to another state
    if start.render.modules {
        return Ok(found);
    }
    for (new, old) in &book.stages.renamed_accounts {
        let Some(account) = start.account(new).filter(|account| !account.placements.is_empty()) else { continue };
        let mut put = |path: &str, text: String| sink(Artifact::file(format!("stages/0-hand-over/{path}"), text));
        put(
            &format!("terraform/{old}/forget.tf"),
            engine.render(FORGET, &serde_json::json!({ "addresses": addresses(account, start) }))?,
        )?;
        put(
            &format!("terraform/{new}/hand-over.tf"),
            engine.render(IMPORTS, &serde_json::json!({ "imports": imports(account, start) }))?,
        )?;
        let mut copy = |artifact: Artifact| put(&artifact.path.clone(), artifact.text);
        // the old module with nothing but what it forgets
        let retired: Vec<BucketRecord> = account
            .placements
            .iter()
            .flat_map(|placement| placement.buckets.iter().map(|bucket| BucketRecord::of(account, &placement.region, bucket)))
            .collect();
        let empty = Plan {
            accounts: vec![Account { key: old.clone(), placements: Vec::new(), ..account.clone() }],
            apply_order: vec![old.clone()],
            ..Plan::clone(start)
        };
        let empty = proven(empty)?;
        let filter = Filter::default();
        targets::modules(&context(&Digests::of(&empty), map_name, &filter, &retired), &mut copy)?;
        // the new one as the old map has it; what exists is imported, adopted or not
        let mut own = account.clone();
        for bucket in own.placements.iter_mut().flat_map(|placement| &mut placement.buckets) {
            bucket.adopt = None;
        }
        let mut whole = Plan { accounts: vec![own], apply_order: vec![new.clone()], ..Plan::clone(start) };
        whole.render.glue = false;
        let whole = proven(whole)?;
        targets::modules(&context(&Digests::of(&whole), map_name, &filter, &[]), &mut copy)?;
        found.push(Handover { old: old.clone(), new: new.clone() });
    }
    Ok(found)
}

/// What the buckets' own `removed` blocks don't cover.
fn addresses(account: &Account, plan: &Plan) -> Vec<Address> {
    let mut found = Vec::new();
    // their database is named after the account's key, so the new module makes its own; no log is in them
    for placement in account.placements.iter().filter(|placement| plan.render.glue && !placement.buckets.is_empty()) {
        let region = label(&placement.region);
        let tables = Catalog::of(plan).tables(account, placement);
        let labels: Vec<String> = tables.all().map(|(name, _)| format!("{region}_{name}")).collect();
        found.extend(labels.into_iter().map(|label| Address { kind: "aws_glue_catalog_table", label }));
        found.push(Address { kind: "aws_glue_catalog_database", label: region });
    }
    for placement in &account.placements {
        if placement.sources.iter().any(|source| source.managed) {
            found.push(Address { kind: "aws_s3_bucket_logging", label: label(&placement.region) });
        }
        found.extend(
            placement
                .trails
                .iter()
                .map(|trail| Address { kind: "aws_cloudtrail", label: trail_label(&trail.name, &placement.region) }),
        );
        found.extend(monitoring_resources(placement).into_iter().map(|(kind, label, _)| Address { kind, label }));
    }
    found
}

fn imports(account: &Account, plan: &Plan) -> Vec<Import> {
    let by_region = !plan.render.aliased_providers;
    let mut found = Vec::new();
    for placement in &account.placements {
        let mut add = |kind: &'static str, label_of: String, key: &str, id: &str| {
            found.push(Import {
                provider: if by_region { String::new() } else { label(&placement.region) },
                kind,
                label: label_of,
                key: key.to_owned(),
                id: if by_region { format!("{id}@{}", placement.region) } else { id.to_owned() },
            });
        };
        for bucket in &placement.buckets {
            let locked = |kind: &&&str| bucket.object_lock.is_some() || !kind.ends_with("object_lock_configuration");
            for kind in BUCKET_TYPES.iter().filter(locked) {
                add(kind, label(&bucket.name), "", &bucket.name);
            }
        }
        for source in placement.sources.iter().filter(|source| source.managed) {
            add("aws_s3_bucket_logging", label(&placement.region), &source.name, &source.name);
        }
        for trail in &placement.trails {
            add("aws_cloudtrail", trail_label(&trail.name, &placement.region), "", &trail.arn);
        }
        for (kind, label, id) in monitoring_resources(placement) {
            add(kind, label, "", &id);
        }
    }
    found
}
