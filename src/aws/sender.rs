//! AWS services that write logs of their own into a bucket: with which principal, for whom, and under which keys.
//!
//! Sources, in the order of the services:
//! <https://docs.aws.amazon.com/config/latest/developerguide/s3-bucket-policy.html>,
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html> and
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/enable-access-logs.html>,
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/network/enable-access-logs.html>,
//! <https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-s3-permissions.html>,
//! <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logging.html> with
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-infrastructure-V2-S3.html>.
//!
//! All but the load balancers' are documented with `s3:x-amz-acl` of `bucket-owner-full-control`. The grants here ask for no such
//! header: where the bucket's owner owns all objects it says nothing, and the delivery service has been seen to leave it out then
//! (cloudposse/terraform-aws-vpc-flow-logs-s3-bucket, issue 101), so that a grant which asks for it keeps every log out.

use super::{LOG_DELIVERY_SERVICE, Partition};

/// A service that writes logs of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sender {
    /// AWS Config: snapshots and histories. It delivers from any Region.
    Config,
    /// Application and Classic Load Balancers.
    LoadBalancers,
    /// Network Load Balancers.
    NetworkLoadBalancers,
    /// Flow logs of VPCs, subnets and interfaces.
    FlowLogs,
    /// CloudFront, standard logging v2.
    CloudFront,
}

/// Service principal of AWS Config.
pub(crate) const CONFIG_SERVICE: &str = "config.amazonaws.com";
/// Service principal of Application and Classic Load Balancers. It is for every Region: "for Regions available before August 2022, we
/// required a policy that granted permissions to an ELB account that was specific to the Region. This legacy policy is still supported,
/// but we recommend that you replace it".
pub(crate) const LOAD_BALANCING_SERVICE: &str = "logdelivery.elasticloadbalancing.amazonaws.com";

/// CloudFront's delivery sources are all here.
const CLOUDFRONT_REGION: &str = "us-east-1";

impl Sender {
    /// All of them.
    pub(crate) const ALL: [Sender; 5] =
        [Sender::Config, Sender::LoadBalancers, Sender::NetworkLoadBalancers, Sender::FlowLogs, Sender::CloudFront];

    /// As people call what it writes.
    pub(crate) fn phrase(self) -> &'static str {
        match self {
            Sender::Config => "AWS Config",
            Sender::LoadBalancers => "Elastic Load Balancing",
            Sender::NetworkLoadBalancers => "Network Load Balancers",
            Sender::FlowLogs => "VPC flow logs",
            Sender::CloudFront => "CloudFront",
        }
    }

    /// Its part of a Sid.
    pub(crate) fn sid(self) -> &'static str {
        match self {
            Sender::Config => "Config",
            Sender::LoadBalancers => "LoadBalancers",
            Sender::NetworkLoadBalancers => "NetworkLoadBalancers",
            Sender::FlowLogs => "FlowLogs",
            Sender::CloudFront => "CloudFront",
        }
    }

    /// The service principal that writes.
    pub(crate) fn service(self) -> &'static str {
        match self {
            Sender::Config => CONFIG_SERVICE,
            Sender::LoadBalancers => LOAD_BALANCING_SERVICE,
            Sender::NetworkLoadBalancers | Sender::FlowLogs | Sender::CloudFront => LOG_DELIVERY_SERVICE,
        }
    }

    /// What it asks of the bucket itself.
    pub(crate) fn asks(self) -> &'static [&'static str] {
        match self {
            Sender::Config | Sender::FlowLogs => &["s3:GetBucketAcl", "s3:ListBucket"],
            Sender::NetworkLoadBalancers => &["s3:GetBucketAcl"],
            Sender::LoadBalancers | Sender::CloudFront => &[],
        }
    }

    /// Is the account for which it writes told by `aws:SourceAccount`? Else by the path alone: "Always include the account ID of the
    /// account with the load balancer in the resource path […]. This ensures that only load balancers from the specified account can
    /// write access logs to the S3 bucket."
    pub(crate) fn tells_account(self) -> bool {
        self != Sender::LoadBalancers
    }

    /// The pattern of `aws:SourceArn` that its documentation has, for an account and the bucket's Region. AWS Config has none: it
    /// "supports cross-region and cross-account delivery channels", so that any Region may be in its ARN.
    pub(crate) fn source_arn(self, partition: Partition, region: &str, account: &str) -> Option<String> {
        match self {
            Sender::Config | Sender::LoadBalancers => None,
            Sender::NetworkLoadBalancers | Sender::FlowLogs => Some(format!("arn:{partition}:logs:{region}:{account}:*")),
            Sender::CloudFront => Some(format!("arn:{partition}:logs:{CLOUDFRONT_REGION}:{account}:delivery-source:*")),
        }
    }

    /// The keys under which it writes for an account, as patterns; the prefix is empty or ends with a slash.
    pub(crate) fn paths(self, prefix: &str, account: &str) -> Vec<String> {
        let hive = |behind: &str| format!("{prefix}AWSLogs/aws-account-id={account}/{behind}*");
        match self {
            Sender::Config => vec![format!("{prefix}AWSLogs/{account}/Config/*")],
            Sender::LoadBalancers | Sender::NetworkLoadBalancers => vec![format!("{prefix}AWSLogs/{account}/*")],
            // with prefixes for Hive the account is a partition
            Sender::FlowLogs => vec![format!("{prefix}AWSLogs/{account}/*"), hive("")],
            Sender::CloudFront if prefix.is_empty() => vec![format!("AWSLogs/{account}/CloudFront/*"), hive("CloudFront/")],
            // "the destination prefix replaces that default path"
            Sender::CloudFront => vec![format!("{prefix}*")],
        }
    }

    /// All that it writes under a prefix lies here.
    pub(crate) fn folder(self, prefix: &str) -> String {
        match self {
            Sender::CloudFront if !prefix.is_empty() => prefix.to_owned(),
            _ => format!("{prefix}AWSLogs/"),
        }
    }

    /// Is the grant documented for a partition? For China, the isolated ones and the European Sovereign Cloud the pages name other
    /// principals or none, and CloudFront is in the commercial partition.
    pub(crate) fn is_documented_in(self, partition: Partition) -> bool {
        match self {
            Sender::CloudFront => partition == Partition::Aws,
            _ => matches!(partition, Partition::Aws | Partition::UsGov),
        }
    }

    /// Can it deliver to a bucket with Object Lock? "AWS Config does not support the delivery channel to an Amazon S3 bucket […] where
    /// object lock is enabled"
    /// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-config-deliverychannel.html>).
    pub(crate) fn takes_object_lock(self) -> bool {
        self != Sender::Config
    }
}
