//! Arguments of the commands that begin with what others wrote.

use super::{live::ReadingArgs, offered::Offered, report::ReportArgs};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Arguments of `check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Files and folders with what others wrote; `-` is standard input
    ///
    /// After `--` a name that begins with `-` is a file, too: hooks pass whatever names there are.
    #[arg(value_name = "PATH", required = true)]
    pub paths: Vec<PathBuf>,
    /// What findings call the text on standard input
    #[arg(long, value_name = "PATH", help_heading = "Input")]
    pub stdin_filename: Option<PathBuf>,
    /// A region map, which supplies what the files can't tell
    ///
    /// It also says which log bucket a source has to have.
    #[arg(long, value_name = "MAP", help_heading = "Input")]
    pub map: Option<PathBuf>,
    /// Region of templates, and of providers that have none
    #[arg(long, value_parser = Offered::REGIONS, hide_possible_values = true, value_name = "REGION", help_heading = "Input")]
    pub region: Option<String>,
    /// Account id of templates, and of providers with the environment's credentials
    #[arg(long, value_name = "ID", help_heading = "Input")]
    pub account: Option<String>,
    /// Value of a template's parameter; may be repeated
    #[arg(long, value_name = "KEY=VALUE", help_heading = "Input")]
    pub parameter: Vec<String>,
    /// Pass over named files that are none of the inputs
    ///
    /// Without it a named file that is not understood is an error. For hooks, which name every file that changed.
    #[arg(long, help_heading = "Input")]
    pub skip_unrelated: bool,
    /// What can't be known makes the exit code 1, too
    #[arg(long, help_heading = "Report")]
    pub strict: bool,
    /// How findings are reported.
    #[command(flatten)]
    pub report: ReportArgs,
}

/// Arguments of `import`.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// Files and folders with what is there; `-` is standard input
    #[arg(value_name = "FILE", required_unless_present = "live")]
    pub files: Vec<PathBuf>,
    /// Read accounts themselves, too: those of the map of --into, else that of the credentials
    ///
    /// `--live=organization` also reads the active accounts that AWS Organizations lists.
    #[arg(long, value_enum, value_name = "WHOSE", num_args = 0..=1, require_equals = true, default_missing_value = "own", help_heading = "Input")]
    pub live: Option<WhoseAccounts>,
    /// What findings call the text on standard input
    #[arg(long, value_name = "PATH", help_heading = "Input")]
    pub stdin_filename: Option<PathBuf>,
    /// Account of inputs that do not tell theirs, as an id or as KEY=ID
    ///
    /// May be repeated to give keys to accounts.
    #[arg(long, value_name = "[KEY=]ID", help_heading = "Input")]
    pub account: Vec<String>,
    /// Region of templates, and of providers that have none
    #[arg(long, value_parser = Offered::REGIONS, hide_possible_values = true, value_name = "REGION", help_heading = "Input")]
    pub region: Option<String>,
    /// Value of a template's parameter; may be repeated
    #[arg(long, value_name = "KEY=VALUE", help_heading = "Input")]
    pub parameter: Vec<String>,
    /// Short name of the organisation, a part of the names of log buckets
    #[arg(long, value_name = "NAME", help_heading = "Input")]
    pub organization: Option<String>,
    /// Write the map to a new file instead of to standard output
    #[arg(long, value_name = "FILE", conflicts_with = "into", help_heading = "Output")]
    pub out: Option<PathBuf>,
    /// Overwrite the file of --out
    #[arg(long, requires = "out", help_heading = "Output")]
    pub force: bool,
    /// How accounts are read, with --live.
    #[command(flatten)]
    pub reading: ReadingArgs,
    /// Add what is missing to this map
    ///
    /// Its comments, order and layout stay. `-` is standard input.
    #[arg(long, value_name = "MAP", help_heading = "Output")]
    pub into: Option<PathBuf>,
    /// With --into: print the change as a diff, and write nothing
    ///
    /// The exit code is 1 if there is a change.
    #[arg(long, requires = "into", help_heading = "Output")]
    pub diff: bool,
    /// How findings are reported.
    #[command(flatten)]
    pub report: ReportArgs,
}

/// Accounts that `import --live` reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum WhoseAccounts {
    /// Those of the map, or that of the credentials.
    Own,
    /// The active accounts of the organization, too.
    Organization,
}

/// Arguments of `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// A rule's id or name, an AWS error code, or a text with AWS errors in it
    ///
    /// `-` or nothing is standard input.
    #[arg(value_name = "CODE|TEXT", value_parser = Offered::RULES, hide_possible_values = true)]
    pub text: Vec<String>,
    /// A region map: says which entries an error concerns, what mends it, and what a rule counts
    #[arg(long, env = "LOGMAP_MAP", value_name = "MAP", help_heading = "Input")]
    pub map: Option<PathBuf>,
    /// List all rules
    #[arg(long, conflicts_with_all = ["text", "errors"], help_heading = "Lists")]
    pub list: bool,
    /// List the AWS errors that have a page
    #[arg(long, conflicts_with = "text", help_heading = "Lists")]
    pub errors: bool,
    /// How the answer is written
    #[arg(long, value_enum, default_value = "text", value_name = "FORMAT", help_heading = "Report")]
    pub format: ListFormat,
}

/// Formats of answers that are no findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    /// For people.
    Text,
    /// One JSON document.
    Json,
}
