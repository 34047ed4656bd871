//! What must be kept out: whoever is neither of the map nor named by its statements, whatever they call for, and requests
//! without TLS.

use super::{Claim, Expect, Kind, Subject, context::form, named::Named};
use crate::{
    aws::{CLOUDTRAIL_SERVICE, LOGGING_SERVICE},
    plan::Tier,
    policy::{
        Element, Statement,
        evaluate::{
            Set, Shape,
            requests::{Action, Key, Requests, Value, Who},
        },
    },
};
use std::borrow::Cow;

/// What CloudTrail calls to look at the bucket; it tells nothing of the logs.
const ACL_CHECK: &str = "s3:GetBucketAcl";

impl<'a> Subject<'a> {
    /// Any object; no key is empty.
    fn any_object(&self) -> Shape {
        Shape::starting(self.object_arn("")).some(Set::Any)
    }

    fn bucket_itself(&self) -> Value<'a> {
        Value::Text(Cow::Owned(self.bucket_arn()))
    }

    /// Claims that nothing lets these in, to the bucket or to its objects.
    fn kept_out(&self, kind: Kind, requests: &Requests<'a>, what: &dyn Fn() -> String, each: &mut dyn FnMut(Claim<'_>)) {
        for resource in [form(self.any_object()), self.bucket_itself()] {
            each(Claim { kind, what, expect: Expect::NotAllowed, requests: &Requests { resource, ..requests.clone() } });
        }
    }

    /// A service's requests: any action on some resource.
    fn calls(&self, service: &'a str, keys: Vec<Key<'a>>) -> Requests<'a> {
        Requests { who: Who::Service(service), action: Action::Any, resource: self.bucket_itself(), keys }
    }

    pub(super) fn others_of_sources(&self, each: &mut dyn FnMut(Claim<'_>)) {
        let keys = self.of_service(LOGGING_SERVICE);
        let requests = self.calls(LOGGING_SERVICE, keys);
        let what = || format!("S3 could write to `{}` for a bucket of another account", self.bucket);
        let accounts = form(Shape::account().but_text(self.account_id));
        self.kept_out(Kind::OtherAccount, &requests.clone().with(Key::perhaps("aws:SourceAccount", accounts)), &what, each);

        let requests = requests.with(Key::is("aws:SourceAccount", self.account_id));
        if let Some(others) = self.other_buckets() {
            let what = || format!("S3 could write to `{}` for a bucket that is no source", self.bucket);
            self.kept_out(Kind::OtherBucket, &requests.clone().with(Key::perhaps("aws:SourceArn", form(others))), &what, each);
        }
        let what = || format!("S3 could write to `{}` beside the prefixes of the map", self.bucket);
        let beside = self.granted("LogmapAccessLogs").fold(self.any_object(), Shape::but);
        each(Claim {
            kind: Kind::SiblingPrefix,
            what: &what,
            expect: Expect::NotAllowed,
            requests: &Requests { resource: form(beside), ..requests },
        });
    }

    /// The resources of logmap's own statements with such a Sid, as patterns.
    pub(super) fn granted(&self, sid: &'static str) -> impl Iterator<Item = &'a str> {
        let own = self.granted_by.statements.iter().filter(move |statement| statement.sid.starts_with(sid));
        let resources = own.filter_map(|statement| match &statement.resource {
            Element::Is(list) => Some(list.iter()),
            Element::IsNot(_) => None,
        });
        resources.flatten().map(String::as_str)
    }

    /// ARNs of buckets that the tier does not let in; nothing if it tells no names apart.
    fn other_buckets(&self) -> Option<Shape> {
        let all = Shape::starting(format!("arn:{}:s3:::", self.partition)).then(Set::Any);
        match self.tier {
            Tier::Buckets => Some(
                self.sources
                    .iter()
                    .fold(all, |shape, source| shape.but_text(&crate::aws::arn::bucket(self.partition, &source.name))),
            ),
            Tier::Patterns => Some(self.patterns().fold(all, Shape::but_arn)),
            Tier::Account | Tier::None => None,
        }
    }

    /// ARNs and patterns in the grant for access logs.
    fn patterns(&self) -> impl Iterator<Item = &'a str> {
        let own = self.policy.statements.iter().filter(|statement| statement.sid.starts_with("LogmapAccessLogs"));
        own.filter_map(|statement| statement.condition.get("ArnLike")?.get("aws:SourceArn")).flatten().map(String::as_str)
    }

    /// True if trails are admitted by account, false if by their ARNs.
    fn trails_by_account(&self) -> bool {
        let check = |statement: &&Statement| statement.sid == "LogmapCloudTrailAclCheck";
        self.policy.statements.iter().find(check).is_some_and(|statement| {
            statement.condition.get("StringEquals").is_some_and(|keys| keys.contains_key("aws:SourceAccount"))
        })
    }

    pub(super) fn others_of_trails(&self, each: &mut dyn FnMut(Claim<'_>)) {
        let requests = self.calls(CLOUDTRAIL_SERVICE, self.of_service(CLOUDTRAIL_SERVICE));
        let what = || format!("CloudTrail could use `{}` for a trail that is not of the map", self.bucket);
        let arns = self.trails.iter().fold(Shape::any(), |shape, trail| shape.but_text(&trail.arn));
        let others = if self.trails_by_account() {
            let accounts = self.trails.iter().fold(Shape::account(), |shape, trail| shape.but_text(&trail.account_id));
            requests
                .clone()
                .with(Key::perhaps("aws:SourceAccount", form(accounts)))
                .with(Key::perhaps("aws:SourceArn", form(arns)))
        } else {
            let any = Key::perhaps("aws:SourceAccount", form(Shape::account()));
            requests.clone().with(any).with(Key::perhaps("aws:SourceArn", form(arns)))
        };
        self.kept_out(Kind::OtherTrail, &Requests { action: Action::AnyBut(ACL_CHECK), ..others }, &what, each);

        // looking at the ACL is for trails of the account, too
        let what = || format!("CloudTrail could look at the ACL of `{}` for a trail of another account", self.bucket);
        let mut arns = Shape::any().but_arn(&format!("arn:*:cloudtrail:*:{}:*", self.account_id));
        let mut accounts = Shape::account().but_text(self.account_id);
        for trail in self.trails {
            (arns, accounts) = (arns.but_text(&trail.arn), accounts.but_text(&trail.account_id));
        }
        let mut check = Requests { action: Action::Is(ACL_CHECK), ..requests.clone() };
        check.set(Key::perhaps("aws:SourceAccount", form(accounts)));
        if !self.trails_by_account() {
            check.set(Key::perhaps("aws:SourceArn", form(arns)));
        }
        each(Claim { kind: Kind::OtherTrail, what: &what, expect: Expect::NotAllowed, requests: &check });

        if !self.trails.is_empty() {
            let what = || format!("CloudTrail could write to `{}` outside the paths of its trails", self.bucket);
            let outside = ["LogmapCloudTrailWrite", "LogmapCloudTrailOrganizationWrite"]
                .into_iter()
                .flat_map(|sid| self.granted(sid))
                .fold(self.any_object(), Shape::but);
            let requests = Requests { resource: form(outside), ..requests };
            each(Claim { kind: Kind::OtherTrail, what: &what, expect: Expect::NotAllowed, requests: &requests });
        }
    }

    pub(super) fn strangers(&self, each: &mut dyn FnMut(Claim<'_>)) {
        let named = Named::by(self.policy);
        let (who, keys) = named.strangers(self);
        let what = || format!("a principal that the map does not name could use `{}`", self.bucket);
        let requests = Requests { who, action: Action::Any, resource: self.bucket_itself(), keys };
        self.kept_out(Kind::Strangers, &requests, &what, each);

        let what = || format!("anybody could use `{}` without signing", self.bucket);
        let requests = Requests { who: Who::Anonymous, keys: named.anonymous(self), ..requests };
        self.kept_out(Kind::Strangers, &requests, &what, each);

        let known: Vec<&str> = [LOGGING_SERVICE, CLOUDTRAIL_SERVICE].into_iter().chain(named.services.iter().copied()).collect();
        let mut keys = self.of_service("");
        keys.retain(|key| !["aws:PrincipalServiceName", "aws:PrincipalServiceNamesList"].contains(&key.name));
        let what = || format!("a service that the map does not name could use `{}`", self.bucket);
        let requests = Requests { who: Who::OtherServices(known.clone()), keys, ..requests };
        self.kept_out(Kind::Strangers, &requests, &what, each);

        for service in known.iter().skip(2).copied().filter(|name| ![LOGGING_SERVICE, CLOUDTRAIL_SERVICE].contains(name)) {
            let what = || format!("`{service}` could use `{}` for an account that the map does not name", self.bucket);
            let requests = self.calls(service, named.for_strangers(self, service));
            // the paths of its accounts are the one thing that tells its accounts
            let paths = self.paths_that_tell(service);
            if paths.is_empty() {
                self.kept_out(Kind::Strangers, &requests, &what, each);
                continue;
            }
            let beside = paths.iter().fold(self.any_object(), |shape, path| shape.but(path));
            for resource in [form(beside), self.bucket_itself()] {
                let requests = Requests { resource, ..requests.clone() };
                each(Claim { kind: Kind::Strangers, what: &what, expect: Expect::NotAllowed, requests: &requests });
            }
        }
    }

    pub(super) fn without_tls(&self, each: &mut dyn FnMut(Claim<'_>)) {
        if !self.denies_insecure_transport {
            return;
        }
        let what = || format!("`{}` can be used without TLS", self.bucket);
        let anyone = Who::Iam(form(Shape::starting("arn:").then(Set::Any)));
        for who in [
            Who::Service(LOGGING_SERVICE),
            Who::Service(CLOUDTRAIL_SERVICE),
            Who::OtherServices(Vec::new()),
            anyone,
            Who::Anonymous,
        ] {
            let keys = vec![Key::is("aws:SecureTransport", "false")];
            let requests = Requests { who, action: Action::Any, resource: self.bucket_itself(), keys };
            self.kept_out(Kind::WithoutTls, &requests, &what, each);
        }
    }
}
