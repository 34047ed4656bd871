//! Extra statements: IAM statements in a map, in IAM's spelling, with scalars or lists.
//!
//! Structure only; what a statement may say is for the rules, whom it lets in is for the evaluator.

use super::decode::{Cx, Decode, Entries, Names, OneOrMany};
use crate::{
    document::{Kind, Node},
    record,
    source::Spanned,
    words,
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::borrow::Cow;

record! {
    /// A statement for the log bucket's policy. Placeholders in strings: {log_bucket_arn}, {account_id}, {region}, {partition}; `{{` and `}}` are braces.
    Statement "a statement" {
        /// Id of the statement: letters and digits.
        Sid: String, { "pattern": "^[A-Za-z0-9]*$", "examples": ["AuditorsRead"] };
        /// Allow or Deny.
        [required "write `Effect: Allow` or `Effect: Deny`"] Effect: EffectWord, {};
        /// Whom it speaks of.
        Principal: PrincipalValue, { "examples": [{ "AWS": "arn:aws:iam::111122223333:role/auditor" }] };
        /// Everybody but these.
        NotPrincipal: PrincipalValue, { "examples": [{ "AWS": "arn:aws:iam::111122223333:role/auditor" }] };
        /// The actions.
        Action: OneOrMany<String>, { "examples": ["s3:GetObject"] };
        /// Every action but these.
        NotAction: OneOrMany<String>, { "examples": ["s3:GetObject"] };
        /// The resources: this log bucket and its objects.
        Resource: OneOrMany<String>, { "examples": ["{log_bucket_arn}/*"] };
        /// Every resource but these.
        NotResource: OneOrMany<String>, { "examples": ["{log_bucket_arn}/*"] };
        /// Operator → condition key → values.
        Condition: Entries<Operators, Entries<ConditionKeys, OneOrMany<ConditionValue>>>,
            { "examples": [{ "StringEquals": { "aws:SourceAccount": "{account_id}" } }] };
    }
}

words! {
    /// What a statement does.
    EffectWord {
        /// Permits.
        Allow = "Allow",
        /// Forbids.
        Deny = "Deny",
    }
}

/// `"*"` or kinds with values.
#[derive(Debug, Clone)]
pub enum PrincipalValue {
    /// Everybody.
    Any,
    /// By kind.
    Kinds(Entries<PrincipalKinds, OneOrMany<String>>),
}

impl Decode for PrincipalValue {
    const EXPECTS: &'static str = "`\"*\"`, or a mapping such as `{ Service: logging.s3.amazonaws.com }`";

    fn decode(node: &Node, cx: &mut Cx<'_>) -> Option<Self> {
        match &node.kind {
            Kind::Scalar { text, .. } if &**text == "*" => Some(PrincipalValue::Any),
            Kind::Mapping(_) => Some(PrincipalValue::Kinds(Entries::decode(node, cx)?)),
            _ => super::decode::mismatch::<Self, _>(node, cx),
        }
    }
}

impl JsonSchema for PrincipalValue {
    fn schema_name() -> Cow<'static, str> {
        "Principal".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut kinds = Entries::<PrincipalKinds, OneOrMany<String>>::json_schema(generator);
        kinds.insert("type".to_owned(), "object".into());
        json_schema!({ "anyOf": [{ "const": "*" }, kinds] })
    }
}

/// A value in a condition: a string, a number or a truth value, kept as IAM writes it.
#[derive(Debug, Clone)]
pub struct ConditionValue(pub String);

impl Decode for ConditionValue {
    const EXPECTS: &'static str = "a string";

    fn decode(node: &Node, cx: &mut Cx<'_>) -> Option<Self> {
        match &node.kind {
            // `true` and `false` mean themselves in a condition; a number could be an account id without its zeros
            Kind::Scalar { text, plain: true } if matches!(&**text, "true" | "false") => Some(ConditionValue(text.to_string())),
            _ => String::decode(node, cx).map(ConditionValue),
        }
    }
}

impl JsonSchema for ConditionValue {
    fn schema_name() -> Cow<'static, str> {
        "ConditionValue".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "boolean"] })
    }
}

/// Names of condition operators.
#[derive(Debug, Clone)]
pub struct Operators;
/// Names of condition keys.
#[derive(Debug, Clone)]
pub struct ConditionKeys;
/// Kinds of principals.
#[derive(Debug, Clone)]
pub struct PrincipalKinds;

fn open(value: Schema) -> Schema {
    json_schema!({ "type": ["object", "null"], "additionalProperties": value })
}

impl Names for Operators {
    fn schema(value: Schema) -> Schema {
        open(value)
    }
}

impl Names for ConditionKeys {
    fn schema(value: Schema) -> Schema {
        open(value)
    }
}

impl Names for PrincipalKinds {
    fn schema(value: Schema) -> Schema {
        open(value)
    }
}

impl<T> From<OneOrMany<T>> for Vec<Spanned<T>> {
    fn from(values: OneOrMany<T>) -> Self {
        values.0
    }
}
