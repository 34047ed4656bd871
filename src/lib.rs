//! logmap: S3 server access logging and CloudTrail delivery for many accounts and Regions, from one region map.
//!
//! Data flows one way:
//!
//! ```text
//! map text ─source→ SourceFile ─document→ spanned tree ─map::decode→ RegionMap (+ findings)
//!   ─map::settle→ settled map ─rules→ (+ findings) ─plan::derive→ Plan (+ findings)
//!   ─render→ Artifacts {path → text} ─disk→ files | --check diff
//! ```

pub mod analysis;
pub mod artifacts;
pub mod aws;
pub mod cli;
pub mod diagnostics;
pub mod disk;
pub mod document;
pub mod edit;
pub mod fix;
pub mod map;
pub mod plan;
pub mod policy;
pub mod render;
pub mod rules;
pub mod source;
