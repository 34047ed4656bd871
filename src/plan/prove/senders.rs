//! Services that write logs of their own: what must get in, and what of theirs must not.
//!
//! What is known of their requests is what each one's documentation says (see [`Sender`]); of `aws:SourceOrgID` it says nothing, and of
//! AWS Config that it "won't work with organization ID […] based conditions".

use super::{Claim, Expect, Kind, Subject, admitted::CHANGES, context::form};
use crate::{
    aws::Sender,
    policy::{
        Effect, Element, Principal, Statement,
        compose::SenderGrant,
        evaluate::{
            Set, Shape,
            actions::is_on_objects,
            requests::{Action, Key, Requests, Value, Who},
        },
    },
};
use std::{borrow::Cow, collections::BTreeSet};

/// Sids of their statements begin with it.
const SID: &str = "LogmapSender";

impl<'a> Subject<'a> {
    /// The logs of each service, for each of its accounts, with and without the header for ACLs: whether it is sent to a bucket
    /// without ACLs is documented and seen differently.
    pub(super) fn senders_write(&self, each: &mut dyn FnMut(Claim<'_>)) {
        for grant in self.senders {
            for account in &grant.accounts {
                let service = grant.sender.service();
                let what = || format!("{} can't deliver for `{account}` to `{}`", grant.sender.phrase(), self.bucket);
                let mut requests = self.of_sender(grant, account);
                for action in grant.sender.asks() {
                    requests.action = Action::Is(action);
                    each(Claim { kind: Kind::SendersWrite, what: &what, expect: Expect::Allowed, requests: &requests });
                }
                requests.keys.push(Key::perhaps("s3:x-amz-acl", Value::Text(Cow::Borrowed("bucket-owner-full-control"))));
                requests.action = Action::Is("s3:PutObject");
                for shape in self.logs_of(grant, account) {
                    let write = Requests { who: Who::Service(service), resource: form(shape), ..requests.clone() };
                    each(Claim { kind: Kind::SendersWrite, what: &what, expect: Expect::Allowed, requests: &write });
                }
            }
        }
    }

    /// A service's requests for an account, to the bucket.
    fn of_sender(&self, grant: &'a SenderGrant, account: &'a str) -> Requests<'a> {
        let service = grant.sender.service();
        let (partition, region) = (self.partition, self.region);
        let mut keys = self.of_service(service);
        match grant.sender {
            // "always […] `arn:aws:config:sourceRegion:sourceAccountID:*`", of any Region
            Sender::Config => {
                let arn = Shape::starting(format!("arn:{partition}:config:")).some(Set::NotColon).text(&format!(":{account}:"));
                keys.push(Key::always("aws:SourceArn", form(arn.some(Set::Any))));
            }
            Sender::NetworkLoadBalancers | Sender::FlowLogs => {
                let arn = Shape::starting(format!("arn:{partition}:logs:{region}:{account}:")).some(Set::Any);
                keys.push(Key::always("aws:SourceArn", form(arn)));
            }
            Sender::CloudFront => {
                let arn = Shape::starting(format!("arn:{partition}:logs:us-east-1:{account}:delivery-source:")).some(Set::Any);
                keys.push(Key::always("aws:SourceArn", form(arn)));
            }
            // of its context nothing is documented
            Sender::LoadBalancers => {}
        }
        if grant.sender.tells_account() {
            keys.push(Key::is("aws:SourceAccount", account));
        } else {
            keys.push(Key::perhaps("aws:SourceAccount", Value::Text(Cow::Borrowed(account))));
        }
        Requests { who: Who::Service(service), action: Action::Any, resource: Value::Text(Cow::Owned(self.bucket_arn())), keys }
    }

    /// The forms of the keys of its log files for an account.
    fn logs_of(&self, grant: &SenderGrant, account: &str) -> Vec<Shape> {
        let region = self.region;
        let under = |folder: &str| Shape::starting(self.object_arn(&format!("{}{folder}", grant.prefix)));
        let hive = |behind: &str| under(&format!("AWSLogs/aws-account-id={account}/{behind}/")).some(Set::Any);
        let balancers = || {
            under(&format!("AWSLogs/{account}/elasticloadbalancing/{region}/"))
                .digits(4)
                .text("/")
                .digits(2)
                .text("/")
                .digits(2)
                .text("/")
                .some(Set::NotSlash)
        };
        match grant.sender {
            // history, snapshots, and the file with which it tries whether it may write
            Sender::Config => vec![under(&format!("AWSLogs/{account}/Config/")).some(Set::Any)],
            Sender::LoadBalancers => vec![
                balancers(),
                under(&format!("AWSLogs/{account}/ELBAccessLogTestFile")),
                under(&format!("AWSLogs/{account}/ELBConnectionLogTestFile")),
            ],
            Sender::NetworkLoadBalancers => vec![balancers()],
            Sender::FlowLogs => vec![
                under(&format!("AWSLogs/{account}/vpcflowlogs/{region}/")).digits(4).text("/").some(Set::Any),
                hive(&format!("aws-service=vpcflowlogs/aws-region={region}")),
            ],
            Sender::CloudFront if grant.prefix.is_empty() => {
                vec![under(&format!("AWSLogs/{account}/CloudFront/")).some(Set::Any), hive("CloudFront")]
            }
            Sender::CloudFront => vec![under("").some(Set::Any)],
        }
    }

    /// What a service writes beside its grants. Statements of the map that name the same service are the map's own word: they are
    /// judged like those for any service, by the accounts that they name.
    pub(super) fn others_of_senders(&self, each: &mut dyn FnMut(Claim<'_>)) {
        let services: BTreeSet<&'static str> = self.senders.iter().map(|grant| grant.sender.service()).collect();
        for service in services {
            let grants: Vec<&'a SenderGrant> = self.senders.iter().filter(|grant| grant.sender.service() == service).collect();
            let of_map: Vec<&str> = self.said_of(service).flat_map(resources).collect();
            let beside = of_map.iter().fold(Shape::starting(self.object_arn("")).some(Set::Any), |shape, arn| shape.but(arn));
            let bucket_arn = self.bucket_arn();
            let itself = Value::Text(Cow::Owned(bucket_arn.clone()));
            let asks_of_bucket = of_map.iter().any(|arn| crate::policy::evaluate::glob(arn, &bucket_arn));
            let mut claim = |what: &dyn Fn() -> String, requests: &Requests<'a>| {
                each(Claim { kind: Kind::OtherSender, what, expect: Expect::NotAllowed, requests });
            };
            let requests = Requests {
                who: Who::Service(service),
                action: Action::Any,
                resource: form(beside.clone()),
                keys: self.of_service(service),
            };
            let tells = grants.iter().all(|grant| grant.sender.tells_account());

            // beside the paths of its accounts: those of each account, where the statements tell the accounts apart
            let accounts: BTreeSet<&'a str> = grants.iter().flat_map(|grant| grant.accounts.iter().map(String::as_str)).collect();
            let apart = tells && !self.has_lists(service);
            let beside_paths = |account: Option<&str>| {
                let of = grants.iter().flat_map(|grant| {
                    let accounts = grant.accounts.iter().filter(move |id| account.is_none_or(|account| account == id.as_str()));
                    accounts.flat_map(|id| grant.sender.paths(&grant.prefix, id))
                });
                form(of.fold(beside.clone(), |shape, path| shape.but(&self.object_arn(&path))))
            };
            let what = || format!("`{service}` could write to `{}` beside the paths of its accounts", self.bucket);
            if apart {
                for account in &accounts {
                    let requests = requests.clone().with(Key::is("aws:SourceAccount", *account));
                    claim(&what, &Requests { resource: beside_paths(Some(account)), ..requests });
                }
            }
            let any = requests.clone().with(Key::perhaps("aws:SourceAccount", form(Shape::account())));
            claim(&what, &Requests { resource: beside_paths(None), ..any.clone() });

            // whatever it is not asked for, with its own logs or with the bucket
            let what = || format!("`{service}` could do more with `{}` than write its logs", self.bucket);
            claim(&what, &Requests { action: Action::AnyBut("s3:PutObject"), ..any.clone() });
            if !asks_of_bucket {
                for action in CHANGES.into_iter().filter(|action| !is_on_objects(action)) {
                    claim(&what, &Requests { action: Action::Is(action), resource: itself.clone(), ..any.clone() });
                }
            }
            // no account but by its path
            if !tells {
                if !asks_of_bucket {
                    claim(&what, &Requests { resource: itself.clone(), ..any });
                }
                continue;
            }

            // for another account, or for something else of its account
            let others = accounts.iter().fold(Shape::account(), |shape, id| shape.but_text(id));
            let what =
                || format!("`{service}` could write to `{}` for an account that is not of the map's `senders`", self.bucket);
            let mut near = vec![(&what as &dyn Fn() -> String, Key::perhaps("aws:SourceAccount", form(others)))];
            let patterns: Option<Vec<String>> = grants
                .iter()
                .flat_map(|grant| grant.accounts.iter().map(|id| grant.sender.source_arn(self.partition, self.region, id)))
                .collect();
            let elsewhere =
                || format!("`{service}` could write to `{}` for something that is not of the map's `senders`", self.bucket);
            if let Some(patterns) = patterns {
                let arns = patterns.iter().fold(Shape::any(), |shape, arn| shape.but_arn(arn));
                near.push((&elsewhere, Key::perhaps("aws:SourceArn", form(arns))));
            }
            for (what, key) in near {
                let requests = requests.clone().with(key);
                claim(what, &requests);
                if !asks_of_bucket {
                    claim(what, &Requests { resource: itself.clone(), ..requests });
                }
            }
        }
    }

    /// Statements of the map that let a service in by its name.
    fn said_of(&self, service: &'static str) -> impl Iterator<Item = &'a Statement> {
        self.policy
            .statements
            .iter()
            .filter(move |one| one.effect == Effect::Allow && !one.sid.starts_with("Logmap") && names(one, service))
    }

    /// Does one statement let a service write for several accounts?
    fn has_lists(&self, service: &str) -> bool {
        self.policy.statements.iter().any(|one| {
            let accounts = one.condition.get("StringEquals").and_then(|keys| keys.get("aws:SourceAccount"));
            one.sid.starts_with(SID)
                && one.sid.contains("Write")
                && names(one, service)
                && accounts.is_some_and(|ids| ids.len() > 1)
        })
    }

    /// The paths by which alone it is told for which account a service writes; none if its requests tell.
    pub(super) fn paths_that_tell(&self, service: &str) -> Vec<String> {
        let grants = self.senders.iter().filter(|grant| grant.sender.service() == service && !grant.sender.tells_account());
        let paths = grants.flat_map(|grant| grant.accounts.iter().flat_map(|id| grant.sender.paths(&grant.prefix, id)));
        paths.map(|path| self.object_arn(&path)).collect()
    }
}

fn names(statement: &Statement, service: &str) -> bool {
    match &statement.principal {
        Element::Is(Principal::Kinds(kinds)) => {
            kinds.get("Service").is_some_and(|names| names.iter().any(|name| name == service))
        }
        _ => false,
    }
}

/// What a statement speaks of; all, if it names what it does not speak of.
fn resources(statement: &Statement) -> Vec<&str> {
    match &statement.resource {
        Element::Is(list) => list.iter().map(String::as_str).collect(),
        Element::IsNot(_) => vec!["*"],
    }
}
