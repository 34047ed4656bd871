//! What the tests, the benches and the examples in the documentation reach: the steps of the way from a text to files, each by
//! itself. It is no interface of logmap's: what is here changes without notice.

pub mod analysis {
    //! A map's text, analyzed.
    pub use crate::analysis::{Analysis, AnalysisCache, Draft, analyze, analyze_incremental};
}

pub mod artifacts {
    //! What is rendered.
    pub use crate::artifacts::Artifact;
}

pub mod aws {
    //! Facts.
    pub use crate::aws::{Partition, Sender};

    pub mod limits {
        //! Quotas.
        pub use crate::aws::limits::BUCKET_POLICY_BYTES;
    }

    pub mod region {
        //! Regions.
        pub use crate::aws::region::{KNOWN, is_well_formed, pattern};
    }
}

pub mod changes {
    //! What differs between two plans.
    pub use crate::changes::{Access, Change, Changes, Kind, between, show};
}

pub mod cli {
    //! Arguments and exit codes.
    pub use crate::cli::{args, exit};
}

pub mod diagnostics {
    //! Findings and their formats.
    pub use crate::diagnostics::{Finding, Report, Rule, Scope, Severity, concise, fingerprint, github, gitlab, junit, sarif};
}

pub mod digest {
    //! Digests.
    pub use crate::digest::digest;
}

pub mod disk {
    //! The output tree.
    pub mod lock {
        //! The lock.
        pub use crate::disk::lock::{FORMAT_VERSION, Lock};
    }
}

pub mod document {
    //! YAML as a tree.
    pub use crate::document::{Document, read};

    pub mod incremental {
        //! A text that was read before.
        pub use crate::document::incremental::reread;
    }
}

pub mod edit {
    //! Edits of a text.
    pub use crate::edit::{Fix, apply};
}

pub mod escape {
    //! Quoting.
    pub use crate::escape::*;
}

pub mod fix {
    //! Fixes of a map.
    pub use crate::fix::fix;
}

pub mod import {
    //! What exists, as a map.
    pub use crate::import::{GivenAccount, Options, import};
}

pub mod included {
    //! Maps in several files.
    pub use crate::included::Sources;
}

pub mod inspection {
    //! What others wrote, judged.
    pub use crate::inspection::inspect;
}

#[cfg(feature = "lsp")]
pub mod lsp {
    //! The language server.
    pub use crate::lsp::serve;
}

pub mod map {
    //! The region map.
    pub use crate::map::{RegionMap, decode, effective, schema};
}

pub mod observed {
    //! What others wrote.
    pub use crate::observed::Told;
}

pub mod plan {
    //! What is derived of a map.
    pub use crate::plan::{Account, KeyFormat, LogBucket, Plan, Source, Tier, Trail, derive, prove};
}

pub mod policy {
    //! Policies.
    pub use crate::policy::{Condition, Effect, Element, Policy, Principal, Statement, Version, compose, condense, evaluate};
}

pub mod render {
    //! Files.
    pub use crate::render::{Context, Filter, digests, readme, targets, templates};
}

pub mod rules {
    //! All rules, and the checks of a map.
    pub use crate::rules::{all, check_map, find};
}

pub mod runbook {
    //! The way from one plan to another.
    pub use crate::runbook::{Leftover, Runbook, Step, Work, plan};
}

pub mod source {
    //! Texts.
    pub use crate::source::{FileId, SourceFile, Span};
}
