//! The records of a log bucket, of a trail and of Terraform's layout: what outlives the plan that it was derived in.
//!
//! The lock keeps them, so that what leaves the map is forgotten by Terraform and never deleted.

use super::{Account, LogBucket, Trail};
use serde::{Deserialize, Serialize};

/// A log bucket as the lock lists it: one that a tree renders, or rendered once and the map no longer has.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct BucketRecord {
    /// Account key, as it was then.
    pub account: String,
    /// Twelve digits: an account keeps its id when its key changes.
    pub account_id: String,
    /// Region name.
    pub region: String,
    /// True if it was the bucket that takes access logs (false: the second one, of `split_trails`).
    pub takes_access_logs: bool,
    /// Bucket name.
    pub bucket: String,
    /// True if it was retired once, and the map has it again: it exists, and is taken over.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub returned: bool,
}

impl BucketRecord {
    /// Could logmap have written it? A lock is a file that others can change.
    pub fn is_plausible(&self) -> bool {
        is_place(&self.account, &self.account_id, &self.region) && is_name(&self.bucket, 255)
    }

    /// The record of a log bucket of a plan.
    pub fn of(account: &Account, region: &str, bucket: &LogBucket) -> Self {
        BucketRecord {
            account: account.key.clone(),
            account_id: account.id.clone(),
            region: region.to_owned(),
            takes_access_logs: bucket.takes_access_logs,
            bucket: bucket.name.clone(),
            returned: bucket.adopt.as_ref().is_some_and(|adopt| adopt.returned),
        }
    }
}

/// A trail as the lock lists it: one that a tree renders, or rendered once and the map no longer has.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TrailRecord {
    /// Account key, as it was then.
    pub account: String,
    /// Twelve digits: an account keeps its id when its key changes.
    pub account_id: String,
    /// Region in which it was made.
    pub region: String,
    /// Trail name.
    pub trail: String,
}

impl TrailRecord {
    /// Could logmap have written it? A lock is a file that others can change.
    pub fn is_plausible(&self) -> bool {
        is_place(&self.account, &self.account_id, &self.region) && is_name(&self.trail, 128)
    }

    /// The record of a trail of a plan.
    pub fn of(account: &Account, region: &str, trail: &Trail) -> Self {
        TrailRecord {
            account: account.key.clone(),
            account_id: account.id.clone(),
            region: region.to_owned(),
            trail: trail.name.clone(),
        }
    }
}

/// How Terraform's files of an account are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// One root module.
    Root,
    /// A module for each Region, which roots call.
    Module,
}

/// Terraform of an account had another layout when an earlier run rendered it: every address in its state is another one now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayoutRecord {
    /// Twelve digits.
    pub account_id: String,
    /// The layout that it had.
    pub from: Layout,
    /// The Regions that it had.
    pub regions: Vec<String>,
}

impl LayoutRecord {
    /// Could logmap have written it? A lock is a file that others can change.
    pub fn is_plausible(&self) -> bool {
        self.regions.iter().all(|region| is_place("known", &self.account_id, region))
    }
}

fn is_place(account: &str, account_id: &str, region: &str) -> bool {
    use crate::aws::{limits, region};
    let word = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    word(account) && limits::is_account_id(account_id) && region::is_well_formed(region)
}

fn is_name(text: &str, most: usize) -> bool {
    (1..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'))
}
