//! Resource import of adopted buckets and trails: the list of resources, and the template with which to import them.
//!
//! An import may only import, and CloudFormation afterwards compares templates, not what exists. So of a bucket the import template
//! holds as little as it can: whatever the stack's template adds is then applied by the next deploy. Of a trail it holds all that the
//! stack's template does: AWS does not say that an update leaves the log group, the topic, the Insights and the selectors that no template
//! has, so the first deploy is to find nothing to change.

use super::ids::{bucket_id, policy_id, trail_id};
use crate::{
    plan::{ExistingSetting, LogBucket, Placement, Trail},
    render::{aws_cli, scanners},
};
use anyhow::Result;
use serde_json::{Map, Value, json};

/// The resources to import, for `--resources-to-import`.
pub(super) fn resources(placement: &Placement) -> Result<String> {
    let mut list = Vec::new();
    for bucket in adopted(placement) {
        list.push(json!({
            "ResourceType": "AWS::S3::Bucket",
            "LogicalResourceId": bucket_id(bucket),
            "ResourceIdentifier": { "BucketName": bucket.name },
        }));
        if takes_policy(bucket) {
            list.push(json!({
                "ResourceType": "AWS::S3::BucketPolicy",
                "LogicalResourceId": policy_id(bucket),
                "ResourceIdentifier": { "Bucket": bucket.name },
            }));
        }
    }
    // AWS::CloudTrail::Trail is known by its name (CloudFormation user guide, "Resource type support"; `primaryIdentifier` of its schema)
    list.extend(placement.trails.iter().filter(|trail| trail.adopt).map(|trail| {
        json!({
            "ResourceType": "AWS::CloudTrail::Trail",
            "LogicalResourceId": trail_id(trail),
            "ResourceIdentifier": { "TrailName": trail.name },
        })
    }));
    Ok(serde_json::to_string_pretty(&list)? + "\n")
}

/// The template of the import, as JSON.
pub(super) fn template(placement: &Placement) -> Result<String> {
    let mut resources = Map::new();
    for bucket in adopted(placement) {
        resources.insert(
            bucket_id(bucket),
            json!({
                "Type": "AWS::S3::Bucket",
                "DeletionPolicy": "Retain",
                "UpdateReplacePolicy": "Retain",
                "Metadata": scanners::metadata(scanners::IMPORTED_BUCKET, &scanners::of_bucket(bucket, placement)),
                "Properties": { "BucketName": bucket.name },
            }),
        );
        if takes_policy(bucket) {
            // differs from the stack's policy by its Id, or the next deploy would see nothing to change
            let mut policy = serde_json::to_value(&bucket.policy)?;
            if let Value::Object(entries) = &mut policy {
                entries.insert("Id".to_owned(), json!("BeforeImport"));
            }
            resources.insert(
                policy_id(bucket),
                json!({
                    "Type": "AWS::S3::BucketPolicy",
                    "DeletionPolicy": "Retain",
                    "UpdateReplacePolicy": "Retain",
                    "Metadata": scanners::metadata("AWS::S3::BucketPolicy", &scanners::of_bucket(bucket, placement)),
                    "Properties": { "Bucket": bucket.name, "PolicyDocument": policy },
                }),
            );
        }
    }
    for trail in placement.trails.iter().filter(|trail| trail.adopt) {
        resources.insert(
            trail_id(trail),
            json!({
                "Type": "AWS::CloudTrail::Trail",
                "DeletionPolicy": "Retain",
                "UpdateReplacePolicy": "Retain",
                "Metadata": scanners::metadata("AWS::CloudTrail::Trail", &scanners::of_trail(trail)),
                "Properties": properties(trail),
            }),
        );
    }
    Ok(serde_json::to_string_pretty(&json!({ "AWSTemplateFormatVersion": "2010-09-09", "Resources": resources }))? + "\n")
}

/// The properties of a trail, as `cloudformation/resources.yaml` has them.
fn properties(trail: &Trail) -> Value {
    let mut properties = json!({
        "TrailName": trail.name,
        "S3BucketName": trail.bucket,
        "IsLogging": true,
        "IsMultiRegionTrail": trail.multi_region,
        "IsOrganizationTrail": trail.organization,
        "IncludeGlobalServiceEvents": true,
        "EnableLogFileValidation": trail.log_file_validation,
    });
    if !trail.prefix.is_empty() {
        properties["S3KeyPrefix"] = json!(trail.prefix);
    }
    if let Some(key) = &trail.kms_key_arn {
        properties["KMSKeyId"] = json!(key);
    }
    if let Some(topic) = &trail.topic {
        properties["SnsTopicName"] = json!(topic.name);
    }
    if let Some(group) = &trail.log_group {
        properties["CloudWatchLogsLogGroupArn"] = json!(group.arn);
        properties["CloudWatchLogsRoleArn"] = json!(group.role_arn);
    }
    if let Some(insights) = aws_cli::insights(trail) {
        properties["InsightSelectors"] = insights;
    }
    if let Some(selectors) = trail.selectors() {
        properties["AdvancedEventSelectors"] = selectors;
    }
    properties
}

fn adopted(placement: &Placement) -> impl Iterator<Item = &LogBucket> {
    placement.buckets.iter().filter(|bucket| bucket.adopt.is_some())
}

/// Does the import of the bucket take a policy with it? It does, unless the map lists what exists on it, and no policy among that: a
/// stack can't create the policy of a bucket that has one
/// (<https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/1068>).
pub(super) fn takes_policy(bucket: &LogBucket) -> bool {
    bucket
        .adopt
        .as_ref()
        .is_some_and(|adopt| adopt.returned || adopt.existing.is_empty() || adopt.existing.contains(&ExistingSetting::Policy))
}
