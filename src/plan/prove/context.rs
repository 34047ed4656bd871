//! What is known of the context of a request: as AWS documents it for deliveries, and for callers of accounts.
//!
//! Sources: IAM user guide, "AWS global condition context keys" (availability of each key); S3 user guide, "Enabling Amazon S3
//! server access logging"; CloudTrail user guide, "Amazon S3 bucket policy for CloudTrail"; Control Tower user guide, "S3 bucket
//! policy for logging" (`aws:SourceOrgID`). Of a key that is not here nothing is known.

use super::Subject;
use crate::{
    aws::CLOUDTRAIL_SERVICE,
    policy::evaluate::{
        Set, Shape,
        requests::{Key, Value},
    },
};
use std::borrow::Cow;

/// Keys that tell of an IAM principal or of its network; a service that calls by itself has none.
const OF_PRINCIPALS: [&str; 14] = [
    "aws:PrincipalAccount",
    "aws:PrincipalOrgID",
    "aws:PrincipalOrgPaths",
    "aws:PrincipalTag/",
    "aws:username",
    "aws:SourceIp",
    "aws:SourceVpc",
    "aws:SourceVpcArn",
    "aws:SourceVpce",
    "aws:VpcSourceIp",
    "aws:VpceAccount",
    "aws:VpceOrgID",
    "aws:VpceOrgPaths",
    "aws:CalledVia",
];

/// Keys that tell for whom a service calls; nobody else's requests have them.
const OF_SERVICES: [&str; 6] = [
    "aws:SourceArn",
    "aws:SourceAccount",
    "aws:SourceOrgID",
    "aws:SourceOrgPaths",
    "aws:PrincipalServiceName",
    "aws:PrincipalServiceNamesList",
];

/// Headers that S3 leaves out when it writes access logs.
const ENCRYPTION: [&str; 3] = [
    "s3:x-amz-server-side-encryption",
    "s3:x-amz-server-side-encryption-aws-kms-key-id",
    "s3:x-amz-server-side-encryption-customer-algorithm",
];

pub(crate) fn form<'a>(shape: Shape) -> Value<'a> {
    Value::Form(Cow::Owned(shape))
}

impl<'a> Subject<'a> {
    /// What any request to the bucket has.
    fn of_bucket(&self) -> Vec<Key<'a>> {
        let organization = match self.organization_id {
            Some(id) => Key::is("aws:ResourceOrgID", id),
            None => Key::perhaps("aws:ResourceOrgID", Value::Any),
        };
        vec![
            organization,
            Key::is("aws:ResourceAccount", self.account_id),
            Key::is("s3:ResourceAccount", self.account_id),
            Key::is("aws:RequestedRegion", self.region),
            Key::always("aws:CurrentTime", Value::Date),
            Key::always("aws:EpochTime", Value::Seconds),
            Key::is("aws:SecureTransport", "true"),
            // S3 takes nothing older
            Key::always("s3:TlsVersion", Value::Few(&["1.2", "1.3"])),
        ]
    }

    /// What a service's request has, for whomever it calls.
    pub(super) fn of_service(&self, service: &'a str) -> Vec<Key<'a>> {
        let mut keys = self.of_bucket();
        keys.extend([
            Key::is("aws:PrincipalIsAWSService", "true"),
            Key::is("aws:PrincipalServiceName", service),
            Key::always("aws:PrincipalServiceNamesList", Value::Among(service)),
            // a service that calls for itself does not call for somebody else
            Key::is("aws:ViaAWSService", "false"),
            // if it has one at all, it is not that of an IAM principal
            Key::perhaps("aws:PrincipalArn", form(Shape::any().but("arn:*"))),
        ]);
        keys.extend(OF_PRINCIPALS.map(Key::absent));
        keys
    }

    /// What a delivery has: its source or trail, that one's account, and the account's organization where the map tells it.
    pub(crate) fn of_delivery(&self, service: &'a str, arn: &'a str, account: &'a str) -> Vec<Key<'a>> {
        let mut keys = vec![Key::is("aws:SourceArn", arn), Key::is("aws:SourceAccount", account)];
        if let Some(id) = self.organization_id {
            let path = form(Shape::starting(format!("{id}/")).then(Set::Any));
            // documented for CloudTrail only: for access logs it is an assumption, without which the common Deny against confused
            // deputies, of requests with `aws:SourceAccount` and of another organization, could not be accepted
            keys.push(Key::is("aws:SourceOrgID", id));
            keys.push(Key { several: true, ..Key::always("aws:SourceOrgPaths", path) });
        }
        if service == CLOUDTRAIL_SERVICE {
            // of its writes; its look at the ACL has no such key, as of no action that it is no key of
            keys.push(Key::is("s3:x-amz-acl", "bucket-owner-full-control"));
        } else {
            keys.extend(ENCRYPTION.map(Key::absent));
        }
        keys.extend(self.of_service(service));
        keys
    }

    /// What the request of an IAM principal, or of an anonymous caller, has.
    pub(super) fn of_caller(&self) -> Vec<Key<'a>> {
        let mut keys = self.of_bucket();
        keys.push(Key::is("aws:PrincipalIsAWSService", "false"));
        keys.extend(OF_SERVICES.map(Key::absent));
        keys
    }
}
