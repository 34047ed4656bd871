//! Which events a trail records, in one form: CloudTrail's advanced event selectors. What basic ones select is said by them, too: each
//! selects management events, unless it says that it does not, and the data events of its resources, of reads and writes by default
//! (<https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_EventSelector.html>).

use super::{SourceLocation, hole};
use serde_json::{Value, json};

/// Event selectors of a trail.
#[derive(Debug, Clone)]
pub(crate) struct Selection {
    /// Where they stand.
    pub place: SourceLocation,
    /// The advanced selectors, as the API has them; nothing if the input tells only that there are some. Texts in them may have holes.
    pub selectors: Option<Value>,
}

impl Selection {
    /// Selectors of which an input only tells that they are there.
    pub(crate) fn untold(place: SourceLocation) -> Self {
        Selection { place, selectors: None }
    }

    /// The selectors, if all of them is known.
    pub(crate) fn told(&self) -> Option<&Value> {
        self.selectors.as_ref().filter(|selectors| !hole::has(&selectors.to_string()))
    }

    /// From selectors as the API has them: basic ones, or advanced ones, which count if there are some.
    pub(crate) fn of(place: SourceLocation, basic: Option<&Value>, advanced: Option<Value>) -> Option<Self> {
        let some = |list: &Value| list.as_array().is_some_and(|list| !list.is_empty());
        match (advanced.filter(some), basic.filter(|list| some(list))) {
            (Some(advanced), _) => Some(Selection { place, selectors: Some(advanced) }),
            (None, Some(basic)) => Some(Selection { place, selectors: translated(basic) }),
            (None, None) => None,
        }
    }
}

/// Basic selectors as advanced ones; nothing if one of them can't be read.
fn translated(basic: &Value) -> Option<Value> {
    let mut selectors = Vec::new();
    for selector in basic.as_array()? {
        let field = |name: &str, operator: &str, values: Value| json!({ "Field": name, operator: values });
        let has = |key: &str| selector.get(key).filter(|value| !value.is_null());
        let words = match has("ReadWriteType").map(Value::as_str) {
            None | Some(Some("All")) => None,
            Some(Some("ReadOnly")) => Some("true"),
            Some(Some("WriteOnly")) => Some("false"),
            Some(_) => return None,
        };
        let read_only = words.map(|word| field("readOnly", "Equals", json!([word])));
        // templates may have it as text
        let includes = match has("IncludeManagementEvents") {
            None | Some(Value::Bool(true)) => true,
            Some(Value::Bool(false)) => false,
            Some(value) => value.as_str()?.parse().ok()?,
        };
        if includes {
            let excluded = has("ExcludeManagementEventSources").filter(|sources| **sources != json!([]));
            let mut fields = vec![field("eventCategory", "Equals", json!(["Management"]))];
            fields.extend(read_only.clone());
            fields.extend(excluded.map(|sources| field("eventSource", "NotEquals", sources.clone())));
            selectors.push(json!({ "FieldSelectors": fields }));
        }
        for resource in has("DataResources").map_or(Some(&Vec::new()), Value::as_array)? {
            let values = resource.get("Values")?.as_array()?;
            let mut fields = vec![
                field("eventCategory", "Equals", json!(["Data"])),
                field("resources.type", "Equals", json!([resource.get("Type")?.as_str()?])),
            ];
            fields.extend(read_only.clone());
            // `arn:aws:s3` and `arn:aws:lambda` are all of them
            if !values.iter().any(|value| value.as_str().is_some_and(|arn| arn.split(':').count() == 3)) {
                fields.push(field("resources.ARN", "StartsWith", json!(values)));
            }
            selectors.push(json!({ "FieldSelectors": fields }));
        }
    }
    Some(Value::Array(selectors))
}
