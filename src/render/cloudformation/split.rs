//! Which source goes into which stack, when one template can't hold them all.
//!
//! A source keeps its stack when others come or go: a consistent hash of the bucket's name chooses the stack, and when one
//! more is needed, each gives a few sources to the new last one. Deployed in their order, the earlier stack lets go of a
//! source before the later one takes it.

use crate::{plan::Source, render::sha256_hex};

/// Largest template that can be given to the API as it is, in bytes.
pub(super) const INLINE_BYTES: usize = 51_200;
/// Resources of one template, with room for those that are no sources.
const MOST_SOURCES: usize = 450;
/// Outputs of one template, with room for the log buckets'.
const MOST_OUTPUTS: usize = 190;
/// Room for the ARNs in the inline policy of the role; AWS allows 10,240 characters for all of a role's.
const POLICY_BYTES: usize = 9_500;
/// Longest output value we write.
pub(super) const OUTPUT_BYTES: usize = 1_000;
/// The resource of a source is never smaller than this.
const LEAST_SOURCE_BYTES: usize = 300;
/// More stacks than that help nobody.
const MOST_SHARDS: usize = 10_000;

/// Does a template of this size, with these sources, stay within the limits?
pub(super) fn fits(bytes: usize, sources: &[&Source], custom_resource: bool) -> bool {
    let managed = sources.iter().filter(|source| custom_resource && source.managed);
    let arns: usize = managed.clone().map(|source| source.name.len() + 24).sum();
    bytes <= INLINE_BYTES && managed.count() <= MOST_SOURCES && arns <= POLICY_BYTES && outputs(sources) <= MOST_OUTPUTS
}

/// Is it plain without rendering that these sources don't fit into one template?
pub(super) fn surely_too_many(sources: &[Source], custom_resource: bool) -> bool {
    let managed = sources.iter().filter(|source| custom_resource && source.managed).count();
    managed * LEAST_SOURCE_BYTES > INLINE_BYTES
}

/// The fewest shards that all fit; `overhead` is a template's size without sources. Sources keep their order.
pub(super) fn shards<'a>(sources: &[&'a Source], custom_resource: bool, overhead: usize) -> Vec<Vec<&'a Source>> {
    let bytes = |shard: &[&Source]| -> usize { shard.iter().map(|source| template_bytes(source, custom_resource)).sum() };
    let least = bytes(sources) / INLINE_BYTES.saturating_sub(overhead).max(1);
    let keys: Vec<u64> = sources.iter().map(|source| key(&source.name)).collect();
    let mut count = least.clamp(1, MOST_SHARDS);
    loop {
        let mut shards: Vec<Vec<&Source>> = vec![Vec::new(); count];
        for (&source, key) in sources.iter().zip(&keys) {
            shards[consistent_hash(*key, count)].push(source);
        }
        let fit = shards.iter().all(|shard| fits(overhead + bytes(shard), shard, custom_resource));
        if fit || count >= MOST_SHARDS {
            return shards;
        }
        // one more; where there are hundreds, one in a hundred more
        count += count.div_ceil(100);
    }
}

/// Bytes that a source adds to a template, at most: its resource, its ARN in the permission, its name in an output.
fn template_bytes(source: &Source, custom_resource: bool) -> usize {
    let output = source.name.len() + 2;
    let resource = 300 + 2 * source.name.len() + source.log_bucket.len() + source.prefix.len() + 60;
    // one destination for each source at worst
    let destination = 20;
    output + destination + if custom_resource && source.managed { resource } else { 0 }
}

/// How many outputs `context::outputs` makes of them, at most.
fn outputs(sources: &[&Source]) -> usize {
    let mut groups: Vec<(&str, String)> =
        sources.iter().map(|source| (source.key_format_name(), source.prefix_pattern())).collect();
    groups.sort();
    groups.dedup();
    // a value is closed when the next name does not fit, so each but the last of a group is more than half full
    let bytes: usize = sources.iter().map(|source| source.name.len() + 1).sum();
    groups.len() + bytes / (OUTPUT_BYTES - 256)
}

/// What a source's stack is chosen by.
fn key(name: &str) -> u64 {
    u64::from_str_radix(&sha256_hex(name.as_bytes())[..16], 16).unwrap_or(0)
}

/// A number below `count`, which for a greater `count` is either the same or one of the new ones
/// (Lamping and Veach, "A Fast, Minimal Memory, Consistent Hash Algorithm").
fn consistent_hash(mut key: u64, count: usize) -> usize {
    let (mut chosen, mut next) = (0, 0);
    while next < count {
        chosen = next;
        key = key.wrapping_mul(2_862_933_555_777_941_757).wrapping_add(1);
        next = ((chosen + 1) as f64 * ((1_u64 << 31) as f64 / ((key >> 33) + 1) as f64)) as usize;
    }
    chosen
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
    pub(super) fn prefix_pattern(&self) -> String {
        match self.prefix.strip_suffix('/').and_then(|prefix| prefix.strip_suffix(self.name.as_str())) {
            Some(common) if common.is_empty() || common.ends_with('/') => format!("{common}<source>/"),
            _ => self.prefix.to_string(),
        }
    }
}
