//! Rules on what others wrote: plans, states, templates, policies, dumps. Their checks are in `compare` and in the readers.

use crate::{diagnostics::Rule, rule};

rule!(REGION, "LM1101", "target-region", Error, "a bucket logs to a bucket of another Region");
rule!(ACCOUNT, "LM1102", "target-account", Error, "a bucket logs to a bucket of another account");
rule!(PARTITION, "LM1103", "other-partition", Error, "an ARN is of another partition than its bucket");
rule!(SELF, "LM1104", "logs-to-itself", Error, "a bucket logs to itself");
rule!(CYCLE, "LM1105", "logging-cycle", Error, "buckets log to each other in a circle");
rule!(TARGET_NAME, "LM1106", "target-name", Error, "a log bucket is given by something else than its name");
rule!(SETTING_REGION, "LM1107", "setting-region", Error, "a setting is sent to another Region than its bucket's");
rule!(NOT_DERIVED, "LM1108", "not-derived", Error, "a bucket logs to another bucket than the map derives");
rule!(TARGET_KIND, "LM1109", "target-kind", Error, "a log bucket is not a general purpose bucket");
rule!(CHAIN, "LM1110", "logging-chain", Warning, "a log bucket logs to yet another bucket");
rule!(ENCRYPTION, "LM1201", "target-encryption", Error, "an access-log bucket has SSE-KMS as its default encryption");
rule!(LOCK, "LM1202", "target-object-lock", Error, "an access-log bucket has Object Lock");
rule!(PAYER, "LM1203", "target-requester-pays", Error, "a log bucket is Requester Pays");
rule!(ACL, "LM1204", "target-acl", Error, "log delivery is granted by an ACL that the bucket can't have");
rule!(NO_GRANT, "LM1301", "no-grant", Error, "nothing lets access logs into their bucket");
rule!(DENIED, "LM1302", "delivery-denied", Error, "a Deny keeps logs from being delivered");
rule!(OPEN_GRANT, "LM1303", "open-grant", Error, "a delivery service may write for anybody");
rule!(POLICY_JSON, "LM1401", "policy-json", Error, "a policy is not JSON");
rule!(POLICY_KEY, "LM1402", "policy-duplicate-key", Error, "a key stands twice in one object of a policy");
rule!(POLICY_WILDCARD, "LM1403", "policy-wildcard", Error, "a wildcard under an operator that compares exactly");
rule!(POLICY_RESOURCE, "LM1404", "policy-resource", Error, "a resource that its action does not work on");
rule!(POLICY_SOURCE, "LM1405", "policy-source-arn", Error, "a source ARN that no delivery has");
rule!(POLICY_SERVICE, "LM1406", "policy-service", Error, "a delivery service is misspelt");
rule!(POLICY_BYTES, "LM1407", "policy-bytes", Error, "a bucket policy has more than 20,480 bytes");
rule!(POLICY_ELEMENT, "LM1408", "policy-element", Error, "a policy has an element that IAM does not know");
rule!(TRAIL_GRANT, "LM1501", "trail-grant", Error, "a bucket's policy does not let a trail in");
rule!(TRAIL_ORDER, "LM1502", "trail-order", Error, "a trail does not wait for its bucket's policy");
rule!(TRAIL_PREFIX, "LM1503", "trail-key-prefix", Error, "a trail's key prefix can't be used");
rule!(TRAIL_KEY, "LM1504", "trail-key-region", Error, "a trail's KMS key is in another Region than its bucket");

/// The family.
pub const RULES: &[&Rule] = &[
    &REGION,
    &ACCOUNT,
    &PARTITION,
    &SELF,
    &CYCLE,
    &TARGET_NAME,
    &SETTING_REGION,
    &NOT_DERIVED,
    &TARGET_KIND,
    &CHAIN,
    &ENCRYPTION,
    &LOCK,
    &PAYER,
    &ACL,
    &NO_GRANT,
    &DENIED,
    &OPEN_GRANT,
    &POLICY_JSON,
    &POLICY_KEY,
    &POLICY_WILDCARD,
    &POLICY_RESOURCE,
    &POLICY_SOURCE,
    &POLICY_SERVICE,
    &POLICY_BYTES,
    &POLICY_ELEMENT,
    &TRAIL_GRANT,
    &TRAIL_ORDER,
    &TRAIL_PREFIX,
    &TRAIL_KEY,
];
