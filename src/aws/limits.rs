//! AWS's limits, each once, with its source.

/// Largest bucket policy in bytes ("Bucket policies are limited to 20 KB", S3 user guide, policies and permissions).
/// Compact JSON is an upper bound of what S3 counts.
pub const BUCKET_POLICY_BYTES: usize = 20_480;
/// From here on a policy is called nearly full.
pub(crate) const BUCKET_POLICY_WARN_BYTES: usize = 18_000;
/// Characters of a managed policy, white space not among them (IAM user guide, "IAM and AWS STS quotas").
pub(crate) const MANAGED_POLICY_CHARS: usize = 6_144;
/// Characters of all inline policies of a role, white space not among them (the same page).
pub(crate) const ROLE_POLICIES_CHARS: usize = 10_240;
/// Characters of a service control policy, white space among them (AWS Organizations user guide, "Quotas").
pub(crate) const SCP_CHARS: usize = 10_240;
/// Characters of a resource control policy (the same page).
pub(crate) const RCP_CHARS: usize = 5_120;
/// Lifecycle rules of a bucket (S3 error responses, `PutBucketLifecycle`).
pub(crate) const LIFECYCLE_RULES: usize = 1_000;
/// Trails in a Region, shadow trails of multi-Region trails included; can't be raised (CloudTrail quotas).
pub(crate) const TRAILS_PER_REGION: usize = 5;
/// Longest `S3KeyPrefix` of a trail (CloudTrail API, CreateTrail).
pub(crate) const TRAIL_PREFIX_CHARS: usize = 200;
/// Longest `KmsKeyId` (KMS API, DescribeKey).
pub(crate) const KMS_KEY_CHARS: usize = 2_048;
/// Values in all advanced event selectors of a trail (CloudTrail quotas).
pub(crate) const SELECTOR_VALUES: usize = 500;
/// Tags of a bucket (S3 user guide, cost allocation tags).
pub(crate) const BUCKET_TAGS: usize = 50;
/// Longest S3 object key in bytes.
pub(crate) const OBJECT_KEY_BYTES: usize = 1_024;
/// Earliest transition to the infrequent-access classes in days (S3 user guide, lifecycle transitions).
pub(crate) const INFREQUENT_ACCESS_DAYS: u32 = 30;

/// Days after which the parts of an unfinished upload are deleted: a choice, not a limit; S3 takes any number from 1.
pub(crate) const ABORT_UPLOAD_AFTER_DAYS: u32 = 7;

/// Is this a trail name: 3 to 128 characters of `[A-Za-z0-9._-]`, letters or digits at its ends, no two of `._-` side by
/// side, not the form of an IP address? (CloudTrail API, CreateTrail)
pub(crate) fn is_trail_name(name: &str) -> bool {
    let bytes = name.as_bytes();
    let special = |b: &u8| matches!(b, b'.' | b'_' | b'-');
    (3..=128).contains(&bytes.len())
        && bytes.iter().all(|b| b.is_ascii_alphanumeric() || special(b))
        && bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
        && !bytes.windows(2).any(|pair| pair.iter().all(special))
        && !(name.split('.').count() == 4
            && name.split('.').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit())))
}

/// Is this character allowed in tag keys and values? (S3 API, Tag: letters, numbers, spaces and `+ - = . _ : / @`)
pub(crate) fn is_tag_char(c: char) -> bool {
    c.is_alphanumeric() || c == ' ' || "+-=._:/@".contains(c)
}

/// Is this the name of a role, with its path if it has one, in which no slash stands first? (IAM API, CreateRole)
pub(crate) fn is_role_name(name: &str) -> bool {
    let last = name.rsplit('/').next().unwrap_or_default();
    (1..=64).contains(&last.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"+=,.@_-/".contains(&b))
        && !name.starts_with('/')
}

/// The same with `*` for any text; one that says less than three characters of a name would be almost anybody.
pub(crate) fn is_role_pattern(name: &str) -> bool {
    let last = name.rsplit('/').next().unwrap_or_default();
    is_role_name(&name.replace('*', "x")) && last.bytes().filter(|byte| *byte != b'*').count() >= 3
}

/// Account id: twelve digits.
pub(crate) fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

/// Is this the name of a log group: 1 to 512 characters of `[A-Za-z0-9_/.#-]`? (CloudWatch Logs API, CreateLogGroup)
pub(crate) fn is_log_group_name(name: &str) -> bool {
    (1..=512).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-/.#".contains(&b))
}
