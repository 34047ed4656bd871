//! Grants of a policy to a delivery service: for whom they let it write, whether they let anything in, and what takes them away.

use super::{
    Configuration, World,
    admit::{self, Denial, does, has_hole},
    delivery::{Delivery, any_source},
    finding,
    principals::named,
    related, too_complex,
};
use crate::{
    aws::{CLOUDTRAIL_SERVICE, LOGGING_SERVICE, Partition, arn, limits::is_account_id},
    catalog::observed::{DEAD_GRANT, OPEN_GRANT},
    diagnostics::list,
    observed::{hole, policy::PolicyDoc},
    plan::prove::form,
    policy::{
        Effect, Element, Principal, Statement,
        evaluate::{
            self, Prepared, Shape, Verdict,
            actions::{can_have, is_on_objects},
            requests::{Holds, Key, Requests, Value},
            witness::Witness,
        },
    },
};
use std::collections::BTreeSet;

/// The grants of one policy to one service.
pub(super) struct Grants<'a> {
    world: &'a World<'a>,
    doc: &'a PolicyDoc,
    /// What people call the policy's bucket.
    name: String,
    delivery: Delivery,
    prepared: Prepared<'a>,
}

/// Keys by which a Deny leaves a grant to some sources, or to the bucket's own account and Region.
const NARROWING: [&str; 5] =
    ["aws:SourceArn", "aws:SourceAccount", "aws:ResourceAccount", "s3:ResourceAccount", "aws:RequestedRegion"];

impl<'a> Grants<'a> {
    pub(super) fn of(
        world: &'a World<'a>,
        doc: &'a PolicyDoc,
        bucket: &str,
        partition: Partition,
        service: &'static str,
    ) -> Self {
        let delivery = Delivery::of_nobody(service, bucket, partition);
        Grants { world, doc, name: hole::shown(bucket), delivery, prepared: Prepared::new(&doc.policy) }
    }

    fn is_grant(&self, statement: &Statement) -> bool {
        statement.effect == Effect::Allow
            && matches!(statement.principal, Element::Is(_))
            && named(statement).any(|service| service == self.delivery.service)
    }

    /// May a statement let the service in, by its name or as one of everybody?
    fn lets_in(&self, statement: &Statement) -> bool {
        let is_everybody = |principal: &Principal| match principal {
            Principal::Any => true,
            Principal::Kinds(kinds) => kinds.get("AWS").is_some_and(|names| names.iter().any(|name| name == "*")),
        };
        let by_principal = match &statement.principal {
            Element::Is(principal) => is_everybody(principal),
            Element::IsNot(principal) => {
                !is_everybody(principal) && named(statement).all(|service| service != self.delivery.service)
            }
        };
        self.is_grant(statement) || statement.effect == Effect::Allow && by_principal
    }

    /// Judges each grant.
    pub(super) fn judge(&self, configuration: &mut Configuration) {
        let mut denied = BTreeSet::new();
        for (at, statement) in self.doc.policy.statements.iter().enumerate().filter(|(_, statement)| self.lets_in(statement)) {
            if !self.world.may_ask(&self.doc.policy, "arn:aws:s3:::a-bucket/of-nobody") {
                return configuration.doubt(too_complex(&self.name));
            }
            let is_grant = self.is_grant(statement);
            if is_grant {
                self.dead(at, statement, configuration);
            }
            if does(statement, "s3:PutObject") && speaks_of_objects(statement) {
                self.open(at, statement, configuration);
                if is_grant {
                    self.taken_away(at, statement, &mut denied, configuration);
                }
            }
        }
    }

    /// Does a grant let nothing in, because of a condition that no delivery meets?
    fn dead(&self, at: usize, statement: &Statement, configuration: &mut Configuration) {
        let actions: &[&str] =
            if self.delivery.service == CLOUDTRAIL_SERVICE { &["s3:GetBucketAcl", "s3:PutObject"] } else { &["s3:PutObject"] };
        let place = self.doc.places.get(at);
        // what is wrong with one of its values has been said
        let is_said = configuration.findings.iter().any(|found| {
            place.is_some_and(|places| {
                places
                    .conditions
                    .iter()
                    .flat_map(|condition| &condition.values)
                    .any(|value| (found.file, found.span) == (value.place.file, value.place.span))
            })
        });
        let is_known = statement.condition.keys().all(|operator| evaluate::is_operator(operator));
        if is_said || !is_known || statement.condition.is_empty() {
            return;
        }
        for action in actions.iter().filter(|action| does(statement, action)) {
            let requests = self.delivery.for_anybody(&self.doc.policy, action, Value::Any);
            let lets_in = |at: usize| self.prepared.says(at, &requests).is_some_and(|holds| holds != Holds::No);
            let grants = || self.doc.policy.statements.iter().enumerate().filter(|(_, other)| self.is_grant(other));
            if grants().any(|(at, _)| lets_in(at)) {
                continue;
            }
            let keys = self.prepared.impossible(at, &requests);
            if keys.is_empty() {
                continue;
            }
            let service = self.delivery.service;
            let words = list(keys.iter().copied());
            let message =
                format!("this statement lets no delivery in: of {words}, requests of `{service}` never have what it asks for");
            let resource = match &statement.resource {
                Element::Is(resources) => resources.first().filter(|resource| *resource != "*"),
                Element::IsNot(_) => None,
            };
            let shown = resource.map_or_else(|| self.delivery.itself(), |resource| form(Shape::like(resource)));
            let witness = self.prepared.refused(&Requests { resource: shown, ..requests.clone() });
            let help = if keys.iter().any(|key| can_have("s3:PutObject", key) && !can_have(action, key)) {
                format!(
                    "`{action}` is no write, and only a write has this key; leave it out here, and write `aws:SourceAccount` or `aws:SourceArn`"
                )
            } else {
                "a service has no organization, account, tag or network of a principal; write `aws:SourceAccount` or `aws:SourceArn`, and for trails `aws:SourceOrgID`".to_owned()
            };
            let found = finding(&DEAD_GRANT, place.map_or(self.doc.place, |places| places.whole), message)
                .label("the condition never holds")
                .help(help)
                .example(witness.and_then(|witness| self.possible(witness)).as_ref().map(admit::example));
            configuration.findings.push(found);
            return;
        }
    }

    /// Does a grant let the service write for somebody whom the policy does not name?
    fn open(&self, at: usize, statement: &Statement, configuration: &mut Configuration) {
        // what is unknown may well bound it
        if statement
            .condition
            .iter()
            .any(|(operator, keys)| hole::has(operator) || operator.starts_with("Fn::") || keys.keys().any(|key| hole::has(key)))
        {
            return;
        }
        let requests = self.of_strangers(statement);
        let allowed = |verdict: &Verdict<'_>| matches!(verdict, Verdict::Allowed(_));
        let service = self.delivery.service;
        let Some(witness) = self.prepared.witness(&requests, at, &allowed).and_then(|witness| self.consistent(witness)) else {
            let denies: Vec<(usize, Holds)> =
                self.prepared.judge(Effect::Deny, &requests).filter(|(_, holds)| *holds != Holds::No).collect();
            let is_closed = denies.iter().any(|(_, holds)| *holds == Holds::Yes);
            let lets_in = self.prepared.says(at, &requests).is_some_and(|holds| holds != Holds::No);
            if is_closed || !lets_in || is_for_the_owner(statement) {
                return;
            }
            let undecided = std::iter::once(at).chain(denies.iter().map(|(deny, _)| *deny));
            let keys: BTreeSet<&str> = undecided.flat_map(|at| self.prepared.undecided(at, &requests)).collect();
            if !keys.is_empty() {
                configuration.doubt(format!("whose logs `{service}` may write; it turns on {}", list(keys.into_iter())));
            }
            return;
        };
        let what = if service == LOGGING_SERVICE { "the log entries of any bucket" } else { "the trail of any account" };
        let place = self.doc.places.get(at).map_or(self.doc.place, |places| places.principal);
        configuration.findings.push(
            finding(&OPEN_GRANT, place, format!("nothing says whose logs `{service}` may write: it would take {what}"))
                .label("no condition on `aws:SourceAccount` or `aws:SourceArn` bounds it")
                .help("logs arrive, those of others too; add `aws:SourceAccount` with the account, and `aws:SourceArn` with the sources")
                .example(self.possible(witness).as_ref().map(admit::example)),
        );
    }

    /// The request as somebody can make it, with the same answer: a write is of an object with a key, a look at the ACL of a bucket.
    fn possible(&self, witness: Witness) -> Option<Witness> {
        let answer = std::mem::discriminant(&witness.verdict(&self.prepared));
        let own = arn::bucket(self.delivery.partition, &self.delivery.bucket);
        let (bucket, key) = witness.resource.split_once('/').unwrap_or((&witness.resource, ""));
        let resources = match is_on_objects(&witness.action) {
            false => [bucket.to_owned(), own],
            true if !key.is_empty() => return Some(witness),
            true => [format!("{bucket}/x"), format!("{own}/x")],
        };
        let asked = resources.into_iter().filter(|resource| resource.starts_with("arn:"));
        asked
            .map(|resource| Witness { resource, ..witness.clone() })
            .find(|asked| std::mem::discriminant(&asked.verdict(&self.prepared)) == answer)
    }

    /// A witness in which the trail is of the account that it is said to be of.
    fn consistent(&self, mut witness: Witness) -> Option<Witness> {
        let of = |witness: &Witness, name: &str| {
            witness.context.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.clone())
        };
        let account = of(&witness, "aws:SourceArn")
            .and_then(|arn| arn::parse(&arn).map(|arn| arn.account.to_owned()))
            .filter(|id| !id.is_empty());
        let Some(account) = account.filter(|account| of(&witness, "aws:SourceAccount").is_some_and(|id| id != *account)) else {
            return Some(witness);
        };
        for (_, value) in witness.context.iter_mut().filter(|(key, _)| key.eq_ignore_ascii_case("aws:SourceAccount")) {
            value.clone_from(&account);
        }
        matches!(witness.verdict(&self.prepared), Verdict::Allowed(_)).then_some(witness)
    }

    /// Deliveries for an account, a source and an organization that a grant does not name.
    fn of_strangers(&self, grant: &Statement) -> Requests<'_> {
        let (mut accounts, mut sources) = (Shape::account(), any_source(self.delivery.service));
        let (mut organizations, mut paths) = (Shape::any(), Shape::any());
        let own = &self.delivery.owner;
        let denies = self.doc.policy.statements.iter().filter(|other| other.effect == Effect::Deny);
        for statement in denies.chain([grant]) {
            // a Deny names those whom it does not shut out
            let names = |operator: &str| operator.contains("Not") == (statement.effect == Effect::Deny);
            for (key, values) in statement.condition.iter().filter(|(operator, _)| names(operator)).flat_map(|(_, keys)| keys) {
                for value in values {
                    match key.to_ascii_lowercase().as_str() {
                        "aws:sourceaccount" if is_account_id(value) || hole::has(value) => accounts = accounts.but_text(value),
                        "aws:sourcearn" if names_a_source(value) => sources = sources.but_arn(value),
                        "aws:sourceorgid" if !value.contains(['*', '?', '$']) => organizations = organizations.but_text(value),
                        "aws:sourceorgpaths" if names_an_organization(value) => paths = paths.but(value),
                        _ => {}
                    }
                }
            }
        }
        if !hole::has(own) {
            accounts = accounts.but_text(own);
            sources = sources.but_arn(&format!("arn:*:*:*:{own}:*"));
        }
        let mut requests = self.delivery.for_anybody(&self.doc.policy, "s3:PutObject", Value::Any);
        requests.set(Key::always("aws:SourceAccount", form(accounts)));
        requests.set(Key::always("aws:SourceArn", form(sources)));
        requests.set(Key::perhaps("aws:SourceOrgID", form(organizations)));
        requests.set(Key { several: true, ..Key::perhaps("aws:SourceOrgPaths", form(paths)) });
        requests
    }

    /// Does a Deny take away what a grant gives? Asked about deliveries as the grant describes them.
    fn taken_away(&self, at: usize, statement: &Statement, known: &mut BTreeSet<usize>, configuration: &mut Configuration) {
        let Element::Is(resources) = &statement.resource else { return };
        let Some(resource) = resources.iter().find(|resource| is_object(resource)) else { return };
        let resource = form(Shape::like(if resource == "*" { "arn:*:s3:::*/*" } else { resource }));
        let mut requests = self.delivery.for_anybody(&self.doc.policy, "s3:PutObject", resource);
        for (name, any) in [("aws:SourceArn", any_source(self.delivery.service)), ("aws:SourceAccount", Shape::account())] {
            let conditions =
                statement.condition.iter().filter(|(operator, _)| !operator.contains("Not") && !operator.ends_with("IfExists"));
            let values =
                conditions.flat_map(|(_, keys)| keys).find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, values)| values);
            let value = values.and_then(|values| values.first()).filter(|value| !value.contains("${"));
            requests.set(Key::always(name, form(value.map_or(any, |value| Shape::like(value)))));
        }
        let keys = ["aws:SourceOrgID", "aws:SourceOrgPaths"];
        let own = statement.condition.iter().filter(|(operator, _)| *operator == "StringEquals").flat_map(|(_, keys)| keys);
        for (key, values) in own {
            if let (Some(name), [value]) = (keys.iter().find(|name| name.eq_ignore_ascii_case(key)), values.as_slice()) {
                requests.set(Key::is(name, value.as_str()));
            }
        }
        let service = self.delivery.service;
        for (deny, holds) in self.prepared.judge(Effect::Deny, &requests) {
            match holds {
                Holds::No => {}
                Holds::Yes if known.insert(deny) => self.accuse(at, deny, &requests, configuration),
                Holds::Yes => {}
                Holds::Maybe => {
                    // a Deny of some sources or keys narrows a grant; one that turns on what is unknown may take it away
                    let unknown: Vec<&str> = self
                        .prepared
                        .undecided(deny, &requests)
                        .into_iter()
                        .filter(|key| !hole::has(key) && !NARROWING.iter().any(|known| known.eq_ignore_ascii_case(key)))
                        .collect();
                    let holed = self.doc.policy.statements.get(deny).is_some_and(has_hole);
                    let is_whole = self.prepared.resources_say(deny, &requests) == Some(Holds::Yes);
                    if is_whole && admit::of_some(&self.prepared, &self.doc.policy, deny, &requests) && known.insert(deny) {
                        self.accuse(at, deny, &requests, configuration);
                    } else if !unknown.is_empty() {
                        configuration.doubt(format!("whether a Deny keeps `{service}` out; it turns on {}", list(unknown)));
                    } else if holed && is_whole {
                        configuration.doubt(format!("whether a Deny keeps `{service}` out: parts of it are not known here"));
                    }
                }
            }
        }
    }
}

impl Grants<'_> {
    /// Says that a Deny takes away what a grant gives.
    fn accuse(&self, grant: usize, deny: usize, requests: &Requests<'_>, configuration: &mut Configuration) {
        let service = self.delivery.service;
        let witness = self
            .prepared
            .witness(requests, deny, &|verdict| matches!(verdict, Verdict::Denied(_)))
            .and_then(|witness| self.possible(witness));
        let message = format!("this statement keeps `{service}` out, which another one lets in");
        let found = Denial { statement: deny, witness }.finding(self.doc, message, "log delivery is denied here");
        let grant = self.doc.places.get(grant).map_or(self.doc.place, |places| places.principal);
        configuration.findings.push(related(found, grant, "the grant that it takes away"));
    }
}

/// Does a value of `aws:SourceArn` name a source, an account's trails or a family of buckets?
fn names_a_source(value: &str) -> bool {
    if hole::has(value) {
        return true;
    }
    arn::parse(value).is_some_and(|parts| match parts.service {
        "cloudtrail" => is_account_id(parts.account),
        _ => !parts.resource.starts_with(['*', '?', '$']),
    })
}

/// Does a path begin with an organization's id, or with what may be one?
fn names_an_organization(path: &str) -> bool {
    hole::has(path) || path.split_once('/').is_some_and(|(id, _)| id.starts_with("o-") && !id.contains(['*', '?', '$']))
}

/// Could a statement speak of objects?
fn speaks_of_objects(statement: &Statement) -> bool {
    match &statement.resource {
        Element::Is(resources) => resources.iter().any(|resource| is_object(resource)),
        Element::IsNot(_) => true,
    }
}

/// Could a resource be one of objects?
fn is_object(resource: &str) -> bool {
    resource == "*" || resource.contains('/') || hole::is_one(resource) || resource.ends_with('*')
}

/// Is a grant for the account of the bucket alone, whoever that is?
fn is_for_the_owner(grant: &Statement) -> bool {
    let owner =
        |value: &String| ["${aws:resourceaccount}", "${s3:resourceaccount}"].contains(&value.to_ascii_lowercase().as_str());
    grant
        .condition
        .iter()
        .filter(|(operator, _)| matches!(operator.as_str(), "StringEquals" | "StringLike"))
        .flat_map(|(_, keys)| keys)
        .any(|(key, values)| key.eq_ignore_ascii_case("aws:SourceAccount") && !values.is_empty() && values.iter().all(owner))
}
