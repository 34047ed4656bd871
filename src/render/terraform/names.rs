//! Names inside a Terraform module: resource labels, locals and file names.
//!
//! Takes names of buckets, Regions and trails and gives identifiers. An address must never change as long as the thing
//! exists (Terraform would destroy and create), so it depends on the thing's own name and on nothing beside it.

use crate::{digest::short_digest, plan::Layout};

/// The resource label of a bucket or Region: its own name as an HCL identifier.
///
/// A name of letters, digits and hyphens that starts with a letter just gets underscores; any other gets a digest too,
/// so that no two names share a label. A log bucket that the map renames so gets a new address, and its old one can be
/// forgotten by a `removed` block, which can't point at a resource that still is in the configuration.
pub(crate) fn label(name: &str) -> String {
    let plain =
        name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let mapped: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if plain {
        return mapped;
    }
    format!("n_{mapped}_{}", short_digest(name))
}

/// The resource label of a trail. It holds the Region because a trail in each Region has one name in all of them.
pub(crate) fn trail_label(name: &str, region: &str) -> String {
    format!("{}_{}", label(name), label(region))
}

/// The file with the resources of a Region, in either layout.
pub(crate) fn region_file(account: &str, region: &str, layout: Layout) -> String {
    match layout {
        Layout::Root => format!("terraform/{account}/{}.tf", file_stem(region)),
        Layout::Module => format!("terraform/{account}/{}/main.tf", file_stem(region)),
    }
}

/// A bucket's or Region's name as a part of a file name: the name itself wherever that is harmless.
pub(super) fn file_stem(name: &str) -> String {
    let harmless = !name.starts_with('.') && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    if harmless && !name.is_empty() { name.to_owned() } else { label(name) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_identifiers_and_tell_names_apart() {
        assert_eq!(label("acme-logs-111122223333-us-east-1"), "acme_logs_111122223333_us_east_1");
        let awkward = ["a.b", "a-b", "a_b", "A-b", "1ab", "n-1ab", "ü", "", "-", "a--b"];
        let labels: std::collections::BTreeSet<String> = awkward.iter().map(|name| label(name)).collect();
        assert_eq!(labels.len(), awkward.len());
        for label in labels {
            assert!(label.starts_with(|c: char| c.is_ascii_alphabetic()), "{label}");
            assert!(label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'), "{label}");
        }
    }

    #[test]
    fn file_names_stay_in_their_folder() {
        assert_eq!(file_stem("acme.logs"), "acme.logs");
        for name in ["../x", "a/b", ".hidden", ""] {
            assert!(!file_stem(name).contains('/') && !file_stem(name).starts_with('.'), "{name}");
        }
    }
}
