//! What to watch: API calls that change logging, as CloudTrail names them, and the limits of EventBridge, SNS and Config.
//!
//! Sources: S3 user guide, "Amazon S3 CloudTrail events" (bucket-level actions; several names differ from the API's, such as
//! `PutBucketPublicAccessBlock`); CloudTrail API reference; EventBridge quotas; SNS API, CreateTopic; Config API, ConfigRule.

/// Calls that change where a bucket's logs go, who may write to it or read it, or that end it.
pub(crate) const BUCKET_CALLS: [&str; 12] = [
    "DeleteBucket",
    "DeleteBucketEncryption",
    "DeleteBucketOwnershipControls",
    "DeleteBucketPolicy",
    "DeleteBucketPublicAccessBlock",
    "PutBucketAcl",
    "PutBucketEncryption",
    "PutBucketLogging",
    "PutBucketOwnershipControls",
    "PutBucketPolicy",
    "PutBucketPublicAccessBlock",
    "PutBucketVersioning",
];
/// Calls that matter on a log bucket only: what keeps objects, or keeps deliveries out.
pub(crate) const LOG_BUCKET_CALLS: [&str; 4] =
    ["DeleteBucketLifecycle", "PutBucketLifecycle", "PutBucketObjectLockConfiguration", "PutBucketRequestPayment"];
/// Calls that change what a trail records or where it delivers.
pub(crate) const TRAIL_CALLS: [&str; 4] = ["DeleteTrail", "PutEventSelectors", "StopLogging", "UpdateTrail"];
/// Calls that end an object (S3 user guide, "Amazon S3 CloudTrail events": data events). One of many objects does not name them, and
/// what a lifecycle rule ends is no call.
pub(crate) const OBJECT_CALLS: [&str; 2] = ["DeleteObject", "DeleteObjects"];
/// Calls that make or end copies of a log bucket elsewhere (S3 user guide, as above).
pub(crate) const REPLICATION_CALLS: [&str; 2] = ["DeleteBucketReplication", "PutBucketReplication"];
/// Calls that change what of an account's buckets can be public. The API calls them `PutPublicAccessBlock` and
/// `DeletePublicAccessBlock` of S3 Control; CloudTrail has the names of the permissions, with `s3.amazonaws.com` as the source, in the
/// Region whose endpoint was called (Config developer guide, `s3-account-level-public-access-blocks`, "the specific region where the S3
/// endpoint is located").
pub(crate) const ACCOUNT_CALLS: [&str; 2] = ["DeleteAccountPublicAccessBlock", "PutAccountPublicAccessBlock"];
/// Calls that silence a rule of EventBridge (EventBridge API; all of its calls are recorded: user guide, "Logging Amazon EventBridge API
/// calls using AWS CloudTrail"). The first ones name the rule `name`, the others `rule`.
pub(crate) const RULE_CALLS: [&str; 5] = ["DeleteRule", "DisableRule", "PutRule", "PutTargets", "RemoveTargets"];
/// Calls that silence a topic (SNS developer guide, "Logging AWS SNS API calls using AWS CloudTrail": all but `Publish` are management
/// events). A subscription that is ended by the link in a message, which is not signed, is not recorded (the same page).
pub(crate) const TOPIC_CALLS: [&str; 7] = [
    "AddPermission",
    "DeleteTopic",
    "PutDataProtectionPolicy",
    "RemovePermission",
    "SetSubscriptionAttributes",
    "SetTopicAttributes",
    "Unsubscribe",
];
/// Calls after which CloudTrail can't encrypt with a key, or nobody can read what it has encrypted (KMS developer guide, "Logging AWS KMS
/// API calls with AWS CloudTrail").
pub(crate) const KEY_CALLS: [&str; 5] =
    ["DeleteImportedKeyMaterial", "DisableKey", "PutKeyPolicy", "RevokeGrant", "ScheduleKeyDeletion"];
/// Calls that give the name of a key to another key, or to none.
pub(crate) const ALIAS_CALLS: [&str; 2] = ["DeleteAlias", "UpdateAlias"];
/// Calls that end or redirect a delivery of CloudWatch Logs, such as `S3_SERVER_ACCESS_LOGS` of a bucket (CloudWatch Logs API; CloudTrail
/// records the calls of its API: CloudWatch Logs user guide, "Logging CloudWatch Logs API and console operations in AWS CloudTrail").
pub(crate) const DELIVERY_CALLS: [&str; 7] = [
    "DeleteDelivery",
    "DeleteDeliveryDestination",
    "DeleteDeliveryDestinationPolicy",
    "DeleteDeliverySource",
    "PutDeliveryDestination",
    "PutDeliveryDestinationPolicy",
    "UpdateDeliveryConfiguration",
];

/// Characters of an event pattern (EventBridge quotas, "Event pattern size", the default).
pub(crate) const PATTERN_CHARS: usize = 2_048;
/// Characters of a rule's name (EventBridge API, PutRule).
pub(crate) const RULE_NAME_CHARS: usize = 64;
/// Characters of the template of an input transformer, and the values it may take out of an event (EventBridge API, InputTransformer).
#[cfg(test)]
pub(crate) const TEMPLATE_CHARS: usize = 8_192;
#[cfg(test)]
pub(crate) const TEMPLATE_PATHS: usize = 100;
/// Rules of one account and Region that name its sources; an event bus has room for 300 or, in some Regions, 100 (EventBridge quotas).
pub(crate) const SOURCE_RULES: usize = 20;
/// Characters of the policy of an event bus: "cannot exceed 10 KB in size" (EventBridge API, PutPermission).
pub(crate) const BUS_POLICY_CHARS: usize = 10_240;
/// Name of the role with which EventBridge sends events to another bus, if the map names none.
pub(crate) const BUS_ROLE: &str = "logmap-alerts";

/// Is this the name of a role that stands at no path?
pub(crate) fn is_bus_role(name: &str) -> bool {
    super::limits::is_role_name(name) && !name.contains('/')
}

/// Why events can't be sent to this bus. A rule of the bus `default` hears of what arrives there, those of the map too, and would send it on.
pub(crate) fn bus_problem(arn: &str) -> Option<&'static str> {
    let Some(parsed) = super::arn::parse(arn).filter(|arn| arn.service == "events") else {
        return Some("is not the ARN of an event bus");
    };
    let name = parsed.resource.strip_prefix("event-bus/").unwrap_or_default();
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    if name.is_empty()
        || name.len() > 256
        || !name.bytes().all(is_name)
        || !super::limits::is_account_id(parsed.account)
        || !super::region::is_well_formed(parsed.region)
        || parsed.partition != super::Partition::of_region(parsed.region).id()
    {
        return Some("is not the ARN of an event bus");
    }
    (name == "default")
        .then_some("is the bus of AWS's own events: the rules of its account would hear again of what arrives there")
}

/// The service that evaluates rules and publishes what they match.
pub(crate) const EVENTS_SERVICE: &str = "events.amazonaws.com";

/// Characters that the ARNs of `except` may have together: a pattern has room for them beside the longest topic.
pub(crate) const EXCEPT_CHARS: usize = 400;

/// Characters of the ARN of a principal that `except` names.
pub(crate) fn except_chars(name: &str) -> usize {
    const LONGEST_HEAD: usize = "arn:aws-iso-b:iam::111122223333:role/".len();
    // with quotes and a comma
    name.len() + 3 + if name.starts_with("arn:") { 0 } else { LONGEST_HEAD }
}

/// Why a principal can't be named by `except`.
pub(crate) fn except_problem(name: &str) -> Option<&'static str> {
    let of = match name.strip_prefix("arn:") {
        None => name,
        Some(_) => match super::arn::parse(name) {
            Some(arn) if (arn.service, arn.region) == ("iam", "") && super::limits::is_account_id(arn.account) => {
                match arn.resource.split_once('/') {
                    Some(("role" | "user", rest)) => rest,
                    _ => {
                        return Some(
                            "is not the ARN of a role or user: CloudTrail names the role of a session, whoever assumed it",
                        );
                    }
                }
            }
            _ => return Some("is not the ARN of a role or user: CloudTrail names the role of a session, whoever assumed it"),
        },
    };
    if of.is_empty() || !of.bytes().all(|b| b.is_ascii_alphanumeric() || b"+=,.@_/-".contains(&b)) {
        Some("has other characters than names of IAM: nothing can stand for several, so that nobody gets in by a name like it")
    } else {
        None
    }
}

/// Those principals that can be named, sorted; none of them if they are too many for a pattern (reported already).
pub(crate) fn exceptions<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let names: std::collections::BTreeSet<&str> = names.filter(|name| except_problem(name).is_none()).collect();
    if names.iter().map(|name| except_chars(name)).sum::<usize>() > EXCEPT_CHARS {
        return Vec::new();
    }
    names.into_iter().map(str::to_owned).collect()
}

/// What SNS would not take of a topic's name, or EventBridge of the topic.
pub(crate) fn topic_problem(name: &str) -> Option<&'static str> {
    if name.ends_with(".fifo") {
        // EventBridge user guide, "Amazon SNS topic target": a FIFO topic needs a message group, which a rule does not give
        Some("is the name of a FIFO topic, and a rule of EventBridge gives no message group to publish there")
    } else if !(1..=256).contains(&name.len()) {
        Some("has not 1 to 256 characters")
    } else if !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b)) {
        Some("has other characters than letters, digits, `-` and `_`")
    } else {
        None
    }
}

/// Commercial Regions without Config's managed rule `s3-bucket-logging-enabled` (Config developer guide, the rule's page).
const WITHOUT_CONFIG_RULE: [&str; 3] = ["ap-east-2", "ap-southeast-7", "mx-central-1"];

/// Is Config's managed rule `s3-bucket-logging-enabled` known to exist in a Region? The rule's page leaves out China and
/// GovCloud (China's own page has it; that is not established), and says nothing of other partitions or of Regions newer than it.
pub(crate) fn has_config_rule(region: &str) -> bool {
    super::Partition::of_region(region) == super::Partition::Aws
        && super::region::find(region).is_some()
        && !WITHOUT_CONFIG_RULE.contains(&region)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_and_regions_are_judged_as_documented() {
        for (name, good) in
            [("acme-logging_alerts", true), ("", false), ("a.fifo", false), ("a b", false), ("a.b", false), ("ä", false)]
        {
            assert_eq!(topic_problem(name).is_none(), good, "{name}");
        }
        assert!(topic_problem(&"a".repeat(256)).is_none() && topic_problem(&"a".repeat(257)).is_some());
        for (region, has) in
            [("us-east-1", true), ("mx-central-1", false), ("cn-north-1", false), ("us-gov-west-1", false), ("sa-west-9", false)]
        {
            assert_eq!(has_config_rule(region), has, "{region}");
        }
    }

    #[test]
    fn exceptions_are_exact_and_few() {
        for (name, good) in [
            ("logmap-deployer", true),
            ("ops/logmap-deployer", true),
            ("arn:aws:iam::111122223333:role/ops/deployer", true),
            ("arn:aws:iam::111122223333:user/ci", true),
            ("arn:aws:iam::111122223333:root", false),
            ("arn:aws:iam::*:role/deployer", false),
            ("arn:aws:sts::111122223333:assumed-role/deployer/me", false),
            ("logmap-*", false),
            ("logmap\"]", false),
            ("", false),
        ] {
            assert_eq!(except_problem(name).is_none(), good, "{name}");
        }
        assert_eq!(exceptions(["b", "a", "b", "c*"].into_iter()), ["a", "b"]);
        assert!(exceptions(["a".repeat(400).as_str()].into_iter()).is_empty());
    }

    #[test]
    fn the_calls_are_sorted_and_each_is_there_once() {
        for calls in [
            &BUCKET_CALLS[..],
            &LOG_BUCKET_CALLS,
            &TRAIL_CALLS,
            &OBJECT_CALLS,
            &REPLICATION_CALLS,
            &ACCOUNT_CALLS,
            &RULE_CALLS,
            &TOPIC_CALLS,
            &KEY_CALLS,
            &ALIAS_CALLS,
            &DELIVERY_CALLS,
        ] {
            assert!(calls.windows(2).all(|pair| pair[0] < pair[1]));
        }
        assert!(!LOG_BUCKET_CALLS.iter().chain(&REPLICATION_CALLS).any(|call| BUCKET_CALLS.contains(call)));
    }
}
