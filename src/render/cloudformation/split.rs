//! Which source goes into which stack, when one template can't hold them all.
//!
//! A source keeps its stack when others come or go: a consistent hash of the bucket's name chooses the stack, and when one
//! more is needed, each gives a few sources to the new last one. Deployed in their order, the earlier stack lets go of a
//! source before the later one takes it.

use crate::{
    digest::number,
    plan::{Placement, RenderSettings, Source},
};
use std::borrow::Cow;

/// Largest template that can be given to the API as it is, in bytes.
pub(super) const INLINE_BYTES: usize = 51_200;
/// Resources of one template, with room for those that are no sources.
const MOST_RESOURCES: usize = 450;
/// Outputs of one template, with room for the log buckets'.
const MOST_OUTPUTS: usize = 190;
/// Room for the ARNs in the inline policy of the role; AWS allows 10,240 characters for all of a role's.
const POLICY_BYTES: usize = 9_500;
/// Longest output value we write.
pub(super) const OUTPUT_BYTES: usize = 1_000;
/// What a template makes of a source that logmap sets is never smaller than this: a custom resource, or a delivery source and its delivery.
const LEAST_SOURCE_BYTES: usize = 300;
/// More stacks than that help nobody.
const MOST_SHARDS: usize = 10_000;

/// What a template makes of each source that logmap sets.
#[derive(Debug, Clone, Copy)]
pub(super) struct Each {
    /// A custom resource that sets its logging.
    custom_resource: bool,
    /// Bytes of its delivery source and delivery, beside its name; 0 if it has none.
    delivery: usize,
}

impl Each {
    pub(super) fn of(placement: &Placement, render: &RenderSettings) -> Self {
        let tags: usize = render.tags.iter().map(|(key, value)| 2 * (key.len() + value.len()) + 60).sum();
        let delivery = placement.vended.as_ref().map_or(0, |vended| 2 * tags + vended.destination_arn.len() + 700);
        Each { custom_resource: render.custom_resource, delivery }
    }
}

/// What the sources of a template take of its limits.
#[derive(Debug, Clone, Copy, Default)]
struct Load {
    /// Bytes of the template, at most.
    bytes: usize,
    /// Resources of the sources that are set from there, of which one of them has three at most.
    resources: usize,
    /// Bytes of their ARNs in the permission.
    arns: usize,
    /// Bytes of the names in outputs.
    names: usize,
}

impl Load {
    fn of(source: &Source, each: Each) -> Self {
        let managed = each.custom_resource && source.managed;
        let delivered = each.delivery > 0 && source.managed;
        let delivery = if delivered { each.delivery + 4 * source.name.len() } else { 0 };
        Load {
            bytes: template_bytes(source, managed) + delivery,
            resources: usize::from(managed) + 2 * usize::from(delivered),
            arns: if managed { source.name.len() + 24 } else { 0 },
            names: source.name.len() + 1,
        }
    }

    fn add(&mut self, other: Load) {
        *self = Load {
            bytes: self.bytes + other.bytes,
            resources: self.resources + other.resources,
            arns: self.arns + other.arns,
            names: self.names + other.names,
        };
    }

    fn take(&mut self, other: Load) {
        *self = Load {
            bytes: self.bytes - other.bytes,
            resources: self.resources - other.resources,
            arns: self.arns - other.arns,
            names: self.names - other.names,
        };
    }

    /// Does a template of this size stay within the limits, if the sources have so many destinations? Outputs: a value is
    /// closed when the next name does not fit, so each but the last of a destination is more than half full.
    fn fits(&self, bytes: usize, destinations: usize) -> bool {
        bytes <= INLINE_BYTES
            && self.resources <= MOST_RESOURCES
            && self.arns <= POLICY_BYTES
            && destinations + self.names / (OUTPUT_BYTES - 256) <= MOST_OUTPUTS
    }
}

/// Does a template of this size, with these sources, stay within the limits?
pub(super) fn fits(bytes: usize, sources: &[&Source], each: Each) -> bool {
    let mut load = Load::default();
    sources.iter().for_each(|source| load.add(Load::of(source, each)));
    load.fits(bytes, destinations(sources))
}

/// Is it plain without rendering that these sources don't fit into one template?
pub(super) fn surely_too_many(sources: &[Source], each: Each) -> bool {
    let makes = each.custom_resource || each.delivery > 0;
    let managed = sources.iter().filter(|source| makes && source.managed).count();
    managed * LEAST_SOURCE_BYTES > INLINE_BYTES
}

/// The fewest shards that all fit; `overhead` is a template's size without sources. Sources keep their order.
pub(super) fn shards<'a>(sources: &[&'a Source], each: Each, overhead: usize) -> Vec<Vec<&'a Source>> {
    let mut placed: Vec<(Load, Jump)> = sources.iter().map(|source| (Load::of(source, each), Jump::new(&source.name))).collect();
    let mut loads = vec![Load::default()];
    placed.iter().for_each(|(load, _)| loads[0].add(*load));
    let mut count = (loads[0].bytes / INLINE_BYTES.saturating_sub(overhead).max(1)).clamp(1, MOST_SHARDS);
    loop {
        // only the sources that the new shards get have to be looked at
        loads.resize(count, Load::default());
        for (load, jump) in placed.iter_mut().filter(|(_, jump)| jump.next < count) {
            loads[jump.chosen].take(*load);
            jump.to(count);
            loads[jump.chosen].add(*load);
        }
        let last = count >= MOST_SHARDS;
        if last || loads.iter().all(|load| load.fits(overhead + load.bytes, 1)) {
            let mut shards: Vec<Vec<&Source>> = vec![Vec::new(); count];
            for (&source, (_, jump)) in sources.iter().zip(&placed) {
                shards[jump.chosen].push(source);
            }
            let fit = |(load, shard): (&Load, &Vec<&Source>)| load.fits(overhead + load.bytes, destinations(shard));
            if last || loads.iter().zip(&shards).all(fit) {
                return shards;
            }
        }
        // one more; where there are hundreds, one in a hundred more
        count += count.div_ceil(100);
    }
}

/// Bytes that a source adds to a template, at most: its name in an output, and if it is set from there its resource and its ARN
/// in the permission.
fn template_bytes(source: &Source, managed: bool) -> usize {
    let output = source.name.len() + 2;
    let resource = 300 + 2 * source.name.len() + source.log_bucket.len() + source.prefix.len() + 60;
    // one destination for each source at worst
    let destination = 20;
    output + destination + if managed { resource } else { 0 }
}

/// Different destinations of sources in `outputs`.
fn destinations(sources: &[&Source]) -> usize {
    let mut found: Vec<(&str, Cow<'_, str>)> = Vec::new();
    for source in sources {
        let destination = (source.key_format_name(), source.prefix_pattern());
        // most are the same as the one before
        if found.last() != Some(&destination) {
            found.push(destination);
        }
    }
    found.sort();
    found.dedup();
    found.len()
}

/// A source on its way through the shards as they become more: it stays, or goes to one of the new ones
/// (Lamping and Veach, "A Fast, Minimal Memory, Consistent Hash Algorithm").
struct Jump {
    key: u64,
    /// Index of the chosen shard.
    chosen: usize,
    /// The shard that it goes to as soon as there is one of that number.
    next: usize,
}

impl Jump {
    /// Where there is one shard.
    fn new(name: &str) -> Self {
        let mut jump = Jump { key: number(name), chosen: 0, next: 0 };
        jump.to(1);
        jump
    }

    /// To its shard among so many.
    fn to(&mut self, count: usize) {
        while self.next < count {
            self.chosen = self.next;
            self.key = self.key.wrapping_mul(2_862_933_555_777_941_757).wrapping_add(1);
            self.next = ((self.chosen + 1) as f64 * ((1_u64 << 31) as f64 / ((self.key >> 33) + 1) as f64)) as usize;
        }
    }
}

impl Source {
    /// The key format as the map spells it.
    pub(super) fn key_format_name(&self) -> &'static str {
        match self.key_format.partition_date_source() {
            Some("EventTime") => "partitioned-event-time",
            Some(_) => "partitioned-delivery-time",
            None => "simple",
        }
    }

    /// The prefix, with `<source>/` for the source's own name at its end, so that sources with `simple` make one group.
    pub(super) fn prefix_pattern(&self) -> Cow<'_, str> {
        match self.common_folder() {
            Some(common) => format!("{common}<source>/").into(),
            None => Cow::Borrowed(&self.prefix),
        }
    }
}
