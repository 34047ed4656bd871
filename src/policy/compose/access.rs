//! The forms of the access-log grant, from the tightest to the widest: exact names, patterns, the whole account.
//!
//! Takes the grants and what the rest of the policy is; gives statements with what is to be said of them.

use super::{
    Grants, Scope, Tier,
    statements::{access_statement, object_arn},
};
use crate::{
    aws::{arn, limits::BUCKET_POLICY_BYTES},
    policy::{
        Policy, Statement,
        condense::{Condensed, condense, condense_lists, foreign},
    },
    text::few,
};
use std::collections::BTreeSet;

/// Patterns that a note names.
const SHOWN: usize = 8;

/// One form of the access-log grant.
pub(super) struct Form {
    pub(super) statements: Vec<Statement>,
    pub(super) tier: Tier,
    pub(super) notes: Vec<String>,
}

/// The forms of the access-log grant, tightest first. Each is computed only when the one before did not fit.
pub(super) fn access_forms<'a>(
    grants: &'a Grants<'_>,
    assemble: &'a dyn Fn(Vec<Statement>) -> Policy,
) -> impl Iterator<Item = Form> + 'a {
    let arn_of = |name: &str| arn::bucket(grants.partition, name);
    let prefixes: Vec<&str> = grants.sources.keys().copied().collect();
    let names = || -> Vec<&str> { grants.sources.values().flatten().copied().collect::<BTreeSet<_>>().into_iter().collect() };
    let several = prefixes.len() > 1;
    let exact = grants.scope != Scope::Account;
    let widened = grants.scope == Scope::Auto;
    let merged = "one statement grants all prefixes to all sources, because a statement for each prefix does not fit".to_owned();
    let merged_notes = if several { vec![merged] } else { Vec::new() };

    // where something wider may take their place, prefixes and names that are too many by themselves are not written out
    let prefix_bytes: usize = prefixes.iter().map(|prefix| prefix.len()).sum();
    let too_many = move |name_bytes: usize| {
        grants.scope != Scope::Buckets && prefix_bytes + if exact { name_bytes } else { 0 } > BUCKET_POLICY_BYTES
    };

    let each = move || {
        if too_many(grants.sources.values().flatten().map(|name| name.len()).sum()) {
            return None;
        }
        let statements = grants.sources.iter().enumerate().map(|(at, (prefix, names))| {
            let arns = if exact { names.iter().map(|name| arn_of(name)).collect() } else { Vec::new() };
            access_statement(grants, at, vec![format!("{prefix}*")], arns)
        });
        let tier = if exact { Tier::Buckets } else { Tier::Account };
        Some(Form { statements: statements.collect(), tier, notes: Vec::new() })
    };
    let all: Vec<String> = prefixes.iter().map(|prefix| format!("{prefix}*")).collect();
    let one = {
        let (all, notes) = (all.clone(), merged_notes.clone());
        move || {
            let names = names();
            if too_many(names.iter().map(|name| name.len()).sum()) {
                return None;
            }
            let arns = if exact { names.iter().map(|name| arn_of(name)).collect() } else { Vec::new() };
            let tier = if exact { Tier::Buckets } else { Tier::Account };
            Some(Form { statements: vec![access_statement(grants, 0, all, arns)], tier, notes })
        }
    };
    // exact prefixes first; when they alone leave no room, prefixes condensed into half of what is there
    let patterns = move |resources: Vec<String>, mut notes: Vec<String>| {
        let list = names_within(grants, &resources, &names(), assemble)?;
        let arns: Vec<String> = list.patterns.iter().map(|pattern| arn_of(&pattern.text())).collect();
        notes.push(admits(grants, std::slice::from_ref(&list)));
        Some(Form { statements: vec![access_statement(grants, 0, resources, arns)], tier: Tier::Patterns, notes })
    };
    let condensed = move || prefixes_within(grants, &prefixes, assemble);
    let account = |resources: Vec<String>, notes: Vec<String>| {
        let note = "every bucket of the account is admitted, because no list of names or patterns fits".to_owned();
        let notes = notes.into_iter().chain((grants.scope == Scope::Auto).then_some(note)).collect();
        Form { statements: vec![access_statement(grants, 0, resources, Vec::new())], tier: Tier::Account, notes }
    };

    let steps: Vec<Box<dyn FnOnce() -> Option<Form> + 'a>> = vec![
        Box::new(each),
        Box::new(move || if several { one() } else { None }),
        Box::new(move || if widened && several { each_by_patterns(grants, assemble) } else { None }),
        {
            let (all, notes) = (all.clone(), merged_notes.clone());
            Box::new(move || if widened { patterns(all, notes) } else { None })
        },
        {
            let condensed = condensed.clone();
            Box::new(move || {
                if !(widened && several) {
                    return None;
                }
                let (resources, note) = condensed()?;
                patterns(resources, vec![note])
            })
        },
        Box::new(move || (grants.scope != Scope::Buckets).then(|| account(all, merged_notes))),
        Box::new(move || {
            if grants.scope == Scope::Buckets || !several {
                return None;
            }
            let (resources, note) = condensed()?;
            Some(account(resources, vec![note]))
        }),
    ];
    steps.into_iter().filter_map(|step| step())
}

/// What patterns admit, for the report.
fn admits(grants: &Grants<'_>, lists: &[Condensed]) -> String {
    let patterns = || lists.iter().flat_map(|list| &list.patterns);
    let names: BTreeSet<&str> = grants.sources.values().flatten().copied().collect();
    let mut wild: Vec<String> =
        patterns().filter(|pattern| !pattern.exact).map(|pattern| format!("`{}`", pattern.text())).collect();
    wild.dedup();
    format!(
        "{} sources are named by {} entries, {} of them patterns that admit {} other names: {}",
        names.len(),
        patterns().count(),
        patterns().filter(|pattern| !pattern.exact).count(),
        count(foreign(patterns(), &names)),
        few(&wild, SHOWN)
    )
}

/// A whole number, with two digits and their power of ten where it has more than a float can tell.
fn count(number: f64) -> String {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number < EXACT { format!("{number:.0}") } else { format!("about {number:.1e} (rounded)") }
}

/// One statement for each prefix, with patterns; nothing where the statements alone take more than half of what there is,
/// because one statement for all prefixes then leaves more room for names.
fn each_by_patterns(grants: &Grants<'_>, assemble: &dyn Fn(Vec<Statement>) -> Policy) -> Option<Form> {
    if grants.sources.keys().map(|prefix| object_arn(grants, prefix).len()).sum::<usize>() > BUCKET_POLICY_BYTES {
        return None;
    }
    let lists: Vec<Vec<&str>> = grants.sources.values().map(|names| names.iter().copied().collect()).collect();
    let statements = |arns: &dyn Fn(usize) -> Vec<String>| -> Vec<Statement> {
        let each = grants.sources.keys().enumerate();
        each.map(|(at, prefix)| access_statement(grants, at, vec![format!("{prefix}*")], arns(at))).collect()
    };
    // a list of one is written without brackets; an element is its ARN in quotes and a comma, which the last one lacks
    let dummies = |at: usize| vec![String::new(); lists[at].len().min(2)];
    let empty: usize = lists.iter().map(|list| if list.len() == 1 { 3 } else { 6 }).sum();
    let base = assemble(statements(&dummies)).size() + lists.len() - empty;
    let rest = assemble(Vec::new()).size();
    let room = (BUCKET_POLICY_BYTES + lists.len()).checked_sub(base)?;
    if room < (BUCKET_POLICY_BYTES.checked_sub(rest)?) / 2 {
        return None;
    }
    let condensed = condense_lists(&lists, arn::bucket(grants.partition, "").len() + r#""","#.len(), room)?;
    let arns = |at: usize| condensed[at].patterns.iter().map(|pattern| arn::bucket(grants.partition, &pattern.text())).collect();
    Some(Form { statements: statements(&arns), tier: Tier::Patterns, notes: vec![admits(grants, &condensed)] })
}

/// The sources' names, condensed into what the rest of the policy leaves.
fn names_within(
    grants: &Grants<'_>,
    resources: &[String],
    names: &[&str],
    assemble: &dyn Fn(Vec<Statement>) -> Policy,
) -> Option<Condensed> {
    let dummies = vec![String::new(), String::new()];
    let base = assemble(vec![access_statement(grants, 0, resources.to_vec(), dummies)]).size() - r#""","""#.len();
    // an element is its ARN in quotes and a comma; the last one has no comma
    let room = (BUCKET_POLICY_BYTES + 1).checked_sub(base)?;
    condense(names, arn::bucket(grants.partition, "").len() + r#""","#.len(), room)
}

/// The key prefixes, condensed into half of what the rest of the policy leaves.
fn prefixes_within(
    grants: &Grants<'_>,
    prefixes: &[&str],
    assemble: &dyn Fn(Vec<Statement>) -> Policy,
) -> Option<(Vec<String>, String)> {
    let base = assemble(vec![access_statement(grants, 0, vec![String::new()], Vec::new())]).size();
    let room = BUCKET_POLICY_BYTES.checked_sub(base)? / 2;
    let overhead = object_arn(grants, "").len() + r#""*","#.len();
    let mut literals: Vec<String> = prefixes.iter().map(|prefix| (*prefix).to_owned()).collect();
    // a shorter literal covers those under it; cut from the end until the list fits
    let longest = literals.iter().map(String::len).max().unwrap_or(0);
    for length in (0..=longest).rev() {
        for literal in &mut literals {
            while literal.len() > length {
                literal.pop();
            }
        }
        literals.sort();
        literals.dedup();
        if literals.iter().map(|literal| literal.len() + overhead).sum::<usize>() <= room {
            break;
        }
    }
    let mut kept: Vec<String> = Vec::new();
    for literal in literals {
        if !kept.last().is_some_and(|last| literal.starts_with(last.as_str())) {
            kept.push(literal);
        }
    }
    let note =
        format!("{} key prefixes are granted by {} patterns, because they do not fit one by one", prefixes.len(), kept.len());
    Some((kept.into_iter().map(|literal| format!("{literal}*")).collect(), note))
}
