//! Access logging: may this bucket log to that one, and would its log objects arrive?

use super::{
    Configuration, Kind, World,
    admit::{self, Answer, by_each, does},
    delivery::Delivery,
    finding, name_of,
    principals::{instead_of_access_logs, named},
    related,
    settings::{acls_are_off, no_acl, settings},
    too_complex,
};
use crate::{
    aws::{LOGGING_SERVICE, Partition, arn, bucket_name},
    catalog::observed::{ACCOUNT, LOGGING_KEY, NO_GRANT, NOT_DERIVED, REGION, SELF, SETTING_REGION, TARGET_KIND, TARGET_NAME},
    diagnostics::list,
    observed::{Bucket, Logging, Observed, Setting, Target, Text, hole, policy::PolicyDoc},
    policy::{Effect, Policy},
};
use std::{borrow::Cow, collections::BTreeSet};

pub(super) fn judge(world: &World<'_>, logging: &Logging) -> Configuration {
    let source_name = logging.source.as_ref().map_or("", |source| source.value.as_str());
    if let Some(strange) = &logging.strange {
        return not_read(logging, source_name, strange);
    }
    let (target, is_arn) = match &logging.target {
        Target::Named(text) => name_of(text),
        Target::Omitted => return itself(logging, source_name),
        Target::Unknown => {
            let mut unknown = Configuration::new(Kind::AccessLog, (logging.place, logging.anchor), source_name, "");
            unknown.doubt("the log bucket is not known here");
            return unknown;
        }
    };
    let mut configuration = Configuration::new(Kind::AccessLog, (logging.place, logging.anchor), source_name, &target.value);
    if is_arn {
        let name = hole::shown(&target.value);
        configuration.findings.push(
            finding(&TARGET_NAME, logging.place, format!("the log bucket is given as an ARN, not by its name `{name}`"))
                .help("S3 answers `InvalidTargetBucketForLogging`: no bucket has an ARN for its name; write the name"),
        );
    }
    if logging.source.as_ref().is_some_and(|source| source.value == target.value) {
        configuration.findings.push(
            finding(&SELF, logging.place, format!("`{}` logs to itself", hole::shown(source_name)))
                .help("S3 accepts this, and each log object that it writes makes new log entries, without end; log to another bucket of the same account and Region"),
        );
        return configuration;
    }
    let source = logging.source.as_ref().map(|source| world.bucket(source));
    let bucket = world.bucket(&target);
    let judged = Judged { world, logging, source: source.as_deref(), target: &bucket, name: hole::shown(&target.value) };
    if let Some(kind) = bucket_name::other_kind(&target.value) {
        configuration.findings.push(
            finding(
                &TARGET_KIND,
                logging.place,
                format!("`{}` is {kind}, and access logs go to general purpose buckets only", judged.name),
            )
            .help("S3 answers `InvalidTargetBucketForLogging`; name a general purpose bucket of the same account and Region"),
        );
        return configuration;
    }
    judged.derived(&mut configuration);
    judged.setting_region(&mut configuration);
    judged.places(&mut configuration);
    let why = format!("`{}` logs to it", configuration.source);
    settings(&bucket, &judged.name, logging.place, &why, &mut configuration);
    judged.grant(&mut configuration);
    configuration
}

/// Sources of the map that log nowhere, as an account itself says. What another input sets is not held against that: it may be what
/// is to be.
pub(super) fn off(world: &World<'_>, observed: &Observed) -> Vec<Configuration> {
    let mut set: BTreeSet<&str> =
        observed.logging.iter().filter_map(|logging| Some(logging.source.as_ref()?.value.as_str())).collect();
    set.extend(super::vended::logged(observed));
    let mut seen = BTreeSet::new();
    let off = observed.off.iter().filter(|bucket| !set.contains(bucket.value.as_str()) && seen.insert(bucket.value.as_str()));
    off.filter_map(|bucket| {
        let source = world.known.sources.get(bucket.value.as_str())?;
        let mut configuration = Configuration::new(Kind::AccessLog, (bucket.place, bucket.place), &source.name, "");
        configuration.is_off = true;
        configuration.findings.push(
            finding(
                &NOT_DERIVED,
                bucket.place,
                format!("`{}` logs nowhere; the map derives `{}`", source.name, source.log_bucket),
            )
            .help(format!(
                "log to `{}`; the answer for a bucket that does not log is empty, and so is the file of a call that failed",
                source.log_bucket
            )),
        );
        Some(configuration)
    })
    .collect()
}

/// A configuration without a destination: CloudFormation logs into the bucket itself.
fn itself(logging: &Logging, source: &str) -> Configuration {
    let mut configuration = Configuration::new(Kind::AccessLog, (logging.place, logging.anchor), source, source);
    configuration.findings.push(
        finding(&SELF, logging.place, format!("`{}` logs to itself: the configuration names no destination", hole::shown(source)))
            .label("without `DestinationBucketName` the logs go into this bucket")
            .help("each log object that S3 writes makes new log entries, without end; name a `DestinationBucketName` of the same account and Region"),
    );
    configuration
}

/// A configuration with a key that it can't have: CloudFormation refuses it, and what it means is not judged.
fn not_read(logging: &Logging, source: &str, strange: &Text) -> Configuration {
    let mut configuration = Configuration::new(Kind::AccessLog, (logging.place, logging.anchor), source, "");
    let message = if strange.value.is_empty() {
        "`LoggingConfiguration` is an object, not a list".to_owned()
    } else {
        format!("`{}` is no property of `LoggingConfiguration`", strange.value)
    };
    configuration.findings.push(
        finding(&LOGGING_KEY, strange.place, message)
            .help("CloudFormation refuses the template; its properties are `DestinationBucketName`, `LogFilePrefix` and `TargetObjectKeyFormat`, and `TargetBucket` and `TargetPrefix` are the names that the API has"),
    );
    configuration
}

struct Judged<'a> {
    world: &'a World<'a>,
    logging: &'a Logging,
    source: Option<&'a Bucket>,
    target: &'a Bucket,
    /// The target's name, as people see it.
    name: String,
}

impl Judged<'_> {
    /// With a map: is it the bucket that the map derives?
    fn derived(&self, configuration: &mut Configuration) {
        let Some(source) = self.source.and_then(|source| self.world.known.sources.get(source.name.value.as_str())) else {
            return;
        };
        match hole::same(&source.log_bucket, &self.target.name.value) {
            hole::Same::Yes => {}
            hole::Same::Maybe => {
                configuration.doubt(format!("whether the log bucket is `{}`, which the map derives", source.log_bucket))
            }
            hole::Same::No => configuration.findings.push(
                finding(
                    &NOT_DERIVED,
                    self.logging.place,
                    format!("`{}` logs to `{}`; the map derives `{}`", source.name, self.name, source.log_bucket),
                )
                .help(format!(
                    "log to `{}`, or mark the bucket `logging: external` and adopt its log bucket in the map",
                    source.log_bucket
                )),
            ),
        }
    }

    /// A setting with a Region of its own must be sent to its bucket's.
    fn setting_region(&self, configuration: &mut Configuration) {
        let (Some(setting), Some(bucket)) = (&self.logging.region, self.source.and_then(|source| source.region.as_ref())) else {
            return;
        };
        if hole::same(&setting.value, &bucket.value) == hole::Same::No {
            let found = finding(
                &SETTING_REGION,
                setting.place,
                format!("the logging of a bucket in {} is sent to {}", hole::shown(&bucket.value), hole::shown(&setting.value)),
            )
            .help(
                "S3 answers `PermanentRedirect` or `NoSuchBucket`; give the resource the `region` or the provider of its bucket",
            );
            configuration.findings.push(related(found, bucket.place, "the bucket's Region"));
        }
    }

    fn region_of_source(&self) -> Option<&Text> {
        self.source.and_then(|source| source.region.as_ref()).or(self.logging.region.as_ref())
    }

    /// Region and account of the two.
    fn places(&self, configuration: &mut Configuration) {
        let source =
            self.source.map_or_else(|| "the source bucket".to_owned(), |source| format!("`{}`", hole::shown(&source.name.value)));
        let pairs = [
            (
                &REGION,
                ("Region", "is in"),
                "S3 answers `CrossLocationLoggingProhibitted`; log to a bucket of the source's own Region, one for each account and Region",
                (self.region_of_source(), self.target.region.as_ref()),
            ),
            (
                &ACCOUNT,
                ("account", "is in the account"),
                "S3 answers `InvalidTargetBucketForLogging`: the owner must be the same; log to a bucket of the source's own account, and replicate that one if you need one archive",
                (self.source.and_then(|source| source.account.as_ref()), self.target.account.as_ref()),
            ),
        ];
        for (rule, (what, is_in), help, (from, to)) in pairs {
            let (Some(from), Some(to)) = (from, to) else {
                let is_nameless = self.source.is_some_and(|source| hole::is_one(&source.name.value));
                match (from, to) {
                    (Some(_), _) => configuration.doubt(format!("the {what} of `{}` is not in the inputs", self.name)),
                    // its Region and account are the smaller question
                    _ if is_nameless => configuration.doubt(format!("which bucket {source} is: the inputs do not tell its name")),
                    _ => configuration.doubt(format!("the {what} of {source} is not in the inputs")),
                }
                continue;
            };
            match hole::same(&from.value, &to.value) {
                hole::Same::Yes => {}
                hole::Same::Maybe => configuration.doubt(format!("whether {source} and `{}` are in one {what}", self.name)),
                hole::Same::No => {
                    let (from_text, to_text) = (hole::shown(&from.value), hole::shown(&to.value));
                    let message = format!("{source} {is_in} {from_text}, its log bucket `{}` in {to_text}", self.name);
                    let found = finding(rule, self.logging.place, message).label(format!("in {to_text}")).help(help);
                    let found = related(
                        found,
                        self.source.map_or(from.place, |source| source.place),
                        format!("the source is in {from_text}"),
                    );
                    configuration.findings.push(related(found, self.target.place, format!("the log bucket is in {to_text}")));
                }
            }
        }
    }

    /// Does something let the log objects in, and nothing keep them out?
    fn grant(&self, configuration: &mut Configuration) {
        let off = acls_are_off(self.target);
        let acl = self.target.log_delivery_acl.known().filter(|acl| acl.value);
        for place in acl.map(|acl| acl.place).into_iter().chain(self.logging.grants).filter(|_| off == Some(true)) {
            configuration.findings.push(no_acl(self.target, &self.name, place));
        }
        let by_acl = if acl.is_some() && off == Some(false) {
            ByAcl::Yes
        } else if off != Some(true)
            && (acl.is_some()
                || matches!(self.target.log_delivery_acl, Setting::Unknown(_))
                || !self.target.is_whole() && self.target.log_delivery_acl == Setting::Unsaid)
        {
            ByAcl::Perhaps
        } else {
            ByAcl::No
        };
        let policy = match &self.target.policy {
            Setting::Known(policy) => &policy.value,
            Setting::Unknown(_) => {
                configuration.doubt(format!("`{}` has a policy whose text is not known here", self.name));
                return;
            }
            Setting::Unsaid if !self.target.is_whole() => {
                configuration.doubt(format!("the policy of `{}` is not in the inputs", self.name));
                return;
            }
            Setting::Unsaid if by_acl == ByAcl::Yes => return,
            Setting::Unsaid if by_acl == ByAcl::Perhaps => {
                configuration.doubt(format!("`{}` has no policy here, and its ACL may let log delivery in", self.name));
                return;
            }
            Setting::Unsaid => {
                let found = finding(&NO_GRANT, self.logging.place, format!("nothing lets access logs into `{}`: it has no bucket policy", self.name)).help(
                    "S3 accepts this and delivers nothing; add a bucket policy that lets `logging.s3.amazonaws.com` call `s3:PutObject` on the prefix, with `aws:SourceAccount`",
                );
                configuration.findings.push(related(found, self.target.place, "the log bucket"));
                return;
            }
        };
        by_each(policy, self.target, configuration, &|doc, configuration| self.granted_by(doc, by_acl, configuration));
    }

    /// What one policy says, if it is the one that stands.
    fn granted_by(&self, doc: &PolicyDoc, by_acl: ByAcl, configuration: &mut Configuration) {
        let delivery = self.delivery();
        let source = self.source.map_or_else(|| unknown("bucket"), |source| source.name.value.clone());
        let region = self.region_of_source().or(self.target.region.as_ref());
        let region = region.map_or_else(|| unknown("Region"), |region| region.value.clone());
        let objects = delivery.log_objects(&self.prefix(), &source, &region, self.logging.partitioned);
        if !self.world.may_ask(&doc.policy, &format!("{}/{}", self.bucket_arn(), self.prefix())) {
            return configuration.doubt(too_complex(&self.name));
        }
        let policy = self.told_apart(&doc.policy);
        let requests = delivery.requests(&policy, "s3:PutObject", objects);
        let answer = admit::ask(&policy, &requests);
        // what a Deny shuts out stays out, whatever else the policy has
        if doc.doubled && !matches!(answer, Answer::Denied(_)) {
            return configuration
                .doubt(format!("a key stands twice in the policy of `{}`, and which one counts is not documented", self.name));
        }
        match answer {
            Answer::Allowed if doc.partly_unknown => {
                configuration.doubt(format!("parts of the policy of `{}` are not known here", self.name))
            }
            Answer::Allowed => {}
            Answer::Denied(denials) => {
                for denial in denials {
                    let message =
                        format!("this statement keeps the access logs of `{}` out of `{}`", configuration.source, self.name);
                    let found = denial.finding(doc, message, "log delivery is denied here");
                    configuration.findings.push(related(found, self.logging.place, "the logs that would not arrive"));
                }
            }
            Answer::Perhaps(open) if open.by_deny => {
                let words = open.words(&requests);
                configuration.doubt(format!("whether a Deny of the policy of `{}` keeps the logs out{words}", self.name));
            }
            // what may let in as well takes nothing away
            Answer::Perhaps(_) | Answer::NotAllowed(_) if by_acl == ByAcl::Yes && !doc.partly_unknown => {}
            Answer::Perhaps(open) => {
                let words = open.words(&requests);
                configuration.doubt(format!("whether the policy of `{}` lets the logs in{words}", self.name));
            }
            Answer::NotAllowed(_) if doc.partly_unknown => {
                configuration.doubt(format!("parts of the policy of `{}` are not known here", self.name));
            }
            Answer::NotAllowed(_) if by_acl != ByAcl::No => {
                let lacking = self.near(doc).unwrap_or_else(|| "it has no grant for `logging.s3.amazonaws.com`".to_owned());
                configuration.doubt(format!(
                    "whether the ACL of `{}` lets the logs in: its policy does not, {lacking}, and these are written under `{}`",
                    self.name,
                    hole::shown(&self.prefix()),
                ));
            }
            Answer::NotAllowed(witness) => {
                let found = finding(&NO_GRANT, self.logging.place, format!("the policy of `{}` does not let the access logs of `{}` in", self.name, configuration.source))
                    .help(format!(
                        "S3 accepts this and delivers nothing; the policy must let `logging.s3.amazonaws.com` call `s3:PutObject` on `{}`{}",
                        hole::shown(&format!("{}/{}*", self.bucket_arn(), self.prefix())),
                        self.near(doc).map_or_else(String::new, |near| format!("; {near}")),
                    ))
                    .example(witness.as_ref().map(admit::example));
                configuration.findings.push(related(found, doc.place, "the policy"));
            }
        }
    }

    /// The policy, in which the ARNs of other buckets of the input are those of other buckets, though the source has no name yet.
    fn told_apart<'p>(&self, policy: &'p Policy) -> Cow<'p, Policy> {
        let Some(source) = self.source.filter(|source| hole::is_bucket(&source.name.value)) else { return Cow::Borrowed(policy) };
        let scope = source.place.file.0.to_string();
        let other = |value: &str| {
            let (start, name) = value.split_once(":s3:::")?;
            let bucket =
                self.world.buckets.get(name).filter(|bucket| bucket.defined && bucket.place.file == source.place.file)?;
            (!hole::has(&bucket.name.value)).then(|| format!("{start}:s3:::{}", hole::bucket(name, &scope)))
        };
        let mut told = Cow::Borrowed(policy);
        for (at, statement) in policy.statements.iter().enumerate() {
            for (operator, keys) in &statement.condition {
                for (key, values) in keys.iter().filter(|(key, _)| key.eq_ignore_ascii_case("aws:SourceArn")) {
                    for (number, value) in values.iter().enumerate() {
                        let Some(other) = other(value) else { continue };
                        let condition = told.to_mut().statements.get_mut(at).map(|statement| &mut statement.condition);
                        let values = condition.and_then(|condition| condition.get_mut(operator)?.get_mut(key));
                        if let Some(value) = values.and_then(|values| values.get_mut(number)) {
                            *value = other;
                        }
                    }
                }
            }
        }
        told
    }

    /// The partition: of the log bucket, or of the source where that is known alone.
    fn partition(&self) -> Partition {
        let known = |region: &&Text| !hole::has(&region.value);
        match (self.target.region.as_ref().filter(known), self.region_of_source().filter(known)) {
            (None, Some(region)) => Partition::of_region(&region.value),
            _ => self.target.partition(),
        }
    }

    fn bucket_arn(&self) -> String {
        arn::bucket(self.partition(), &self.target.name.value)
    }

    fn prefix(&self) -> String {
        match &self.logging.prefix {
            Setting::Known(prefix) => prefix.value.clone(),
            Setting::Unsaid => String::new(),
            Setting::Unknown(_) => hole::hole("prefix", ""),
        }
    }

    fn delivery(&self) -> Delivery {
        let source = self.source.map_or_else(|| unknown("bucket"), |source| source.name.value.clone());
        let of = |text: Option<&Text>, name: &str| text.map_or_else(|| unknown(name), |text| text.value.clone());
        let account = self.source.and_then(|source| source.account.as_ref()).or(self.target.account.as_ref());
        Delivery {
            service: LOGGING_SERVICE,
            bucket: self.target.name.value.clone(),
            partition: self.partition(),
            region: of(self.target.region.as_ref().or_else(|| self.region_of_source()), "Region"),
            owner: of(self.target.account.as_ref().or(account), "account"),
            arn: arn::bucket(self.partition(), &source),
            account: of(account, "account"),
            organization: None,
            has_key: false,
        }
    }

    /// What the nearest grant has instead, if there is one.
    fn near(&self, doc: &PolicyDoc) -> Option<String> {
        let grants = doc.policy.statements.iter().filter(|statement| {
            statement.effect == Effect::Allow
                && does(statement, "s3:PutObject")
                && named(statement).any(|name| name == LOGGING_SERVICE)
        });
        let root = format!("{}/", self.bucket_arn());
        let mut resources = grants.flat_map(|statement| statement.resource.inner()).take(3).peekable();
        if resources.peek().is_some() {
            let under = |resource: &String| hole::shown(resource.strip_prefix(&root).unwrap_or(resource));
            let resources: Vec<String> = resources.map(under).collect();
            return Some(format!(
                "it has a statement for the service, on {}, but its resource or condition is another one",
                list(resources.iter().map(String::as_str))
            ));
        }
        let other = instead_of_access_logs(doc)?;
        Some(format!("it lets `{other}` in, which delivers no access logs"))
    }
}

/// May an ACL let log delivery in?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ByAcl {
    No,
    Perhaps,
    Yes,
}

fn unknown(name: &str) -> String {
    hole::hole(name, "of the source")
}
