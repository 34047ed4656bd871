//! Target `athena`: tables over what each log bucket takes, and queries people ask, as SQL for each account and Region.
//!
//! Which tables there are stands in `tables`; here they become text. Names that become identifiers are made of letters, digits and
//! underscores; everything else lands in string literals through `hive` (DDL) or `sql` (queries).

use super::{
    Context, Sink,
    central::{Asking, Question, View},
    engine::Engine,
};
use crate::{
    artifacts::Artifact,
    aws::{region, watch},
    plan::{Source, central::DATABASE},
    tables::{Catalog, NAMES_PER_STATEMENT, Tables, shape::Shape},
};
use anyhow::Result;
use indexmap::IndexMap;
use serde::Serialize;

const REGION: &str = "athena/region.sql";
const CENTRAL: &str = "athena/central.sql";

/// The templates.
pub(crate) const TEMPLATES: &[(&str, &str)] = &[
    (REGION, include_str!("../../templates/athena/region.sql")),
    (CENTRAL, include_str!("../../templates/athena/central.sql")),
    ("athena/view.sql", include_str!("../../templates/athena/view.sql")),
    ("athena/question.sql", include_str!("../../templates/athena/question.sql")),
    ("athena/table.sql", include_str!("../../templates/athena/table.sql")),
];

/// About what a table and its queries take beside the names of sources.
const SQL_BYTES: usize = 8_000;

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
    database: &'a str,
    /// Terraform or CloudFormation makes the tables, too.
    glue: bool,
    /// Keys of access logs are laid out by account, Region, bucket and day, of some sources at least. False: flat lists of objects only.
    partitioned: bool,
    /// The day in them is the day of delivery, not of the request, of some sources at least.
    by_delivery: bool,
    /// Names of all sources.
    sources: Vec<&'a str>,
    /// The same, as many together as one statement may name.
    source_groups: Vec<Vec<&'a str>>,
    /// Tables of access logs.
    access: Vec<AccessContext<'a>>,
    /// Tables of CloudTrail events.
    trails: Vec<TrailContext<'a>>,
    /// Calls that change logging or log buckets, as CloudTrail names them.
    bucket_calls: Vec<&'static str>,
    /// Calls that change trails.
    trail_calls: [&'static str; 4],
    /// Date of the table of Regions.
    table_date: &'static str,
}

/// A table of access logs: sources with one prefix.
#[derive(Debug, Serialize)]
struct AccessContext<'a> {
    /// Letters, digits and underscores.
    name: &'a str,
    /// `s3://<bucket>/<prefix>`; of flat keys the folder that they lie in, ending in `/`.
    location: &'a str,
    /// Its keys are flat, so that it has no partitions.
    flat: bool,
    /// Which of several tables with this prefix it is, from 1.
    part: usize,
    /// How many tables there are with this prefix.
    parts: usize,
    /// The sources whose records the view takes from it, where it has others' as well; empty for all, and where there are too many to be named.
    only: &'a [String],
    /// They are too many to be named: the view leaves out what does not lie there as flat keys do.
    only_flat: bool,
    /// Days after which objects become ones that a query skips; 0 for never.
    archived_after: u32,
    /// What it is.
    shape: &'a Shape,
}

/// A table of the events below one folder.
#[derive(Debug, Serialize)]
struct TrailContext<'a> {
    /// Letters, digits and underscores.
    name: &'a str,
    /// Names of the trails that deliver there, with commas.
    trail: String,
    /// More than one trail delivers there, each a copy of its own of an event.
    several: bool,
    /// `s3://<bucket>/[prefix/]AWSLogs/[organization/]`.
    location: &'a str,
    /// Ids of the accounts that write, or for an organization trail of the accounts that the map knows.
    accounts: &'a [String],
    /// Events of accounts come here that the map does not know.
    organization: bool,
    /// A query must name the accounts that it asks about.
    injected: bool,
    /// A trail records all Regions, those that AWS opens later, too.
    every_region: bool,
    /// Regions whose events are read.
    regions: &'a [String],
    /// KMS keys that encrypt what lies there.
    keys: Vec<&'a str>,
    /// Days after which objects become ones that a query skips; 0 for never.
    archived_after: u32,
    /// What it is.
    shape: &'a Shape,
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
            let tables = catalog.tables(account, placement);
            let dates = || placement.sources.iter().filter_map(|source| source.key_format.partition_date_source());
            let mut context = SqlContext {
                header: Vec::new(),
                account_key: &account.key,
                account_id: &account.id,
                region: &placement.region,
                database: &tables.database,
                glue: cx.plan().render.glue,
                partitioned: dates().next().is_some(),
                by_delivery: dates().any(|date| date == "DeliveryTime"),
                sources: placement.sources.iter().map(|source| source.name.as_str()).collect(),
                source_groups: groups(&placement.sources),
                access: access(&tables),
                trails: trails(&tables),
                bucket_calls: watch::BUCKET_CALLS.into_iter().chain(watch::LOG_BUCKET_CALLS).collect(),
                trail_calls: watch::TRAIL_CALLS,
                table_date: region::TABLE_DATE,
            };
            context.header = cx.header(&(&account.key, &account.id, cx.digests.placement(account, placement), &context.trails));
            let names: usize = context.sources.iter().map(|name| name.len()).sum();
            engine.reserve(2 * names + SQL_BYTES * (1 + context.access.len() + context.trails.len()));
            let text = engine.render(REGION, &context)?;
            sink(Artifact::file(format!("athena/{}/{}.sql", account.key, placement.region), text))?;
        }
    }
    if let Some(asking) = Asking::of(cx, &engine, &catalog)? {
        sink(Artifact::file(format!("athena/{}/central.sql", asking.central.account.key), central(cx, &engine, &asking)?))?;
    }
    Ok(())
}

/// Contract of `athena/central.sql`.
#[derive(Serialize)]
struct CentralContext<'a> {
    /// Header lines.
    header: Vec<String>,
    /// Key of the account.
    account_key: &'a str,
    /// Twelve digits.
    account_id: &'a str,
    /// Region of the database.
    region: &'a str,
    /// Name of the database.
    database: &'static str,
    /// Name of the workgroup.
    workgroup: &'static str,
    /// ARNs of the roles that may read; empty for whomever the account lets.
    roles: &'a [String],
    /// Regions whose buckets are read and which the account has to enable.
    opt_in: Vec<&'a str>,
    /// Terraform or CloudFormation makes all of it, too.
    glue: bool,
    /// What is left out, as sentences.
    left_out: &'a [String],
    /// The tables.
    tables: Vec<CentralTable<'a>>,
    /// The views, each behind those that it takes.
    views: &'a [View],
    /// Queries over them.
    questions: &'a [Question],
}

/// A table of the account that asks.
#[derive(Serialize)]
struct CentralTable<'a> {
    /// Letters, digits and underscores.
    name: &'a str,
    /// Key of the account of the log bucket.
    account_key: &'a str,
    /// Region of the log bucket.
    region: &'a str,
    /// `s3://<bucket>/<prefix>`.
    location: &'a str,
    /// Names of the trails that deliver there, with commas; empty for access logs.
    trails: String,
    /// Others deliver there, too.
    others: bool,
    /// A query must name the accounts that it asks about.
    injected: bool,
    /// KMS keys that encrypt what lies there.
    keys: Vec<&'a str>,
    /// Days after which objects become ones that a query skips; 0 for never.
    archived_after: u32,
    /// What it is.
    shape: &'a Shape,
}

fn central(cx: &Context<'_>, engine: &Engine, asking: &Asking<'_>) -> Result<String> {
    let mut tables = Vec::new();
    for of in &asking.accounts {
        let account_key = of.account.key.as_str();
        tables.extend(of.access().map(|(region, table)| CentralTable {
            name: &table.name,
            account_key,
            region,
            location: &table.location,
            trails: String::new(),
            others: !table.only.is_empty(),
            injected: false,
            keys: Vec::new(),
            archived_after: table.archived_after.unwrap_or(0),
            shape: &table.shape,
        }));
        tables.extend(of.trails().map(|(region, table)| CentralTable {
            name: &table.name,
            account_key,
            region,
            location: &table.location,
            trails: table.trails.iter().map(String::as_str).collect::<Vec<_>>().join(", "),
            others: false,
            injected: table.injected,
            keys: table.keys.iter().map(String::as_str).collect(),
            archived_after: table.archived_after.unwrap_or(0),
            shape: &table.shape,
        }));
    }
    let central = asking.central;
    let mut context = CentralContext {
        header: Vec::new(),
        account_key: &central.account.key,
        account_id: &central.account.id,
        region: &central.region,
        database: DATABASE,
        workgroup: asking.workgroup(),
        roles: &central.roles,
        opt_in: asking.opt_in(),
        glue: cx.plan().render.glue,
        left_out: &asking.left_out,
        tables,
        views: &asking.views,
        questions: &asking.questions,
    };
    context.header = cx.header(&context);
    engine.reserve(SQL_BYTES * context.tables.len());
    engine.render(CENTRAL, &context)
}

fn groups(sources: &[Source]) -> Vec<Vec<&str>> {
    sources.chunks(NAMES_PER_STATEMENT).map(|group| group.iter().map(|source| source.name.as_str()).collect()).collect()
}

fn access(tables: &Tables) -> Vec<AccessContext<'_>> {
    // all tables with such lists share one view
    let listed: usize = tables.access.iter().map(|table| table.only.len()).sum();
    let each = tables.access.iter().map(|table| {
        let only_flat = !table.only.is_empty() && listed > NAMES_PER_STATEMENT;
        AccessContext {
            name: &table.name,
            location: &table.location,
            flat: table.flat,
            part: table.part.0,
            parts: table.part.1,
            only: if only_flat { &[] } else { &table.only },
            only_flat,
            archived_after: table.archived_after.unwrap_or(0),
            shape: &table.shape,
        }
    });
    each.collect()
}

fn trails(tables: &Tables) -> Vec<TrailContext<'_>> {
    let each = tables.trails.iter().map(|table| TrailContext {
        name: &table.name,
        trail: table.trails.iter().map(String::as_str).collect::<Vec<_>>().join(", "),
        several: table.trails.len() > 1,
        location: &table.location,
        accounts: &table.accounts,
        organization: table.organization,
        injected: table.injected,
        every_region: table.every_region,
        regions: &table.regions,
        keys: table.keys.iter().map(String::as_str).collect(),
        archived_after: table.archived_after.unwrap_or(0),
        shape: &table.shape,
    });
    each.collect()
}

/// A table as a Glue resource: what the templates of Terraform and CloudFormation get.
#[derive(Debug, Serialize)]
pub(crate) struct GlueTable<'a> {
    /// Resource label or logical id.
    pub label: String,
    /// Name of the table in its database.
    pub name: &'a str,
    /// What it is.
    pub shape: &'a Shape,
    /// Properties of the table by key.
    pub parameters: IndexMap<&'a str, &'a str>,
    /// Properties of what reads records by key.
    pub serde: IndexMap<&'a str, &'a str>,
}

impl<'a> GlueTable<'a> {
    /// The table of this name under this label.
    pub(crate) fn new(label: String, name: &'a str, shape: &'a Shape) -> Self {
        GlueTable { label, name, parameters: shape.table_parameters(), serde: shape.serde_parameters(), shape }
    }
}
