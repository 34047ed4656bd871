//! StackSet templates: one for each Region, serving the accounts whose stack fits beside the others'.
//!
//! It is the template of the stacks with several placements in it, each under a condition on its account; no nested stacks
//! and no macros, which StackSets refuse. What does not fit is left out, and the page beside the templates says so.

use super::{Renderer, context::PlacementPart, ids::camel, split::INLINE_BYTES};
use crate::{
    artifacts::Artifact,
    plan::{Account, Placement},
    render::Sink,
};
use anyhow::Result;
use serde::Serialize;
use std::{collections::BTreeMap, mem};

pub(super) const README: &str = "cloudformation/stacksets.md";
/// Accounts in a template: a lookup table of AWS holds 200 entries.
const MOST_ACCOUNTS: usize = 150;
/// Outputs of a template, with room to spare.
const MOST_OUTPUTS: usize = 190;
/// The head of a template and what stands between its parts are never larger than this.
const HEAD_BYTES: usize = 1_500;
/// An account's line in the lookup and its condition, without the account's key, are never larger than this.
const PLACE_BYTES: usize = 300;

/// Contract of `cloudformation/stacksets.md`.
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

/// The templates that are being filled: each Region has one open, so that a large plan is never held as text.
pub(super) struct StackSets<'r, 'a> {
    renderer: &'r Renderer<'a>,
    regions: BTreeMap<&'a str, Filling<'a>>,
}

/// What a Region's templates hold so far.
#[derive(Default)]
struct Filling<'a> {
    /// Of the template that is being filled.
    parts: Vec<PlacementPart<'a>>,
    bytes: usize,
    outputs: usize,
    /// Of those that are done.
    templates: Vec<Template>,
    left_out: Vec<LeftOut>,
}

impl<'r, 'a> StackSets<'r, 'a> {
    pub(super) fn new(renderer: &'r Renderer<'a>) -> Self {
        StackSets { renderer, regions: BTreeMap::new() }
    }

    /// Takes a placement, with what is in its stack if one is enough.
    pub(super) fn add(
        &mut self,
        account: &'a Account,
        placement: &'a Placement,
        alone: Option<PlacementPart<'a>>,
        sink: &mut Sink,
    ) -> Result<()> {
        let filling = self.regions.entry(&placement.region).or_default();
        let Some(part) = alone.filter(|_| !placement.adopts()) else {
            let reason =
                if placement.adopts() { "it holds a bucket or trail to import" } else { "it needs more than one template" };
            filling.left_out.push(LeftOut { account: account.key.clone(), region: placement.region.clone(), reason });
            return Ok(());
        };
        let bytes = part.resources.text().len() + part.outputs.text().len() + 2 * account.key.len() + PLACE_BYTES;
        let full = filling.parts.len() >= MOST_ACCOUNTS
            || filling.bytes + bytes > INLINE_BYTES
            || filling.outputs + part.output_count > MOST_OUTPUTS;
        if full && !filling.parts.is_empty() {
            filling.close(self.renderer, &placement.region, true, sink)?;
        }
        if filling.parts.is_empty() {
            filling.bytes = HEAD_BYTES + self.renderer.function.text().len();
        }
        filling.bytes += bytes;
        filling.outputs += part.output_count;
        filling.parts.push(part);
        Ok(())
    }

    /// The templates that are still open, and the page.
    pub(super) fn finish(mut self, sink: &mut Sink) -> Result<()> {
        let mut page = Page { header: Vec::new(), templates: Vec::new(), left_out: Vec::new() };
        for (region, filling) in &mut self.regions {
            if !filling.parts.is_empty() {
                let several = !filling.templates.is_empty();
                filling.close(self.renderer, region, several, sink)?;
            }
            page.templates.append(&mut filling.templates);
            page.left_out.append(&mut filling.left_out);
        }
        page.header = self.renderer.cx.header(&(&page.templates, &page.left_out));
        sink(Artifact::file("cloudformation/stacksets/README.md", self.renderer.engine.render(README, &page)?))
    }
}

impl Filling<'_> {
    /// Renders the template that is being filled; it has a number if it is one of several.
    fn close(&mut self, renderer: &Renderer, region: &str, several: bool, sink: &mut Sink) -> Result<()> {
        let parts = mem::take(&mut self.parts);
        (self.bytes, self.outputs) = (0, 0);
        let name = if several { format!("{region}-{}", self.templates.len() + 1) } else { region.to_owned() };
        let digests: Vec<&str> = parts.iter().map(|part| part.digest.as_str()).collect();
        let mut header = renderer.cx.header(&digests);
        header.push(format!("region: {region}"));
        header.push("For a StackSet; README.md beside this file has the commands.".to_owned());
        let description = format!("S3 access logging and CloudTrail of {} accounts in {region}", parts.len());
        let guard = format!("OnlyForAccountsOfThisTemplateIn{}", camel(region));
        let text = renderer.template(region, &parts, header, description, guard)?;
        sink(Artifact::file(format!("cloudformation/stacksets/{name}.yaml"), text))?;
        let joined = |of: fn(&PlacementPart) -> String, separator: &str| parts.iter().map(of).collect::<Vec<_>>().join(separator);
        self.templates.push(Template {
            file: format!("{name}.yaml"),
            file_url: format!("file://{name}.yaml"),
            name: format!("logmap-{name}"),
            region: region.to_owned(),
            keys: joined(|part| part.account_key.to_owned(), ", "),
            ids: joined(|part| part.account_id.to_owned(), " "),
        });
        Ok(())
    }
}
