//! Rules on what is where: partitions, sources listed twice, things that are no source.
//!
//! A cross-Region or cross-account target can't be written in a map; what can be wrong is where a source is listed.

use crate::{aws::Partition, diagnostics::Finding, edit::Change, map::RegionMap, rule_family, source::Span};
use indexmap::{IndexMap, map::Entry};

rule_family! {
    since "0.1.0";
    PARTITION_MIXED = "LM0201" "partition-mixed" Error Map blocking: "an account has Regions of two partitions";
    PARTITION_CROSSED = "LM0202" "partition-crossed" Error Map blocking: "a trail crosses partitions";
    SOURCE_TWICE = "LM0203" "source-twice" Error Map: "a source bucket is listed in two places";
    LOG_BUCKET_IS_SOURCE = "LM0204" "log-bucket-is-source" Error Map: "a log bucket is listed as a source";
    SOURCE_KIND = "LM0205" "source-kind" Error Map: "a source is not a general purpose bucket";
    SHARED = "LM0206" "shared-log-bucket" Info Map: "one bucket takes access logs and trails";
    UNUSED_ACCOUNT = "LM0207" "unused-account" Warning Map: "an account has nothing to do";
    NO_ACCOUNT = "LM0208" "no-account" Warning Map: "the map has no account";
    UNUSED_ADOPT = "LM0209" "unused-adopt" Warning Map: "an adopted bucket takes no logs";
    UNLOGGED = "LM0210" "unlogged-trails-bucket" Info Map: "nothing logs who reads a trails' bucket";
}

/// Checks where things are listed.
pub(crate) fn check(map: &RegionMap, findings: &mut Vec<Finding>) {
    // an account that could not be read has been reported
    let readable = findings.iter().all(|finding| finding.rule.can_be_ignored);
    if let Some(accounts) = map.accounts.as_ref().filter(|accounts| accounts.items.is_empty() && readable) {
        findings.push(
            Finding::new(&NO_ACCOUNT, accounts.span, "the map has no account, so nothing is derived from it")
                .help("list the accounts under `accounts`, each with its `id` and its `regions`"),
        );
    }
    let sources = map.regions().flat_map(|(_, region)| &region.buckets).map(|buckets| buckets.len()).sum();
    // (partition, name) → where it was first: its bytes, and its account and Region in `places`
    let mut seen: IndexMap<(Partition, &str), (Span, usize)> = IndexMap::with_capacity(sources);
    let mut places: Vec<(&str, &str)> = Vec::new();
    for (key, account) in map.accounts_in_use() {
        let mut first: Option<(Partition, &str, Span)> = None;
        for (name, region) in account.regions() {
            if !crate::aws::region::is_well_formed(name) {
                continue;
            }
            let partition = Partition::of_region(name);
            match first {
                None => first = Some((partition, name.as_str(), name.span)),
                Some((other, other_name, span)) if other != partition => findings.push(
                    Finding::new(
                        &PARTITION_MIXED,
                        name.span,
                        format!(
                            "`{}` is in the partition `{partition}`, but the account `{}` is in `{other}`",
                            name.value, key.value
                        ),
                    )
                    .related(span, format!("`{other_name}` puts the account into `{other}`"))
                    .help("an account exists in one partition only; give the other partition's account a key of its own"),
                ),
                Some(_) => {}
            }
            let here = (key.as_str(), name.as_str());
            places.push(here);
            for bucket in region.buckets.iter().flat_map(|list| list.iter()) {
                let Some(source) = bucket.name() else { continue };
                match seen.entry((partition, source.as_str())) {
                    Entry::Vacant(first) => _ = first.insert((source.span, places.len() - 1)),
                    Entry::Occupied(first) => {
                        let (span, place) = *first.get();
                        let (account, other) = places[place];
                        let label = if (account, other) == here {
                            "listed a second time"
                        } else {
                            "a bucket is in one account and Region"
                        };
                        let finding = Finding::new(&SOURCE_TWICE, source.span, format!("the source bucket `{}` is listed twice", source.value))
                            .label(label)
                            .related(span, format!("it is first listed in `{other}` of `{account}`"))
                            .help("keep it where `aws s3api head-bucket` says that it is; in the other place AWS would answer `CrossLocationLoggingProhibited` or `NoSuchBucket`");
                        findings.push(if (account, other) == here {
                            finding.safe_fix("remove it: it says the same", Change::RemoveRepeated(source.span, span))
                        } else {
                            finding
                                .unsafe_fix(format!("keep it in `{other}` of `{account}`"), Change::RemoveItem(source.span))
                                .unsafe_fix(format!("keep it in `{}` of `{}`", name.value, key.value), Change::RemoveItem(span))
                        });
                    }
                }
            }
        }
    }
}
