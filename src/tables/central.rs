//! The tables of the account that asks the logs of all: one over each folder of each account and Region of its partition, under names with
//! account and Region in front, and which of them each view takes.
//!
//! A table is only a name for a folder of a bucket, so no catalog of another account is read, and no policy of one nor a link to one is
//! needed.

use super::{AccessTable, Catalog, Tables, TrailTable, names};
use crate::plan::{
    Account, Placement, Plan,
    central::{Central, DATABASE},
};
use std::collections::BTreeMap;

/// Tables that one view takes. In the engine each is a stage of its own, of which Trino took 100 by default and newer versions take 150;
/// Athena documents no number (Trino documentation, "Query management properties", `query.max-stage-count`; Athena user guide, "Athena
/// engine version 3").
pub(crate) const TABLES_PER_VIEW: usize = 80;

/// The tables over what one account has.
#[derive(Debug)]
pub(crate) struct OfAccount<'p> {
    /// The account.
    pub account: &'p Account,
    /// Its placements with their tables, which have their names in the account that asks.
    pub placements: Vec<(&'p Placement, Tables)>,
}

impl OfAccount<'_> {
    /// Tables of access logs, each with the Region of the bucket.
    pub(crate) fn access(&self) -> impl Iterator<Item = (&str, &AccessTable)> {
        self.placements
            .iter()
            .flat_map(|(placement, tables)| tables.access.iter().map(|table| (placement.region.as_str(), table)))
    }

    /// Tables of events, each with the Region of the bucket.
    pub(crate) fn trails(&self) -> impl Iterator<Item = (&str, &TrailTable)> {
        self.placements
            .iter()
            .flat_map(|(placement, tables)| tables.trails.iter().map(|table| (placement.region.as_str(), table)))
    }
}

impl<'p> Catalog<'p> {
    /// The tables of the account that asks, by account.
    pub(crate) fn central(&self, plan: &'p Plan, central: &Central) -> Vec<OfAccount<'p>> {
        let of_partition = plan.accounts.iter().filter(|account| account.partition == central.account.partition);
        let each = of_partition.map(|account| {
            let with_buckets = account.placements.iter().filter(|placement| !placement.buckets.is_empty());
            let tables = |placement: &'p Placement| {
                let mut tables = self.tables(account, placement);
                DATABASE.clone_into(&mut tables.database);
                let name = |name: &mut String| *name = names::in_front(&account.key, &placement.region, name);
                tables.access.iter_mut().for_each(|table| name(&mut table.name));
                tables.trails.iter_mut().for_each(|table| name(&mut table.name));
                (placement, tables)
            };
            OfAccount { account, placements: with_buckets.map(tables).collect() }
        });
        each.filter(|of| !of.placements.is_empty()).collect()
    }

    /// All of them in one.
    pub(super) fn all_central(&self, plan: &'p Plan, central: &Central) -> Tables {
        let mut all = Tables { database: DATABASE.to_owned(), access: Vec::new(), trails: Vec::new() };
        for (_, tables) in self.central(plan, central).into_iter().flat_map(|of| of.placements) {
            all.access.extend(tables.access);
            all.trails.extend(tables.trails);
        }
        all
    }
}

/// The name of an account's view.
pub(crate) fn view_of(stem: &str, account: &str) -> String {
    names::named(stem, &format!("{account}/"))
}

/// Keys of accounts by id, as far as the plan knows them.
pub(crate) fn keys_by_id(plan: &Plan) -> BTreeMap<&str, &str> {
    let asks = plan.central.iter().map(|central| &central.account);
    plan.accounts.iter().chain(asks).map(|account| (account.id.as_str(), account.key.as_str())).collect()
}
