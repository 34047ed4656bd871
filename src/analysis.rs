//! Analysis: a map's text → everything known about it. The only place that knows the order of the steps; the command
//! line and the editor enter here.

use crate::{
    diagnostics::{self, Finding, Severity, Summary, ignore},
    document::{self, Document},
    map::{self, settle},
    plan::{Plan, derive},
    rules::{self, reading::MISSING_KEY},
    source::{SourceFile, Span},
};

/// What is known about a map.
#[derive(Debug)]
pub struct Analysis {
    /// The text.
    pub file: SourceFile,
    /// Its tree, for routes.
    pub document: Document,
    /// All findings, silenced ones left out, in the order of their places.
    pub findings: Vec<Finding>,
    /// The plan; only of a map without errors.
    pub plan: Option<Plan>,
    /// What was derived in spite of errors.
    withheld: Option<Plan>,
}

impl Analysis {
    /// A finding's place as a route, such as `accounts.prod.regions.us-east-1.buckets[3]`.
    pub fn route(&self, finding: &Finding) -> String {
        self.document.route(finding.span.start)
    }

    /// Takes findings out that are not to be shown, asked for each in turn, but for those that keep the map from being used. What was derived may
    /// then be used, if no error is left.
    pub fn silence(&mut self, mut hide: impl FnMut(&Finding) -> bool) {
        self.findings.retain(|finding| !(hide(finding) && finding.rule.can_be_ignored));
        if is_clean(&self.findings) {
            self.plan = self.plan.take().or(self.withheld.take());
        }
    }

    /// Counts of the findings.
    pub fn summary(&self) -> Summary {
        Summary::of(&self.findings)
    }
}

/// Analyses a map.
pub fn analyze(file: SourceFile) -> Analysis {
    let mut findings = Vec::new();
    let document = document::read(&file, &mut findings);
    let mut plan = None;
    match &document.root {
        Some(root) if !map::decode::is_null(root) => {
            let map = map::decode(&document, &mut findings);
            rules::check_map(&map, &mut findings);
            plan = Some(derive::derive(&settle::settle(&map), &mut findings));
        }
        _ if findings.is_empty() => findings.push(
            Finding::new(&MISSING_KEY, Span::default(), "the map is empty").help("`logmap init` writes a map to start from"),
        ),
        _ => {}
    }
    map::edit::resolve(&file, &document, &mut findings);
    ignore::apply(&file, &document, &mut findings);
    diagnostics::sort(&mut findings);
    // what stands behind an anchor is read again for each alias
    findings.dedup_by(|a, b| a.rule == b.rule && a.span == b.span && a.message == b.message);
    let (plan, withheld) = if is_clean(&findings) { (plan, None) } else { (None, plan) };
    Analysis { file, document, findings, plan, withheld }
}

fn is_clean(findings: &[Finding]) -> bool {
    findings.iter().all(|finding| finding.severity() != Severity::Error)
}
