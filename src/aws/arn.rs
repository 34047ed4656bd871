//! ARNs: the six parts, and the ARNs that logmap makes.

use super::Partition;

/// An ARN's parts after `arn:`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Arn<'a> {
    /// `aws`, `aws-cn` …
    pub partition: &'a str,
    /// `s3`, `kms` …
    pub service: &'a str,
    /// Region, or empty.
    pub region: &'a str,
    /// Account id, or empty.
    pub account: &'a str,
    /// The rest.
    pub resource: &'a str,
}

/// Takes an ARN apart.
pub(crate) fn parse(text: &str) -> Option<Arn<'_>> {
    let mut parts = text.splitn(6, ':');
    let arn = parts.next()?;
    let arn = Arn {
        partition: (arn == "arn").then(|| parts.next())??,
        service: parts.next()?,
        region: parts.next()?,
        account: parts.next()?,
        resource: parts.next()?,
    };
    (!arn.partition.is_empty() && !arn.service.is_empty() && !arn.resource.is_empty()).then_some(arn)
}

/// ARN of a bucket: no Region and no account in it.
pub(crate) fn bucket(partition: Partition, name: &str) -> String {
    ["arn:", partition.id(), ":s3:::", name].concat()
}

/// ARN of an object of a bucket.
pub(crate) fn object(partition: Partition, bucket: &str, key: &str) -> String {
    ["arn:", partition.id(), ":s3:::", bucket, "/", key].concat()
}

/// ARN of a trail: its home Region and owner in it.
pub(crate) fn trail(partition: Partition, region: &str, account_id: &str, name: &str) -> String {
    format!("arn:{partition}:cloudtrail:{region}:{account_id}:trail/{name}")
}

/// ARN of a role by its name.
pub(crate) fn role(partition: Partition, account_id: &str, name: &str) -> String {
    format!("arn:{partition}:iam::{account_id}:role/{name}")
}

/// ARN of an account's root, which stands for the account in a policy.
pub(crate) fn root(partition: Partition, account_id: &str) -> String {
    format!("arn:{partition}:iam::{account_id}:root")
}

/// ARN of a delivery source of CloudWatch Logs (service authorization reference, CloudWatch Logs).
pub(crate) fn delivery_source(partition: Partition, region: &str, account_id: &str, name: &str) -> String {
    format!("arn:{partition}:logs:{region}:{account_id}:delivery-source:{name}")
}

/// ARN of a delivery destination of CloudWatch Logs (the same reference).
pub(crate) fn delivery_destination(partition: Partition, region: &str, account_id: &str, name: &str) -> String {
    format!("arn:{partition}:logs:{region}:{account_id}:delivery-destination:{name}")
}

/// ARN of an SNS topic.
pub(crate) fn topic(partition: Partition, region: &str, account_id: &str, name: &str) -> String {
    format!("arn:{partition}:sns:{region}:{account_id}:{name}")
}

/// ARN of a log group of CloudWatch Logs.
pub(crate) fn log_group(partition: Partition, region: &str, account_id: &str, name: &str) -> String {
    format!("arn:{partition}:logs:{region}:{account_id}:log-group:{name}")
}

/// ARN of a rule of the default event bus.
pub(crate) fn event_rule(partition: Partition, region: &str, account_id: &str, name: &str) -> String {
    format!("arn:{partition}:events:{region}:{account_id}:rule/{name}")
}
