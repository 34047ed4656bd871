//! Logical ids: letters and digits, the same as long as the thing keeps its name.

use crate::{
    digest::short_digest,
    plan::{LogBucket, ReplicationRole, Trail},
};

/// Logical id of a log bucket.
pub(super) fn bucket_id(bucket: &LogBucket) -> String {
    id("LogBucket", &bucket.name)
}

/// Logical id of its policy.
pub(super) fn policy_id(bucket: &LogBucket) -> String {
    id("LogBucketPolicy", &bucket.name)
}

/// Logical id of a role with which S3 copies logs.
pub(super) fn role_id(role: &ReplicationRole) -> String {
    id("CopyRole", &role.arn)
}

/// Logical id of the archive as a destination of deliveries, of an account and Region.
pub(super) fn destination_id(arn: &str) -> String {
    id("DeliveryDestination", arn)
}

/// Logical id of a trail.
pub(super) fn trail_id(trail: &Trail) -> String {
    id("Trail", &trail.arn)
}

/// A logical id: letters and digits, the same as long as the thing keeps its name.
pub(super) fn id(kind: &str, name: &str) -> String {
    [kind, &short_digest(name)].concat()
}

/// `us-east-1` → `UsEast1`, for names that may hold letters and digits only.
pub(super) fn camel(region: &str) -> String {
    region
        .split(|c: char| !c.is_ascii_alphanumeric())
        .map(|part| part.chars().take(1).map(|c| c.to_ascii_uppercase()).chain(part.chars().skip(1)).collect::<String>())
        .collect()
}
