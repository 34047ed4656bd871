//! Arguments of the commands that begin with a map, or with two.

use super::{
    offered::Offered,
    report::{KnownArgs, ReportArgs, SeverityArgs},
};
use crate::render::targets::{TARGETS, Target};
use clap::{
    Args, ValueEnum,
    builder::{PossibleValue, PossibleValuesParser, TypedValueParser},
};
use std::path::{Path, PathBuf};

/// Which map.
#[derive(Debug, Clone, Default, Args)]
pub struct MapArgs {
    /// The region map; `-` is standard input [default: logmap.yaml here or in a folder above]
    ///
    /// The default is searched up to the root of the repository, and may be called logmap.yml.
    #[arg(value_name = "MAP", env = "LOGMAP_MAP")]
    pub map: Option<PathBuf>,
    /// What findings call the map on standard input, and where `out` is beside it
    #[arg(long, value_name = "PATH", help_heading = "Input")]
    pub stdin_filename: Option<PathBuf>,
}

impl MapArgs {
    /// The map of another option.
    pub(in crate::cli) fn of(map: &Path) -> Self {
        MapArgs { map: Some(map.to_owned()), stdin_filename: None }
    }
}

/// Arguments of `validate`.
#[derive(Debug, Args)]
pub struct ValidateArgs {
    /// Which map.
    #[command(flatten)]
    pub map: MapArgs,
    /// Further maps, to be looked at together; a folder is all maps in it
    ///
    /// A map is named logmap.yaml or *.logmap.yaml (or .yml). What is in two of the maps is found, too.
    #[arg(value_name = "MORE")]
    pub more: Vec<PathBuf>,
    /// Make the safe fixes in the map
    ///
    /// Comments, order and layout stay. Of standard input the fixed text is printed.
    #[arg(long, help_heading = "Fixes")]
    pub fix: bool,
    /// With --fix or --diff: make the fixes that are guesses, too
    #[arg(long, help_heading = "Fixes")]
    pub unsafe_fixes: bool,
    /// Print what --fix would change as a diff, and write nothing
    ///
    /// The exit code is 1 if it would change anything.
    #[arg(long, conflicts_with = "fix", help_heading = "Fixes")]
    pub diff: bool,
    /// How findings are reported.
    #[command(flatten)]
    pub report: ReportArgs,
}

/// Two maps.
#[derive(Debug, Clone, Args)]
pub struct PairArgs {
    /// The map as it was: a file, `-`, or REV:PATH for a file in a git revision
    ///
    /// With --since it is the map as it is [default with --since: logmap.yaml here or in a folder above].
    #[arg(value_name = "OLD", required_unless_present = "since")]
    pub old: Option<String>,
    /// The map as it is to be
    #[arg(value_name = "NEW", required_unless_present = "since")]
    pub new: Option<String>,
    /// Compare with the same file in this git revision
    #[arg(long, value_name = "REV", help_heading = "Input")]
    pub since: Option<String>,
}

/// Arguments of `diff`.
#[derive(Debug, Args)]
pub struct DiffArgs {
    /// Which maps.
    #[command(flatten)]
    pub maps: PairArgs,
    /// How differences are written
    #[arg(long, value_enum, default_value = "text", value_name = "FORMAT", help_heading = "Report")]
    pub format: DiffFormat,
    /// What counts.
    #[command(flatten)]
    pub severity: SeverityArgs,
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

/// Arguments of `runbook`.
#[derive(Debug, Args)]
pub struct RunbookArgs {
    /// Which maps.
    #[command(flatten)]
    pub maps: PairArgs,
    /// The folder for the runbook
    #[arg(long, default_value = "runbook", value_name = "DIR", help_heading = "Output")]
    pub out: PathBuf,
    /// Overwrite files of an earlier runbook that were edited
    ///
    /// Files that logmap did not write are never overwritten.
    #[arg(long, help_heading = "Output")]
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
    /// Targets to render, separated by commas [default: those of the map's settings, else all]
    #[arg(long, value_parser = targets(), value_delimiter = ',', value_name = "TARGET", help_heading = "Selection")]
    pub target: Vec<&'static Target>,
    /// Only these accounts, by key, separated by commas
    #[arg(long, value_delimiter = ',', value_name = "KEY", help_heading = "Selection")]
    pub account: Vec<String>,
    /// Only these Regions, separated by commas
    #[arg(long, value_parser = Offered::REGIONS, hide_possible_values = true, value_delimiter = ',', value_name = "REGION", help_heading = "Selection")]
    pub region: Vec<String>,
    /// The output folder [default: that of the map's settings, else `out` beside the map]
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub out: Option<PathBuf>,
    /// Write nothing; exit with 1 if the folder is not up to date
    ///
    /// With --format text the differences are printed as a diff. In any other format standard output has a report with a finding for each
    /// file that is missing, stale, edited, no longer wanted or not logmap's, and the diff goes to standard error.
    #[arg(long, conflicts_with_all = ["stdout", "force"], help_heading = "Output")]
    pub check: bool,
    /// Print the files instead of writing them
    #[arg(long, conflicts_with = "force", help_heading = "Output")]
    pub stdout: bool,
    /// Overwrite generated files that were edited
    ///
    /// Files that logmap did not write are never overwritten.
    #[arg(long, help_heading = "Output")]
    pub force: bool,
    /// A folder with templates that replace built-in ones of the same name
    ///
    /// `logmap templates` lists the names, and its --out writes the built-in templates. Without the flag the folder of the map's settings
    /// counts, if they have one.
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub templates: Option<PathBuf>,
    /// How findings are reported.
    #[command(flatten)]
    pub report: ReportArgs,
}

/// The names of the targets, with what each makes.
fn targets() -> impl TypedValueParser<Value = &'static Target> {
    let names = TARGETS.iter().map(|target| PossibleValue::new(target.name).help(target.about));
    PossibleValuesParser::new(names).try_map(|name| Target::find(&name).ok_or("there is no target of this name"))
}

/// Arguments of `graph`.
#[derive(Debug, Args)]
pub struct GraphArgs {
    /// Which map.
    #[command(flatten)]
    pub map: MapArgs,
    /// Only these accounts, by key, and what they deliver to or take from
    #[arg(long, value_delimiter = ',', value_name = "KEY", help_heading = "Selection")]
    pub account: Vec<String>,
    /// Only these Regions, and what they deliver to or take from
    #[arg(long, value_parser = Offered::REGIONS, hide_possible_values = true, value_delimiter = ',', value_name = "REGION", help_heading = "Selection")]
    pub region: Vec<String>,
    /// Mark what `logmap check` finds in files and folders, and what `drift` finds in snapshots
    ///
    /// May be repeated. Of an account that is in several snapshots the newest reading counts.
    #[arg(long, value_name = "PATH", help_heading = "Selection")]
    pub check: Vec<PathBuf>,
    /// An earlier snapshot, by which stopped deliveries are told from quiet ones; may be repeated
    #[arg(long, value_name = "FILE", requires = "check", help_heading = "Selection")]
    pub since: Vec<PathBuf>,
    /// The file to write [default: standard output]
    ///
    /// An earlier picture is replaced, any other file is left alone.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub out: Option<PathBuf>,
    /// The language of the picture [default: by the ending of --out, else svg]
    #[arg(long, value_enum, value_name = "FORMAT", help_heading = "Output")]
    pub format: Option<GraphFormat>,
    /// What counts.
    #[command(flatten)]
    pub severity: SeverityArgs,
    /// What is known.
    #[command(flatten)]
    pub known: KnownArgs,
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
