//! Whom a policy names: the principals, organizations and networks that its Allow statements let in by name. Everybody else is
//! a stranger.
//!
//! A pattern names nobody: `????????????` is any account. What names is a whole account id, an organization's id, an ARN with its
//! account, an endpoint's id, or a network of at most the size that S3 does not call public (S3 user guide, "The meaning of public").

use super::{Subject, context::form};
use crate::{
    aws::{CLOUDTRAIL_SERVICE, LOGGING_SERVICE, arn, limits::is_account_id},
    policy::{
        Effect, Element, Policy, Principal,
        evaluate::{
            Set, Shape,
            requests::{Key, Value, Who},
        },
    },
};
use std::collections::BTreeSet;

/// What a policy names, each as it is written.
#[derive(Debug, Clone, Default)]
pub(super) struct Named<'a> {
    accounts: BTreeSet<&'a str>,
    /// ARNs of principals, some with wildcards behind the account.
    principals: BTreeSet<&'a str>,
    organizations: BTreeSet<&'a str>,
    /// Paths of organizations, as patterns.
    paths: BTreeSet<&'a str>,
    ids: BTreeSet<&'a str>,
    endpoints: BTreeSet<&'a str>,
    networks: BTreeSet<&'a str>,
    /// Services that are named as principals.
    pub(super) services: BTreeSet<&'a str>,
    source_accounts: BTreeSet<&'a str>,
    /// ARNs of what services act for.
    sources: BTreeSet<&'a str>,
    source_organizations: BTreeSet<&'a str>,
}

impl<'a> Named<'a> {
    pub(super) fn by(policy: &'a Policy) -> Self {
        let mut named = Named::default();
        for statement in policy.statements.iter().filter(|statement| statement.effect == Effect::Allow) {
            if let Element::Is(Principal::Kinds(kinds)) = &statement.principal {
                named
                    .services
                    .extend(kinds.get("Service").into_iter().flatten().map(String::as_str).filter(|name| is_service(name)));
                kinds.get("AWS").into_iter().flatten().for_each(|name| named.principal(name));
            }
            for (operator, keys) in statement.condition.iter().filter(|(operator, _)| !operator.contains("Not")) {
                for (key, values) in keys {
                    values.iter().for_each(|value| named.value(operator, &key.to_ascii_lowercase(), value));
                }
            }
        }
        named
    }

    fn principal(&mut self, name: &'a str) {
        match arn::parse(name) {
            Some(parts) if parts.resource == "root" => self.accounts.insert(parts.account),
            Some(parts) if is_account_id(parts.account) => self.principals.insert(name),
            None if is_account_id(name) => self.accounts.insert(name),
            _ => false,
        };
    }

    fn value(&mut self, operator: &str, key: &str, value: &'a str) {
        let whole = !value.contains(['*', '?', '$']);
        let of_account = arn::parse(value).is_some_and(|parts| is_account_id(parts.account)) && !value.contains("${");
        match key {
            "aws:principalaccount" | "s3:dataaccesspointaccount" if is_account_id(value) => self.accounts.insert(value),
            "aws:principalarn" | "s3:dataaccesspointarn" if of_account => self.principals.insert(value),
            "aws:principalorgid" if whole && value.starts_with("o-") => self.organizations.insert(value),
            "aws:principalorgpaths" | "aws:sourceorgpaths" if is_path(value) => self.paths.insert(value),
            // a unique id has 21 characters; behind it stands the session
            "aws:userid" if value.find(['*', '?', '$']).unwrap_or(value.len()) >= 20 || is_account_id(value) => {
                self.ids.insert(value)
            }
            "aws:sourcevpce" | "aws:sourcevpc" if whole && value.starts_with("vpc") => self.endpoints.insert(value),
            "aws:sourceip" | "aws:vpcsourceip" if operator.ends_with("IpAddress") && is_narrow(value) => {
                self.networks.insert(value)
            }
            "aws:sourceaccount" if is_account_id(value) => self.source_accounts.insert(value),
            "aws:sourcearn" if of_account || whole && value.starts_with("arn:") => self.sources.insert(value),
            "aws:sourceorgid" if whole && value.starts_with("o-") => self.source_organizations.insert(value),
            _ => false,
        };
    }

    /// Is a caller of another account, or an unnamed principal of one, a stranger? Those who are.
    pub(super) fn strangers(&self, subject: &Subject<'a>) -> (Who<'a>, Vec<Key<'a>>) {
        let own = subject.account_id;
        let arns = Shape::starting(format!("arn:{}:", subject.partition))
            .some(Set::NotColon)
            .text("::")
            .digits(12)
            .text(":")
            .some(Set::Any);
        let mut arns = arns.but_arn(&format!("arn:*:*::{own}:*"));
        let mut accounts = Shape::account().but_text(own);
        for account in &self.accounts {
            (arns, accounts) = (arns.but_arn(&format!("arn:*:*::{account}:*")), accounts.but_text(account));
        }
        for principal in &self.principals {
            arns = arns.but_arn(principal);
        }
        let mut keys = vec![
            Key::always("aws:PrincipalArn", form(arns.clone())),
            Key::always("aws:PrincipalAccount", form(accounts)),
            Key::always("aws:userid", form(self.ids.iter().fold(Shape::any(), |shape, id| shape.but(id)))),
            Key::always("aws:SecureTransport", Value::Few(&["true", "false"])),
        ];
        let organizations = self.organizations.iter().copied().chain(subject.organization_id);
        keys.push(Key::perhaps("aws:PrincipalOrgID", form(organizations.fold(Shape::any(), Shape::but_text))));
        keys.push(Key { several: true, ..Key::perhaps("aws:PrincipalOrgPaths", form(self.other_paths(subject))) });
        keys.extend(self.networks(subject));
        keys.extend(subject.of_caller());
        (Who::Iam(form(arns)), keys)
    }

    /// An anonymous caller, from a network that nobody names.
    pub(super) fn anonymous(&self, subject: &Subject<'a>) -> Vec<Key<'a>> {
        let mut keys = vec![Key::always("aws:SecureTransport", Value::Few(&["true", "false"]))];
        keys.extend(["aws:PrincipalArn", "aws:PrincipalAccount", "aws:PrincipalOrgID", "aws:PrincipalOrgPaths"].map(Key::absent));
        keys.extend(["aws:PrincipalTag/", "aws:username"].map(Key::absent));
        keys.extend(self.networks(subject));
        keys.extend(subject.of_caller());
        keys
    }

    /// A service that calls for an account, a resource and an organization that nobody names.
    pub(super) fn for_strangers(&self, subject: &Subject<'a>, service: &'a str) -> Vec<Key<'a>> {
        let accounts =
            self.source_accounts.iter().fold(Shape::account().but_text(subject.account_id), |shape, id| shape.but_text(id));
        let own = format!("arn:*:*:*:{}:*", subject.account_id);
        let sources = self.sources.iter().fold(Shape::any().but_arn(&own), |shape, arn| shape.but_arn(arn));
        let organizations = self.source_organizations.iter().copied().chain(subject.organization_id);
        let mut keys = vec![
            Key::perhaps("aws:SourceAccount", form(accounts)),
            Key::perhaps("aws:SourceArn", form(sources)),
            Key::perhaps("aws:SourceOrgID", form(organizations.fold(Shape::any(), Shape::but_text))),
            Key { several: true, ..Key::perhaps("aws:SourceOrgPaths", form(self.other_paths(subject))) },
        ];
        keys.extend(subject.of_service(service));
        keys
    }

    fn other_paths(&self, subject: &Subject<'_>) -> Shape {
        let own = subject.organization_id.map_or(Shape::any(), |id| Shape::any().but(&format!("{id}/*")));
        self.paths.iter().fold(own, |shape, path| shape.but(path))
    }

    fn networks(&self, subject: &Subject<'a>) -> Vec<Key<'a>> {
        // networks that together are half of all addresses name nobody
        let networks: Vec<&'a str> = self.networks.iter().copied().collect();
        let elsewhere = || Value::Address(if is_most(&networks) { Vec::new() } else { networks.clone() });
        let endpoints = self.endpoints.iter().fold(Shape::any(), |shape, id| shape.but_text(id));
        let own = subject.account_id;
        let accounts = self.accounts.iter().fold(Shape::account().but_text(own), |shape, id| shape.but_text(id));
        let points =
            self.principals.iter().fold(Shape::any().but_arn(&format!("arn:*:*:*:{own}:*")), |shape, arn| shape.but_arn(arn));
        vec![
            Key::perhaps("aws:SourceIp", elsewhere()),
            Key::perhaps("aws:VpcSourceIp", elsewhere()),
            Key::perhaps("aws:SourceVpce", form(endpoints.clone())),
            Key::perhaps("aws:SourceVpc", form(endpoints)),
            // a request through an access point is for the access point's policy to judge
            Key::perhaps("s3:DataAccessPointAccount", form(accounts)),
            Key::perhaps("s3:DataAccessPointArn", form(points)),
        ]
    }
}

/// Could a service have this name? S3 refuses a policy with another one.
fn is_service(name: &str) -> bool {
    name.ends_with(".amazonaws.com")
        || name.ends_with(".amazonaws.com.cn")
            && ![LOGGING_SERVICE, CLOUDTRAIL_SERVICE].iter().any(|known| name.starts_with(known))
}

/// Does a path begin with an organization's id?
fn is_path(value: &str) -> bool {
    value.split_once('/').is_some_and(|(id, _)| id.starts_with("o-") && !id.contains(['*', '?', '$']))
}

/// Are these networks, each of which is narrow, together half of all addresses or more?
fn is_most(networks: &[&str]) -> bool {
    let share = |six: bool| -> f64 {
        let of_kind = networks.iter().filter(|network| network.contains(':') == six);
        let bits = of_kind.filter_map(|network| network.split_once('/')?.1.parse::<i32>().ok());
        bits.map(|bits| 0.5_f64.powi(bits)).sum()
    };
    share(false) >= 0.5 || share(true) >= 0.5
}

/// A network that is not as good as public.
fn is_narrow(value: &str) -> bool {
    let (address, bits) = value.split_once('/').unwrap_or((value, "128"));
    let least = if address.contains(':') { 32 } else { 8 };
    bits.parse::<u32>().is_ok_and(|bits| bits >= least)
}
