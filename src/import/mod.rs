//! Import: texts that others wrote → a region map, or what an existing map lacks. Nothing that is not told is made up: what
//! has to be guessed is said, in the map and as a finding.
//!
//! ```text
//! inputs ─observed→ Input ─inventory→ Inventory ─propose→ Proposal ─write→ map text, or ─into→ edits of a map
//! ```
//!
//! The map is analysed like any other before it is given; what a rule objects to is taken out again, in that rule's words.

mod adopt;
mod events;
mod into;
mod inventory;
mod kept;
mod names;
mod proposal;
mod propose;
mod senders;
mod trails;
mod write;

pub(crate) use write::is_own_map;

use crate::{
    analysis::{Analysis, analyze},
    catalog::importing::{NO_REGION, NOTHING, WHOSE},
    diagnostics::{self, Finding, Severity, Suppressed},
    observed::{Ignored, Input, Told, recognise},
    source::{FileId, SourceFile, Span},
};
use proposal::{Note, Proposal};
use std::collections::{BTreeMap, BTreeSet};

/// An account as the caller names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenAccount {
    /// The key that it is to have.
    pub key: Option<String>,
    /// Twelve digits.
    pub id: String,
}

/// What the caller says.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Accounts: keys for them, and if it is one only, the account of inputs that do not tell.
    pub accounts: Vec<GivenAccount>,
    /// Region of templates, and of providers without one.
    pub region: Option<String>,
    /// Values of template parameters.
    pub parameters: Vec<(String, String)>,
    /// The organisation's short name.
    pub organization: Option<String>,
}

impl Options {
    /// The account of inputs that do not tell theirs.
    fn only_account(&self) -> Option<&str> {
        match self.accounts.as_slice() {
            [one] => Some(&one.id),
            _ => None,
        }
    }
}

/// What an import gives.
#[derive(Debug)]
pub struct Imported {
    /// The inputs, and after them the files of the map that is extended; a finding's file is an index.
    pub files: Vec<SourceFile>,
    /// What is to be said, in the order of files and places.
    pub findings: Vec<Finding>,
    /// Those that are not shown.
    pub suppressed: Vec<Suppressed>,
    /// What was not read.
    pub ignored: Vec<Ignored>,
    /// The new map; `None` if inputs do not tell enough.
    pub map: Option<Analysis>,
    /// Findings of the new map that keep it from being used, and that the one that was to be extended did not have.
    pub broken: Vec<Finding>,
    inputs: Vec<Input>,
}

impl Imported {
    /// A finding's place in the words of its file.
    pub fn route(&self, finding: &Finding) -> String {
        self.inputs.get(finding.file.0 as usize).map_or_else(String::new, |input| input.route(finding.span.start))
    }
}

/// Imports inputs; into a map, if there is one.
pub fn import(files: Vec<SourceFile>, options: &Options, into: Option<&Analysis>) -> Imported {
    let told = Told {
        region: options.region.clone(),
        account: options.only_account().map(str::to_owned),
        parameters: options.parameters.clone(),
        ..Told::default()
    };
    let inputs = recognise::read_all(&files, &told);
    let mut ignored: Vec<Ignored> = files.iter().zip(&inputs).flat_map(|(file, input)| input.not_read(&file.name)).collect();
    ignored.sort();
    let mut findings = Vec::new();
    let inventory = inventory::collect(&inputs, options, &mut findings);
    let mut imported = Imported { files, findings, ignored, suppressed: Vec::new(), map: None, broken: Vec::new(), inputs };
    let refused = |finding: &Finding| [&NO_REGION, &WHOSE].contains(&finding.rule);
    if inventory.buckets.is_empty() && !imported.findings.iter().any(|finding| finding.severity() == Severity::Error) {
        imported.findings.push(
            Finding::new(&NOTHING, Span::default(), "no input tells of a bucket whose name, account and Region are known")
                .help("import what `aws s3api list-buckets --page-size 1000`, an AWS Config aggregator or `terraform show -json` prints"),
        );
    }
    if inventory.buckets.is_empty() || imported.findings.iter().any(refused) {
        diagnostics::sort(&mut imported.findings);
        return imported;
    }
    let keys = into.map_or_else(BTreeMap::new, into::account_keys);
    let mut proposal = propose::propose(&inventory, options, &keys);
    let names: Vec<&str> = imported.files.iter().map(|file| file.name.as_str()).collect();
    let id = FileId(u32::try_from(imported.files.len()).unwrap_or(u32::MAX));
    let (analysis, found) = loop {
        let (mut draft, mut found) = (proposal.clone(), Vec::new());
        let mut analysis = write::settled(&mut draft, &names);
        if let Some(map) = into {
            let files = into::extended(map, &mut draft, id, &mut found);
            analysis = analyze(map.sources_of(files));
        }
        // which buckets' events are left out is known when all of the map is
        if !trails::unsay(&mut proposal, &analysis) {
            proposal = draft;
            break (analysis, found);
        }
    };
    imported.findings.extend(found);
    if let Some(map) = into {
        imported.files.extend_from_slice(map.file.files());
    }
    imported.broken = broken(&analysis, into);
    imported.findings.extend(kept::lost(&inventory, &analysis));
    imported.findings.extend(notes(&proposal).into_iter().map(Note::finding));
    diagnostics::sort(&mut imported.findings);
    imported.map = Some(analysis);
    imported
}

/// Errors of a map that are not in the one before.
fn broken(analysis: &Analysis, before: Option<&Analysis>) -> Vec<Finding> {
    let known: BTreeSet<(&str, &str)> = before
        .into_iter()
        .flat_map(|before| &before.findings)
        .map(|finding| (finding.rule.id, finding.message.as_str()))
        .collect();
    let errors = analysis.findings.iter().filter(|finding| finding.severity() == Severity::Error);
    errors.filter(|finding| !known.contains(&(finding.rule.id, finding.message.as_str()))).cloned().collect()
}

/// All that is said of what is in a proposal.
fn notes(proposal: &Proposal) -> Vec<&Note> {
    let mut notes: Vec<&Note> = proposal.organization_note.iter().chain(&proposal.notes).collect();
    for account in proposal.accounts.values() {
        notes.extend(&account.note);
        for region in account.regions.values() {
            notes.extend(&region.left_out);
            notes.extend(region.sources.values().flat_map(|source| &source.notes));
            notes.extend(region.adopt.iter().flat_map(|adopt| adopt.note.iter().chain(&adopt.notes)));
        }
    }
    notes.extend(proposal.trails.values().flat_map(|trail| &trail.notes));
    notes
}
