//! What the AWS CLI prints, saved in files: `get-bucket-logging`, `-location`, `-policy` and their like, `describe-trails`,
//! `list-buckets`.
//!
//! Most answers do not name their bucket. The file's name does: `BUCKET.logging.json`, `BUCKET/get-bucket-logging.json`,
//! `get-bucket-logging.BUCKET.json`. They are JSON or YAML, as the CLI's `--output` has them.

use super::{
    AccountName, At, Bucket, DEFAULT_DATE_SOURCE, Feeds, Logging, NamedBy, Observed, Organization, Selection, Setting,
    SourceLocation, Target, Text, Trail,
    hole::hole,
    is_closed, lifecycle,
    policy::{self, Plain},
    vended::{Delivery, DeliveryDestination, DeliverySource, bucket_in},
};
pub(crate) use crate::document::path::child;
use crate::{
    aws::{ACCESS_LOG_TYPE, arn, bucket_name, region},
    document::{Entry, Kind, Node},
    source::{FileId, Span},
};

/// The keys by which an answer is known.
const KEYS: [&str; 19] = [
    "LoggingEnabled",
    // `--query LoggingEnabled`
    "TargetBucket",
    "LocationConstraint",
    "BucketRegion",
    "Policy",
    "trailList",
    // `aws cloudtrail get-event-selectors`
    "EventSelectors",
    "AdvancedEventSelectors",
    "Buckets",
    "Accounts",
    "Organization",
    "ServerSideEncryptionConfiguration",
    "ObjectLockConfiguration",
    "Payer",
    "OwnershipControls",
    "TagSet",
    // `aws logs describe-delivery-sources`, `-destinations`, `describe-deliveries`
    "deliverySources",
    "deliveryDestinations",
    "deliveries",
];

/// Is this an answer of the CLI?
pub(crate) fn is_dump(root: &[Entry]) -> bool {
    root.iter().any(|entry| KEYS.contains(&&*entry.key))
}

/// Is this the answer of `get-bucket-lifecycle-configuration`? Other services have rules too, so its file has to be named for it.
pub(crate) fn is_lifecycle(root: &[Entry], name: &str) -> bool {
    root.iter().any(|entry| &*entry.key == "Rules")
        && named_for(name).is_some_and(|(bucket, setting)| bucket.is_some() && setting.starts_with("lifecycle"))
}

/// Could YAML text be an answer?
pub(crate) fn may_be_yaml(text: &str) -> bool {
    let is = |line: &str| {
        let line = line.strip_prefix("- ").unwrap_or(line);
        KEYS.iter().any(|key| line.strip_prefix(key).is_some_and(|rest| rest.starts_with(':')))
    };
    text.lines().any(is)
}

/// Is this file named for a bucket and one of its settings?
pub(crate) fn is_named_for_bucket(path: &str) -> bool {
    named_for(path).is_some_and(|(bucket, _)| bucket.is_some())
}

/// Reads the answer of `get-bucket-logging` for a bucket that does not log: nothing at all, or an answer without `LoggingEnabled`,
/// in a file that is named for the bucket (S3 API reference, `GetBucketLogging`: 200 with an empty body). False if it is none.
pub(crate) fn read_off(text: &str, path: &str, file: FileId, observed: &mut Observed) -> bool {
    let Some((Some(bucket), "logging")) = named_for(path) else { return false };
    let is_empty = match text.trim() {
        "" | "null" | "None" => true,
        text if text.starts_with('{') && text.len() <= LONGEST_OFF => {
            let answer: Option<serde_json::Map<String, serde_json::Value>> = serde_json::from_str(text).ok();
            answer.is_some_and(|answer| {
                answer.keys().all(|key| key == "ResponseMetadata")
                    || answer.get("LoggingEnabled").is_some_and(serde_json::Value::is_null)
            })
        }
        _ => false,
    };
    if is_empty {
        let place = SourceLocation { file, span: Span::default() };
        observed.off.push(At { value: bucket, place });
    }
    is_empty
}

/// Longest answer, in bytes, that may say that a bucket does not log: it holds nothing but what the SDKs add.
const LONGEST_OFF: usize = 8192;

/// Reads an answer.
pub(crate) fn read(root: &Node, name: &str, file: FileId, observed: &mut Observed) {
    let bucket = named_for(name).and_then(|(bucket, _)| bucket);
    let Kind::Mapping(entries) = &root.kind else { return };
    let of_key = entries.iter().any(|entry| &*entry.key == "PolicyName");
    let reader = Reader { file, bucket, page: root.span.start, of_key, moves_small: moves_small(root) };
    if child(root, "TargetBucket").is_some() {
        observed.logging.push(reader.logging(root));
        return;
    }
    for entry in entries {
        reader.entry(entry, observed);
    }
    if let Some((arn, selection)) = reader.text(child(root, "TrailARN")).zip(selection(root, file)) {
        observed.selections.push((arn.value, selection));
    }
}

/// What `get-event-selectors` answers.
pub(super) fn selection(answer: &Node, file: FileId) -> Option<Selection> {
    let basic = child(answer, "EventSelectors").map(value_of);
    let place = SourceLocation { file, span: answer.span };
    Selection::of(place, basic.as_ref(), child(answer, "AdvancedEventSelectors").map(value_of))
}

/// The bucket that a file is named for, if that can be a bucket's name, and which of its settings the file holds.
fn named_for(path: &str) -> Option<(Option<String>, &'static str)> {
    let mut parts = path.rsplit(['/', '\\']);
    let file = parts.next()?;
    let stem = [".json", ".yaml", ".yml", ".txt"].iter().find_map(|ending| file.strip_suffix(ending)).unwrap_or(file);
    for setting in SETTINGS {
        for word in [format!("get-bucket-{setting}"), format!("get-{setting}"), setting.to_owned()] {
            let name = if stem == word {
                parts.next()
            } else {
                stem.strip_suffix(&word)
                    .and_then(|rest| rest.strip_suffix(['.', '_']))
                    .or_else(|| stem.strip_prefix(&word).and_then(|rest| rest.strip_prefix(['.', '_'])))
            };
            if let Some(name) = name {
                return Some((bucket_name::problem(name).is_none().then(|| name.to_owned()), setting));
            }
        }
    }
    None
}

/// What files are named for.
const SETTINGS: [&str; 15] = [
    "logging",
    "location",
    "policy",
    "encryption",
    "object-lock-configuration",
    "object-lock",
    "request-payment",
    "lifecycle-configuration",
    "lifecycle",
    "tagging",
    "tags",
    "ownership-controls",
    "ownership",
    "head-bucket",
    "head",
];

/// A tree as plain JSON; its places are lost.
pub(crate) fn value_of(node: &Node) -> serde_json::Value {
    match &node.kind {
        Kind::Mapping(entries) => entries.iter().map(|entry| (entry.key.to_string(), value_of(&entry.value))).collect(),
        Kind::Sequence(items) => items.iter().map(value_of).collect(),
        Kind::Scalar { text, plain: true } => match &**text {
            "" | "~" => serde_json::Value::Null,
            // a plain word of YAML is a text
            text => serde_json::from_str(text).unwrap_or_else(|_| serde_json::Value::from(text)),
        },
        Kind::Scalar { text, .. } => serde_json::Value::from(&**text),
        Kind::Alias(_) => serde_json::Value::Null,
    }
}

/// Reads answers one by one: those of one bucket, or of none.
pub(super) struct Answers(Reader);

impl Answers {
    /// Of a bucket, which stands at this place.
    pub(super) fn of(bucket: &str, place: Span, file: FileId) -> Self {
        Answers(Reader { file, bucket: Some(bucket.to_owned()), page: place.start, of_key: false, moves_small: false })
    }

    /// Of no bucket.
    pub(super) fn of_nobody(file: FileId) -> Self {
        Answers(Reader { file, bucket: None, page: 0, of_key: false, moves_small: false })
    }

    /// Reads an answer.
    pub(super) fn read(&self, answer: &Node, observed: &mut Observed) {
        let Kind::Mapping(entries) = &answer.kind else { return };
        let Reader { file, bucket, page, of_key, .. } = &self.0;
        let reader =
            Reader { file: *file, bucket: bucket.clone(), page: *page, of_key: *of_key, moves_small: moves_small(answer) };
        entries.iter().for_each(|entry| reader.entry(entry, observed));
    }

    /// Reads a trail as `describe-trails` has it.
    pub(super) fn trail(&self, trail: &Node) -> Option<Trail> {
        self.0.trail(trail)
    }

    /// Reads an item of one of the lists of vended deliveries, which has this key.
    pub(super) fn vended(&self, key: &str, item: &Node, observed: &mut Observed) {
        self.0.vended(key, item, observed);
    }
}

/// Does a lifecycle configuration move objects under 128 KB, too? (S3 API reference, `TransitionDefaultMinimumObjectSize`)
pub(crate) fn moves_small(answer: &Node) -> bool {
    child(answer, "TransitionDefaultMinimumObjectSize")
        .is_some_and(|size| matches!(&size.kind, Kind::Scalar { text, .. } if &**text == "varies_by_storage_class"))
}

struct Reader {
    file: FileId,
    bucket: Option<String>,
    /// Where the answer begins: two answers of buckets that nobody names are of two buckets.
    page: u32,
    /// Is it the answer about a KMS key?
    of_key: bool,
    /// It is the lifecycle of a bucket from which S3 moves objects under 128 KB, too.
    moves_small: bool,
}

impl Reader {
    fn place(&self, span: Span) -> SourceLocation {
        SourceLocation { file: self.file, span }
    }

    fn at<T>(&self, value: T, span: Span) -> At<T> {
        At { value, place: self.place(span) }
    }

    fn text(&self, node: Option<&Node>) -> Option<Text> {
        match &node?.kind {
            Kind::Scalar { text, plain } if !(*plain && matches!(&**text, "null" | "~" | "")) => {
                Some(self.at(text.to_string(), node?.span))
            }
            _ => None,
        }
    }

    /// The bucket that the file is named for, or one that nobody knows.
    fn subject(&self, span: Span) -> Bucket {
        let name = self.bucket.clone().unwrap_or_else(|| hole("bucket", &format!("{} {}", self.file.0, self.page)));
        Bucket::named(self.at(name, span), self.place(span))
    }

    fn entry(&self, entry: &Entry, observed: &mut Observed) {
        let value = &entry.value;
        let mut bucket = self.subject(entry.key_span);
        match &*entry.key {
            "LoggingEnabled" => {
                observed.logging.push(self.logging(value));
                return;
            }
            "LocationConstraint" | "BucketRegion" => {
                let text = self.text(Some(value)).map_or_else(String::new, |text| text.value);
                let name = if text.is_empty() { "us-east-1" } else { region::legacy(&text).unwrap_or(&text) };
                bucket.region = Some(self.at(name.to_owned(), value.span));
            }
            // of `kms get-key-policy`, which has one more key
            "Policy" if self.of_key => return,
            "Policy" => {
                let Some(text) = self.text(Some(value)) else { return };
                let name = self.bucket.clone().map(|name| self.at(name, entry.key_span));
                let mut doc = policy::parse(&text.value, Plain { file: self.file, inside: Some(value.span) }, name);
                doc.bucket = doc.bucket.take().or_else(|| policy::bucket_of(&doc));
                if let Some(name) = &doc.bucket {
                    bucket.name = name.clone();
                }
                bucket.policy = Setting::Known(self.at(doc.clone(), value.span));
                observed.policies.push(doc);
            }
            "ServerSideEncryptionConfiguration" => {
                let rule = first(child(value, "Rules")).and_then(|rule| child(rule, "ApplyServerSideEncryptionByDefault"));
                let Some(algorithm) = self.text(rule.and_then(|rule| child(rule, "SSEAlgorithm"))) else { return };
                bucket.encryption = Setting::Known(algorithm);
                if let Some(key) = self.text(rule.and_then(|rule| child(rule, "KMSMasterKeyID"))) {
                    bucket.key = Setting::Known(key);
                }
            }
            "ObjectLockConfiguration" => {
                let enabled = self.text(child(value, "ObjectLockEnabled")).is_some_and(|text| text.value == "Enabled");
                bucket.object_lock = Setting::Known(self.at(enabled, value.span));
            }
            "Payer" => {
                let Some(payer) = self.text(Some(value)) else { return };
                bucket.payer = Setting::Known(payer);
            }
            "OwnershipControls" => {
                let rule = first(child(value, "Rules"));
                let Some(ownership) = self.text(rule.and_then(|rule| child(rule, "ObjectOwnership"))) else { return };
                bucket.ownership = Setting::Known(ownership);
            }
            "Rules" if self.bucket.is_some() => {
                let Kind::Sequence(rules) = &value.kind else { return };
                let rules: Vec<serde_json::Value> = rules.iter().map(value_of).collect();
                bucket.lifecycle = Setting::Known(self.at(lifecycle::of_rules(&rules, self.moves_small), value.span));
            }
            "TagSet" => {
                let Kind::Sequence(items) = &value.kind else { return };
                let tag = |item: &Node| Some((self.text(child(item, "Key"))?.value, self.text(child(item, "Value"))?.value));
                let tags = items.iter().filter_map(tag).filter(|(key, _)| !key.starts_with("aws:"));
                bucket.tags = Setting::Known(self.at(tags.collect(), value.span));
            }
            "trailList" => {
                if let Kind::Sequence(trails) = &value.kind {
                    observed.trails.extend(trails.iter().filter_map(|trail| self.trail(trail)));
                }
                return;
            }
            "deliverySources" | "deliveryDestinations" | "deliveries" => {
                if let Kind::Sequence(items) = &value.kind {
                    items.iter().for_each(|item| self.vended(&entry.key, item, observed));
                }
                return;
            }
            "Accounts" => {
                let Kind::Sequence(items) = &value.kind else { return };
                for item in items {
                    let Some((id, name)) = self.text(child(item, "Id")).zip(self.text(child(item, "Name"))) else { continue };
                    let state = self.text(child(item, "State")).or_else(|| self.text(child(item, "Status")));
                    let closed = state.filter(|state| is_closed(&state.value));
                    observed.accounts.push(AccountName { id: id.value, name, by: NamedBy::Organization, closed });
                }
                return;
            }
            "Organization" => {
                let Some(id) = self.text(child(value, "Id")) else { return };
                let management = self.text(child(value, "MasterAccountId").or_else(|| child(value, "ManagementAccountId")));
                observed.organization = Some(Organization { id, management });
                return;
            }
            "Buckets" => {
                let Kind::Sequence(items) = &value.kind else { return };
                for item in items {
                    let Some(name) = self.text(child(item, "Name")) else { continue };
                    let mut bucket = Bucket::named(name, self.place(item.span));
                    bucket.listed = true;
                    bucket.region = self.text(child(item, "BucketRegion")).map(|mut text| {
                        if let Some(name) = region::legacy(&text.value) {
                            text.value = name.to_owned();
                        }
                        text
                    });
                    observed.buckets.push(bucket);
                }
                return;
            }
            _ => return,
        }
        observed.buckets.push(bucket);
    }

    /// An item of what `aws logs describe-delivery-sources` and its like print (CloudWatch Logs API reference, `DeliverySource`,
    /// `DeliveryDestination`, `Delivery`). Account and Region stand in its ARN.
    fn vended(&self, key: &str, item: &Node, observed: &mut Observed) {
        let text = |key: &str| self.text(child(item, key));
        let place = self.place(item.span);
        let Some(arn) = text("arn") else { return };
        let Some(parts) = arn::parse(&arn.value) else { return };
        let (account, region) = (parts.account.to_owned(), parts.region.to_owned());
        let setting = |key: &str| text(key).map_or(Setting::Unknown(place), Setting::Known);
        match key {
            "deliverySources" => {
                let first = self.text(first(child(item, "resourceArns")));
                let bucket = first.and_then(|arn| bucket_in(&arn.value));
                let is_ours = text("logType").is_some_and(|kind| kind.value == ACCESS_LOG_TYPE);
                let Some((name, bucket)) = text("name").zip(bucket).filter(|_| is_ours) else { return };
                observed.vended.sources.push(DeliverySource { place, name, bucket, account, region });
            }
            "deliveryDestinations" => {
                let configuration = child(item, "deliveryDestinationConfiguration");
                let target = self.text(configuration.and_then(|node| child(node, "destinationResourceArn")));
                observed.vended.destinations.push(DeliveryDestination {
                    place,
                    arn: arn.value.clone(),
                    account,
                    target: target.map_or(Setting::Unknown(place), Setting::Known),
                    policy: Setting::Unknown(place),
                    defined: false,
                });
            }
            _ => observed.vended.deliveries.push(Delivery {
                place,
                source: setting("deliverySourceName"),
                account,
                region,
                destination: setting("deliveryDestinationArn"),
            }),
        }
    }

    fn logging(&self, value: &Node) -> Logging {
        let target = self.text(child(value, "TargetBucket"));
        let partitioned = child(value, "TargetObjectKeyFormat").and_then(|format| child(format, "PartitionedPrefix"));
        Logging {
            place: self.place(child(value, "TargetBucket").map_or(value.span, |node| node.span)),
            anchor: self.place(value.span),
            source: self.bucket.clone().map(|name| self.at(name, value.span)),
            target: target.map_or(Target::Unknown, Target::Named),
            prefix: self.text(child(value, "TargetPrefix")).map_or(Setting::Unsaid, Setting::Known),
            partitioned: Some(partitioned.is_some()),
            date_source: partitioned.map(|partitioned| {
                self.text(child(partitioned, "PartitionDateSource")).map_or(DEFAULT_DATE_SOURCE.to_owned(), |text| text.value)
            }),
            region: None,
            grants: child(value, "TargetGrants")
                .filter(|grants| first(Some(grants)).is_some())
                .map(|grants| self.place(grants.span)),
            strange: None,
        }
    }

    fn trail(&self, trail: &Node) -> Option<Trail> {
        let text = |key: &str| self.text(child(trail, key));
        let name = text("Name")?;
        let setting = |key: &str| text(key).map_or(Setting::Unsaid, Setting::Known);
        let flag = |key: &str| {
            text(key).map_or(Setting::Unsaid, |text| Setting::Known(At { value: text.value == "true", place: text.place }))
        };
        let scope = self.file.0.to_string();
        let arn = text("TrailARN").map(|arn| arn.value).unwrap_or_else(|| {
            let home = text("HomeRegion").map_or_else(|| hole("Region", &scope), |home| home.value);
            format!("arn:aws:cloudtrail:{home}:{}:trail/{}", hole("account", &scope), name.value)
        });
        let account = arn::parse(&arn).map_or_else(|| hole("account", &scope), |arn| arn.account.to_owned());
        Some(Trail {
            place: text("S3BucketName").map_or(name.place, |bucket| bucket.place),
            anchor: name.place,
            arn_is_given: text("TrailARN").is_some(),
            arn,
            account,
            bucket: setting("S3BucketName"),
            prefix: setting("S3KeyPrefix"),
            organization: flag("IsOrganizationTrail"),
            multi_region: flag("IsMultiRegionTrail"),
            validation: flag("LogFileValidationEnabled"),
            recursive: flag("RecursiveLogging"),
            selectors: text("HasCustomEventSelectors")
                .filter(|text| text.value == "true")
                .map(|text| Selection::untold(text.place)),
            key: setting("KmsKeyId"),
            logging: Setting::Unsaid,
            feeds: Feeds {
                log_group: text("CloudWatchLogsLogGroupArn"),
                log_role: text("CloudWatchLogsRoleArn"),
                topic: text("SnsTopicARN").or_else(|| text("SnsTopicName")),
                insights: text("HasInsightSelectors").filter(|text| text.value == "true").map(|text| text.place),
                insight_types: Vec::new(),
            },
            unordered: None,
            name,
        })
    }
}

fn first(node: Option<&Node>) -> Option<&Node> {
    match &node?.kind {
        Kind::Sequence(items) => items.first(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_for_its_bucket() {
        for (path, bucket) in [
            ("dumps/acme-web.logging.json", Some("acme-web")),
            ("acme-web/get-bucket-logging.json", Some("acme-web")),
            ("get-bucket-policy.acme-web.json", Some("acme-web")),
            ("acme.web.get-bucket-location.json", Some("acme.web")),
            ("acme-web.logging.yaml", Some("acme-web")),
            ("logging.json", None),
            ("policy", None),
            ("plan.json", None),
        ] {
            assert_eq!(named_for(path).and_then(|(bucket, _)| bucket).as_deref(), bucket, "{path}");
        }
    }
}
