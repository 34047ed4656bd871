//! Trails: would CloudTrail take them, and would their files arrive?

use super::{
    Configuration, Kind, World,
    admit::{self, Answer, by_each},
    delivery::{Delivery, Owner},
    effective, finding, keys, name_of, recursion, related,
    settings::requester_pays,
    too_complex,
};
use crate::{
    aws::{CLOUDTRAIL_SERVICE, Partition, arn, limits},
    catalog::observed::{TARGET_NAME, TRAIL_GRANT, TRAIL_OFF, TRAIL_ORDER, TRAIL_PREFIX},
    observed::{At, Bucket, Setting, Text, Trail, hole, policy::PolicyDoc},
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
    let judged = Judged { world, trail, bucket: &bucket, name, delivery: delivery_of(world, trail, &bucket) };
    if let Setting::Known(logs) = &trail.logging
        && !logs.value
    {
        configuration.findings.push(
            finding(&TRAIL_OFF, logs.place, format!("the trail `{}` is off: it delivers nothing", configuration.source))
                .help("CloudTrail accepts this without a word; turn it on (`IsLogging: true`, `enable_logging = true`), or say in a comment why it is off"),
        );
    }
    judged.prefix(&mut configuration);
    keys::judge(world, trail, &bucket, &judged.delivery, &mut configuration);
    judged.payer(&mut configuration);
    judged.grant(&mut configuration);
    recursion::judge(world, trail, &bucket, &mut configuration);
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
    delivery: Delivery,
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

    fn payer(&self, configuration: &mut Configuration) {
        match effective(self.bucket, &self.bucket.payer, "BucketOwner".to_owned()) {
            Some(payer) if payer.value == "Requester" => {
                configuration.findings.push(requester_pays(&self.name, payer.place, self.trail.place));
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
            Setting::Unsaid if !self.bucket.is_whole() => {
                return configuration.doubt(format!("the policy of `{}` is not in the inputs", self.name));
            }
            Setting::Unsaid => {
                let found = finding(&TRAIL_GRANT, self.trail.place, format!("nothing lets the trail into `{}`: it has no bucket policy", self.name))
                    .help("CloudTrail answers `InsufficientS3BucketPolicyException`; let `cloudtrail.amazonaws.com` call `s3:GetBucketAcl` on the bucket and `s3:PutObject` on `AWSLogs/ACCOUNT/*`");
                configuration.findings.push(related(found, self.bucket.place, "the trail's bucket"));
                return;
            }
        };
        by_each(doc, self.bucket, configuration, &|doc, configuration| self.granted_by(doc, configuration));
    }

    /// What one policy says, if it is the one that stands.
    fn granted_by(&self, doc: &PolicyDoc, configuration: &mut Configuration) {
        let prefix = match &self.trail.prefix {
            Setting::Known(prefix) if prefix.value.is_empty() => String::new(),
            Setting::Known(prefix) => format!("{}/", prefix.value.trim_end_matches('/')),
            Setting::Unsaid => String::new(),
            Setting::Unknown(_) => hole::hole("prefix", ""),
        };
        let delivery = &self.delivery;
        let organization = delivery.organization.clone().unwrap_or_else(|| hole::hole("organization", ""));
        let home = arn::parse(&delivery.arn).map(|arn| arn.region.to_owned());
        let home = match &self.trail.multi_region {
            Setting::Known(multi) if !multi.value => home,
            Setting::Unsaid => home,
            _ => None,
        };
        let (owner, what) = match &self.trail.organization {
            // its files are under the organization's folder; the account's is for a trail that is turned back (CloudTrail user guide,
            // "Amazon S3 bucket policy for CloudTrail")
            Setting::Known(At { value: true, .. }) => (Owner::Organization(&organization), "write the organization's files"),
            _ => (Owner::Account(&delivery.account), "write its files"),
        };
        if matches!(self.trail.organization, Setting::Unknown(_)) {
            configuration.doubt("whether it is an organization's trail".to_owned());
        }
        let mut asked = vec![("s3:GetBucketAcl", delivery.itself(), "check the bucket's ACL")];
        asked.push(("s3:PutObject", delivery.trail_files(&prefix, owner, "CloudTrail", home.as_deref()), what));
        if matches!(self.trail.validation, Setting::Known(At { value: true, .. })) {
            asked.push((
                "s3:PutObject",
                delivery.trail_files(&prefix, owner, "CloudTrail-Digest", home.as_deref()),
                "write its digest files",
            ));
        }
        let folder = match owner {
            Owner::Account(id) | Owner::Organization(id) => format!("{prefix}AWSLogs/{id}/*"),
        };
        for (action, resource, what) in asked {
            if !self.world.may_ask(&doc.policy, &folder) {
                return configuration.doubt(too_complex(&self.name));
            }
            let requests = delivery.requests(&doc.policy, action, resource);
            let mut answer = admit::ask(&doc.policy, &requests);
            // what stands for an account is no organization's id
            if let (Answer::Perhaps(open), "s3:PutObject", Owner::Organization(_)) = (&answer, action, owner)
                && !open.by_deny
                && !has_organization_path(doc)
            {
                answer = Answer::NotAllowed(None);
            }
            if doc.doubled && !matches!(answer, Answer::Denied(_)) {
                return configuration.doubt(format!(
                    "a key stands twice in the policy of `{}`, and which one counts is not documented",
                    self.name
                ));
            }
            match answer {
                Answer::Allowed | Answer::NotAllowed(_) if doc.partly_unknown => {
                    configuration.doubt(format!("parts of the policy of `{}` are not known here", self.name))
                }
                Answer::Allowed => {}
                Answer::Denied(denials) => {
                    for denial in denials {
                        let message = format!("this statement keeps the trail `{}` out of `{}`", configuration.source, self.name);
                        let found = denial.finding(doc, message, "CloudTrail is denied here");
                        configuration.findings.push(related(found, self.trail.place, "the trail whose files would not arrive"));
                    }
                    return;
                }
                Answer::Perhaps(open) if open.by_deny => {
                    let words = open.words(&requests);
                    configuration.doubt(format!("whether a Deny of the policy of `{}` keeps the trail out{words}", self.name));
                }
                Answer::Perhaps(open) => {
                    let mut words = open.words(&requests);
                    if matches!(owner, Owner::Organization(id) if hole::has(id))
                        || hole::has(&delivery.account) && self.is_of_organization()
                    {
                        words = "; the id of the organization and its management account, which owns the trail, are not in the inputs: `aws organizations describe-organization` prints both, and a map with the trail (`--map`) has them".to_owned();
                    }
                    configuration.doubt(format!("whether the policy of `{}` lets the trail {what}{words}", self.name));
                }
                Answer::NotAllowed(witness) => {
                    let resource = match action {
                        "s3:GetBucketAcl" => arn::bucket(delivery.partition, &delivery.bucket),
                        _ => arn::object(delivery.partition, &delivery.bucket, &folder),
                    };
                    let found = finding(&TRAIL_GRANT, self.trail.place, format!("the policy of `{}` does not let the trail `{}` {what}", self.name, configuration.source))
                        .help(format!(
                            "CloudTrail answers `InsufficientS3BucketPolicyException`; let `cloudtrail.amazonaws.com` call `{action}` on `{}` for `{}`",
                            hole::shown(&resource),
                            hole::shown(&delivery.arn)
                        ))
                        .example(witness.as_ref().map(admit::example));
                    configuration.findings.push(related(found, doc.place, "the policy"));
                    return;
                }
            }
        }
    }

    fn is_of_organization(&self) -> bool {
        matches!(self.trail.organization, Setting::Known(At { value: true, .. }))
    }
}

/// Does a statement speak of files in a folder that may be an organization's?
fn has_organization_path(doc: &PolicyDoc) -> bool {
    let is_account = |part: &str| hole::is_one(part) && hole::shown(part).to_ascii_lowercase().contains("account");
    let is = |part: &str| part.starts_with("o-") || part.contains(['*', '?']) || hole::has(part) && !is_account(part);
    let resources = doc.policy.statements.iter().flat_map(|statement| statement.resource.inner());
    resources.into_iter().any(|resource| match resource.split_once("AWSLogs/") {
        Some((_, rest)) => is(rest.split('/').next().unwrap_or_default()),
        None => resource.contains('*') || hole::has(resource),
    })
}

/// What the trail delivers, and for whom. An organization trail is the management account's, whoever makes it (CloudTrail user
/// guide, "Organization delegated administrator"): if nobody tells which account that is, its owner is unknown.
fn delivery_of(world: &World<'_>, trail: &Trail, bucket: &Bucket) -> Delivery {
    let of_organization = matches!(trail.organization, Setting::Known(At { value: true, .. }));
    let management = world.organization.and_then(|organization| organization.management.as_ref()).map(|id| id.value.clone());
    let (mut arn, mut account) = (trail.arn.clone(), trail.account.clone());
    if of_organization && !trail.arn_is_given {
        account = management.unwrap_or_else(|| hole::hole("management account", ""));
        if let Some(parts) = arn::parse(&trail.arn) {
            arn = format!("arn:{}:cloudtrail:{}:{account}:{}", parts.partition, parts.region, parts.resource);
        }
    }
    let home = arn::parse(&trail.arn).map(|arn| arn.region).filter(|home| !hole::has(home));
    let partition = match (bucket.region.as_ref().filter(|region| !hole::has(&region.value)), home) {
        (None, Some(home)) => Partition::of_region(home),
        _ => bucket.partition(),
    };
    let of = |text: &Option<Text>, name: &str| {
        text.as_ref().map_or_else(|| hole::hole(name, "of the bucket"), |text| text.value.clone())
    };
    Delivery {
        service: CLOUDTRAIL_SERVICE,
        bucket: bucket.name.value.clone(),
        partition,
        region: of(&bucket.region, "Region"),
        owner: of(&bucket.account, "account"),
        arn,
        account,
        organization: world.organization.map(|organization| organization.id.value.clone()),
        has_key: matches!(trail.key, Setting::Known(_)),
    }
}
