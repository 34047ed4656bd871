//! What must be kept out: requests that differ from a delivery in one point, strangers, and requests without TLS.

use super::{
    Claim, Expect, Kind, Subject,
    deliveries::{STRANGER, service_context},
};
use crate::{
    aws::{CLOUDTRAIL_SERVICE, LOGGING_SERVICE},
    plan::{Source, Tier},
    policy::{
        Element, Statement,
        evaluate::{Caller, Test, Values},
    },
};
use std::collections::BTreeSet;

impl Subject<'_> {
    pub(super) fn near_misses_of_sources(&self, each: &mut dyn FnMut(Claim<'_>)) {
        let (mut seen, granted, admitted) = (BTreeSet::new(), Values::new(Test::Like, self.granted_keys()), self.admitted());
        // one source stands for all with the same prefix: statements tell no more apart
        for source in self.sources.iter().filter(|source| seen.insert(&*source.prefix)) {
            let (arn, key) = (self.source_arn(&source.name), self.key(source));
            let what = || format!("a bucket of another account could write log objects to `{}`", self.bucket);
            let mut claim = self.delivery(Kind::OtherAccount, &arn, &key, &what);
            set(&mut claim, "aws:SourceAccount", self.stranger());
            each(Claim { expect: Expect::NotAllowed, ..claim });

            if let Some(name) = admitted.as_ref().and_then(|admitted| name_outside(source, admitted)) {
                let what = || format!("the bucket `{name}`, which is no source, could write log objects to `{}`", self.bucket);
                let arn = self.source_arn(&name);
                each(Claim { expect: Expect::NotAllowed, ..self.delivery(Kind::OtherBucket, &arn, &key, &what) });
            }
            let sibling = self.key_under(&format!("{}-sibling/", source.prefix.trim_end_matches('/')), source);
            // an empty prefix, a prefix that others begin with, or a pattern of prefixes covers siblings
            if !granted.any(&sibling, &[]) && self.granted_keys().any(|key| key.strip_suffix('*') == Some(&source.prefix)) {
                let what = || format!("log objects could be written to `{sibling}` in `{}`", self.bucket);
                each(Claim { expect: Expect::NotAllowed, ..self.delivery(Kind::SiblingPrefix, &arn, &sibling, &what) });
            }
        }
    }

    /// An account that is not the bucket's own and that no map should know.
    fn stranger(&self) -> &'static str {
        if self.account_id == STRANGER { "888888888888" } else { STRANGER }
    }

    /// The statements of the access-log grant.
    fn access_grant(&self) -> impl Iterator<Item = &Statement> {
        self.policy.statements.iter().filter(|statement| statement.sid.starts_with("LogmapAccessLogs"))
    }

    /// Keys (with `*`) on which it works.
    fn granted_keys(&self) -> impl Iterator<Item = &str> {
        let resources = self.access_grant().filter_map(|statement| match &statement.resource {
            Element::Is(list) => Some(list.iter()),
            Element::IsNot(_) => None,
        });
        resources.flatten().filter_map(|resource| resource.split_once('/')).map(|(_, key)| key)
    }

    /// Names and patterns in it.
    fn patterns(&self) -> impl Iterator<Item = &str> {
        let arns = self.access_grant().filter_map(|statement| statement.condition.get("ArnLike")?.get("aws:SourceArn"));
        arns.flatten().filter_map(|arn| arn.rsplit(':').next())
    }

    /// The names that the tier lets in; nothing if it tells no names apart.
    fn admitted(&self) -> Option<Values<'_>> {
        match self.tier {
            Tier::Buckets => Some(Values::new(Test::Equal, self.sources.iter().map(|source| source.name.as_str()))),
            Tier::Patterns => Some(Values::new(Test::Like, self.patterns())),
            Tier::Account | Tier::None => None,
        }
    }

    /// True if trails are admitted by their ARNs, false if by account.
    fn trails_by_arn(&self) -> bool {
        let check = self.policy.statements.iter().find(|statement| statement.sid == "LogmapCloudTrailAclCheck");
        check.is_some_and(|statement| {
            statement.condition.get("StringEquals").is_some_and(|keys| keys.contains_key("aws:SourceArn"))
        })
    }

    pub(super) fn near_misses_of_trails(&self, each: &mut dyn FnMut(Claim<'_>)) {
        let Some(trail) = self.trails.first() else { return };
        let known = |arn: &str| self.trails.iter().any(|trail| trail.arn == arn);
        let stranger = trail.arn.replace(&trail.account_id, STRANGER);
        let mut others = vec![(stranger, STRANGER, "a trail of another account")];
        if self.trails_by_arn() {
            others.push((format!("{}-other", trail.arn), &trail.account_id, "another trail of the account"));
            let region = if self.region == "us-east-1" { "us-west-2" } else { "us-east-1" };
            let elsewhere = trail.arn.replace(&format!(":{}:", self.region), &format!(":{region}:"));
            others.push((elsewhere, &trail.account_id, "the trail of another Region"));
        }
        for (arn, account, who) in others.iter().filter(|(arn, account, _)| {
            !known(arn) && !self.trails.iter().any(|t| *account == STRANGER && t.account_id == STRANGER)
        }) {
            let what = || format!("{who} (`{arn}`) could write to `{}`", self.bucket);
            let key = format!("{}AWSLogs/{}/CloudTrail/{}/2026/01/02/x.json.gz", trail.prefix, trail.account_id, self.region);
            each(Claim { expect: Expect::NotAllowed, ..self.trail_write(Kind::OtherTrail, &key, arn, account, &what) });
            each(Claim { expect: Expect::NotAllowed, ..self.acl_check(Kind::OtherTrail, arn, account, &what) });
        }
        let outside = format!("{}elsewhere/x.json.gz", trail.prefix);
        let what = || format!("the trail `{}` could write to `{outside}` in `{}`, outside its path", trail.arn, self.bucket);
        let claim = self.trail_write(Kind::OtherTrail, &outside, &trail.arn, &trail.account_id, &what);
        each(Claim { expect: Expect::NotAllowed, ..claim });
    }

    pub(super) fn strangers(&self, each: &mut dyn FnMut(Claim<'_>)) {
        let stranger = self.stranger();
        let root = self.root_arn(stranger);
        for action in ["s3:PutObject", "s3:GetObject", "s3:DeleteObject"] {
            let what = || format!("an account that the map does not know could call {action} on `{}`", self.bucket);
            each(Self::iam(Kind::Strangers, (&root, stranger), action, self.object_arn("x"), &what));
        }
        let source_arn = self.source_arn("x");
        for service in [LOGGING_SERVICE, CLOUDTRAIL_SERVICE] {
            let what = || format!("`{service}` could write to `{}` on behalf of anyone", self.bucket);
            each(Claim {
                kind: Kind::Strangers,
                what: &what,
                expect: Expect::NotAllowed,
                caller: Caller::Service(service),
                action: "s3:PutObject",
                resource: self.object_arn("x"),
                context: service_context(service, source_arn.as_str(), stranger),
            });
        }
    }

    pub(super) fn without_tls(&self, each: &mut dyn FnMut(Claim<'_>)) {
        if !self.denies_insecure_transport {
            return;
        }
        let what = || format!("`{}` can be used without TLS", self.bucket);
        let mut plain = |mut claim: Claim<'_>| {
            set(&mut claim, "aws:SecureTransport", "false");
            each(Claim { expect: Expect::NotAllowed, ..claim });
        };
        if let Some(source) = self.sources.first() {
            plain(self.delivery(Kind::WithoutTls, &self.source_arn(&source.name), &self.key(source), &what));
        }
        if let Some(trail) = self.trails.first() {
            let key = format!("{}AWSLogs/{}/CloudTrail/x.json.gz", trail.prefix, trail.account_id);
            plain(self.trail_write(Kind::WithoutTls, &key, &trail.arn, &trail.account_id, &what));
        }
        let root = self.root_arn(self.account_id);
        plain(Self::iam(Kind::WithoutTls, (&root, self.account_id), "s3:GetObject", self.object_arn("x"), &what));
    }
}

/// A name near a source's that is kept out.
fn name_outside(source: &Source, admitted: &Values<'_>) -> Option<String> {
    // the name with another last character, then with another first one
    let mut near: Vec<char> = source.name.chars().collect();
    for at in [near.len().saturating_sub(1), 0] {
        for c in ['x', 'y', 'z', '0', '1'] {
            let before = std::mem::replace(near.get_mut(at)?, c);
            let name: String = near.iter().collect();
            if name != source.name && !admitted.any(&name, &[]) {
                return Some(name);
            }
            *near.get_mut(at)? = before;
        }
    }
    None
}

fn set<'c>(claim: &mut Claim<'c>, key: &str, value: &'c str) {
    for entry in claim.context.iter_mut().filter(|(name, _)| *name == key) {
        entry.1 = value;
    }
}
