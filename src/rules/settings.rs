//! `settings` of a map: whether they can be used, and what they make of findings. Every command and the editor ask here.

use super::{all, find};
use crate::{
    catalog::reading::SETTINGS,
    diagnostics::{Finding, Rule, Scope, Severity, Suppressed, Suppression, did_you_mean},
    edit::Fix,
    map::{RegionMap, RuleSetting},
    source::Spanned,
};
use std::collections::BTreeMap;

/// For so many rules that there are none of, it is said which ones may be meant: to look costs more than to read them.
const MOST_GUESSES: usize = 100;

/// Checks `settings`.
pub(crate) fn check(map: &RegionMap, findings: &mut Vec<Finding>) {
    coverage(map, findings);
    let Some(settings) = &map.settings else { return };
    let folders = [(&settings.out, "out", "out: generated"), (&settings.templates, "templates", "templates: templates")];
    for (path, key, example) in folders {
        path_below(path.as_ref(), key, example, Leads::ToFolder, findings);
    }
    path_below(settings.baseline.as_ref(), "baseline", "baseline: logmap.baseline.json", Leads::ToFile, findings);
    if let Some(targets) = settings.targets.as_ref().filter(|targets| targets.is_empty()) {
        findings.push(
            Finding::new(&SETTINGS, targets.span, "`targets` is empty, so that nothing would be generated")
                .help("list the targets that you use, or leave the key out for all of them"),
        );
    }
    let (mut seen, mut unknown) = (BTreeMap::new(), 0);
    for (word, setting) in settings.rules.iter().flat_map(|rules| &rules.items) {
        match settable(word) {
            None => {
                findings.push(not_settable(word, unknown < MOST_GUESSES));
                unknown += 1;
            }
            Some(rule) => {
                if let Some(first) = seen.insert(rule.id, word.span).filter(|first| *first != word.span) {
                    seen.insert(rule.id, first);
                    let message = format!("`{}` is set twice, by its id and by its name", rule.id);
                    findings.push(
                        Finding::new(&SETTINGS, word.span, message).related(first, "it is first set here").help("remove one"),
                    );
                }
            }
        }
        if let Some(reason) = setting.reason.as_ref().filter(|reason| reason.trim().is_empty()) {
            findings.push(
                Finding::new(&SETTINGS, reason.span, format!("the reason for `{}` is empty", word.escape_debug()))
                    .help("write why, for whoever reviews the map; without a reason a rule stays as it is"),
            );
        }
    }
}

/// `coverage`: what is left out says of what, and why.
fn coverage(map: &RegionMap, findings: &mut Vec<Finding>) {
    for entry in map.coverage.iter().flat_map(|coverage| &coverage.ignore).flat_map(|list| list.iter()) {
        if let Some(reason) = entry.reason.as_ref().filter(|reason| reason.trim().is_empty()) {
            findings.push(
                Finding::new(&SETTINGS, reason.span, "the reason why buckets are left out is empty")
                    .help("write why, for whoever reviews the map"),
            );
        }
        let Some(names) = &entry.buckets else { continue };
        if names.is_empty() {
            findings.push(
                Finding::new(&SETTINGS, names.span, "`buckets` is empty, so that nothing is left out")
                    .help("list names, in which `*` and `?` are wildcards"),
            );
        }
        for name in names.iter().filter(|name| name.chars().all(|c| matches!(c, '*' | '?'))) {
            findings.push(
                Finding::new(
                    &SETTINGS,
                    name.span,
                    format!("`{}` leaves out every bucket, also those of tomorrow", name.escape_debug()),
                )
                .help("name what is left out; without `--coverage`, `drift` looks at no bucket that the map does not know"),
            );
        }
    }
}

/// What a path is of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Leads {
    ToFolder,
    ToFile,
}

/// A map comes from whoever proposes a change of it: its paths can't lead to what it does not bring along.
fn path_below(path: Option<&Spanned<String>>, key: &str, example: &str, leads: Leads, findings: &mut Vec<Finding>) {
    let Some(path) = path.filter(|path| !is_below(path, leads)) else { return };
    findings.push(
        Finding::new(&SETTINGS, path.span, format!("`{key}` is `{}`, which is no path below the map's folder", path.escape_debug()))
            .help(format!(
                "write a path relative to the map, with slashes, and without `..` and hidden folders, such as `{example}`; the flag `--{key}` of a command takes any path"
            )),
    );
}

/// Is it the path of a file that a map may name: relative to the map, and below its folder?
pub(crate) fn is_file_below(path: &str) -> bool {
    is_below(path, Leads::ToFile)
}

fn is_below(path: &str, leads: Leads) -> bool {
    let mut parts: Vec<&str> = path.split('/').skip_while(|part| *part == ".").collect();
    if leads == Leads::ToFolder && parts.last() == Some(&"") {
        parts.pop();
    }
    let last = parts.len().saturating_sub(1);
    let is_hidden = |at: usize, part: &str| part.starts_with('.') && !(leads == Leads::ToFile && at == last && part != "..");
    let is_part = |(at, part): (usize, &&str)| !part.is_empty() && !is_hidden(at, part);
    !parts.is_empty() && !path.contains(['\\', ':']) && !path.contains(char::is_control) && parts.iter().enumerate().all(is_part)
}

/// The rule that a key of `settings.rules` means, if it can be set.
fn settable(word: &str) -> Option<&'static Rule> {
    find(word).filter(|rule| rule.can_be_set())
}

/// What is wrong with a key of `settings.rules` that means no rule that can be set.
fn not_settable(word: &Spanned<String>, may_guess: bool) -> Finding {
    if let Some(rule) = find(word) {
        let why = match rule.scope {
            Scope::Output => "`generate --check` says with it whether files are up to date",
            Scope::Import => "what is imported comes before the map",
            _ if rule.is_of_proof => "a policy of which it finds something is not proven, and not rendered",
            _ => "what it finds keeps a map from being used",
        };
        let message = format!("`{}` can't be set: {why}", rule.id);
        return Finding::new(&SETTINGS, word.span, message).help("take it out of `rules`");
    }
    let known = if may_guess { all() } else { Vec::new() };
    let near = did_you_mean(word, known.iter().filter(|rule| rule.can_be_set()).flat_map(|rule| [rule.id, rule.name]));
    let finding = Finding::new(&SETTINGS, word.span, format!("there is no rule `{}`", word.escape_debug()));
    match near {
        Some(near) => {
            finding.help(format!("did you mean `{near}`?")).fix(Fix::unsafe_fix(format!("write `{near}`"), word.span, near))
        }
        None => finding.help("`logmap explain --list` lists the rules"),
    }
}

/// What a map's settings make of findings.
#[derive(Debug, Clone, Default)]
pub(crate) struct Chosen {
    /// Id of a rule → severity, or none for what is not shown; and the reason.
    rules: BTreeMap<&'static str, (Option<Severity>, String)>,
}

impl Chosen {
    /// The settings of a map, of which what can't be used has been reported.
    pub(crate) fn of(map: &RegionMap) -> Self {
        let mut rules = BTreeMap::new();
        let written = map.settings.iter().flat_map(|settings| settings.rules.iter()).flat_map(|rules| &rules.items);
        for (word, setting) in written {
            let RuleSetting { severity: Some(severity), reason: Some(reason) } = &setting.value else { continue };
            if let Some(rule) = settable(word)
                && !reason.trim().is_empty()
            {
                rules.entry(rule.id).or_insert_with(|| (severity.value.severity(), reason.trim().to_owned()));
            }
        }
        Chosen { rules }
    }

    /// What is set of a rule: its severity, or none if it is not shown; and the reason.
    pub(crate) fn about(&self, rule: &Rule) -> Option<(Option<Severity>, &str)> {
        self.rules.get(rule.id).map(|(severity, reason)| (*severity, reason.as_str()))
    }

    /// Gives findings the severities that are set, and takes out those that are not to be shown.
    pub(crate) fn apply(&self, findings: &mut Vec<Finding>) -> Vec<Suppressed> {
        self.apply_where(findings, |_| true)
    }

    /// The same for some of the findings.
    pub(crate) fn apply_where(&self, findings: &mut Vec<Finding>, is_ours: impl Fn(&Finding) -> bool) -> Vec<Suppressed> {
        if self.rules.is_empty() {
            return Vec::new();
        }
        let mut suppressed = Vec::new();
        let mut kept = Vec::with_capacity(findings.len());
        for mut finding in std::mem::take(findings) {
            match self.about(finding.rule).filter(|_| is_ours(&finding)) {
                Some((None, reason)) => suppressed.push(Suppressed { finding, by: Suppression::Settings(reason.to_owned()) }),
                Some((severity, _)) => {
                    finding.set = severity;
                    kept.push(finding);
                }
                None => kept.push(finding),
            }
        }
        *findings = kept;
        suppressed
    }

    /// What is set, rule by rule, in words.
    pub(crate) fn words(&self) -> impl Iterator<Item = (&'static str, String)> {
        self.rules
            .iter()
            .map(|(id, (severity, reason))| (*id, format!("{}: {reason}", severity.map_or("ignore", Severity::word))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map::{FILE, PATH};

    #[test]
    fn paths_stay_below_the_folder_of_the_map_and_the_schema_says_so() {
        let patterns = [(Leads::ToFolder, PATH), (Leads::ToFile, FILE)].map(|(leads, pattern)| (leads, regex_of(pattern)));
        let check = |path: &str, leads: Leads, fine: bool| {
            assert_eq!(is_below(path, leads), fine, "{path}");
            let pattern = &patterns.iter().find(|(one, _)| *one == leads).map(|(_, pattern)| pattern);
            assert!(pattern.is_some_and(|pattern| pattern(path) == fine), "the pattern on {path}");
        };
        for path in ["out", "a/b", "./a", "a/b.c", "ä ö", "a..b/c"] {
            check(path, Leads::ToFolder, true);
            check(path, Leads::ToFile, true);
        }
        check("out/", Leads::ToFolder, true);
        check("out/", Leads::ToFile, false);
        check(".hidden.json", Leads::ToFolder, false);
        check(".hidden.json", Leads::ToFile, true);
        for path in ["", ".", "./", "/", "/a", "..", "../a", "a/..", "a/../b", ".git/a", "a/.git/b", "C:/a", "a\\b", "c:"] {
            check(path, Leads::ToFolder, false);
            check(path, Leads::ToFile, false);
        }
    }

    /// The pattern as a validator of JSON Schema reads it.
    fn regex_of(pattern: &str) -> impl Fn(&str) -> bool {
        let validator = jsonschema::validator_for(&serde_json::json!({ "pattern": pattern })).ok();
        move |text| validator.as_ref().is_some_and(|validator| validator.is_valid(&serde_json::json!(text)))
    }
}
