//! The tables of Athena as Glue resources: `cloudformation/athena.yaml`, a stack of its own for each account and Region, because
//! the names of many sources in a table make a template long.

use super::{
    ids::{camel, id},
    split::INLINE_BYTES,
};
use crate::{
    artifacts::Artifact,
    plan::{Account, Placement},
    render::{Context, Sink, athena::GlueTable, engine::Engine},
    tables::Catalog,
};
use anyhow::Result;
use serde::Serialize;

/// The template.
pub(super) const TEMPLATE: &str = "cloudformation/athena.yaml";

/// Contract of `cloudformation/athena.yaml`.
#[derive(Serialize)]
struct AthenaContext<'a> {
    /// Comment lines for the head of the file.
    header: Vec<String>,
    /// The stack's description.
    description: String,
    /// Name of the lookup that fails in a wrong account or Region.
    guard: String,
    /// Twelve digits.
    account_id: &'a str,
    /// Key of the account.
    account_key: &'a str,
    /// Region name.
    region: &'a str,
    /// Name of the database.
    database: String,
    /// The tables.
    tables: Vec<GlueTable<'a>>,
}

/// The stack with a placement's tables.
pub(super) fn render(
    cx: &Context<'_>,
    engine: &Engine,
    catalog: &Catalog<'_>,
    account: &Account,
    placement: &Placement,
    sink: &mut Sink<'_>,
) -> Result<()> {
    let tables = catalog.tables(account, placement);
    let contexts = tables.all().map(|(name, shape)| GlueTable::new(id("Table", name), name, shape));
    let region = &placement.region;
    let mut context = AthenaContext {
        header: Vec::new(),
        description: format!("Athena tables over the logs of account {} ({}) in {region}", account.key, account.id),
        guard: format!("OnlyForAccount{}In{}", account.id, camel(region)),
        account_id: &account.id,
        account_key: &account.key,
        region,
        tables: contexts.collect(),
        database: tables.database.clone(),
    };
    context.header = cx.header(&context);
    context.header.extend([format!("account: {}", account.id), format!("region: {region}")]);
    context.header.push(format!("Deploy in account {} ({}), after {region}.yaml:", account.key, account.id));
    context.header.push(format!(
        "  aws cloudformation deploy --region {region} --stack-name logmap-athena --template-file {region}-athena.yaml"
    ));
    let mut text = engine.render(TEMPLATE, &context)?;
    if text.len() > INLINE_BYTES
        && let Some(command) = context.header.last_mut()
    {
        command.push_str(" --s3-bucket A_BUCKET_FOR_LONG_TEMPLATES");
        text = engine.render(TEMPLATE, &context)?;
    }
    sink(Artifact::file(format!("cloudformation/{}/{region}-athena.yaml", account.key), text))
}
