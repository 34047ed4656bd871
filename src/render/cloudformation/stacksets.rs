//! StackSet templates: some for each Region, serving the accounts whose stack fits beside the others'.
//!
//! It is the template of the stacks with several placements in it, each under a condition on its account; no nested stacks
//! and no macros, which StackSets refuse. What does not fit is left out, and the page beside the templates says so.
//!
//! An account stays in its template, which the lock remembers: moving it means to take its instance out of one StackSet and into
//! another by hand. So accounts that are new come into the last template, and only what does not fit any more moves. A template is
//! held as text until all its accounts are there; of a first run that is one for each Region.

mod page;

use super::{Renderer, context::PlacementPart, ids::camel, split::INLINE_BYTES, vpc_bytes};
use crate::{
    artifacts::Artifact,
    plan::{Account, Placement, StackSetRecord},
    render::Sink,
};
use anyhow::Result;
use page::{LeftOut, Page, Template};
use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
};

pub(super) const README: &str = "cloudformation/stacksets.md";
/// Accounts in a template: a lookup table of AWS holds 200 entries.
const MOST_ACCOUNTS: usize = 150;
/// Outputs of a template, with room to spare.
const MOST_OUTPUTS: usize = 190;
/// The head of a template and what stands between its parts are never larger than this.
const HEAD_BYTES: usize = 1_500;
/// An account's line in the lookup and its condition, without the account's key, are never larger than this.
const PLACE_BYTES: usize = 300;

/// The templates that are being filled.
pub(super) struct StackSets<'r, 'a> {
    renderer: &'r Renderer<'a>,
    regions: BTreeMap<&'a str, Filling<'a>>,
}

/// A Region's templates.
#[derive(Default)]
struct Filling<'a> {
    /// Account id → number of its template, of those that the lock knows and the plan has.
    known: BTreeMap<&'a str, usize>,
    /// Those that are not written yet, by number.
    open: BTreeMap<usize, Set<'a>>,
    /// Who has no template yet, because those that stay come first.
    waiting: Vec<Member<'a>>,
    /// Of those that are written.
    templates: Vec<Template>,
    records: Vec<StackSetRecord>,
    left_out: Vec<LeftOut>,
}

/// A template that is being filled.
#[derive(Default)]
struct Set<'a> {
    members: Vec<Member<'a>>,
    /// How many accounts are still to come that have been in it.
    awaited: usize,
}

/// An account in a template.
struct Member<'a> {
    /// Its place in the plan.
    at: usize,
    part: PlacementPart<'a>,
    /// Bytes that it takes.
    bytes: usize,
}

impl<'r, 'a> StackSets<'r, 'a> {
    /// `placements` are all those of the plan.
    pub(super) fn new(
        renderer: &'r Renderer<'a>,
        placements: impl Iterator<Item = (&'a Account, &'a Placement)>,
        before: &[StackSetRecord],
    ) -> Self {
        let mut numbers: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for record in before {
            for id in &record.accounts {
                // twice in a lock that was put together from two: the first one counts
                numbers.entry((&record.region, id)).or_insert(record.number);
            }
        }
        let mut regions: BTreeMap<&'a str, Filling<'a>> = BTreeMap::new();
        for (account, placement) in placements {
            if let Some(&number) = numbers.get(&(placement.region.as_str(), account.id.as_str())) {
                let filling = regions.entry(&placement.region).or_default();
                filling.known.insert(&account.id, number);
                filling.open.entry(number).or_default().awaited += 1;
            }
        }
        StackSets { renderer, regions }
    }

    /// Takes a placement, with what is in its stack if one is enough; `at` is its place in the plan.
    pub(super) fn add(
        &mut self,
        at: usize,
        account: &'a Account,
        placement: &'a Placement,
        alone: Option<PlacementPart<'a>>,
        sink: &mut Sink,
    ) -> Result<()> {
        let filling = self.regions.entry(&placement.region).or_default();
        let number = filling.known.get(account.id.as_str()).copied();
        let member = alone.filter(|_| !placement.adopts()).map(|part| {
            let bytes = part.resources.text().len()
                + part.outputs.text().len()
                + 2 * account.key.len()
                + PLACE_BYTES
                + vpc_bytes(placement.function_vpc.as_ref());
            Member { at, part, bytes }
        });
        if member.is_none() {
            let reason =
                if placement.adopts() { "it holds a bucket or trail to import" } else { "it needs more than one template" };
            filling.left_out.push(LeftOut { account: account.key.clone(), region: placement.region.clone(), reason });
        }
        let Some(number) = number else {
            let Some(member) = member else { return Ok(()) };
            return filling.come(member, self.renderer, &placement.region, sink);
        };
        let last = filling.last();
        let Some(set) = filling.open.get_mut(&number) else { return Ok(()) };
        set.awaited = set.awaited.saturating_sub(1);
        set.members.extend(member);
        // the last one takes those that are new, so it is written at the end
        if set.awaited == 0 && number != last {
            filling.settle(number, self.renderer);
            filling.write(number, self.renderer, &placement.region, sink)?;
        }
        Ok(())
    }

    /// The templates that are still open, and the page. Gives who is in which template now; `before` says who was.
    pub(super) fn finish(mut self, before: &[StackSetRecord], sink: &mut Sink) -> Result<Vec<StackSetRecord>> {
        let (mut templates, mut left_out, mut records) = (Vec::new(), Vec::new(), Vec::new());
        for (region, filling) in &mut self.regions {
            let numbers: Vec<usize> = filling.open.keys().copied().collect();
            numbers.iter().for_each(|number| filling.settle(*number, self.renderer));
            let mut waiting = mem::take(&mut filling.waiting);
            waiting.sort_by_key(|member| member.at);
            filling.known.clear();
            for member in waiting {
                filling.come(member, self.renderer, region, sink)?;
            }
            let numbers: Vec<usize> = filling.open.keys().copied().collect();
            for number in numbers {
                filling.write(number, self.renderer, region, sink)?;
            }
            filling.templates.sort_by_key(|template| template.number);
            templates.append(&mut filling.templates);
            left_out.append(&mut filling.left_out);
            records.append(&mut filling.records);
        }
        let records = StackSetRecord::succeed(before, records);
        let page = Page::new(self.renderer.cx, templates, left_out, &records);
        sink(Artifact::file("cloudformation/stacksets/README.md", self.renderer.engine.render(README, &page)?))?;
        Ok(records)
    }
}

impl<'a> Filling<'a> {
    /// Number of the last template; 1 if there is none.
    fn last(&self) -> usize {
        let written = self.records.iter().map(|record| record.number);
        self.open.keys().copied().chain(written).max().unwrap_or(1)
    }

    /// Takes an account that has no template: into the last one, or into one more if it is full. Where accounts are known, it waits
    /// for these.
    fn come(&mut self, member: Member<'a>, renderer: &Renderer, region: &str, sink: &mut Sink) -> Result<()> {
        if !self.known.is_empty() {
            self.waiting.push(member);
            return Ok(());
        }
        let mut number = self.last();
        // one that is written already is not opened again
        let written = self.records.iter().any(|record| record.number == number);
        let set = self.open.entry(number).or_default();
        set.members.push(member);
        if written || set.members.len() > 1 && overflow(&set.members, renderer).is_some() {
            let Some(member) = set.members.pop() else { return Ok(()) };
            if written {
                self.open.remove(&number);
            } else {
                self.write(number, renderer, region, sink)?;
            }
            number += 1;
            self.open.entry(number).or_default().members.push(member);
        }
        Ok(())
    }

    /// Lets accounts go until the others fit, as few as can be: the largest ones first.
    fn settle(&mut self, number: usize, renderer: &Renderer) {
        let Some(set) = self.open.get_mut(&number) else { return };
        set.members.sort_by_key(|member| member.at);
        while set.members.len() > 1
            && let Some(size) = overflow(&set.members, renderer)
        {
            let largest = set.members.iter().enumerate().max_by_key(|(_, member)| size(member)).map_or(0, |(at, _)| at);
            self.waiting.push(set.members.remove(largest));
        }
        if set.members.is_empty() {
            self.open.remove(&number);
        }
    }

    /// Renders a template with all its accounts.
    fn write(&mut self, number: usize, renderer: &Renderer, region: &str, sink: &mut Sink) -> Result<()> {
        let Some(mut set) = self.open.remove(&number).filter(|set| !set.members.is_empty()) else { return Ok(()) };
        set.members.sort_by_key(|member| member.at);
        let parts: Vec<PlacementPart> = set.members.into_iter().map(|member| member.part).collect();
        let digests: Vec<&str> = parts.iter().map(|part| part.digest.as_str()).collect();
        let mut header = renderer.cx.header(&digests);
        header.push(format!("region: {region}"));
        header.push("For a StackSet; README.md beside this file has the commands.".to_owned());
        let description = format!("S3 access logging and CloudTrail of {} accounts in {region}", parts.len());
        let guard = format!("OnlyForAccountsOfThisTemplateIn{}", camel(region));
        let text = renderer.template(region, &parts, header, description, guard)?;
        let name = StackSetRecord::file_stem(region, number);
        sink(Artifact::file(format!("cloudformation/stacksets/{name}.yaml"), text))?;
        self.templates.push(Template::new(region, number, &parts));
        let ids: BTreeSet<String> = parts.iter().map(|part| part.account_id.to_owned()).collect();
        self.records.push(StackSetRecord {
            region: region.to_owned(),
            number,
            accounts: ids.into_iter().collect(),
            left: Vec::new(),
        });
        Ok(())
    }
}

/// What these accounts have too much of for one template, as a member's share of it; nothing if they fit.
fn overflow(members: &[Member], renderer: &Renderer) -> Option<fn(&Member) -> usize> {
    let sum = |of: fn(&Member) -> usize| members.iter().map(of).sum::<usize>();
    let bytes: fn(&Member) -> usize = |member| member.bytes;
    let outputs: fn(&Member) -> usize = |member| member.part.output_count;
    if HEAD_BYTES + renderer.function.text().len() + sum(bytes) > INLINE_BYTES || members.len() > MOST_ACCOUNTS {
        Some(bytes)
    } else if sum(outputs) > MOST_OUTPUTS {
        Some(outputs)
    } else {
        None
    }
}
