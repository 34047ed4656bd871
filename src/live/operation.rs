//! Every call that is ever sent: nothing else can be, and each of them only reads.

use super::shape::{self, Shape};

/// A service of AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Service {
    /// As in names of endpoints, of permissions, and of what is signed for.
    pub name: &'static str,
    /// Its id in the settings of the SDKs, such as `AWS_ENDPOINT_URL_CLOUDWATCH_LOGS`.
    pub id: &'static str,
}

const S3: Service = Service { name: "s3", id: "S3" };
const STS: Service = Service { name: "sts", id: "STS" };
const CLOUDTRAIL: Service = Service { name: "cloudtrail", id: "CloudTrail" };
const LOGS: Service = Service { name: "logs", id: "CloudWatch Logs" };
const SSM: Service = Service { name: "ssm", id: "SSM" };
const CONFIG: Service = Service { name: "config", id: "Config Service" };
const EVENTS: Service = Service { name: "events", id: "EventBridge" };
const SNS: Service = Service { name: "sns", id: "SNS" };
const IAM: Service = Service { name: "iam", id: "IAM" };
const ORGANIZATIONS: Service = Service { name: "organizations", id: "Organizations" };

/// A call.
#[derive(Debug)]
pub(super) struct Operation {
    /// Whose it is.
    pub service: Service,
    /// Its name.
    pub name: &'static str,
    /// Codes by which AWS says that there is none.
    pub absent: &'static [&'static str],
    /// How it is asked and answered.
    pub how: How,
}

/// How a call is asked and answered.
#[derive(Debug)]
pub(super) enum How {
    /// S3: a GET (or HEAD) with this word in its query.
    S3 {
        /// The word; empty for none.
        query: &'static str,
        /// What is answered.
        body: Body,
        /// Headers of the answer that belong to it, with their keys.
        headers: &'static [(&'static str, &'static str)],
    },
    /// JSON, with this target.
    Json {
        /// The header `x-amz-target`.
        target: &'static str,
        /// Keys whose numbers are seconds since 1970.
        times: &'static [&'static str],
    },
    /// A form, answered by XML.
    Query {
        /// Version of the interface.
        version: &'static str,
        /// What the answer looks like.
        shape: Shape,
    },
}

/// The body of an answer of S3.
#[derive(Debug)]
pub(super) enum Body {
    /// There is none: the call is a HEAD.
    None,
    /// XML, the whole of which is the answer.
    Xml(Shape),
    /// XML that is one key of the answer.
    Part(&'static str, Shape),
    /// The text of the root element is one key of the answer.
    RootText(&'static str),
    /// A text that is one key of the answer.
    Text(&'static str),
}

const fn s3(name: &'static str, query: &'static str, body: Body, absent: &'static [&'static str]) -> Operation {
    Operation { service: S3, name, absent, how: How::S3 { query, body, headers: &[] } }
}

const fn json(service: Service, name: &'static str, target: &'static str, absent: &'static [&'static str]) -> Operation {
    Operation { service, name, absent, how: How::Json { target, times: &[] } }
}

pub(super) const LIST_BUCKETS: Operation = s3("ListBuckets", "", Body::Xml(shape::BUCKETS), &[]);
pub(super) const HEAD_BUCKET: Operation = Operation {
    service: S3,
    name: "HeadBucket",
    absent: &[],
    how: How::S3 {
        query: "",
        body: Body::None,
        headers: &[
            ("x-amz-bucket-region", "BucketRegion"),
            ("x-amz-bucket-arn", "BucketArn"),
            ("x-amz-bucket-location-type", "BucketLocationType"),
            ("x-amz-bucket-location-name", "BucketLocationName"),
            ("x-amz-access-point-alias", "AccessPointAlias"),
        ],
    },
};
pub(super) const LIST_OBJECTS: Operation = s3("ListObjectsV2", "list-type=2", Body::Xml(shape::OBJECTS), &[]);
pub(super) const GET_LOCATION: Operation = s3("GetBucketLocation", "location", Body::RootText("LocationConstraint"), &[]);
pub(super) const GET_LOGGING: Operation = s3("GetBucketLogging", "logging", Body::Xml(shape::LOGGING), &[]);
pub(super) const GET_ACL: Operation = s3("GetBucketAcl", "acl", Body::Xml(shape::ACL), &[]);
/// The readings of a log bucket beside its logging, by their keys in the snapshot.
pub(super) const READINGS: [(&str, Operation); 10] = [
    ("policy", s3("GetBucketPolicy", "policy", Body::Text("Policy"), &["NoSuchBucketPolicy"])),
    (
        "encryption",
        s3(
            "GetBucketEncryption",
            "encryption",
            Body::Part("ServerSideEncryptionConfiguration", shape::ENCRYPTION),
            &["ServerSideEncryptionConfigurationNotFoundError"],
        ),
    ),
    (
        "object_lock",
        s3(
            "GetObjectLockConfiguration",
            "object-lock",
            Body::Part("ObjectLockConfiguration", shape::OBJECT_LOCK),
            &["ObjectLockConfigurationNotFoundError"],
        ),
    ),
    ("payer", s3("GetBucketRequestPayment", "requestPayment", Body::Xml(shape::TEXTS), &[])),
    (
        "ownership",
        s3(
            "GetBucketOwnershipControls",
            "ownershipControls",
            Body::Part("OwnershipControls", shape::OWNERSHIP),
            &["OwnershipControlsNotFoundError"],
        ),
    ),
    (
        "public_access",
        s3(
            "GetPublicAccessBlock",
            "publicAccessBlock",
            Body::Part("PublicAccessBlockConfiguration", shape::PUBLIC_ACCESS),
            &["NoSuchPublicAccessBlockConfiguration"],
        ),
    ),
    ("versioning", s3("GetBucketVersioning", "versioning", Body::Xml(shape::VERSIONING), &[])),
    (
        "lifecycle",
        Operation {
            service: S3,
            name: "GetBucketLifecycleConfiguration",
            absent: &["NoSuchLifecycleConfiguration"],
            how: How::S3 {
                query: "lifecycle",
                body: Body::Xml(shape::LIFECYCLE),
                headers: &[("x-amz-transition-default-minimum-object-size", "TransitionDefaultMinimumObjectSize")],
            },
        },
    ),
    (
        "replication",
        s3(
            "GetBucketReplication",
            "replication",
            Body::Part("ReplicationConfiguration", shape::REPLICATION),
            &["ReplicationConfigurationNotFoundError"],
        ),
    ),
    ("tags", s3("GetBucketTagging", "tagging", Body::Xml(shape::TAGGING), &["NoSuchTagSet"])),
];
pub(super) const DESCRIBE_TRAILS: Operation =
    json(CLOUDTRAIL, "DescribeTrails", "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.DescribeTrails", &[]);
pub(super) const GET_EVENT_SELECTORS: Operation =
    json(CLOUDTRAIL, "GetEventSelectors", "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.GetEventSelectors", &[]);
pub(super) const GET_INSIGHT_SELECTORS: Operation = json(
    CLOUDTRAIL,
    "GetInsightSelectors",
    "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.GetInsightSelectors",
    &["InsightNotEnabledException"],
);
pub(super) const GET_TRAIL_STATUS: Operation = Operation {
    service: CLOUDTRAIL,
    name: "GetTrailStatus",
    absent: &[],
    how: How::Json {
        target: "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.GetTrailStatus",
        times: &[
            "LatestCloudWatchLogsDeliveryTime",
            "LatestDeliveryTime",
            "LatestDigestDeliveryTime",
            "LatestNotificationTime",
            "StartLoggingTime",
            "StopLoggingTime",
        ],
    },
};
/// The readings of vended deliveries in a Region: key in the snapshot, call, and key of its items.
pub(super) const DELIVERIES: [(&str, Operation, &str); 3] = [
    ("delivery_sources", json(LOGS, "DescribeDeliverySources", "Logs_20140328.DescribeDeliverySources", &[]), "deliverySources"),
    (
        "delivery_destinations",
        json(LOGS, "DescribeDeliveryDestinations", "Logs_20140328.DescribeDeliveryDestinations", &[]),
        "deliveryDestinations",
    ),
    ("deliveries", json(LOGS, "DescribeDeliveries", "Logs_20140328.DescribeDeliveries", &[]), "deliveries"),
];
pub(super) const GET_PARAMETER: Operation = Operation {
    service: SSM,
    name: "GetParameter",
    absent: &["ParameterNotFound"],
    how: How::Json { target: "AmazonSSM.GetParameter", times: &["LastModifiedDate"] },
};
pub(super) const DESCRIBE_CONFIG_RULES: Operation =
    json(CONFIG, "DescribeConfigRules", "StarlingDoveService.DescribeConfigRules", &["NoSuchConfigRuleException"]);
pub(super) const DESCRIBE_RULE: Operation =
    json(EVENTS, "DescribeRule", "AWSEvents.DescribeRule", &["ResourceNotFoundException"]);
pub(super) const LIST_TARGETS: Operation = json(EVENTS, "ListTargetsByRule", "AWSEvents.ListTargetsByRule", &[]);
pub(super) const GET_TOPIC: Operation = Operation {
    service: SNS,
    name: "GetTopicAttributes",
    absent: &["NotFound", "NotFoundException"],
    how: How::Query { version: "2010-03-31", shape: shape::TOPIC },
};
pub(super) const GET_ROLE: Operation = Operation {
    service: IAM,
    name: "GetRole",
    absent: &["NoSuchEntity"],
    how: How::Query { version: "2010-05-08", shape: shape::ROLE },
};
pub(super) const GET_ROLE_POLICY: Operation = Operation {
    service: IAM,
    name: "GetRolePolicy",
    absent: &["NoSuchEntity"],
    how: How::Query { version: "2010-05-08", shape: shape::TEXTS },
};
pub(super) const LIST_ACCOUNTS: Operation = Operation {
    service: ORGANIZATIONS,
    name: "ListAccounts",
    absent: &[],
    how: How::Json { target: "AWSOrganizationsV20161128.ListAccounts", times: &["JoinedTimestamp"] },
};
pub(super) const GET_CALLER: Operation = Operation {
    service: STS,
    name: "GetCallerIdentity",
    absent: &[],
    how: How::Query { version: "2011-06-15", shape: shape::TEXTS },
};
pub(super) const ASSUME_ROLE: Operation =
    Operation { service: STS, name: "AssumeRole", absent: &[], how: How::Query { version: "2011-06-15", shape: shape::TEXTS } };

impl Operation {
    /// `s3:GetBucketLogging`.
    pub(super) fn call(&self) -> String {
        format!("{}:{}", self.service.name, self.name)
    }
}
