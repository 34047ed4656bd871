//! The account that asks the logs of all: `cloudformation/central.yaml`, a stack of its own, and more of them for the tables of many
//! accounts.
//!
//! All tables and views of an account are in one stack. It keeps its stack when others come or go; where twice as many stacks are needed,
//! half of each go to a later one, and in the order of their numbers the earlier stack lets go of a table before the later one takes it.

use super::{
    ids::{camel, id},
    split::INLINE_BYTES,
};
use crate::{
    artifacts::Artifact,
    aws::limits::ABORT_UPLOAD_AFTER_DAYS,
    digest::number,
    plan::central::{Central, DATABASE},
    policy::Policy,
    render::{
        Context, Sink,
        athena::GlueTable,
        central::{Asking, CentralQuestion, CentralView, View, results_policy},
        engine::Engine,
        scanners::{RESULTS_OF_STACKS, RESULTS_POLICY, metadata},
    },
    tables::{Catalog, shape::Shape},
};
use anyhow::Result;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeSet;

/// The template.
pub(super) const TEMPLATE: &str = "cloudformation/central.yaml";

/// Resources of one template, with room for those that are no tables: AWS allows 500 (CloudFormation user guide, "Understand
/// CloudFormation quotas").
const MOST_RESOURCES: usize = 450;
/// Bytes of the tables of one template: AWS allows 1 MB (the same page).
const MOST_BYTES: usize = 800_000;
/// About what a table takes beside the values of its properties, with its columns.
const TABLE_BYTES: usize = 4_500;
/// More stacks than that help nobody.
const MOST_STACKS: u64 = 1_024;

/// Contract of `cloudformation/central.yaml`.
#[derive(Serialize)]
struct CentralContext<'a> {
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
    /// True: a stack with tables and views alone; the database is in the first one.
    elsewhere: bool,
    /// Name of the database.
    database: &'static str,
    /// Name of the workgroup.
    workgroup: &'static str,
    /// Name of the bucket for results.
    bucket: &'a str,
    /// `s3://<bucket>/`.
    output_location: String,
    /// Its policy.
    policy: &'a Policy,
    /// `Metadata` of the bucket: what does not fit it, for scanners.
    metadata: Value,
    /// The same of its policy.
    policy_metadata: Value,
    /// Days after which results are deleted.
    result_days: u32,
    /// Days after which the parts of an unfinished upload are.
    abort_upload_after_days: u32,
    /// Bytes that one query may scan.
    scan_limit_bytes: u64,
    /// The tables.
    tables: Vec<GlueTable<'a>>,
    /// The views.
    views: Vec<CentralView<'a>>,
    /// The questions.
    questions: Vec<CentralQuestion<'a>>,
    /// What is left out, as sentences.
    left_out: &'a [String],
}

/// What one stack has.
#[derive(Default)]
struct Share<'a> {
    tables: Vec<(&'a str, &'a Shape)>,
    views: Vec<&'a View>,
}

impl Share<'_> {
    fn resources(&self) -> usize {
        self.tables.len() + self.views.len()
    }

    fn bytes(&self) -> usize {
        let values = |shape: &Shape| {
            shape.parameters.iter().chain(&shape.serde).map(|one| one.key.len() + 2 * one.value.len()).sum::<usize>()
        };
        let tables: usize = self.tables.iter().map(|(_, shape)| TABLE_BYTES + values(shape)).sum();
        tables + self.views.iter().map(|view| TABLE_BYTES + view.original_text.len()).sum::<usize>()
    }

    fn fits(&self) -> bool {
        self.resources() <= MOST_RESOURCES && self.bytes() <= MOST_BYTES
    }
}

/// All of it in one share, or the shares of further stacks by account; what is over all accounts is in the first.
fn shares<'a>(asking: &'a Asking<'_>) -> Vec<Share<'a>> {
    let keys: BTreeSet<&str> = asking.accounts.iter().map(|of| of.account.key.as_str()).collect();
    let share = |count: u64, at: u64| {
        let here = |key: &str| count == 0 || number(key) % count == at;
        Share {
            tables: asking.tables().filter(|(key, ..)| here(key)).map(|(_, name, shape)| (name, shape)).collect(),
            views: asking.views.iter().filter(|view| !view.account.is_empty() && here(&view.account)).collect(),
        }
    };
    let over_all = || asking.views.iter().filter(|view| view.account.is_empty());
    let mut whole = share(0, 0);
    whole.views.extend(over_all());
    if whole.fits() || keys.len() < 2 {
        return vec![whole];
    }
    let mut count = 1;
    let mut shares = vec![whole];
    while count < MOST_STACKS && shares.iter().any(|share| !share.fits()) {
        count *= 2;
        shares = (0..count).map(|at| share(count, at)).collect();
    }
    shares.insert(0, Share { tables: Vec::new(), views: over_all().collect() });
    shares
}

/// The stacks of the account that asks.
pub(super) fn render(cx: &Context<'_>, engine: &Engine, catalog: &Catalog<'_>, sink: &mut Sink<'_>) -> Result<()> {
    let Some(asking) = Asking::of(cx, engine, catalog)? else { return Ok(()) };
    let central = asking.central;
    let policy = results_policy(central);
    for (at, share) in shares(&asking).iter().enumerate().filter(|(at, share)| *at == 0 || share.resources() > 0) {
        let part = if at == 0 { String::new() } else { format!("-{}", at + 1) };
        let text = stack(cx, engine, &asking, &policy, (at, share, &part))?;
        let file = format!("cloudformation/{}/{}-athena-central{part}.yaml", central.account.key, central.region);
        sink(Artifact::file(file, text))?;
    }
    Ok(())
}

fn stack(
    cx: &Context<'_>,
    engine: &Engine,
    asking: &Asking<'_>,
    policy: &Policy,
    (at, share, part): (usize, &Share<'_>, &str),
) -> Result<String> {
    let central: &Central = asking.central;
    let (key, account_id, region) = (&central.account.key, &central.account.id, &central.region);
    let first = at == 0;
    let mut context = CentralContext {
        header: Vec::new(),
        description: format!("Athena tables over the logs of all accounts, for account {key} ({account_id}) in {region}"),
        guard: format!("OnlyForAccount{account_id}In{}", camel(region)),
        account_id,
        account_key: key,
        region,
        elsewhere: !first,
        database: DATABASE,
        workgroup: asking.workgroup(),
        bucket: &central.result_bucket,
        output_location: format!("s3://{}/", central.result_bucket),
        policy,
        metadata: metadata(RESULTS_OF_STACKS, &[]),
        policy_metadata: metadata(RESULTS_POLICY, &[]),
        result_days: central.result_days,
        abort_upload_after_days: ABORT_UPLOAD_AFTER_DAYS,
        scan_limit_bytes: central.scan_limit_bytes,
        tables: share.tables.iter().map(|(name, shape)| GlueTable::new(id("Table", name), name, shape)).collect(),
        views: share.views.iter().map(|view| CentralView::new(id("View", &view.name), view)).collect(),
        questions: match first {
            true => asking.questions.iter().map(|one| CentralQuestion::new(format!("Query{}", camel(one.key)), one)).collect(),
            false => Vec::new(),
        },
        left_out: if first { &asking.left_out } else { &[] },
    };
    context.header = cx.header(&context);
    context.header.extend([format!("account: {account_id}"), format!("region: {region}")]);
    if !share.fits() {
        context.header.push("One account has more tables than a template takes: CloudFormation will refuse this one. Run the SQL, or use Terraform.".to_owned());
    }
    let order = if first { "" } else { ", after the stacks with lower numbers" };
    context.header.push(format!("Deploy in account {key} ({account_id}){order}:"));
    context.header.push(format!(
        "  aws cloudformation deploy --region {region} --stack-name logmap-athena-central{part} --template-file {region}-athena-central{part}.yaml"
    ));
    let mut text = engine.render(TEMPLATE, &context)?;
    if text.len() > INLINE_BYTES
        && let Some(command) = context.header.last_mut()
    {
        command.push_str(" --s3-bucket A_BUCKET_FOR_LONG_TEMPLATES");
        text = engine.render(TEMPLATE, &context)?;
    }
    Ok(text)
}
