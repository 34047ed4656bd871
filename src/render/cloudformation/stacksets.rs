//! StackSet templates: one for each Region, serving the accounts whose stack fits beside the others'.
//!
//! It is the template of the stacks with several places in it, each under a condition on its account; no nested stacks
//! and no macros, which StackSets refuse. What does not fit is left out, and the page beside the templates says so.

use super::{
    Renderer, STACK,
    context::Stack,
    split::{self, INLINE_BYTES},
};
use crate::{
    artifacts::Artifact,
    plan::{Account, Place, Source},
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

type Member<'a> = (&'a Account, &'a Place);

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
pub(super) fn render(renderer: &Renderer, sink: &mut Sink) -> Result<()> {
    let mut regions: IndexMap<&str, Vec<Member>> = IndexMap::new();
    for account in renderer.cx.accounts() {
        for place in &account.places {
            if renderer.cx.filter.region(place) {
                regions.entry(&place.region).or_default().push((account, place));
            }
        }
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
    let mut groups: Vec<Vec<Member>> = Vec::new();
    // measured alone, each is a little larger than beside others, so the sum never comes out too small
    let function = renderer.function_bytes() + 2_000;
    let (mut bytes, mut outputs) = (0, 0);
    for &(account, place) in members {
        let adopts = place.buckets.iter().any(|bucket| bucket.adopt.is_some());
        let sources: Vec<&Source> = place.sources.iter().collect();
        let too_many = split::surely_too_many(&place.sources, renderer.sets_sources());
        let text = if adopts || too_many { String::new() } else { template(renderer, region, &[(account, place)])? };
        if text.is_empty() || !split::fits(text.len(), &sources, renderer.sets_sources()) {
            let reason = if adopts { "it holds a bucket to import" } else { "it needs more than one template" };
            page.left_out.push(LeftOut { account: account.key.clone(), region: region.to_owned(), reason });
            continue;
        }
        let has_function = text.contains("  SetAccessLogging:\n");
        let size = if has_function { text.len().saturating_sub(function - 3_500) } else { text.len() };
        let count = text.matches("\n    Value: ").count();
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

fn template(renderer: &Renderer, region: &str, members: &[Member]) -> Result<String> {
    let slice: Vec<(&str, &str, &Place)> = members.iter().map(|(a, place)| (a.key.as_str(), a.id.as_str(), *place)).collect();
    let mut header = renderer.cx.header(&(&slice, &renderer.cx.plan.render));
    header.push(format!("region: {region}"));
    header.push("For a StackSet; README.md beside this file has the commands.".to_owned());
    let stack = Stack::of_region(region, members, renderer.sets_sources(), header, &renderer.python);
    renderer.engine.render(STACK, &stack)
}
