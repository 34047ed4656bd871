//! Fixing: a map's text → the text with the fixes of its findings made, round after round, until none is left.
//!
//! Pure. A fix that would make the text harder to read, or lose a comment, is left out, whoever proposed it.

use crate::{
    analysis::{Analysis, analyze},
    diagnostics::{Finding, Scope},
    edit::{self, Fix},
    included::Sources,
    rules::ignore,
};

/// A fix may give rise to another; more rounds than this would go in circles.
const MOST_ROUNDS: usize = 10;

/// At most so many texts are tried in a round while what does harm is looked for.
const MOST_TRIES: usize = 64;

/// Result of fixing.
#[derive(Debug)]
pub struct Fixed {
    /// The text as it is now, with what there still is to say of it.
    pub analysis: Analysis,
    /// What was done, in order.
    pub made: Vec<Made>,
}

/// A fix that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// The rule's id.
    pub rule: &'static str,
    /// The file and the line from 1, as lines were before that round.
    pub place: String,
    /// The fix's title.
    pub title: String,
}

/// Makes the safe fixes; with `unsafe_fixes`, the best fix of each finding.
pub fn fix(sources: impl Into<Sources>, unsafe_fixes: bool) -> Fixed {
    let mut fixed = Fixed { analysis: analyze(sources), made: Vec::new() };
    for _ in 0..MOST_ROUNDS {
        let wanted: Vec<(&Finding, &Fix)> = fixed
            .analysis
            .findings
            .iter()
            .filter_map(|finding| Some((finding, finding.fixes.iter().find(|fix| fix.safe || unsafe_fixes)?)))
            .collect();
        let Some((analysis, made)) = round(&fixed.analysis, &wanted) else { break };
        fixed.made.extend(made);
        fixed.analysis = analysis;
    }
    fixed
}

/// Makes fixes at once; if that does harm, without those that do.
fn round(before: &Analysis, wanted: &[(&Finding, &Fix)]) -> Option<(Analysis, Vec<Made>)> {
    let mut tries = MOST_TRIES;
    let harmless = harmless(before, wanted, &mut tries);
    // what is harmless alone may still not be so together; then the first half of it is tried, and so on
    (0..harmless.len().checked_ilog2()? + 1).find_map(|halved| apply(before, &harmless[..(harmless.len() >> halved).max(1)]))
}

/// Those fixes that do no harm, found by halving. Stops looking when the tries are used up.
fn harmless<'a>(before: &Analysis, wanted: &[(&'a Finding, &'a Fix)], tries: &mut usize) -> Vec<(&'a Finding, &'a Fix)> {
    if wanted.is_empty() || *tries == 0 {
        return Vec::new();
    }
    *tries -= 1;
    if apply(before, wanted).is_some() {
        return wanted.to_vec();
    }
    if wanted.len() == 1 {
        return Vec::new();
    }
    let (first, second) = wanted.split_at(wanted.len() / 2);
    [harmless(before, first, tries), harmless(before, second, tries)].concat()
}

/// The text with these fixes, and the fixes that were made; `None` if none was, or if they do harm.
fn apply(before: &Analysis, chosen: &[(&Finding, &Fix)]) -> Option<(Analysis, Vec<Made>)> {
    let (files, made) = edit::apply_to(&before.file, chosen.iter().map(|(_, fix)| *fix));
    let made: Vec<Made> = chosen
        .iter()
        .zip(made)
        .filter(|(_, made)| *made)
        .map(|((finding, fix), _)| Made {
            rule: finding.rule.id,
            place: before.file.at_line(finding.span.start),
            title: fix.title.clone(),
        })
        .collect();
    let after = analyze(before.sources_of(files));
    (!made.is_empty() && !harms(before, &after)).then_some((after, made))
}

/// Is less of the text understood, or a comment lost? New findings that the fix only made visible are no harm.
fn harms(before: &Analysis, after: &Analysis) -> bool {
    let unread = |analysis: &Analysis| {
        analysis.findings.iter().filter(|finding| matches!(finding.rule.scope, Scope::Text | Scope::Shape)).count()
    };
    let comments = |analysis: &Analysis| {
        let mut texts: Vec<String> = analysis
            .document
            .comments
            .iter()
            .filter(|comment| !ignore::is_one(comment))
            .map(|comment| comment.text.trim_end().to_owned())
            .collect();
        texts.sort_unstable();
        texts
    };
    (after.document.broken && !before.document.broken)
        || (after.document.root.is_none() && before.document.root.is_some())
        || unread(after) > unread(before)
        || comments(after) != comments(before)
}
