//! Policies of an earlier plan: a policy that is composed from the same grants is the same, and so is its proof. While a
//! map is edited, a keystroke then costs the policies that it changes, not all of them.
//!
//! Knows nothing of time or text: what can be reused is found by a digest of everything that goes into composing and proving.

use super::{LogBucket, Plan, PolicyReport, prove::Proof};
use crate::policy::{Policy, compose::Grants};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// SHA-256 of everything that a policy and its proof are made of.
pub(crate) type Origin = [u8; 32];

/// Most policies that are kept though the last plan had no use for them: it may have lost accounts to an error.
const SPARE: usize = 4_000;

/// Composed and proven policies, by what they are made of.
#[derive(Debug, Default)]
pub struct PolicyCache {
    known: BTreeMap<Origin, (Policy, PolicyReport, Proof)>,
    enabled: bool,
}

impl PolicyCache {
    /// Takes the policies of a plan that is no longer needed.
    pub fn keep(&mut self, plan: Plan) {
        if self.known.len() > SPARE {
            self.known.clear();
        }
        let buckets = plan.accounts.into_iter().flat_map(|account| account.placements).flat_map(|placement| placement.buckets);
        let origins =
            buckets.filter_map(|LogBucket { origin, policy, report, proof, .. }| Some((origin?, (policy, report, proof))));
        self.known.extend(origins);
    }

    /// An enabled cache, for a map that is being edited.
    pub fn for_editing() -> Self {
        PolicyCache { enabled: true, ..PolicyCache::default() }
    }

    /// Are composed policies kept for the next plan?
    pub fn enabled(&self) -> bool {
        self.enabled
    }

    /// The origin of a policy, or `None` if the cache is disabled; `also` is what the proof looks at beside the grants.
    pub fn origin(&self, grants: &Grants<'_>, also: &[&str]) -> Option<Origin> {
        if !self.enabled {
            return None;
        }
        let mut sha = Sha256::new();
        // each text with its length, so that no two inputs are written alike
        let mut write = |text: &str| {
            sha.update((text.len() as u64).to_le_bytes());
            sha.update(text);
        };
        also.iter().for_each(|text| write(text));
        write(grants.bucket);
        write(grants.partition.id());
        write(grants.account_id);
        write(&format!("{:?} {} {:?} {:?}", grants.scope, grants.deny_insecure_transport, grants.trails, grants.extra));
        write(&format!("{:?} {:?}", grants.senders, grants.readers));
        for (prefix, names) in &grants.sources {
            write(prefix);
            write(&names.len().to_string());
            names.iter().for_each(|name| write(name));
        }
        Some(sha.finalize().into())
    }

    /// The policy with this origin; it is gone from here then, and comes back with its plan.
    pub fn take(&mut self, origin: Option<Origin>) -> Option<(Policy, PolicyReport, Proof)> {
        self.known.remove(&origin?)
    }
}
