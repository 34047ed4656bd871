//! Target `athena`: tables over what each log bucket takes, and queries people ask, as SQL for each account and Region.
//!
//! A table's partitions are projected from the layout of the keys, so that a day, a Region or a bucket that a query leaves
//! out is not read. Record formats and key layouts: S3 and CloudTrail user guides. Names that become identifiers are made of
//! letters, digits and underscores; everything else lands in string literals through `hive` (DDL) or `sql` (queries).

pub(crate) mod shape;

use super::{Context, Sink, engine::Engine};
use crate::{
    artifacts::Artifact,
    aws::{Partition, region, watch},
    plan::{Account, KeyFormat, LogBucket, Placement, Plan, Source, Trail, later},
};
use anyhow::Result;
use indexmap::IndexMap;
use serde::Serialize;
use shape::{Shape, Values};
use std::collections::{BTreeMap, BTreeSet};

const REGION: &str = "athena/region.sql";

/// The templates.
pub(crate) const TEMPLATES: &[(&str, &str)] = &[
    (REGION, include_str!("../../../templates/athena/region.sql")),
    ("athena/table.sql", include_str!("../../../templates/athena/table.sql")),
];

/// One access-log record of 18 to 27 fields, or more: text that a client sends may hold spaces and quotes, the numbers around
/// it, or the two ids and the signature version behind it, tell where it ends. What comes after the known fields is left out.
const RECORD: &str = concat!(
    r"([^ ]*) ([^ ]*) \[(.*?)\] ([^ ]*) ([^ ]*) ([^ ]*) ([^ ]*) ([^ ]*)",
    r#" (".*?"|-) (-|[0-9]{3}) ([^ ]*) (-|[0-9]+) (-|[0-9]+) (-|[0-9]+) (-|[0-9]+) (".*?"|-) (".*"(?= [^ ]+ [^ ]+ (?:SigV[0-9A-Za-z]+|-) )|".*"|-) ([^ ]*)"#,
    r"(?: ([^ ]*))?(?: ([^ ]*))?(?: ([^ ]*))?(?: ([^ ]*))?(?: ([^ ]*))?(?: ([^ ]*))?(?: ([^ ]*))?(?: ([^ ]*))?(?: ([^ ]*))?.*$",
);
/// Source buckets of one table. The service recommends few values in an enumeration, and a list of names of full length
/// must stay far below the megabyte that a table's metadata may have (Athena user guide, types for partition projection).
const SOURCES_PER_TABLE: usize = 1_000;
/// About what a table and its queries take beside the names of sources.
const SQL_BYTES: usize = 8_000;
/// Values of an `IN` that give an injected column its values.
const ACCOUNTS_PER_QUERY: usize = 1_000;

/// Contract of `athena/region.sql`.
#[derive(Debug, Serialize)]
struct SqlContext<'a> {
    /// Header lines.
    header: Vec<String>,
    /// Key of the account.
    account_key: &'a str,
    /// Twelve digits.
    account_id: &'a str,
    /// Region name.
    region: &'a str,
    /// Name of the database: letters, digits and underscores.
    database: String,
    /// Keys of access logs are laid out by account, Region, bucket and day, of some sources at least. False: flat lists of objects only.
    partitioned: bool,
    /// The day in them is the day of delivery, not of the request, of some sources at least.
    by_delivery: bool,
    /// Names of all sources.
    sources: Vec<&'a str>,
    /// Tables of access logs.
    access: Vec<AccessTable>,
    /// Tables of CloudTrail events.
    trails: Vec<TrailTable>,
    /// Calls that change logging or log buckets, as CloudTrail names them.
    bucket_calls: Vec<&'static str>,
    /// Calls that change trails.
    trail_calls: [&'static str; 4],
}

/// A table of access logs: sources with one prefix.
#[derive(Debug, Serialize)]
pub(super) struct AccessTable {
    /// Letters, digits and underscores.
    pub(super) name: String,
    /// `s3://<bucket>/<prefix>`; of flat keys the folder that they lie in, ending in `/`.
    location: String,
    /// Its keys are flat, so that it has no partitions.
    flat: bool,
    /// The sources whose records the view takes from it, where it has others' as well; empty for all.
    only: Vec<String>,
    /// What it is.
    pub(super) shape: Shape,
}

/// A table of the events of one trail.
#[derive(Debug, Serialize)]
pub(super) struct TrailTable {
    /// Letters, digits and underscores.
    pub(super) name: String,
    /// The trail's name.
    trail: String,
    /// `s3://<bucket>/[prefix/]AWSLogs/[organization/]`.
    location: String,
    /// Ids of the accounts that write, or for an organization trail of the accounts that the map knows.
    accounts: Vec<String>,
    /// Events of accounts come here that the map does not know, so that a query must name the accounts.
    organization: bool,
    /// Regions whose events come.
    regions: Vec<String>,
    /// Days after which objects expire.
    days: u32,
    /// What it is.
    pub(super) shape: Shape,
}

/// Renders `athena/<account>/<region>.sql` for each Region with a log bucket.
///
/// # Errors
/// An overridden template fails, or the sink does.
pub(crate) fn render(cx: &Context<'_>, sink: &mut Sink<'_>) -> Result<()> {
    let engine = Engine::new(TEMPLATES, cx.overrides)?;
    let catalog = Catalog::of(cx.plan());
    for account in cx.accounts() {
        for placement in cx.placements(account).filter(|placement| !placement.buckets.is_empty()) {
            let Tables { database, access, trails } = catalog.tables(account, placement);
            let dates = || placement.sources.iter().filter_map(|source| source.key_format.partition_date_source());
            let mut context = SqlContext {
                header: Vec::new(),
                account_key: &account.key,
                account_id: &account.id,
                region: &placement.region,
                database,
                partitioned: dates().next().is_some(),
                by_delivery: dates().any(|date| date == "DeliveryTime"),
                sources: placement.sources.iter().map(|source| source.name.as_str()).collect(),
                access,
                trails,
                bucket_calls: watch::BUCKET_CALLS.into_iter().chain(watch::LOG_BUCKET_CALLS).collect(),
                trail_calls: watch::TRAIL_CALLS,
            };
            context.header = cx.header(&(&account.key, &account.id, cx.digests.placement(account, placement), &context.trails));
            let names: usize = context.sources.iter().map(|name| name.len()).sum();
            engine.reserve(2 * names + SQL_BYTES * (1 + context.access.len() + context.trails.len()));
            let text = engine.render(REGION, &context)?;
            sink(Artifact::file(format!("athena/{}/{}.sql", account.key, placement.region), text))?;
        }
    }
    Ok(())
}

/// The tables of a placement.
pub(super) struct Tables {
    /// Name of the database: letters, digits and underscores.
    pub(super) database: String,
    /// Tables of access logs.
    pub(super) access: Vec<AccessTable>,
    /// Tables of CloudTrail events.
    pub(super) trails: Vec<TrailTable>,
}

impl Tables {
    /// Names and shapes of all of them.
    pub(super) fn all(&self) -> impl Iterator<Item = (&str, &Shape)> {
        let access = self.access.iter().map(|table| (table.name.as_str(), &table.shape));
        access.chain(self.trails.iter().map(|table| (table.name.as_str(), &table.shape)))
    }
}

/// Who writes to which bucket: what tables are made of.
pub(super) struct Catalog<'p> {
    known: Known,
    writers: IndexMap<&'p str, Vec<(&'p Account, &'p Placement, &'p Trail)>>,
}

impl<'p> Catalog<'p> {
    /// Of a plan.
    pub(super) fn of(plan: &'p Plan) -> Self {
        let mut writers: IndexMap<&str, Vec<(&Account, &Placement, &Trail)>> = IndexMap::new();
        for (account, placement) in plan.placements() {
            for trail in &placement.trails {
                writers.entry(trail.bucket.as_str()).or_default().push((account, placement, trail));
            }
        }
        Catalog { known: Known::of(plan), writers }
    }

    /// The tables of a placement.
    pub(super) fn tables(&self, account: &Account, placement: &Placement) -> Tables {
        let taken = |bucket: &LogBucket| self.writers.get(bucket.name.as_str()).map_or(&[][..], Vec::as_slice);
        Tables {
            database: identifier(&format!("logmap_{}_{}", account.key, placement.region)),
            access: placement.access_log_bucket().map_or_else(Vec::new, |bucket| access_tables(account, placement, bucket)),
            trails: placement.buckets.iter().flat_map(|bucket| trail_tables(&self.known, bucket, taken(bucket))).collect(),
        }
    }
}

/// One table for each prefix, and for each thousand sources that share it.
fn access_tables(account: &Account, placement: &Placement, bucket: &LogBucket) -> Vec<AccessTable> {
    let partitioned = |source: &&Source| source.key_format != KeyFormat::Simple;
    let mut by_prefix: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for source in placement.sources.iter().filter(partitioned) {
        by_prefix.entry(&source.prefix).or_default().push(&source.name);
    }
    let projected =
        by_prefix.iter().flat_map(|(prefix, names)| names.chunks(SOURCES_PER_TABLE).map(move |names| (prefix, names)));
    let projected = projected.map(|(prefix, names)| {
        let location = format!("s3://{}/{prefix}", bucket.name);
        let joined = names.join(",");
        let partitions =
            [("account_id", account.id.as_str()), ("region", placement.region.as_str()), ("source_bucket", joined.as_str())];
        AccessTable {
            shape: shape::access(RECORD, &location, days(bucket, &location), &partitions),
            flat: false,
            only: Vec::new(),
            name: String::new(),
            location,
        }
    });
    let mut tables: Vec<AccessTable> = projected.chain(flat_tables(placement, bucket)).collect();
    for (at, table) in tables.iter_mut().enumerate() {
        table.name = format!("access_logs_{}", at + 1);
    }
    tables
}

/// One table for each folder of flat keys. Without partitions a table has all that is below its folder, so another one there would
/// have it twice.
fn flat_tables<'a>(placement: &'a Placement, bucket: &'a LogBucket) -> impl Iterator<Item = AccessTable> + 'a {
    let flat: Vec<&Source> = placement.sources.iter().filter(|source| source.key_format == KeyFormat::Simple).collect();
    let mut by_folder: BTreeMap<&str, Vec<&Source>> = BTreeMap::new();
    for source in flat {
        let own = format!("{}/", source.name);
        // each source has a folder of its own below the common one; the root has what others deliver too
        let common = source.prefix.strip_suffix(&own).filter(|rest| rest.ends_with('/'));
        by_folder.entry(common.unwrap_or_else(|| folder(&source.prefix))).or_default().push(source);
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
            name: String::new(),
            shape: shape::access(RECORD, &location, days(bucket, &location), &[]),
            flat: true,
            only: if among_others { sources.iter().map(|source| source.name.clone()).collect() } else { Vec::new() },
            location,
        }
    })
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
        for account in &plan.accounts {
            let (_, accounts) = by_partition.entry(account.partition).or_default();
            if accounts.len() < ACCOUNTS_PER_QUERY {
                accounts.push(account.id.clone());
            }
        }
        Known { by_partition }
    }

    fn regions(&self, partition: Partition) -> Vec<String> {
        self.by_partition.get(&partition).map_or_else(Vec::new, |(regions, _)| regions.iter().cloned().collect())
    }

    fn members(&self, partition: Partition) -> Vec<String> {
        self.by_partition.get(&partition).map_or_else(Vec::new, |(_, accounts)| accounts.clone())
    }
}

/// One table for each trail that delivers to the bucket, whatever the number of accounts that write it.
fn trail_tables(known: &Known, bucket: &LogBucket, writers: &[(&Account, &Placement, &Trail)]) -> Vec<TrailTable> {
    let mut tables: IndexMap<(&str, String), TrailTable> = IndexMap::new();
    for &(account, placement, trail) in writers {
        let location = format!("s3://{}/{}", bucket.name, trail.folder());
        let table = tables.entry((&trail.name, location.clone())).or_insert_with(|| TrailTable {
            name: format!("cloudtrail_{}", identifier(&trail.name)),
            trail: trail.name.clone(),
            // filled in once all that write to it are known
            shape: shape::events(&location, 0, Values::Injected, ""),
            days: days(bucket, &location),
            location,
            accounts: if trail.organization { known.members(account.partition) } else { Vec::new() },
            organization: trail.organization,
            regions: if trail.multi_region { known.regions(account.partition) } else { Vec::new() },
        });
        if !trail.organization {
            table.accounts.push(account.id.clone());
        }
        if !trail.multi_region {
            table.regions.push(placement.region.clone());
        }
    }
    // `a-b` and `a.b` are two trails
    let mut seen: IndexMap<String, usize> = IndexMap::new();
    let mut tables: Vec<TrailTable> = tables.into_values().collect();
    for table in &mut tables {
        for list in [&mut table.accounts, &mut table.regions] {
            list.sort_unstable();
            list.dedup();
        }
        let count = seen.entry(table.name.clone()).or_default();
        *count += 1;
        if *count > 1 {
            table.name += &format!("__{count}");
        }
        let accounts = table.accounts.join(",");
        let accounts = if table.organization { Values::Injected } else { Values::Enum(&accounts) };
        table.shape = shape::events(&table.location, table.days, accounts, &table.regions.join(","));
    }
    tables
}

/// Days that a query may look back for what lies below a location. Where nothing expires, or other code says when, it is ten years.
fn days(bucket: &LogBucket, location: &str) -> u32 {
    let prefix =
        location.strip_prefix("s3://").and_then(|rest| rest.strip_prefix(&*bucket.name)?.strip_prefix('/')).unwrap_or_default();
    let here = bucket.lifecycle.iter().filter(|rule| rule.prefix.starts_with(prefix) || prefix.starts_with(&rule.prefix));
    here.map(|rule| rule.expire_after_days).reduce(later).flatten().unwrap_or(3650)
}

/// Lower-case letters, digits and underscores: an identifier that needs no quotes in DDL or in queries.
fn identifier(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect()
}
