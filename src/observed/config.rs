//! What AWS Config tells: the result of `aws configservice select-aggregate-resource-config` (a list of JSON texts, in as many
//! pages as there are) or `select-resource-config`, and the CSV and JSON that the console exports of such a query.
//!
//! A query chooses its own columns, so that everything may be missing; nested columns come nested or with dots in their names,
//! and parts of an item are at times JSON texts once more. Keys: the property lists in AWS's `aws-config-resource-schema`.

use super::{
    At, Bucket, Logging, Observed, Setting, SourceLocation, Target, Text, Trail, dumps,
    hole::hole,
    policy::{self, Plain},
};
use crate::{
    aws::arn,
    document::{Kind, Node},
    source::{FileId, Span},
};
use serde_json::Value;
use std::borrow::Cow;

/// Columns by which a table is known.
const COLUMNS: [&str; 5] = ["resourceType", "resourceId", "resourceName", "accountId", "awsRegion"];

/// Is this the answer to a query?
pub(crate) fn is_answer(root: &Node) -> bool {
    match &root.kind {
        Kind::Mapping(_) => matches!(dumps::child(root, "Results").map(|node| &node.kind), Some(Kind::Sequence(_))),
        // the console's JSON has the items alone
        Kind::Sequence(items) => {
            let known = |item: &Node| COLUMNS.iter().filter(|key| dumps::child(item, key).is_some()).count();
            items.first().is_some_and(|item| known(item) >= 2)
        }
        _ => false,
    }
}

/// Is this a table of the console?
pub(crate) fn is_csv(text: &str) -> bool {
    let head = text.lines().next().unwrap_or_default();
    let names: Vec<&str> = head.split(',').map(|name| name.trim().trim_matches('"')).collect();
    !head.starts_with(['{', '[']) && COLUMNS.iter().filter(|name| names.contains(name)).count() >= 2
}

/// Reads one page.
pub(crate) fn read(root: &Node, file: FileId, observed: &mut Observed) {
    let items = match &root.kind {
        Kind::Sequence(items) => items,
        _ => match dumps::child(root, "Results").map(|node| &node.kind) {
            Some(Kind::Sequence(items)) => items,
            _ => return,
        },
    };
    for node in items {
        let value = match &node.kind {
            Kind::Scalar { text, .. } => serde_json::from_str(text).unwrap_or_default(),
            _ => value_of(node),
        };
        Item { value, place: SourceLocation { file, span: node.span } }.read(observed);
    }
}

/// Reads a table.
///
/// # Errors
/// It is not CSV, in words.
pub(crate) fn read_csv(text: &str, file: FileId, observed: &mut Observed) -> Result<(), String> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::Headers).from_reader(text.as_bytes());
    let names = reader.headers().map_err(|error| format!("it is not CSV: {error}"))?.clone();
    for record in reader.records() {
        let record = record.map_err(|error| format!("it is not CSV: {error}"))?;
        let cells = names.iter().zip(&record).filter(|(_, cell)| !cell.is_empty());
        let value = Value::Object(cells.map(|(name, cell)| (name.to_owned(), Value::from(cell))).collect());
        let start = record.position().map_or(0, |position| usize::try_from(position.byte()).unwrap_or(usize::MAX));
        let end = text.get(start..).and_then(|rest| rest.find(['\r', '\n'])).map_or(text.len(), |length| start + length);
        Item { value, place: SourceLocation { file, span: Span::new(start, end) } }.read(observed);
    }
    Ok(())
}

/// A tree as plain JSON; its places are lost.
fn value_of(node: &Node) -> Value {
    match &node.kind {
        Kind::Mapping(entries) => entries.iter().map(|entry| (entry.key.to_string(), value_of(&entry.value))).collect(),
        Kind::Sequence(items) => items.iter().map(value_of).collect(),
        Kind::Scalar { text, plain: true } => serde_json::from_str(text).unwrap_or(Value::Null),
        Kind::Scalar { text, .. } => Value::from(&**text),
        Kind::Alias(_) => Value::Null,
    }
}

/// A resource.
struct Item {
    value: Value,
    place: SourceLocation,
}

impl Item {
    /// What stands at a path with dots, however much of it is one key and whatever is JSON in a text.
    fn get(&self, path: &str) -> Option<Cow<'_, Value>> {
        find(&self.value, path).filter(|value| !value.is_null())
    }

    /// A string, number or truth value as text; nothing if it is empty.
    fn text(&self, path: &str) -> Option<Text> {
        let value = match &*self.get(path)? {
            Value::String(text) => text.clone(),
            other @ (Value::Bool(_) | Value::Number(_)) => other.to_string(),
            _ => return None,
        };
        (!value.is_empty()).then_some(At { value, place: self.place })
    }

    fn setting(&self, path: &str) -> Setting<String> {
        self.text(path).map_or(Setting::Unsaid, Setting::Known)
    }

    fn flag(&self, path: &str) -> Setting<bool> {
        self.text(path).map_or(Setting::Unsaid, |text| Setting::Known(text.map(|text| text.eq_ignore_ascii_case("true"))))
    }

    fn read(&self, observed: &mut Observed) {
        let kind = self.text("resourceType").map(|text| text.value);
        let deleted = self.text("configurationItemStatus").is_some_and(|status| status.value.starts_with("ResourceDeleted"));
        match kind.as_deref() {
            _ if deleted => {}
            Some("AWS::CloudTrail::Trail") => observed.trails.extend(self.trail()),
            // a query may leave the type out and ask for buckets alone: only they have these columns
            Some("AWS::S3::Bucket") => self.bucket(observed),
            None if self.get("configuration.s3BucketName").is_some() => observed.trails.extend(self.trail()),
            None => self.bucket(observed),
            Some(_) => {}
        }
    }

    fn bucket(&self, observed: &mut Observed) {
        let arn = || {
            let arn = self.text("arn")?;
            let name = arn::parse(&arn.value).filter(|arn| arn.service == "s3")?.resource.to_owned();
            Some(At { value: name, place: self.place })
        };
        let name = self.text("resourceName").or_else(|| self.text("resourceId")).or_else(|| self.text("configuration.name"));
        let Some(name) = name.or_else(arn) else { return };
        let more = |path: &str| format!("supplementaryConfiguration.{path}");
        let mut bucket = Bucket::named(name.clone(), self.place);
        bucket.listed = true;
        bucket.account = self.text("accountId");
        bucket.region = self.text("awsRegion");
        bucket.encryption =
            self.setting(&more("ServerSideEncryptionConfiguration.rules.applyServerSideEncryptionByDefault.sseAlgorithm"));
        bucket.object_lock = match self.text(&more("ObjectLockConfiguration.objectLockEnabled")) {
            Some(text) => Setting::Known(text.map(|text| text == "Enabled")),
            None => Setting::Unsaid,
        };
        bucket.payer = match self.flag(&more("IsRequesterPaysEnabled")) {
            Setting::Known(flag) => Setting::Known(flag.map(|flag| if flag { "Requester" } else { "BucketOwner" }.to_owned())),
            _ => Setting::Unsaid,
        };
        if let Some(policy) = self.text(&more("BucketPolicy.policyText")) {
            let reading = Plain { file: self.place.file, inside: Some(self.place.span) };
            let doc = policy::parse(&policy.value, reading, Some(name.clone()));
            observed.policies.push(doc.clone());
            bucket.policy = Setting::Known(At { value: doc, place: self.place });
        }
        observed.buckets.push(bucket);
        let Some(target) = self.text(&more("BucketLoggingConfiguration.destinationBucketName")) else { return };
        observed.logging.push(Logging {
            place: self.place,
            anchor: self.place,
            source: Some(name),
            target: Target::Named(target),
            prefix: self.setting(&more("BucketLoggingConfiguration.logFilePrefix")),
            // Config does not tell
            partitioned: None,
            region: None,
            grants: None,
        });
    }

    fn trail(&self) -> Option<Trail> {
        let own = |key: &str| self.text(&format!("configuration.{key}"));
        let name = own("name").or_else(|| self.text("resourceName")).or_else(|| self.text("resourceId"))?;
        let arn = own("trailARN").or_else(|| self.text("arn")).map(|arn| arn.value).filter(|arn| arn::parse(arn).is_some());
        let scope = self.place.file.0.to_string();
        let arn = arn.unwrap_or_else(|| {
            let home = own("homeRegion").or_else(|| self.text("awsRegion")).map(|text| text.value);
            let account = self.text("accountId").map_or_else(|| hole("account", &scope), |id| id.value);
            let home = home.unwrap_or_else(|| hole("Region", &scope));
            format!("arn:{}:cloudtrail:{home}:{account}:trail/{}", crate::aws::Partition::of_region(&home), name.value)
        });
        let flag = |key: &str| self.flag(&format!("configuration.{key}"));
        let setting = |key: &str| self.setting(&format!("configuration.{key}"));
        Some(Trail {
            place: self.place,
            anchor: self.place,
            account: arn::parse(&arn).map_or_else(|| hole("account", &scope), |arn| arn.account.to_owned()),
            arn,
            bucket: setting("s3BucketName"),
            prefix: setting("s3KeyPrefix"),
            organization: flag("isOrganizationTrail"),
            multi_region: flag("isMultiRegionTrail"),
            validation: flag("logFileValidationEnabled"),
            selectors: own("hasCustomEventSelectors").filter(|text| text.value == "true").map(|text| text.place),
            key: setting("kmsKeyId"),
            unordered: None,
            name,
        })
    }
}

/// A value at a path with dots.
fn find<'v>(value: &'v Value, path: &str) -> Option<Cow<'v, Value>> {
    match value {
        Value::Object(entries) => {
            if let Some(found) = entries.get(path) {
                return Some(Cow::Borrowed(found));
            }
            path.match_indices('.').find_map(|(dot, _)| find(entries.get(&path[..dot])?, &path[dot + 1..]))
        }
        // `rules` of a bucket are a list with one item
        Value::Array(items) => find(items.first()?, path),
        Value::String(text) if text.starts_with(['{', '[']) => {
            let inner: Value = serde_json::from_str(text).ok()?;
            find(&inner, path).map(|found| Cow::Owned(found.into_owned()))
        }
        _ => None,
    }
}
