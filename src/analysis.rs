//! Analysis: a map's text → everything known about it. The only place that knows the order of the steps; the command
//! line and the editor enter here.

use crate::{
    catalog::reading::{MISSING_KEY, SETTINGS},
    diagnostics::{
        self, Finding, Report, Severity, Summary, Suppressed, Suppression,
        baseline::{Baseline, Known},
    },
    document::{self, Document},
    included::{self, Sources, Unusable},
    map::{self, RegionMap, effective, values::RunSettings},
    plan::{Plan, derive, policy_cache::PolicyCache},
    rules::{self, ignore, settings::Chosen},
    source::{SourceFile, Span},
    threads::both,
};
use std::{borrow::Cow, collections::BTreeMap, ops::Deref};

/// From a map of so many bytes on, a thread costs less than it saves.
const WORTH_A_THREAD: usize = 100_000;

/// What is known about a map.
#[derive(Debug)]
pub struct Analysis {
    /// The text; of a map that is kept in several files, all of them joined. Places are places in it.
    pub file: SourceFile,
    /// The syntax tree, for routes and edits.
    pub document: Document,
    /// All findings, silenced ones left out, in the order of their places.
    pub findings: Vec<Finding>,
    /// The silenced ones.
    pub suppressed: Vec<Suppressed>,
    /// The plan; only of a map without errors.
    pub plan: Option<Plan>,
    /// What its settings make of findings.
    pub(crate) chosen: Chosen,
    /// What else it sets; `None` of a text that can't be read.
    pub(crate) settings: Option<RunSettings>,
    /// What its own baseline hides.
    pub(crate) hidden: Option<Hidden>,
    /// What is wrong with the patterns of its `include`.
    unusable: Option<Vec<Unusable>>,
    /// The baseline that its settings name, as it was read.
    baseline: Option<Result<SourceFile, String>>,
    /// Reading the text gave no finding, so that a change of it can be read by itself.
    read_cleanly: bool,
    /// Only of a map with errors.
    draft: Option<Draft>,
}

/// What a map's own baseline hides.
#[derive(Debug)]
pub(crate) struct Hidden {
    /// The file.
    pub name: String,
    /// What is in it.
    pub baseline: Baseline,
    /// How many findings it hides.
    pub count: usize,
    /// What it lists and nothing found, with how many are gone.
    pub gone: Vec<(Known, usize)>,
}

/// What could be derived of a map with errors: for the editor to show. It can be looked at as a plan, but the plan does not
/// come out of it, and whatever renders asks for a proof, which takes the plan itself:
///
/// ```compile_fail,E0308
/// use logmap::testing::{analysis::Draft, plan::prove::proven};
/// fn render(draft: Draft) {
///     let _ = proven(draft);
/// }
/// ```
#[derive(Debug)]
pub struct Draft(Plan);

impl Deref for Draft {
    type Target = Plan;

    fn deref(&self) -> &Plan {
        &self.0
    }
}

impl Analysis {
    /// A finding's place as a route, such as `accounts.prod.regions.us-east-1.buckets[3]`.
    pub fn route(&self, finding: &Finding) -> String {
        self.document.route(self.file.start_of(finding.file) + finding.span.start)
    }

    /// What the formats show: the findings with their places in the files that the map is kept in.
    pub fn shown(&self) -> Shown<'_> {
        let files = self.file.files();
        if files.len() == 1 {
            return Shown { files, findings: Cow::Borrowed(&self.findings), suppressed: Cow::Borrowed(&self.suppressed) };
        }
        let located = |finding: &Finding| finding.clone().located(&self.file);
        let suppressed = |one: &Suppressed| Suppressed { finding: located(&one.finding), by: one.by.clone() };
        Shown {
            files,
            findings: self.findings.iter().map(located).collect(),
            suppressed: self.suppressed.iter().map(suppressed).collect(),
        }
    }

    /// The map with other texts of its files, the first of which is the map itself; those behind the ones that there were are new.
    pub(crate) fn sources_of(&self, mut files: Vec<SourceFile>) -> Sources {
        let included = files.split_off(1.min(files.len()));
        let map = files.pop().unwrap_or_else(|| self.file.with_text(""));
        Sources { map, included, unusable: self.unusable.clone(), baseline: self.baseline.clone() }
    }

    /// Takes findings out that a baseline lists, asked for each in turn, but for those that keep the map from being
    /// used. What was derived may then be used, if no error is left.
    pub fn silence(&mut self, mut hide: impl FnMut(&Finding) -> bool) {
        let mut hides = |finding: &mut Finding| hide(finding) && finding.rule.can_be_silenced();
        let hidden = self.findings.extract_if(.., |finding| hides(finding));
        self.suppressed.extend(hidden.map(|finding| Suppressed { finding, by: Suppression::Baseline }));
        if is_clean(&self.findings) {
            // no error is left that made it a draft
            self.plan = self.plan.take().or(self.draft.take().map(|draft| draft.0));
        }
    }

    /// Takes out what the map's own baseline lists.
    fn silence_known(&mut self, name: &str, baseline: Baseline) {
        let (known, gone) = {
            let (route, shown) = (|finding: &Finding| self.route(finding), self.shown());
            let report = Report { files: shown.files, findings: &shown.findings, suppressed: &[], route: &route };
            let (known, gone) = baseline.compare(&report);
            (known, gone.into_iter().map(|(known, count)| (known.clone(), count)).collect())
        };
        let count = known.iter().filter(|known| **known).count();
        let mut known = known.into_iter();
        self.silence(|_| known.next().unwrap_or(false));
        self.hidden = Some(Hidden { name: name.to_owned(), baseline, count, gone });
    }

    /// The settings of the map, key by key: `out`, `rules.LM0106`.
    pub(crate) fn settings_in_words(&self) -> BTreeMap<String, String> {
        let run = self.settings.iter().flat_map(RunSettings::words).map(|(key, value)| (key.to_owned(), value));
        run.chain(self.chosen.words().map(|(id, value)| (format!("rules.{id}"), value))).collect()
    }

    /// The plan, or the [`Draft`] of a map with errors, to show. It is a reference, and a proof takes the plan by value.
    pub fn derived(&self) -> Option<&Plan> {
        self.plan.as_ref().or(self.draft.as_deref())
    }

    /// Counts of the findings.
    pub fn summary(&self) -> Summary {
        Summary::of(&self.findings)
    }
}

/// Findings with their places in files.
#[derive(Debug)]
pub struct Shown<'a> {
    /// The files; a finding's file is an index.
    pub files: &'a [SourceFile],
    /// The findings, in the order of files and places.
    pub findings: Cow<'a, [Finding]>,
    /// The silenced ones.
    pub suppressed: Cow<'a, [Suppressed]>,
}

/// What the analysis of a map's next text can reuse from the one before, so that a keystroke costs little more than what it
/// changes.
#[derive(Debug, Default)]
pub struct AnalysisCache {
    policies: PolicyCache,
    tree: Option<(SourceFile, Document)>,
}

impl AnalysisCache {
    /// An enabled cache, for a map that is being edited.
    pub fn for_editing() -> Self {
        AnalysisCache { policies: PolicyCache::for_editing(), tree: None }
    }

    /// Keeps what the next analysis can reuse of one that is no longer needed.
    pub fn keep(&mut self, analysis: Analysis) {
        let Analysis { file, document, plan, draft, read_cleanly, .. } = analysis;
        if let Some(plan) = plan.or(draft.map(|draft| draft.0)) {
            self.policies.keep(plan);
        }
        self.tree = read_cleanly.then_some((file, document));
    }

    /// The tree of a text: the one before with only the changed accounts read, or all of it.
    fn read(&mut self, file: &SourceFile, findings: &mut Vec<Finding>) -> Document {
        let tree = self.tree.take().and_then(|(before, document)| document::incremental::reread(&before, document, file));
        tree.unwrap_or_else(|| document::read(file, findings))
    }
}

/// Analyses a map; of one that is kept in several files, all of them.
pub fn analyze(sources: impl Into<Sources>) -> Analysis {
    analyze_incremental(sources, &mut AnalysisCache::default())
}

/// Analyses a map, reusing what `cache` holds of the text before. Gives the same analysis as [`analyze`].
pub fn analyze_incremental(sources: impl Into<Sources>, cache: &mut AnalysisCache) -> Analysis {
    let Sources { map, included, unusable, baseline } = sources.into();
    let file = SourceFile::joined([vec![map], included].concat());
    let mut findings = Vec::new();
    let document = cache.read(&file, &mut findings);
    let read_cleanly = findings.is_empty();
    let mut plan = None;
    let (mut chosen, mut settings, mut known) = (Chosen::default(), None, None);
    match &document.root {
        Some(root) if !document.broken && !map::decode::is_null(root) => {
            let map = map::decode(&document, &mut findings);
            included::check(&map, unusable.as_deref(), &mut findings);
            (chosen, settings) = (Chosen::of(&map), Some(effective::settings_of(&map)));
            known = known_findings(&map, baseline.as_ref(), &mut findings);
            let mut derived = Vec::new();
            let mut derive = || derive::derive_with(&effective::effective_map(&map), &mut cache.policies, &mut derived);
            let mut check = || rules::check_map(&map, &mut findings);
            plan = Some(if file.text.len() < WORTH_A_THREAD {
                check();
                derive()
            } else {
                both(check, derive).1
            });
            if !findings.iter().all(|finding| finding.rule.can_be_ignored) {
                derive::keep_what_is_sure(&mut derived);
            }
            findings.append(&mut derived);
        }
        _ if findings.is_empty() => findings.push(
            Finding::new(&MISSING_KEY, Span::default(), "the map is empty").help("`logmap init` writes a map to start from"),
        ),
        _ => {}
    }
    map::edit::resolve(&file, &document, &mut findings);
    let mut suppressed = ignore::apply(&file, &document, &mut findings);
    suppressed.extend(chosen.apply(&mut findings));
    diagnostics::sort(&mut findings);
    // what stands behind an anchor is read again for each alias
    findings.dedup_by(|a, b| a.rule == b.rule && a.span == b.span && a.message == b.message);
    let (plan, draft) = if is_clean(&findings) { (plan, None) } else { (None, plan.map(Draft)) };
    let hidden = None;
    let mut analysis = Analysis {
        file,
        document,
        findings,
        suppressed,
        plan,
        chosen,
        settings,
        hidden,
        unusable,
        baseline,
        read_cleanly,
        draft,
    };
    if let Some((name, known)) = known {
        analysis.silence_known(&name, known);
    }
    analysis
}

/// The baseline that a map's settings name, or a finding that says why it can't be used.
fn known_findings(
    map: &RegionMap,
    read: Option<&Result<SourceFile, String>>,
    findings: &mut Vec<Finding>,
) -> Option<(String, Baseline)> {
    let path = map.settings.as_ref()?.baseline.as_ref()?;
    let wrong = |why: String| {
        let help = format!("write it with `logmap validate --write-baseline {}`, or take the key out", path.escape_debug());
        Finding::new(&SETTINGS, path.span, format!("the baseline `{}` {why}", path.escape_debug())).help(help)
    };
    match read? {
        Err(why) => findings.push(wrong(format!("can't be read: {why}"))),
        Ok(file) => match Baseline::parse(&file.text) {
            Ok(baseline) => return Some((file.name.clone(), baseline)),
            Err(error) => findings.push(wrong(format!("can't be used: {error}"))),
        },
    }
    None
}

fn is_clean(findings: &[Finding]) -> bool {
    findings.iter().all(|finding| finding.severity() != Severity::Error)
}
