//! Settings of what is not ours, such as Terraform's state backends: any names, any values. Structure only.

use super::decode::{self, Cx, Decode, Entries, Names, Plain};
use crate::{
    catalog::reading::WRONG_TYPE,
    diagnostics::Finding,
    document::{Kind, Node},
    edit::Fix,
    source::Spanned,
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::borrow::Cow;

/// A value: a string, a number, a truth value, or more of them.
#[derive(Debug, Clone)]
pub enum Setting {
    /// A string.
    Text(String),
    /// A number or a truth value, as JSON has it.
    Bare(serde_json::Value),
    /// A list.
    List(Vec<Spanned<Setting>>),
    /// A mapping.
    Settings(Entries<SettingNames, Setting>),
}

impl Decode for Setting {
    const EXPECTS: &'static str = "a string, a number, `true` or `false`, a list or a mapping";

    fn decode(node: &Node, cx: &mut Cx<'_>) -> Option<Self> {
        match &node.kind {
            Kind::Scalar { text, plain: true } => match decode::plain_kind(text) {
                Plain::Text => Some(Setting::Text(text.to_string())),
                Plain::Flag => Some(Setting::Bare(text.eq_ignore_ascii_case("true").into())),
                // `0x10`, `.5` and numbers with leading zeros are others to Terraform, or none
                Plain::Number => match serde_json::from_str::<serde_json::Number>(text) {
                    Ok(number) => Some(Setting::Bare(number.into())),
                    Err(_) => {
                        let finding =
                            Finding::new(&WRONG_TYPE, node.span, format!("`{text}` is no number that Terraform writes so"))
                                .help(format!("put it in quotes, `\"{text}\"`, or write it in decimal digits"))
                                .fix(Fix::safe_fix("put it in quotes", node.span, format!("\"{text}\"")));
                        cx.findings.push(finding);
                        None
                    }
                },
            },
            Kind::Scalar { text, .. } => Some(Setting::Text(text.to_string())),
            Kind::Sequence(_) => Vec::decode(node, cx).map(Setting::List),
            Kind::Mapping(_) => Entries::decode(node, cx).map(Setting::Settings),
            Kind::Alias(_) => decode::mismatch::<Self, _>(node, cx),
        }
    }
}

impl JsonSchema for Setting {
    fn schema_name() -> Cow<'static, str> {
        "Setting".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let inner = generator.subschema_for::<Setting>();
        json_schema!({
            "title": "setting",
            "anyOf": [
                { "type": ["string", "number", "boolean"] },
                { "type": "array", "items": inner },
                { "type": "object", "additionalProperties": inner },
            ],
        })
    }
}

/// Can it be the name of a setting, or of a type of backend? An identifier of HCL, in ASCII.
pub(crate) fn is_setting_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b))
}

/// Settings by their names, as written.
pub(crate) type Settings = Entries<SettingNames, Setting>;

/// Names of settings.
#[derive(Debug, Clone)]
pub struct SettingNames;

impl Names for SettingNames {
    fn schema(value: Schema) -> Schema {
        json_schema!({ "type": ["object", "null"], "additionalProperties": value })
    }
}
