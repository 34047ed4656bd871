//! Roles with which S3 copies logs to an archive: what must get in, and what of theirs must not.
//!
//! S3 assumes the role of the source's account (S3 user guide, "Setting up permissions for live replication"), so that its requests are those
//! of that role: `aws:PrincipalArn` is the role's ARN, and `aws:PrincipalOrgID` its organization's id (IAM user guide, "AWS global condition
//! context keys").

use super::{Claim, Expect, Kind, Subject, context::form};
use crate::{
    aws::{REPLICATION_ROLE, arn},
    policy::{
        compose::COPIES,
        evaluate::{
            Set, Shape,
            requests::{Action, Key, Requests, Value, Who},
        },
    },
};
use std::{borrow::Cow, collections::BTreeSet};

/// The one thing that the roles do.
const COPY: &str = "s3:ReplicateObject";

/// A role that copies.
#[derive(Clone, Copy)]
struct Role<'a> {
    account_id: &'a str,
    arn: &'a str,
}

impl<'a> Subject<'a> {
    /// The roles among those who copy.
    fn roles(&self) -> impl Iterator<Item = Role<'a>> {
        self.copies.iter().filter_map(|copy| Some(Role { account_id: &copy.account_id, arn: copy.role_arn.as_deref()? }))
    }

    /// The requests of a role: any object, always with TLS.
    fn of_role(&self, copy: Role<'a>) -> Requests<'a> {
        let role = Value::Text(Cow::Borrowed(copy.arn));
        let mut keys = vec![Key::always("aws:PrincipalArn", role.clone()), Key::is("aws:PrincipalAccount", copy.account_id)];
        keys.extend(self.of_organization());
        keys.extend(self.of_caller());
        Requests { who: Who::Iam(role), action: Action::Is(COPY), resource: form(self.objects_of_bucket()), keys }
    }

    /// What is known of the organization of a principal that is in it.
    fn of_organization(&self) -> Option<Key<'a>> {
        self.organization_id.map(|id| Key::is("aws:PrincipalOrgID", id))
    }

    pub(super) fn objects_of_bucket(&self) -> Shape {
        Shape::starting(self.object_arn("")).some(Set::Any)
    }

    pub(super) fn copies_write(&self, each: &mut dyn FnMut(Claim<'_>)) {
        for copy in self.roles() {
            let what = || format!("S3 can't copy logs to `{}` with the role `{}`", self.bucket, copy.arn);
            each(Claim { kind: Kind::CopiesWrite, what: &what, expect: Expect::Allowed, requests: &self.of_role(copy) });
        }
    }

    /// Are the roles named each by its ARN? Else by the organization and the pattern of their names.
    fn names_roles(&self) -> bool {
        let grant = self.granted_by.statements.iter().find(|statement| statement.sid == COPIES);
        grant.is_some_and(|grant| grant.condition.contains_key("ArnEquals"))
    }

    pub(super) fn others_of_copies(&self, each: &mut dyn FnMut(Claim<'_>)) {
        if self.roles().next().is_none() {
            return;
        }
        let by_arn = self.names_roles();
        let itself = Value::Text(Cow::Owned(self.bucket_arn()));
        let objects = form(self.objects_of_bucket());
        let mut keep_out = |what: &dyn Fn() -> String, requests: &Requests<'a>, places: &[Value<'a>]| {
            for resource in places {
                let requests = Requests { resource: resource.clone(), ..requests.clone() };
                each(Claim { kind: Kind::OtherCopy, what, expect: Expect::NotAllowed, requests: &requests });
            }
        };
        let from = |who: Shape, mut keys: Vec<Key<'a>>| {
            keys.push(Key::always("aws:PrincipalArn", form(who.clone())));
            keys.extend(self.of_caller());
            Requests { who: Who::Iam(form(who)), action: Action::Any, resource: itself.clone(), keys }
        };
        let accounts: BTreeSet<&'a str> = self.roles().map(|copy| copy.account_id).collect();

        // a role of that name in an account that is not copied; that no principal at all gets in whom the policy does not name is asked of
        // strangers
        let near = (0u64..).map(|number| format!("{number:012}")).find(|id| !accounts.contains(id.as_str())).unwrap_or_default();
        let strangers = match by_arn {
            true => Shape::starting(arn::role(self.partition, &near, REPLICATION_ROLE)),
            false => {
                Shape::starting(format!("arn:{}:iam::", self.partition)).digits(12).text(&format!(":role/{REPLICATION_ROLE}"))
            }
        };
        let organizations = match self.organization_id.filter(|_| !by_arn) {
            Some(id) => Shape::any().but_text(id),
            None => Shape::any(),
        };
        let keys = vec![
            Key::always("aws:PrincipalAccount", form(Shape::account())),
            Key::perhaps("aws:PrincipalOrgID", form(organizations)),
        ];
        let what = || format!("a role of an account that is not copied could use `{}`", self.bucket);
        keep_out(&what, &from(strangers.then(Set::Any), keys), &[objects.clone(), itself.clone()]);

        // any other principal, of whichever account: asked once, for each account has its own in the list
        let mut others = Shape::starting(format!("arn:{}:iam::", self.partition)).digits(12).text(":").some(Set::Any);
        if by_arn {
            for copy in self.roles() {
                others = others.but_text(copy.arn);
            }
        } else {
            others = others.but_arn(&arn::role(self.partition, "*", &format!("{REPLICATION_ROLE}*")));
        }
        let mut keys = vec![Key::always("aws:PrincipalAccount", form(Shape::account()))];
        keys.extend(self.of_organization());
        let what = || format!("a principal that does not copy logs could use `{}`", self.bucket);
        keep_out(&what, &from(others, keys), &[objects.clone(), itself.clone()]);

        // whatever else one of the roles could do
        for copy in self.roles() {
            let what = || format!("the role `{}` could do more with `{}` than copy logs to it", copy.arn, self.bucket);
            let requests = Requests { action: Action::AnyBut(COPY), ..self.of_role(copy) };
            keep_out(&what, &requests, &[objects.clone(), itself.clone()]);
        }
    }
}
