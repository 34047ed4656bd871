//! Bucket policies that let a delivery service in: mistakes that can be seen in the policy alone.

use super::{
    Configuration, Kind, World, finding,
    grants::Grants,
    principals::{self, SERVICES, named},
};
use crate::{
    aws::{CLOUDTRAIL_SERVICE, LOGGING_SERVICE, Partition, arn, limits},
    catalog::observed::{PARTITION, POLICY_BYTES, POLICY_RESOURCE, POLICY_SOURCE, POLICY_WILDCARD},
    observed::{
        SourceLocation, Text, hole,
        policy::{PolicyDoc, StatementPlaces},
    },
    policy::{Effect, Element, Statement, evaluate},
};

/// Judges a policy; nothing if it says nothing of log delivery and its form is right.
pub(super) fn judge(world: &World<'_>, doc: &PolicyDoc) -> Option<Configuration> {
    let name = doc.bucket.as_ref().map_or(String::new(), |bucket| bucket.value.clone());
    let mut configuration = Configuration::new(Kind::Policy, (doc.place, doc.place), "", &name);
    configuration.findings.extend(doc.findings.iter().map(|found| found.0.clone()));
    let region =
        doc.bucket.as_ref().and_then(|name| world.bucket(name).region.clone()).filter(|region| !hole::has(&region.value));
    let judged = Judged { name: &name, partition: region.map(|region| Partition::of_region(&region.value)) };
    let speaks = doc.policy.statements.iter().any(|statement| named(statement).next().is_some());
    // the policy of a KMS key is judged with the trail that has the key
    if doc.bucket.is_none() && is_of_key(doc) {
        return None;
    }
    let mut meant = false;
    for (statement, places) in doc.policy.statements.iter().zip(&doc.places) {
        meant |= principals::judge(doc, statement, places, &mut configuration);
        if speaks {
            wildcards(places, &mut configuration);
        }
        for service in named(statement) {
            judged.statement(statement, places, service, &mut configuration);
        }
    }
    if !speaks && !meant && configuration.findings.is_empty() {
        return None;
    }
    // what S3 refuses as a whole lets nobody in
    let is_refused = doc.bytes.is_some_and(|bytes| bytes > limits::BUCKET_POLICY_BYTES);
    for service in SERVICES.into_iter().filter(|_| speaks && !is_refused) {
        let partition = judged.partition.unwrap_or(Partition::Aws);
        Grants::of(world, doc, &name, partition, service).judge(&mut configuration);
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
    /// Name of the policy's bucket, or nothing.
    name: &'a str,
    /// The bucket's partition, where its Region is known.
    partition: Option<Partition>,
}

impl Judged<'_> {
    fn statement(
        &self,
        statement: &Statement,
        places: &StatementPlaces,
        service: &'static str,
        configuration: &mut Configuration,
    ) {
        if statement.effect != Effect::Allow || !matches!(statement.principal, Element::Is(_)) {
            return;
        }
        self.resources(statement, places, service, configuration);
        self.sources(places, service, configuration);
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

    /// Do the conditions name sources that exist?
    fn sources(&self, places: &StatementPlaces, service: &'static str, configuration: &mut Configuration) {
        // what a negated operator names need not exist, and `Null` names nothing
        let names = |operator: &str| operator != "Null" && !operator.contains("Not");
        let of_sources = places
            .conditions
            .iter()
            .filter(|condition| condition.key.eq_ignore_ascii_case("aws:SourceArn") && names(&condition.operator));
        for Text { value, place } in of_sources.flat_map(|condition| &condition.values) {
            self.source(value, *place, service, configuration);
        }
    }

    /// Judges a source ARN.
    fn source(&self, value: &str, place: SourceLocation, service: &'static str, configuration: &mut Configuration) {
        if hole::is_one(value) {
            return;
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
            return;
        };
        if service == LOGGING_SERVICE {
            let service_part = arn.service;
            if service_part != "s3" && !service_part.contains('*') && !hole::has(service_part) {
                wrong(format!("`{shown}` is not a bucket's ARN"), "access logs come from buckets: `arn:aws:s3:::NAME`");
            } else if arn.resource.starts_with("arn:") {
                wrong(
                    format!("`{shown}` has an ARN in the place of the bucket's name"),
                    "the condition never holds; write the name there, or the ARN alone (`GetAtt Arn` gives a whole ARN)",
                );
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
            return self.partition_of(arn.partition, value, place, configuration);
        }
        if !["cloudtrail", "*"].contains(&arn.service) && !hole::has(arn.service) {
            wrong(
                format!("`{shown}` is not a trail's ARN"),
                "the condition never holds; write `arn:aws:cloudtrail:HOME-REGION:ACCOUNT:trail/NAME`",
            );
        }
        self.partition_of(arn.partition, value, place, configuration);
    }
}

/// Is it the policy of a KMS key?
fn is_of_key(doc: &PolicyDoc) -> bool {
    let mut actions = doc.policy.statements.iter().flat_map(|statement| statement.action.inner()).peekable();
    actions.peek().is_some() && actions.all(|action| action.to_ascii_lowercase().starts_with("kms:"))
}

/// Wildcards under operators that compare exactly.
fn wildcards(places: &StatementPlaces, configuration: &mut Configuration) {
    for condition in &places.conditions {
        let operator = &condition.operator;
        let base = operator.rsplit(':').next().unwrap_or_default();
        if !base.starts_with("StringEquals") && !base.starts_with("StringNotEquals") {
            continue;
        }
        for Text { value, place } in
            condition.values.iter().filter(|text| text.value.contains(['*', '?']) && !text.value.contains("${"))
        {
            let help = if condition.key.to_ascii_lowercase().ends_with("arn") {
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
