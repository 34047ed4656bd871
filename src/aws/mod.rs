//! Facts about AWS: partitions, Regions, names, ARNs and limits. Each fact has one home here, with its source.
//!
//! Takes plain strings and gives plain answers. Imports nothing of ours and knows nothing of maps, plans or findings.

pub(crate) mod arn;
pub(crate) mod bucket_name;
pub(crate) mod limits;
pub(crate) mod parameter;
pub(crate) mod partition;
pub(crate) mod region;
pub(crate) mod sender;
pub(crate) mod watch;

pub use partition::Partition;
pub use sender::Sender;

/// Service principal that delivers access logs, the same in every partition (S3 user guide, enabling server access logging).
pub(crate) const LOGGING_SERVICE: &str = "logging.s3.amazonaws.com";
/// Service principal of CloudTrail, the same in every partition (CloudTrail user guide, bucket policy).
pub(crate) const CLOUDTRAIL_SERVICE: &str = "cloudtrail.amazonaws.com";
/// Service principal that replicates objects, the same in every partition (S3 user guide, "Setting up permissions for live replication",
/// also of China).
pub(crate) const REPLICATION_SERVICE: &str = "s3.amazonaws.com";
/// What the names of roles begin with with which S3 copies logs to an archive; the Region follows. Ours, and within IAM's 64 characters.
pub(crate) const REPLICATION_ROLE: &str = "logmap-replication-";
/// Name of the inline policy of each of them.
pub(crate) const REPLICATION_POLICY: &str = "copy-logs";
/// The service that delivers vended logs (CloudWatch Logs user guide, "Logs sent to Amazon S3").
pub(crate) const LOG_DELIVERY_SERVICE: &str = "delivery.logs.amazonaws.com";
/// The log type of a bucket's access logs, the only one that it has (S3 user guide, "Delivering server access logs to CloudWatch Logs").
pub(crate) const ACCESS_LOG_TYPE: &str = "S3_SERVER_ACCESS_LOGS";
/// Names of the delivery sources and destinations of CloudWatch Logs that are made here begin with it.
pub(crate) const DELIVERY_SOURCE: &str = "logmap-";
