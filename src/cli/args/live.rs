//! Arguments of the commands that look at what is in the accounts.

use super::{
    maps::MapArgs,
    report::{FindingFormat, KnownArgs, ReportArgs, SeverityArgs},
};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Arguments of `snapshot`.
#[derive(Debug, Args)]
pub struct SnapshotArgs {
    /// Which map.
    #[command(flatten)]
    pub map: MapArgs,
    /// Print the program that makes a snapshot, in this language
    #[arg(long, value_enum, value_name = "LANGUAGE", required = true, help_heading = "Output")]
    pub script: SnapshotScript,
    /// What counts.
    #[command(flatten)]
    pub severity: SeverityArgs,
}

/// Languages of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SnapshotScript {
    /// Python 3 with boto3, as AWS CloudShell has it.
    Python,
}

/// Arguments of `drift`.
#[derive(Debug, Args)]
pub struct DriftArgs {
    /// Which map.
    #[command(flatten)]
    pub map: MapArgs,
    /// A snapshot of the accounts; may be repeated, - is standard input
    ///
    /// Of an account that is in several of them the newest reading counts.
    #[arg(long, value_name = "FILE", required = true, help_heading = "Input")]
    pub snapshot: Vec<PathBuf>,
    /// An earlier snapshot; may be repeated
    ///
    /// The reading of a bucket's logging is a request that S3 logs: with an earlier one it is known that a log has to be there.
    #[arg(long, value_name = "FILE", requires = "delivery", help_heading = "Input")]
    pub since: Vec<PathBuf>,
    /// Only these accounts, by key, separated by commas
    #[arg(long, value_delimiter = ',', value_name = "KEY", help_heading = "Selection")]
    pub account: Vec<String>,
    /// Only these Regions, separated by commas
    #[arg(long, value_delimiter = ',', value_name = "REGION", help_heading = "Selection")]
    pub region: Vec<String>,
    /// Look at buckets that the map does not know, too
    #[arg(long, help_heading = "Selection")]
    pub coverage: bool,
    /// Say whether logs arrive, of each source and trail
    ///
    /// The snapshot has to be made with its --delivery.
    #[arg(long, help_heading = "Selection")]
    pub delivery: bool,
    /// With --delivery: how late logs may be, such as 12h or 90m
    #[arg(long, value_name = "TIME", default_value = "12h", help_heading = "Selection")]
    pub grace: String,
    /// With --delivery: the moment to judge by [default: when the snapshot was made]
    ///
    /// An instant such as 2026-11-30T06:00:00Z.
    #[arg(long, value_name = "INSTANT", help_heading = "Selection")]
    pub as_of: Option<String>,
    /// What was not read is an error
    #[arg(long, conflicts_with = "partial", help_heading = "Report")]
    pub strict: bool,
    /// What was not read does not count: parts are enough
    #[arg(long, help_heading = "Report")]
    pub partial: bool,
    /// How findings are written
    ///
    /// Each format has the same findings and gives the same exit code.
    #[arg(long, value_enum, default_value = "text", value_name = "FORMAT", help_heading = "Report")]
    pub format: DriftFormat,
    /// What counts.
    #[command(flatten)]
    pub severity: SeverityArgs,
    /// What is known.
    #[command(flatten)]
    pub known: KnownArgs,
}

/// Formats of drift.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DriftFormat {
    /// For people.
    Text,
    /// One JSON report.
    Json,
    /// A report in Markdown.
    Markdown,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// Annotations of GitHub Actions.
    Github,
    /// JUnit XML, for test reports.
    Junit,
}

impl DriftArgs {
    /// As other commands have it; Markdown is text that is written otherwise.
    pub(in crate::cli) fn report(&self) -> ReportArgs {
        let format = match self.format {
            DriftFormat::Text | DriftFormat::Markdown => FindingFormat::Text,
            DriftFormat::Json => FindingFormat::Json,
            DriftFormat::Sarif => FindingFormat::Sarif,
            DriftFormat::Github => FindingFormat::Github,
            DriftFormat::Junit => FindingFormat::Junit,
        };
        ReportArgs { format, severity: self.severity.clone(), known: self.known.clone() }
    }
}
