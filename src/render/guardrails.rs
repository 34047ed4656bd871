//! Target `guardrails`: policies of the organization, and a rule for templates. Nothing where the map asks for none.

use super::{Context, Sink, engine::Engine};
use crate::{
    artifacts::Artifact,
    aws::{
        Partition,
        limits::{RCP_CHARS, SCP_CHARS},
    },
    plan::guardrails::{Guardrails, Naming, rcp_text, scp_text},
};
use anyhow::Result;
use serde::Serialize;

const RULE: &str = "guardrails/logging.guard";
const PAGE: &str = "guardrails/README.md";

/// The templates.
pub(crate) const TEMPLATES: &[(&str, &str)] = &[
    (RULE, include_str!("../../templates/guardrails/logging.guard")),
    (PAGE, include_str!("../../templates/guardrails/README.md")),
];

/// Contract of `guardrails/logging.guard`.
#[derive(Debug, Serialize)]
struct RuleContext {
    /// Lines for the head of the file, without comment marks.
    header: Vec<String>,
    /// The log buckets.
    targets: Vec<TargetRow>,
}

/// A log bucket, or a pattern of names.
#[derive(Debug, Serialize)]
struct TargetRow {
    /// It is a name, not what names begin with.
    exact: bool,
    /// The name; else what names begin with, with a backslash before each dot.
    text: String,
}

/// Contract of `guardrails/README.md`.
#[derive(Debug, Serialize)]
struct PageContext<'a> {
    /// Lines for the head of the file, without comment marks.
    header: Vec<String>,
    /// Name of the role that runs what is rendered.
    deployer: &'a str,
    /// Names of further roles that pass; `*` stands for any text.
    exempt: &'a [String],
    /// Name, with `*`, of the role of the function that sets the logging of sources for stacks; empty for none.
    function_role: &'a str,
    /// Id of the organization; empty if the map does not tell.
    organization_id: &'a str,
    /// Some source is set by others.
    external: bool,
    /// The policies of each partition.
    partitions: Vec<PartitionRow>,
}

/// The policies of one partition.
#[derive(Debug, Serialize)]
struct PartitionRow {
    /// Its id, such as `aws-cn`.
    partition: &'static str,
    /// File of the service control policy.
    scp: String,
    /// Its characters.
    scp_chars: usize,
    /// Characters that are left.
    scp_left: usize,
    /// File of the resource control policy; empty if there is nothing in it.
    rcp: String,
    /// Its characters.
    rcp_chars: usize,
    /// Characters that are left.
    rcp_left: usize,
    /// How log buckets stand in the service control policy.
    log_buckets: &'static str,
    /// How log buckets stand in the resource control policy.
    rcp_log_buckets: &'static str,
    /// How sources stand in the service control policy.
    sources: &'static str,
}

/// Renders `guardrails/scp.json`, `rcp.json`, `logging.guard` and `README.md`; other partitions than `aws` have files of their own.
///
/// # Errors
/// An overridden template fails, or the sink does.
pub(crate) fn render(cx: &Context<'_>, sink: &mut Sink<'_>) -> Result<()> {
    let plan = cx.plan();
    // they are about all accounts together
    let Some(settings) =
        plan.guardrail_settings.as_ref().filter(|_| cx.filter.accounts.is_empty() && cx.filter.regions.is_empty())
    else {
        return Ok(());
    };
    let engine = Engine::new(TEMPLATES, cx.overrides)?;
    let mut rows = Vec::new();
    for guardrails in &plan.guardrails {
        let (scp, rcp) = (scp_text(&guardrails.scp), rcp_text(&guardrails.rcp));
        let row = row(guardrails, scp.len(), rcp.len());
        if !row.rcp.is_empty() {
            sink(Artifact::file(format!("guardrails/{}", row.rcp), rcp))?;
        }
        sink(Artifact::file(format!("guardrails/{}", row.scp), scp))?;
        if !guardrails.allowed_targets.is_empty() {
            let mut context = RuleContext {
                header: Vec::new(),
                targets: guardrails.allowed_targets.iter().map(|pattern| target(pattern)).collect(),
            };
            context.header = cx.header(&context);
            sink(Artifact::file(named(guardrails.partition, "logging", "guard"), engine.render(RULE, &context)?))?;
        }
        rows.push(row);
    }
    let organization_id = plan
        .placements()
        .flat_map(|(_, placement)| &placement.buckets)
        .find_map(|bucket| bucket.basis.organization_id.as_deref());
    let mut context = PageContext {
        header: Vec::new(),
        deployer: &settings.deployer,
        exempt: &settings.exempt,
        function_role: settings.function_role.as_deref().unwrap_or_default(),
        organization_id: organization_id.unwrap_or_default(),
        external: plan.placements().any(|(_, placement)| placement.sources.iter().any(|source| !source.managed)),
        partitions: rows,
    };
    context.header = cx.header(&context);
    sink(Artifact::file(PAGE.to_owned(), engine.render(PAGE, &context)?))
}

fn target(pattern: &str) -> TargetRow {
    match pattern.strip_suffix('*') {
        Some(literal) => TargetRow { exact: false, text: literal.replace('.', r"\.") },
        None => TargetRow { exact: true, text: pattern.to_owned() },
    }
}

fn named(partition: Partition, stem: &str, ending: &str) -> String {
    match partition {
        Partition::Aws => format!("guardrails/{stem}.{ending}"),
        other => format!("guardrails/{stem}.{other}.{ending}"),
    }
}

fn row(guardrails: &Guardrails, scp_chars: usize, rcp_chars: usize) -> PartitionRow {
    let name = |stem| named(guardrails.partition, stem, "json").trim_start_matches("guardrails/").to_owned();
    let (log_buckets, rcp_log_buckets) = guardrails.log_buckets;
    PartitionRow {
        partition: guardrails.partition.id(),
        scp: name("scp"),
        scp_chars,
        scp_left: SCP_CHARS.saturating_sub(scp_chars),
        rcp: if guardrails.rcp.statements.is_empty() { String::new() } else { name("rcp") },
        rcp_chars,
        rcp_left: RCP_CHARS.saturating_sub(rcp_chars),
        log_buckets: words(log_buckets),
        rcp_log_buckets: words(rcp_log_buckets),
        sources: words(guardrails.sources),
    }
}

fn words(naming: Naming) -> &'static str {
    match naming {
        Naming::Names => "by their names",
        Naming::Patterns => "by patterns of names",
        Naming::AllOthers => "as every bucket but those that others set",
        Naming::LeftOut => "not at all: they don't fit",
    }
}
