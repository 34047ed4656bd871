//! Composing: what may write to a log bucket → its policy, within the byte budget.
//!
//! The only place where grants for the logging service and CloudTrail are written down. Each grant is as tight as the
//! budget allows; the forms are tried from the tightest to the widest, in a fixed order, and the report says which was
//! taken. Sources: S3 user guide "Enabling server access logging"; CloudTrail user guide "Amazon S3 bucket policy for
//! CloudTrail" and "Setting bucket policy for multiple accounts".

use super::{
    Condition, Effect, Element, Policy, Principal, Statement,
    condense::{Condensed, condense, condense_lists},
};
use crate::{
    aws::{CLOUDTRAIL_SERVICE, LOGGING_SERVICE, Partition, arn, limits::BUCKET_POLICY_BYTES},
    plan::{PolicyReport, Tier},
};
use indexmap::IndexMap;
use std::collections::{BTreeMap, BTreeSet};

/// Everything that may write to one log bucket.
#[derive(Debug, Clone)]
pub struct Grants<'a> {
    /// Name of the log bucket.
    pub bucket: &'a str,
    /// Its partition.
    pub partition: Partition,
    /// Its account's id.
    pub account_id: &'a str,
    /// Key prefix → names of the sources that use it.
    pub sources: BTreeMap<&'a str, BTreeSet<&'a str>>,
    /// The trails that deliver here, in order.
    pub trails: Vec<TrailGrant>,
    /// How tightly sources are named.
    pub scope: Scope,
    /// With a TLS-only deny.
    pub deny_insecure_transport: bool,
    /// Further statements.
    pub extra: &'a [Statement],
}

/// How tightly sources are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// As tightly as fits.
    Auto,
    /// By account.
    Account,
    /// Exactly, or not at all.
    Buckets,
}

/// A trail that delivers to the bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrailGrant {
    /// ARN of the trail.
    pub arn: String,
    /// The account that owns it.
    pub account_id: String,
    /// `prefix/` or empty.
    pub prefix: String,
    /// Id of the organization, for an organization trail.
    pub organization: Option<String>,
}

/// A policy that does not fit, whatever form is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overflow {
    /// Bytes of the widest form that was tried.
    pub bytes: usize,
    /// What takes them.
    pub what: Cause,
}

/// What makes a policy too large.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// `policy_scope: buckets` with too many sources.
    Sources,
    /// Too many accounts deliver trails.
    Trails,
    /// Statements of the map.
    Extra,
}

/// The forms of the CloudTrail grant, tightest first.
const TRAIL_FORMS: [TrailForm; 4] = [TrailForm::EachTrail, TrailForm::Lists, TrailForm::Accounts, TrailForm::AnyPath];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TrailForm {
    /// One write statement for each trail and its own path.
    EachTrail,
    /// One statement with lists of trail ARNs and paths.
    Lists,
    /// One statement with a list of accounts and their paths.
    Accounts,
    /// One statement with a list of accounts, for all of `AWSLogs/`.
    AnyPath,
}

/// Composes the policy of a log bucket.
///
/// # Errors
/// [`Overflow`] when no permitted form fits into 20,480 bytes.
pub fn compose(grants: &Grants<'_>) -> Result<(Policy, PolicyReport), Overflow> {
    let mut overflow = None;
    let forms = if grants.trails.is_empty() { &TRAIL_FORMS[..1] } else { &TRAIL_FORMS[..] };
    for form in forms {
        let trails = trail_statements(grants, *form);
        match with_access(grants, &trails) {
            Ok((policy, tier, mut notes)) => {
                notes.extend(trail_note(*form));
                let bytes_used = policy.size();
                return Ok((policy, PolicyReport { tier, bytes_used, bytes_left: BUCKET_POLICY_BYTES - bytes_used, notes }));
            }
            Err(bytes) => overflow = Some(bytes),
        }
    }
    let bytes = overflow.unwrap_or_default();
    let fits = |grants: &Grants<'_>| with_access(grants, &trail_statements(grants, TrailForm::AnyPath)).is_ok();
    let what = if grants.scope == Scope::Buckets && fits(&Grants { scope: Scope::Auto, ..grants.clone() }) {
        Cause::Sources
    } else if !grants.extra.is_empty() && fits(&Grants { extra: &[], ..grants.clone() }) {
        Cause::Extra
    } else {
        Cause::Trails
    };
    Err(Overflow { bytes, what })
}

/// Puts the access-log grant in front of the rest, in the tightest form that fits; else the bytes that were too many.
fn with_access(grants: &Grants<'_>, trails: &[Statement]) -> Result<(Policy, Tier, Vec<String>), usize> {
    let assemble = |access: Vec<Statement>| {
        let mut statements = access;
        statements.extend_from_slice(trails);
        statements.extend_from_slice(grants.extra);
        if grants.deny_insecure_transport {
            statements.push(deny_insecure_transport(grants));
        }
        Policy { statements }
    };
    if grants.sources.is_empty() {
        let policy = assemble(Vec::new());
        let size = policy.size();
        return if size <= BUCKET_POLICY_BYTES { Ok((policy, Tier::None, Vec::new())) } else { Err(size) };
    }
    let mut smallest = usize::MAX;
    for candidate in access_forms(grants, &assemble) {
        let policy = assemble(candidate.statements);
        let size = policy.size();
        if size <= BUCKET_POLICY_BYTES {
            return Ok((policy, candidate.tier, candidate.notes));
        }
        smallest = smallest.min(size);
    }
    Err(smallest)
}

/// One form of the access-log grant.
struct Form {
    statements: Vec<Statement>,
    tier: Tier,
    notes: Vec<String>,
}

/// The forms of the access-log grant, tightest first. Each is computed only when the one before did not fit.
fn access_forms<'a>(grants: &'a Grants<'_>, assemble: &'a dyn Fn(Vec<Statement>) -> Policy) -> impl Iterator<Item = Form> + 'a {
    let arn_of = |name: &str| arn::bucket(grants.partition, name);
    let prefixes: Vec<&str> = grants.sources.keys().copied().collect();
    let names: Vec<&str> = grants.sources.values().flatten().copied().collect::<BTreeSet<_>>().into_iter().collect();
    let several = prefixes.len() > 1;
    let exact = grants.scope != Scope::Account;
    let widened = grants.scope == Scope::Auto;
    let merged = "one statement grants all prefixes to all sources, because a statement for each prefix does not fit".to_owned();
    let merged_notes = if several { vec![merged] } else { Vec::new() };

    let each = {
        let statements = grants.sources.iter().enumerate().map(|(at, (prefix, names))| {
            let arns = if exact { names.iter().map(|name| arn_of(name)).collect() } else { Vec::new() };
            access_statement(grants, at, vec![format!("{prefix}*")], arns)
        });
        let tier = if exact { Tier::Buckets } else { Tier::Account };
        Form { statements: statements.collect(), tier, notes: Vec::new() }
    };
    let all: Vec<String> = prefixes.iter().map(|prefix| format!("{prefix}*")).collect();
    let one = {
        let (all, names, notes) = (all.clone(), names.clone(), merged_notes.clone());
        move || {
            let arns = if exact { names.iter().map(|name| arn_of(name)).collect() } else { Vec::new() };
            let tier = if exact { Tier::Buckets } else { Tier::Account };
            Form { statements: vec![access_statement(grants, 0, all, arns)], tier, notes }
        }
    };
    // exact prefixes first; when they alone leave no room, prefixes condensed into half of what is there
    let patterns = move |resources: Vec<String>, mut notes: Vec<String>| {
        let list = names_within(grants, &resources, &names, assemble)?;
        let arns: Vec<String> = list.patterns.iter().map(|pattern| arn_of(&pattern.text())).collect();
        notes.push(admits(names.len(), std::slice::from_ref(&list)));
        Some(Form { statements: vec![access_statement(grants, 0, resources, arns)], tier: Tier::Patterns, notes })
    };
    let condensed = move || prefixes_within(grants, &prefixes, assemble);
    let account = |resources: Vec<String>, notes: Vec<String>| {
        let note = "every bucket of the account is admitted, because no list of names or patterns fits".to_owned();
        let notes = notes.into_iter().chain((grants.scope == Scope::Auto).then_some(note)).collect();
        Form { statements: vec![access_statement(grants, 0, resources, Vec::new())], tier: Tier::Account, notes }
    };

    let steps: Vec<Box<dyn FnOnce() -> Option<Form> + 'a>> = vec![
        Box::new(move || several.then(one)),
        Box::new(move || if widened && several { each_by_patterns(grants, assemble) } else { None }),
        {
            let (all, notes, patterns) = (all.clone(), merged_notes.clone(), patterns.clone());
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
    std::iter::once(each).chain(steps.into_iter().filter_map(|step| step()))
}

/// What patterns admit, for the report.
fn admits(sources: usize, lists: &[Condensed]) -> String {
    let patterns = || lists.iter().flat_map(|list| &list.patterns);
    let mut wild: Vec<String> =
        patterns().filter(|pattern| !pattern.exact).map(|pattern| format!("`{}`", pattern.text())).collect();
    wild.dedup();
    format!(
        "{sources} sources are named by {} entries, {} of them patterns that admit about {:.1e} other names: {}",
        patterns().count(),
        patterns().filter(|pattern| !pattern.exact).count(),
        lists.iter().map(|list| list.admitted).sum::<f64>(),
        shorten(&wild)
    )
}

/// One statement for each prefix, with patterns; nothing where the statements alone take more than half of what there is,
/// because one statement for all prefixes then leaves more room for names.
fn each_by_patterns(grants: &Grants<'_>, assemble: &dyn Fn(Vec<Statement>) -> Policy) -> Option<Form> {
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
    let sources = grants.sources.values().flatten().count();
    Some(Form { statements: statements(&arns), tier: Tier::Patterns, notes: vec![admits(sources, &condensed)] })
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

fn shorten(words: &[String]) -> String {
    const SHOWN: usize = 8;
    match words.len().checked_sub(SHOWN) {
        Some(more @ 1..) => format!("{} and {more} more", words[..SHOWN].join(", ")),
        _ => words.join(", "),
    }
}

fn object_arn(grants: &Grants<'_>, key: &str) -> String {
    format!("{}/{key}", arn::bucket(grants.partition, grants.bucket))
}

fn numbered(sid: &str, at: usize) -> String {
    if at == 0 { sid.to_owned() } else { format!("{sid}{}", at + 1) }
}

fn conditions<const N: usize>(entries: [(&str, &str, Vec<String>); N]) -> Condition {
    let mut condition: Condition = IndexMap::new();
    for (operator, key, values) in entries {
        condition.entry(operator.to_owned()).or_default().insert(key.to_owned(), values);
    }
    condition
}

fn allow(sid: String, service: &str, action: &str, resource: Vec<String>, condition: Condition) -> Statement {
    Statement {
        sid,
        effect: Effect::Allow,
        principal: Element::Is(Principal::service(service)),
        action: Element::Is(vec![action.to_owned()]),
        resource: Element::Is(resource),
        condition,
    }
}

fn access_statement(grants: &Grants<'_>, at: usize, keys: Vec<String>, arns: Vec<String>) -> Statement {
    let resource = keys.iter().map(|key| object_arn(grants, key)).collect();
    let mut condition = conditions([("StringEquals", "aws:SourceAccount", vec![grants.account_id.to_owned()])]);
    if !arns.is_empty() {
        condition.extend(conditions([("ArnLike", "aws:SourceArn", arns)]));
    }
    allow(numbered("LogmapAccessLogs", at), LOGGING_SERVICE, "s3:PutObject", resource, condition)
}

fn trail_statements(grants: &Grants<'_>, form: TrailForm) -> Vec<Statement> {
    if grants.trails.is_empty() {
        return Vec::new();
    }
    let unique = |values: Vec<String>| values.into_iter().collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>();
    let by_arn = matches!(form, TrailForm::EachTrail | TrailForm::Lists);
    let arns = unique(grants.trails.iter().map(|trail| trail.arn.clone()).collect());
    let accounts = unique(grants.trails.iter().map(|trail| trail.account_id.clone()).collect());
    let (key, values) = if by_arn { ("aws:SourceArn", arns) } else { ("aws:SourceAccount", accounts) };
    let caller = conditions([("StringEquals", key, values.clone())]);
    let bucket = vec![arn::bucket(grants.partition, grants.bucket)];
    let mut statements =
        vec![allow("LogmapCloudTrailAclCheck".to_owned(), CLOUDTRAIL_SERVICE, "s3:GetBucketAcl", bucket, caller)];
    let write = |sid: String, paths: Vec<String>, values: Vec<String>| {
        let resource = paths.iter().map(|path| object_arn(grants, path)).collect();
        let full_control = vec!["bucket-owner-full-control".to_owned()];
        let condition = conditions([("StringEquals", "s3:x-amz-acl", full_control), ("StringEquals", key, values)]);
        allow(sid, CLOUDTRAIL_SERVICE, "s3:PutObject", resource, condition)
    };
    let account_path = |trail: &TrailGrant| format!("{}AWSLogs/{}/*", trail.prefix, trail.account_id);
    let organization_path = |trail: &TrailGrant| trail.organization.as_ref().map(|id| format!("{}AWSLogs/{id}/*", trail.prefix));
    match form {
        TrailForm::EachTrail => {
            for (at, trail) in grants.trails.iter().enumerate() {
                statements.push(write(numbered("LogmapCloudTrailWrite", at), vec![account_path(trail)], vec![trail.arn.clone()]));
            }
            for (at, trail) in grants.trails.iter().filter(|trail| trail.organization.is_some()).enumerate() {
                let paths = organization_path(trail).into_iter().collect();
                statements.push(write(numbered("LogmapCloudTrailOrganizationWrite", at), paths, vec![trail.arn.clone()]));
            }
        }
        TrailForm::Lists | TrailForm::Accounts => {
            let paths =
                grants.trails.iter().flat_map(|trail| std::iter::once(account_path(trail)).chain(organization_path(trail)));
            statements.push(write("LogmapCloudTrailWrite".to_owned(), unique(paths.collect()), values));
        }
        TrailForm::AnyPath => {
            let paths = unique(grants.trails.iter().map(|trail| format!("{}AWSLogs/*", trail.prefix)).collect());
            statements.push(write("LogmapCloudTrailWrite".to_owned(), paths, values));
        }
    }
    statements
}

fn trail_note(form: TrailForm) -> Option<String> {
    let note = match form {
        TrailForm::EachTrail => return None,
        TrailForm::Lists => {
            "the trails share one write statement with lists of ARNs and paths, because a statement for each does not fit"
        }
        TrailForm::Accounts => "trails are admitted by account and path, because the list of their ARNs does not fit",
        TrailForm::AnyPath => {
            "trails are admitted by account for any path under `AWSLogs/`, because the list of paths does not fit"
        }
    };
    Some(note.to_owned())
}

fn deny_insecure_transport(grants: &Grants<'_>) -> Statement {
    Statement {
        sid: "LogmapDenyInsecureTransport".to_owned(),
        effect: Effect::Deny,
        principal: Element::Is(Principal::Any),
        action: Element::Is(vec!["s3:*".to_owned()]),
        resource: Element::Is(vec![arn::bucket(grants.partition, grants.bucket), object_arn(grants, "*")]),
        condition: conditions([("Bool", "aws:SecureTransport", vec!["false".to_owned()])]),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    #[test]
    fn each_prefix_keeps_its_own_statement_when_names_are_condensed() {
        let names: Vec<String> =
            (0..600).map(|n| format!("acme-team-{:x}-assets-{n:03}", (n * 2_654_435_761_u64) % 4_294_967_291)).collect();
        let mut sources: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (at, name) in names.iter().enumerate() {
            sources.entry(["data/", "s3-access/", "web/"][at % 3]).or_default().insert(name);
        }
        let grants = Grants {
            bucket: "acme-logs",
            partition: Partition::Aws,
            account_id: "000011112222",
            sources: sources.clone(),
            trails: Vec::new(),
            scope: Scope::Auto,
            deny_insecure_transport: true,
            extra: &[],
        };
        let (policy, report) = compose(&grants).unwrap();
        assert_eq!(report.tier, Tier::Patterns);
        assert!(report.bytes_used == policy.size() && (20_400..=BUCKET_POLICY_BYTES).contains(&report.bytes_used));
        assert_eq!(policy.statements.len(), sources.len() + 1);
        for (statement, (prefix, names)) in policy.statements.iter().zip(&sources) {
            assert_eq!(statement.resource, Element::Is(vec![format!("arn:aws:s3:::acme-logs/{prefix}*")]));
            let patterns = &statement.condition["ArnLike"]["aws:SourceArn"];
            for name in names {
                let arn = format!("arn:aws:s3:::{name}");
                let covers =
                    |pattern: &&String| pattern.strip_suffix('*').map_or(**pattern == arn, |literal| arn.starts_with(literal));
                assert_eq!(patterns.iter().filter(covers).count(), 1, "{name}");
            }
        }
    }
}
