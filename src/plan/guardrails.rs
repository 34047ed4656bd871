//! Guardrails: policies of an organization that keep everybody but the deployer from switching logging off.
//!
//! Takes the accounts as they are planned and what the map asks for; gives for each partition a service control policy, a resource
//! control policy and the names that a rule for templates may take, each within its limit and proven. Names that don't fit are condensed
//! to patterns which hold no bucket of the map that they shouldn't; what doesn't fit even so is left out, and said.
//!
//! No policy can check the target of `PutBucketLogging`: the action has no condition key for it (service authorization reference of
//! Amazon S3). What can be said is who may call it, and for which source.

mod proof;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]
mod tests;

use super::{Account, Source, prove::CHANGES};
pub(crate) use crate::map::values::GuardrailSettings;
use crate::{
    aws::{
        DELIVERY_SOURCE, Partition, REPLICATION_ROLE, arn,
        limits::{RCP_CHARS, SCP_CHARS},
    },
    diagnostics::Finding,
    map::effective::EffectiveMap,
    policy::{Condition, Effect, Element, Policy, Principal, Statement, condense, evaluate::glob},
    rules::guardrails::{GUARDRAIL_BY_PATTERN, GUARDRAIL_LEFT_OUT, GUARDRAIL_LOCKS_OUT},
    text,
};
use indexmap::IndexMap;
use std::collections::BTreeSet;

/// Bytes for names to try, the most first: how long a policy becomes is seen only when it is written.
const BUDGETS: [usize; 10] = [8_000, 6_500, 5_200, 4_200, 3_400, 2_700, 2_100, 1_500, 1_000, 500];
/// Names or patterns in a rule for templates; a longer list says nothing to a reader.
const RULE_NAMES: usize = 500;

/// What only the deployer may do with a log bucket and what lies in it: all that changes it but writing, after which what was there is still
/// there, as a version.
pub(crate) fn log_bucket_actions() -> Vec<&'static str> {
    CHANGES.into_iter().filter(|action| !matches!(*action, "s3:PutObject" | "s3:ReplicateObject")).collect()
}
/// What only the deployer may do with a source that logmap sets.
pub(crate) const SOURCE_ACTION: &str = "s3:PutBucketLogging";
/// What only the deployer may do with a trail (service authorization reference of AWS CloudTrail).
pub(crate) const TRAIL_ACTIONS: [&str; 5] = [
    "cloudtrail:DeleteTrail",
    "cloudtrail:PutEventSelectors",
    "cloudtrail:PutInsightSelectors",
    "cloudtrail:StopLogging",
    "cloudtrail:UpdateTrail",
];
/// What only the deployer may do with the rules of the alerts and their topics (service authorization references of Amazon EventBridge
/// and Amazon SNS).
pub(crate) const ALERT_ACTIONS: [&str; 8] = [
    "events:DeleteRule",
    "events:DisableRule",
    "events:PutRule",
    "events:PutTargets",
    "events:RemoveTargets",
    "sns:DeleteTopic",
    "sns:RemovePermission",
    "sns:SetTopicAttributes",
];
/// What only the deployer may do with delivery sources and destinations of logmap's names (CloudWatch Logs user guide, "Logs sent to Amazon
/// S3", which has them with their ARNs). `logs:DeleteDelivery` is not among them: a delivery has an id that AWS makes, and nothing in a
/// request for it tells whose it is.
pub(crate) const DELIVERY_ACTIONS: [&str; 6] = [
    "logs:DeleteDeliveryDestination",
    "logs:DeleteDeliveryDestinationPolicy",
    "logs:DeleteDeliverySource",
    "logs:PutDeliveryDestination",
    "logs:PutDeliveryDestinationPolicy",
    "logs:PutDeliverySource",
];
/// What only these roles may do with themselves: whoever may make a role of such a name, or say who assumes it, is past every guardrail
/// (service authorization reference of AWS Identity and Access Management).
pub(crate) const ROLE_ACTIONS: [&str; 10] = [
    "iam:AttachRolePolicy",
    "iam:CreateRole",
    "iam:DeleteRole",
    "iam:DeleteRolePermissionsBoundary",
    "iam:DeleteRolePolicy",
    "iam:DetachRolePolicy",
    "iam:PutRolePermissionsBoundary",
    "iam:PutRolePolicy",
    "iam:UpdateAssumeRolePolicy",
    "iam:UpdateRole",
];

/// How the names of things stand in a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Naming {
    /// Each by its name.
    Names,
    /// By patterns, which hold other names, too, but no bucket of the map that they shouldn't.
    Patterns,
    /// All buckets but those that others set.
    AllOthers,
    /// Not at all: there is no room.
    LeftOut,
}

/// The guardrails of one partition.
#[derive(Debug, Clone)]
pub struct Guardrails {
    /// The partition: an organization lies in one.
    pub partition: Partition,
    /// The service control policy. It has no principal in its text: an SCP is about whoever is in an account under it.
    pub scp: Policy,
    /// The resource control policy.
    pub rcp: Policy,
    /// How log buckets stand in the SCP, and in the RCP.
    pub log_buckets: (Naming, Naming),
    /// How sources stand in the SCP.
    pub sources: Naming,
    /// Names or patterns of log buckets, for a rule for templates.
    pub allowed_targets: Vec<String>,
    /// Claims about them that don't hold: a bug, and nothing is written.
    pub failures: Vec<String>,
}

/// What the policies of a partition are about.
struct Subject<'a> {
    partition: Partition,
    accounts: Vec<&'a Account>,
    /// Names of log buckets, sorted.
    log_buckets: Vec<&'a str>,
    /// Names of sources that logmap sets, sorted.
    managed: Vec<&'a str>,
    /// Names of sources that others set, sorted.
    external: Vec<&'a str>,
    /// Names of trails, sorted.
    trails: Vec<&'a str>,
    /// Names of rules of alerts, and of topics.
    rules: BTreeSet<&'a str>,
    topics: BTreeSet<&'a str>,
}

impl<'a> Subject<'a> {
    fn of(partition: Partition, accounts: &'a [Account]) -> Self {
        let accounts: Vec<&Account> = accounts.iter().filter(|account| account.partition == partition).collect();
        let placements = || accounts.iter().flat_map(|account| &account.placements);
        let sources = |wanted: bool| -> Vec<&'a str> {
            let found = placements().flat_map(|placement| &placement.sources);
            // the trails' own bucket logs as well, and stands among the log buckets
            let found = found.filter(|source: &&Source| source.managed == wanted && !source.is_log_bucket);
            sorted(found.map(|source| source.name.as_str()))
        };
        let alerts = || placements().filter_map(|placement| placement.monitoring.alerts.as_ref());
        Subject {
            partition,
            log_buckets: sorted(placements().flat_map(|placement| &placement.buckets).map(|bucket| bucket.name.as_str())),
            managed: sources(true),
            external: sources(false),
            trails: sorted(placements().flat_map(|placement| &placement.trails).map(|trail| trail.name.as_str())),
            rules: alerts().flat_map(|alerts| &alerts.rules).map(|rule| rule.name.as_str()).collect(),
            topics: alerts().map(|alerts| alerts.topic.as_str()).collect(),
            accounts,
        }
    }

    fn bucket(&self, name: &str) -> String {
        format!("arn:{}:s3:::{name}", self.partition)
    }

    /// The bucket and what lies in it.
    fn with_objects(&self, pattern: &condense::Pattern) -> Vec<String> {
        if pattern.exact {
            vec![self.bucket(&pattern.literal), self.bucket(&pattern.literal) + "/*"]
        } else {
            // the `*` stands for slashes, too
            vec![self.bucket(&pattern.text())]
        }
    }
}

fn sorted<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    names.collect::<BTreeSet<_>>().into_iter().collect()
}

/// The guardrails of each partition that the accounts are in.
pub(crate) fn derive(accounts: &[Account], settings: &GuardrailSettings, organization_id: Option<&str>) -> Vec<Guardrails> {
    let partitions: BTreeSet<Partition> = accounts.iter().map(|account| account.partition).collect();
    partitions.into_iter().map(|partition| of_partition(&Subject::of(partition, accounts), settings, organization_id)).collect()
}

fn of_partition(subject: &Subject<'_>, settings: &GuardrailSettings, organization_id: Option<&str>) -> Guardrails {
    let roles = |names: &[String]| -> Vec<String> {
        names.iter().map(|name| format!("arn:{}:iam::*:role/{name}", subject.partition)).collect()
    };
    let passing = roles(&settings.passing());
    let setting = roles(&[settings.passing(), settings.function_role.iter().cloned().collect()].concat());
    let mut fixed = Vec::new();
    if !subject.trails.is_empty() {
        let arn = |name: &&str| format!("arn:{}:cloudtrail:*:*:trail/{name}", subject.partition);
        fixed.push(statement("LogmapTrails", &TRAIL_ACTIONS, subject.trails.iter().map(arn).collect(), but(&passing)));
    }
    let rules = subject.rules.iter().map(|name| format!("arn:{}:events:*:*:rule/{name}", subject.partition));
    let topics = subject.topics.iter().map(|name| format!("arn:{}:sns:*:*:{name}", subject.partition));
    let watched: Vec<String> = rules.chain(topics).collect();
    if !watched.is_empty() {
        fixed.push(statement("LogmapAlerts", &ALERT_ACTIONS, watched, but(&passing)));
    }
    if subject.accounts.iter().flat_map(|account| &account.placements).any(|placement| placement.vended.is_some()) {
        let ours = format!("{DELIVERY_SOURCE}*");
        let resources =
            [arn::delivery_destination, arn::delivery_source].map(|of| of(subject.partition, "*", "*", &ours)).to_vec();
        fixed.push(statement("LogmapDeliveries", &DELIVERY_ACTIONS, resources, but(&passing)));
    }
    let mut held = setting.clone();
    // whoever changes these ends the copies, or makes them without a record of who did
    if subject.accounts.iter().flat_map(|account| &account.placements).any(|placement| placement.replication_role.is_some()) {
        held.extend(roles(&[format!("{REPLICATION_ROLE}*")]));
    }
    let buses = subject
        .accounts
        .iter()
        .flat_map(|account| &account.placements)
        .filter_map(|one| one.monitoring.alerts.as_ref()?.bus.as_ref());
    let senders: BTreeSet<&str> = buses.filter_map(|bus| bus.role_arn.rsplit('/').next()).collect();
    held.extend(roles(&senders.into_iter().map(str::to_owned).collect::<Vec<_>>()));
    fixed.push(statement("LogmapRoles", &ROLE_ACTIONS, held, but(&passing)));
    // sources may take what log buckets leave, and those at most half of what is left where neither fits by name
    let of_log_buckets = |resources| statement("LogmapLogBuckets", &log_bucket_actions(), resources, but(&passing));
    let of_sources = |resource| Statement { resource, ..statement("LogmapSources", &[SOURCE_ACTION], Vec::new(), but(&setting)) };
    let scp_size = |more: &[Statement]| scp_text(&Policy::new([&fixed[..], more].concat())).len();
    let least = subject.managed.first().map_or(0, |_| 1_000);
    let (resources, log_buckets) = log_bucket_resources(subject, |resources| {
        resources.is_empty() || scp_size(&[of_log_buckets(resources.to_vec())]) + least <= SCP_CHARS
    });
    let mut statements = fixed.clone();
    if !resources.is_empty() {
        statements.insert(0, of_log_buckets(resources));
    }
    let room = |resource: &Element<Vec<String>>| {
        let all = [&statements[..], &[of_sources(resource.clone())]].concat();
        scp_text(&Policy::new(all)).len() <= SCP_CHARS
    };
    let (resource, sources) = source_resources(subject, room);
    statements.extend(resource.map(of_sources));

    let outside = |resources: Vec<String>| {
        // who signs nothing has no ARN, and is none of these roles
        let listed = of_callers("ArnNotLikeIfExists", principals(&passing));
        let mut all = vec![statement("LogmapLogBuckets", &log_bucket_actions(), resources.clone(), listed)];
        if let Some(id) = organization_id {
            let foreign = of_callers("StringNotEqualsIfExists", one("aws:PrincipalOrgID", id));
            all.push(statement("LogmapNobodyElse", &log_bucket_actions(), resources, foreign));
        }
        Policy::new(all)
    };
    let (resources, rcp_log_buckets) =
        log_bucket_resources(subject, |resources| rcp_text(&outside(resources.to_vec())).len() <= RCP_CHARS);
    let rcp = if resources.is_empty() { Policy::new(Vec::new()) } else { outside(resources) };
    let mut found = Guardrails {
        partition: subject.partition,
        scp: Policy::new(statements),
        rcp,
        log_buckets: (log_buckets, rcp_log_buckets),
        sources,
        allowed_targets: allowed_targets(subject),
        failures: Vec::new(),
    };
    found.failures = proof::failures(&found, subject, settings, organization_id);
    found
}

fn statement(sid: &str, actions: &[&str], resources: Vec<String>, condition: Condition) -> Statement {
    Statement {
        sid: sid.to_owned(),
        effect: Effect::Deny,
        principal: Element::Is(Principal::Any),
        action: Element::Is(actions.iter().map(|action| (*action).to_owned()).collect()),
        resource: Element::Is(resources),
        condition,
    }
}

fn one(key: &str, value: &str) -> IndexMap<String, Vec<String>> {
    IndexMap::from([(key.to_owned(), vec![value.to_owned()])])
}

/// Everybody but these roles.
fn but(roles: &[String]) -> Condition {
    Condition::from([("ArnNotLike".to_owned(), principals(roles))])
}

fn principals(roles: &[String]) -> IndexMap<String, Vec<String>> {
    IndexMap::from([("aws:PrincipalArn".to_owned(), roles.to_vec())])
}

/// Whoever this says, and no service.
fn of_callers(operator: &str, keys: IndexMap<String, Vec<String>>) -> Condition {
    Condition::from([(operator.to_owned(), keys), ("BoolIfExists".to_owned(), one("aws:PrincipalIsAWSService", "false"))])
}

/// The log buckets as resources, with what lies in them: by name, else by patterns that hold no source; none if there is no room.
fn log_bucket_resources(subject: &Subject<'_>, fits: impl Fn(&[String]) -> bool) -> (Vec<String>, Naming) {
    let names = &subject.log_buckets;
    let all = |patterns: &[condense::Pattern]| -> Vec<String> {
        patterns.iter().flat_map(|pattern| subject.with_objects(pattern)).collect()
    };
    // each stands twice, so more of them can't fit
    if names.len() <= SCP_CHARS / 2 / overhead(subject) {
        let exact = names.iter().map(|name| condense::Pattern { literal: (*name).to_owned(), exact: true });
        let resources = all(&exact.collect::<Vec<_>>());
        if fits(&resources) {
            return (resources, Naming::Names);
        }
    }
    let others = || subject.managed.iter().chain(&subject.external);
    for budget in BUDGETS {
        let Some(condensed) = condense::condense(names, overhead(subject), budget) else { continue };
        let resources = all(&condensed.patterns);
        if fits(&resources) && !others().any(|name| holds(&condensed.patterns, name)) {
            return (resources, Naming::Patterns);
        }
    }
    (Vec::new(), Naming::LeftOut)
}

/// The sources that logmap sets, as a resource.
fn source_resources(
    subject: &Subject<'_>,
    fits: impl Fn(&Element<Vec<String>>) -> bool,
) -> (Option<Element<Vec<String>>>, Naming) {
    let names = &subject.managed;
    if names.is_empty() {
        return (None, Naming::Names);
    }
    if names.len() <= SCP_CHARS / overhead(subject) {
        let exact = Element::Is(names.iter().map(|name| subject.bucket(name)).collect());
        if fits(&exact) {
            return (Some(exact), Naming::Names);
        }
    }
    for budget in BUDGETS {
        let Some(condensed) = condense::condense(names, overhead(subject), budget) else { continue };
        let resources = Element::Is(condensed.patterns.iter().map(|pattern| subject.bucket(&pattern.text())).collect());
        if fits(&resources) {
            if subject.external.iter().any(|name| holds(&condensed.patterns, name)) {
                break;
            }
            return (Some(resources), Naming::Patterns);
        }
    }
    let others: Vec<String> = subject.external.iter().map(|name| subject.bucket(name)).collect();
    let others = if others.is_empty() { Element::Is(vec![subject.bucket("*")]) } else { Element::IsNot(others) };
    if fits(&others) { (Some(others), Naming::AllOthers) } else { (None, Naming::LeftOut) }
}

/// Characters beside a name: the beginning of its ARN, quotes and a comma.
fn overhead(subject: &Subject<'_>) -> usize {
    subject.bucket("").len() + "\"\",".len()
}

fn holds(patterns: &[condense::Pattern], name: &str) -> bool {
    patterns.iter().any(|pattern| if pattern.exact { pattern.literal == name } else { name.starts_with(&pattern.literal) })
}

fn allowed_targets(subject: &Subject<'_>) -> Vec<String> {
    if subject.log_buckets.len() <= RULE_NAMES {
        return subject.log_buckets.iter().map(|name| (*name).to_owned()).collect();
    }
    let condensed = condense::condense(&subject.log_buckets, overhead(subject), SCP_CHARS);
    condensed.map_or_else(Vec::new, |found| found.patterns.iter().map(condense::Pattern::text).collect())
}

/// Reports what is left out or stands by patterns, and roles that would be locked out.
pub(crate) fn check(map: &EffectiveMap<'_>, accounts: &[Account], found: &[Guardrails], findings: &mut Vec<Finding>) {
    let Some(settings) = &map.guardrails else { return };
    for guardrails in found {
        let (of_scp, of_rcp) = guardrails.log_buckets;
        for (naming, what, file) in [
            (of_scp, "log buckets", "scp.json"),
            (of_rcp, "log buckets", "rcp.json"),
            (guardrails.sources, "sources", "scp.json"),
        ] {
            let (rule, says, help) = match naming {
                Naming::Names => continue,
                Naming::Patterns => (
                    &GUARDRAIL_BY_PATTERN,
                    format!(
                        "the {what} of {} are too many to be named in `{file}`, so patterns of names hold them",
                        guardrails.partition
                    ),
                    "other buckets of such names are held as well; names that begin alike, and no others with them, keep patterns narrow",
                ),
                Naming::AllOthers => (
                    &GUARDRAIL_BY_PATTERN,
                    format!(
                        "the {what} of {} are too many to be named in `{file}`, so it holds every bucket but `external` ones",
                        guardrails.partition
                    ),
                    "who sets the logging of a bucket that the map does not know must be among `exempt`",
                ),
                Naming::LeftOut => (
                    &GUARDRAIL_LEFT_OUT,
                    format!("the {what} of {} don't fit into `{file}`, which says nothing of them", guardrails.partition),
                    "AWS takes 10,240 characters of a service control policy and 5,120 of a resource control policy; give log buckets names that no source begins with",
                ),
            };
            findings.push(Finding::new(rule, settings.span, says).help(help));
        }
    }
    let passing = settings.passing();
    for account in accounts {
        let Some(role) = account.role_arn.as_deref().and_then(|arn| Some(arn.split_once(":role/")?.1)) else { continue };
        if !passing.iter().any(|pattern| glob(pattern, role)) {
            let span = map.accounts.get(account.key.as_str()).map_or(settings.span, |account| account.key.span);
            findings.push(
                Finding::new(&GUARDRAIL_LOCKS_OUT, span, format!("the role `{role}` of `{}` does not pass the guardrails", account.key))
                    .related(settings.span, "these roles pass")
                    .help("generated providers and scripts assume it, and AWS would answer `AccessDenied` with an explicit deny; make it the `deployer`, or add it to `exempt`"),
            );
        }
    }
}

/// An SCP as AWS takes it: without principals. Laid out for people where that fits.
pub(crate) fn scp_text(policy: &Policy) -> String {
    written(policy, false, SCP_CHARS)
}

/// An RCP as AWS takes it: its principal is everybody.
pub(crate) fn rcp_text(policy: &Policy) -> String {
    written(policy, true, RCP_CHARS)
}

fn written(policy: &Policy, with_principal: bool, limit: usize) -> String {
    let mut value = serde_json::to_value(policy).unwrap_or_default();
    if !with_principal && let Some(statements) = value.get_mut("Statement").and_then(serde_json::Value::as_array_mut) {
        for statement in statements.iter_mut().filter_map(serde_json::Value::as_object_mut) {
            statement.shift_remove("Principal");
        }
    }
    let pretty = text::pretty_json(&value) + "\n";
    if pretty.len() <= limit { pretty } else { text::json(&value) }
}
