//! The JSON Schema of the region map, generated from the types.
//!
//! Draft 2020-12 in the subset that today's editors read. Gives a value; the command prints it, a test compares it
//! with the committed file.

use super::RegionMap;
use schemars::generate::SchemaSettings;
use serde_json::Value;

/// The schema as JSON.
pub fn schema() -> Value {
    let mut schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<RegionMap>();
    schema.insert("title".to_owned(), "logmap region map, version 1".into());
    schema.into()
}

/// The schema as text for a file.
pub fn schema_text() -> String {
    serde_json::to_string_pretty(&schema()).unwrap_or_default() + "\n"
}
