//! The advanced event selectors of a trail, as CloudTrail's API and CloudFormation take them.

use super::Trail;
use crate::{aws::watch, map::LogBucketEvents};
use serde::Serialize;
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
        selectors.extend(self.log_bucket_events.iter().map(|events| {
            let mut data = vec![
                field("eventCategory", "Equals", json!(["Data"])),
                field("resources.type", "Equals", json!(["AWS::S3::Object"])),
            ];
            match events.names() {
                [] => data.push(field("readOnly", "Equals", json!(["true"]))),
                names => data.push(field("eventName", "Equals", json!(names))),
            }
            data.push(field("resources.ARN", "StartsWith", json!(events.arns)));
            json!({ "Name": events.title(), "FieldSelectors": data })
        }));
        Some(Value::Array(selectors))
    }
}

/// Events of the objects of log buckets that a trail records. None of them is a delivery, which is a `PutObject` (CloudTrail user guide,
/// "Best practices for data events"): a trail that records those of the bucket it delivers to never ends.
///
/// All events of a bucket's objects are selected by the beginning of their ARN (CloudTrail user guide, "Filtering data events by using
/// advanced event selectors": `eventName`, `readOnly`, `resources.ARN`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OfLogBuckets {
    /// Which events.
    pub what: LogBucketEvents,
    /// Beginnings of the ARNs of their objects.
    pub arns: Vec<String>,
}

impl OfLogBuckets {
    /// Name of the selector.
    pub(crate) fn title(&self) -> &'static str {
        match self.what {
            LogBucketEvents::Deletes => "Logmap log objects deleted",
            LogBucketEvents::Reads => "Logmap log objects read",
        }
    }

    /// Names of the events; none for all that read.
    pub(crate) fn names(&self) -> &'static [&'static str] {
        match self.what {
            LogBucketEvents::Deletes => &watch::OBJECT_CALLS,
            LogBucketEvents::Reads => &[],
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{analysis::analyze, plan::Plan, source::SourceFile};

    /// Does one of the selectors take an event of an object?
    fn takes(selectors: &Value, name: &str, reads: bool, arn: &str) -> bool {
        meaning(selectors).iter().any(|selector| {
            selector.iter().all(|(field, operator, values)| {
                let is = match field.as_str() {
                    "eventCategory" => "Data",
                    "resources.type" => "AWS::S3::Object",
                    "readOnly" if reads => "true",
                    "readOnly" => "false",
                    "eventName" => name,
                    _ => arn,
                };
                match operator.as_str() {
                    "Equals" => values.contains(is),
                    "StartsWith" => values.iter().any(|value| is.starts_with(value.as_str())),
                    _ => !values.iter().any(|value| is.starts_with(value.as_str())),
                }
            })
        })
    }

    #[test]
    fn no_selector_takes_a_delivery_to_a_log_bucket() {
        for (scope, accounts, data) in
            [("account", 1, true), ("account", 300, true), ("organization", 700, false), ("organization", 700, true)]
        {
            let many: String = (1..accounts)
                .map(|at| {
                    format!("  a{at}: {{ id: \"{:012}\", regions: {{ us-east-1: {{ buckets: [acme-{at}-web] }} }} }}\n", at + 1)
                })
                .collect();
            let text = format!(
                "version: 1\norganization: {{ name: acme, id: o-a1b2c3d4e5, management_account: mgmt }}\naccounts:\n  mgmt: {{ id: \"111122223333\", regions: {{ us-east-1: {{ buckets: [acme-web] }} }} }}\n{many}trails: {{ audit: {{ scope: {scope}, s3_data_events: {data}, log_bucket_events: [reads, deletes] }} }}\n"
            );
            let analysis = analyze(SourceFile::new("map.yaml", text));
            let plan = analysis.plan.as_ref().unwrap_or_else(|| unreachable!("{:?}", analysis.findings));
            let trail = Plan::trails(plan).find(|(account, _)| account.key == "mgmt").map(|(_, trail)| trail);
            let selectors = trail.and_then(Trail::selectors).unwrap_or_else(|| unreachable!());
            let values: usize = meaning(&selectors).iter().flatten().map(|(_, _, values)| values.len()).sum();
            assert!(values <= crate::aws::limits::SELECTOR_VALUES, "{scope} {accounts}: {values}");
            let own = "arn:aws:s3:::acme-logs-111122223333-us-east-1/s3-access/x";
            assert!(!takes(&selectors, "PutObject", false, own), "{scope} {accounts}");
            assert!(takes(&selectors, "DeleteObject", false, own) && takes(&selectors, "DeleteObjects", false, own));
            assert!(takes(&selectors, "GetObject", true, own));
            assert_eq!(takes(&selectors, "PutObject", false, "arn:aws:s3:::acme-web/x"), data);
            if scope == "organization" {
                let other = "arn:aws:s3:::acme-logs-000000000700-us-east-1/s3-access/x";
                assert!(!takes(&selectors, "PutObject", false, other) && takes(&selectors, "DeleteObject", false, other));
            }
        }
    }
}
