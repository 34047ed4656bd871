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

/// Characters of an event pattern (EventBridge quotas, "Event pattern size", the default).
pub(crate) const PATTERN_CHARS: usize = 2_048;
/// Characters of a rule's name (EventBridge API, PutRule).
pub(crate) const RULE_NAME_CHARS: usize = 64;
/// Rules of one account and Region that name its sources; an event bus has room for 300 or, in some Regions, 100 (EventBridge quotas).
pub(crate) const SOURCE_RULES: usize = 20;
/// The service that evaluates rules and publishes what they match.
pub(crate) const EVENTS_SERVICE: &str = "events.amazonaws.com";

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
    fn the_calls_are_sorted_and_each_is_there_once() {
        for calls in [&BUCKET_CALLS[..], &LOG_BUCKET_CALLS, &TRAIL_CALLS] {
            assert!(calls.windows(2).all(|pair| pair[0] < pair[1]));
        }
        assert!(!LOG_BUCKET_CALLS.iter().any(|call| BUCKET_CALLS.contains(call)));
    }
}
