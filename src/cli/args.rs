//! Arguments: what can be said on the command line. No behaviour.

use crate::render::targets::{TARGETS, Target};
use clap::{
    Args, Parser, Subcommand, ValueEnum,
    builder::{PossibleValue, PossibleValuesParser, TypedValueParser},
};
use std::path::PathBuf;

/// S3 access logging and CloudTrail delivery for many AWS accounts and Regions, from one region map.
#[derive(Debug, Parser)]
#[command(
    version,
    max_term_width = 110,
    after_help = "Exit codes: 0 clean; 1 findings, differences or drift; 2 usage, or a map that can't be read; 3 I/O or AWS failure."
)]
pub struct Cli {
    /// Common options.
    #[command(flatten)]
    pub common: Common,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub struct Common {
    /// When to use colours
    #[arg(long, global = true, value_enum, default_value = "auto", value_name = "WHEN")]
    pub color: Color,
    /// Say only what is wrong
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Say more
    #[arg(short, long, global = true, conflicts_with = "quiet")]
    pub verbose: bool,
}

/// How a command that finds things reports them.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Report")]
pub struct ReportArgs {
    /// How findings are written
    #[arg(long, value_enum, default_value = "text", value_name = "FORMAT")]
    pub format: FindingFormat,
    /// What counts.
    #[command(flatten)]
    pub severity: SeverityArgs,
    /// What is known.
    #[command(flatten)]
    pub known: KnownArgs,
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
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// Write the findings to a file for --baseline
    #[arg(long, value_name = "FILE", conflicts_with = "baseline")]
    pub write_baseline: Option<PathBuf>,
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
}

/// Formats of differences.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DiffFormat {
    /// For people.
    Text,
    /// One JSON report.
    Json,
    /// For a pull request.
    Markdown,
}

/// Formats of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GraphFormat {
    /// A picture.
    Svg,
    /// For Graphviz.
    Dot,
    /// A diagram for Markdown.
    Mermaid,
    /// A page that searches and filters.
    Html,
    /// What the ending of the file says, as without the flag.
    #[value(hide = true)]
    Text,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The least severity that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// Errors.
    Error,
    /// Warnings too.
    Warning,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a commented starter map, editor association and CI snippet
    Init(InitArgs),
    /// Check a map against every rule
    Validate(ValidateArgs),
    /// Render Terraform, CloudFormation, AWS CLI scripts, policies and Athena SQL from a map
    Generate(GenerateArgs),
    /// Say what changes in meaning between two maps; exit code 1 if anything does
    Diff(DiffArgs),
    /// Check the logging in Terraform plans and states, CloudFormation templates, bucket policies and CLI dumps
    Check(CheckArgs),
    /// Make a map from what is there, or add to one: lists of buckets, AWS Config, Terraform, CloudFormation
    Import(ImportArgs),
    /// Plan the way from one map to another: steps with scripts, checks and rollbacks, in which no log is lost
    Runbook(RunbookArgs),
    /// Draw the topology: accounts, Regions, sources, log buckets, trails
    Graph(GraphArgs),
    /// Explain a rule, or the AWS errors in a text
    Explain(ExplainArgs),
    /// Print the JSON Schema of the map
    Schema,
    /// Print the completion script of a shell
    Completions(CompletionsArgs),
    /// Print the manual page logmap(1), or write one for each command
    Man(ManArgs),
    /// Serve an editor: the language server, on standard input and output
    #[cfg(feature = "lsp")]
    Lsp(LspArgs),
}

/// Which map.
#[derive(Debug, Clone, Args)]
pub struct MapArgs {
    /// The region map; `-` is standard input [default: logmap.yaml here or in a folder above]
    #[arg(value_name = "MAP", env = "LOGMAP_MAP")]
    pub map: Option<PathBuf>,
}

/// Arguments of `validate`.
#[derive(Debug, Args)]
pub struct ValidateArgs {
    /// Which map.
    #[command(flatten)]
    pub map: MapArgs,
    /// Make the safe fixes in the map; of standard input the fixed text is printed
    #[arg(long)]
    pub fix: bool,
    /// With --fix or --diff: make the fixes that are guesses, too
    #[arg(long)]
    pub unsafe_fixes: bool,
    /// Print what --fix would change as a diff, and write nothing; exit with 1 if it would change anything
    #[arg(long, conflicts_with = "fix")]
    pub diff: bool,
    /// How findings are reported.
    #[command(flatten)]
    pub report: ReportArgs,
}

/// Two maps.
#[derive(Debug, Clone, Args)]
#[command(after_help = "A map is a file, `-` for standard input, or REV:PATH for a file in a git revision.")]
pub struct PairArgs {
    /// The map as it was; with --since the map as it is [default with --since: logmap.yaml here or in a folder above]
    #[arg(value_name = "OLD", required_unless_present = "since")]
    pub old: Option<String>,
    /// The map as it is to be
    #[arg(value_name = "NEW", required_unless_present = "since")]
    pub new: Option<String>,
    /// Compare with the same file in this git revision
    #[arg(long, value_name = "REV")]
    pub since: Option<String>,
}

/// Arguments of `diff`.
#[derive(Debug, Args)]
pub struct DiffArgs {
    /// Which maps.
    #[command(flatten)]
    pub maps: PairArgs,
    /// How differences are written
    #[arg(long, value_enum, default_value = "text", value_name = "FORMAT")]
    pub format: DiffFormat,
    /// What counts.
    #[command(flatten)]
    pub severity: SeverityArgs,
}

/// Arguments of `runbook`.
#[derive(Debug, Args)]
pub struct RunbookArgs {
    /// Which maps.
    #[command(flatten)]
    pub maps: PairArgs,
    /// The folder for the runbook
    #[arg(long, default_value = "runbook", value_name = "DIR")]
    pub out: PathBuf,
    /// Overwrite files of an earlier runbook that were edited; files that logmap did not write are never overwritten
    #[arg(long)]
    pub force: bool,
    /// What counts.
    #[command(flatten)]
    pub severity: SeverityArgs,
}

/// Arguments of `generate`.
#[derive(Debug, Args)]
pub struct GenerateArgs {
    /// Which map.
    #[command(flatten)]
    pub map: MapArgs,
    /// The output folder [default: `out` beside the map]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Targets to render, separated by commas [default: all]
    #[arg(long, value_parser = targets(), value_delimiter = ',', value_name = "TARGET")]
    pub target: Vec<&'static Target>,
    /// Only these accounts, by key
    #[arg(long, value_delimiter = ',', value_name = "KEY")]
    pub account: Vec<String>,
    /// Only these Regions
    #[arg(long, value_delimiter = ',', value_name = "REGION")]
    pub region: Vec<String>,
    /// Write nothing; exit with 1 if the folder is not up to date. In text its diff is printed, else a report with a finding for each file
    #[arg(long, conflicts_with_all = ["stdout", "force"])]
    pub check: bool,
    /// Print the files instead of writing them
    #[arg(long, conflicts_with = "force")]
    pub stdout: bool,
    /// A folder with templates that replace built-in ones of the same name
    #[arg(long, value_name = "DIR")]
    pub templates: Option<PathBuf>,
    /// Overwrite generated files that were edited; files that logmap did not write are never overwritten
    #[arg(long)]
    pub force: bool,
    /// How findings are reported.
    #[command(flatten)]
    pub report: ReportArgs,
}

/// The names of the targets, with what each makes.
fn targets() -> impl TypedValueParser<Value = &'static Target> {
    let names = TARGETS.iter().map(|target| PossibleValue::new(target.name).help(target.about));
    PossibleValuesParser::new(names).try_map(|name| Target::find(&name).ok_or("there is no target of this name"))
}

/// Arguments of `check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Files and folders with what others wrote; `-` is standard input
    #[arg(value_name = "PATH", required = true)]
    pub paths: Vec<PathBuf>,
    /// A region map: supplies what the files can't tell, and which log bucket it should be
    #[arg(long, value_name = "MAP")]
    pub map: Option<PathBuf>,
    /// Region of templates, and of providers that have none
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,
    /// Account id of templates, and of providers with the environment's credentials
    #[arg(long, value_name = "ID")]
    pub account: Option<String>,
    /// Value of a template's parameter; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    pub parameter: Vec<String>,
    /// What can't be known makes the exit code 1, too
    #[arg(long)]
    pub strict: bool,
    /// How findings are reported.
    #[command(flatten)]
    pub report: ReportArgs,
}

/// Arguments of `graph`.
#[derive(Debug, Args)]
#[command(
    after_help = "Without --format the ending of --out decides; without both it is svg. A picture of a large map counts what a page of html lists."
)]
pub struct GraphArgs {
    /// Which map.
    #[command(flatten)]
    pub map: MapArgs,
    /// The file to write [default: standard output]; an earlier picture is replaced, any other file is left alone
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Only these accounts, by key, and what they deliver to or take from
    #[arg(long, value_delimiter = ',', value_name = "KEY")]
    pub account: Vec<String>,
    /// Only these Regions, and what they deliver to or take from
    #[arg(long, value_delimiter = ',', value_name = "REGION")]
    pub region: Vec<String>,
    /// What `logmap check` reads: a file or folder whose violations are marked; may be repeated
    #[arg(long, value_name = "PATH")]
    pub check: Vec<PathBuf>,
    /// The language of the picture [default: by the ending of --out, else svg]
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub format: Option<GraphFormat>,
    /// What counts.
    #[command(flatten)]
    pub severity: SeverityArgs,
    /// What is known.
    #[command(flatten)]
    pub known: KnownArgs,
}

/// Arguments of `import`.
#[derive(Debug, Args)]
#[command(
    after_help = "Reads `aws s3api list-buckets --page-size 1000`, AWS Config queries (JSON or CSV), `terraform show -json`, templates,\n`aws cloudtrail describe-trails`, `aws organizations list-accounts` and what else `logmap check` reads."
)]
pub struct ImportArgs {
    /// Files and folders with what is there; `-` is standard input
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Write the map to a file that does not exist yet, instead of to standard output
    #[arg(long, value_name = "FILE", conflicts_with = "into")]
    pub out: Option<PathBuf>,
    /// Overwrite the file of --out
    #[arg(long, requires = "out")]
    pub force: bool,
    /// Add what is missing to this map; its comments, order and layout stay. `-` is standard input
    #[arg(long, value_name = "MAP")]
    pub into: Option<PathBuf>,
    /// With --into: print the change as a diff, and write nothing; exit with 1 if there is one
    #[arg(long, requires = "into")]
    pub diff: bool,
    /// Account of inputs that do not tell theirs, as an id or as KEY=ID; may be repeated to give keys to accounts
    #[arg(long, value_name = "[KEY=]ID")]
    pub account: Vec<String>,
    /// Region of templates, and of providers that have none
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,
    /// Value of a template's parameter; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    pub parameter: Vec<String>,
    /// Short name of the organisation, a part of the names of log buckets
    #[arg(long, value_name = "NAME")]
    pub organization: Option<String>,
    /// How findings are reported.
    #[command(flatten)]
    pub report: ReportArgs,
}

/// Arguments of `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// A rule's id or name, an AWS error code, or a text with AWS errors in it; `-` or nothing is standard input
    #[arg(value_name = "CODE|TEXT")]
    pub text: Vec<String>,
    /// List all rules
    #[arg(long, conflicts_with_all = ["text", "errors"])]
    pub list: bool,
    /// List the AWS errors that have a page
    #[arg(long, conflicts_with = "text")]
    pub errors: bool,
    /// A region map: says which of its entries an error concerns, and what mends it
    #[arg(long, env = "LOGMAP_MAP", value_name = "MAP")]
    pub map: Option<PathBuf>,
}

/// Arguments of `completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub shell: clap_complete::Shell,
}

/// Arguments of `man`.
#[derive(Debug, Args)]
pub struct ManArgs {
    /// Write logmap.1 and a page for each command into this folder, which is made if it is not there
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// Arguments of `lsp`.
#[cfg(feature = "lsp")]
#[derive(Debug, Args)]
pub struct LspArgs {
    /// Many editors say this; the standard streams are all there is
    #[arg(long, hide = true)]
    pub stdio: bool,
}

/// Arguments of `init`.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// Folder to write to
    #[arg(long, default_value = ".", value_name = "DIR")]
    pub dir: PathBuf,
    /// Short name of the organisation
    #[arg(long, value_name = "NAME")]
    pub org: Option<String>,
    /// An account as KEY=ID; may be repeated
    #[arg(long, value_name = "KEY=ID")]
    pub account: Vec<String>,
    /// A Region with source buckets; may be repeated
    #[arg(long, value_delimiter = ',', value_name = "REGION")]
    pub region: Vec<String>,
    /// CI snippet to write
    #[arg(long, value_enum, default_value = "github", value_name = "SYSTEM")]
    pub ci: Ci,
}

/// CI systems that `init` knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Ci {
    /// A GitHub Actions workflow.
    Github,
    /// None.
    None,
}
