//! Statements of a log bucket's policy that are exactly what AWS documents for a service that writes logs of its own: in the map they
//! are `senders`.
//!
//! Exactly: for accounts of the map, under the documented keys of each, for the Region that is derived. What is wider, or for accounts that
//! are not in the map, stays a statement of the map, so that nothing that arrives today is kept out tomorrow.

use crate::{
    aws::{Partition, Sender, arn, limits},
    map::SenderService,
    observed::policy::PolicyDoc,
    policy::{Effect, Element, Principal, Statement},
    rules::delivery::prefix_problem,
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The services that a policy lets write, and the statements by which it does.
#[derive(Debug, Default)]
pub(super) struct Senders {
    /// With the ids of the accounts for which they write.
    found: BTreeMap<(Sender, String), BTreeSet<String>>,
    derived: BTreeSet<usize>,
}

/// The bucket of a policy.
struct Place<'a> {
    bucket_arn: String,
    partition: Partition,
    region: &'a str,
    account: &'a str,
    keys: &'a Keys<'a>,
}

/// The key that an account has in the map, by its id.
pub(super) type Keys<'a> = dyn Fn(&str) -> Option<String> + 'a;

impl Senders {
    /// Those of the policy of a bucket in an account and Region; `delivered` are beginnings of the keys of access logs and trails there,
    /// among which no other service may write.
    pub(super) fn of(
        doc: &PolicyDoc,
        (bucket, account, region): (&str, &str, &str),
        delivered: &[String],
        keys: &Keys<'_>,
    ) -> Self {
        let partition = Partition::of_region(region);
        let place = Place { bucket_arn: arn::bucket(partition, bucket), partition, region, account, keys };
        let mut senders = Senders::default();
        let statements = || doc.policy.statements.iter().enumerate();
        for (at, statement) in statements() {
            let Some((sender, prefix, accounts)) = place.write(statement) else { continue };
            let folder = sender.folder(&prefix);
            let meets = |other: &String| folder.starts_with(other.as_str()) || other.starts_with(&folder);
            if !delivered.iter().any(meets) {
                senders.found.entry((sender, prefix)).or_default().extend(accounts);
                senders.derived.insert(at);
            }
        }
        for (at, statement) in statements() {
            let of_one =
                |sender| senders.found.iter().filter(move |((other, _), _)| *other == sender).flat_map(|(_, accounts)| accounts);
            let is_check = |sender| {
                let asks = place.check(statement, sender);
                asks.is_some_and(|asks| asks.iter().all(|account| of_one(sender).any(|known| known == account)))
            };
            if senders.found.keys().any(|(sender, _)| is_check(*sender)) {
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
        self.found.keys().map(|(sender, prefix)| sender.folder(prefix))
    }

    /// Keys of the accounts that the map has to name for them.
    pub(super) fn accounts(&self, own: &str, keys: &Keys<'_>) -> BTreeSet<String> {
        let named = self.found.values().filter(|accounts| !is_own(accounts, own));
        named.flatten().filter_map(|account| keys(account)).collect()
    }

    /// As the map has them, if there are any.
    pub(super) fn value(&self, own: &str, keys: &Keys<'_>) -> Option<Value> {
        let one = |((sender, prefix), accounts): (&(Sender, String), &BTreeSet<String>)| {
            let word = SenderService::of(*sender).word();
            let named: BTreeSet<String> = accounts.iter().filter_map(|account| keys(account)).collect();
            let mut value = json!({ "service": word });
            if *prefix != format!("{word}/") {
                value["prefix"] = json!(prefix);
            } else if is_own(accounts, own) {
                return json!(word);
            }
            if !is_own(accounts, own) {
                value["accounts"] = json!(named);
            }
            value
        };
        (!self.found.is_empty()).then(|| self.found.iter().map(one).collect())
    }
}

impl Place<'_> {
    /// The service for which a statement is exactly the grant to write, the prefix, and the accounts.
    fn write(&self, statement: &Statement) -> Option<(Sender, String, BTreeSet<String>)> {
        let Element::Is(actions) = &statement.action else { return None };
        let Element::Is(resources) = &statement.resource else { return None };
        if actions != &["s3:PutObject"] || resources.is_empty() {
            return None;
        }
        let keys: Vec<&str> =
            resources.iter().map(|resource| resource.strip_prefix(&self.bucket_arn)?.strip_prefix('/')).collect::<Option<_>>()?;
        let first = keys.first()?;
        Sender::ALL.into_iter().find_map(|sender| {
            let told = self.accounts_of(statement, sender)?;
            let prefix = match first.split_once("AWSLogs/") {
                Some((prefix, _)) => prefix,
                None => first.strip_suffix('*')?,
            };
            // no condition tells the account, so the path does
            let accounts =
                if sender.tells_account() { told } else { keys.iter().filter_map(|key| in_path(key, prefix)).collect() };
            let paths: Vec<(&String, Vec<String>)> =
                accounts.iter().map(|account| (account, sender.paths(prefix, account))).collect();
            let known = accounts.iter().all(|account| account == self.account || (self.keys)(account).is_some());
            let exact = keys.iter().all(|key| paths.iter().any(|(_, paths)| paths.iter().any(|path| path == key)))
                && paths.iter().all(|(_, paths)| paths.iter().any(|path| keys.contains(&path.as_str())));
            let is_one = (prefix.is_empty() || prefix.ends_with('/')) && prefix_problem(prefix).is_none();
            // the grants of both are the same, and a flow log's has the Hive path besides
            let balancer = sender == Sender::NetworkLoadBalancers && !speaks_of_balancers(&statement.sid, prefix);
            (is_one && !balancer && known && exact).then(|| (sender, prefix.to_owned(), accounts))
        })
    }

    /// The accounts, if a statement is exactly what a service asks of the bucket itself.
    fn check(&self, statement: &Statement, sender: Sender) -> Option<BTreeSet<String>> {
        let Element::Is(actions) = &statement.action else { return None };
        let asks = !actions.is_empty() && actions.iter().all(|action| sender.asks().contains(&action.as_str()));
        let here = asks && statement.resource == Element::Is(vec![self.bucket_arn.clone()]);
        here.then(|| self.accounts_of(statement, sender)).flatten()
    }

    /// The accounts for which a statement lets the service in, and nobody else, with what the service says of itself; none where it says
    /// no account.
    fn accounts_of(&self, statement: &Statement, sender: Sender) -> Option<BTreeSet<String>> {
        let service = match &statement.principal {
            Element::Is(Principal::Kinds(kinds)) => {
                kinds.len() == 1 && kinds.get("Service").is_some_and(|names| names == &[sender.service()])
            }
            _ => false,
        };
        if statement.effect != Effect::Allow || !service {
            return None;
        }
        let (mut accounts, mut sources) = (BTreeSet::new(), BTreeSet::new());
        for (operator, keys) in &statement.condition {
            for (key, values) in keys {
                let is = |name: &str| key.eq_ignore_ascii_case(name);
                let exactly = operator == "StringEquals";
                if exactly && is("s3:x-amz-acl") && values.iter().all(|value| value == "bucket-owner-full-control") {
                    continue;
                }
                if exactly && is("aws:SourceAccount") && values.iter().all(|value| limits::is_account_id(value)) {
                    accounts.extend(values.iter().cloned());
                } else if ["ArnLike", "StringLike"].contains(&operator.as_str()) && is("aws:SourceArn") {
                    sources.extend(values.iter().cloned());
                } else {
                    return None;
                }
            }
        }
        let wanted = |account: &String| sender.source_arn(self.partition, self.region, account);
        let wanted: BTreeSet<String> = accounts.iter().filter_map(wanted).collect();
        (accounts.is_empty() != sender.tells_account() && sources == wanted).then_some(accounts)
    }
}

/// Is it the bucket's own account alone?
fn is_own(accounts: &BTreeSet<String>, own: &str) -> bool {
    accounts.iter().all(|account| account == own)
}

/// The account of a path behind the prefix.
fn in_path(key: &str, prefix: &str) -> Option<String> {
    let account = key.strip_prefix(prefix)?.strip_prefix("AWSLogs/")?.split('/').next()?;
    limits::is_account_id(account).then(|| account.to_owned())
}

/// Does a statement's Sid or prefix speak of load balancers?
fn speaks_of_balancers(sid: &str, prefix: &str) -> bool {
    let text = format!("{sid} {prefix}").to_ascii_lowercase();
    ["nlb", "elb", "balancer"].iter().any(|word| text.contains(word))
}
