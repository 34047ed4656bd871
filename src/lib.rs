//! logmap: S3 server access logging and CloudTrail delivery for many accounts and Regions, from one region map.
//!
//! Data flows one way:
//!
//! ```text
//! map text ─source→ SourceFile ─document→ spanned tree ─map::decode→ RegionMap (+ findings)
//!   RegionMap ─┬─ rules::check_map ─→ findings
//!              └─ map::settle → plan::derive ─→ Plan, each policy proven (+ findings)
//!   Plan ─generate─ render → files, one by one ─disk→ the tree | --check diff
//! two Plans ─changes→ Changes ─changes::show→ text, Markdown, JSON
//! two Plans ─runbook→ Runbook ─render::runbook→ steps, stages, RUNBOOK.md
//! Plan (+ verdicts) ─topology→ Topology ─render::graph→ SVG, DOT, Mermaid, HTML
//! what others wrote ─inputs→ SourceFiles ─observed→ Observed ─compare(Plan?)→ findings and verdicts
//!   ─import→ map text, or edits of a map (+ findings)
//! a pasted text (+ Analysis) ─explain→ causes, and what mends them
//! ```
//!
//! The rules and the derivation see the same map, side by side: neither waits for the other, and a plan is given only where both
//! found no error. Which module may name which stands in `tests/arrows.rs`, in layer order.

pub mod analysis;
pub mod artifacts;
pub mod aws;
pub mod catalog;
pub mod changes;
pub mod cli;
pub mod compare;
pub mod diagnostics;
pub mod digest;
pub mod disk;
pub mod document;
pub mod edit;
pub mod escape;
pub mod explain;
pub mod fix;
pub mod formats;
pub mod generate;
pub mod import;
pub mod inputs;
pub mod inspection;
#[cfg(feature = "lsp")]
pub mod lsp;
pub mod map;
pub mod observed;
pub mod plan;
pub mod policy;
pub mod render;
pub mod rules;
pub mod runbook;
pub mod source;
pub mod text;
pub mod threads;
pub mod topology;
