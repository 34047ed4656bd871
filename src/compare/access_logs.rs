//! Access logging: may this bucket log to that one, and would its log objects arrive?

use super::{
    Configuration, Kind, World,
    admit::{self, Answer},
    effective, finding, name_of, related, too_complex,
    work::{self, MOST_DENIALS},
};
use crate::{
    aws::{LOGGING_SERVICE, Partition, arn, bucket_name},
    catalog::observed::{
        ACCOUNT, ACL, DENIED, ENCRYPTION, LOCK, NO_GRANT, NOT_DERIVED, PAYER, REGION, SELF, SETTING_REGION, TARGET_KIND,
        TARGET_NAME,
    },
    observed::{At, Bucket, Logging, Observed, Setting, SourceLocation, Target, Text, hole},
    plan::prove,
    policy::evaluate::{Caller, Request},
};
use std::collections::BTreeSet;

pub(super) fn judge(world: &World<'_>, logging: &Logging) -> Configuration {
    let source_name = logging.source.as_ref().map_or("", |source| source.value.as_str());
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
    judged.settings(&mut configuration);
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
                let lacking = match (from, to) {
                    (Some(_), _) => format!("`{}`", self.name),
                    _ => source.clone(),
                };
                configuration.doubt(format!("the {what} of {lacking} is not in the inputs"));
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

    /// Encryption, Object Lock, Requester Pays.
    fn settings(&self, configuration: &mut Configuration) {
        let name = &self.name;
        let mut unknown = |what: &str, setting: bool| {
            let why = if setting { "is set to what can't be known here" } else { "is not in the inputs" };
            configuration.unknown.push(format!("the {what} of `{name}` {why}"));
        };
        let mut found = Vec::new();
        match effective(self.target, &self.target.encryption, "AES256".to_owned()) {
            Some(algorithm) if algorithm.value.starts_with("aws:kms") => found.push((
                &ENCRYPTION,
                algorithm.place,
                format!("`{name}` takes access logs and has the default encryption `{}`", algorithm.value),
                "S3 accepts this and delivers nothing, or objects that nobody can read; use `AES256` for the bucket that takes access logs",
            )),
            Some(algorithm) if hole::has(&algorithm.value) => unknown("default encryption", true),
            None => unknown("default encryption", matches!(self.target.encryption, Setting::Unknown(_))),
            _ => {}
        }
        match effective(self.target, &self.target.object_lock, false) {
            Some(lock) if lock.value => found.push((
                &LOCK,
                lock.place,
                format!("`{name}` takes access logs and has Object Lock"),
                "S3 accepts this and delivers no logs; keep the lock for a trail's bucket, and copy access logs to a locked bucket if they need one",
            )),
            None => unknown("Object Lock", matches!(self.target.object_lock, Setting::Unknown(_))),
            _ => {}
        }
        match effective(self.target, &self.target.payer, "BucketOwner".to_owned()) {
            Some(payer) if payer.value == "Requester" => {
                found.push((
                    &PAYER,
                    payer.place,
                    format!("`{name}` takes logs and is Requester Pays"),
                    "a log bucket can't be Requester Pays; let the bucket owner pay",
                ));
            }
            Some(payer) if hole::has(&payer.value) => unknown("payer", true),
            None => unknown("payer", matches!(self.target.payer, Setting::Unknown(_))),
            _ => {}
        }
        for (rule, place, message, help) in found {
            let found =
                finding(rule, if place == SourceLocation::default() { self.logging.place } else { place }, message).help(help);
            configuration.findings.push(related(found, self.logging.place, format!("`{}` logs to it", configuration.source)));
        }
    }

    /// Are ACLs off on the log bucket? Nothing if that can't be known.
    fn acls_are_off(&self) -> Option<bool> {
        match &self.target.ownership {
            Setting::Known(ownership) if hole::has(&ownership.value) => None,
            Setting::Known(ownership) => Some(ownership.value == "BucketOwnerEnforced"),
            Setting::Unknown(_) => None,
            Setting::Unsaid if self.target.fresh => Some(true),
            Setting::Unsaid => None,
        }
    }

    /// Does something let the log objects in, and nothing keep them out?
    fn grant(&self, configuration: &mut Configuration) {
        let off = self.acls_are_off();
        let acl = self.target.log_delivery_acl.known().filter(|acl| acl.value);
        for place in acl.map(|acl| acl.place).into_iter().chain(self.logging.grants).filter(|_| off == Some(true)) {
            let found = finding(&ACL, place, format!("log delivery is granted by an ACL, and `{}` has none: its owner owns everything in it", self.name))
                .help("S3 answers `AccessControlListNotSupported` or `InvalidBucketAclWithObjectOwnership`; leave the ACL out, and let `logging.s3.amazonaws.com` in by the bucket's policy");
            let owner = self.target.ownership.known().map_or(self.target.place, |ownership| ownership.place);
            configuration.findings.push(related(
                found,
                owner,
                "buckets have `BucketOwnerEnforced` unless they say something else",
            ));
        }
        let by_acl = acl.is_some() && off == Some(false);
        let perhaps_by_acl = off != Some(true)
            && (acl.is_some()
                || matches!(self.target.log_delivery_acl, Setting::Unknown(_))
                || !self.target.defined && self.target.log_delivery_acl == Setting::Unsaid);
        let policy = match &self.target.policy {
            Setting::Known(policy) => policy,
            Setting::Unknown(_) => {
                if !by_acl {
                    configuration.doubt(format!("`{}` has a policy whose text is not known here", self.name));
                }
                return;
            }
            Setting::Unsaid if !self.target.defined => {
                configuration.doubt(format!("the policy of `{}` is not in the inputs", self.name));
                return;
            }
            Setting::Unsaid if by_acl => return,
            Setting::Unsaid if perhaps_by_acl => {
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
        let doc = &policy.value;
        let place_of = |at: usize| doc.places.get(at).map_or(doc.place, |places| places.whole);
        let Some(answer) = self.ask(doc) else { return configuration.doubt(too_complex(&self.name)) };
        match answer {
            Answer::Allowed if doc.partly_unknown => {
                configuration.doubt(format!("parts of the policy of `{}` are not known here", self.name))
            }
            Answer::Allowed => {}
            Answer::Denied(statements) => {
                for at in statements.into_iter().take(MOST_DENIALS) {
                    let found = finding(
                        &DENIED,
                        place_of(at),
                        format!("this statement keeps the access logs of `{}` out of `{}`", configuration.source, self.name),
                    )
                    .label("log delivery is denied here")
                    .help(why_denied(doc, at));
                    configuration.findings.push(related(found, self.logging.place, "the logs that would not arrive"));
                }
            }
            Answer::Perhaps(_) => configuration.doubt(format!("whether the policy of `{}` lets the logs in", self.name)),
            Answer::NotAllowed if doc.partly_unknown || by_acl || perhaps_by_acl => {
                if !by_acl {
                    configuration.doubt(format!("whether the policy or the ACL of `{}` lets the logs in", self.name));
                }
            }
            Answer::NotAllowed => {
                let found = finding(&NO_GRANT, self.logging.place, format!("the policy of `{}` does not let the access logs of `{}` in", self.name, configuration.source))
                    .help(format!(
                        "S3 accepts this and delivers nothing; the policy must let `logging.s3.amazonaws.com` call `s3:PutObject` on `{}`{}",
                        hole::shown(&format!("{}/{}*", self.bucket_arn(), self.prefix())),
                        self.near(doc),
                    ));
                configuration.findings.push(related(found, doc.place, "the policy"));
            }
        }
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

    /// What the policy says of a delivery; nothing if that takes too much work.
    fn ask(&self, doc: &crate::observed::policy::PolicyDoc) -> Option<Answer> {
        let unknown = |name: &str| At { value: hole::hole(name, "of the source"), place: self.logging.place };
        let source = self.source.map_or_else(|| unknown("bucket"), |source| source.name.clone());
        let account = self
            .source
            .and_then(|source| source.account.clone())
            .or_else(|| self.target.account.clone())
            .unwrap_or_else(|| unknown("account"));
        let region = self.region_of_source().cloned().or_else(|| self.target.region.clone()).unwrap_or_else(|| unknown("Region"));
        let prefix = self.prefix();
        let key = match self.logging.partitioned {
            Some(false) => prove::access_log_key(&prefix, None),
            Some(true) => prove::access_log_key(&prefix, Some((&account.value, &region.value, &source.value))),
            None => prefix + &hole::hole("key", ""),
        };
        let resource = format!("{}/{key}", self.bucket_arn());
        let mut context = prove::service_context(LOGGING_SERVICE, arn::bucket(self.partition(), &source.value), account.value);
        // whether S3 tells these of its deliveries is not documented
        context.extend([
            ("aws:SourceOrgID", hole::hole("organization", "")),
            ("aws:SourceOrgPaths", hole::hole("path", "")),
            ("s3:x-amz-acl", hole::hole("acl", "")),
        ]);
        let context: Vec<(&str, &str)> = context.iter().map(|(key, value)| (*key, value.as_str())).collect();
        let request = Request {
            principal: Caller::Service(LOGGING_SERVICE),
            action: "s3:PutObject",
            resource: &resource,
            context: &context,
        };
        self.world.may_ask(&doc.policy, &resource).then(|| admit::ask(&doc.policy, &request))
    }

    /// What the nearest grant lacks, if there is one.
    fn near(&self, doc: &crate::observed::policy::PolicyDoc) -> &'static str {
        if work::names(&doc.policy, LOGGING_SERVICE) {
            "; it has a statement for the service, but its resource or condition is another one"
        } else {
            ""
        }
    }
}

/// Why a Deny hits a delivery, where it is one of the usual reasons.
pub(super) fn why_denied(doc: &crate::observed::policy::PolicyDoc, at: usize) -> &'static str {
    let Some(statement) = doc.policy.statements.get(at) else { return "" };
    let mut keys = statement.condition.values().flat_map(|keys| keys.keys()).map(|key| key.to_ascii_lowercase());
    if keys.any(|key| key.starts_with("s3:x-amz-server-side-encryption")) {
        "S3 sends no encryption header with its log objects; leave the statement out, the bucket's default encryption does the same"
    } else if statement.condition.is_empty() {
        "a Deny without a condition hits everybody; name whom it is for"
    } else {
        "a negated operator also holds where the key is absent, as it is for AWS services; add `\"Bool\": {\"aws:PrincipalIsAWSService\": \"false\"}` to the condition"
    }
}
