//! What came of composing: how the sources are named in the policy, and the bytes that it takes.

use serde::Serialize;

/// How the access-log grant names the sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum Tier {
    /// Exact ARNs of the source buckets.
    Buckets,
    /// Wildcard patterns that cover the source buckets.
    Patterns,
    /// Every bucket of the account.
    Account,
    /// There is no access-log grant: nothing logs to the bucket.
    #[default]
    None,
}

/// Figures about a policy.
#[derive(Debug, Clone, Serialize, Default)]
pub struct PolicyReport {
    /// How the access-log grant names the sources.
    pub tier: Tier,
    /// Bytes of the compact policy.
    pub bytes_used: usize,
    /// Bytes left of 20,480.
    pub bytes_left: usize,
    /// What a reader must know: patterns and how many other names they admit, combined forms, condensed prefixes.
    pub notes: Vec<String>,
}
