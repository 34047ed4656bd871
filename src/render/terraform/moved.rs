//! Addresses after another layout: `terraform/moved.tf` of a root module, and `moves` in the example of a root that calls modules.
//!
//! An address has the names of things only, so nothing else that a map can say changes one. (A table of Athena over another folder is another
//! table; there is nothing to keep in it.) What is in the plan moves to where it is now;
//! what is not any more is forgotten at its old address, for Terraform would delete it there. A block for what is not in the state does
//! nothing.

use super::{BUCKET_TYPES, Module, called_module, label, monitoring_resources, trail_label};
use crate::{
    plan::{LogBucket, Placement},
    tables::Catalog,
};
use serde::Serialize;

/// Contract of `terraform/moved.tf`; there is no such file where the layout has always been this one.
#[derive(Debug, Serialize)]
pub(crate) struct MovedContext {
    /// Lines for the head of the file, without comment marks.
    pub header: Vec<String>,
    /// The addresses.
    pub moves: MovesContext,
}

/// What had other addresses in the layout of earlier runs.
#[derive(Debug, Default, Serialize)]
pub(crate) struct MovesContext {
    /// What moves.
    pub moved: Vec<Moved>,
    /// What is forgotten at the address that it had before.
    pub forgotten: Vec<Moved>,
}

/// An address and the one before it.
#[derive(Debug, Serialize)]
pub(crate) struct Moved {
    /// Resource type.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Resource label.
    pub label: String,
    /// Name of the module that it was in; empty for the root.
    pub from: String,
    /// Name of the module that it is in; empty for the root.
    pub to: String,
}

impl Module<'_> {
    pub(super) fn moved(&self, catalog: Option<&Catalog<'_>>) -> MovedContext {
        MovedContext { header: self.header.clone(), moves: self.moves(catalog) }
    }

    /// Is something to be forgotten at an address of another layout?
    pub(super) fn forgets_elsewhere(&self) -> bool {
        !self.moves(None).forgotten.is_empty()
    }

    /// What the layout of earlier runs had elsewhere.
    pub(super) fn moves(&self, catalog: Option<&Catalog<'_>>) -> MovesContext {
        let Some(was) = self.was else { return MovesContext::default() };
        let at = |region: &str, kind, label| {
            let module = called_name(region);
            let (from, to) = if self.is_called() { (String::new(), module) } else { (module, String::new()) };
            Moved { kind, label, from, to }
        };
        let mut moves = MovesContext::default();
        for placement in self.account.placements.iter().filter(|placement| was.regions.contains(&placement.region)) {
            let here = self.addresses(placement, catalog).into_iter();
            moves.moved.extend(here.map(|(kind, label)| at(&placement.region, kind, label)));
            // other code sets these rules now; those that are in the state stay as they are
            for bucket in placement.buckets.iter().filter(|bucket| bucket.lifecycle.is_empty()) {
                moves.forgotten.push(at(&placement.region, LIFECYCLE, label(&bucket.name)));
            }
        }
        for entry in &self.retired {
            moves.forgotten.extend(BUCKET_TYPES.map(|kind| at(&entry.region, kind, label(&entry.bucket))));
        }
        for entry in &self.retired_trails {
            moves.forgotten.push(at(&entry.region, "aws_cloudtrail", trail_label(&entry.trail, &entry.region)));
        }
        moves
    }

    /// All that the files of a Region make, each as resource type and label.
    fn addresses(&self, placement: &Placement, catalog: Option<&Catalog<'_>>) -> Vec<(&'static str, String)> {
        let region = label(&placement.region);
        let mut found = Vec::new();
        for bucket in &placement.buckets {
            found.extend(types_of(bucket).map(|kind| (kind, label(&bucket.name))));
        }
        if placement.sources.iter().any(|source| source.managed) {
            found.push(("aws_s3_bucket_logging", region.clone()));
        }
        found.extend(placement.trails.iter().map(|trail| ("aws_cloudtrail", trail_label(&trail.name, &placement.region))));
        found.extend(monitoring_resources(placement).into_iter().map(|(kind, label, _)| (kind, label)));
        if let Some(catalog) = catalog.filter(|_| !placement.buckets.is_empty()) {
            let tables = catalog.tables(self.account, placement);
            found.push(("aws_glue_catalog_database", region.clone()));
            found.extend(tables.all().map(|(name, _)| ("aws_glue_catalog_table", format!("{region}_{name}"))));
        }
        found
    }
}

const LIFECYCLE: &str = "aws_s3_bucket_lifecycle_configuration";

/// The resource types that are rendered of a log bucket.
fn types_of(bucket: &LogBucket) -> impl Iterator<Item = &'static str> {
    BUCKET_TYPES.into_iter().filter(|kind| match *kind {
        LIFECYCLE => !bucket.lifecycle.is_empty(),
        "aws_s3_bucket_object_lock_configuration" => bucket.object_lock.is_some(),
        _ => true,
    })
}

/// The name of a Region's module in the example of a root.
fn called_name(region: &str) -> String {
    called_module(region).trim_start_matches("module.").trim_end_matches('.').to_owned()
}
