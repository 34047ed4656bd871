//! What AWS Config tells: the result of `aws configservice select-aggregate-resource-config` (a list of JSON texts, in as many
//! pages as there are) or `select-resource-config`, the CSV and JSON that the console exports of such a query, and configuration
//! items as `get-resource-config-history` and `batch-get-(aggregate-)resource-config` print them and snapshots and notifications
//! carry them (AWS Config API reference, `ConfigurationItem`, `BaseConfigurationItem`).
//!
//! A query chooses its own columns, so that everything may be missing; nested columns come nested or with dots in their names,
//! and parts of an item are at times JSON texts once more. Keys: the property lists in AWS's `aws-config-resource-schema`.

use super::{
    At, Bucket, Feeds, Logging, Observed, Selection, Setting, SourceLocation, Target, Text, Trail, dumps,
    hole::{self, hole},
    lifecycle,
    policy::{self, Plain},
    vended::{Delivery, DeliveryDestination, DeliverySource, bucket_in},
};
use crate::{
    aws::{ACCESS_LOG_TYPE, arn},
    document::{Kind, Node},
    source::{FileId, Span},
};
use serde_json::Value;
use std::{borrow::Cow, collections::BTreeMap};

/// Columns by which a table is known.
const COLUMNS: [&str; 5] = ["resourceType", "resourceId", "resourceName", "accountId", "awsRegion"];

/// Keys of lists of configuration items: of queries, of single and aggregated batches, of histories and snapshots.
const LISTS: [&str; 4] = ["Results", "BaseConfigurationItems", "baseConfigurationItems", "configurationItems"];
/// Keys of one configuration item: of an aggregator's answer, and of a notification.
const SINGLE: [&str; 2] = ["ConfigurationItem", "configurationItem"];

/// Could YAML text be an answer?
pub(crate) fn may_be_yaml(text: &str) -> bool {
    let is = |line: &str| {
        let line = line.strip_prefix("- ").unwrap_or(line);
        LISTS.iter().chain(&SINGLE).chain(&COLUMNS).any(|key| line.strip_prefix(key).is_some_and(|rest| rest.starts_with(':')))
    };
    text.lines().any(is)
}

/// Is this an answer of AWS Config?
pub(crate) fn is_answer(root: &Node) -> bool {
    match &root.kind {
        Kind::Mapping(_) => items_of(root).is_some(),
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

/// The configuration items of a page.
fn items_of(root: &Node) -> Option<Vec<&Node>> {
    if let Kind::Sequence(items) = &root.kind {
        return Some(items.iter().collect());
    }
    let list = LISTS.iter().find_map(|key| match dumps::child(root, key).map(|node| &node.kind) {
        Some(Kind::Sequence(items)) => Some(items.iter().collect()),
        _ => None,
    });
    list.or_else(|| {
        let single = SINGLE.iter().find_map(|key| dumps::child(root, key))?;
        matches!(&single.kind, Kind::Mapping(_)).then(|| vec![single])
    })
}

/// Reads one page. Of several items of one resource, as a history has them, the newest counts.
pub(crate) fn read(root: &Node, file: FileId, observed: &mut Observed) {
    let mut table = Table::default();
    for node in items_of(root).unwrap_or_default() {
        let value = match &node.kind {
            Kind::Scalar { text, .. } => serde_json::from_str(text).unwrap_or_default(),
            _ => dumps::value_of(node),
        };
        table.add(value, SourceLocation { file, span: node.span });
    }
    table.read(observed);
}

/// Configuration items of one file.
#[derive(Default)]
pub(super) struct Table {
    items: Vec<Item>,
    /// The newest item of each resource, by account, Region, type and id.
    newest: BTreeMap<[String; 4], usize>,
}

impl Table {
    /// Adds an item, unless a newer one of its resource is there.
    pub(super) fn add(&mut self, value: Value, place: SourceLocation) {
        let item = Item { value, place };
        let text = |path: &str| item.text(path).map_or_else(String::new, |text| text.value);
        let time = |item: &Item| item.text("configurationItemCaptureTime").map_or_else(String::new, |text| text.value);
        let id = [text("resourceId"), text("resourceName"), text("arn"), text("ARN")].into_iter().find(|id| !id.is_empty());
        let Some(id) = id.filter(|_| !time(&item).is_empty()) else { return self.items.push(item) };
        let account = item.account().map_or_else(String::new, |text| text.value);
        match self.newest.get(&[account.clone(), text("awsRegion"), text("resourceType"), id.clone()]) {
            Some(at) => {
                if let Some(known) = self.items.get_mut(*at).filter(|known| time(known) < time(&item)) {
                    *known = item;
                }
            }
            None => {
                self.newest.insert([account, text("awsRegion"), text("resourceType"), id], self.items.len());
                self.items.push(item);
            }
        }
    }

    /// Reads the items.
    pub(super) fn read(self, observed: &mut Observed) {
        self.items.iter().for_each(|item| item.read(observed));
    }
}

/// Reads a table.
///
/// # Errors
/// It is not CSV, in words.
pub(crate) fn read_csv(text: &str, file: FileId, observed: &mut Observed) -> Result<(), String> {
    read_rows(text, file, observed, Value::clone)
}

/// Reads a table whose rows are to be made configuration items first.
///
/// # Errors
/// It is not CSV, in words.
pub(super) fn read_rows(text: &str, file: FileId, observed: &mut Observed, make: impl Fn(&Value) -> Value) -> Result<(), String> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::Headers).from_reader(text.as_bytes());
    let names = reader.headers().map_err(|error| format!("it is not CSV: {error}"))?.clone();
    for record in reader.records() {
        let record = record.map_err(|error| format!("it is not CSV: {error}"))?;
        let cells = names.iter().zip(&record).filter(|(_, cell)| !cell.is_empty());
        let value = Value::Object(cells.map(|(name, cell)| (name.to_owned(), Value::from(cell))).collect());
        let start = record.position().map_or(0, |position| usize::try_from(position.byte()).unwrap_or(usize::MAX));
        let end = text.get(start..).and_then(|rest| rest.find(['\r', '\n'])).map_or(text.len(), |length| start + length);
        let place = SourceLocation { file, span: Span::new(start, end) };
        Item { value: make(&value), place }.read(observed);
    }
    Ok(())
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
            Value::String(text) => hole::text(text).into_owned(),
            other @ (Value::Bool(_) | Value::Number(_)) => other.to_string(),
            _ => return None,
        };
        (!value.is_empty()).then_some(At { value, place: self.place })
    }

    fn setting(&self, path: &str) -> Setting<String> {
        self.text(path).map_or(Setting::Unsaid, Setting::Known)
    }

    /// The prefix of log objects: `null` or an empty text for none; a query that does not ask says nothing.
    fn prefix(&self, path: &str) -> Setting<String> {
        match find(&self.value, path).as_deref() {
            None => Setting::Unknown(self.place),
            Some(Value::String(text)) => Setting::Known(At { value: text.clone(), place: self.place }),
            Some(_) => Setting::Known(At { value: String::new(), place: self.place }),
        }
    }

    fn flag(&self, path: &str) -> Setting<bool> {
        self.text(path).map_or(Setting::Unsaid, |text| Setting::Known(text.map(|text| text.eq_ignore_ascii_case("true"))))
    }

    /// Account id: of a query or batch, of a history or snapshot.
    fn account(&self) -> Option<Text> {
        self.text("accountId").or_else(|| self.text("awsAccountId"))
    }

    fn arn(&self) -> Option<Text> {
        self.text("arn").or_else(|| self.text("ARN"))
    }

    fn read(&self, observed: &mut Observed) {
        let kind = self.text("resourceType").map(|text| text.value);
        let deleted = self.text("configurationItemStatus").is_some_and(|status| status.value.starts_with("ResourceDeleted"));
        match kind.as_deref() {
            _ if deleted => {}
            Some("AWS::CloudTrail::Trail") => observed.trails.extend(self.trail()),
            Some(kind) if kind.starts_with("AWS::Logs::Delivery") => self.vended(kind, observed),
            // a query may leave the type out and ask for buckets alone: only they have these columns
            Some("AWS::S3::Bucket") => self.bucket(observed),
            None if self.get("configuration.s3BucketName").is_some() => observed.trails.extend(self.trail()),
            None => self.bucket(observed),
            Some(_) => {}
        }
    }

    /// A delivery by CloudWatch Logs: an item whose configuration has the properties of CloudFormation's resource.
    fn vended(&self, kind: &str, observed: &mut Observed) {
        let own = |key: &str| self.text(&format!("configuration.{key}"));
        let setting = |key: &str| own(key).map_or(Setting::Unknown(self.place), Setting::Known);
        let scope = self.place.file.0.to_string();
        let account = self.account().map_or_else(|| hole("account", &scope), |id| id.value);
        let region = self.text("awsRegion").map_or_else(|| hole("Region", &scope), |text| text.value);
        let place = self.place;
        match kind {
            "AWS::Logs::DeliverySource" => {
                let arn = own("ResourceArn").or_else(|| own("ResourceArns"));
                let is_ours = own("LogType").is_none_or(|kind| kind.value == ACCESS_LOG_TYPE);
                let name = own("Name").or_else(|| self.text("resourceName"));
                let bucket = arn.and_then(|arn| bucket_in(&arn.value)).filter(|_| is_ours);
                let Some((name, bucket)) = name.zip(bucket) else { return };
                observed.vended.sources.push(DeliverySource { place, name, bucket, account, region });
            }
            "AWS::Logs::DeliveryDestination" => {
                let Some(arn) = own("Arn").or_else(|| self.arn()) else { return };
                observed.vended.destinations.push(DeliveryDestination {
                    place,
                    arn: arn.value,
                    account,
                    target: setting("DestinationResourceArn"),
                    policy: Setting::Unknown(place),
                    defined: false,
                });
            }
            "AWS::Logs::Delivery" => observed.vended.deliveries.push(Delivery {
                place,
                source: setting("DeliverySourceName"),
                account,
                region,
                destination: setting("DeliveryDestinationArn"),
            }),
            _ => {}
        }
    }

    fn bucket(&self, observed: &mut Observed) {
        let arn = || {
            let arn = self.arn()?;
            let name = arn::parse(&arn.value).filter(|arn| arn.service == "s3")?.resource.to_owned();
            Some(At { value: name, place: self.place })
        };
        let name = self.text("resourceName").or_else(|| self.text("resourceId")).or_else(|| self.text("configuration.name"));
        let Some(name) = name.or_else(arn) else { return };
        let more = |path: &str| format!("supplementaryConfiguration.{path}");
        let mut bucket = Bucket::named(name.clone(), self.place);
        bucket.listed = true;
        bucket.account = self.account();
        bucket.region = self.text("awsRegion");
        bucket.encryption =
            self.setting(&more("ServerSideEncryptionConfiguration.rules.applyServerSideEncryptionByDefault.sseAlgorithm"));
        bucket.key =
            self.setting(&more("ServerSideEncryptionConfiguration.rules.applyServerSideEncryptionByDefault.kmsMasterKeyID"));
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
        // Config spells the rules in a way of its own, so only that there are some is read
        if let Some(rules) = self.get(&more("BucketLifecycleConfiguration.rules")).as_deref().and_then(Value::as_array) {
            let kept = if rules.is_empty() { lifecycle::of_rules(&[], false) } else { lifecycle::Lifecycle::Others };
            bucket.lifecycle = Setting::Known(At { value: kept, place: self.place });
        }
        observed.buckets.push(bucket);
        let destination = more("BucketLoggingConfiguration.destinationBucketName");
        let Some(target) = self.text(&destination) else {
            // Config writes `null` for a bucket that does not log; a query that does not ask says nothing
            if find(&self.value, &destination).is_some_and(|value| value.is_null()) {
                observed.off.push(name);
            }
            return;
        };
        observed.logging.push(Logging {
            place: self.place,
            anchor: self.place,
            source: Some(name),
            target: Target::Named(target),
            prefix: self.prefix(&more("BucketLoggingConfiguration.logFilePrefix")),
            // Config does not tell
            partitioned: None,
            date_source: None,
            region: None,
            grants: None,
            strange: None,
        });
    }

    fn trail(&self) -> Option<Trail> {
        let own = |key: &str| self.text(&format!("configuration.{key}"));
        let name = own("name").or_else(|| self.text("resourceName")).or_else(|| self.text("resourceId"))?;
        let arn = own("trailARN").or_else(|| self.arn()).map(|arn| arn.value).filter(|arn| arn::parse(arn).is_some());
        let scope = self.place.file.0.to_string();
        let arn = arn.unwrap_or_else(|| {
            let home = own("homeRegion").or_else(|| self.text("awsRegion")).map(|text| text.value);
            let account = self.account().map_or_else(|| hole("account", &scope), |id| id.value);
            let home = home.unwrap_or_else(|| hole("Region", &scope));
            format!("arn:{}:cloudtrail:{home}:{account}:trail/{}", crate::aws::Partition::of_region(&home), name.value)
        });
        let flag = |key: &str| self.flag(&format!("configuration.{key}"));
        let setting = |key: &str| self.setting(&format!("configuration.{key}"));
        Some(Trail {
            place: self.place,
            anchor: self.place,
            arn_is_given: own("trailARN").or_else(|| self.text("arn")).is_some_and(|arn| arn::parse(&arn.value).is_some()),
            account: arn::parse(&arn).map_or_else(|| hole("account", &scope), |arn| arn.account.to_owned()),
            arn,
            bucket: setting("s3BucketName"),
            prefix: setting("s3KeyPrefix"),
            organization: flag("isOrganizationTrail"),
            multi_region: flag("isMultiRegionTrail"),
            validation: flag("logFileValidationEnabled"),
            recursive: flag("recursiveLogging"),
            selectors: own("hasCustomEventSelectors")
                .filter(|text| text.value == "true")
                .map(|text| Selection::untold(text.place)),
            key: setting("kmsKeyId"),
            logging: Setting::Unsaid,
            feeds: Feeds {
                log_group: own("cloudWatchLogsLogGroupArn"),
                log_role: own("cloudWatchLogsRoleArn"),
                topic: own("snsTopicARN").or_else(|| own("snsTopicName")),
                insights: own("hasInsightSelectors").filter(|text| text.value == "true").map(|text| text.place),
                insight_types: Vec::new(),
            },
            unordered: None,
            name,
        })
    }
}

/// A value at a path with dots.
pub(super) fn find<'v>(value: &'v Value, path: &str) -> Option<Cow<'v, Value>> {
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
