//! The record of a log bucket: what outlives the plan that it was derived in.
//!
//! The lock keeps it, so that a bucket which leaves the map is forgotten by Terraform and never deleted.

use super::{Account, LogBucket};
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
}

impl BucketRecord {
    /// The record of a log bucket of a plan.
    pub fn of(account: &Account, region: &str, bucket: &LogBucket) -> Self {
        BucketRecord {
            account: account.key.clone(),
            account_id: account.id.clone(),
            region: region.to_owned(),
            takes_access_logs: bucket.takes_access_logs,
            bucket: bucket.name.clone(),
        }
    }
}
