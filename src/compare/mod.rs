//! Compares what others wrote with what AWS does, and with a plan: findings, and a verdict for each log configuration, trail
//! and policy.
//!
//! Takes [`Observed`] and, if there is a map, its [`Plan`]; gives the same answer in whatever order the inputs came. What can't
//! be known is a reason, never a finding.

mod access_logs;
mod admit;
mod control;
mod cycles;
mod delivery;
mod grants;
mod joined;
mod keys;
mod policies;
mod principals;
mod recursion;
pub(crate) mod report;
mod settings;
mod targets;
mod trails;
mod vended;
mod work;

use crate::{
    aws::{arn, bucket_name},
    diagnostics::{self, Finding, Rule, Severity},
    observed::{
        At, Bucket, EncryptionKey, Logging, Observed, Organization, Selection, Setting, SourceLocation, Text, hole,
        policy::PolicyDoc,
    },
    plan::{Plan, Source},
    policy::Policy,
    source::FileId,
};
use indexmap::IndexMap;
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};
use work::Weights;
pub(crate) use {admit::example, joined::Joined, work::Work};

/// What is known of one log configuration, trail or policy.
#[derive(Debug, Clone)]
pub struct Configuration {
    /// Which of them it is.
    pub kind: Kind,
    /// Where it stands.
    pub place: SourceLocation,
    /// Where it is defined, however its conditions turn out.
    pub anchor: SourceLocation,
    /// The source bucket or the trail; empty for a policy.
    pub source: String,
    /// The log bucket; empty if it is unknown.
    pub target: String,
    /// Is it the lack of one: a source that logs nowhere?
    pub is_off: bool,
    /// What is wrong with it.
    pub findings: Vec<Finding>,
    /// What is wrong with it as well, but is known: a comment or a baseline says so.
    pub suppressed: Vec<Finding>,
    /// What can't be known, in words.
    pub unknown: Vec<String>,
}

/// Kinds of configurations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Access logging of a bucket.
    AccessLog,
    /// A trail.
    Trail,
    /// A bucket policy that lets a delivery service in.
    Policy,
    /// A resource control policy of an organization.
    ControlPolicy,
    /// A bucket that is set up to take logs, though no source of the inputs names it.
    LogBucket,
}

impl Kind {
    /// As in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Kind::AccessLog => "access-log",
            Kind::Trail => "trail",
            Kind::Policy => "policy",
            Kind::ControlPolicy => "control-policy",
            Kind::LogBucket => "log-bucket",
        }
    }
}

/// The verdict on a configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Logs arrive.
    Ok,
    /// It can't be known here.
    Unknown,
    /// AWS refuses it, or delivers nothing, or lets in whom it should not.
    Violation,
}

impl Verdict {
    /// As in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Ok => "ok",
            Verdict::Unknown => "unknown",
            Verdict::Violation => "violation",
        }
    }
}

impl Configuration {
    fn new(kind: Kind, (place, anchor): (SourceLocation, SourceLocation), source: &str, target: &str) -> Self {
        let (source, target) = (hole::shown(source), hole::shown(target));
        Configuration {
            kind,
            place,
            anchor,
            source,
            target,
            is_off: false,
            findings: Vec::new(),
            suppressed: Vec::new(),
            unknown: Vec::new(),
        }
    }

    /// The verdict. What is suppressed is wrong all the same.
    pub fn verdict(&self) -> Verdict {
        if self.findings.iter().chain(&self.suppressed).any(|finding| finding.severity() == Severity::Error) {
            Verdict::Violation
        } else if self.unknown.is_empty() {
            Verdict::Ok
        } else {
            Verdict::Unknown
        }
    }

    /// Is it a violation all of whose errors are suppressed?
    pub fn is_suppressed(&self) -> bool {
        self.verdict() == Verdict::Violation && self.findings.iter().all(|finding| finding.severity() != Severity::Error)
    }

    /// What it is, in words: "`a` logs to `b`".
    pub fn words(&self) -> String {
        let target =
            if self.target.is_empty() { "a bucket that is not known here".to_owned() } else { format!("`{}`", self.target) };
        let source = if self.source.is_empty() { "a bucket".to_owned() } else { format!("`{}`", self.source) };
        match self.kind {
            Kind::AccessLog if self.is_off => format!("{source} logs nowhere"),
            Kind::AccessLog => format!("{source} logs to {target}"),
            Kind::Trail => format!("the trail {source} delivers to {target}"),
            Kind::Policy => format!("the policy of {target}"),
            Kind::ControlPolicy => "the resource control policy".to_owned(),
            Kind::LogBucket => format!("the log bucket {target}"),
        }
    }

    /// Makes it unknown: what is wrong with it as it is written may be right when it is deployed.
    pub(crate) fn unsettle(&mut self, reason: &str) {
        let (wrong, kept): (Vec<Finding>, Vec<Finding>) =
            std::mem::take(&mut self.findings).into_iter().partition(|finding| finding.severity() == Severity::Error);
        self.findings = kept;
        self.doubt(reason);
        wrong.iter().for_each(|finding| self.doubt(format!("as it is written: {} ({})", finding.message, finding.rule.id)));
    }

    fn doubt(&mut self, reason: impl Into<String>) {
        let reason = reason.into();
        if !self.unknown.contains(&reason) {
            self.unknown.push(reason);
        }
    }
}

/// Judges everything that was observed, as far as the work that is left goes.
pub(crate) fn compare(observed: &Observed, known: &Known<'_>, work: &Work) -> Vec<Configuration> {
    let world = World::new(observed, known, work);
    let mut configurations: Vec<Configuration> = Vec::new();
    configurations.extend(observed.logging.iter().map(|logging| access_logs::judge(&world, logging)));
    cycles::judge(&observed.logging, &mut configurations);
    twice(&observed.logging, &mut configurations);
    configurations.extend(access_logs::off(&world, observed));
    configurations.extend(vended::judge(&world, observed));
    let mut trails: Vec<Configuration> = observed.trails.iter().map(|trail| trails::judge(&world, trail)).collect();
    recursion::circles(&world, &observed.trails, &mut trails);
    configurations.extend(trails);
    configurations.extend(observed.policies.iter().filter_map(|doc| policies::judge(&world, doc)));
    configurations.extend(observed.control_policies.iter().map(|doc| control::judge(&world, doc)));
    configurations.extend(targets::judge(&world, observed));
    configurations
}

/// Says of each configuration whose bucket another resource of the same input configures, too, that one replaces the other (S3 API
/// reference, PutBucketLogging).
fn twice(loggings: &[Logging], configurations: &mut [Configuration]) {
    let mut by_source: BTreeMap<(FileId, &str), Vec<usize>> = BTreeMap::new();
    for (at, logging) in loggings.iter().enumerate() {
        if let Some(source) = &logging.source {
            by_source.entry((logging.anchor.file, &source.value)).or_default().push(at);
        }
    }
    for ((_, source), places) in by_source.into_iter().filter(|(_, places)| places.len() > 1) {
        let anchors: BTreeSet<SourceLocation> = places.iter().filter_map(|at| Some(loggings.get(*at)?.anchor)).collect();
        if anchors.len() < 2 {
            continue;
        }
        for at in places {
            if let Some(configuration) = configurations.get_mut(at) {
                configuration.doubt(format!(
                    "{} resources set the logging of `{}`, and each replaces the others",
                    anchors.len(),
                    hole::shown(source)
                ));
            }
        }
    }
}

/// What a plan makes, by name.
#[derive(Default)]
pub(crate) struct Known<'a> {
    buckets: IndexMap<String, Vec<Bucket>>,
    sources: IndexMap<&'a str, &'a Source>,
    /// The organization of its organization trails, which the management account has.
    organization: Option<Organization>,
}

impl<'a> Known<'a> {
    /// What a plan makes; nothing without one.
    pub(crate) fn of(plan: Option<&'a Plan>) -> Self {
        let mut known = Known::default();
        let at = |value: &str| At { value: value.to_owned(), place: SourceLocation::default() };
        known.organization = plan.and_then(|plan| {
            let mut trails = plan.trails();
            let (account, trail) = trails.find(|(_, trail)| trail.organization)?;
            Some(Organization { id: at(trail.organization_id.as_ref()?), management: Some(at(&account.id)) })
        });
        for account in plan.iter().flat_map(|plan| &plan.accounts) {
            for placement in &account.placements {
                let bucket = |name: &str| {
                    let mut bucket = Bucket::named(at(name), SourceLocation::default());
                    bucket.account = Some(at(&account.id));
                    bucket.region = Some(at(&placement.region));
                    bucket
                };
                for source in &placement.sources {
                    known.sources.insert(&source.name, source);
                    known.buckets.entry(source.name.clone()).or_default().push(bucket(&source.name));
                }
                for log_bucket in &placement.buckets {
                    let mut bucket = bucket(&log_bucket.name);
                    bucket.defined = true;
                    bucket.object_lock =
                        Setting::Known(At { value: log_bucket.object_lock.is_some(), place: SourceLocation::default() });
                    bucket.policy = Setting::Known(At {
                        value: PolicyDoc {
                            place: SourceLocation::default(),
                            bucket: None,
                            places: vec![Default::default(); log_bucket.policy.statements.len()],
                            policy: log_bucket.policy.clone(),
                            partly_unknown: false,
                            doubled: false,
                            bytes: Some(log_bucket.policy.size()),
                            findings: Vec::new(),
                        },
                        place: SourceLocation::default(),
                    });
                    known.buckets.entry(log_bucket.name.clone()).or_default().push(bucket);
                }
            }
        }
        known
    }
}

/// All buckets that the inputs speak of, each once.
struct World<'a> {
    buckets: IndexMap<String, Bucket>,
    /// KMS keys by each of their names, and what aliases stand for.
    keys: BTreeMap<&'a str, &'a EncryptionKey>,
    aliases: BTreeMap<&'a str, &'a str>,
    /// Event selectors by the ARN of their trail, where an answer of its own tells them.
    selections: BTreeMap<&'a str, &'a Selection>,
    /// The AWS organization, if an input or the map tells.
    organization: Option<&'a Organization>,
    /// What the map has, which every input is held against.
    known: &'a Known<'a>,
    work: &'a Work,
    weights: Weights,
}

impl<'a> World<'a> {
    fn new(observed: &'a Observed, known: &'a Known<'a>, work: &'a Work) -> Self {
        let mut world = World {
            buckets: IndexMap::new(),
            keys: observed.keys.iter().flat_map(|key| key.names.iter().map(move |name| (name.as_str(), key))).collect(),
            aliases: observed.aliases.iter().map(|alias| (alias.name.as_str(), alias.key.as_str())).collect(),
            selections: observed.selections.iter().map(|(arn, selection)| (arn.as_str(), selection)).collect(),
            organization: observed.organization.as_ref().or(known.organization.as_ref()),
            known,
            work,
            weights: Weights::default(),
        };
        for bucket in &observed.buckets {
            world.add(bucket.clone());
        }
        for bucket in world.buckets.values_mut() {
            known.buckets.get(&bucket.name.value).into_iter().flatten().for_each(|more| bucket.merge(placed(more.clone())));
        }
        world
    }

    fn add(&mut self, bucket: Bucket) {
        let bucket = placed(bucket);
        match self.buckets.get_mut(&bucket.name.value) {
            Some(known) => known.merge(bucket),
            None => {
                self.buckets.insert(bucket.name.value.clone(), bucket);
            }
        }
    }

    /// A bucket by its name; one that nobody described has a name alone.
    fn bucket(&self, name: &Text) -> Cow<'_, Bucket> {
        if let Some(bucket) = self.buckets.get(&name.value) {
            return Cow::Borrowed(bucket);
        }
        let mut known = self.known.buckets.get(&name.value).into_iter().flatten().cloned().map(placed);
        let mut bucket = known.next().unwrap_or_else(|| placed(Bucket::named(name.clone(), name.place)));
        known.for_each(|more| bucket.merge(more));
        Cow::Owned(bucket)
    }

    /// A KMS key of the inputs by what a setting calls it: its ARN, its id, an alias, or the ARN of an alias.
    fn key(&self, name: &str) -> Option<&'a EncryptionKey> {
        let alias = arn::parse(name).map(|arn| arn.resource).filter(|resource| resource.starts_with("alias/")).unwrap_or(name);
        let name = self.aliases.get(alias).copied().unwrap_or(name);
        let of_arn = || self.keys.get(arn::parse(name)?.resource.strip_prefix("key/")?);
        self.keys.get(name).or_else(of_arn).copied()
    }

    /// May this policy be asked about a resource? Not if that takes more work than is left.
    fn may_ask(&self, policy: &Policy, resource: &str) -> bool {
        self.weights.may_ask(self.work, policy, resource)
    }
}

/// A bucket with what its name tells: one of the account regional namespace has account and Region in it.
fn placed(mut bucket: Bucket) -> Bucket {
    if let Some((account, region)) = bucket_name::account_regional(&bucket.name.value) {
        let place = bucket.name.place;
        bucket.account.get_or_insert(At { value: account.to_owned(), place });
        bucket.region.get_or_insert(At { value: region.to_owned(), place });
    }
    bucket
}

/// What is said of a policy that [`World::may_ask`] refuses.
fn too_complex(name: &str) -> String {
    format!("what the policy of `{name}` lets in: it is too complex, or too much is asked of it")
}

/// A bucket's name where an ARN may have been given in its place: the name, and whether it was an ARN.
pub(crate) fn name_of(text: &Text) -> (Text, bool) {
    let arn = arn::parse(&text.value).filter(|arn| arn.service == "s3" || hole::has(arn.service));
    match arn {
        Some(arn) => (At { value: arn.resource.split('/').next().unwrap_or_default().to_owned(), place: text.place }, true),
        None => (text.clone(), false),
    }
}

/// A finding at a place.
fn finding(rule: &'static Rule, place: SourceLocation, message: impl Into<String>) -> Finding {
    Finding::new(rule, place.span, message).in_file(place.file)
}

/// Adds another end, if it has a place of its own.
fn related(finding: Finding, place: SourceLocation, message: impl Into<String>) -> Finding {
    let itself = (finding.file, finding.span) == (place.file, place.span);
    if itself || place.span.start == place.span.end { finding } else { finding.related_in(place.file, place.span, message) }
}

/// The findings of several configurations, one of each rule at each place: a Deny is one mistake, whomever it keeps out.
pub(crate) fn findings(configurations: &[Configuration]) -> Vec<Finding> {
    let mut found: Vec<&Finding> = configurations.iter().flat_map(|configuration| &configuration.findings).collect();
    found.sort_by(|a, b| diagnostics::order(a, b));
    found.dedup_by(|a, b| a.rule == b.rule && a.span == b.span && a.file == b.file);
    found.into_iter().cloned().collect()
}

/// A setting of a bucket as it stands, with AWS's default where a described bucket has none.
fn effective<T: Clone>(bucket: &Bucket, setting: &Setting<T>, default: T) -> Option<At<T>> {
    match setting {
        Setting::Known(value) => Some(value.clone()),
        Setting::Unsaid if bucket.is_whole() => Some(At { value: default, place: SourceLocation::default() }),
        _ => None,
    }
}
