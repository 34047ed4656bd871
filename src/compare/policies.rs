//! Bucket policies that let a delivery service in: mistakes that can be seen in the policy alone.

use super::{Configuration, Kind, World, access_logs::why_denied, admit, finding, related, too_complex};
use crate::{
    aws::{CLOUDTRAIL_SERVICE, LOGGING_SERVICE, Partition, arn, limits},
    catalog::observed::{
        DENIED, OPEN_GRANT, PARTITION, POLICY_BYTES, POLICY_RESOURCE, POLICY_SERVICE, POLICY_SOURCE, POLICY_WILDCARD,
    },
    diagnostics::did_you_mean,
    observed::{
        SourceLocation, hole,
        policy::{PolicyDoc, StatementPlaces},
    },
    plan::prove,
    policy::{
        Effect, Element, Principal, Statement,
        evaluate::{self, Caller, Request},
    },
};
use std::collections::BTreeSet;

/// Judges a policy; nothing if it says nothing of log delivery and its form is right.
pub(super) fn judge(world: &World<'_>, doc: &PolicyDoc) -> Option<Configuration> {
    let name = doc.bucket.as_ref().map_or(String::new(), |bucket| bucket.value.clone());
    let mut configuration = Configuration::new(Kind::Policy, (doc.place, doc.place), "", &name);
    configuration.findings.extend(doc.findings.iter().map(|found| found.0.clone()));
    let region =
        doc.bucket.as_ref().and_then(|name| world.bucket(name).region.clone()).filter(|region| !hole::has(&region.value));
    let judged = Judged { world, doc, name: &name, partition: region.map(|region| Partition::of_region(&region.value)) };
    let speaks = doc.policy.statements.iter().any(|statement| judged.service(statement).is_some());
    if !speaks && configuration.findings.is_empty() {
        return None;
    }
    // a Deny is one mistake, however many grants it takes away
    let mut denied = BTreeSet::new();
    for (at, (statement, places)) in doc.policy.statements.iter().zip(&doc.places).enumerate() {
        if speaks {
            wildcards(statement, places, &mut configuration);
        }
        if let Some(service) = judged.service(statement) {
            judged.statement(statement, places, service, &mut configuration);
            if statement.effect == Effect::Allow {
                judged.denied(at, service, &mut denied, &mut configuration);
            }
        }
    }
    if let Some(bytes) = doc.bytes.filter(|bytes| *bytes > limits::BUCKET_POLICY_BYTES) {
        configuration.findings.push(
            finding(&POLICY_BYTES, doc.place, format!("the policy has {bytes} bytes; {} are allowed", limits::BUCKET_POLICY_BYTES))
                .help("S3 refuses it; let one statement speak of all sources, by a list or pattern of names or by `aws:SourceAccount` alone"),
        );
    }
    if doc.partly_unknown {
        configuration.doubt("parts of the policy are not known here");
    }
    Some(configuration)
}

struct Judged<'a> {
    world: &'a World<'a>,
    doc: &'a PolicyDoc,
    /// Name of the policy's bucket, or nothing.
    name: &'a str,
    /// The bucket's partition, where its Region is known.
    partition: Option<Partition>,
}

impl Judged<'_> {
    /// The delivery service that a statement names, in its right spelling or in another.
    fn service(&self, statement: &Statement) -> Option<&'static str> {
        let Principal::Kinds(kinds) = statement.principal.inner() else { return None };
        let known = [LOGGING_SERVICE, CLOUDTRAIL_SERVICE];
        kinds.get("Service").into_iter().flatten().find_map(|name| {
            known.into_iter().find(|service| {
                name == service || name.starts_with(&format!("{service}.")) || did_you_mean(name, [*service]).is_some()
            })
        })
    }

    fn statement(
        &self,
        statement: &Statement,
        places: &StatementPlaces,
        service: &'static str,
        configuration: &mut Configuration,
    ) {
        if let Principal::Kinds(kinds) = statement.principal.inner() {
            for name in kinds.get("Service").into_iter().flatten().filter(|name| *name != service && !hole::has(name)) {
                let near = name.starts_with(&format!("{service}.")) || did_you_mean(name, [service]).is_some();
                if near && ![LOGGING_SERVICE, CLOUDTRAIL_SERVICE].contains(&name.as_str()) {
                    configuration.findings.push(
                        finding(&POLICY_SERVICE, places.principal, format!("`{name}` is no service; log delivery is `{service}`"))
                            .help("the service has one name in every partition; S3 answers `MalformedPolicy`: invalid principal in policy"),
                    );
                }
            }
        }
        if statement.effect != Effect::Allow || !matches!(statement.principal, Element::Is(_)) {
            return;
        }
        self.resources(statement, places, service, configuration);
        self.sources(statement, places, service, configuration);
    }

    /// Are the resources ARNs of this partition, and of the level that the actions work on?
    fn resources(
        &self,
        statement: &Statement,
        places: &StatementPlaces,
        service: &'static str,
        configuration: &mut Configuration,
    ) {
        let Element::Is(resources) = &statement.resource else { return };
        let place = |at: usize| places.resources.get(at).copied().unwrap_or(places.whole);
        for (at, resource) in resources.iter().enumerate() {
            if resource == "*" || hole::is_one(resource) {
                continue;
            }
            let Some(arn) = arn::parse(resource) else {
                if !resource.starts_with(|c: char| hole::has(&c.to_string())) {
                    configuration.findings.push(
                        finding(&POLICY_RESOURCE, place(at), format!("`{}` is not an ARN", hole::shown(resource))).help(format!(
                            "write `arn:aws:s3:::{}`; S3 answers `MalformedPolicy`: policy has invalid resource",
                            hole::shown(resource)
                        )),
                    );
                }
                continue;
            };
            self.partition_of(arn.partition, resource, place(at), configuration);
            let bucket = arn.resource.split('/').next().unwrap_or_default();
            if !self.name.is_empty() && !bucket.contains('*') && hole::same(bucket, self.name) == hole::Same::No {
                configuration.findings.push(
                    finding(&POLICY_RESOURCE, place(at), format!("`{}` is of another bucket than the policy's, `{}`", hole::shown(resource), hole::shown(self.name)))
                        .help("a bucket policy speaks of its own bucket and its objects; S3 answers `MalformedPolicy`: policy has invalid resource"),
                );
            }
        }
        let is_object =
            |resource: &String| resource == "*" || resource.contains('/') || hole::is_one(resource) || resource.ends_with('*');
        let is_bucket = |resource: &String| {
            let bucket = resource.split_once(":::").map_or(resource.as_str(), |(_, name)| name);
            resource == "*"
                || hole::is_one(resource)
                || !bucket.contains('/')
                || bucket.split('/').next().is_some_and(|name| name.ends_with('*'))
        };
        let Element::Is(actions) = &statement.action else { return };
        let does = |action: &str| {
            actions.iter().any(|pattern| evaluate::glob(&pattern.to_ascii_lowercase(), &action.to_ascii_lowercase()))
        };
        let first = place(0);
        if does("s3:PutObject") && !resources.iter().any(is_object) {
            let resource = resources.first().map_or("", String::as_str);
            configuration.findings.push(
                finding(
                    &POLICY_RESOURCE,
                    first,
                    format!("`s3:PutObject` works on objects, and `{}` is a bucket", hole::shown(resource)),
                )
                .help(format!(
                    "the service could put nothing; write `{}/*`, or with the prefix of the logs before the `*`",
                    hole::shown(resource)
                )),
            );
        }
        if service == CLOUDTRAIL_SERVICE && does("s3:GetBucketAcl") && !resources.iter().any(is_bucket) {
            let resource = resources.first().map_or("", String::as_str);
            let bucket = resource.split('/').next().unwrap_or_default();
            configuration.findings.push(
                finding(
                    &POLICY_RESOURCE,
                    first,
                    format!("`s3:GetBucketAcl` works on the bucket, and `{}` are objects", hole::shown(resource)),
                )
                .help(format!("CloudTrail could not check the bucket; write `{}`", hole::shown(bucket))),
            );
        }
    }

    fn partition_of(&self, id: &str, arn: &str, place: SourceLocation, configuration: &mut Configuration) {
        let Some(partition) = self.partition else { return };
        if !hole::has(id) && !id.contains(['*', '?']) && id != partition.id() {
            configuration.findings.push(
                finding(
                    &PARTITION,
                    place,
                    format!("`{}` is of the partition `{id}`, the bucket is in `{partition}`", hole::shown(arn)),
                )
                .help(format!(
                    "nothing of one partition exists in another, so the statement never holds; write `arn:{partition}:…`"
                )),
            );
        }
    }

    /// Do the conditions name sources that exist, and does one of them bound who may write?
    fn sources(&self, statement: &Statement, places: &StatementPlaces, service: &'static str, configuration: &mut Configuration) {
        let mut bounded = false;
        for (operator, key, at) in &places.conditions {
            let values = statement.condition.get(operator).and_then(|keys| keys.get(key)).map_or(&[][..], Vec::as_slice);
            let key = key.to_ascii_lowercase();
            bounded |=
                hole::has(&key) || ["aws:sourceorgid", "aws:sourceorgpaths", "aws:resourceaccount"].contains(&key.as_str());
            if key == "aws:sourceaccount" {
                bounded |= values.iter().all(|value| hole::has(value) || value.chars().any(|c| c.is_ascii_digit()));
            }
            if key != "aws:sourcearn" {
                continue;
            }
            for (value, place) in values.iter().zip(at) {
                bounded |= self.source(value, *place, service, configuration);
            }
        }
        // what is unknown may well bound it
        bounded |=
            statement.condition.iter().any(|(operator, keys)| hole::has(operator) || keys.keys().any(|key| hole::has(key)));
        if !bounded {
            let what = if service == LOGGING_SERVICE { "the log entries of any bucket" } else { "the trail of any account" };
            configuration.findings.push(
                finding(
                    &OPEN_GRANT,
                    places.principal,
                    format!("nothing says whose logs `{service}` may write: it would take {what}"),
                )
                .label("no `aws:SourceAccount` and no bounded `aws:SourceArn`")
                .help("add `aws:SourceAccount` with the account, and `aws:SourceArn` with the sources"),
            );
        }
    }

    /// Judges a source ARN; true if it bounds who may write.
    fn source(&self, value: &str, place: SourceLocation, service: &'static str, configuration: &mut Configuration) -> bool {
        if hole::is_one(value) {
            return true;
        }
        let shown = hole::shown(value);
        let mut wrong =
            |message: String, help: &str| configuration.findings.push(finding(&POLICY_SOURCE, place, message).help(help));
        let Some(arn) = arn::parse(value) else {
            if !value.starts_with('*') && !hole::has(value) {
                wrong(
                    format!("`{shown}` is not an ARN"),
                    "the condition never holds; write the ARN of the source bucket or trail",
                );
            }
            return false;
        };
        if service == LOGGING_SERVICE {
            let service_part = arn.service;
            if service_part != "s3" && !service_part.contains('*') && !hole::has(service_part) {
                wrong(format!("`{shown}` is not a bucket's ARN"), "access logs come from buckets: `arn:aws:s3:::NAME`");
            } else if !arn.region.is_empty() && arn.region != "*" || !arn.account.is_empty() && arn.account != "*" {
                wrong(
                    format!("`{shown}` has a Region or an account, and a bucket's ARN has none"),
                    "the condition never holds; write `arn:aws:s3:::NAME`, and the account under `aws:SourceAccount`",
                );
            } else if arn.resource.contains('/') {
                wrong(
                    format!("`{shown}` speaks of objects, and the source is the bucket"),
                    "the condition never holds; leave out what follows the bucket's name",
                );
            } else if !self.name.is_empty() && arn.resource == self.name {
                wrong(
                    format!("`{shown}` is the log bucket itself, and the source is the bucket that is logged"),
                    "the condition holds for no other bucket; write the ARN of the source bucket",
                );
            }
            self.partition_of(arn.partition, value, place, configuration);
            return !arn.resource.starts_with('*');
        }
        if !["cloudtrail", "*"].contains(&arn.service) && !hole::has(arn.service) {
            wrong(
                format!("`{shown}` is not a trail's ARN"),
                "the condition never holds; write `arn:aws:cloudtrail:HOME-REGION:ACCOUNT:trail/NAME`",
            );
        }
        self.partition_of(arn.partition, value, place, configuration);
        arn.account != "*"
    }

    /// Does a Deny take away what this statement gives? Asked about a delivery as the statement describes it.
    fn denied(
        &self,
        at: usize,
        service: &'static str,
        known: &mut BTreeSet<(usize, &'static str)>,
        configuration: &mut Configuration,
    ) {
        let Some((statement, places)) = self.doc.policy.statements.get(at).zip(self.doc.places.get(at)) else { return };
        let (Element::Is(resources), Element::Is(actions)) = (&statement.resource, &statement.action) else { return };
        if !actions.iter().any(|action| evaluate::glob(&action.to_ascii_lowercase(), "s3:putobject")) {
            return;
        }
        let Some(resource) = resources.iter().find(|resource| resource.contains('/')) else { return };
        let resource = resource.replace('*', "x");
        let first = |key: &str| {
            let found = statement.condition.values().flatten().find(|(name, _)| name.eq_ignore_ascii_case(key));
            let value = found.and_then(|(_, values)| values.first()).filter(|value| !value.contains(['*', '?']));
            value.cloned().unwrap_or_else(|| hole::hole(key, "any"))
        };
        let mut context = prove::service_context(service, first("aws:SourceArn"), first("aws:SourceAccount"));
        context.extend([("aws:SourceOrgID", hole::hole("organization", "")), ("aws:SourceOrgPaths", hole::hole("path", ""))]);
        if service == CLOUDTRAIL_SERVICE {
            context.push(("s3:x-amz-acl", "bucket-owner-full-control".to_owned()));
            context.push(("s3:x-amz-server-side-encryption", hole::hole("encryption", "")));
            context.push(("s3:x-amz-server-side-encryption-aws-kms-key-id", hole::hole("key", "")));
        } else {
            context.push(("s3:x-amz-acl", hole::hole("acl", "")));
        }
        let context: Vec<(&str, &str)> = context.iter().map(|(key, value)| (*key, value.as_str())).collect();
        let request =
            Request { principal: Caller::Service(service), action: "s3:PutObject", resource: &resource, context: &context };
        if !self.world.may_ask(&self.doc.policy, &resource) {
            return configuration.doubt(too_complex(&hole::shown(self.name)));
        }
        let denies = admit::shut_out(&self.doc.policy, &request).0;
        for deny in denies.into_iter().filter(|deny| known.insert((*deny, service))) {
            let place = self.doc.places.get(deny).map_or(self.doc.place, |places| places.whole);
            let found = finding(&DENIED, place, format!("this statement keeps `{service}` out, which another one lets in"))
                .label("log delivery is denied here")
                .help(why_denied(self.doc, deny));
            configuration.findings.push(related(found, places.principal, "the grant that it takes away"));
        }
    }
}

/// Wildcards under operators that compare exactly.
fn wildcards(statement: &Statement, places: &StatementPlaces, configuration: &mut Configuration) {
    for (operator, key, at) in &places.conditions {
        let base = operator.rsplit(':').next().unwrap_or_default();
        if !base.starts_with("StringEquals") && !base.starts_with("StringNotEquals") {
            continue;
        }
        let values = statement.condition.get(operator).and_then(|keys| keys.get(key)).map_or(&[][..], Vec::as_slice);
        for (value, place) in values.iter().zip(at).filter(|(value, _)| value.contains(['*', '?']) && !value.contains("${")) {
            let help = if key.to_ascii_lowercase().ends_with("arn") {
                "use `ArnLike`"
            } else {
                "use `StringLike`, or write the whole value"
            };
            configuration.findings.push(
                finding(
                    &POLICY_WILDCARD,
                    *place,
                    format!("`{}` has a wildcard, but `{operator}` compares exactly", hole::shown(value)),
                )
                .label("never equal to a real value")
                .help(help),
            );
        }
    }
}
