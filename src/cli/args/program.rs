//! Arguments of the commands that are about logmap itself, and of `init`.

use super::{inputs::ListFormat, offered::Offered};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Arguments of `init`.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// Short name of the organisation
    #[arg(long, value_name = "NAME", help_heading = "Map")]
    pub org: Option<String>,
    /// An account as KEY=ID; may be repeated
    #[arg(long, value_name = "KEY=ID", help_heading = "Map")]
    pub account: Vec<String>,
    /// A Region with source buckets; may be repeated
    #[arg(long, value_parser = Offered::REGIONS, hide_possible_values = true, value_delimiter = ',', value_name = "REGION", help_heading = "Map")]
    pub region: Vec<String>,
    /// Folder to write to
    #[arg(long, default_value = ".", value_name = "DIR", help_heading = "Output")]
    pub dir: PathBuf,
    /// CI snippet to write
    #[arg(long, value_enum, default_value = "github", value_name = "SYSTEM", help_heading = "Output")]
    pub ci: Ci,
    /// Also write a daily job that runs `snapshot` and `drift`
    ///
    /// Where there is a map already, it is all that is written.
    #[arg(long, help_heading = "Output")]
    pub drift_job: bool,
}

/// CI systems that `init` knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Ci {
    /// A GitHub Actions workflow.
    Github,
    /// None.
    None,
}

/// Arguments of `templates`.
#[derive(Debug, Args)]
pub struct TemplatesArgs {
    /// Only these: names such as terraform/region.tf, or folders such as terraform [default: all]
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// Say which of them this folder replaces
    #[arg(long, value_name = "DIR", help_heading = "Input")]
    pub templates: Option<PathBuf>,
    /// Write the built-in templates into this folder
    ///
    /// A file that is there and differs is left alone, and then none is written.
    #[arg(long, value_name = "DIR", conflicts_with = "templates", help_heading = "Output")]
    pub out: Option<PathBuf>,
    /// How the list is written
    #[arg(long, value_enum, default_value = "text", value_name = "FORMAT", conflicts_with = "out", help_heading = "Report")]
    pub format: ListFormat,
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
    /// Write logmap.1 and a page for each command into this folder
    ///
    /// The folder is made if it is not there.
    #[arg(long, value_name = "DIR", help_heading = "Output")]
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
