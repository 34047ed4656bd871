//! Rules on what others wrote: plans, states, templates, policies, dumps. Their checks are in `compare` and in the readers.

use crate::rule_family;

rule_family! {
    since "0.1.0";
    REGION = "LM1101" "target-region" Error Input: "a bucket logs to a bucket of another Region";
    ACCOUNT = "LM1102" "target-account" Error Input: "a bucket logs to a bucket of another account";
    PARTITION = "LM1103" "other-partition" Error Input: "an ARN is of another partition than its bucket";
    SELF = "LM1104" "logs-to-itself" Error Input: "a bucket logs to itself";
    CYCLE = "LM1105" "logging-cycle" Error Input: "buckets log to each other in a circle";
    TARGET_NAME = "LM1106" "target-name" Error Input: "a log bucket is given by something else than its name";
    SETTING_REGION = "LM1107" "setting-region" Error Input: "a setting is sent to another Region than its bucket's";
    NOT_DERIVED = "LM1108" "not-derived" Error Input: "a bucket logs to another bucket than the map derives";
    TARGET_KIND = "LM1109" "target-kind" Error Input: "a log bucket is not a general purpose bucket";
    CHAIN = "LM1110" "logging-chain" Warning Input: "a log bucket logs to yet another bucket";
    VENDED_LOG_GROUP = "LM1111" "vended-log-group" Error Input: "vended access logs go to a log group of another Region or account";
    VENDED_PARTITION = "LM1112" "vended-partition" Error Input: "vended access logs in a partition that does not have them";
    VENDED_POLICY = "LM1113" "vended-policy" Error Input: "a delivery destination of another account does not let the source's in";
    LOGGING_KEY = "LM1114" "logging-property" Error Input: "a log configuration has a property that CloudFormation does not know";
    ENCRYPTION = "LM1201" "target-encryption" Error Input: "an access-log bucket has SSE-KMS as its default encryption";
    LOCK = "LM1202" "target-object-lock" Error Input: "an access-log bucket has Object Lock";
    PAYER = "LM1203" "target-requester-pays" Error Input: "a log bucket is Requester Pays";
    ACL = "LM1204" "target-acl" Error Input: "log delivery is granted by an ACL that the bucket can't have";
    VENDED_KEY = "LM1205" "vended-key" Error Input: "a bucket that takes vended access logs has the KMS key that AWS manages";
    NO_GRANT = "LM1301" "no-grant" Error Input: "nothing lets access logs into their bucket";
    DENIED = "LM1302" "delivery-denied" Error Input: "a Deny keeps logs from being delivered";
    OPEN_GRANT = "LM1303" "open-grant" Warning Input: "a delivery service may write for anybody";
    DEAD_GRANT = "LM1304" "dead-grant" Error Input: "a grant to a delivery service has a condition that no delivery meets";
    POLICY_JSON = "LM1401" "policy-json" Error Input: "a policy is not JSON";
    POLICY_KEY = "LM1402" "policy-duplicate-key" Error Input: "a key stands twice in one object of a policy";
    POLICY_WILDCARD = "LM1403" "policy-wildcard" Error Input: "a wildcard under an operator that compares exactly";
    POLICY_RESOURCE = "LM1404" "policy-resource" Error Input: "a resource that its action does not work on";
    POLICY_SOURCE = "LM1405" "policy-source-arn" Error Input: "a source ARN that no delivery has";
    POLICY_SERVICE = "LM1406" "policy-service" Error Input: "a delivery service is misspelt";
    POLICY_BYTES = "LM1407" "policy-bytes" Error Input: "a bucket policy has more than 20,480 bytes";
    POLICY_ELEMENT = "LM1408" "policy-element" Error Input: "a policy has an element that IAM does not know";
    NO_DELIVERY = "LM1409" "no-delivery" Warning Input: "a principal looks like log delivery and is not";
    TRAIL_GRANT = "LM1501" "trail-grant" Error Input: "a bucket's policy does not let a trail in";
    TRAIL_ORDER = "LM1502" "trail-order" Error Input: "a trail does not wait for its bucket's policy";
    TRAIL_PREFIX = "LM1503" "trail-key-prefix" Error Input: "a trail's key prefix can't be used";
    TRAIL_KEY = "LM1504" "trail-key-region" Error Input: "a trail's KMS key is in another Region than its bucket";
    TRAIL_OFF = "LM1505" "trail-off" Error Input: "a trail is off";
    KEY_POLICY = "LM1506" "trail-key-policy" Error Input: "a KMS key's policy does not let CloudTrail use it";
    TRAIL_LOOP = "LM1507" "trail-records-its-deliveries" Error Input: "a trail records what it delivers";
}
