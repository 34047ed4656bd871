//! What must get in: each source's objects, each trail's files, and the owner.
//!
//! Also the makers of claims that near misses start from.

use super::{Claim, Expect, Kind, OwnedCaller, Subject};
use crate::{
    aws::{CLOUDTRAIL_SERVICE, LOGGING_SERVICE, arn},
    plan::{KeyFormat, Source},
};

impl Subject<'_> {
    pub(super) fn bucket_arn(&self) -> String {
        arn::bucket(self.partition, self.bucket)
    }

    pub(super) fn delivery(&self, kind: Kind, source: &str, key: &str, what: String) -> Claim {
        Claim {
            kind,
            what,
            expect: Expect::Allowed,
            caller: OwnedCaller::Service(LOGGING_SERVICE),
            action: "s3:PutObject",
            resource: format!("{}/{key}", self.bucket_arn()),
            context: service_context(LOGGING_SERVICE, arn::bucket(self.partition, source), self.account_id.to_owned()),
        }
    }

    pub(super) fn key(&self, source: &Source) -> String {
        format!("{}{}", source.prefix, self.key_after_prefix(source))
    }

    pub(super) fn key_after_prefix(&self, source: &Source) -> String {
        let partitioned = source.key_format != KeyFormat::Simple;
        access_log_key(partitioned.then_some((self.account_id, self.region, source.name.as_str())))
    }

    pub(super) fn sources_write(&self, each: &mut dyn FnMut(Claim)) {
        for source in self.sources {
            let what = format!("S3 can't deliver the access logs of `{}` to `{}`", source.name, self.bucket);
            each(self.delivery(Kind::SourcesWrite, &source.name, &self.key(source), what));
        }
    }

    /// A trail's files: log files and digests (CloudTrail user guide, "Digest file structure"), under its account's path, and
    /// under the organization's for each account of an organization trail.
    pub(super) fn trails_write(&self, each: &mut dyn FnMut(Claim)) {
        for trail in self.trails {
            let what = format!("CloudTrail can't deliver the trail `{}` to `{}`", trail.arn, self.bucket);
            each(self.acl_check(Kind::TrailsWrite, trail.arn.clone(), trail.account_id.clone(), what.clone()));
            let mut owners = vec![trail.account_id.clone()];
            owners.extend(
                trail.organization.iter().flat_map(|id| [format!("{id}/{}", trail.account_id), format!("{id}/{STRANGER}")]),
            );
            for owner in owners {
                for folder in ["CloudTrail", "CloudTrail-Digest"] {
                    let key = format!("{}AWSLogs/{owner}/{folder}/{}/2026/01/02/x.json.gz", trail.prefix, self.region);
                    each(self.trail_write(Kind::TrailsWrite, &key, trail.arn.clone(), trail.account_id.clone(), what.clone()));
                }
            }
        }
    }

    pub(super) fn acl_check(&self, kind: Kind, arn: String, account: String, what: String) -> Claim {
        Claim {
            kind,
            what,
            expect: Expect::Allowed,
            caller: OwnedCaller::Service(CLOUDTRAIL_SERVICE),
            action: "s3:GetBucketAcl",
            resource: self.bucket_arn(),
            context: service_context(CLOUDTRAIL_SERVICE, arn, account),
        }
    }

    pub(super) fn trail_write(&self, kind: Kind, key: &str, arn: String, account: String, what: String) -> Claim {
        let mut claim = self.acl_check(kind, arn, account, what);
        claim.action = "s3:PutObject";
        claim.resource = format!("{}/{key}", self.bucket_arn());
        claim.context.push(("s3:x-amz-acl", "bucket-owner-full-control".to_owned()));
        claim
    }

    pub(super) fn iam(
        &self,
        kind: Kind,
        expect: Expect,
        account: &str,
        action: &'static str,
        resource: String,
        what: String,
    ) -> Claim {
        let arn = format!("arn:{}:iam::{account}:root", self.partition);
        let context = vec![
            ("aws:SecureTransport", "true".to_owned()),
            ("aws:PrincipalAccount", account.to_owned()),
            ("aws:PrincipalArn", arn.clone()),
            ("aws:PrincipalIsAWSService", "false".to_owned()),
            ("aws:ViaAWSService", "false".to_owned()),
        ];
        Claim { kind, what, expect, caller: OwnedCaller::Iam { arn, account: account.to_owned() }, action, resource, context }
    }

    pub(super) fn owner(&self, each: &mut dyn FnMut(Claim)) {
        for action in ["s3:PutBucketPolicy", "s3:DeleteBucketPolicy", "s3:GetBucketPolicy"] {
            let what = format!("the account `{}` can't change the policy of `{}`", self.account_id, self.bucket);
            let mut claim =
                self.iam(Kind::OwnerNotLockedOut, Expect::NotDenied, self.account_id, action, self.bucket_arn(), what);
            claim.context.extend(self.organization_id.map(|id| ("aws:PrincipalOrgID", id.to_owned())));
            each(claim);
        }
    }
}

/// An account that no map should know.
pub(super) const STRANGER: &str = "999999999999";

/// A log object's key as S3 lays it out after the prefix (S3 user guide, "Log object key format"); a partitioned one has the
/// source's account, Region and name.
pub(crate) fn access_log_key(partitioned: Option<(&str, &str, &str)>) -> String {
    match partitioned {
        None => "2026-01-02-03-04-05-0123456789ABCDEF".to_owned(),
        Some((account, region, source)) => {
            format!("{account}/{region}/{source}/2026/01/02/2026-01-02-00-00-00-0123456789ABCDEF")
        }
    }
}

/// What AWS puts into the context of a delivery.
pub(crate) fn service_context(service: &str, arn: String, account: String) -> Vec<(&'static str, String)> {
    vec![
        ("aws:SourceArn", arn),
        ("aws:SourceAccount", account),
        ("aws:SecureTransport", "true".to_owned()),
        ("aws:PrincipalIsAWSService", "true".to_owned()),
        ("aws:PrincipalServiceName", service.to_owned()),
        // a service that calls for itself does not call for somebody else
        ("aws:ViaAWSService", "false".to_owned()),
    ]
}
