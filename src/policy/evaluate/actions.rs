//! Actions of S3: what they are called on, and which condition keys their requests can have.

/// Actions on objects whose names do not say so.
const OBJECT_TOO: [&str; 5] = [
    "s3:AbortMultipartUpload",
    "s3:BypassGovernanceRetention",
    "s3:ListMultipartUploadParts",
    "s3:ReplicateDelete",
    "s3:ReplicateTags",
];

/// Whether an action is called on objects, and not on their bucket.
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html>
pub(crate) fn is_on_objects(action: &str) -> bool {
    let action = action.to_ascii_lowercase();
    let named = action.contains("object") && !action.contains("bucket");
    named || OBJECT_TOO.iter().any(|name| name.eq_ignore_ascii_case(&action))
}

/// Condition keys, by how they begin, that only these actions have.
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html>
const KEYS_OF: [(&str, &[&str]); 5] = [
    ("s3:x-amz-acl", WITH_ACL),
    ("s3:x-amz-grant-", WITH_ACL),
    ("s3:prefix", LISTING),
    ("s3:delimiter", LISTING),
    ("s3:max-keys", LISTING),
];
const WITH_ACL: &[&str] = &["s3:CreateBucket", "s3:PutBucketAcl", "s3:PutObject", "s3:PutObjectAcl", "s3:PutObjectVersionAcl"];
const LISTING: &[&str] = &["s3:ListBucket", "s3:ListBucketVersions"];

/// Whether a request for the action can have the condition key.
pub(crate) fn can_have(action: &str, key: &str) -> bool {
    let begins = |start: &str| key.get(..start.len()).is_some_and(|own| own.eq_ignore_ascii_case(start));
    KEYS_OF
        .iter()
        .filter(|(start, _)| begins(start))
        .all(|(_, actions)| actions.iter().any(|name| name.eq_ignore_ascii_case(action)))
}
