//! The tables of Athena as Glue resources: `terraform/athena.tf`, a file of its own for each Region.

use super::{Module, label};
use crate::{plan::Placement, render::athena::GlueTable, tables::Tables};
use indexmap::IndexMap;
use serde::Serialize;

/// Contract of `terraform/athena.tf`, and of `terraform/where.tf`, which it includes in each resource.
#[derive(Debug, Serialize)]
pub(crate) struct AthenaContext<'a> {
    /// Lines for the head of the file, without comment marks.
    pub header: Vec<String>,
    /// True with provider 6: resources name their Region. False with provider 5: they name the provider `region_label`.
    pub region_per_resource: bool,
    /// True in a module that a root calls: resources name neither, and the database waits for the check of `terraform/here.tf`.
    pub is_called: bool,
    /// Key of the account.
    pub account_key: String,
    /// Region name.
    pub region: String,
    /// The Region as an identifier: label of the database, alias of the provider.
    pub region_label: String,
    /// Name of the database.
    pub database: String,
    /// Tags of the database; tables have none.
    pub tags: IndexMap<String, String>,
    /// The tables.
    pub tables: Vec<GlueTable<'a>>,
}

impl Module<'_> {
    pub(super) fn athena<'a>(&self, tables: &'a Tables, placement: &Placement) -> AthenaContext<'a> {
        AthenaContext {
            header: self.header.clone(),
            region_per_resource: self.region_per_resource(),
            is_called: self.is_called(),
            account_key: self.account.key.clone(),
            region: placement.region.clone(),
            region_label: label(&placement.region),
            tables: tables
                .all()
                .map(|(name, shape)| GlueTable::new(format!("{}_{name}", label(&placement.region)), name, shape))
                .collect(),
            database: tables.database.clone(),
            tags: self.cx.plan().render.tags.clone(),
        }
    }
}
