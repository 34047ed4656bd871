//! Trails: would CloudTrail take them, and would their files arrive?

use super::{
    Configuration, Kind, World,
    access_logs::why_denied,
    admit::{self, Answer},
    effective, finding, name_of, related, too_complex,
    work::MOST_DENIALS,
};
use crate::{
    aws::{CLOUDTRAIL_SERVICE, Partition, arn, limits},
    catalog::observed::{DENIED, PAYER, TARGET_NAME, TRAIL_GRANT, TRAIL_KEY, TRAIL_ORDER, TRAIL_PREFIX},
    observed::{At, Bucket, Setting, SourceLocation, Trail, hole},
    plan::prove,
    policy::evaluate::{Caller, Request},
};

pub(super) fn judge(world: &World<'_>, trail: &Trail) -> Configuration {
    let Setting::Known(given) = &trail.bucket else {
        let mut unknown = Configuration::new(Kind::Trail, (trail.place, trail.anchor), &trail.name.value, "");
        unknown.doubt("the trail's bucket is not known here");
        return unknown;
    };
    let (target, is_arn) = name_of(given);
    let mut configuration = Configuration::new(Kind::Trail, (trail.place, trail.anchor), &trail.name.value, &target.value);
    let name = hole::shown(&target.value);
    if is_arn {
        configuration.findings.push(
            finding(&TARGET_NAME, given.place, format!("the trail's bucket is given as an ARN, not by its name `{name}`"))
                .help("CloudTrail answers `InvalidS3BucketNameException`; write the name"),
        );
    }
    let bucket = world.bucket(&target);
    let judged = Judged { world, trail, bucket: &bucket, name };
    judged.prefix(&mut configuration);
    judged.key(&mut configuration);
    judged.payer(&mut configuration);
    judged.grant(&mut configuration);
    if let Some(policy) = &trail.unordered {
        let name = hole::shown(&policy.value);
        // an address of Terraform has a dot, a logical id has none
        let wait = if name.contains('.') { format!("depends_on = [{name}]") } else { format!("DependsOn: {name}") };
        configuration.findings.push(
            finding(&TRAIL_ORDER, policy.place, format!("the trail does not wait for the bucket policy `{name}`")).help(format!(
                "if the trail is made first, CloudTrail answers `InsufficientS3BucketPolicyException`; add `{wait}`"
            )),
        );
    }
    configuration
}

struct Judged<'a> {
    world: &'a World<'a>,
    trail: &'a Trail,
    bucket: &'a Bucket,
    name: String,
}

impl Judged<'_> {
    fn prefix(&self, configuration: &mut Configuration) {
        let Setting::Known(prefix) = &self.trail.prefix else { return };
        let problem = if prefix.value.contains("AWSLogs") {
            "has `AWSLogs`, which CloudTrail adds itself"
        } else if !hole::has(&prefix.value) && prefix.value.chars().count() > limits::TRAIL_PREFIX_CHARS {
            "is longer than 200 characters"
        } else {
            return;
        };
        configuration.findings.push(
            finding(&TRAIL_PREFIX, prefix.place, format!("the trail's prefix `{}` {problem}", hole::shown(&prefix.value))).help(
                "CloudTrail answers `InvalidS3PrefixException`; it writes to `PREFIX/AWSLogs/ACCOUNT/CloudTrail/…` by itself",
            ),
        );
    }

    /// A key must be in the Region of the bucket; the trail's does not matter.
    fn key(&self, configuration: &mut Configuration) {
        let (Setting::Known(key), Some(region)) = (&self.trail.key, &self.bucket.region) else { return };
        let Some(of_key) = arn::parse(&key.value).filter(|arn| arn.service == "kms") else { return };
        match hole::same(of_key.region, &region.value) {
            hole::Same::Yes => {}
            hole::Same::Maybe => configuration.doubt(format!("whether the trail's key and `{}` are in one Region", self.name)),
            hole::Same::No => {
                let (of_key, of_bucket) = (hole::shown(of_key.region), hole::shown(&region.value));
                let found = finding(
                    &TRAIL_KEY,
                    key.place,
                    format!("the trail's key is in {of_key}, its bucket `{}` in {of_bucket}", self.name),
                )
                .help("CloudTrail answers `KmsKeyNotFoundException`; use a key of the bucket's Region");
                configuration.findings.push(related(found, self.bucket.place, format!("the bucket is in {of_bucket}")));
            }
        }
    }

    fn payer(&self, configuration: &mut Configuration) {
        match effective(self.bucket, &self.bucket.payer, "BucketOwner".to_owned()) {
            Some(payer) if payer.value == "Requester" => {
                let place = if payer.place == SourceLocation::default() { self.trail.place } else { payer.place };
                configuration.findings.push(
                    finding(&PAYER, place, format!("`{}` takes logs and is Requester Pays", self.name))
                        .help("a log bucket can't be Requester Pays; let the bucket owner pay"),
                );
            }
            Some(payer) if !hole::has(&payer.value) => {}
            _ => configuration.doubt(format!("the payer of `{}` is not in the inputs", self.name)),
        }
    }

    fn grant(&self, configuration: &mut Configuration) {
        let doc = match &self.bucket.policy {
            Setting::Known(doc) => &doc.value,
            Setting::Unknown(_) => {
                return configuration.doubt(format!("`{}` has a policy whose text is not known here", self.name));
            }
            Setting::Unsaid if !self.bucket.defined => {
                return configuration.doubt(format!("the policy of `{}` is not in the inputs", self.name));
            }
            Setting::Unsaid => {
                let found = finding(&TRAIL_GRANT, self.trail.place, format!("nothing lets the trail into `{}`: it has no bucket policy", self.name))
                    .help("CloudTrail answers `InsufficientS3BucketPolicyException`; let `cloudtrail.amazonaws.com` call `s3:GetBucketAcl` on the bucket and `s3:PutObject` on `AWSLogs/ACCOUNT/*`");
                configuration.findings.push(related(found, self.bucket.place, "the trail's bucket"));
                return;
            }
        };
        let bucket = arn::bucket(self.partition(), &self.bucket.name.value);
        let prefix = match &self.trail.prefix {
            Setting::Known(prefix) if prefix.value.is_empty() => String::new(),
            Setting::Known(prefix) => format!("{}/", prefix.value.trim_end_matches('/')),
            Setting::Unsaid => String::new(),
            Setting::Unknown(_) => hole::hole("prefix", ""),
        };
        let account = &self.trail.account;
        let mut requests = vec![
            ("s3:GetBucketAcl", bucket.clone(), "check the bucket's ACL"),
            ("s3:PutObject", format!("{bucket}/{prefix}AWSLogs/{account}/CloudTrail/x.json.gz"), "write its files"),
        ];
        match &self.trail.organization {
            Setting::Known(At { value: true, .. }) => requests.push((
                "s3:PutObject",
                format!("{bucket}/{prefix}AWSLogs/{}/{account}/CloudTrail/x.json.gz", hole::hole("organization", "")),
                "write the organization's files",
            )),
            Setting::Unknown(_) => configuration.doubt("whether it is an organization's trail".to_owned()),
            _ => {}
        }
        for (action, resource, what) in requests {
            let organization = what.contains("organization");
            let Some(answer) = self.ask(doc, action, &resource) else {
                return configuration.doubt(too_complex(&self.name));
            };
            match answer {
                Answer::Allowed if doc.partly_unknown => {
                    configuration.doubt(format!("parts of the policy of `{}` are not known here", self.name))
                }
                Answer::Allowed => {}
                Answer::Denied(statements) => {
                    for at in statements.into_iter().take(MOST_DENIALS) {
                        let place = doc.places.get(at).map_or(doc.place, |places| places.whole);
                        let found = finding(
                            &DENIED,
                            place,
                            format!("this statement keeps the trail `{}` out of `{}`", configuration.source, self.name),
                        )
                        .label("CloudTrail is denied here")
                        .help(why_denied(doc, at));
                        configuration.findings.push(related(found, self.trail.place, "the trail whose files would not arrive"));
                    }
                }
                // the organization's id is not in the trail; a path that has any is taken for it
                Answer::Perhaps(by) if organization && by.iter().any(|at| self.is_organization_path(doc, *at)) => {}
                Answer::Perhaps(_) if !organization => {
                    configuration.doubt(format!("whether the policy of `{}` lets the trail in", self.name))
                }
                Answer::NotAllowed if doc.partly_unknown => {
                    configuration.doubt(format!("parts of the policy of `{}` are not known here", self.name))
                }
                Answer::Perhaps(_) | Answer::NotAllowed => {
                    let found = finding(&TRAIL_GRANT, self.trail.place, format!("the policy of `{}` does not let the trail `{}` {what}", self.name, configuration.source))
                        .help(format!(
                            "CloudTrail answers `InsufficientS3BucketPolicyException`; let `cloudtrail.amazonaws.com` call `{action}` on `{}` for `{}`",
                            hole::shown(&resource.replace("x.json.gz", "*").replace("CloudTrail/*", "*")),
                            hole::shown(&self.trail.arn)
                        ));
                    configuration.findings.push(related(found, doc.place, "the policy"));
                    return;
                }
            }
        }
    }

    fn is_organization_path(&self, doc: &crate::observed::policy::PolicyDoc, at: usize) -> bool {
        let statement = doc.policy.statements.get(at);
        let path =
            |resource: &String| resource.split_once("AWSLogs/").and_then(|(_, rest)| rest.split('/').next()).map(str::to_owned);
        let is = |part: String| part.starts_with("o-") || part.contains('*') || hole::has(&part) && part != self.trail.account;
        statement.is_some_and(|statement| statement.resource.inner().iter().filter_map(path).any(is))
    }

    /// The partition: of the bucket, or of the trail where that is known alone.
    fn partition(&self) -> Partition {
        let home = arn::parse(&self.trail.arn).map(|arn| arn.region).filter(|home| !hole::has(home));
        match (self.bucket.region.as_ref().filter(|region| !hole::has(&region.value)), home) {
            (None, Some(home)) => Partition::of_region(home),
            _ => self.bucket.partition(),
        }
    }

    /// What the policy says of a request of the trail; nothing if that takes too much work.
    fn ask(&self, doc: &crate::observed::policy::PolicyDoc, action: &str, resource: &str) -> Option<Answer> {
        let mut context = prove::service_context(CLOUDTRAIL_SERVICE, self.trail.arn.clone(), self.trail.account.clone());
        if action == "s3:PutObject" {
            context.push(("s3:x-amz-acl", "bucket-owner-full-control".to_owned()));
            // what CloudTrail says of encryption is documented only where the trail has a key
            let encryption = match self.trail.key {
                Setting::Known(_) => "aws:kms".to_owned(),
                _ => hole::hole("encryption", ""),
            };
            context.push(("s3:x-amz-server-side-encryption", encryption));
            context.push(("s3:x-amz-server-side-encryption-aws-kms-key-id", hole::hole("key", "")));
        }
        context.extend([("aws:SourceOrgID", hole::hole("organization", "")), ("aws:SourceOrgPaths", hole::hole("path", ""))]);
        let context: Vec<(&str, &str)> = context.iter().map(|(key, value)| (*key, value.as_str())).collect();
        let request = Request { principal: Caller::Service(CLOUDTRAIL_SERVICE), action, resource, context: &context };
        self.world.may_ask(&doc.policy, resource).then(|| admit::ask(&doc.policy, &request))
    }
}
