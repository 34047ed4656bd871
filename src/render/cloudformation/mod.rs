//! CloudFormation: one stack for each account and Region, more for sources that do not fit, and StackSet templates.
//!
//! Takes the plan, gives YAML templates, the files of resource imports and a page on the StackSets. A template is plain
//! YAML (no short tags) with literal names; a lookup by account and Region makes it fail anywhere else. This file says
//! which files there are; `context` what is in them, `split` which source goes where, `preflight` the check that comes before,
//! `stacksets` and `import` the rest.

mod athena;
mod central;
mod context;
mod ids;
mod import;
mod monitoring;
mod outputs;
mod preflight;
mod split;
mod stacksets;
#[cfg(test)]
mod tests;

use super::{
    Context, Sink, athena as athena_sql, aws_cli,
    engine::{Engine, Part},
};
use crate::{
    artifacts::Artifact,
    digest::digest,
    plan::{Account, FunctionVpc, Placement, RenderSettings, Source},
    tables::Catalog,
};
use anyhow::Result;
use context::{FunctionContext, OutputsContext, PlacementContext, PlacementPart, StackContext, VendedContext, VpcContext};
use ids::camel;
use outputs::outputs;
use serde::Serialize;
use split::Each;
use stacksets::StackSets;
use std::slice;

/// The embedded templates of this target.
pub(crate) const TEMPLATES: &[(&str, &str)] = &[
    (STACK, include_str!("../../../templates/cloudformation/stack.yaml")),
    (RESOURCES, include_str!("../../../templates/cloudformation/resources.yaml")),
    (OUTPUTS, include_str!("../../../templates/cloudformation/outputs.yaml")),
    (FUNCTION, include_str!("../../../templates/cloudformation/function.yaml")),
    (PYTHON, include_str!("../../../templates/cloudformation/access_logging.py")),
    (central::TEMPLATE, include_str!("../../../templates/cloudformation/central.yaml")),
    ("cloudformation/table.yaml", include_str!("../../../templates/cloudformation/table.yaml")),
    (athena::TEMPLATE, include_str!("../../../templates/cloudformation/athena.yaml")),
    ("cloudformation/monitoring.yaml", include_str!("../../../templates/cloudformation/monitoring.yaml")),
    (preflight::TEMPLATE, include_str!("../../../templates/cloudformation/preflight.sh")),
    (stacksets::README, include_str!("../../../templates/cloudformation/stacksets.md")),
];

const STACK: &str = "cloudformation/stack.yaml";
const RESOURCES: &str = "cloudformation/resources.yaml";
const OUTPUTS: &str = "cloudformation/outputs.yaml";
const FUNCTION: &str = "cloudformation/function.yaml";
const PYTHON: &str = "cloudformation/access_logging.py";

/// The permission to set logging, without the ARNs of the sources, is never larger than this.
const PERMISSION_BYTES: usize = 600;

/// About what a function's VPC takes: the ids, in the function and in a lookup, and once in a template the rights to it.
fn vpc_bytes(vpc: Option<&FunctionVpc>) -> usize {
    vpc.map_or(0, |vpc| vpc.subnets.iter().chain(&vpc.security_groups).map(|id| id.len() + 4).sum::<usize>() + 1_000)
}

/// Number of the stack that has the log buckets.
const FIRST: usize = 1;

/// Name of the stack with that number.
fn stack_name(number: usize) -> String {
    if number == FIRST { "logmap".to_owned() } else { format!("logmap-sources-{number}") }
}

/// The part of the plan that a stack is made of: what its digest is taken from.
#[derive(Serialize)]
struct Slice<'a> {
    account: &'a str,
    account_id: &'a str,
    placement: String,
    render: &'a RenderSettings,
}

/// Renders the stacks and StackSet templates of the accounts and Regions that were asked for.
///
/// # Errors
/// A template that fails, or the sink's own errors.
pub(crate) fn render(cx: &Context, sink: &mut Sink) -> Result<()> {
    let renderer = Renderer::new(cx)?;
    let catalog = cx.plan().render.glue.then(|| Catalog::of(cx.plan()));
    // they are about all accounts, so a run for some leaves them alone
    let whole = cx.filter.accounts.is_empty() && cx.filter.regions.is_empty();
    let before = cx.stack_sets.map_or(&[][..], |memory| memory.before);
    let mut stacksets = (whole && cx.plan().render.stack_sets).then(|| StackSets::new(&renderer, cx.plan().placements(), before));
    let mut place = 0;
    let mut checked = false;
    for account in cx.accounts() {
        for placement in cx.placements(account) {
            let alone = renderer.placement(account, placement, sink)?;
            checked = true;
            place += 1;
            if let Some(stacksets) = &mut stacksets {
                stacksets.add(place, account, placement, alone, sink)?;
            }
            if let Some(catalog) = catalog.as_ref().filter(|_| !placement.buckets.is_empty()) {
                athena::render(cx, &renderer.engine, catalog, account, placement, sink)?;
            }
        }
    }
    if let Some(catalog) = &catalog {
        central::render(cx, &renderer.engine, catalog, sink)?;
    }
    if checked {
        aws_cli::library("cloudformation", &renderer.engine, sink)?;
    }
    if let Some(stacksets) = stacksets {
        let after = stacksets.finish(before, sink)?;
        cx.stack_sets.iter().for_each(|memory| memory.settle(after.clone()));
    }
    Ok(())
}

/// What the files of this target have in common.
struct Renderer<'a> {
    cx: &'a Context<'a>,
    engine: Engine,
    /// The code of the Lambda function.
    python: String,
    /// The Lambda function and what it needs, in no VPC.
    function: Part,
}

impl<'a> Renderer<'a> {
    fn new(cx: &'a Context<'a>) -> Result<Self> {
        // the checks before a deployment are scripts like the others
        // views and questions are those of the SQL
        let engine = Engine::new(&[TEMPLATES, aws_cli::TEMPLATES, athena_sql::TEMPLATES].concat(), cx.overrides)?;
        let python = engine.render(PYTHON, &serde_json::json!({}))?;
        let function = engine.part(FUNCTION, &FunctionContext::new(python.clone(), &cx.plan().render, Vec::new()))?;
        Ok(Renderer { cx, engine, python, function })
    }

    /// The stack of a placement, those for the sources that do not fit into it, and the files of a resource import. Gives what is in
    /// the stack if one is enough.
    fn placement<'p>(
        &self,
        account: &'p Account,
        placement: &'p Placement,
        sink: &mut Sink,
    ) -> Result<Option<PlacementPart<'p>>> {
        let base = format!("cloudformation/{}/{}", account.key, placement.region);
        let slice = Slice {
            account: &account.key,
            account_id: &account.id,
            placement: self.cx.digests.placement(account, placement),
            render: &self.cx.plan().render,
        };
        let digest = digest(&slice);

        let everything: Vec<&Source> = placement.sources.iter().collect();
        let each = Each::of(placement, &self.cx.plan().render);
        let (mut alone, mut numbers) = (None, vec![FIRST]);
        if !split::surely_too_many(&placement.sources, each) {
            let part = self.part(account, placement, true, &everything, &digest)?;
            let text = self.stack(account, placement, &part, FIRST)?;
            if split::fits(text.len(), &everything, each) {
                sink(Artifact::file(format!("{base}.yaml"), text))?;
                alone = Some(part);
            }
        }
        if alone.is_none() {
            numbers.extend(self.split_place(account, placement, &everything, &digest, sink)?);
        }
        sink(self.preflight(account, placement, &numbers, &digest)?)?;
        if placement.adopts() {
            sink(Artifact::file(format!("{base}.import.json"), import::resources(placement)?))?;
            sink(Artifact::file(format!("{base}.import-template.json"), import::template(placement)?))?;
        }
        Ok(alone)
    }

    /// The stack of the log buckets and trails, and the stacks of the sources, whose numbers it gives.
    fn split_place(
        &self,
        account: &Account,
        placement: &Placement,
        sources: &[&Source],
        digest: &str,
        sink: &mut Sink,
    ) -> Result<Vec<usize>> {
        let base = format!("cloudformation/{}/{}", account.key, placement.region);
        let bare = self.part(account, placement, true, &[], digest)?;
        sink(Artifact::file(format!("{base}.yaml"), self.stack(account, placement, &bare, FIRST)?))?;
        let empty = self.part(account, placement, false, &[], digest)?;
        let overhead = self.stack(account, placement, &empty, FIRST + 1)?.len()
            + self.function.text().len()
            + PERMISSION_BYTES
            + vpc_bytes(placement.function_vpc.as_ref());
        let shards = split::shards(sources, Each::of(placement, &self.cx.plan().render), overhead);
        // an empty one is no file, and the others keep their numbers
        let mut numbers = Vec::new();
        for (number, sources) in (FIRST + 1..).zip(shards).filter(|(_, sources)| !sources.is_empty()) {
            let part = self.part(account, placement, false, &sources, digest)?;
            let text = self.stack(account, placement, &part, number)?;
            sink(Artifact::file(format!("{base}-sources-{number}.yaml"), text))?;
            numbers.push(number);
        }
        Ok(numbers)
    }

    /// What of a placement goes into one template: its log buckets and trails or not, and these sources.
    fn part<'p>(
        &self,
        account: &'p Account,
        placement: &'p Placement,
        buckets: bool,
        sources: &[&Source],
        digest: &str,
    ) -> Result<PlacementPart<'p>> {
        let condition = format!("InAccount{}", account.id);
        let set: Vec<&Source> = sources
            .iter()
            .copied()
            .filter(|source| self.cx.plan().render.custom_resource && source.managed && !source.is_log_bucket)
            .collect();
        let outputs = outputs(account, placement, buckets, sources);
        let mut resources = PlacementContext::new(account, placement, buckets, &set, &condition, &self.cx.plan().render);
        resources.vended = VendedContext::new(account, placement, buckets, sources);
        Ok(PlacementPart {
            account_id: &account.id,
            account_key: &account.key,
            resources: self.engine.part(RESOURCES, &resources)?,
            outputs: self.engine.part(OUTPUTS, &OutputsContext { condition: &condition, outputs: &outputs })?,
            output_count: outputs.len(),
            sets_sources: !set.is_empty(),
            vpc: placement.function_vpc.as_ref(),
            digest: digest.to_owned(),
            condition,
        })
    }

    /// One stack; the first one is that of the log buckets.
    fn stack(&self, account: &Account, placement: &Placement, part: &PlacementPart, number: usize) -> Result<String> {
        let mut header = self.cx.header(&part.digest);
        header.push(format!("account: {}", account.id));
        header.push(format!("region: {}", placement.region));
        header.extend(self.how_to_deploy(account, placement, number));
        let description =
            format!("S3 access logging and CloudTrail of account {} ({}) in {}", account.key, account.id, placement.region);
        let guard = format!("OnlyForAccount{}In{}", account.id, camel(&placement.region));
        self.template(&placement.region, slice::from_ref(part), header, description, guard)
    }

    /// A template for some accounts in a Region.
    fn template(
        &self,
        region: &str,
        placements: &[PlacementPart],
        header: Vec<String>,
        description: String,
        guard: String,
    ) -> Result<String> {
        let needs_resource = placements.iter().all(|placement| placement.resources.text().is_empty());
        let setting = || placements.iter().filter(|placement| placement.sets_sources);
        let vpcs: Vec<VpcContext<'_>> = match setting().any(|placement| placement.vpc.is_some()) {
            true => placements.iter().map(|placement| VpcContext::of(placement.account_id, placement.vpc)).collect(),
            false => Vec::new(),
        };
        let function = match (setting().next(), vpcs.is_empty()) {
            (None, _) => Part::default(),
            (Some(_), true) => self.function.clone(),
            (Some(_), false) => {
                let context = FunctionContext::new(self.python.clone(), &self.cx.plan().render, vpcs.clone());
                self.engine.part(FUNCTION, &context)?
            }
        };
        // one account needs no lookup
        let vpcs = if placements.len() == 1 { Vec::new() } else { vpcs };
        let context = StackContext { header, description, guard, region, placements, function, vpcs, needs_resource };
        self.engine.render(STACK, &context)
    }

    /// Comment lines: the commands, and what to mind.
    fn how_to_deploy(&self, account: &Account, placement: &Placement, number: usize) -> Vec<String> {
        let region = &placement.region;
        let stack = stack_name(number);
        let file = if number == FIRST { region.clone() } else { format!("{region}-sources-{number}") };
        let mut lines = Vec::new();
        if number > FIRST {
            lines.push(format!(
                "Deploy after {region}.yaml, in the order of the numbers. If this file goes away, delete its stack"
            ));
            lines.push("before the others are deployed again: deleting it turns off the logging that it turned on.".to_owned());
        } else if placement.adopts() {
            lines.push("It holds what exists already. Import that into the stack once, before the first deploy:".to_owned());
            lines.push(format!(
                "  aws cloudformation create-change-set --region {region} --stack-name {stack} --change-set-name import \
                 --change-set-type IMPORT --resources-to-import file://{region}.import.json \
                 --template-body file://{region}.import-template.json"
            ));
            lines.push(format!(
                "  aws cloudformation wait change-set-create-complete --region {region} --stack-name {stack} --change-set-name import"
            ));
            lines.push(format!(
                "  aws cloudformation execute-change-set --region {region} --stack-name {stack} --change-set-name import"
            ));
            lines.push(format!("  aws cloudformation wait stack-import-complete --region {region} --stack-name {stack}"));
            if placement.takes_back() {
                lines.push(
                    "A log bucket of it was retired once. If its stack was never deleted, that has it still: leave the import out, then."
                        .to_owned(),
                );
            }
            if placement.trails.iter().any(|trail| trail.adopt) {
                lines.push(
                    "The import leaves a trail as it is, and so does the first deploy: `aws cloudformation detect-stack-drift` says what"
                        .to_owned(),
                );
                lines.push(
                    "differs. A later change of its settings updates it; look at its log group, topic, Insights and selectors after that."
                        .to_owned(),
                );
            }
        }
        lines.push(format!("Deploy in account {} ({}):", account.key, account.id));
        lines.push(format!(
            "  aws cloudformation deploy --region {region} --stack-name {stack} --template-file {file}.yaml \
             --capabilities {}",
            self.cx.plan().render.capability()
        ));
        lines
    }
}
