//! Statements of a log bucket's policy that are exactly what AWS documents for a service that writes logs of its own: in the map they
//! are `senders`.
//!
//! Exactly: for the bucket's own account, under the documented keys, for the Region that is derived. What is wider, or for other accounts,
//! stays a statement of the map, so that nothing that arrives today is kept out tomorrow.

use crate::{
    aws::{Partition, Sender, arn},
    map::SenderService,
    observed::policy::PolicyDoc,
    policy::{Effect, Element, Principal, Statement},
    rules::delivery::prefix_problem,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The services that a policy lets write, and the statements by which it does.
#[derive(Debug, Default)]
pub(super) struct Senders {
    found: BTreeSet<(Sender, String)>,
    derived: BTreeSet<usize>,
}

/// The bucket of a policy.
struct Place<'a> {
    bucket_arn: String,
    partition: Partition,
    region: &'a str,
    account: &'a str,
}

impl Senders {
    /// Those of the policy of a bucket in an account and Region; `delivered` are beginnings of the keys of access logs and trails there,
    /// among which no other service may write.
    pub(super) fn of(doc: &PolicyDoc, (bucket, account, region): (&str, &str, &str), delivered: &[String]) -> Self {
        let partition = Partition::of_region(region);
        let place = Place { bucket_arn: arn::bucket(partition, bucket), partition, region, account };
        let mut senders = Senders::default();
        let statements = || doc.policy.statements.iter().enumerate();
        for (at, statement) in statements() {
            let Some((sender, prefix)) = place.write(statement) else { continue };
            let folder = sender.folder(&prefix);
            let meets = |other: &String| folder.starts_with(other.as_str()) || other.starts_with(&folder);
            if !delivered.iter().any(meets) {
                senders.found.insert((sender, prefix));
                senders.derived.insert(at);
            }
        }
        for (at, statement) in statements() {
            if senders.found.iter().any(|(sender, _)| place.is_check(statement, *sender)) {
                senders.derived.insert(at);
            }
        }
        senders
    }

    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Is a statement of the policy one that `senders` derive?
    pub(super) fn is_derived(&self, at: usize) -> bool {
        self.derived.contains(&at)
    }

    /// Where they write.
    pub(super) fn folders(&self) -> impl Iterator<Item = String> {
        self.found.iter().map(|(sender, prefix)| sender.folder(prefix))
    }

    /// As the map has them, if there are any.
    pub(super) fn value(&self) -> Option<Value> {
        let one = |(sender, prefix): &(Sender, String)| {
            let word = SenderService::of(*sender).word();
            if *prefix == format!("{word}/") { json!(word) } else { json!({ "service": word, "prefix": prefix }) }
        };
        (!self.found.is_empty()).then(|| self.found.iter().map(one).collect())
    }
}

impl Place<'_> {
    /// The service for which a statement is exactly the grant to write, and the prefix.
    fn write(&self, statement: &Statement) -> Option<(Sender, String)> {
        let Element::Is(actions) = &statement.action else { return None };
        let Element::Is(resources) = &statement.resource else { return None };
        if actions != &["s3:PutObject"] || resources.is_empty() {
            return None;
        }
        let keys: Vec<&str> =
            resources.iter().map(|resource| resource.strip_prefix(&self.bucket_arn)?.strip_prefix('/')).collect::<Option<_>>()?;
        let first = keys.first()?;
        Sender::ALL.into_iter().filter(|sender| self.is_for(statement, *sender)).find_map(|sender| {
            let prefix = match first.split_once("AWSLogs/") {
                Some((prefix, _)) => prefix,
                None => first.strip_suffix('*')?,
            };
            let paths = sender.paths(prefix, self.account);
            let is_one = (prefix.is_empty() || prefix.ends_with('/')) && prefix_problem(prefix).is_none();
            // the grants of both are the same, and a flow log's has the Hive path besides
            let balancer = sender == Sender::NetworkLoadBalancers && !speaks_of_balancers(&statement.sid, prefix);
            (is_one && !balancer && keys.iter().all(|key| paths.iter().any(|path| path == key)))
                .then(|| (sender, prefix.to_owned()))
        })
    }

    /// Is a statement exactly what a service asks of the bucket itself?
    fn is_check(&self, statement: &Statement, sender: Sender) -> bool {
        let Element::Is(actions) = &statement.action else { return false };
        let asks = !actions.is_empty() && actions.iter().all(|action| sender.asks().contains(&action.as_str()));
        asks && statement.resource == Element::Is(vec![self.bucket_arn.clone()]) && self.is_for(statement, sender)
    }

    /// Does a statement let the service in, and nobody else, for the account and what the service says of itself?
    fn is_for(&self, statement: &Statement, sender: Sender) -> bool {
        let service = match &statement.principal {
            Element::Is(Principal::Kinds(kinds)) => {
                kinds.len() == 1 && kinds.get("Service").is_some_and(|names| names == &[sender.service()])
            }
            _ => false,
        };
        if statement.effect != Effect::Allow || !service {
            return false;
        }
        let wanted = sender.source_arn(self.partition, self.region, self.account);
        let (mut account, mut source) = (false, false);
        for (operator, keys) in &statement.condition {
            for (key, values) in keys {
                let [value] = values.as_slice() else { return false };
                let is = |name: &str| key.eq_ignore_ascii_case(name);
                let exactly = operator == "StringEquals";
                if exactly && is("s3:x-amz-acl") && value == "bucket-owner-full-control" {
                    continue;
                }
                if exactly && is("aws:SourceAccount") && value == self.account {
                    account = true;
                } else if ["ArnLike", "StringLike"].contains(&operator.as_str())
                    && is("aws:SourceArn")
                    && wanted.as_deref() == Some(value)
                {
                    source = true;
                } else {
                    return false;
                }
            }
        }
        account == sender.tells_account() && source == wanted.is_some()
    }
}

/// Does a statement's Sid or prefix speak of load balancers?
fn speaks_of_balancers(sid: &str, prefix: &str) -> bool {
    let text = format!("{sid} {prefix}").to_ascii_lowercase();
    ["nlb", "elb", "balancer"].iter().any(|word| text.contains(word))
}
