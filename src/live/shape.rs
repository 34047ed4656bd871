//! S3's and the query services' XML as the AWS CLI's JSON has it: the same names, lists and kinds of values.
//!
//! What a shape does not know survives by its XML name: an answer may be newer than this table.
//! Source of the shapes: the service models of the AWS SDKs (botocore, `s3/2006-03-01`, `sns/2010-03-31`).

use roxmltree::{Document, Node, ParsingOptions};
use serde_json::{Map, Value};

/// What an element holds.
#[derive(Debug)]
pub(super) enum Shape {
    /// A text.
    Text,
    /// A whole number.
    Number,
    /// `true` or `false`.
    Flag,
    /// Other elements.
    Record(&'static [Member]),
    /// Elements of one kind, in an element of their own.
    List(&'static Shape),
    /// Pairs of `key` and `value` in elements named `entry`.
    Pairs,
    /// Whatever it looks like.
    Unknown,
}

/// An element of a record.
#[derive(Debug)]
pub(super) struct Member {
    element: &'static str,
    key: &'static str,
    shape: Shape,
    many: bool,
}

const fn one(name: &'static str, shape: Shape) -> Member {
    Member { element: name, key: name, shape, many: false }
}

const fn renamed(element: &'static str, key: &'static str, shape: Shape) -> Member {
    Member { element, key, shape, many: false }
}

const fn many(element: &'static str, key: &'static str, shape: Shape) -> Member {
    Member { element, key, shape, many: true }
}

const GRANT: Shape = Shape::Record(&[one("Grantee", Shape::Record(&[]))]);
/// `GetBucketLogging`.
pub(super) const LOGGING: Shape = Shape::Record(&[one(
    "LoggingEnabled",
    Shape::Record(&[
        one("TargetGrants", Shape::List(&GRANT)),
        one(
            "TargetObjectKeyFormat",
            Shape::Record(&[one("SimplePrefix", Shape::Record(&[])), one("PartitionedPrefix", Shape::Record(&[]))]),
        ),
    ]),
)]);
/// `GetBucketEncryption`.
pub(super) const ENCRYPTION: Shape = Shape::Record(&[many(
    "Rule",
    "Rules",
    Shape::Record(&[
        one("ApplyServerSideEncryptionByDefault", Shape::Record(&[])),
        one("BucketKeyEnabled", Shape::Flag),
        one("BlockedEncryptionTypes", Shape::Record(&[many("EncryptionType", "EncryptionType", Shape::Text)])),
    ]),
)]);
/// `GetObjectLockConfiguration`.
pub(super) const OBJECT_LOCK: Shape = Shape::Record(&[one(
    "Rule",
    Shape::Record(&[one("DefaultRetention", Shape::Record(&[one("Days", Shape::Number), one("Years", Shape::Number)]))]),
)]);
/// `GetBucketOwnershipControls`.
pub(super) const OWNERSHIP: Shape = Shape::Record(&[many("Rule", "Rules", Shape::Record(&[]))]);
/// `GetPublicAccessBlock`.
pub(super) const PUBLIC_ACCESS: Shape = Shape::Record(&[
    one("BlockPublicAcls", Shape::Flag),
    one("BlockPublicPolicy", Shape::Flag),
    one("IgnorePublicAcls", Shape::Flag),
    one("RestrictPublicBuckets", Shape::Flag),
]);
/// `GetBucketVersioning`.
pub(super) const VERSIONING: Shape = Shape::Record(&[renamed("MfaDelete", "MFADelete", Shape::Text)]);
/// `GetBucketRequestPayment`, and other records of texts.
pub(super) const TEXTS: Shape = Shape::Record(&[]);
const TAG: Shape = Shape::Record(&[]);
const TRANSITION: Shape = Shape::Record(&[one("Days", Shape::Number)]);
/// `GetBucketLifecycleConfiguration`.
pub(super) const LIFECYCLE: Shape = Shape::Record(&[many(
    "Rule",
    "Rules",
    Shape::Record(&[
        one("Expiration", Shape::Record(&[one("Days", Shape::Number), one("ExpiredObjectDeleteMarker", Shape::Flag)])),
        one(
            "Filter",
            Shape::Record(&[
                one("Tag", TAG),
                one("ObjectSizeGreaterThan", Shape::Number),
                one("ObjectSizeLessThan", Shape::Number),
                one(
                    "And",
                    Shape::Record(&[
                        many("Tag", "Tags", TAG),
                        one("ObjectSizeGreaterThan", Shape::Number),
                        one("ObjectSizeLessThan", Shape::Number),
                    ]),
                ),
            ]),
        ),
        many("Transition", "Transitions", TRANSITION),
        many(
            "NoncurrentVersionTransition",
            "NoncurrentVersionTransitions",
            Shape::Record(&[one("NoncurrentDays", Shape::Number), one("NewerNoncurrentVersions", Shape::Number)]),
        ),
        one(
            "NoncurrentVersionExpiration",
            Shape::Record(&[one("NoncurrentDays", Shape::Number), one("NewerNoncurrentVersions", Shape::Number)]),
        ),
        one("AbortIncompleteMultipartUpload", Shape::Record(&[one("DaysAfterInitiation", Shape::Number)])),
    ]),
)]);
const STATUS: Shape = Shape::Record(&[]);
const MINUTES: Shape = Shape::Record(&[one("Minutes", Shape::Number)]);
/// `GetBucketReplication`.
pub(super) const REPLICATION: Shape = Shape::Record(&[many(
    "Rule",
    "Rules",
    Shape::Record(&[
        one("Priority", Shape::Number),
        one("Filter", Shape::Record(&[one("Tag", TAG), one("And", Shape::Record(&[many("Tag", "Tags", TAG)]))])),
        one(
            "SourceSelectionCriteria",
            Shape::Record(&[one("SseKmsEncryptedObjects", STATUS), one("ReplicaModifications", STATUS)]),
        ),
        one("ExistingObjectReplication", STATUS),
        one(
            "Destination",
            Shape::Record(&[
                one("AccessControlTranslation", STATUS),
                one("EncryptionConfiguration", STATUS),
                one("ReplicationTime", Shape::Record(&[one("Time", MINUTES)])),
                one("Metrics", Shape::Record(&[one("EventThreshold", MINUTES)])),
            ]),
        ),
        one("DeleteMarkerReplication", STATUS),
    ]),
)]);
/// `GetRole`.
pub(super) const ROLE: Shape = Shape::Record(&[one("Role", Shape::Record(&[one("PermissionsBoundary", Shape::Record(&[]))]))]);
/// `GetBucketTagging`.
pub(super) const TAGGING: Shape = Shape::Record(&[one("TagSet", Shape::List(&TAG))]);
/// `GetBucketAcl`.
pub(super) const ACL: Shape =
    Shape::Record(&[one("Owner", Shape::Record(&[])), renamed("AccessControlList", "Grants", Shape::List(&GRANT))]);
/// `ListBuckets`.
pub(super) const BUCKETS: Shape = Shape::Record(&[one("Buckets", Shape::List(&Shape::Record(&[])))]);
/// `ListObjectsV2`.
pub(super) const OBJECTS: Shape = Shape::Record(&[
    one("IsTruncated", Shape::Flag),
    many("Contents", "Contents", Shape::Record(&[])),
    many("CommonPrefixes", "CommonPrefixes", Shape::Record(&[])),
]);
/// `GetTopicAttributes`.
pub(super) const TOPIC: Shape = Shape::Record(&[one("Attributes", Shape::Pairs)]);

/// How deep an answer may be; the deepest of AWS's have eight levels.
const DEEPEST: usize = 32;
const INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// The root element of an answer as JSON; nothing if it is no XML, or deeper than any answer of AWS.
pub(super) fn read(text: &str, shape: &Shape) -> Option<Value> {
    let document = parse(text)?;
    value(document.root_element(), shape, 0)
}

/// The text of the root element; nothing if it is no XML.
pub(super) fn root_text(text: &str) -> Option<String> {
    Some(own_text(parse(text)?.root_element()))
}

/// An element of this name, as JSON: what a query service's answer is wrapped in.
pub(super) fn within(text: &str, name: &str, shape: &Shape) -> Option<Value> {
    let document = parse(text)?;
    let found = document.descendants().find(|node| node.tag_name().name() == name)?;
    value(found, shape, 0)
}

fn parse(text: &str) -> Option<Document<'_>> {
    Document::parse_with_options(text, ParsingOptions { allow_dtd: false, ..ParsingOptions::default() }).ok()
}

fn own_text(node: Node<'_, '_>) -> String {
    node.children().filter_map(|child| child.text().filter(|_| child.is_text())).collect()
}

fn value(node: Node<'_, '_>, shape: &Shape, depth: usize) -> Option<Value> {
    if depth > DEEPEST {
        return None;
    }
    let elements = || node.children().filter(Node::is_element);
    Some(match shape {
        Shape::Text => Value::String(own_text(node)),
        Shape::Number => {
            let text = own_text(node);
            text.trim().parse::<i64>().map_or(Value::String(text), Value::from)
        }
        Shape::Flag => Value::Bool(own_text(node).trim() == "true"),
        Shape::List(item) => Value::Array(elements().map(|child| value(child, item, depth + 1)).collect::<Option<_>>()?),
        Shape::Pairs => {
            let part = |entry: Node<'_, '_>, name: &str| {
                entry.children().find(|child| child.tag_name().name() == name).map(own_text).unwrap_or_default()
            };
            Value::Object(elements().map(|entry| (part(entry, "key"), Value::String(part(entry, "value")))).collect())
        }
        Shape::Record(members) => {
            let mut record = Map::new();
            if let Some(kind) = node.attribute((INSTANCE, "type")) {
                record.insert("Type".to_owned(), Value::String(kind.to_owned()));
            }
            for child in elements() {
                let name = child.tag_name().name();
                let member = members.iter().find(|member| member.element == name);
                let found = value(child, member.map_or(&Shape::Unknown, |member| &member.shape), depth + 1)?;
                let key = member.map_or(name, |member| member.key);
                match record.get_mut(key) {
                    // an element that comes again is a list, whether or not it is known as one
                    Some(Value::Array(items)) => items.push(found),
                    Some(before) => *before = Value::Array(vec![before.take(), found]),
                    None if member.is_some_and(|member| member.many) => {
                        record.insert(key.to_owned(), Value::Array(vec![found]));
                    }
                    None => {
                        record.insert(key.to_owned(), found);
                    }
                }
            }
            Value::Object(record)
        }
        Shape::Unknown if elements().next().is_some() => value(node, &Shape::Record(&[]), depth)?,
        Shape::Unknown => Value::String(own_text(node)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn answers_are_as_the_cli_has_them() {
        let namespace = r#"xmlns="http://s3.amazonaws.com/doc/2006-03-01/""#;
        for (text, shape, expected) in [
            (format!("<BucketLoggingStatus {namespace}/>"), &LOGGING, json!({})),
            (
                format!(
                    "<?xml version=\"1.0\"?>\n<BucketLoggingStatus {namespace}><LoggingEnabled><TargetBucket>b</TargetBucket><TargetPrefix/>\
                     <TargetObjectKeyFormat><PartitionedPrefix><PartitionDateSource>EventTime</PartitionDateSource></PartitionedPrefix>\
                     </TargetObjectKeyFormat></LoggingEnabled></BucketLoggingStatus>"
                ),
                &LOGGING,
                json!({ "LoggingEnabled": { "TargetBucket": "b", "TargetPrefix": "", "TargetObjectKeyFormat": { "PartitionedPrefix": { "PartitionDateSource": "EventTime" } } } }),
            ),
            ("<a><LoggingEnabled><TargetObjectKeyFormat><SimplePrefix/></TargetObjectKeyFormat></LoggingEnabled></a>".to_owned(), &LOGGING, json!({ "LoggingEnabled": { "TargetObjectKeyFormat": { "SimplePrefix": {} } } })),
            (
                "<L><Rule><ID>x</ID><Filter><And><Prefix>p</Prefix><Tag><Key>k</Key><Value>v</Value></Tag><ObjectSizeGreaterThan>5</ObjectSizeGreaterThan></And></Filter>\
                 <Expiration><Days>30</Days></Expiration><Transition><Days>1</Days><StorageClass>GLACIER</StorageClass></Transition></Rule></L>"
                    .to_owned(),
                &LIFECYCLE,
                json!({ "Rules": [{ "ID": "x", "Filter": { "And": { "Prefix": "p", "Tags": [{ "Key": "k", "Value": "v" }], "ObjectSizeGreaterThan": 5 } },
                    "Expiration": { "Days": 30 }, "Transitions": [{ "Days": 1, "StorageClass": "GLACIER" }] }] }),
            ),
            (
                format!(
                    "<AccessControlPolicy {namespace}><Owner><ID>1</ID></Owner><AccessControlList><Grant><Grantee \
                     xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"CanonicalUser\"><ID>1</ID></Grantee>\
                     <Permission>READ</Permission></Grant></AccessControlList></AccessControlPolicy>"
                ),
                &ACL,
                json!({ "Owner": { "ID": "1" }, "Grants": [{ "Grantee": { "Type": "CanonicalUser", "ID": "1" }, "Permission": "READ" }] }),
            ),
            ("<T><TagSet/></T>".to_owned(), &TAGGING, json!({ "TagSet": [] })),
            ("<V><Status>Enabled</Status><MfaDelete>Disabled</MfaDelete></V>".to_owned(), &VERSIONING, json!({ "Status": "Enabled", "MFADelete": "Disabled" })),
            // newer than the table
            ("<V><New><A>1</A><A>2</A></New></V>".to_owned(), &VERSIONING, json!({ "New": { "A": ["1", "2"] } })),
        ] {
            assert_eq!(read(&text, shape), Some(expected), "{text}");
        }
    }

    #[test]
    fn hostile_answers_are_refused() {
        let deep = "<a>".repeat(5_000) + &"</a>".repeat(5_000);
        let bomb = r#"<!DOCTYPE a [<!ENTITY b "cc"><!ENTITY d "&b;&b;">]><a>&d;</a>"#;
        for text in ["", "<html>", "not found", &deep, bomb, "<a>\u{0}</a>"] {
            assert_eq!(read(text, &LOGGING), None, "{}", &text[..text.len().min(40)]);
        }
    }
}
