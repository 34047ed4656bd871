//! Arguments: what can be said on the command line. No behaviour.
//!
//! The first paragraph of a comment is what `-h` shows of an argument, in one line; `--help` shows all of it. Each command's examples
//! stand in `examples`, and a test runs them.

pub mod examples;
mod inputs;
mod live;
mod maps;
mod offered;
mod program;
mod report;

pub use inputs::{CheckArgs, ExplainArgs, ImportArgs, ListFormat, WhoseAccounts};
pub use live::{AskedBuckets, DriftArgs, DriftFormat, GRACE, ReadingArgs, SnapshotArgs, SnapshotScript};
pub use maps::{DiffArgs, DiffFormat, GenerateArgs, GraphArgs, GraphFormat, MapArgs, PairArgs, RunbookArgs, ValidateArgs};
#[cfg(feature = "lsp")]
pub use program::LspArgs;
pub use program::{Ci, CompletionsArgs, InitArgs, ManArgs, TemplatesArgs};
pub use report::{FailOn, FindingFormat, KnownArgs, ReportArgs, SeverityArgs};

use crate::aws::region;
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use examples::examples;
use std::sync::LazyLock;

/// S3 access logging and CloudTrail delivery for many AWS accounts and Regions, from one region map.
#[derive(Debug, Parser)]
#[command(
    name = "logmap",
    version,
    long_version = LONG_VERSION.as_str(),
    max_term_width = 110,
    disable_help_flag = true,
    disable_version_flag = true,
    after_help = "Exit codes: 0 clean; 1 findings, differences or drift; 2 usage, or a map that can't be read; 3 I/O or AWS failure."
)]
pub struct Cli {
    /// Print the version; --version also the commit it was built from and the date of its table of Regions
    #[arg(short = 'V', long, action = ArgAction::Version, help_heading = "Global options")]
    pub version: Option<bool>,
    /// Common options.
    #[command(flatten)]
    pub common: Common,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What `--version` prints: the version, the commit that it was built from where the build says so, and of when the table of Regions is.
static LONG_VERSION: LazyLock<String> = LazyLock::new(|| {
    let commit = option_env!("LOGMAP_COMMIT").filter(|commit| !commit.is_empty());
    let commit = commit.map_or(String::new(), |commit| format!(" ({commit})"));
    format!("{}{commit}\nRegions of {}", env!("CARGO_PKG_VERSION"), region::TABLE_DATE)
});

/// Options of every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub struct Common {
    /// When to use colours
    ///
    /// This wins over NO_COLOR, FORCE_COLOR, CLICOLOR_FORCE, CLICOLOR and TERM, which `auto` heeds in this order.
    #[arg(long, global = true, value_enum, default_value = "auto", value_name = "WHEN")]
    pub color: Color,
    /// Say only what is wrong
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Say more
    #[arg(short, long, global = true, conflicts_with = "quiet")]
    pub verbose: bool,
    /// Print help: -h in short, --help with details and examples
    #[arg(short, long, global = true, action = ArgAction::Help)]
    pub help: Option<bool>,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless the environment says otherwise.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a commented starter map, editor association and CI snippet
    ///
    /// Asks on a terminal for what the flags leave out. A file that is there is left as it is; a map that is there ends the run.
    #[command(after_long_help = examples("init"))]
    Init(InitArgs),
    /// Check a map against every rule
    ///
    /// `-v` adds the bytes that each bucket policy has left, and what was proven of it.
    #[command(after_long_help = examples("validate"))]
    Validate(ValidateArgs),
    /// Render Terraform, CloudFormation, AWS CLI scripts, policies and Athena SQL from a map
    ///
    /// Nothing is written from a map with errors, or when a file in the way was not written by logmap.
    #[command(after_long_help = examples("generate"))]
    Generate(GenerateArgs),
    /// Say what changes in meaning between two maps; exit code 1 if anything does
    #[command(after_long_help = examples("diff"))]
    Diff(DiffArgs),
    /// Check the logging in Terraform plans and states, CloudFormation templates, bucket policies and CLI dumps
    ///
    /// Gives a verdict on each log configuration and trail: ok, violation or unknown.
    #[command(after_long_help = examples("check"))]
    Check(CheckArgs),
    /// Make a map from what is there, or add to one: lists of buckets, AWS Config, Terraform, CloudFormation
    ///
    /// Reads `aws s3api list-buckets --page-size 1000`, AWS Config queries (JSON or CSV), `terraform show -json`, templates, `aws cloudtrail
    /// describe-trails`, `aws organizations list-accounts` and whatever else `logmap check` reads. Findings go to standard error, also in
    /// other formats than text, because standard output is the map's.
    #[command(after_long_help = examples("import"))]
    Import(ImportArgs),
    /// Read the accounts of a map into a snapshot, or print a program that does
    ///
    /// It only reads, with the credentials that the AWS CLI finds. The program of --script is Python with boto3, as AWS CloudShell has it, and needs
    /// nothing of logmap where it runs. Exit code 3 if of an account nothing could be read; that is in the snapshot, too.
    #[command(after_long_help = examples("snapshot"))]
    Snapshot(SnapshotArgs),
    /// Say where the accounts differ from the map, what the map does not know, and whether logs arrive
    ///
    /// Reads snapshots, or without one the accounts themselves. Exit code 1 for drift; 3 if something was not read and nothing else was found.
    #[command(after_long_help = examples("drift"))]
    Drift(DriftArgs),
    /// Plan the way from one map to another: steps with scripts, checks and rollbacks, in which no log is lost
    #[command(after_long_help = examples("runbook"))]
    Runbook(RunbookArgs),
    /// Draw the topology: accounts, Regions, sources, log buckets, trails
    ///
    /// A picture of a large map counts what a page of HTML lists.
    #[command(after_long_help = examples("graph"))]
    Graph(GraphArgs),
    /// Explain a rule, or the AWS errors in a text
    ///
    /// Exit code 1 if there is nothing in the text that logmap knows.
    #[command(after_long_help = examples("explain"))]
    Explain(ExplainArgs),
    /// List the built-in templates, or write them out to change them
    ///
    /// A folder with changed templates is what --templates of the command that uses them takes.
    #[command(after_long_help = examples("templates"))]
    Templates(TemplatesArgs),
    /// Print the JSON Schema of the map
    #[command(after_long_help = examples("schema"))]
    Schema,
    /// Print the completion script of a shell
    #[command(after_long_help = examples("completions"))]
    Completions(CompletionsArgs),
    /// Print the manual page logmap(1), or write one for each command
    #[command(after_long_help = examples("man"))]
    Man(ManArgs),
    /// Serve an editor: the language server, on standard input and output
    #[cfg(feature = "lsp")]
    #[command(after_long_help = examples("lsp"))]
    Lsp(LspArgs),
}
