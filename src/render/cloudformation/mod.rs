//! CloudFormation: one stack for each account and Region, more for sources that do not fit, and StackSet templates.
//!
//! Takes the plan, gives YAML templates, the files of resource imports and a page on the StackSets. A template is plain
//! YAML (no short tags) with literal names; a lookup by account and Region makes it fail anywhere else. This file says
//! which files there are; `context` what is in them, `split` which source goes where, `stacksets` and `import` the rest.

mod athena;
mod context;
mod guard;
mod import;
mod outputs;
mod split;
mod stacksets;
#[cfg(test)]
mod tests;

use super::{Context, Sink, athena::Catalog, engine::Engine};
use crate::{
    artifacts::Artifact,
    plan::{Account, Place, RenderSettings, Source},
};
use anyhow::Result;
use context::Stack;
use serde::Serialize;
use stacksets::{Member, Size};

/// The embedded templates of this target.
pub const TEMPLATES: &[(&str, &str)] = &[
    (STACK, include_str!("../../../templates/cloudformation/stack.yaml")),
    (PYTHON, include_str!("../../../templates/cloudformation/access_logging.py")),
    (athena::TEMPLATE, include_str!("../../../templates/cloudformation/athena.yaml")),
    ("cloudformation/guard.yaml", include_str!("../../../templates/cloudformation/guard.yaml")),
    (stacksets::README, include_str!("../../../templates/cloudformation/stacksets.md")),
];

const STACK: &str = "cloudformation/stack.yaml";
const PYTHON: &str = "cloudformation/access_logging.py";

/// The part of the plan that a stack is made of: what its digest is taken from.
#[derive(Serialize)]
struct Slice<'a> {
    account: &'a str,
    account_id: &'a str,
    place: &'a Place,
    render: &'a RenderSettings,
}

/// Renders the stacks and StackSet templates of the accounts and Regions that were asked for.
///
/// # Errors
/// A template that fails, or the sink's own errors.
pub fn render(cx: &Context, sink: &mut Sink) -> Result<()> {
    let renderer = Renderer::new(cx)?;
    let catalog = cx.plan.render.glue.then(|| Catalog::of(cx.plan));
    let mut members = Vec::new();
    for account in cx.accounts() {
        for place in cx.places(account) {
            let alone = renderer.place(account, place, sink)?;
            members.push(Member { account, place, alone });
            if let Some(catalog) = catalog.as_ref().filter(|_| !place.buckets.is_empty()) {
                athena::render(cx, &renderer.engine, catalog, account, place, sink)?;
            }
        }
    }
    // they are about all accounts, so a run for some leaves them alone
    let whole = cx.filter.accounts.is_empty() && cx.filter.regions.is_empty();
    if whole { stacksets::render(&renderer, members, sink) } else { Ok(()) }
}

/// What the files of this target have in common.
struct Renderer<'a> {
    cx: &'a Context<'a>,
    engine: Engine,
    /// The Lambda function.
    python: String,
}

impl<'a> Renderer<'a> {
    fn new(cx: &'a Context<'a>) -> Result<Self> {
        let engine = Engine::new(TEMPLATES, cx.overrides)?;
        let python = engine.render(PYTHON, &serde_json::json!({}))?;
        Ok(Renderer { cx, engine, python })
    }

    /// True: sources are set by the custom resource.
    fn sets_sources(&self) -> bool {
        self.cx.plan.render.custom_resource
    }

    /// The stack of a place, those for the sources that do not fit into it, and the files of a resource import. Gives the size
    /// of the stack if one is enough.
    fn place(&self, account: &Account, place: &Place, sink: &mut Sink) -> Result<Option<Size>> {
        let base = format!("cloudformation/{}/{}", account.key, place.region);
        let head = self.cx.header(&Slice { account: &account.key, account_id: &account.id, place, render: &self.cx.plan.render });
        let imports = place.buckets.iter().any(|bucket| bucket.adopt.is_some());

        let everything: Vec<&Source> = place.sources.iter().collect();
        let whole = match split::surely_too_many(&place.sources, self.sets_sources()) {
            true => None,
            false => Some(self.stack(account, place, true, &everything, &head, 1)?),
        };
        let whole = whole.filter(|text| split::fits(text.len(), &everything, self.sets_sources()));
        let size = whole.as_deref().map(Size::of);
        match whole {
            Some(text) => sink(Artifact::file(format!("{base}.yaml"), text))?,
            None => self.split_place(account, place, &everything, &head, sink)?,
        }
        if imports {
            sink(Artifact::file(format!("{base}.import.json"), import::resources(place)?))?;
            sink(Artifact::file(format!("{base}.import-template.json"), import::template(place)?))?;
        }
        Ok(size)
    }

    /// The stack of the log buckets and trails, and the stacks of the sources.
    fn split_place(&self, account: &Account, place: &Place, sources: &[&Source], head: &[String], sink: &mut Sink) -> Result<()> {
        let base = format!("cloudformation/{}/{}", account.key, place.region);
        let bare = self.stack(account, place, true, &[], head, 1)?;
        sink(Artifact::file(format!("{base}.yaml"), bare))?;
        let overhead = self.stack(account, place, false, &[], head, 2)?.len() + self.function_bytes();
        let shards = split::shards(sources, self.sets_sources(), overhead);
        // an empty one is no file, and the others keep their numbers
        for (number, sources) in (2..).zip(shards).filter(|(_, sources)| !sources.is_empty()) {
            let text = self.stack(account, place, false, &sources, head, number)?;
            sink(Artifact::file(format!("{base}-sources-{number}.yaml"), text))?;
        }
        Ok(())
    }

    /// One stack; `number` 1 is the stack of the log buckets.
    fn stack(
        &self,
        account: &Account,
        place: &Place,
        with_buckets: bool,
        sources: &[&Source],
        head: &[String],
        number: usize,
    ) -> Result<String> {
        let mut header = head.to_vec();
        header.push(format!("account: {}", account.id));
        header.push(format!("region: {}", place.region));
        header.extend(self.how_to_deploy(account, place, number));
        let stack = Stack::of_place(account, place, with_buckets, sources, self.sets_sources(), header, &self.python);
        self.engine.render(STACK, &stack)
    }

    /// Comment lines: the commands, and what to mind.
    fn how_to_deploy(&self, account: &Account, place: &Place, number: usize) -> Vec<String> {
        let region = &place.region;
        let (file, stack) = match number {
            1 => (region.clone(), "logmap".to_owned()),
            _ => (format!("{region}-sources-{number}"), format!("logmap-sources-{number}")),
        };
        let mut lines = Vec::new();
        if number > 1 {
            lines.push(format!(
                "Deploy after {region}.yaml, in the order of the numbers. If this file goes away, delete its stack"
            ));
            lines.push("before the others are deployed again: deleting it turns off the logging that it turned on.".to_owned());
        } else if place.buckets.iter().any(|bucket| bucket.adopt.is_some()) {
            lines.push("It holds a bucket that exists. Import it into the stack once, before the first deploy:".to_owned());
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
        }
        lines.push(format!("Deploy in account {} ({}):", account.key, account.id));
        lines.push(format!(
            "  aws cloudformation deploy --region {region} --stack-name {stack} --template-file {file}.yaml \
             --capabilities CAPABILITY_IAM"
        ));
        lines
    }

    /// Bytes that the function, its role and its permission add to a template, at most.
    fn function_bytes(&self) -> usize {
        self.python.lines().map(|line| line.len() + 11).sum::<usize>() + 5000
    }
}
