//! Where Terraform keeps the state of an account: the map's settings with their placeholders filled in.

use super::{Account, Plan};
use crate::map::{
    placeholders::{BackendPlaceholder, StatementPart, statement_parts},
    values::S3,
};
use indexmap::IndexMap;
use serde_json::Value;

/// A state backend of one account.
#[derive(Debug)]
pub struct State<'p> {
    /// Its type, or `cloud`.
    pub kind: &'p str,
    /// Its settings, in the order in which they are written.
    pub settings: IndexMap<String, Value>,
}

impl Plan {
    /// State backend of an account, if the map has one for its partition.
    pub fn state(&self, account: &Account) -> Option<State<'_>> {
        let serves = |partition: Option<_>| partition.is_none_or(|partition| partition == account.partition);
        let backend = self.render.backends.iter().find(|backend| serves(backend.partition))?;
        let mut settings = backend.arguments.clone();
        if backend.kind == S3 {
            settings.insert("key".to_owned(), format!("logmap/{}/terraform.tfstate", account.key).into());
        }
        let value = |placeholder| match placeholder {
            BackendPlaceholder::Org => self.monitoring.organization.as_str(),
            BackendPlaceholder::Account => &account.key,
            BackendPlaceholder::AccountId => &account.id,
            BackendPlaceholder::Partition => account.partition.id(),
        };
        settings.extend(backend.settings.iter().map(|(name, setting)| (name.clone(), fill(setting, &value))));
        Some(State { kind: &backend.kind, settings })
    }
}

fn fill<'v>(setting: &Value, value: &impl Fn(BackendPlaceholder) -> &'v str) -> Value {
    match setting {
        Value::String(text) => statement_parts(text).iter().map(|part| filled(*part, value)).collect::<String>().into(),
        Value::Array(items) => items.iter().map(|item| fill(item, value)).collect(),
        Value::Object(entries) => entries.iter().map(|(name, item)| (name.clone(), fill(item, value))).collect(),
        other => other.clone(),
    }
}

/// An unknown placeholder has been reported.
fn filled<'v>(part: StatementPart<'_>, value: &impl Fn(BackendPlaceholder) -> &'v str) -> String {
    match part {
        StatementPart::Text(text) => text.to_owned(),
        StatementPart::Placeholder(name) => match BackendPlaceholder::find(name) {
            Some(placeholder) => value(placeholder).to_owned(),
            None => format!("{{{name}}}"),
        },
    }
}
