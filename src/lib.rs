//! logmap: S3 server access logging and CloudTrail delivery for many accounts and Regions, from one region map.
//!
//! Data flows one way:
//!
//! ```text
//! map text ─source→ SourceFile ─document→ spanned tree ─map::decode→ RegionMap (+ findings)
//!   ─map::settle→ settled map ─rules→ (+ findings) ─plan::derive→ Plan (+ findings)
//!   ─render→ Artifacts {path → text} ─disk→ files | --check diff
//! two Plans ─changes→ Changes ─changes::show→ text, Markdown, JSON
//! Plan (+ verdicts) ─topology→ Topology ─render::graph→ SVG, DOT, Mermaid, HTML
//! what others wrote ─observed→ Observed ─compare(Plan?)→ findings and verdicts
//!   ─import→ map text, or edits of a map (+ findings)
//! ```

pub mod analysis;
pub mod artifacts;
pub mod aws;
pub mod catalog;
pub mod changes;
pub mod cli;
pub mod compare;
pub mod diagnostics;
pub mod disk;
pub mod document;
pub mod edit;
pub mod fix;
pub mod formats;
pub mod import;
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
