//! Access logs that CloudWatch Logs delivers: does a delivery lead to a destination that takes them? A bucket that has one is logged.
//!
//! Sources: S3 user guide, "Enabling server access logging with Amazon CloudWatch Logs"; CloudWatch Logs user guide, "Enable logging
//! from AWS services" with its parts on Amazon S3, permissions V2 and cross-account delivery.

use super::{Configuration, Kind, World, admit, finding, related, too_complex};
use crate::{
    aws::{LOG_DELIVERY_SERVICE, Partition, arn, region},
    catalog::observed::{VENDED_KEY, VENDED_LOG_GROUP, VENDED_PARTITION, VENDED_POLICY},
    observed::{
        At, Bucket, Observed, Setting, Text, hole,
        vended::{Delivery, DeliveryDestination, DeliverySource, Target, target_of},
    },
    plan::prove::form,
    policy::evaluate::{Set, Shape},
};
use std::collections::{BTreeMap, BTreeSet};

/// Names of the buckets whose logs are delivered so.
pub(super) fn logged(observed: &Observed) -> BTreeSet<&str> {
    observed.vended.sources.iter().map(|source| source.bucket.as_str()).collect()
}

/// Judges each delivery of a bucket's logs; a source without one is unknown.
pub(super) fn judge(world: &World<'_>, observed: &Observed) -> Vec<Configuration> {
    let vended = &observed.vended;
    let destinations: BTreeMap<&str, &DeliveryDestination> =
        vended.destinations.iter().map(|destination| (destination.arn.as_str(), destination)).collect();
    let mut deliveries: BTreeMap<&str, Vec<&Delivery>> = BTreeMap::new();
    for delivery in &vended.deliveries {
        if let Some(name) = delivery.source.known() {
            deliveries.entry(&name.value).or_default().push(delivery);
        }
    }
    let mut judged = Vec::new();
    for source in &vended.sources {
        // a name is of one account and Region, which not every input tells
        let named = deliveries.get(source.name.value.as_str()).map_or(&[][..], Vec::as_slice);
        let here = |delivery: &&&Delivery| delivery.account == source.account && delivery.region == source.region;
        let mut own: Vec<&&Delivery> = named.iter().filter(here).collect();
        if let ([only], true) = (named, own.is_empty()) {
            let could_be = |a: &str, b: &str| hole::same(a, b) != hole::Same::No;
            own.extend(
                Some(only).filter(|only| could_be(&only.account, &source.account) && could_be(&only.region, &source.region)),
            );
        }
        if own.is_empty() {
            let mut unknown = Configuration::new(Kind::AccessLog, (source.place, source.place), &source.bucket, "");
            unknown.doubt("no delivery of this delivery source is in the inputs");
            partition(source, &mut unknown);
            judged.push(unknown);
        }
        judged.extend(own.into_iter().map(|delivery| {
            let destination = delivery.destination.known().and_then(|arn| destinations.get(arn.value.as_str()).copied());
            one(world, source, delivery, destination)
        }));
    }
    judged
}

fn one(
    world: &World<'_>,
    source: &DeliverySource,
    delivery: &Delivery,
    destination: Option<&DeliveryDestination>,
) -> Configuration {
    let target = destination.and_then(|destination| destination.target.known());
    let named = target.and_then(|target| target_of(&target.value));
    let shown = match &named {
        Some(Target::Bucket(name) | Target::LogGroup(_, _, name) | Target::Firehose(name)) => name.as_str(),
        None => "",
    };
    let mut configuration = Configuration::new(Kind::AccessLog, (source.place, delivery.place), &source.bucket, shown);
    partition(source, &mut configuration);
    let Some(destination) = destination else {
        configuration.doubt("the delivery destination is not in the inputs");
        return configuration;
    };
    across(source, destination, &mut configuration);
    match (named, target) {
        (Some(Target::Bucket(name)), Some(target)) => {
            let name = At { value: name, place: target.place };
            into_bucket(world, source, &name, &mut configuration);
        }
        (Some(Target::LogGroup(region, account, _)), Some(target)) => {
            into_log_group(source, target, [&region, &account], &mut configuration);
        }
        (Some(Target::Firehose(_)), _) => {}
        _ => configuration.doubt("where the delivery destination leads to is not known here"),
    }
    configuration
}

/// A log group is one of the bucket's own Region (S3 user guide, "Enabling server access logging with Amazon CloudWatch Logs") and account:
/// across accounts logs go to buckets and Firehose streams alone (CloudWatch Logs user guide, "Logging that requires additional
/// permissions [V2]", <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-vended-logs-permissions-V2.html>).
fn into_log_group(source: &DeliverySource, target: &Text, [region, account]: [&str; 2], configuration: &mut Configuration) {
    for (what, own, other) in [("Region", &source.region, region), ("account", &source.account, account)] {
        match hole::same(other, own) {
            hole::Same::Yes => {}
            hole::Same::Maybe => configuration.doubt(format!("whether the log group is in the bucket's own {what}")),
            hole::Same::No => {
                let (here, there) = (hole::shown(own), hole::shown(other));
                let is_in = if what == "account" { "in the account " } else { "in " };
                let message = format!(
                    "the log group of the access logs of `{}` is {is_in}{there}, the bucket {is_in}{here}",
                    configuration.source
                );
                let found = finding(&VENDED_LOG_GROUP, target.place, message).help(format!(
                    "deliver to a log group of the bucket's own {what}; a bucket or a Firehose stream may be in another one"
                ));
                configuration.findings.push(related(found, source.place, "the delivery source"));
            }
        }
    }
}

/// The log type is offered in commercial Regions; China and GovCloud are named as those without it.
fn partition(source: &DeliverySource, configuration: &mut Configuration) {
    let known = region::is_well_formed(&source.region).then(|| Partition::of_region(&source.region));
    if !matches!(known, Some(Partition::Cn | Partition::UsGov)) {
        return;
    }
    let message =
        format!("the access logs of `{}` can't be delivered by CloudWatch Logs in {}", configuration.source, source.region);
    configuration
        .findings
        .push(finding(&VENDED_PARTITION, source.place, message).help(
            "China and GovCloud do not have the log type `S3_SERVER_ACCESS_LOGS`; log to a bucket with `PutBucketLogging`",
        ));
}

/// Into another account only by its destination's policy.
fn across(source: &DeliverySource, destination: &DeliveryDestination, configuration: &mut Configuration) {
    let same = hole::same(&source.account, &destination.account);
    if same == hole::Same::Yes {
        return;
    }
    let lets_in = match &destination.policy {
        Setting::Known(policy) => {
            let is_open = policy.value.contains("\"*\"") || policy.value.contains(":*\"");
            Some(is_open || hole::has(&source.account) || policy.value.contains(source.account.as_str()))
        }
        Setting::Unsaid if destination.defined => Some(false),
        Setting::Unknown(_) | Setting::Unsaid => None,
    };
    match (same, lets_in) {
        (_, Some(true)) => {}
        (hole::Same::No, Some(false)) => {
            let message = format!(
                "the delivery destination of the account {} does not let in the account {}, which delivers the access logs of `{}`",
                hole::shown(&destination.account),
                hole::shown(&source.account),
                configuration.source
            );
            let found = finding(&VENDED_POLICY, destination.place, message)
                .help("give the destination a policy that allows `logs:CreateDelivery` to the bucket's account: `aws logs put-delivery-destination-policy`");
            configuration.findings.push(related(found, source.place, "the delivery source"));
        }
        _ => configuration.doubt("whether the policy of the delivery destination lets the bucket's account in"),
    }
}

fn into_bucket(world: &World<'_>, source: &DeliverySource, name: &Text, configuration: &mut Configuration) {
    let bucket = world.bucket(name);
    let shown = hole::shown(&name.value);
    match &bucket.encryption {
        Setting::Known(algorithm) if algorithm.value.starts_with("aws:kms") => match &bucket.key {
            Setting::Known(key) if !key.value.ends_with("alias/aws/s3") => {}
            Setting::Unknown(_) => configuration.doubt(format!("whether the KMS key of `{shown}` is the account's own")),
            Setting::Known(_) | Setting::Unsaid => {
                let message = format!("`{shown}` takes vended access logs and has the KMS key that AWS manages");
                let found = finding(&VENDED_KEY, algorithm.place, message).help(
                    "logs are delivered in a form that nobody can read; use a customer managed key whose policy lets `delivery.logs.amazonaws.com` in, or `AES256`",
                );
                configuration.findings.push(related(found, source.place, "the delivery source"));
            }
        },
        Setting::Known(algorithm) if hole::has(&algorithm.value) => {
            configuration.doubt(format!("the default encryption of `{shown}` is set to what can't be known here"));
        }
        Setting::Unknown(_) => {
            configuration.doubt(format!("the default encryption of `{shown}` is set to what can't be known here"))
        }
        Setting::Unsaid if !bucket.is_whole() => {
            configuration.doubt(format!("the default encryption of `{shown}` is not in the inputs"))
        }
        Setting::Known(_) | Setting::Unsaid => {}
    }
    policy(world, source, &bucket, &shown, configuration);
}

/// CloudWatch Logs adds the grant itself where its caller may change the policy; a Deny it can't take away.
fn policy(world: &World<'_>, source: &DeliverySource, bucket: &Bucket, shown: &str, configuration: &mut Configuration) {
    let Setting::Known(policy) = &bucket.policy else {
        if !bucket.is_whole() || matches!(bucket.policy, Setting::Unknown(_)) {
            configuration.doubt(format!("the policy of `{shown}` is not known here"));
        }
        return;
    };
    let partition = bucket.partition();
    let resource = arn::object(partition, &bucket.name.value, &format!("AWSLogs/{}/", source.account));
    if !world.may_ask(&policy.value.policy, &resource) {
        return configuration.doubt(too_complex(shown));
    }
    let source_arn = arn::delivery_source(partition, &source.region, &source.account, &source.name.value);
    let delivery = super::delivery::Delivery {
        service: LOG_DELIVERY_SERVICE,
        bucket: bucket.name.value.clone(),
        partition,
        region: bucket.region.as_ref().map_or_else(|| hole::hole("Region", "of the bucket"), |region| region.value.clone()),
        owner: bucket.account.as_ref().map_or_else(|| hole::hole("account", "of the bucket"), |id| id.value.clone()),
        arn: source_arn,
        account: source.account.clone(),
        organization: None,
        has_key: false,
    };
    // whether the service sends the header of the ACL to a bucket without ACLs is not documented
    let objects = form(Shape::starting(resource).then(Set::Any).opened());
    let requests = delivery.requests(&policy.value.policy, "s3:PutObject", objects);
    match admit::ask(&policy.value.policy, &requests) {
        admit::Answer::Denied(denials) => {
            for denial in denials {
                let message = format!("this statement keeps the vended access logs of `{}` out of `{shown}`", configuration.source);
                let found = denial.finding(&policy.value, message, "log delivery is denied here").help(
                    "exempt AWS services from the statement: `\"Bool\": {\"aws:PrincipalIsAWSService\": \"false\"}`, or name whom it is for",
                );
                configuration.findings.push(related(found, source.place, "the logs that would not arrive"));
            }
        }
        admit::Answer::Allowed if !policy.value.partly_unknown => {}
        _ => configuration.doubt(format!(
            "whether the policy of `{shown}` lets `{LOG_DELIVERY_SERVICE}` in: CloudWatch Logs adds that statement where it may, and code that sets the policy takes it away"
        )),
    }
}
