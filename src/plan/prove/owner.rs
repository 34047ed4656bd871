//! Who must not be locked out: those who administer the bucket's account.
//!
//! If the map names the account's `role`, that role must be able to read, change and remove the policy, from wherever it calls
//! and at all times. If it names none, some role or user of the account must be: which one it is and what it carries (its tags, its
//! unique id) may be chosen, where it calls from and when may not. The root user alone is not enough.

use super::{Claim, Expect, Kind, Subject, context::form};
use crate::policy::evaluate::{
    Prepared, Set, Shape,
    requests::{Action, Key, Requests, Value, Who},
};
use std::borrow::Cow;

/// Keys of which an administrator may be chosen to have what lets them in.
const CHOSEN: [&str; 4] = ["aws:userid", "aws:username", "aws:PrincipalTag/", "aws:PrincipalOrgPaths"];

/// The unique id of some role, and a session of it.
const SOME_ID: &str = "AROASOMEADMINISTRATOR:session";

impl<'a> Subject<'a> {
    fn administrator(&self, arn: Value<'a>) -> Requests<'a> {
        let mut keys = vec![
            Key::always("aws:PrincipalArn", arn.clone()),
            Key::is("aws:PrincipalAccount", self.account_id),
            Key::is("aws:ViaAWSService", "false"),
        ];
        if let Some(id) = self.organization_id {
            let path = form(Shape::starting(format!("{id}/")).then(Set::Any));
            keys.push(Key::is("aws:PrincipalOrgID", id));
            keys.push(Key { several: true, ..Key::always("aws:PrincipalOrgPaths", path) });
        }
        keys.extend(self.of_caller());
        Requests {
            who: Who::Iam(arn),
            action: Action::Is("s3:GetBucketPolicy"),
            resource: Value::Text(Cow::Owned(self.bucket_arn())),
            keys,
        }
    }

    /// One that is not denied, if there is any.
    fn some_administrator<'s>(&'s self, prepared: &Prepared<'s>) -> Requests<'s> {
        let kind = |kind: &str| {
            let root = format!("arn:{}:iam::{}:{kind}/", self.partition, self.account_id);
            self.administrator(form(Shape::starting(root).some(Set::Any)))
        };
        let mut last = kind("role");
        for requests in [kind("role"), kind("user")] {
            let Who::Iam(arns) = &requests.who else { continue };
            for arn in prepared.principals(arns, &requests) {
                let mut open: Vec<&str> = CHOSEN.to_vec();
                open.extend(self.organization_id.is_none().then_some("aws:PrincipalOrgID"));
                let mut one = prepared.chosen(self.administrator(Value::Text(Cow::Owned(arn))), &open);
                // nor is it one that the policy names by its unique id
                if !one.keys.iter().any(|key| key.name.eq_ignore_ascii_case("aws:userid")) {
                    one.set(Key::is("aws:userid", SOME_ID));
                }
                if prepared.never_denies(&one) {
                    return one;
                }
                last = one;
            }
        }
        last
    }

    pub(super) fn owner<'s>(&'s self, prepared: &Prepared<'s>, each: &mut dyn FnMut(Claim<'_>)) {
        let administrators = match self.role_arn {
            Some(role) => self.administrator(Value::Text(Cow::Borrowed(role))),
            None => self.some_administrator(prepared),
        };
        // a fence around one's own organization, of which the map does not tell the id, is the usual reason for such a condition
        let open: &[&str] = if self.organization_id.is_none() { &["aws:PrincipalOrgID", "aws:PrincipalOrgPaths"] } else { &[] };
        let administrators = prepared.chosen(administrators, open);
        let who = self.role_arn.map_or_else(|| format!("the account `{}`", self.account_id), |role| format!("the role `{role}`"));
        let what = || format!("{who} can't change the policy of `{}`", self.bucket);
        for action in ["s3:PutBucketPolicy", "s3:DeleteBucketPolicy", "s3:GetBucketPolicy"] {
            let requests = Requests { action: Action::Is(action), ..administrators.clone() };
            each(Claim { kind: Kind::OwnerNotLockedOut, what: &what, expect: Expect::NotDenied, requests: &requests });
        }
    }
}
