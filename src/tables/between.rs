//! Tables of two plans: which are made anew, and which no statement makes any more.

use super::{Catalog, Tables, shape::Shape};
use crate::plan::{Plan, central::DATABASE};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// What becomes of the tables of one account and Region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TablesChange {
    /// Name of the database.
    pub database: String,
    /// The file with its statements, below the folder of the generated files.
    pub file: String,
    /// Tables that are new.
    pub added: Vec<String>,
    /// Tables that have the same name and read something else, or in another way.
    pub changed: Vec<String>,
    /// Tables that nothing makes any more: they stay until somebody drops them.
    pub removed: Vec<String>,
    /// What to do.
    pub note: String,
}

/// Of all databases that the old plan has, by name: those that are new have nothing that could be lost.
pub(crate) fn between(old: &Plan, new: &Plan) -> Vec<TablesChange> {
    let (was, is) = (databases(old), databases(new));
    let mut changes = Vec::new();
    for (key, (file, before)) in &was {
        let (database, after) = (&key.0, is.get(key));
        let file = after.map_or(file, |(file, _)| file);
        let (before, after) = (by_name(before), after.map(|(_, tables)| by_name(tables)).unwrap_or_default());
        let only = |these: &ByName<'_>, those: &ByName<'_>| -> Vec<String> {
            these.keys().filter(|name| !those.contains_key(*name)).map(|name| (*name).to_owned()).collect()
        };
        let (added, removed) = (only(&after, &before), only(&before, &after));
        let differs = |(name, what): &(&&str, &What<'_>)| before.get(**name).is_some_and(|was| was != *what);
        let changed: Vec<String> = after.iter().filter(differs).map(|(name, _)| (*name).to_owned()).collect();
        if added.is_empty() && changed.is_empty() && removed.is_empty() {
            continue;
        }
        let note =
            note(after.is_empty(), !removed.is_empty(), &sources_of(&before).difference(&sources_of(&after)).collect::<Vec<_>>());
        changes.push(TablesChange { database: database.clone(), file: file.clone(), added, changed, removed, note });
    }
    changes
}

/// What a table is, and whose records the view takes from it.
type What<'t> = (&'t Shape, &'t [String]);
type ByName<'t> = BTreeMap<&'t str, What<'t>>;

/// By name and account: the one that asks the logs of all may be another one.
type Key = (String, String);

fn databases(plan: &Plan) -> BTreeMap<Key, (String, Tables)> {
    let catalog = Catalog::of(plan);
    let with_buckets = plan.placements().filter(|(_, placement)| !placement.buckets.is_empty());
    let each = with_buckets.map(|(account, placement)| {
        let tables = catalog.tables(account, placement);
        let key = (tables.database.clone(), account.id.clone());
        (key, (format!("athena/{}/{}.sql", account.key, placement.region), tables))
    });
    let central = plan.central.as_ref().map(|central| {
        let key = (DATABASE.to_owned(), central.account.id.clone());
        (key, (format!("athena/{}/central.sql", central.account.key), catalog.all_central(plan, central)))
    });
    each.chain(central).collect()
}

fn by_name(tables: &Tables) -> ByName<'_> {
    let access = tables.access.iter().map(|table| (table.name.as_str(), (&table.shape, table.only.as_slice())));
    access.chain(tables.trails.iter().map(|table| (table.name.as_str(), (&table.shape, &[][..])))).collect()
}

/// The sources whose partitions the tables project.
fn sources_of<'t>(tables: &ByName<'t>) -> BTreeSet<&'t str> {
    let lists = tables.values().flat_map(|(shape, _)| &shape.parameters);
    lists
        .filter(|property| property.key == "projection.source_bucket.values")
        .flat_map(|property| property.value.split(','))
        .collect()
}

fn note(gone: bool, removed: bool, left: &[&&str]) -> String {
    if gone {
        return "no file makes the database any more: its tables read the old objects as long as they are there, and `DROP TABLE` deletes no log"
            .to_owned();
    }
    let again = "run the statements of the file again, or apply the Glue tables and then run the view: a table is dropped and made anew, which deletes no log, and the view takes each source once";
    let left = match left {
        [] => String::new(),
        [one] => format!(
            "; no table reads the records of `{one}` any more: copy the old table's statement under another name first, if they are still asked about"
        ),
        [one, more @ ..] => format!(
            "; no table reads the records of `{one}` and {} more any more: copy the old table's statement under another name first, if they are still asked about",
            more.len()
        ),
    };
    if removed {
        format!(
            "{again}; no view takes from the tables that are no longer made, so saved queries that name them see no new records: let them name the view `access_logs` or the new table, then `DROP TABLE` them{left}"
        )
    } else {
        format!("{again}; saved queries go on{left}")
    }
}
