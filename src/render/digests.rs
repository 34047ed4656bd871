//! Digests of slices of a plan, for the heads of files and the lock.
//!
//! A placement is in a slice by its own digest, which is taken once, however many files are made of the placement.

use crate::{
    aws::Partition,
    digest::digest,
    plan::{
        Account, Archive, KeyPolicy, Placement, Plan, RenderSettings, central::Central, monitoring::BusPolicy, position,
        prove::Proven,
    },
};
use serde::Serialize;
use std::sync::OnceLock;

/// Digests of a plan's placements, each taken when it is first asked for, by whichever thread.
pub struct Digests<'p> {
    /// The plan.
    pub plan: &'p Proven,
    /// For each account, for each of its placements.
    placements: Vec<Vec<OnceLock<String>>>,
}

/// An account in a slice of the plan.
#[derive(Serialize)]
pub struct AccountSlice<'p> {
    key: &'p str,
    id: &'p str,
    partition: Partition,
    role_arn: &'p Option<String>,
    profile: &'p Option<String>,
    /// Digests.
    placements: Vec<String>,
}

/// What the digest of a plan is taken from.
#[derive(Serialize)]
struct PlanSlice<'p> {
    accounts: Vec<AccountSlice<'p>>,
    apply_order: &'p [String],
    render: &'p RenderSettings,
    key_policies: &'p [KeyPolicy],
    #[serde(skip_serializing_if = "Option::is_none")]
    central: &'p Option<Central>,
    #[serde(skip_serializing_if = "Option::is_none")]
    archive: &'p Option<Archive>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bus: &'p Option<BusPolicy>,
}

impl<'p> Digests<'p> {
    /// Digests of `plan`, each computed when it is first asked for.
    pub fn of(plan: &'p Proven) -> Self {
        let none_yet = |account: &Account| account.placements.iter().map(|_| OnceLock::new()).collect();
        Digests { plan, placements: plan.accounts.iter().map(none_yet).collect() }
    }

    /// Digest of one placement of the plan.
    pub fn placement(&self, account: &Account, placement: &Placement) -> String {
        let known = position(&self.plan.accounts, &account.key).and_then(|account| {
            let at = self.plan.accounts[account].placements.iter().position(|known| known.region == placement.region)?;
            self.placements[account].get(at)
        });
        known.map_or_else(|| self.digest_of(placement), |known| known.get_or_init(|| self.digest_of(placement)).clone())
    }

    /// What is made in a placement has the tags of the plan.
    fn digest_of(&self, placement: &Placement) -> String {
        match &self.plan.render.tags {
            none if none.is_empty() => digest(placement),
            tags => digest(&(placement, tags)),
        }
    }

    /// An account of the plan, as a slice.
    pub fn account(&self, account: &'p Account) -> AccountSlice<'p> {
        let Account { key, id, partition, role_arn, profile, placements } = account;
        let placements = placements.iter().map(|placement| self.placement(account, placement)).collect();
        AccountSlice { key, id, partition: *partition, role_arn, profile, placements }
    }

    /// Digest of the whole plan.
    pub fn whole(&self) -> String {
        let Plan {
            accounts,
            apply_order,
            render,
            key_policies,
            monitoring: _,
            closed: _,
            guardrail_settings: _,
            archive,
            bus,
            management_account: _,
            guardrails: _,
            central,
            targets: _,
        } = &**self.plan;
        digest(&PlanSlice {
            accounts: accounts.iter().map(|account| self.account(account)).collect(),
            apply_order,
            render,
            key_policies,
            central,
            archive,
            bus,
        })
    }
}
