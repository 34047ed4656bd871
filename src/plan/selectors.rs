//! The advanced event selectors of a trail, as CloudTrail's API and CloudFormation take them.

use super::Trail;
use serde_json::{Value, json};
use std::collections::BTreeSet;

impl Trail {
    /// Does it record exactly what advanced event selectors select? Without any of its own it records all management events.
    pub(crate) fn records(&self, selectors: &Value) -> bool {
        let all = || json!([{ "FieldSelectors": [{ "Field": "eventCategory", "Equals": ["Management"] }] }]);
        meaning(&self.selectors().unwrap_or_else(all)) == meaning(selectors)
    }

    /// Its selectors, if it records anything else than all management events. The targets and `drift` name them alike: the script knows
    /// its own by these names (helper.py).
    pub(crate) fn selectors(&self) -> Option<Value> {
        let field = |name: &str, operator: &str, values: Value| json!({ "Field": name, operator: values });
        if !self.selects() {
            return None;
        }
        let mut selectors = Vec::new();
        if self.records_management() {
            let mut management = vec![field("eventCategory", "Equals", json!(["Management"]))];
            management.extend(self.read_only().map(|value| field("readOnly", "Equals", json!([value]))));
            if !self.excluded_event_sources.is_empty() {
                management.push(field("eventSource", "NotEquals", json!(self.excluded_event_sources)));
            }
            selectors.push(json!({ "Name": "Logmap management events", "FieldSelectors": management }));
        }
        if let Some(excluded) = &self.data_events_exclude {
            let mut data = vec![
                field("eventCategory", "Equals", json!(["Data"])),
                field("resources.type", "Equals", json!(["AWS::S3::Object"])),
            ];
            if !excluded.is_empty() {
                data.push(field("resources.ARN", "NotStartsWith", json!(excluded)));
            }
            selectors.push(json!({ "Name": "Logmap S3 object events", "FieldSelectors": data }));
        }
        Some(Value::Array(selectors))
    }
}

/// A selector: its fields, each with an operator and values, which all have to hold.
pub(crate) type Selector = BTreeSet<(String, String, BTreeSet<String>)>;

/// Selectors by what they select: their names and their order decide nothing.
pub(crate) fn meaning(selectors: &Value) -> BTreeSet<Selector> {
    let list = |value: Option<&Value>| value.and_then(Value::as_array).cloned().unwrap_or_default();
    let words =
        |values: &[Value]| values.iter().map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).collect();
    let fields = |selector: &Value| {
        let mut fields = Selector::new();
        for field in list(selector.get("FieldSelectors")) {
            let name = field.get("Field").and_then(Value::as_str).unwrap_or_default();
            for (operator, values) in field.as_object().into_iter().flatten() {
                if let Some(values) = values.as_array().filter(|values| !values.is_empty()) {
                    fields.insert((name.to_owned(), operator.clone(), words(values)));
                }
            }
        }
        fields
    };
    list(Some(selectors)).iter().map(fields).collect()
}
