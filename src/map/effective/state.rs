//! Where Terraform keeps its state, where that is no S3 bucket: types and settings that can be written.

use crate::map::{
    Backend as Written, Setting, is_setting_name,
    setting::Settings,
    values::{Backend, CLOUD},
};
use indexmap::IndexMap;
use serde_json::Value;

/// The backend of another type than `s3`, or the `cloud` block.
pub(super) fn other(backend: Option<&Written>, cloud: Option<&Settings>) -> Option<Backend> {
    let known = backend.into_iter().flat_map(|backend| &backend.others).find(|(kind, _)| is_setting_name(kind));
    let (kind, written) = match (known, cloud) {
        (Some((kind, written)), _) => (kind.value.clone(), &written.value),
        (None, Some(cloud)) => (CLOUD.to_owned(), cloud),
        (None, None) => return None,
    };
    Some(Backend { kind, partition: None, arguments: IndexMap::new(), settings: settings(written) })
}

/// Settings as values; those whose names can't be written in HCL have been reported.
pub(super) fn settings(written: &Settings) -> IndexMap<String, Value> {
    let named = written.items.iter().filter(|(name, _)| is_setting_name(name));
    named.map(|(name, setting)| (name.value.clone(), value(setting))).collect()
}

fn value(setting: &Setting) -> Value {
    match setting {
        Setting::Text(text) => Value::from(text.clone()),
        Setting::Bare(value) => value.clone(),
        Setting::List(items) => items.iter().map(|item| value(item)).collect(),
        Setting::Settings(inner) => inner.items.iter().map(|(name, item)| (name.value.clone(), value(item))).collect(),
    }
}
