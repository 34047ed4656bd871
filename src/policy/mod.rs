//! Typed IAM documents: the part of the policy grammar that logmap writes and accepts.
//!
//! The only place that turns a policy into bytes, so that what is measured is what is rendered. Field order is fixed;
//! a list with one element is written as a scalar, the form S3 itself stores.

pub mod compose;
pub mod condense;
pub mod evaluate;

use indexmap::IndexMap;
use serde::ser::{Serialize, SerializeMap, SerializeStruct, Serializer};

/// A bucket policy or key policy.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Policy {
    /// The version of the policy language. What logmap writes is of the newest.
    pub version: Version,
    /// The statements, in the order in which they are written.
    pub statements: Vec<Statement>,
}

/// A version of the policy language. Source: IAM user guide, "IAM JSON policy elements: Version".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Version {
    /// `2008-10-17`, which a policy without a version has: `${…}` is text.
    Old,
    /// `2012-10-17`: `${…}` is a policy variable.
    #[default]
    Newest,
}

impl Version {
    /// As in a policy.
    pub fn word(self) -> &'static str {
        match self {
            Version::Old => "2008-10-17",
            Version::Newest => "2012-10-17",
        }
    }
}

/// One statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Its id, unique in the policy.
    pub sid: String,
    /// Allow or Deny.
    pub effect: Effect,
    /// Whom it speaks of.
    pub principal: Element<Principal>,
    /// The actions, such as `s3:PutObject`.
    pub action: Element<Vec<String>>,
    /// The resources, as ARNs.
    pub resource: Element<Vec<String>>,
    /// Operator → condition key → values.
    pub condition: Condition,
}

/// Operator → condition key → values.
pub type Condition = IndexMap<String, IndexMap<String, Vec<String>>>;

/// What a statement does when it matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Permits.
    Allow,
    /// Forbids, whatever else permits.
    Deny,
}

/// An element that has a negated twin, such as `Action` and `NotAction`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Element<T> {
    /// The element as such.
    Is(T),
    /// The negated element: everything but.
    IsNot(T),
}

impl<T> Element<T> {
    /// The content, negated or not.
    pub fn inner(&self) -> &T {
        match self {
            Element::Is(value) | Element::IsNot(value) => value,
        }
    }
}

/// Whom a statement speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// `"*"`: everybody.
    Any,
    /// By kind: `Service`, `AWS`, `Federated`, `CanonicalUser`.
    Kinds(IndexMap<String, Vec<String>>),
}

impl Principal {
    /// One AWS service, such as `logging.s3.amazonaws.com`.
    pub fn service(name: &str) -> Self {
        let mut kinds = IndexMap::with_capacity(1);
        kinds.insert("Service".to_owned(), vec![name.to_owned()]);
        Principal::Kinds(kinds)
    }
}

impl Policy {
    /// A policy of the newest version.
    pub fn new(statements: Vec<Statement>) -> Self {
        Policy { version: Version::Newest, statements }
    }

    /// The policy as compact JSON: the bytes that AWS receives.
    pub fn to_json(&self) -> String {
        crate::text::json(self)
    }

    /// The policy as JSON for people, with a line feed at its end.
    pub fn to_pretty_json(&self) -> String {
        crate::text::pretty_json(self) + "\n"
    }

    /// Its size in bytes as AWS counts it at most: compact JSON in UTF-8.
    pub fn size(&self) -> usize {
        self.to_json().len()
    }
}

/// A list that is written as a scalar when it has one element.
struct OneOrMany<'a>(&'a [String]);

impl Serialize for OneOrMany<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            [one] => serializer.serialize_str(one),
            many => many.serialize(serializer),
        }
    }
}

struct Lists<'a>(&'a IndexMap<String, Vec<String>>);

impl Serialize for Lists<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, values) in self.0 {
            map.serialize_entry(key, &OneOrMany(values))?;
        }
        map.end()
    }
}

impl Serialize for Principal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Principal::Any => serializer.serialize_str("*"),
            Principal::Kinds(kinds) => Lists(kinds).serialize(serializer),
        }
    }
}

impl Serialize for Policy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut policy = serializer.serialize_struct("Policy", 2)?;
        policy.serialize_field("Version", self.version.word())?;
        policy.serialize_field("Statement", &self.statements)?;
        policy.end()
    }
}

impl Serialize for Statement {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if !self.sid.is_empty() {
            map.serialize_entry("Sid", &self.sid)?;
        }
        map.serialize_entry("Effect", if self.effect == Effect::Allow { "Allow" } else { "Deny" })?;
        match &self.principal {
            Element::Is(principal) => map.serialize_entry("Principal", principal)?,
            Element::IsNot(principal) => map.serialize_entry("NotPrincipal", principal)?,
        }
        match &self.action {
            Element::Is(list) => map.serialize_entry("Action", &OneOrMany(list))?,
            Element::IsNot(list) => map.serialize_entry("NotAction", &OneOrMany(list))?,
        }
        match &self.resource {
            Element::Is(list) => map.serialize_entry("Resource", &OneOrMany(list))?,
            Element::IsNot(list) => map.serialize_entry("NotResource", &OneOrMany(list))?,
        }
        if !self.condition.is_empty() {
            let condition: IndexMap<&String, Lists<'_>> = self.condition.iter().map(|(op, keys)| (op, Lists(keys))).collect();
            map.serialize_entry("Condition", &condition)?;
        }
        map.end()
    }
}
