//! Fixing: a map's text → the text with the fixes of its findings made, round after round, until none is left.
//!
//! Pure. A fix that would make the text harder to read, or lose a comment, is left out, whoever proposed it.

use crate::{
    analysis::{Analysis, analyze},
    diagnostics::{Finding, ignore},
    edit::{self, Fix},
    source::SourceFile,
};

/// A fix may give rise to another; more rounds than this would go in circles.
const MOST_ROUNDS: usize = 10;

/// What came of it.
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
    /// The line from 1, as lines were before that round.
    pub line: usize,
    /// The fix's title.
    pub title: String,
}

/// Makes the safe fixes; with `guesses`, the best fix of each finding.
pub fn fix(file: SourceFile, guesses: bool) -> Fixed {
    let mut fixed = Fixed { analysis: analyze(file), made: Vec::new() };
    for _ in 0..MOST_ROUNDS {
        let wanted: Vec<(&Finding, &Fix)> = fixed
            .analysis
            .findings
            .iter()
            .filter_map(|finding| Some((finding, finding.fixes.iter().find(|fix| fix.safe || guesses)?)))
            .collect();
        let Some((analysis, made)) = round(&fixed.analysis, &wanted) else { break };
        fixed.made.extend(made);
        fixed.analysis = analysis;
    }
    fixed
}

/// Makes fixes at once; if that does harm, one after the other without those that do.
fn round(before: &Analysis, wanted: &[(&Finding, &Fix)]) -> Option<(Analysis, Vec<Made>)> {
    let told = |finding: &Finding, fix: &Fix| Made {
        rule: finding.rule.id,
        line: before.file.position(finding.span.start).line,
        title: fix.title.clone(),
    };
    let apply = |chosen: &[(&Finding, &Fix)]| {
        let (text, made) = edit::apply(&before.file.text, chosen.iter().map(|(_, fix)| *fix));
        let after = analyze(SourceFile::new(before.file.name.clone(), text));
        let made: Vec<_> =
            chosen.iter().zip(made).filter(|(_, made)| *made).map(|((finding, fix), _)| told(finding, fix)).collect();
        (!made.is_empty() && !harms(before, &after)).then_some((after, made))
    };
    if wanted.is_empty() {
        return None;
    }
    apply(wanted).or_else(|| {
        let harmless: Vec<_> = wanted.iter().copied().filter(|one| apply(&[*one]).is_some()).collect();
        apply(&harmless).or_else(|| apply(harmless.get(..1)?))
    })
}

/// Is less of the text understood, or a comment gone? Findings that could only now be made are no harm.
fn harms(before: &Analysis, after: &Analysis) -> bool {
    let unread = |analysis: &Analysis| analysis.findings.iter().filter(|finding| finding.rule.id < "LM0015").count();
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
    (after.document.root.is_none() && before.document.root.is_some())
        || unread(after) > unread(before)
        || comments(after) != comments(before)
}
