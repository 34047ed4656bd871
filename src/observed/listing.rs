//! Lists of buckets from elsewhere: AWS Resource Explorer, an AWS Config aggregator's `list-aggregate-discovered-resources`, and
//! Steampipe's table `aws_s3_bucket` as CSV or JSON.
//!
//! Keys: Resource Explorer API reference, `Resource`; AWS Config API reference, `AggregateResourceIdentifier`; the columns in
//! Steampipe's `aws/table_aws_s3_bucket.go` (github.com/turbot/steampipe-plugin-aws).

use super::{
    At, Bucket, Observed, SourceLocation, Text,
    config::{self, Table},
    dumps::{child, value_of},
};
use crate::{
    aws::arn,
    document::{Kind, Node},
    source::FileId,
};
use serde_json::{Value, json};

/// Columns by which a row of Steampipe's table is known: its name alone is a word that anything has.
const COLUMNS: [&str; 3] = ["name", "account_id", "region"];

/// Is this a list of buckets?
pub(super) fn is_listing(root: &Node) -> bool {
    list(root).is_some()
}

enum List<'n> {
    Explorer(&'n [Node]),
    Identifiers(&'n [Node]),
    Rows(&'n [Node]),
}

fn list(root: &Node) -> Option<List<'_>> {
    let items = |key: &str| match child(root, key).map(|node| &node.kind) {
        Some(Kind::Sequence(items)) => Some(items.as_slice()),
        _ => None,
    };
    let is_row = |item: &&Node| COLUMNS.iter().all(|key| child(item, key).is_some());
    if let Kind::Sequence(rows) = &root.kind {
        return rows.first().filter(is_row).map(|_| List::Rows(rows));
    }
    if let Some(rows) = items("rows").filter(|_| child(root, "columns").is_some()) {
        return rows.first().is_none_or(|row| is_row(&row)).then_some(List::Rows(rows));
    }
    if let Some(found) = items("ResourceIdentifiers") {
        return found.first().is_none_or(|item| child(item, "SourceAccountId").is_some()).then_some(List::Identifiers(found));
    }
    // a template's `Resources` are no list
    items("Resources").map(List::Explorer)
}

/// Reads a list.
pub(super) fn read(root: &Node, file: FileId, observed: &mut Observed) {
    let (items, keys) = match list(root) {
        Some(List::Explorer(items)) => (items, ("Arn", "OwningAccountId", "Region", "ResourceType", "s3:bucket")),
        Some(List::Identifiers(items)) => {
            (items, ("ResourceId", "SourceAccountId", "SourceRegion", "ResourceType", "AWS::S3::Bucket"))
        }
        Some(List::Rows(rows)) => {
            let mut table = Table::default();
            for row in rows {
                table.add(config_item(&value_of(row)), SourceLocation { file, span: row.span });
            }
            return table.read(observed);
        }
        None => return,
    };
    let (name, account, region, kind, bucket) = keys;
    let text = |item: &Node, key: &str| match &child(item, key)?.kind {
        Kind::Scalar { text, .. } => {
            Some(At { value: text.to_string(), place: SourceLocation { file, span: child(item, key)?.span } })
        }
        _ => None,
    };
    for item in items.iter().filter(|item| text(item, kind).is_some_and(|text| text.value == bucket)) {
        let named = |text: Text| {
            let name = arn::parse(&text.value).map_or(text.value.clone(), |arn| arn.resource.to_owned());
            At { value: name, place: text.place }
        };
        let Some(name) = text(item, name).map(named) else { continue };
        let mut bucket = Bucket::named(name, SourceLocation { file, span: item.span });
        bucket.listed = true;
        bucket.account = text(item, account);
        bucket.region = text(item, region);
        observed.buckets.push(bucket);
    }
}

/// Is this Steampipe's table as CSV?
pub(super) fn is_csv(text: &str) -> bool {
    let head = text.lines().next().unwrap_or_default();
    let names: Vec<&str> = head.split(',').map(|name| name.trim().trim_matches('"')).collect();
    COLUMNS.iter().all(|name| names.contains(name))
}

/// Reads Steampipe's table as CSV.
///
/// # Errors
/// It is not CSV, in words.
pub(super) fn read_csv(text: &str, file: FileId, observed: &mut Observed) -> Result<(), String> {
    config::read_rows(text, file, observed, config_item)
}

/// A row of `aws_s3_bucket` in the shape of a configuration item.
fn config_item(row: &Value) -> Value {
    // a cell of CSV is a JSON text; `<null>` is how Steampipe writes that there is none
    let cell = |key: &str| match row.get(key) {
        Some(Value::String(text)) if text == "<null>" || text.is_empty() => Some(Value::Null),
        Some(Value::String(text)) if text.starts_with(['{', '[']) => serde_json::from_str(text).ok(),
        other => other.cloned(),
    };
    let at =
        |value: Option<&Value>, path: &str| value.and_then(|value| config::find(value, path)).map(|found| found.into_owned());
    let mut more = serde_json::Map::new();
    if let Some(logging) = cell("logging") {
        let inner = Some(&logging);
        more.insert(
            "BucketLoggingConfiguration".to_owned(),
            json!({ "destinationBucketName": at(inner, "TargetBucket"), "logFilePrefix": at(inner, "TargetPrefix") }),
        );
    }
    let algorithm =
        at(cell("server_side_encryption_configuration").as_ref(), "Rules.ApplyServerSideEncryptionByDefault.SSEAlgorithm");
    if let Some(algorithm) = algorithm {
        let rule = json!({ "applyServerSideEncryptionByDefault": { "sseAlgorithm": algorithm } });
        more.insert("ServerSideEncryptionConfiguration".to_owned(), json!({ "rules": [rule] }));
    }
    if let Some(lock) = at(cell("object_lock_configuration").as_ref(), "ObjectLockEnabled") {
        more.insert("ObjectLockConfiguration".to_owned(), json!({ "objectLockEnabled": lock }));
    }
    if let Some(policy) = cell("policy").filter(Value::is_object) {
        more.insert("BucketPolicy".to_owned(), json!({ "policyText": policy.to_string() }));
    }
    json!({
        "resourceType": "AWS::S3::Bucket",
        "resourceName": cell("name"),
        "accountId": cell("account_id"),
        "awsRegion": cell("region"),
        "supplementaryConfiguration": more,
    })
}
