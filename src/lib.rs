//! logmap: S3 server access logging and CloudTrail delivery for many accounts and Regions, from one region map.
//!
//! Data flows one way:
//!
//! ```text
//! the map's files ─included→ Sources ─source→ SourceFile ─document→ spanned tree ─map::decode→ RegionMap (+ findings)
//!   RegionMap ─┬─ rules::check_map ─→ findings
//!              └─ map::effective → plan::derive ─→ Plan, each policy proven (+ findings)
//!   Plan ─generate─ render → files, one by one ─disk→ the tree | --check diff
//! Plan ─tables→ the tables over what the log buckets take ─render::athena, changes
//! two Plans ─changes→ Changes ─changes::show→ text, Markdown, JSON
//! two Plans ─runbook→ Runbook ─render::runbook→ steps, stages, RUNBOOK.md
//! Plan (+ verdicts) ─topology→ Topology ─render::graph→ SVG, DOT, Mermaid, HTML
//! what others wrote ─inputs→ SourceFiles ─observed→ Observed ─compare(Plan?)→ findings and verdicts
//!   ─import→ map text, or edits of a map (+ findings)
//! Plan ─scope→ Scope ─live→ the text of a snapshot | ─render::snapshot→ a program that makes it
//! a snapshot of accounts ─snapshot→ readings ─drift(Plan)→ findings, what was looked at, coverage, deliveries
//! a pasted text (+ Analysis) ─explain→ causes, and what mends them
//! ```
//!
//! The rules and the derivation see the same map, side by side: neither waits for the other, and a plan is given only where both
//! found no error. Which module may name which stands in `tests/arrows.rs`, in layer order.
//!
//! The version is the tool's: what users may rely on stands in `docs/stability.md`, and the library promises nothing. All of it
//! that is public is [`run`].

// in tests, which are crates of their own, everything public is unreachable
#![warn(unreachable_pub)]

mod analysis;
mod artifacts;
mod aws;
mod catalog;
mod changes;
mod cli;
mod compare;
mod diagnostics;
mod digest;
mod disk;
mod document;
mod drift;
mod edit;
mod escape;
mod explain;
mod files;
mod fix;
mod folders;
mod formats;
mod generate;
mod hole;
mod import;
mod included;
mod inputs;
mod inspection;
#[cfg(feature = "live")]
mod live;
#[cfg(feature = "lsp")]
mod lsp;
mod map;
mod observed;
mod places;
mod plan;
mod policy;
mod render;
mod rules;
mod runbook;
mod scope;
mod several;
mod snapshot;
mod source;
mod tables;
#[doc(hidden)]
pub mod testing;
mod text;
mod threads;
mod topology;

/// Runs the program with its arguments, the first of which is its name. Gives the exit code.
pub fn run(args: impl IntoIterator<Item = std::ffi::OsString>) -> u8 {
    cli::run(args)
}
