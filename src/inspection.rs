//! Inspection: texts that others wrote → findings, and a verdict on each log configuration. The only place that knows the order
//! of the steps; `check` enters here.

mod nearby;

use crate::{
    catalog::inputs::NOT_READ,
    compare::{self, Configuration, Joined, Known, Work},
    diagnostics::{self, Finding, Suppressed, Suppression},
    observed::{Ignored, Input, NotRead, Observed, Published, Told, hole, recognise},
    plan::Plan,
    rules::{ignore, settings::Chosen},
    source::{FileId, Origin, SourceFile, Span},
};
use nearby::Nearby;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// What is known of the inputs.
#[derive(Debug, Default)]
pub struct Inspection {
    /// The texts; a finding's file is an index.
    pub files: Vec<SourceFile>,
    /// All findings, silenced ones left out, in the order of files and places.
    pub findings: Vec<Finding>,
    /// The silenced ones.
    pub suppressed: Vec<Suppressed>,
    /// Log configurations, trails and policies, in the same order.
    pub configurations: Vec<Configuration>,
    /// What was not read.
    pub ignored: Vec<Ignored>,
    /// What was read of each file.
    inputs: Vec<Input>,
}

impl Inspection {
    /// A finding's place in the words of its file: a route in a template, an address in a plan.
    pub fn route(&self, finding: &Finding) -> String {
        self.inputs.get(finding.file.0 as usize).map_or_else(String::new, |input| input.route(finding.span.start))
    }

    /// Takes out the findings that are known already, given in the order of the findings.
    pub fn silence(&mut self, known: &[bool]) {
        let mut known = known.iter();
        let hidden = self.findings.extract_if(.., |_| known.next().copied().unwrap_or(false));
        self.suppressed.extend(hidden.map(|finding| Suppressed { finding, by: Suppression::Baseline }));
        self.settle();
    }

    /// Makes of the findings what the settings of a map say; the verdicts stay what they are.
    pub(crate) fn choose(&mut self, chosen: &Chosen) {
        let hidden = chosen.apply(&mut self.findings);
        self.suppressed.extend(hidden);
        self.settle();
    }

    /// Leaves the configurations the findings that are left; the others are suppressed.
    fn settle(&mut self) {
        let left: BTreeSet<(FileId, Span, &str)> =
            self.findings.iter().map(|finding| (finding.file, finding.span, finding.rule.id)).collect();
        for configuration in &mut self.configurations {
            let found = std::mem::take(&mut configuration.findings);
            let (shown, suppressed): (Vec<Finding>, Vec<Finding>) =
                found.into_iter().partition(|finding| left.contains(&(finding.file, finding.span, finding.rule.id)));
            configuration.findings = shown;
            configuration.suppressed.extend(suppressed);
        }
    }
}

/// Inspects texts. With a plan also whether they are what it derives.
pub fn inspect(files: Vec<SourceFile>, told: &Told, plan: Option<&Plan>) -> Inspection {
    let told = &Told { published: published(plan), ..told.clone() };
    let inputs = recognise::read_all(&files, told);
    let mut ignored: Vec<Ignored> = files.iter().zip(&inputs).flat_map(|(file, input)| input.not_read(&file.name)).collect();
    let configurations = judge(&files, &inputs, plan, &mut ignored);
    ignored.sort();
    let (mut findings, mut suppressed) = (Vec::new(), Vec::new());
    let mut of_files: BTreeMap<FileId, Vec<Finding>> = BTreeMap::new();
    for finding in compare::findings(&configurations) {
        of_files.entry(finding.file).or_default().push(finding);
    }
    for ((file, input), id) in files.iter().zip(&inputs).zip(0..) {
        let Some(document) = input.document.as_ref().filter(|document| !document.comments.is_empty()) else { continue };
        let mut here = of_files.remove(&FileId(id)).unwrap_or_default();
        suppressed.append(&mut ignore::apply(file, document, &mut here));
        // what is wrong with the comments themselves is in this file, too
        here.iter_mut().for_each(|finding| finding.file = FileId(id));
        findings.extend(here);
    }
    findings.extend(of_files.into_values().flatten());
    findings.extend(not_read(&files, &inputs, &ignored));
    diagnostics::sort(&mut findings);
    let mut inspection = Inspection { files, findings, suppressed, configurations, ignored, inputs };
    inspection.settle();
    inspection
}

/// What is wrong with inputs that were to be read, and were not. What is unknown of those that were is in `ignored` alone.
fn not_read(files: &[SourceFile], inputs: &[Input], ignored: &[Ignored]) -> Vec<Finding> {
    let ids: BTreeMap<&str, FileId> = files.iter().zip(0..).map(|(file, id)| (file.name.as_str(), FileId(id))).collect();
    let mut found = Vec::new();
    for Ignored { file: name, reason } in ignored {
        let Some((id, file)) = ids.get(name.as_str()).and_then(|id| Some((*id, id.of(files)?))) else { continue };
        let is_part = matches!(reason, NotRead::Part(_));
        if !is_part && inputs.get(id.0 as usize).is_some_and(|input| !input.ways.is_empty()) {
            continue;
        }
        let counts = match file.origin {
            Origin::Named => true,
            Origin::Offered => matches!(reason, NotRead::Because(_) | NotRead::Part(_)),
            Origin::Met => false,
        };
        if !counts {
            continue;
        }
        let how = if is_part { "read only in part" } else { "not read" };
        let mut finding = Finding::new(&NOT_READ, Span::default(), format!("`{name}` is {how}: {reason}"));
        finding.file = id;
        if *reason == NotRead::Unrelated {
            finding = finding.help(
                "these are read: plans and states as `terraform show -json` prints them, CloudFormation templates, bucket policies, and what \
                 the AWS CLI prints with `--output json`; `--skip-unrelated` passes over all else",
            );
        }
        found.push(finding);
    }
    found
}

/// Makes unknown what an input says that is rewritten before it is deployed, and what depends on its buckets.
fn unsettle(inputs: &[Input], configurations: &mut [Configuration]) {
    let mut buckets: BTreeSet<&str> = BTreeSet::new();
    for input in inputs.iter().filter(|input| !input.doubts.is_empty()) {
        let all = input.ways.iter().flat_map(|way| &way.observed.buckets);
        buckets.extend(all.map(|bucket| bucket.name.value.as_str()).filter(|name| !hole::has(name)));
    }
    for configuration in configurations {
        let doubts = inputs.get(configuration.anchor.file.0 as usize).map_or(&[][..], |input| input.doubts.as_slice());
        for doubt in doubts {
            configuration.unsettle(&format!("not known is {doubt}"));
        }
        if doubts.is_empty() && buckets.contains(configuration.target.as_str()) {
            configuration
                .unsettle(&format!("the template of `{}` is rewritten before it is deployed", configuration.target.clone()));
        }
    }
}

/// The parameters of Systems Manager that a plan has.
fn published(plan: Option<&Plan>) -> Published {
    let parameters = plan.into_iter().flat_map(Plan::placements).filter_map(|(account, placement)| {
        let parameter = placement.monitoring.parameter.as_ref()?;
        Some(((account.id.clone(), placement.region.clone()), (parameter.name.clone(), parameter.value.clone())))
    });
    Arc::new(parameters.collect())
}

/// All configurations, in the order of their places. What could not be judged for too much work is added to `ignored`.
fn judge(files: &[SourceFile], inputs: &[Input], plan: Option<&Plan>, ignored: &mut Vec<Ignored>) -> Vec<Configuration> {
    let (known, work) = (Known::of(plan), Work::default());
    let mut all = Observed::default();
    inputs.iter().filter_map(|input| input.ways.first()).for_each(|way| all.add(&way.observed));
    let (settled, several): (Vec<_>, Vec<_>) = inputs.iter().enumerate().partition(|(_, input)| input.ways.len() < 2);
    let settled: BTreeSet<usize> = settled.into_iter().map(|(at, _)| at).collect();
    let mut configurations = compare::compare(&all, &known, &work);
    configurations.retain(|configuration| settled.contains(&(configuration.place.file.0 as usize)));
    let nearby = Nearby::of(if several.is_empty() { &[] } else { inputs });
    // a file whose conditions can turn out in several ways is judged in each of them, beside the first way of the others
    for (at, input) in several {
        let id = FileId(u32::try_from(at).unwrap_or(u32::MAX));
        let mut joined = Joined::default();
        let mut whole = true;
        for way in &input.ways {
            let (observed, is_whole) = nearby.of_way(at, &way.observed);
            whole &= is_whole;
            let judged = compare::compare(&observed, &known, &work);
            joined.add(&way.facts, judged.into_iter().filter(|configuration| configuration.place.file == id));
        }
        configurations.extend(joined.done());
        if let Some(file) = files.get(at).filter(|_| !whole) {
            let reason =
                NotRead::because("whether its buckets log in circles by way of other inputs: there are too many of them");
            ignored.push(Ignored { file: file.name.clone(), reason });
        }
    }
    unsettle(inputs, &mut configurations);
    configurations.sort_by(|a, b| (a.place, a.kind, &a.source).cmp(&(b.place, b.kind, &b.source)));
    configurations
}
