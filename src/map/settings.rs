//! `settings`: what a run, an editor, a hook and CI are to do alike. Vocabulary only.

use super::decode::Entries;
use crate::{diagnostics::Severity, map::names::RuleNames, record, source::Spanned, words};

/// A path below the map's folder: the parts of it are not hidden, and `..` is none.
pub(crate) const PATH: &str = r"^(\./)*[^./\\:][^/\\:]*(/[^./\\:][^/\\:]*)*/?$";
/// The same for a file, which may be hidden.
pub(crate) const FILE: &str = r"^(\./)*([^./\\:][^/\\:]*/)*(\.?[^./\\:][^/\\:]*)$";

record! {
    /// What all commands and editors do with the map. A flag of a command wins.
    Settings "`settings`" {
        /// The folder for the generated files, relative to the map and below its folder.
        out: String, { "pattern": PATH, "default": "out", "examples": ["generated"] };
        /// The targets to render. Default: all. Files of the others are no longer wanted.
        targets: Vec<Spanned<TargetName>>, { "examples": [["policies", "terraform"]] };
        /// A folder with templates that replace built-in ones of the same name, relative to the map and below its folder.
        templates: String, { "pattern": PATH, "examples": ["templates"] };
        /// The file with findings of the map that are known and not shown again, relative to the map and below its folder;
        /// `logmap validate --write-baseline` writes it.
        baseline: String, { "pattern": FILE, "examples": ["logmap.baseline.json"] };
        /// What rules say, by their ids or names: with another severity, or not at all. What a rule finds that keeps a map from being used
        /// is an error whatever stands here.
        rules: Entries<RuleNames, RuleSetting>, { "examples": [{ "LM0106": { "severity": "ignore", "reason": "all accounts have opted in" } }] };
    }
}

record! {
    /// What a rule says of this map.
    RuleSetting "a rule" {
        /// Severity of its findings.
        [required "write `severity:` and one of `error`, `warning`, `info` and `ignore`"]
        severity: RuleSeverity, { "examples": ["warning"] };
        /// Why, for whoever reviews the map.
        [required "write `reason:` and why the rule is set so"]
        reason: String, { "pattern": r"\S", "examples": ["all accounts have opted in"] };
    }
}

words! {
    /// Severity of a rule's findings.
    RuleSeverity {
        /// An error: nothing is generated.
        Error = "error",
        /// A warning.
        Warning = "warning",
        /// A note.
        Info = "info",
        /// It is not shown.
        Ignore = "ignore",
    }
}

impl RuleSeverity {
    /// The severity; `None` if its findings are not shown.
    pub(crate) fn severity(self) -> Option<Severity> {
        match self {
            RuleSeverity::Error => Some(Severity::Error),
            RuleSeverity::Warning => Some(Severity::Warning),
            RuleSeverity::Info => Some(Severity::Info),
            RuleSeverity::Ignore => None,
        }
    }
}

words! {
    /// A target of `generate`.
    TargetName {
        /// Policies of buckets, topics, keys and roles as JSON.
        Policies = "policies",
        /// Root modules for Terraform and OpenTofu.
        Terraform = "terraform",
        /// CloudFormation templates.
        CloudFormation = "cloudformation",
        /// Bash scripts for the AWS CLI.
        AwsCli = "aws-cli",
        /// Tables and queries for Athena.
        Athena = "athena",
        /// Policies of the organization, and a rule for templates.
        Guardrails = "guardrails",
    }
}
