//! Tables over what log buckets take: which there are in each account and Region, what they are called and what they hold.
//!
//! Takes the plan and gives, for each placement, its tables by name. A table's partitions are projected from the layout of the keys,
//! so that a day, a Region or a bucket that a query leaves out is not read. Record formats and key layouts: S3 and CloudTrail user
//! guides.
//!
//! A name says what the table holds and nothing else: it comes from the folder that the table reads, never from how many tables there
//! are, so that a map that grows gives no name to another table.

mod between;
mod central;
mod names;
pub(crate) mod shape;

use crate::{
    aws::{Partition, region},
    plan::{Account, KeyFormat, LifecycleRule, LogBucket, Placement, Plan, Source, Trail, later},
};
pub(crate) use between::{TablesChange, between};
pub(crate) use central::{OfAccount, TABLES_PER_VIEW, keys_by_id, view_of};
use indexmap::IndexMap;
use names::{identifier, named};
use shape::{Shape, Values};
use std::collections::{BTreeMap, BTreeSet};

/// One access-log record of 18 to 27 fields, or more: text that a client sends may hold spaces and quotes, the numbers around
/// it, or the two ids and the signature version behind it, tell where it ends. What comes after the known fields is left out.
const RECORD: &str = concat!(
    r"([^ ]*) ([^ ]*) \[(.*?)\] ([^ ]*) ([^ ]*) ([^ ]*) ([^ ]*) ([^ ]*)",
    r#" (".*?"|-) (-|[0-9]{3}) ([^ ]*) (-|[0-9]+) (-|[0-9]+) (-|[0-9]+) (-|[0-9]+) (".*?"|-) (".*"(?= [^ ]+ [^ ]+ (?:SigV[0-9A-Za-z]+|-) )|".*"|-) ([^ ]*)"#,
    r"(?: ([^ ]*))?(?: ([^ ]*))?(?: ([^ ]*))?(?: ([^ ]*))?(?: ([^ ]*))?(?: ([^ ]*))?(?: ([^ ]*))?(?: ([^ ]*))?(?: ([^ ]*))?.*$",
);
/// Source buckets of one table, at most about. The service recommends few values in an enumeration; a list of names of full length
/// must stay below the 262,144 bytes of a statement, and the metadata of a table below a megabyte (Athena user guide, "Service
/// Quotas" and "Supported types for partition projection").
const SOURCES_PER_TABLE: usize = 2_000;
/// Names of sources in one statement: Athena takes 262,144 bytes, and a name may have 63 (Athena user guide, "Service Quotas").
pub(crate) const NAMES_PER_STATEMENT: usize = 2_500;
/// Folders of single sources at the root of a bucket that get a table each.
const FOLDERS_AT_ROOT: usize = 50;
/// Values of an `IN` that give an injected column its values.
const ACCOUNTS_PER_QUERY: usize = 1_000;
/// Accounts that a table enumerates; a statement with more would be too long.
const ACCOUNTS_PER_TABLE: usize = 10_000;

/// The tables of a placement.
#[derive(Debug)]
pub(crate) struct Tables {
    /// Name of the database: letters, digits and underscores.
    pub database: String,
    /// Tables of access logs, by name.
    pub access: Vec<AccessTable>,
    /// Tables of CloudTrail events, by name.
    pub trails: Vec<TrailTable>,
}

/// A table of access logs: sources with one prefix.
#[derive(Debug)]
pub(crate) struct AccessTable {
    /// Letters, digits and underscores.
    pub name: String,
    /// `s3://<bucket>/<prefix>`; of flat keys the folder that they lie in, ending in `/`.
    pub location: String,
    /// Its keys are flat, so that it has no partitions.
    pub flat: bool,
    /// Which of several tables with this prefix it is, from 1, and how many there are.
    pub part: (usize, usize),
    /// The sources whose records the view takes from it, where it has others' as well; empty for all.
    pub only: Vec<String>,
    /// Days after which objects become ones that a query skips.
    pub archived_after: Option<u32>,
    /// What it is.
    pub shape: Shape,
}

/// A table of the events below one folder.
#[derive(Debug)]
pub(crate) struct TrailTable {
    /// Letters, digits and underscores.
    pub name: String,
    /// Names of the trails that deliver there. Each of several delivers a copy of its own of an event.
    pub trails: BTreeSet<String>,
    /// `s3://<bucket>/[prefix/]AWSLogs/[organization/]`.
    pub location: String,
    /// Ids of the accounts that write, or for an organization trail of the accounts that the map knows, as many as a query takes.
    pub accounts: Vec<String>,
    /// Events of accounts come here that the map does not know.
    pub organization: bool,
    /// A query must name the accounts that it asks about.
    pub injected: bool,
    /// A trail records all Regions, so that a Region that AWS opens later brings events, too.
    pub every_region: bool,
    /// Regions whose events are read.
    pub regions: Vec<String>,
    /// KMS keys that encrypt what lies there.
    pub keys: BTreeSet<String>,
    /// Days after which objects become ones that a query skips.
    pub archived_after: Option<u32>,
    /// What it is.
    pub shape: Shape,
}

impl Tables {
    /// Names and shapes of all of them.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &Shape)> {
        let access = self.access.iter().map(|table| (table.name.as_str(), &table.shape));
        access.chain(self.trails.iter().map(|table| (table.name.as_str(), &table.shape)))
    }
}

/// Who writes to which bucket: what tables are made of.
pub(crate) struct Catalog<'p> {
    known: Known,
    writers: IndexMap<&'p str, Vec<(&'p Account, &'p Placement, &'p Trail)>>,
}

impl<'p> Catalog<'p> {
    /// Of a plan.
    pub(crate) fn of(plan: &'p Plan) -> Self {
        let mut writers: IndexMap<&str, Vec<(&Account, &Placement, &Trail)>> = IndexMap::new();
        for (account, placement) in plan.placements() {
            for trail in &placement.trails {
                writers.entry(trail.bucket.as_str()).or_default().push((account, placement, trail));
            }
        }
        Catalog { known: Known::of(plan), writers }
    }

    /// The tables of a placement.
    pub(crate) fn tables(&self, account: &Account, placement: &Placement) -> Tables {
        let taken = |bucket: &LogBucket| self.writers.get(bucket.name.as_str()).map_or(&[][..], Vec::as_slice);
        Tables {
            database: identifier(&format!("logmap_{}_{}", account.key, placement.region)),
            access: placement.access_log_bucket().map_or_else(Vec::new, |bucket| access_tables(account, placement, bucket)),
            trails: placement.buckets.iter().flat_map(|bucket| trail_tables(&self.known, bucket, taken(bucket))).collect(),
        }
    }
}

/// One table for each prefix; several where too many sources share it.
fn access_tables(account: &Account, placement: &Placement, bucket: &LogBucket) -> Vec<AccessTable> {
    let partitioned = |source: &&Source| source.key_format != KeyFormat::Simple;
    let mut by_prefix: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for source in placement.sources.iter().filter(partitioned) {
        by_prefix.entry(&source.prefix).or_default().push(&source.name);
    }
    let mut tables = Vec::new();
    for (prefix, sources) in by_prefix {
        let parts = names::parts(&sources, SOURCES_PER_TABLE);
        let of = parts.len();
        let name = if prefix.is_empty() { "access_logs__root".to_owned() } else { named("access_logs", prefix) };
        for (at, names) in parts.into_iter().enumerate() {
            let location = format!("s3://{}/{prefix}", bucket.name);
            let joined = names.join(",");
            let partitions =
                [("account_id", account.id.as_str()), ("region", placement.region.as_str()), ("source_bucket", joined.as_str())];
            tables.push(AccessTable {
                name: if of == 1 { name.clone() } else { format!("{name}__{}_of_{of}", at + 1) },
                shape: shape::access(RECORD, &location, days(bucket, prefix), &partitions),
                flat: false,
                part: (at + 1, of),
                only: Vec::new(),
                archived_after: archived_after(bucket, prefix),
                location,
            });
        }
    }
    tables.extend(flat_tables(placement, bucket));
    tables
}

/// One table for each folder of flat keys. Without partitions a table has all that is below its folder, so another one there would
/// have it twice.
fn flat_tables<'a>(placement: &'a Placement, bucket: &'a LogBucket) -> impl Iterator<Item = AccessTable> + 'a {
    let flat: Vec<&Source> = placement.sources.iter().filter(|source| source.key_format == KeyFormat::Simple).collect();
    let at_root = flat.iter().filter(|source| source.common_folder() == Some("")).count() > FOLDERS_AT_ROOT;
    let mut by_folder: BTreeMap<&str, Vec<&Source>> = BTreeMap::new();
    for source in flat {
        by_folder.entry(folder_of(source, at_root)).or_default().push(source);
    }
    let mut outermost: Vec<(&str, Vec<&Source>)> = Vec::new();
    for (folder, sources) in by_folder {
        match outermost.last_mut().filter(|(outer, _)| folder.starts_with(outer)) {
            Some((_, known)) => known.extend(sources),
            None => outermost.push((folder, sources)),
        }
    }
    outermost.into_iter().map(move |(folder, sources)| {
        let location = format!("s3://{}/{folder}", bucket.name);
        // who else has objects there
        let among_others = bucket.takes_trails && folder.is_empty()
            || placement.sources.iter().any(|other| other.key_format != KeyFormat::Simple && other.prefix.starts_with(folder));
        AccessTable {
            name: named("flat_access_logs", folder),
            shape: shape::access(RECORD, &location, days(bucket, folder), &[]),
            flat: true,
            part: (1, 1),
            only: if among_others { sources.iter().map(|source| source.name.clone()).collect() } else { Vec::new() },
            archived_after: archived_after(bucket, folder),
            location,
        }
    })
}

/// The folder that one table reads. Others deliver at the root, too, so there each source's own folder is read as long as they are few.
fn folder_of(source: &Source, at_root: bool) -> &str {
    source.common_folder().filter(|folder| at_root || !folder.is_empty()).unwrap_or_else(|| folder(&source.prefix))
}

/// The folder of keys that begin so.
fn folder(prefix: &str) -> &str {
    prefix.rfind('/').map_or("", |at| &prefix[..=at])
}

/// What an organization and a multi-Region trail record.
struct Known {
    /// Of each partition: the Regions that we or the map know, and the ids of the accounts, as many as a query takes.
    by_partition: BTreeMap<Partition, (BTreeSet<String>, Vec<String>)>,
}

impl Known {
    fn of(plan: &Plan) -> Self {
        let mut by_partition: BTreeMap<Partition, (BTreeSet<String>, Vec<String>)> = BTreeMap::new();
        // a Region of the map may be newer than our table
        let mapped = plan.placements().map(|(_, placement)| placement.region.as_str());
        for name in region::KNOWN.iter().map(|known| known.name).chain(mapped) {
            let (regions, _) = by_partition.entry(Partition::of_region(name)).or_default();
            if !regions.contains(name) {
                regions.insert(name.to_owned());
            }
        }
        // the account that asks may have no log bucket
        let asks = plan.central.iter().map(|central| &central.account).filter(|asks| plan.account(&asks.key).is_none());
        for account in plan.accounts.iter().chain(asks) {
            let (_, accounts) = by_partition.entry(account.partition).or_default();
            if accounts.len() < ACCOUNTS_PER_QUERY {
                accounts.push(account.id.clone());
            }
        }
        Known { by_partition }
    }

    fn regions(&self, partition: Partition) -> impl Iterator<Item = &String> {
        self.by_partition.get(&partition).into_iter().flat_map(|(regions, _)| regions)
    }

    fn members(&self, partition: Partition) -> impl Iterator<Item = &String> {
        self.by_partition.get(&partition).into_iter().flat_map(|(_, accounts)| accounts)
    }
}

/// One table for each folder that trails deliver to, whatever the number of trails and accounts that write there: two tables over one
/// folder would both have all of it.
fn trail_tables(known: &Known, bucket: &LogBucket, writers: &[(&Account, &Placement, &Trail)]) -> Vec<TrailTable> {
    struct Folder<'a> {
        prefix: &'a str,
        trails: BTreeSet<String>,
        accounts: BTreeSet<&'a String>,
        regions: BTreeSet<&'a String>,
        every_region: bool,
        keys: BTreeSet<String>,
    }
    let mut folders: BTreeMap<(String, bool), Folder<'_>> = BTreeMap::new();
    for &(account, placement, trail) in writers {
        let folder = folders.entry((trail.folder(), trail.organization)).or_insert_with(|| Folder {
            prefix: &trail.prefix,
            trails: BTreeSet::new(),
            accounts: BTreeSet::new(),
            regions: BTreeSet::new(),
            every_region: false,
            keys: BTreeSet::new(),
        });
        folder.trails.insert(trail.name.clone());
        folder.keys.extend(trail.kms_key_arn.clone());
        if trail.organization {
            folder.accounts.extend(known.members(account.partition));
        } else {
            folder.accounts.insert(&account.id);
        }
        if trail.multi_region {
            folder.every_region = true;
            folder.regions.extend(known.regions(account.partition));
        } else {
            folder.regions.insert(&placement.region);
        }
    }
    let tables = folders.into_iter().map(|((place, organization), folder)| {
        let location = format!("s3://{}/{place}", bucket.name);
        let stem = if organization { "organization_cloudtrail" } else { "cloudtrail" };
        let prefix = if folder.prefix.is_empty() { String::new() } else { format!("{}/", folder.prefix) };
        let injected = organization || folder.accounts.len() > ACCOUNTS_PER_TABLE;
        let joined = |values: &BTreeSet<&String>| values.iter().map(|value| value.as_str()).collect::<Vec<_>>().join(",");
        let accounts = joined(&folder.accounts);
        let values = if injected { Values::Injected } else { Values::Enum(&accounts) };
        let room = if injected { ACCOUNTS_PER_QUERY } else { ACCOUNTS_PER_TABLE };
        TrailTable {
            name: named(stem, &prefix),
            shape: shape::events(&location, days(bucket, &place), values, &joined(&folder.regions)),
            trails: folder.trails,
            accounts: folder.accounts.into_iter().take(room).cloned().collect(),
            organization,
            injected,
            every_region: folder.every_region,
            regions: folder.regions.into_iter().cloned().collect(),
            keys: folder.keys,
            archived_after: archived_after(bucket, &place),
            location,
        }
    });
    tables.collect()
}

/// The lifecycle rules for what lies below a prefix, or for some of it.
fn rules<'b>(bucket: &'b LogBucket, prefix: &'b str) -> impl Iterator<Item = &'b LifecycleRule> {
    bucket.lifecycle.iter().filter(move |rule| rule.prefix.starts_with(prefix) || prefix.starts_with(&rule.prefix))
}

/// Days that a query may look back for what lies below a prefix. Where nothing expires, or other code says when, it is ten years.
fn days(bucket: &LogBucket, prefix: &str) -> u32 {
    rules(bucket, prefix).map(|rule| rule.expire_after_days).reduce(later).flatten().unwrap_or(3650)
}

/// Are objects of the bucket archived, so that Athena skips them?
pub(crate) fn archives(bucket: &LogBucket) -> bool {
    archived_after(bucket, "").is_some()
}

/// Days after which objects below a prefix are in a storage class whose objects Athena skips: S3 Glacier Flexible Retrieval or Deep
/// Archive (Athena user guide, "Query restored Amazon Glacier objects").
fn archived_after(bucket: &LogBucket, prefix: &str) -> Option<u32> {
    let transitions = rules(bucket, prefix).flat_map(|rule| &rule.transitions);
    let archives = transitions.filter(|transition| matches!(transition.storage_class.as_str(), "GLACIER" | "DEEP_ARCHIVE"));
    archives.map(|transition| transition.after_days).min()
}
