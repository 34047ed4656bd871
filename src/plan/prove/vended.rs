//! What CloudWatch Logs delivers to an archive: what must get in, and what of its must not.
//!
//! Its requests tell the account and the delivery source (CloudWatch Logs user guide, "Logs sent to Amazon S3"). Whether they have the header
//! of an ACL where the bucket has no ACLs is documented with it and was seen without it, so both are asked. Of an organization nothing is said.

use super::{Claim, Expect, Kind, Subject, context::form};
use crate::{
    aws::{DELIVERY_SOURCE, LOG_DELIVERY_SERVICE, arn},
    policy::{
        Element, Principal,
        compose::DELIVERIES,
        evaluate::{
            Set, Shape,
            requests::{Action, Key, Requests, Value, Who},
        },
    },
};
use std::borrow::Cow;

/// The one thing that it does.
const WRITE: &str = "s3:PutObject";

impl<'a> Subject<'a> {
    /// Ids of the accounts for which it delivers.
    fn delivered(&self) -> impl Iterator<Item = &'a str> {
        self.copies.iter().filter(|copy| copy.role_arn.is_none()).map(|copy| copy.account_id.as_str())
    }

    /// Its requests, whatever they are for.
    fn of_vended(&self, resource: Value<'a>, more: Vec<Key<'a>>) -> Requests<'a> {
        let mut keys = self.of_service(LOG_DELIVERY_SERVICE);
        keys.extend(more);
        Requests { who: Who::Service(LOG_DELIVERY_SERVICE), action: Action::Is(WRITE), resource, keys }
    }

    /// ARN of a delivery source of an account, in any Region, whose name is logmap's.
    fn delivery_source(&self, account: &str) -> Value<'a> {
        let arn = Shape::starting(format!("arn:{}:logs:", self.partition)).some(Set::NotColon);
        form(arn.text(&format!(":{account}:delivery-source:{DELIVERY_SOURCE}")).some(Set::NotColon))
    }

    pub(super) fn vended_write(&self, each: &mut dyn FnMut(Claim<'_>)) {
        for account in self.delivered() {
            let what = || format!("CloudWatch Logs can't deliver logs of `{account}` to `{}`", self.bucket);
            let objects = Shape::starting(self.object_arn(&format!("AWSLogs/{account}/"))).some(Set::Any);
            let keys = vec![Key::is("aws:SourceAccount", account), Key::always("aws:SourceArn", self.delivery_source(account))];
            let without = self.of_vended(form(objects), keys).with(Key::absent("s3:x-amz-acl"));
            let mut with = without.clone();
            with.set(Key::is("s3:x-amz-acl", "bucket-owner-full-control"));
            for requests in [&without, &with] {
                each(Claim { kind: Kind::VendedWrite, what: &what, expect: Expect::Allowed, requests });
            }
        }
    }

    /// Has each account a statement of its own?
    fn tells_deliveries_apart(&self) -> bool {
        let own = |statement: &&crate::policy::Statement| {
            statement.sid.starts_with(DELIVERIES)
                && matches!(&statement.principal, Element::Is(Principal::Kinds(kinds)) if kinds.contains_key("Service"))
        };
        let mut statements = self.granted_by.statements.iter().filter(own);
        statements.all(|one| {
            let accounts = one.condition.get("StringEquals").and_then(|keys| keys.get("aws:SourceAccount"));
            accounts.is_some_and(|ids| ids.len() == 1)
        })
    }

    pub(super) fn others_of_vended(&self, each: &mut dyn FnMut(Claim<'_>)) {
        if self.delivered().next().is_none() {
            return;
        }
        let itself = Value::Text(Cow::Owned(self.bucket_arn()));
        let objects = form(self.objects_of_bucket());
        let mut keep_out = |what: &dyn Fn() -> String, requests: &Requests<'a>| {
            each(Claim { kind: Kind::OtherVended, what, expect: Expect::NotAllowed, requests });
        };
        let any_account = || Key::perhaps("aws:SourceAccount", form(Shape::account()));

        let what = || format!("CloudWatch Logs could write to `{}` for an account that is not copied", self.bucket);
        let accounts = self.delivered().fold(Shape::account(), Shape::but_text);
        keep_out(&what, &self.of_vended(objects.clone(), vec![Key::perhaps("aws:SourceAccount", form(accounts))]));

        let what = || format!("CloudWatch Logs could write to `{}` from a delivery source that is not logmap's", self.bucket);
        let ours = arn::delivery_source(self.partition, "*", "*", &format!("{DELIVERY_SOURCE}*"));
        let others = Key::perhaps("aws:SourceArn", form(Shape::any().but_arn(&ours)));
        keep_out(&what, &self.of_vended(objects.clone(), vec![any_account(), others]));

        let what = || format!("CloudWatch Logs could write to `{}` beside the paths of its accounts", self.bucket);
        let beside = self.granted(DELIVERIES).fold(self.objects_of_bucket(), Shape::but);
        keep_out(&what, &self.of_vended(form(beside), vec![any_account()]));
        if self.tells_deliveries_apart() {
            for account in self.delivered() {
                let beside = self.objects_of_bucket().but(&self.object_arn(&format!("AWSLogs/{account}/*")));
                keep_out(&what, &self.of_vended(form(beside), vec![Key::is("aws:SourceAccount", account)]));
            }
        }

        let what = || format!("CloudWatch Logs could do more with `{}` than write logs to it", self.bucket);
        keep_out(&what, &Requests { action: Action::AnyBut(WRITE), ..self.of_vended(objects, vec![any_account()]) });
        keep_out(&what, &Requests { action: Action::Any, ..self.of_vended(itself, vec![any_account()]) });
    }
}
