//! The targets: one table, from which everything that is about all of them is made: arguments, folders, templates, work, pruning.
//!
//! A target that is added has its renderer and its templates beside the others', and one row here.

use super::{Context, Sink, athena, aws_cli, cloudformation, guardrails, policies, roles, terraform};
use anyhow::Result;

/// A target of `generate`.
#[derive(Debug)]
pub struct Target {
    /// What `--target` takes, and the name of its folder in the output tree.
    pub name: &'static str,
    /// What it makes, for the help.
    pub about: &'static str,
    /// Its built-in templates: path below `templates/` → text.
    pub templates: &'static [(&'static str, &'static str)],
    /// Renders its files for the accounts and Regions that were asked for.
    pub render: fn(&Context<'_>, &mut Sink<'_>) -> Result<()>,
    /// About how many files it makes of so many accounts and placements (account and Region).
    pub files: fn(usize, usize) -> usize,
    /// What one of its files is about.
    pub unit: Unit,
}

/// What one file of a target is about: whether a run that was asked for some accounts or Regions makes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// The whole map.
    Map,
    /// One account: its folder has the account's key.
    Account,
    /// One Region of an account: its name begins with the Region, in a folder with the account's key.
    Region,
}

/// All targets, in the order in which they are rendered and listed.
pub static TARGETS: [Target; 6] = [
    Target {
        name: "policies",
        about: "Policies of buckets, topics, keys and roles as JSON",
        templates: roles::TEMPLATES,
        render: policies::render,
        files: |accounts, placements| 5 + 2 * accounts + placements,
        unit: Unit::Map,
    },
    Target {
        name: "terraform",
        about: "Root modules for Terraform and OpenTofu",
        templates: terraform::TEMPLATES,
        render: modules,
        files: |accounts, placements| 4 * accounts + 2 * placements + aws_cli::LIBRARY_FILES,
        unit: Unit::Account,
    },
    Target {
        name: "cloudformation",
        about: "CloudFormation templates",
        templates: cloudformation::TEMPLATES,
        render: cloudformation::render,
        files: |_, placements| 2 * placements + aws_cli::LIBRARY_FILES,
        unit: Unit::Region,
    },
    Target {
        name: "aws-cli",
        about: "Bash scripts for the AWS CLI",
        templates: aws_cli::TEMPLATES,
        render: aws_cli::render,
        files: |_, placements| placements + aws_cli::LIBRARY_FILES,
        unit: Unit::Region,
    },
    Target {
        name: "athena",
        about: "Tables and queries for Athena",
        templates: athena::TEMPLATES,
        render: athena::render,
        files: |_, placements| placements,
        unit: Unit::Region,
    },
    Target {
        name: "guardrails",
        about: "Policies of the organization, and a rule for templates",
        templates: guardrails::TEMPLATES,
        render: guardrails::render,
        files: |_, _| 4,
        unit: Unit::Map,
    },
];

impl Target {
    /// The target of a name.
    pub fn find(name: &str) -> Option<&'static Target> {
        TARGETS.iter().find(|target| target.name == name)
    }

    /// Its folder in the output tree, with a slash at the end.
    pub fn folder(&self) -> String {
        format!("{}/", self.name)
    }

    /// Is a file of the output tree the target's?
    pub fn owns(&self, path: &str) -> bool {
        path.strip_prefix(self.name).is_some_and(|rest| rest.starts_with('/'))
    }
}

/// Root modules, and the preflight checks of those that take something over, which are scripts.
///
/// # Errors
/// An overridden template fails, or the sink does.
pub fn modules(cx: &Context<'_>, sink: &mut Sink<'_>) -> Result<()> {
    terraform::render(cx, sink)?;
    aws_cli::preflights(cx, sink)
}
