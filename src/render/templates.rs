//! The built-in templates of all renderers in one list: what `--templates` may replace, and what `logmap templates` shows.

use super::{athena, aws_cli, cloudformation, engine::Engine, graph, guardrails, readme, roles, runbook, terraform};
use anyhow::Result;

/// Version of what templates get: the names and types of the values in their contexts, and the filters. It goes up when one goes or
/// changes its meaning; a value or a filter that is added changes nothing for the templates that there are.
pub const CONTEXT_VERSION: u32 = 1;

/// A built-in template.
#[derive(Debug, Clone, Copy)]
pub struct Template {
    /// Its path below `templates/`.
    pub name: &'static str,
    /// Its text.
    pub text: &'static str,
    /// The command that renders it.
    pub command: &'static str,
    /// The targets that render it; empty if it is no target's.
    pub targets: &'static [&'static str],
}

/// A list of templates, as (name, text).
type Texts = &'static [(&'static str, &'static str)];

/// The templates of all renderers, sorted by name.
pub fn all() -> Vec<Template> {
    let groups: [(Texts, &str, &[&str]); 9] = [
        (readme::TEMPLATES, "generate", &[]),
        (roles::TEMPLATES, "generate", &["policies"]),
        (terraform::TEMPLATES, "generate", &["terraform"]),
        (cloudformation::TEMPLATES, "generate", &["cloudformation"]),
        (aws_cli::TEMPLATES, "generate", &["aws-cli"]),
        (athena::TEMPLATES, "generate", &["athena"]),
        (guardrails::TEMPLATES, "generate", &["guardrails"]),
        (graph::TEMPLATES, "graph", &[]),
        (runbook::TEMPLATES, "runbook", &[]),
    ];
    let mut all: Vec<Template> = groups
        .into_iter()
        .flat_map(|(texts, command, targets)| {
            texts.iter().map(move |&(name, text)| {
                // modules and stacks are checked before with scripts
                let targets: &[&str] = match name {
                    aws_cli::PREFLIGHT => &["terraform"],
                    aws_cli::STACK_CHECKS => &["cloudformation"],
                    _ => targets,
                };
                Template { name, text, command, targets }
            })
        })
        .collect();
    all.sort_by_key(|template| template.name);
    all
}

/// Reads the overrides of a command's templates as its renderers will.
///
/// # Errors
/// One does not parse; the message names it and the line.
pub(crate) fn check(command: &str, overrides: &[(String, String)]) -> Result<()> {
    let texts: Vec<(&str, &str)> =
        all().iter().filter(|template| template.command == command).map(|template| (template.name, template.text)).collect();
    Engine::new(&texts, overrides).map(|_| ())
}
