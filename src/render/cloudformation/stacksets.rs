//! StackSet templates: one for each Region, serving the accounts whose stack fits beside the others'.
//!
//! It is the template of the stacks with several places in it, each under a condition on its account; no nested stacks
//! and no macros, which StackSets refuse. What does not fit is left out, and the page beside the templates says so.

use super::{Renderer, STACK, context::Stack, split::INLINE_BYTES};
use crate::{
    artifacts::Artifact,
    plan::{Account, Place},
    render::Sink,
};
use anyhow::Result;
use indexmap::IndexMap;
use serde::Serialize;

pub(super) const README: &str = "cloudformation/stacksets.md";
/// Accounts in a template: a lookup table of AWS holds 200 entries.
const MOST_ACCOUNTS: usize = 150;
/// Outputs of a template, with room to spare.
const MOST_OUTPUTS: usize = 190;

/// A place, and how large its stack is if it has just one.
pub(super) struct Member<'a> {
    pub(super) account: &'a Account,
    pub(super) place: &'a Place,
    pub(super) alone: Option<Size>,
}

/// What a stack takes of a template's limits.
#[derive(Clone, Copy)]
pub(super) struct Size {
    bytes: usize,
    outputs: usize,
    has_function: bool,
}

impl Size {
    /// Of a stack's text.
    pub(super) fn of(text: &str) -> Self {
        let has_function = text.contains("\n  SetAccessLogging:\n");
        Size { bytes: text.len(), outputs: text.matches("\n    Value: ").count(), has_function }
    }
}

/// The context of `cloudformation/stacksets.md`.
#[derive(Serialize)]
struct Page {
    /// What made it, and how to make it again.
    header: Vec<String>,
    /// The templates.
    templates: Vec<Template>,
    /// What no template holds.
    left_out: Vec<LeftOut>,
}

/// One template.
#[derive(Serialize)]
struct Template {
    /// File name.
    file: String,
    /// The file as the AWS CLI takes it.
    file_url: String,
    /// A name for the StackSet.
    name: String,
    /// Region name.
    region: String,
    /// Account keys, joined for reading.
    keys: String,
    /// Account ids, separated by spaces.
    ids: String,
}

/// An account and Region that no template holds.
#[derive(Serialize)]
struct LeftOut {
    /// Account key.
    account: String,
    /// Region name.
    region: String,
    /// Why.
    reason: &'static str,
}

/// Renders the templates and the page.
pub(super) fn render(renderer: &Renderer, members: Vec<Member>, sink: &mut Sink) -> Result<()> {
    let mut regions: IndexMap<&str, Vec<Member>> = IndexMap::new();
    for member in members {
        regions.entry(&member.place.region).or_default().push(member);
    }
    regions.sort_keys();
    let mut page = Page { header: Vec::new(), templates: Vec::new(), left_out: Vec::new() };
    for (region, members) in &regions {
        region_templates(renderer, region, members, &mut page, sink)?;
    }
    page.header = renderer.cx.header(&(&page.templates, &page.left_out));
    sink(Artifact::file("cloudformation/stacksets/README.md", renderer.engine.render(README, &page)?))
}

fn region_templates(renderer: &Renderer, region: &str, members: &[Member], page: &mut Page, sink: &mut Sink) -> Result<()> {
    let mut groups: Vec<Vec<(&Account, &Place)>> = Vec::new();
    // in its own stack each is a little larger than beside others, so the sum never comes out too small
    let function = renderer.function_bytes() + 2_000;
    let (mut bytes, mut outputs) = (0, 0);
    for &Member { account, place, alone } in members {
        let adopts = place.buckets.iter().any(|bucket| bucket.adopt.is_some());
        let Some(alone) = alone.filter(|_| !adopts) else {
            let reason = if adopts { "it holds a bucket to import" } else { "it needs more than one template" };
            page.left_out.push(LeftOut { account: account.key.clone(), region: region.to_owned(), reason });
            continue;
        };
        let size = if alone.has_function { alone.bytes.saturating_sub(function - 3_500) } else { alone.bytes };
        let count = alone.outputs;
        let full = groups.last().is_none_or(|group| group.len() >= MOST_ACCOUNTS)
            || bytes + size > INLINE_BYTES
            || outputs + count > MOST_OUTPUTS;
        if full {
            groups.push(Vec::new());
            (bytes, outputs) = (function, 0);
        }
        bytes += size;
        outputs += count;
        if let Some(group) = groups.last_mut() {
            group.push((account, place));
        }
    }
    let several = groups.len() > 1;
    for (number, group) in (1..).zip(&groups) {
        let name = if several { format!("{region}-{number}") } else { region.to_owned() };
        sink(Artifact::file(format!("cloudformation/stacksets/{name}.yaml"), template(renderer, region, group)?))?;
        let keys: Vec<&str> = group.iter().map(|(account, _)| account.key.as_str()).collect();
        let ids: Vec<&str> = group.iter().map(|(account, _)| account.id.as_str()).collect();
        page.templates.push(Template {
            file: format!("{name}.yaml"),
            file_url: format!("file://{name}.yaml"),
            name: format!("logmap-{name}"),
            region: region.to_owned(),
            keys: keys.join(", "),
            ids: ids.join(" "),
        });
    }
    Ok(())
}

fn template(renderer: &Renderer, region: &str, members: &[(&Account, &Place)]) -> Result<String> {
    let slice: Vec<(&str, &str, &Place)> = members.iter().map(|(a, place)| (a.key.as_str(), a.id.as_str(), *place)).collect();
    let mut header = renderer.cx.header(&(&slice, &renderer.cx.plan.render));
    header.push(format!("region: {region}"));
    header.push("For a StackSet; README.md beside this file has the commands.".to_owned());
    let stack = Stack::of_region(region, members, renderer.sets_sources(), header, &renderer.python);
    renderer.engine.render(STACK, &stack)
}
