//! What came of composing: how the sources are named in the policy, and the bytes that it takes.

use serde::Serialize;

/// How the access-log grant names the sources, from the narrowest to the widest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum Tier {
    /// There is no access-log grant: nothing logs to the bucket.
    #[default]
    None,
    /// Exact ARNs of the source buckets.
    Buckets,
    /// Wildcard patterns that cover the source buckets.
    Patterns,
    /// Every bucket of the account.
    Account,
}

impl Tier {
    /// As `policy_scope` and JSON spell it, such as `buckets`; `none` without a grant.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Tier::None => "none",
            Tier::Buckets => "buckets",
            Tier::Patterns => "patterns",
            Tier::Account => "account",
        }
    }

    /// Whom the grant admits, such as `sources by exact names`.
    pub(crate) fn phrase(self) -> &'static str {
        match self {
            Tier::None => "no source",
            Tier::Buckets => "sources by exact names",
            Tier::Patterns => "sources by wildcard patterns",
            Tier::Account => "every bucket of the account",
        }
    }
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
