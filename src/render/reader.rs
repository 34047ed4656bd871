//! The policy of the role that reads an account for `logmap snapshot`: each call that a reading can make, and nothing else.

use crate::{
    aws::{REPLICATION_ROLE, arn, limits::MANAGED_POLICY_CHARS},
    plan::{Account, monitoring::Monitoring},
    text,
};
use serde_json::{Value, json};

/// For the buckets: names of permissions differ from those of calls (service authorization reference of Amazon S3).
const BUCKETS: [&str; 14] = [
    "s3:GetBucketAcl",
    "s3:GetBucketLocation",
    "s3:GetBucketLogging",
    "s3:GetBucketObjectLockConfiguration",
    "s3:GetBucketOwnershipControls",
    "s3:GetBucketPolicy",
    "s3:GetBucketPublicAccessBlock",
    "s3:GetBucketRequestPayment",
    "s3:GetBucketTagging",
    "s3:GetBucketVersioning",
    "s3:GetEncryptionConfiguration",
    "s3:GetLifecycleConfiguration",
    "s3:GetReplicationConfiguration",
    "s3:ListAllMyBuckets",
];
/// For trails, and for vended deliveries of access logs.
const TRAILS: [&str; 7] = [
    "cloudtrail:DescribeTrails",
    "cloudtrail:GetEventSelectors",
    "cloudtrail:GetInsightSelectors",
    "cloudtrail:GetTrailStatus",
    "logs:DescribeDeliveries",
    "logs:DescribeDeliveryDestinations",
    "logs:DescribeDeliverySources",
];

/// The policy, as JSON for people.
pub(super) fn policy(account: &Account) -> String {
    let named = document(&statements(account, true));
    // too many names for one policy: any bucket of this account, and of no other
    let policy = if text::json(&named).len() <= MANAGED_POLICY_CHARS { named } else { of_any_account(account) };
    text::pretty_json(&policy) + "\n"
}

/// The same without names of log buckets: any bucket of the account.
pub(super) fn of_any_account(account: &Account) -> Value {
    document(&statements(account, false))
}

fn statements(account: &Account, named: bool) -> Vec<Value> {
    let mut statements = vec![
        json!({ "Sid": "Buckets", "Effect": "Allow", "Action": BUCKETS, "Resource": "*" }),
        json!({ "Sid": "TrailsAndVendedDeliveries", "Effect": "Allow", "Action": TRAILS, "Resource": "*" }),
    ];
    if account.placements.iter().any(|placement| placement.replication_role.is_some()) {
        let roles = arn::role(account.partition, &account.id, &format!("{REPLICATION_ROLE}*"));
        statements.push(json!({ "Sid": "RolesThatCopy", "Effect": "Allow", "Action": ["iam:GetRole", "iam:GetRolePolicy"], "Resource": roles }));
    }
    let has = |made: fn(&Monitoring) -> bool| account.placements.iter().any(|placement| made(&placement.monitoring));
    let mut watched = Vec::new();
    if has(|made| made.config_rule.is_some()) {
        watched.push("config:DescribeConfigRules");
    }
    if has(|made| made.alerts.is_some()) {
        watched.extend(["events:DescribeRule", "events:ListTargetsByRule", "sns:GetTopicAttributes"]);
    }
    if has(|made| made.parameters().next().is_some()) {
        watched.push("ssm:GetParameter");
    }
    if !watched.is_empty() {
        statements.push(json!({ "Sid": "WhatTheMapPublishesAndWatches", "Effect": "Allow", "Action": watched, "Resource": "*" }));
    }
    let buckets: Vec<String> = account
        .placements
        .iter()
        .flat_map(|placement| &placement.buckets)
        .map(|bucket| format!("arn:{}:s3:::{}", account.partition, bucket.name))
        .collect();
    if !buckets.is_empty() {
        let mut lists = json!({ "Sid": "DeliveryOfLogs", "Effect": "Allow", "Action": "s3:ListBucket", "Resource": buckets });
        if !named {
            lists["Resource"] = json!("*");
            lists["Condition"] = json!({ "StringEquals": { "s3:ResourceAccount": account.id } });
        }
        statements.push(lists);
    }
    statements
}

fn document(statements: &[Value]) -> Value {
    json!({ "Version": "2012-10-17", "Statement": statements })
}
