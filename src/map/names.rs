//! The names that users choose as keys, and what the schema says of them.

use super::decode::Names;
use schemars::{Schema, json_schema};

/// A regular expression for keys of accounts.
pub(crate) const ACCOUNT_KEY: &str = "^[a-z][a-z0-9-]*$";

/// What the schema says of a Region's name that is a value: the known ones are offered, a new one is taken.
pub(crate) fn region_value() -> serde_json::Value {
    let known: Vec<&str> = crate::aws::region::KNOWN.iter().map(|region| region.name).collect();
    serde_json::json!([{ "enum": known }, { "pattern": crate::aws::region::pattern() }])
}

/// Names of accounts.
#[derive(Debug, Clone)]
pub struct AccountKeys;
/// Names of Regions.
#[derive(Debug, Clone)]
pub struct RegionNames;
/// Names of trails.
#[derive(Debug, Clone)]
pub struct TrailNames;
/// Keys of tags.
#[derive(Debug, Clone)]
pub struct TagKeys;
/// Ids and names of rules.
#[derive(Debug, Clone)]
pub struct RuleNames;

impl Names for AccountKeys {
    fn schema(value: Schema) -> Schema {
        json_schema!({ "type": ["object", "null"], "additionalProperties": value, "propertyNames": { "pattern": ACCOUNT_KEY, "maxLength": 64,
                "patternErrorMessage": "an account key begins with a lower-case letter and has only lower-case letters, digits and hyphens" } })
    }
}

impl Names for TrailNames {
    fn schema(value: Schema) -> Schema {
        json_schema!({ "type": ["object", "null"], "additionalProperties": value,
            "propertyNames": { "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{1,126}[A-Za-z0-9]$" } })
    }
}

impl Names for TagKeys {
    fn schema(value: Schema) -> Schema {
        json_schema!({ "type": ["object", "null"], "additionalProperties": value, "propertyNames": { "minLength": 1, "maxLength": 128 } })
    }
}

impl Names for RuleNames {
    fn schema(value: Schema) -> Schema {
        json_schema!({ "type": ["object", "null"], "additionalProperties": value, "propertyNames": { "pattern": "^([Ll][Mm][0-9]{4}|[a-z0-9]+(-[a-z0-9]+)*)$",
                "patternErrorMessage": "not a rule; `logmap explain --list` lists their ids and names" } })
    }
}

impl Names for RegionNames {
    fn schema(value: Schema) -> Schema {
        let known: serde_json::Map<String, serde_json::Value> =
            crate::aws::region::KNOWN.iter().map(|region| (region.name.to_owned(), value.clone().into())).collect();
        json_schema!({ "type": ["object", "null"], "properties": known, "additionalProperties": value,
            "propertyNames": { "pattern": crate::aws::region::pattern(), "patternErrorMessage": "not a Region; one is named like us-east-1" } })
    }
}
