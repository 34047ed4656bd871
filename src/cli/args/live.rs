//! Arguments of the commands that look at what is in the accounts.

use super::{
    maps::MapArgs,
    offered::Offered,
    report::{FindingFormat, KnownArgs, ReportArgs, SeverityArgs},
};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// How accounts are read.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Reading")]
pub struct ReadingArgs {
    /// Name of the role to assume in each account, instead of the map's
    #[arg(long, value_name = "NAME")]
    pub role: Option<String>,
    /// External id for that role
    #[arg(long, value_name = "ID", requires = "role")]
    pub external_id: Option<String>,
    /// Profile of the caller, instead of the map's
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// Calls under way at once
    #[arg(long, value_name = "NUMBER", default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub jobs: u16,
    /// Seconds that an answer may take
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=300))]
    pub timeout: u16,
}

/// Arguments of `snapshot`.
#[derive(Debug, Args)]
pub struct SnapshotArgs {
    /// Which map.
    #[command(flatten)]
    pub map: MapArgs,
    /// The file to write, for its owner only; - is standard output
    #[arg(long, value_name = "FILE", default_value = "-", help_heading = "Output")]
    pub out: PathBuf,
    /// Print a program that makes the snapshot, in this language, and read nothing
    #[arg(long, value_enum, value_name = "LANGUAGE", help_heading = "Output")]
    pub script: Option<SnapshotScript>,
    /// Leave out values of tags that are not the map's
    #[arg(long, help_heading = "Output")]
    pub redact_tags: bool,
    /// Only these accounts, by key, separated by commas
    #[arg(long, value_delimiter = ',', value_name = "KEY", help_heading = "Selection")]
    pub account: Vec<String>,
    /// Only these Regions, separated by commas
    #[arg(long, value_parser = Offered::REGIONS, hide_possible_values = true, value_delimiter = ',', value_name = "REGION", help_heading = "Selection")]
    pub region: Vec<String>,
    /// Also the active accounts that AWS Organizations lists
    #[arg(long, help_heading = "Selection")]
    pub organization: bool,
    /// Which buckets are asked for their logging
    #[arg(long, value_enum, value_name = "WHICH", default_value = "all", help_heading = "Selection")]
    pub buckets: AskedBuckets,
    /// Look for log objects, too: lists keys, and reads none
    #[arg(long, help_heading = "Selection")]
    pub delivery: bool,
    /// Days that are looked at with --delivery
    #[arg(long, value_name = "NUMBER", default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..=365), help_heading = "Selection")]
    pub days: u16,
    /// How it is read.
    #[command(flatten)]
    pub reading: ReadingArgs,
    /// What counts.
    #[command(flatten)]
    pub severity: SeverityArgs,
}

/// Buckets that are asked for their logging.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AskedBuckets {
    /// All of the accounts: coverage needs them.
    All,
    /// Sources and log buckets of the map.
    Mapped,
}

/// Languages of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SnapshotScript {
    /// Python 3 with boto3, as AWS CloudShell has it.
    Python,
}

/// How late logs may be, if nothing is said: S3 delivers most "within a few hours" (S3 user guide).
pub const GRACE: &str = "12h";

/// Arguments of `drift`.
#[derive(Debug, Args)]
pub struct DriftArgs {
    /// Which map.
    #[command(flatten)]
    pub map: MapArgs,
    /// A snapshot of the accounts; may be repeated, - is standard input [default: they are read now]
    ///
    /// Of an account that is in several of them the newest reading counts.
    #[arg(long, value_name = "FILE", help_heading = "Input")]
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
    #[arg(long, value_parser = Offered::REGIONS, hide_possible_values = true, value_delimiter = ',', value_name = "REGION", help_heading = "Selection")]
    pub region: Vec<String>,
    /// Look at buckets that the map does not know, too
    #[arg(long, help_heading = "Selection")]
    pub coverage: bool,
    /// Say whether logs arrive, of each source and trail
    ///
    /// A snapshot has to be made with its --delivery.
    #[arg(long, help_heading = "Selection")]
    pub delivery: bool,
    /// With --delivery and without --snapshot: days that are looked at
    #[arg(long, value_name = "NUMBER", default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..=365), help_heading = "Selection")]
    pub days: u16,
    /// Without --snapshot: also the active accounts that AWS Organizations lists
    #[arg(long, conflicts_with = "snapshot", help_heading = "Selection")]
    pub organization: bool,
    /// With --delivery: how late logs may be, such as 12h or 90m
    #[arg(long, value_name = "TIME", default_value = GRACE, help_heading = "Selection")]
    pub grace: String,
    /// With --delivery: the moment to judge by [default: when the snapshot was made]
    ///
    /// An instant such as 2026-11-30T06:00:00Z.
    #[arg(long, value_name = "INSTANT", help_heading = "Selection")]
    pub as_of: Option<String>,
    /// How accounts are read, without --snapshot.
    #[command(flatten)]
    pub reading: ReadingArgs,
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
    /// A Code Quality report of GitLab.
    Gitlab,
    /// One line each.
    Concise,
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
            DriftFormat::Gitlab => FindingFormat::Gitlab,
            DriftFormat::Concise => FindingFormat::Concise,
        };
        ReportArgs { format, severity: self.severity.clone(), known: self.known.clone() }
    }
}
