//! Rendering: plan → artifacts. One file for each target; each has a documented context struct, its templates' contract.
//!
//! Takes nothing but a [proven](crate::plan::prove::Proven) plan. Never sees the map, never touches the disk. What a template puts out goes through a filter of its language; the
//! engine refuses anything else that is not harmless everywhere.

pub(crate) mod athena;
pub(crate) mod aws_cli;
pub(crate) mod central;
pub(crate) mod cloudformation;
mod deployer;
pub mod digests;
pub(crate) mod engine;
pub(crate) mod graph;
pub(crate) mod guardrails;
pub(crate) mod line_ends;
pub(crate) mod policies;
mod reader;
pub mod readme;
pub(crate) mod roles;
pub(crate) mod runbook;
pub(crate) mod scanners;
pub(crate) mod snapshot;
pub mod targets;
pub mod templates;
pub(crate) mod terraform;

use crate::{
    artifacts::Artifact,
    digest::digest,
    plan::{Account, BucketRecord, LayoutRecord, Placement, Plan, StackSetRecord, TrailRecord, central::Central},
};
use anyhow::Result;
use digests::Digests;
use serde::Serialize;
use std::sync::OnceLock;

/// Receives the artifacts one by one, so that a large tree is never held in memory.
pub(crate) type Sink<'a> = dyn FnMut(Artifact) -> Result<()> + 'a;

/// What all targets need to know beside the plan.
pub struct Context<'a> {
    /// The whole plan, and digests of its placements.
    pub digests: &'a Digests<'a>,
    /// File name of the map, without folders, for headers.
    pub map_name: &'a str,
    /// Templates that replace embedded ones: name (as in `templates/`) → text.
    pub overrides: &'a [(String, String)],
    /// The accounts and Regions that were asked for.
    pub filter: &'a Filter,
    /// Log buckets that an earlier run rendered and the map no longer has: Terraform forgets them, nothing deletes them.
    pub retired: &'a [BucketRecord],
    /// Trails that an earlier run rendered and the map no longer has: Terraform forgets them, and they go on.
    pub retired_trails: &'a [TrailRecord],
    /// Accounts whose Terraform had another layout once: their addresses move.
    pub layouts: &'a [LayoutRecord],
    /// Which accounts are in which StackSet template; without it nothing is remembered.
    pub stack_sets: Option<&'a StackSetMemory<'a>>,
}

/// Which accounts an earlier run had in which StackSet template, and which this one has. Only a run that is asked for all accounts renders
/// them.
#[derive(Debug, Default)]
pub struct StackSetMemory<'a> {
    /// As the lock has it.
    pub before: &'a [StackSetRecord],
    after: OnceLock<Vec<StackSetRecord>>,
}

impl<'a> StackSetMemory<'a> {
    /// As the lock has it.
    pub fn of(before: &'a [StackSetRecord]) -> Self {
        StackSetMemory { before, after: OnceLock::new() }
    }

    /// What this run has rendered.
    pub(crate) fn settle(&self, after: Vec<StackSetRecord>) {
        // a second rendering of the same plan comes to the same
        let _ = self.after.set(after);
    }

    /// What the next run is to know: what this one has rendered, or else what it was told.
    pub fn into_records(self) -> Vec<StackSetRecord> {
        self.after.into_inner().unwrap_or_else(|| self.before.to_vec())
    }
}

/// `--account` and `--region`; empty lists mean all.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Account keys.
    pub accounts: Vec<String>,
    /// Region names.
    pub regions: Vec<String>,
}

impl Filter {
    /// Does the account have something to render?
    pub fn account(&self, account: &Account) -> bool {
        (self.accounts.is_empty() || self.accounts.contains(&account.key))
            && account.placements.iter().any(|placement| self.region(placement))
    }

    /// Is what the account has that asks the logs of all?
    pub fn central(&self, central: &Central) -> bool {
        let of = |wanted: &[String], name: &String| wanted.is_empty() || wanted.contains(name);
        of(&self.accounts, &central.account.key) && of(&self.regions, &central.region)
    }

    /// Is this Region asked for?
    pub fn region(&self, placement: &Placement) -> bool {
        self.regions.is_empty() || self.regions.contains(&placement.region)
    }
}

impl<'a> Context<'a> {
    /// The whole plan.
    pub fn plan(&self) -> &'a Plan {
        self.digests.plan
    }

    /// The account that asks the logs of all, if it was asked for.
    pub fn central(&self) -> Option<&'a Central> {
        self.plan().central.as_ref().filter(|central| self.filter.central(central))
    }

    /// The accounts that were asked for.
    pub fn accounts(&self) -> impl Iterator<Item = &'a Account> {
        let filter = self.filter;
        self.plan().accounts.iter().filter(move |account| filter.account(account))
    }

    /// The Regions of an account that were asked for.
    pub fn placements<'b>(&self, account: &'b Account) -> impl Iterator<Item = &'b Placement> + use<'b, 'a> {
        let filter = self.filter;
        account.placements.iter().filter(move |placement| filter.region(placement))
    }

    /// Lines for the head of a generated file, without comment marks: what made it, from which slice of the plan, and
    /// the command that makes it again. No path, no time, so that the same map gives the same bytes.
    pub fn header(&self, slice: &impl Serialize) -> Vec<String> {
        vec![
            format!("Generated by logmap from {} ({}).", self.map_name, digest(slice)),
            "Do not edit: change the map and run `logmap generate` again.".to_owned(),
        ]
    }
}
