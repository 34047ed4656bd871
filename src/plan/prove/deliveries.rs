//! What must get in: each source's objects and each trail's files, at all times and for every key that they may have.

use super::{Claim, Expect, Kind, Subject, context::form};
use crate::{
    aws::{CLOUDTRAIL_SERVICE, LOGGING_SERVICE, arn},
    plan::{KeyFormat, Source},
    policy::{
        compose::TrailGrant,
        evaluate::{
            Set, Shape,
            requests::{Action, Key, Requests, Value, Who},
        },
    },
};
use std::borrow::Cow;

impl<'a> Subject<'a> {
    pub(super) fn bucket_arn(&self) -> String {
        arn::bucket(self.partition, self.bucket)
    }

    pub(super) fn object_arn(&self, key: &str) -> String {
        arn::object(self.partition, self.bucket, key)
    }

    /// The key of one log object of a source, for people.
    pub(super) fn key(&self, source: &Source) -> String {
        let partitioned = source.key_format != KeyFormat::Simple;
        access_log_key(&source.prefix, partitioned.then_some((self.account_id, self.region, source.name.as_str())))
    }

    /// A source's log objects: the ARN up to what is different in each.
    fn objects(&self, source: &Source) -> String {
        let Source { prefix, name, key_format, .. } = source;
        match key_format {
            KeyFormat::Simple => self.object_arn(prefix),
            _ => self.object_arn(&[prefix, self.account_id, "/", self.region, "/", name, "/"].concat()),
        }
    }

    /// All deliveries of a source, as one set of requests.
    pub(super) fn delivery_of(&self, source: &'a Source) -> Requests<'a> {
        let mut requests = self.deliveries();
        self.turn_to(&mut requests, source);
        requests
    }

    /// Deliveries of no source yet.
    fn deliveries(&self) -> Requests<'a> {
        Requests {
            who: Who::Service(LOGGING_SERVICE),
            action: Action::Is("s3:PutObject"),
            resource: form(Shape::default()),
            keys: self.of_delivery(LOGGING_SERVICE, "", self.account_id),
        }
    }

    /// Makes the deliveries those of a source. (A bucket has thousands, which differ in little.)
    fn turn_to(&self, requests: &mut Requests<'a>, source: &Source) {
        requests.set(Key::is("aws:SourceArn", arn::bucket(self.partition, &source.name)));
        let shape = Shape::starting(self.objects(source));
        requests.resource = form(match source.key_format {
            KeyFormat::Simple => moment(shape),
            _ => moment(shape.digits(4).text("/").digits(2).text("/").digits(2).text("/")),
        });
    }

    pub(super) fn sources_write(&self, each: &mut dyn FnMut(Claim<'_>)) {
        let mut requests = self.deliveries();
        for source in self.sources {
            let what = || format!("S3 can't deliver the access logs of `{}` to `{}`", source.name, self.bucket);
            self.turn_to(&mut requests, source);
            each(Claim { kind: Kind::SourcesWrite, what: &what, expect: Expect::Allowed, requests: &requests });
        }
    }

    /// A trail's files (CloudTrail user guide, "Finding your CloudTrail log files" and "Digest file structure"): logs, digests and
    /// whatever other kind is asked for, under its account's path, and under the organization's for each account of an organization
    /// trail; of each Region, if it is a multi-Region trail.
    pub(super) fn trails_write(&self, each: &mut dyn FnMut(Claim<'_>)) {
        for trail in self.trails {
            let what = || format!("CloudTrail can't deliver the trail `{}` to `{}`", trail.arn, self.bucket);
            let check = self.acl_check(trail);
            each(Claim { kind: Kind::TrailsWrite, what: &what, expect: Expect::Allowed, requests: &check });
            for shape in self.files(trail) {
                let write = Requests { action: Action::Is("s3:PutObject"), resource: form(shape), ..self.acl_check(trail) };
                each(Claim { kind: Kind::TrailsWrite, what: &what, expect: Expect::Allowed, requests: &write });
            }
        }
    }

    pub(super) fn acl_check(&self, trail: &'a TrailGrant) -> Requests<'a> {
        Requests {
            who: Who::Service(CLOUDTRAIL_SERVICE),
            action: Action::Is("s3:GetBucketAcl"),
            resource: Value::Text(Cow::Owned(self.bucket_arn())),
            keys: self.of_delivery(CLOUDTRAIL_SERVICE, &trail.arn, &trail.account_id),
        }
    }

    /// The forms of the keys of a trail's files.
    pub(super) fn files(&self, trail: &TrailGrant) -> Vec<Shape> {
        let root = self.object_arn(&format!("{}AWSLogs/", trail.prefix));
        let mut owners = vec![Shape::starting(format!("{root}{}/CloudTrail", trail.account_id))];
        owners.extend(trail.organization.iter().map(|id| Shape::starting(format!("{root}{id}/")).digits(12).text("/CloudTrail")));
        let home = trail.arn.split(':').nth(3).unwrap_or_default();
        owners
            .into_iter()
            .map(|owner| {
                let kind = owner.then(Set::NotSlash).text("/");
                let place = if trail.multi_region { kind.some(Set::NotSlash) } else { kind.text(home) };
                place.text("/").digits(4).text("/").digits(2).text("/").digits(2).text("/").some(Set::NotSlash)
            })
            .collect()
    }
}

/// Followed by date, time and the unique string of a log object.
pub(crate) fn moment(shape: Shape) -> Shape {
    let day = shape.digits(4).text("-").digits(2).text("-").digits(2);
    day.text("-").digits(2).text("-").digits(2).text("-").digits(2).text("-").some(Set::NotSlash)
}

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
