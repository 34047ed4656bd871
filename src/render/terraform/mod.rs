//! Terraform and OpenTofu: one root module for each account, with all its Regions, or a module for each of them that roots call.
//!
//! Takes the plan and gives `terraform/<account>/…`. What the templates may use is in `module` (files of the account),
//! `called` (what is in modules that roots call only) and `region` (one file for each Region); names are made in `names`. Policies are files of their own, as reviewed. Never
//! writes policy JSON or HCL tokens itself: values go through the `hcl` filter, identifiers come from `names`.

mod athena;
mod called;
mod central;
mod module;
mod monitoring;
mod moved;
mod names;
mod region;
#[cfg(test)]
mod tests;

pub(crate) use called::called_module;
pub(crate) use module::BUCKET_TYPES;
pub(crate) use monitoring::{MonitoringContext, resources as monitoring_resources};
pub(crate) use names::{label, region_file, trail_label};

use super::{
    Context, Sink, athena as athena_sql,
    central::{Asking, results_policy},
    engine::Engine,
};
use crate::{
    artifacts::Artifact,
    plan::{Account, BucketRecord, Layout, LayoutRecord, Placement, TrailRecord, central::Central},
    tables::Catalog,
};
use anyhow::Result;
use std::collections::{BTreeMap, BTreeSet};

/// The templates: name → text. A template of the same name given by the user replaces it.
pub(crate) const TEMPLATES: &[(&str, &str)] = &[
    ("terraform/versions.tf", include_str!("../../../templates/terraform/versions.tf")),
    ("terraform/providers.tf", include_str!("../../../templates/terraform/providers.tf")),
    ("terraform/region.tf", include_str!("../../../templates/terraform/region.tf")),
    ("terraform/athena.tf", include_str!("../../../templates/terraform/athena.tf")),
    (CENTRAL, include_str!("../../../templates/terraform/central.tf")),
    ("terraform/table.tf", include_str!("../../../templates/terraform/table.tf")),
    ("terraform/copies.tf", include_str!("../../../templates/terraform/copies.tf")),
    ("terraform/vended.tf", include_str!("../../../templates/terraform/vended.tf")),
    ("terraform/monitoring.tf", include_str!("../../../templates/terraform/monitoring.tf")),
    ("terraform/here.tf", include_str!("../../../templates/terraform/here.tf")),
    ("terraform/root.tf", include_str!("../../../templates/terraform/root.tf")),
    ("terraform/state.tf", include_str!("../../../templates/terraform/state.tf")),
    ("terraform/where.tf", include_str!("../../../templates/terraform/where.tf")),
    ("terraform/imports.tf", include_str!("../../../templates/terraform/imports.tf")),
    ("terraform/removed.tf", include_str!("../../../templates/terraform/removed.tf")),
    ("terraform/moved.tf", include_str!("../../../templates/terraform/moved.tf")),
    ("terraform/moves.tf", include_str!("../../../templates/terraform/moves.tf")),
    ("terraform/outputs.tf", include_str!("../../../templates/terraform/outputs.tf")),
];

/// What the account that asks the logs of all has.
const CENTRAL: &str = "terraform/central.tf";

/// About what a Region's file has beside its sources.
const REGION_BYTES: usize = 16_000;

/// Renders the modules of the accounts that were asked for, each with all its Regions: a module with some of its
/// Regions left out would destroy what is in them.
///
/// # Errors
/// A template that can't be read or rendered, sources without a log bucket, or what the sink reports.
pub(crate) fn render(cx: &Context, sink: &mut Sink) -> Result<()> {
    // views and questions are those of the SQL
    let engine = Engine::new(&[TEMPLATES, athena_sql::TEMPLATES].concat(), cx.overrides)?;
    let catalog = cx.plan().render.glue.then(|| Catalog::of(cx.plan()));
    let mut retired: BTreeMap<&str, Vec<&BucketRecord>> = BTreeMap::new();
    for entry in cx.retired {
        retired.entry(&entry.account_id).or_default().push(entry);
    }
    let mut trails: BTreeMap<&str, Vec<&TrailRecord>> = BTreeMap::new();
    for entry in cx.retired_trails {
        trails.entry(&entry.account_id).or_default().push(entry);
    }
    let now = if cx.plan().render.modules { Layout::Module } else { Layout::Root };
    let was: BTreeMap<&str, &LayoutRecord> =
        cx.layouts.iter().filter(|record| record.from != now).map(|record| (record.account_id.as_str(), record)).collect();
    // one that only asks is not among them
    let asks = cx
        .central()
        .map(|central| &central.account)
        .filter(|asks| cx.plan().render.glue && cx.plan().account(&asks.key).is_none());
    for account in cx.plan().accounts.iter().chain(asks) {
        let was = was.get(account.id.as_str()).copied();
        let retired = retired.remove(account.id.as_str()).unwrap_or_default();
        let trails = trails.remove(account.id.as_str()).unwrap_or_default();
        if let Some(module) = Module::new(cx, account, (retired, trails), was) {
            module.render(&engine, catalog.as_ref(), sink)?;
        }
    }
    Ok(())
}

/// One account on its way to a root module, or one of its Regions on the way to a module that a root calls.
#[derive(Clone)]
struct Module<'a> {
    cx: &'a Context<'a>,
    account: &'a Account,
    /// Its log buckets of earlier runs that the map no longer has.
    retired: Vec<&'a BucketRecord>,
    /// Its trails of earlier runs that the map no longer has.
    retired_trails: Vec<&'a TrailRecord>,
    /// The layout that it had once, if it has another one now.
    was: Option<&'a LayoutRecord>,
    header: Vec<String>,
}

impl<'a> Module<'a> {
    /// `None` if the account was not asked for. One without Regions has a module only as long as there is something to forget.
    /// `retired` and `retired_trails` are all its log buckets and trails of earlier runs.
    fn new(
        cx: &'a Context<'a>,
        account: &'a Account,
        (mut retired, mut retired_trails): (Vec<&'a BucketRecord>, Vec<&'a TrailRecord>),
        was: Option<&'a LayoutRecord>,
    ) -> Option<Self> {
        let labels: BTreeSet<String> = account
            .placements
            .iter()
            .flat_map(|placement| placement.trails.iter().map(|trail| names::trail_label(&trail.name, &placement.region)))
            .collect();
        retired_trails.retain(|entry| !labels.contains(&names::trail_label(&entry.trail, &entry.region)));
        retired_trails.sort();
        retired_trails.dedup_by(|a, b| (&a.trail, &a.region) == (&b.trail, &b.region));
        let current =
            |name: &str| account.placements.iter().flat_map(|placement| &placement.buckets).any(|bucket| bucket.name == name);
        retired.retain(|entry| !current(&entry.bucket));
        retired.sort();
        // two entries of one name would be two `removed` blocks of one address
        retired.dedup_by(|a, b| a.bucket == b.bucket);
        let filter = cx.filter;
        let asks = cx.plan().render.glue && cx.central().is_some_and(|central| central.account.key == account.key);
        let asked_for = if asks {
            true
        } else if account.placements.is_empty() {
            (filter.accounts.is_empty() || filter.accounts.contains(&account.key))
                && retired
                    .iter()
                    .map(|entry| &entry.region)
                    .chain(retired_trails.iter().map(|entry| &entry.region))
                    .any(|region| filter.regions.is_empty() || filter.regions.contains(region))
        } else {
            filter.account(account)
        };
        asked_for.then(|| Module {
            cx,
            account,
            header: {
                let slice = (cx.digests.account(account), &cx.plan().render, &retired, &retired_trails);
                if was.is_some() { cx.header(&(slice, was)) } else { cx.header(&slice) }
            },
            was,
            retired,
            retired_trails,
        })
    }

    fn render(&self, engine: &Engine, catalog: Option<&Catalog<'_>>, sink: &mut Sink) -> Result<()> {
        if self.is_called() {
            return self.render_called(engine, catalog, sink);
        }
        let folder = format!("terraform/{}", self.account.key);
        let mut put = |name: &str, text: String| sink(Artifact::file(format!("{folder}/{name}"), text));
        put("versions.tf", engine.render("terraform/versions.tf", &self.versions(&self.account.placements, self.state()))?)?;
        put("providers.tf", engine.render("terraform/providers.tf", &self.providers())?)?;
        for placement in &self.account.placements {
            let stem = names::file_stem(&placement.region);
            self.files_of(placement, (&format!("{stem}.tf"), &format!("{stem}-athena.tf")), engine, catalog, &mut put)?;
        }
        if let Some(catalog) = catalog {
            self.central_of(None, engine, catalog, &mut put)?;
        }
        let imports = self.imports();
        if !imports.imports.is_empty() {
            put("imports.tf", engine.render("terraform/imports.tf", &imports)?)?;
        }
        if self.forgets() {
            put("removed.tf", engine.render("terraform/removed.tf", &self.removed())?)?;
        }
        if self.was.is_some() {
            put("moved.tf", engine.render("terraform/moved.tf", &self.moved(catalog))?)?;
        }
        put("outputs.tf", engine.render("terraform/outputs.tf", &self.outputs(&self.account.placements)?)?)
    }

    /// The files about one Region: the one of this name, that of its tables, and policies.
    fn files_of(
        &self,
        placement: &Placement,
        (file, tables): (&str, &str),
        engine: &Engine,
        catalog: Option<&Catalog<'_>>,
        put: &mut dyn FnMut(&str, String) -> Result<()>,
    ) -> Result<()> {
        let rows = placement.sources.iter().map(|source| source.name.len() + source.prefix.len() + 16);
        engine.reserve(REGION_BYTES + rows.sum::<usize>());
        put(file, engine.render("terraform/region.tf", &self.region(placement)?)?)?;
        if let Some(catalog) = catalog.filter(|_| !placement.buckets.is_empty()) {
            let shapes = catalog.tables(self.account, placement);
            put(tables, engine.render("terraform/athena.tf", &self.athena(&shapes, placement))?)?;
        }
        for bucket in &placement.buckets {
            put(&region::policy_file(bucket), bucket.policy.to_pretty_json())?;
        }
        if let Some(alerts) = &placement.monitoring.alerts {
            put(&monitoring::policy_file(&placement.region), alerts.policy.to_pretty_json())?;
        }
        Ok(())
    }

    /// The file of the account that asks, if it is this one; in a module of a Region only if it asks there.
    fn central_of(
        &self,
        region: Option<&str>,
        engine: &Engine,
        catalog: &Catalog<'_>,
        put: &mut dyn FnMut(&str, String) -> Result<()>,
    ) -> Result<()> {
        let here =
            |central: &&Central| central.account.key == self.account.key && region.is_none_or(|region| region == central.region);
        if self.cx.central().filter(here).is_none() {
            return Ok(());
        }
        let Some(asking) = Asking::of(self.cx, engine, catalog)? else { return Ok(()) };
        let policy = results_policy(asking.central);
        put("central.tf", engine.render(CENTRAL, &self.central(asking.central, &asking, &policy))?)
    }

    /// The account that asks, if it is this one and its tables are resources.
    fn asks(&self) -> Option<&'a Central> {
        self.cx.central().filter(|central| self.cx.plan().render.glue && central.account.key == self.account.key)
    }

    /// True: a module for each Region, called with its provider. False: a root module.
    fn is_called(&self) -> bool {
        self.cx.plan().render.modules
    }

    /// True: each resource names its Region. False: each names the provider of its Region, as with version 5 of the provider.
    fn region_per_resource(&self) -> bool {
        !self.cx.plan().render.aliased_providers
    }

    /// Is there something of earlier runs to forget?
    fn forgets(&self) -> bool {
        !self.retired.is_empty() || !self.retired_trails.is_empty()
    }

    /// The Regions of the account, sorted, those that only have something to forget included: with provider 5 the state
    /// of what is to be forgotten needs its provider still.
    fn regions(&self) -> Vec<&'a str> {
        let placements = self.account.placements.iter().map(|placement| placement.region.as_str());
        let gone = self.retired.iter().map(|entry| &entry.region).chain(self.retired_trails.iter().map(|entry| &entry.region));
        // a module of a Region that has nothing else is none
        let asks = self.asks().filter(|_| !self.is_called()).map(|central| central.region.as_str());
        let mut regions: Vec<&str> = placements.chain(gone.map(String::as_str)).chain(asks).collect();
        regions.sort_unstable();
        regions.dedup();
        regions
    }
}

/// As many items as a value needs spaces before its equal sign, for `terraform fmt`: a template loops over it.
fn gap(key: &str, longest: usize) -> Vec<u8> {
    vec![0; longest.saturating_sub(key.chars().count())]
}
