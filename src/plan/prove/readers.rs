//! The account that asks the logs of all: it can read, and nothing more.
//!
//! What its own statement gives is proven by itself: the map's statements may give the same account more, which is their word, and told.

use super::{Claim, Expect, Failure, Kind, Row, Subject, context::form, judge};
use crate::policy::{
    compose::{READER_ACTIONS, READER_SID, ReaderGrant},
    evaluate::{
        Prepared, Set, Shape,
        actions::is_on_objects,
        requests::{Action, Key, Requests, Value, Who},
    },
};
use std::borrow::Cow;

impl<'a> Subject<'a> {
    fn any_log(&self) -> Value<'a> {
        form(Shape::starting(self.object_arn("")).some(Set::Any))
    }

    fn itself(&self) -> Value<'a> {
        Value::Text(Cow::Owned(self.bucket_arn()))
    }

    /// Any role or user of the account that asks.
    fn of_central(&self, readers: &ReaderGrant) -> Shape {
        Shape::starting(format!("arn:{}:iam::{}:", self.partition, readers.account_id)).some(Set::Any)
    }

    /// A principal of the account, as Athena comes with its rights, or as it comes by itself.
    fn reader(&self, readers: &'a ReaderGrant, arn: &Shape) -> Requests<'a> {
        let mut keys = vec![
            Key::always("aws:PrincipalArn", form(arn.clone())),
            Key::is("aws:PrincipalAccount", readers.account_id.as_str()),
            Key::always("aws:ViaAWSService", Value::Few(&["true", "false"])),
        ];
        if let Some(id) = self.organization_id {
            let path = form(Shape::starting(format!("{id}/")).then(Set::Any));
            keys.push(Key::is("aws:PrincipalOrgID", id));
            keys.push(Key { several: true, ..Key::always("aws:PrincipalOrgPaths", path) });
        }
        keys.extend(self.of_caller());
        Requests { who: Who::Iam(form(arn.clone())), action: Action::Any, resource: self.itself(), keys }
    }

    /// Each reader can list the bucket and read any log.
    pub(super) fn readers_read<'s>(&'s self, prepared: &Prepared<'s>, each: &mut dyn FnMut(Claim<'_>)) {
        let Some(readers) = self.readers else { return };
        let what = || format!("the account {} can't read `{}`", readers.account_id, self.bucket);
        let shapes: Vec<Shape> = match readers.roles.is_empty() {
            true => vec![self.of_central(readers)],
            false => readers.roles.iter().map(|role| Shape::like(role)).collect(),
        };
        // as with the owner: a fence around an organization of which the map does not tell the id
        let open: &[&str] = if self.organization_id.is_none() { &["aws:PrincipalOrgID", "aws:PrincipalOrgPaths"] } else { &[] };
        for shape in shapes {
            let requests = prepared.chosen(self.reader(readers, &shape), open);
            for action in READER_ACTIONS {
                let resource = if is_on_objects(action) { self.any_log() } else { self.itself() };
                let requests = Requests { action: Action::Is(action), resource, ..requests.clone() };
                each(Claim { kind: Kind::ReadersRead, what: &what, expect: Expect::Allowed, requests: &requests });
            }
        }
    }

    /// The statement gives reading and nothing else, to the named roles and to nobody else. Nothing where there is none.
    pub(super) fn readers_only(&self) -> Option<(Kind, Row)> {
        let readers = self.readers?;
        let mut own = self.policy.clone();
        own.statements.retain(|statement| statement.sid == READER_SID);
        let prepared = Prepared::with(&own, &self.patience());
        let mut row = Row::new(Kind::ReadersOnly);
        let mut ask = |what: &dyn Fn() -> String, requests: &Requests<'_>| {
            let claim = Claim { kind: Kind::ReadersOnly, what, expect: Expect::NotAllowed, requests };
            row.asked += 1;
            if let Err(failure) = judge(&own, &prepared, &claim) {
                // no statement of the map is to blame
                row.failures.push(Failure { statements: Vec::new(), ..failure });
            }
        };
        let all = self.of_central(readers);
        let anyone = self.reader(readers, &all);
        let what = || format!("the account {} could do more with `{}` than read", readers.account_id, self.bucket);
        for resource in [self.any_log(), self.itself()] {
            for action in super::CHANGES {
                ask(&what, &Requests { action: Action::Is(action), resource: resource.clone(), ..anyone.clone() });
            }
        }
        let what = || format!("a role of {} that is not named could read `{}`", readers.account_id, self.bucket);
        let others = readers.roles.iter().fold(all, |shape, role| shape.but_arn(role));
        let beyond = Shape::starting(format!("arn:{}:", self.partition))
            .some(Set::NotColon)
            .text("::")
            .digits(12)
            .text(":")
            .some(Set::Any)
            .but_arn(&format!("arn:*:*::{}:*", readers.account_id));
        let mut strangers = self.reader(readers, &beyond);
        strangers.keys.retain(|key| !key.name.starts_with("aws:PrincipalOrg"));
        let accounts = form(Shape::account().but_text(&readers.account_id));
        strangers.set(Key::always("aws:PrincipalAccount", accounts));
        for resource in [self.any_log(), self.itself()] {
            if !readers.roles.is_empty() {
                ask(&what, &Requests { resource: resource.clone(), ..self.reader(readers, &others) });
            }
            ask(&what, &Requests { resource, ..strangers.clone() });
        }
        Some((Kind::ReadersOnly, row))
    }
}

/// The policy of a bucket with its readers' statement alone is what [`Subject::readers_only`] asks.
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]
mod tests {
    use crate::{
        aws::Partition,
        plan::{
            Tier,
            prove::{Kind, Proof, Subject, prove},
        },
        policy::{
            Policy,
            compose::{Grants, ReaderGrant, Scope, compose},
        },
    };
    use std::collections::BTreeMap;

    fn readers(roles: &[&str]) -> ReaderGrant {
        ReaderGrant { account_id: "999988887777".to_owned(), roles: roles.iter().map(|role| (*role).to_owned()).collect() }
    }

    fn policy(readers: &ReaderGrant) -> Policy {
        let grants = Grants {
            bucket: "acme-logs",
            partition: Partition::Aws,
            account_id: "111122223333",
            sources: BTreeMap::new(),
            trails: Vec::new(),
            senders: Vec::new(),
            readers: Some(readers.clone()),
            scope: Scope::Auto,
            deny_insecure_transport: true,
            extra: &[],
            copies: &[],
            organization_id: None,
        };
        compose(&grants).unwrap().0
    }

    fn proof(policy: &Policy, readers: &ReaderGrant) -> Proof {
        prove(&Subject {
            bucket: "acme-logs",
            partition: Partition::Aws,
            region: "us-east-1",
            account_id: "111122223333",
            role_arn: None,
            organization_id: None,
            policy,
            granted_by: policy,
            tier: Tier::None,
            sources: &[],
            trails: &[],
            senders: &[],
            readers: Some(readers),
            denies_insecure_transport: true,
            of_placements: 1,
            copies: &[],
        })
    }

    /// The kinds of claims that do not hold.
    fn broken(policy: &Policy, readers: &ReaderGrant) -> Vec<Kind> {
        let proof = proof(policy, readers);
        proof.rows.iter().filter(|row| !row.failures.is_empty()).map(|row| row.kind).collect()
    }

    const ROLES: [&str; 2] = ["arn:aws:iam::999988887777:role/auditor", "arn:aws:iam::999988887777:role/sso/*/Audit_*"];

    #[test]
    fn readers_get_in_and_nobody_else_of_their_account() {
        for roles in [&[][..], &ROLES[..1], &ROLES] {
            let readers = readers(roles);
            let policy = policy(&readers);
            assert!(broken(&policy, &readers).is_empty(), "{:?}", proof(&policy, &readers));
            let asked = |kind| proof(&policy, &readers).rows.iter().find(|row| row.kind == kind).unwrap().asked;
            assert_eq!(asked(Kind::ReadersRead), 3 * roles.len().max(1));
            assert!(asked(Kind::ReadersOnly) >= 46);
        }
    }

    #[test]
    fn what_is_wrong_in_the_statement_breaks_the_proof() {
        let named = readers(&ROLES);
        let right = policy(&named);
        let at = right.statements.iter().position(|statement| statement.sid == "LogmapCentralRead").unwrap();
        let changed = |change: &dyn Fn(&mut crate::policy::Statement)| {
            let mut policy = right.clone();
            change(&mut policy.statements[at]);
            broken(&policy, &named)
        };
        use crate::policy::{Element, Principal};
        assert_eq!(changed(&|one| one.action = Element::Is(vec!["s3:*".to_owned()])), [Kind::ReadersOnly]);
        assert_eq!(
            changed(&|one| one.action = Element::Is(vec!["s3:GetObject".to_owned(), "s3:ListBucket".to_owned()])),
            [Kind::ReadersRead]
        );
        assert_eq!(changed(&|one| one.condition.clear()), [Kind::ReadersOnly]);
        // who else there is, the roles keep out
        assert_eq!(changed(&|one| one.principal = Element::Is(Principal::Any)), []);
        assert_eq!(
            changed(&|one| one.resource =
                Element::Is(vec!["arn:aws:s3:::acme-logs".to_owned(), "arn:aws:s3:::acme-logs/AWSLogs/*".to_owned()])),
            [Kind::ReadersRead]
        );
        let none = readers(&[]);
        let mut anyone = policy(&none);
        let at = anyone.statements.iter().position(|statement| statement.sid == "LogmapCentralRead").unwrap();
        anyone.statements[at].principal = Element::Is(Principal::Any);
        assert!(broken(&anyone, &none).contains(&Kind::ReadersOnly));
    }
}
