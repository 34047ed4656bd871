//! What must get in: each source's objects, each trail's files, and the owner.
//!
//! Also the makers of claims that near misses start from.

use super::{Claim, Expect, Kind, Subject, What};
use crate::{
    aws::{CLOUDTRAIL_SERVICE, LOGGING_SERVICE, arn},
    plan::{KeyFormat, Source},
    policy::evaluate::Caller,
};

impl Subject<'_> {
    pub(super) fn bucket_arn(&self) -> String {
        arn::bucket(self.partition, self.bucket)
    }

    pub(super) fn object_arn(&self, key: &str) -> String {
        arn::object(self.partition, self.bucket, key)
    }

    /// A source's log object, by the source's ARN and the object's key.
    pub(super) fn delivery<'c>(&'c self, kind: Kind, source_arn: &'c str, key: &str, what: What<'c>) -> Claim<'c> {
        Claim {
            kind,
            what,
            expect: Expect::Allowed,
            caller: Caller::Service(LOGGING_SERVICE),
            action: "s3:PutObject",
            resource: self.object_arn(key),
            context: service_context(LOGGING_SERVICE, source_arn, self.account_id),
        }
    }

    pub(super) fn key(&self, source: &Source) -> String {
        self.key_under(&source.prefix, source)
    }

    pub(super) fn key_under(&self, prefix: &str, source: &Source) -> String {
        let partitioned = source.key_format != KeyFormat::Simple;
        access_log_key(prefix, partitioned.then_some((self.account_id, self.region, source.name.as_str())))
    }

    pub(super) fn source_arn(&self, name: &str) -> String {
        arn::bucket(self.partition, name)
    }

    pub(super) fn sources_write(&self, each: &mut dyn FnMut(Claim<'_>)) {
        for source in self.sources {
            let what = || format!("S3 can't deliver the access logs of `{}` to `{}`", source.name, self.bucket);
            each(self.delivery(Kind::SourcesWrite, &self.source_arn(&source.name), &self.key(source), &what));
        }
    }

    /// A trail's files: log files and digests (CloudTrail user guide, "Digest file structure"), under its account's path, and
    /// under the organization's for each account of an organization trail.
    pub(super) fn trails_write(&self, each: &mut dyn FnMut(Claim<'_>)) {
        for trail in self.trails {
            let what = || format!("CloudTrail can't deliver the trail `{}` to `{}`", trail.arn, self.bucket);
            each(self.acl_check(Kind::TrailsWrite, &trail.arn, &trail.account_id, &what));
            let mut owners = vec![trail.account_id.clone()];
            owners.extend(
                trail.organization.iter().flat_map(|id| [format!("{id}/{}", trail.account_id), format!("{id}/{STRANGER}")]),
            );
            for owner in owners {
                for folder in ["CloudTrail", "CloudTrail-Digest"] {
                    let key = format!("{}AWSLogs/{owner}/{folder}/{}/2026/01/02/x.json.gz", trail.prefix, self.region);
                    each(self.trail_write(Kind::TrailsWrite, &key, &trail.arn, &trail.account_id, &what));
                }
            }
        }
    }

    pub(super) fn acl_check<'c>(&self, kind: Kind, arn: &'c str, account: &'c str, what: What<'c>) -> Claim<'c> {
        Claim {
            kind,
            what,
            expect: Expect::Allowed,
            caller: Caller::Service(CLOUDTRAIL_SERVICE),
            action: "s3:GetBucketAcl",
            resource: self.bucket_arn(),
            context: service_context(CLOUDTRAIL_SERVICE, arn, account),
        }
    }

    pub(super) fn trail_write<'c>(&self, kind: Kind, key: &str, arn: &'c str, account: &'c str, what: What<'c>) -> Claim<'c> {
        let mut claim = self.acl_check(kind, arn, account, what);
        claim.action = "s3:PutObject";
        claim.resource = self.object_arn(key);
        claim.context.push(("s3:x-amz-acl", "bucket-owner-full-control"));
        claim
    }

    pub(super) fn root_arn(&self, account: &str) -> String {
        format!("arn:{}:iam::{account}:root", self.partition)
    }

    /// What an account calls by itself, by its root's ARN and its id.
    pub(super) fn iam<'c>(
        kind: Kind,
        (arn, account): (&'c str, &'c str),
        action: &'static str,
        resource: String,
        what: What<'c>,
    ) -> Claim<'c> {
        let context = vec![
            ("aws:SecureTransport", "true"),
            ("aws:PrincipalAccount", account),
            ("aws:PrincipalArn", arn),
            ("aws:PrincipalIsAWSService", "false"),
            ("aws:ViaAWSService", "false"),
        ];
        Claim { kind, what, expect: Expect::NotAllowed, caller: Caller::Iam { arn, account }, action, resource, context }
    }

    pub(super) fn owner(&self, each: &mut dyn FnMut(Claim<'_>)) {
        let root = self.root_arn(self.account_id);
        let what = || format!("the account `{}` can't change the policy of `{}`", self.account_id, self.bucket);
        for action in ["s3:PutBucketPolicy", "s3:DeleteBucketPolicy", "s3:GetBucketPolicy"] {
            let claim = Self::iam(Kind::OwnerNotLockedOut, (&root, self.account_id), action, self.bucket_arn(), &what);
            let mut claim = Claim { expect: Expect::NotDenied, ..claim };
            claim.context.extend(self.organization_id.map(|id| ("aws:PrincipalOrgID", id)));
            each(claim);
        }
    }
}

/// An account that no map should know.
pub(super) const STRANGER: &str = "999999999999";

/// A log object's key as S3 lays it out under a prefix (S3 user guide, "Log object key format"); a partitioned one has the
/// source's account, Region and name.
pub(crate) fn access_log_key(prefix: &str, partitioned: Option<(&str, &str, &str)>) -> String {
    match partitioned {
        None => [prefix, "2026-01-02-03-04-05-0123456789ABCDEF"].concat(),
        Some((account, region, source)) => {
            [prefix, account, "/", region, "/", source, "/2026/01/02/2026-01-02-00-00-00-0123456789ABCDEF"].concat()
        }
    }
}

/// What AWS puts into the context of a delivery.
pub(crate) fn service_context<'v, T: From<&'v str>>(service: &'v str, arn: T, account: T) -> Vec<(&'static str, T)> {
    vec![
        ("aws:SourceArn", arn),
        ("aws:SourceAccount", account),
        ("aws:SecureTransport", "true".into()),
        ("aws:PrincipalIsAWSService", "true".into()),
        ("aws:PrincipalServiceName", service.into()),
        // a service that calls for itself does not call for somebody else
        ("aws:ViaAWSService", "false".into()),
    ]
}
