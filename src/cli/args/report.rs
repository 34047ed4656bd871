//! How findings are reported, for every command that finds something.

use crate::included::Sources;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// How a command that finds things reports them.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Report")]
pub struct ReportArgs {
    /// How findings are written
    ///
    /// Each format has the same findings and gives the same exit code.
    #[arg(long, value_enum, default_value = "text", value_name = "FORMAT")]
    pub format: FindingFormat,
    /// What counts.
    #[command(flatten)]
    pub severity: SeverityArgs,
    /// What is known.
    #[command(flatten)]
    pub known: KnownArgs,
}

impl ReportArgs {
    /// As text, without a baseline: what a command with an output of its own does with findings.
    pub(in crate::cli) fn text(severity: &SeverityArgs) -> Self {
        ReportArgs { format: FindingFormat::Text, severity: severity.clone(), known: KnownArgs::default() }
    }
}

/// Which findings make a command fail.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Report")]
pub struct SeverityArgs {
    /// The least severity that makes the exit code 1
    #[arg(long, value_enum, default_value = "error", value_name = "SEVERITY")]
    pub fail_on: FailOn,
}

/// Findings that are known.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Report")]
pub struct KnownArgs {
    /// A file with findings that are known and not shown again
    ///
    /// Its entries that no longer match anything are reported. A finding that keeps the map from being used can't be hidden. With this or
    /// --write-baseline the baseline of the map's settings does not count.
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// Write the findings to a file for --baseline
    #[arg(long, value_name = "FILE", conflicts_with = "baseline")]
    pub write_baseline: Option<PathBuf>,
}

impl KnownArgs {
    /// A map without its own baseline, if there is one here.
    pub(in crate::cli) fn win_over(&self, mut sources: Sources) -> Sources {
        if self.baseline.is_some() || self.write_baseline.is_some() {
            sources.baseline = None;
        }
        sources
    }
}

/// Formats of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FindingFormat {
    /// For people.
    Text,
    /// One JSON report.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// Annotations of GitHub Actions.
    Github,
    /// JUnit XML, for test reports.
    Junit,
    /// A Code Quality report of GitLab.
    Gitlab,
    /// One line each.
    Concise,
}

/// The least severity that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// Errors.
    Error,
    /// Warnings too.
    Warning,
}
