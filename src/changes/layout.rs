//! Layouts: where the log objects of sources come to lie, before and after, and what that does to tables and readers.

use super::settings::prefix;
use crate::plan::{Account, KeyFormat, Placement, Plan, Source};
use serde::Serialize;
use std::collections::BTreeMap;

/// Sources of one placement whose log objects come to lie elsewhere, in the same way.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LayoutChange {
    /// Where objects came to lie; `{source}` and the days stand in braces.
    pub old: String,
    /// Where they come to lie from now on.
    pub new: String,
    /// The key format as it was.
    pub old_format: &'static str,
    /// The key format as it is to be.
    pub new_format: &'static str,
    /// The sources.
    pub sources: Vec<String>,
    /// What it does to Athena tables.
    pub tables: String,
    /// What it does to those who read the objects.
    pub readers: String,
}

/// All of them, by the old layout and the new one.
pub(super) fn between(old: &Plan, new: &Plan) -> Vec<LayoutChange> {
    let was = layouts(old);
    let mut groups: BTreeMap<(String, String), LayoutChange> = BTreeMap::new();
    for (name, (layout, format)) in layouts(new) {
        let Some((before, old_format)) = was.get(&name).filter(|(before, old_format)| *before != layout || *old_format != format)
        else {
            continue;
        };
        let entry = groups.entry((before.clone(), layout.clone())).or_insert_with(|| LayoutChange {
            old: before.clone(),
            new: layout.clone(),
            old_format: old_format.word(),
            new_format: format.word(),
            sources: Vec::new(),
            tables: tables(*old_format, format),
            readers: readers(before, &layout),
        });
        entry.sources.push(name.1);
    }
    groups.into_values().collect()
}

type Layouts = BTreeMap<(crate::aws::Partition, String), (String, KeyFormat)>;

fn layouts(plan: &Plan) -> Layouts {
    plan.placements()
        .flat_map(|(account, placement)| {
            placement.sources.iter().map(move |source| {
                ((account.partition, source.name.clone()), (layout(account, placement, source), source.key_format))
            })
        })
        .collect()
}

/// S3 user guide, "Log object key format".
fn layout(account: &Account, placement: &Placement, source: &Source) -> String {
    match source.key_format {
        KeyFormat::Simple => format!("s3://{}/{}{{yyyy-MM-dd-HH-mm-ss}}-…", source.log_bucket, prefix(source)),
        _ => format!(
            "s3://{}/{}{}/{}/{{source}}/{{yyyy}}/{{MM}}/{{dd}}/…",
            source.log_bucket, source.prefix, account.id, placement.region
        ),
    }
}

fn tables(old: KeyFormat, new: KeyFormat) -> String {
    let partitioned = |format: KeyFormat| format.partition_date_source().is_some();
    match (partitioned(old), partitioned(new)) {
        (false, true) => "a table over the old keys has no partitions and keeps reading the old objects; the new ones need a second table with partition projection by day, and a view over both until the old objects have expired",
        (true, false) => "flat keys can't be projected: the table with partition projection keeps reading the old objects, the new ones need a second table without partitions, which reads everything at each query",
        (true, true) if old == new => "LOCATION and storage.location.template of a table name the old place: make a second table for the new one, and a view over both until the old objects have expired",
        (true, true) => "the folders of days stay, but a day now means something else (of the events, or of their delivery): queries at midnight have to look at the day beside it too",
        (false, false) => "LOCATION of a table names the old place: make a second table for the new one, and a view over both until the old objects have expired",
    }
    .to_owned()
}

fn readers(old: &str, new: &str) -> String {
    let bucket = |layout: &str| layout.trim_start_matches("s3://").split('/').next().unwrap_or_default().to_owned();
    if bucket(old) != bucket(new) {
        "readers need rights on the new bucket too, and event notifications and replication rules are set on a bucket: set them on the new one before the switch".to_owned()
    } else {
        "rights, event notifications and replication rules that name the old prefix see no new objects".to_owned()
    }
}
