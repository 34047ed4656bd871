//! The advanced event selectors of a trail, as CloudTrail's API and CloudFormation take them.

use super::Trail;
use serde_json::{Value, json};

impl Trail {
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
