//! The archive of `central`, once all log buckets are planned: which of them are copied to it, with which roles, and what the archive's policy
//! lets in.
//!
//! S3 replicates what comes into a log bucket under the key that it has there, so that two log buckets that could write one key would make
//! versions of one object of it: whether any can is judged here, for all keys at once. Sources: S3 user guide, "Setting up permissions for live
//! replication", "What does Amazon S3 replicate?", "Replicating encrypted objects (SSE-S3, SSE-KMS, DSSE-KMS, SSE-C)", "Object Lock
//! considerations", "Replication configuration file elements".

use super::{
    Account, KeyFormat, LogBucket, Placement, ReplicationRole as Role,
    prove::{Subject, prove},
    routes::Delivery,
};
use crate::{
    aws::{Partition, REPLICATION_POLICY, REPLICATION_ROLE, REPLICATION_SERVICE, Sender, arn},
    diagnostics::Finding,
    map::{
        PolicyScope,
        effective::{self, EffectiveMap},
    },
    policy::compose::{CopyGrant, Grants, Scope, compose},
    rules::{
        archive::{
            ARCHIVE_EMPTY, ARCHIVE_ENCRYPTED, ARCHIVE_KEY, ARCHIVE_LEFT_OUT, ARCHIVE_LOCK, ARCHIVE_SAME_KEYS, ARCHIVE_VERSIONING,
        },
        budget,
    },
    source::{Span, Spanned},
};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The archive, and what is copied to it.
#[derive(Debug, Clone, Serialize)]
pub struct Archive {
    /// Key of its account.
    pub account: String,
    /// Id of its account.
    pub account_id: String,
    /// Its Region.
    pub region: String,
    /// Name of the bucket.
    pub bucket: String,
    /// The partition of it and of all that is copied.
    pub partition: Partition,
    /// KMS key of the copies.
    pub kms_key_arn: Option<String>,
    /// How CloudWatch Logs writes, `json` or `parquet`, if it is that which copies; none if S3 replicates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<&'static str>,
    /// Names of the log buckets that are copied, or of the sources whose logs CloudWatch Logs delivers, sorted.
    pub copied: Vec<String>,
    /// Names of log buckets that are not: they existed before, and who made them says what is copied.
    pub left_out: Vec<String>,
    /// Keys of the accounts whose logs are copied, sorted.
    pub accounts: Vec<String>,
}

/// How S3 copies a log bucket to the archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Replication {
    /// ARN of the role that S3 assumes.
    pub role_arn: String,
    /// ARN of the archive.
    pub archive_arn: String,
    /// Key of the account that owns it.
    pub archive_account: String,
    /// KMS key of the copies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kms_key_arn: Option<String>,
}

/// Id of the rule in a log bucket's replication configuration.
pub(crate) const RULE: &str = "logmap-central";

impl Replication {
    /// As the S3 API takes it: one rule for all objects, which does not copy delete markers. "If you specify the `Filter` element, you must
    /// also include the `Priority` and `DeleteMarkerReplication` elements". The destination's account is named only to change the owner of
    /// copies, and they are the archive's by `BucketOwnerEnforced`: "Instead of using the owner override option, you can use the bucket owner
    /// enforced setting" (S3 user guide, "Changing the replica owner").
    pub(crate) fn configuration(&self) -> Value {
        let mut rule = json!({
            "ID": RULE,
            "Priority": 1,
            "Filter": { "Prefix": "" },
            "Status": "Enabled",
            "DeleteMarkerReplication": { "Status": "Disabled" },
            "Destination": { "Bucket": self.archive_arn },
        });
        if let Some(key) = &self.kms_key_arn {
            rule["SourceSelectionCriteria"] = json!({ "SseKmsEncryptedObjects": { "Status": "Enabled" } });
            rule["Destination"]["EncryptionConfiguration"] = json!({ "ReplicaKmsKeyID": key });
        }
        json!({ "Role": self.role_arn, "Rules": [rule] })
    }
}

/// The role with which S3 copies the log buckets of an account and Region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReplicationRole {
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// Name of its inline policy.
    pub policy_name: &'static str,
    /// Its inline policy.
    pub policy: Value,
}

/// What each role is for, in its description.
pub(crate) const ROLE_DESCRIPTION: &str = "S3 copies the log buckets of one Region to the archive with it. Made by logmap.";

/// Who may assume a role that copies: S3, and nothing is documented that would tell for which bucket.
pub(crate) fn trust() -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Allow", "Principal": { "Service": REPLICATION_SERVICE }, "Action": "sts:AssumeRole" }],
    })
}

/// The archive as it is planned, of which nothing is said yet but where it is.
pub(super) fn planned(map: &EffectiveMap<'_>, accounts: &[Account]) -> Option<Archive> {
    let wanted = map.archive.as_ref()?;
    let (account, archive) = accounts.iter().find_map(|account| {
        let buckets = account.placements.iter().flat_map(|placement| &placement.buckets);
        buckets.into_iter().find(|bucket| bucket.takes_copies).map(|bucket| (account, bucket))
    })?;
    Some(Archive {
        account: account.key.clone(),
        account_id: account.id.clone(),
        region: wanted.region.value.to_owned(),
        bucket: archive.name.clone(),
        partition: account.partition,
        kms_key_arn: wanted.kms_key_arn.map(|key| key.value.to_owned()),
        format: None,
        copied: Vec::new(),
        left_out: Vec::new(),
        accounts: Vec::new(),
    })
}

/// Fills in which log buckets S3 replicates to the archive, and how.
pub(crate) fn finish(
    map: &EffectiveMap<'_>,
    deliveries: &[Delivery<'_>],
    accounts: &mut [Account],
    findings: &mut Vec<Finding>,
) -> Option<Archive> {
    let wanted = map.archive.as_ref()?;
    let mut central = planned(map, accounts)?;
    let archive_arn = arn::bucket(central.partition, &central.bucket);
    let mut copies = Vec::new();
    for account in accounts.iter_mut().filter(|account| account.partition == central.partition && wanted.covers(&account.key)) {
        let Some(written) = map.accounts.get(account.key.as_str()) else { continue };
        for placement in &mut account.placements {
            let role_arn = arn::role(account.partition, &account.id, &format!("{REPLICATION_ROLE}{}", placement.region));
            for bucket in placement.buckets.iter_mut().filter(|bucket| !bucket.takes_copies) {
                if bucket.adopt.is_some() {
                    left_out(written, &placement.region, bucket, findings);
                    central.left_out.push(bucket.name.clone());
                    continue;
                }
                judge(map, written, &placement.region, bucket, findings);
                bucket.replication = Some(Replication {
                    role_arn: role_arn.clone(),
                    archive_arn: archive_arn.clone(),
                    archive_account: central.account.clone(),
                    kms_key_arn: central.kms_key_arn.clone(),
                });
                central.copied.push(bucket.name.clone());
            }
            if placement.buckets.iter().any(|bucket| bucket.replication.is_some()) {
                let keys = keys(map, deliveries, &account.key, &placement.region, findings);
                placement.replication_role = Some(role(&role_arn, placement, &keys, &central));
                copies.push(CopyGrant { account_id: account.id.clone(), role_arn: Some(role_arn) });
                if central.accounts.last() != Some(&account.key) {
                    central.accounts.push(account.key.clone());
                }
            }
        }
    }
    central.copied.sort_unstable();
    central.left_out.sort_unstable();
    same_keys(map, deliveries, accounts, findings);
    if copies.is_empty() {
        findings.push(
            Finding::new(&ARCHIVE_EMPTY, wanted.account.span, format!("nothing is copied to `{}`", central.bucket))
                .help("list accounts with log buckets that logmap makes under `only`, or leave `central` out"),
        );
    }
    admit(wanted, copies, accounts, findings);
    Some(central)
}

/// A log bucket that existed before may have rules of its own, and `PutBucketReplication` replaces them all.
fn left_out(account: &effective::Account<'_>, region: &str, bucket: &LogBucket, findings: &mut Vec<Finding>) {
    let settings = account.settings(region);
    let adopt = if settings.is_first(bucket.takes_access_logs) { &settings.adopt } else { &settings.adopt_trails_bucket };
    let span = adopt.as_ref().map_or(account.key.span, |adopt| adopt.span);
    findings.push(
        Finding::new(&ARCHIVE_LEFT_OUT, span, format!("`{}` existed before and is not copied to the archive", bucket.name))
            .help("copy it with a replication rule of your own; logmap replaces none that others may have set"),
    );
}

/// What a log bucket that is copied must be.
fn judge(
    map: &EffectiveMap<'_>,
    account: &effective::Account<'_>,
    region: &str,
    bucket: &LogBucket,
    findings: &mut Vec<Finding>,
) {
    let Some(central) = &map.archive else { return };
    if !bucket.versioning {
        let versioning = account.settings(region).versioning;
        findings.push(
            Finding::new(&ARCHIVE_VERSIONING, versioning.span, format!("`{}` can't be copied without versioning", bucket.name))
                .related(central.account.span, "`central` copies it to this account")
                .help("leave `versioning` at true, or leave the account out with `central.only`: S3 answers `InvalidRequest`"),
        );
    }
    if bucket.object_lock.is_some() && central.object_lock.is_none() {
        let lock = account.settings(region).object_lock.map_or(central.account.span, |lock| lock.span);
        findings.push(
            Finding::new(&ARCHIVE_LOCK, lock, format!("`{}` has Object Lock, and the archive has none", bucket.name))
                .related(central.account.span, "`central` copies it to this account")
                .help("write `object_lock` under `central`, too: where a source has it, its destination must have it"),
        );
    }
}

/// KMS keys with which trails encrypt what they deliver to an account's log buckets in a Region.
fn keys<'d>(
    map: &EffectiveMap<'_>,
    deliveries: &'d [Delivery<'_>],
    account: &str,
    region: &str,
    findings: &mut Vec<Finding>,
) -> BTreeSet<&'d str> {
    let mut keys = BTreeSet::new();
    for delivery in deliveries.iter().filter(|delivery| delivery.reader == account && delivery.region == region) {
        let Some((key, span)) = delivery.key() else { continue };
        let Some(central) = &map.archive else { continue };
        let trail = &delivery.trail.name.value;
        if central.kms_key_arn.is_none() {
            findings.push(
                Finding::new(&ARCHIVE_ENCRYPTED, span, format!("the files of the trail `{trail}` are encrypted and not copied to the archive"))
                    .related(central.account.span, "`central` has no key")
                    .help("write `kms_key_arn` under `central`: S3 copies what is encrypted with a KMS key only if it is told a key for the copies"),
            );
            continue;
        }
        if arn::parse(key).is_some_and(|arn| arn.resource.starts_with("alias/")) {
            findings.push(
                Finding::new(&ARCHIVE_KEY, span, format!("the key of the trail `{trail}` is named by an alias"))
                    .related(central.account.span, "the role that copies its files must be able to decrypt them")
                    .help("write the ARN of the key itself: a policy can't name a key by its alias, and S3 would copy nothing"),
            );
            continue;
        }
        keys.insert(key);
    }
    keys
}

/// The role of an account and Region. Of KMS the page names `kms:Decrypt` for the key of the source and `kms:Encrypt` for that of copies. Which
/// object is meant is in the encryption context, but in another form with S3 Bucket Keys, so that nothing is said of it here.
fn role(role_arn: &str, placement: &Placement, keys: &BTreeSet<&str>, central: &Archive) -> Role {
    let copied: Vec<&LogBucket> = placement.buckets.iter().filter(|bucket| bucket.replication.is_some()).collect();
    let buckets: Vec<&str> = copied.iter().map(|bucket| bucket.arn.as_str()).collect();
    let objects: Vec<String> = copied.iter().map(|bucket| format!("{}/*", bucket.arn)).collect();
    let mut reads = vec!["s3:GetObjectVersionAcl", "s3:GetObjectVersionForReplication", "s3:GetObjectVersionTagging"];
    if copied.iter().any(|bucket| bucket.object_lock.is_some()) {
        // "two additional permissions on the source S3 bucket"
        reads.extend(["s3:GetObjectLegalHold", "s3:GetObjectRetention"]);
        reads.sort_unstable();
    }
    let statement = |sid: &str, actions: &[&str], resources: Value| json!({ "Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources });
    let archive = arn::object(central.partition, &central.bucket, "*");
    let mut statements = vec![
        statement("ReadLogBuckets", &["s3:GetReplicationConfiguration", "s3:ListBucket"], json!(buckets)),
        statement("ReadLogs", &reads, json!(objects)),
        statement("WriteCopies", &["s3:ReplicateObject", "s3:ReplicateTags"], json!([archive])),
    ];
    let via = |region: &str| json!({ "StringEquals": { "kms:ViaService": via_service(central.partition, region) } });
    if let Some(key) = &central.kms_key_arn {
        if !keys.is_empty() {
            let mut decrypt = statement("DecryptLogs", &["kms:Decrypt"], json!(keys));
            decrypt["Condition"] = via(&placement.region);
            statements.push(decrypt);
        }
        let mut encrypt = statement("EncryptCopies", &["kms:Encrypt"], json!([key]));
        encrypt["Condition"] = via(&central.region);
        statements.push(encrypt);
    }
    Role {
        name: format!("{REPLICATION_ROLE}{}", placement.region),
        arn: role_arn.to_owned(),
        policy_name: REPLICATION_POLICY,
        policy: json!({ "Version": "2012-10-17", "Statement": statements }),
    }
}

/// Value of `kms:ViaService` for S3 in a Region (KMS developer guide, "AWS KMS condition keys").
pub(super) fn via_service(partition: Partition, region: &str) -> String {
    format!("s3.{region}.{}", partition.dns_suffix())
}

/// Composes the archive's policy and proves it.
pub(super) fn admit(
    wanted: &effective::Archive<'_>,
    copies: Vec<CopyGrant>,
    accounts: &mut [Account],
    findings: &mut Vec<Finding>,
) {
    let of_placements = accounts.iter().map(|account| account.placements.len()).sum();
    for account in accounts {
        for placement in &mut account.placements {
            let Some(bucket) = placement.buckets.iter_mut().find(|bucket| bucket.takes_copies) else { continue };
            // a policy needs a statement
            bucket.basis.deny_insecure_transport |= copies.is_empty();
            let grants = Grants {
                bucket: &bucket.name,
                partition: account.partition,
                account_id: &account.id,
                sources: BTreeMap::new(),
                trails: Vec::new(),
                senders: Vec::new(),
                readers: None,
                copies: &copies,
                organization_id: bucket.basis.organization_id.as_deref(),
                scope: Scope::Auto,
                deny_insecure_transport: bucket.basis.deny_insecure_transport,
                extra: &[],
            };
            let (policy, report) = match compose(&grants) {
                Ok(composed) => composed,
                Err(overflow) => {
                    let span = wanted.account.span;
                    let scope = Spanned { value: PolicyScope::Auto, span };
                    budget::report_overflow(&bucket.name, &overflow, span, scope, None, findings);
                    return;
                }
            };
            bucket.basis.copies = copies;
            bucket.proof = prove(&Subject {
                bucket: &bucket.name,
                partition: account.partition,
                region: &placement.region,
                account_id: &account.id,
                role_arn: bucket.basis.role_arn.as_deref(),
                organization_id: bucket.basis.organization_id.as_deref(),
                policy: &policy,
                granted_by: &policy,
                tier: report.tier,
                sources: &[],
                trails: &[],
                senders: &[],
                readers: None,
                copies: &bucket.basis.copies,
                denies_insecure_transport: bucket.basis.deny_insecure_transport,
                of_placements,
            });
            (bucket.policy, bucket.report) = (policy, report);
            return;
        }
    }
}

/// Keys that a log bucket can get, by what they begin with. `*` stands for a folder of any name.
struct Keys {
    begin: String,
    /// The log bucket.
    bucket: String,
    /// What writes them, for people.
    what: String,
    /// Where the map says so.
    span: Span,
}

/// Reports log buckets that could have objects of the same key.
fn same_keys(map: &EffectiveMap<'_>, deliveries: &[Delivery<'_>], accounts: &[Account], findings: &mut Vec<Finding>) {
    let mut all: Vec<Keys> = Vec::new();
    for account in accounts {
        let Some(written) = map.accounts.get(account.key.as_str()) else { continue };
        for placement in &account.placements {
            for bucket in placement.buckets.iter().filter(|bucket| bucket.replication.is_some()) {
                keys_of(map, written, account, placement, bucket, deliveries, &mut all);
            }
        }
    }
    // what begins with another's beginning stands behind it; nearer ones are of the same bucket or have been told
    all.sort_by(|a, b| (&a.begin, &a.bucket).cmp(&(&b.begin, &b.bucket)));
    let (plain, open): (Vec<&Keys>, Vec<&Keys>) = all.iter().partition(|keys| !keys.begin.contains('*'));
    let mut told = BTreeSet::new();
    let mut outer: Vec<&Keys> = Vec::new();
    for keys in plain.iter().copied() {
        while outer.last().is_some_and(|last| !keys.begin.starts_with(&last.begin)) {
            outer.pop();
        }
        if let Some(other) = outer.iter().find(|other| other.bucket != keys.bucket) {
            tell(other, keys, &mut told, findings);
        }
        // of several of one bucket with one beginning one is enough
        if outer.last().is_none_or(|last| (&last.begin, &last.bucket) != (&keys.begin, &keys.bucket)) {
            outer.push(keys);
        }
    }
    for (at, keys) in open.iter().enumerate() {
        let others = plain.iter().chain(&open[at + 1..]);
        if let Some(other) = others.copied().find(|other| other.bucket != keys.bucket && can_meet(&keys.begin, &other.begin)) {
            tell(other, keys, &mut told, findings);
        }
    }
}

fn tell(one: &Keys, other: &Keys, told: &mut BTreeSet<(String, String)>, findings: &mut Vec<Finding>) {
    let pair = (one.bucket.clone().min(other.bucket.clone()), one.bucket.clone().max(other.bucket.clone()));
    if !told.insert(pair) {
        return;
    }
    let (first, later) = if one.span <= other.span { (one, other) } else { (other, one) };
    let shown = if later.begin.len() > first.begin.len() { &later.begin } else { &first.begin };
    let shown = if shown.is_empty() { "without a prefix".to_owned() } else { format!("under `{}`", shown.escape_debug()) };
    findings.push(
        Finding::new(
            &ARCHIVE_SAME_KEYS,
            later.span,
            format!("{} and {} could both write {shown}, and the archive keeps the keys", first.what, later.what),
        )
        .label("objects of one key would be versions of one object there")
        .related(first.span, format!("this goes to `{}`", first.bucket))
        .help("give one of them another prefix, or a `key_format` with account, Region and bucket in its keys, or name the accounts that are copied under `central.only`"),
    );
}

/// Can a key begin with both? `*` stands for a folder of any name.
fn can_meet(one: &str, other: &str) -> bool {
    let (mut one, mut other) = (one, other);
    loop {
        let (Some(a), Some(b)) = (one.chars().next(), other.chars().next()) else { return true };
        if a == '*' || b == '*' {
            one = one.find('/').map_or("", |at| &one[at..]);
            other = other.find('/').map_or("", |at| &other[at..]);
            continue;
        }
        if a != b {
            return false;
        }
        (one, other) = (&one[a.len_utf8()..], &other[b.len_utf8()..]);
    }
}

/// What the keys of a log bucket begin with. Of access logs S3 says where account, Region and bucket stand; of trails CloudTrail does, for
/// the three kinds of files that it delivers.
fn keys_of(
    map: &EffectiveMap<'_>,
    written: &effective::Account<'_>,
    account: &Account,
    placement: &Placement,
    bucket: &LogBucket,
    deliveries: &[Delivery<'_>],
    all: &mut Vec<Keys>,
) {
    let settings = written.settings(&placement.region);
    let mut add = |begin: String, what: String, span: Span| all.push(Keys { begin, bucket: bucket.name.clone(), what, span });
    if bucket.takes_access_logs {
        let mapped: BTreeMap<&str, Span> = written
            .regions
            .get(placement.region.as_str())
            .into_iter()
            .flat_map(|region| &region.sources)
            .map(|source| (source.name.as_str(), source.prefix_span()))
            .collect();
        let mut folders = BTreeSet::new();
        for source in &placement.sources {
            let begin = match source.key_format {
                KeyFormat::Simple => source.prefix.to_string(),
                // S3 adds account and Region, which no other log bucket of the map has together
                _ => format!("{}{}/{}/", source.prefix, account.id, placement.region),
            };
            if folders.insert(begin.clone()) {
                let span = mapped.get(source.name.as_str()).copied().unwrap_or(settings.prefix.span);
                add(begin, format!("access logs of `{}`", source.name), span);
            }
        }
    }
    if bucket.takes_trails {
        let here = deliveries.iter().filter(|delivery| delivery.reader == account.key && delivery.region == placement.region);
        for delivery in here {
            let grant = delivery.grant(map);
            let what = format!("the trail `{}` of `{}`", delivery.trail.name.value, delivery.writer);
            let root = format!("{}AWSLogs/", grant.prefix);
            let owners = std::iter::once(format!("{root}{}/", grant.account_id))
                .chain(grant.organization.iter().map(|id| format!("{root}{id}/*/")));
            for owner in owners {
                match grant.multi_region {
                    true => add(owner, what.clone(), delivery.trail.name.span),
                    false => {
                        for kind in ["CloudTrail", "CloudTrail-Digest", "CloudTrail-Insight"] {
                            add(format!("{owner}{kind}/{}/", placement.region), what.clone(), delivery.trail.name.span);
                        }
                    }
                }
            }
        }
    }
    for grant in &bucket.basis.senders {
        let span = settings.senders.first().map_or(settings.prefix.span, |sending| sending.service.span);
        for id in &grant.accounts {
            for begin in keys_of_sender(grant.sender, &grant.prefix, id, &grant.region) {
                add(begin, format!("{} for the account `{id}`", grant.sender.phrase()), span);
            }
        }
    }
}

/// What the keys of another service begin with, with the Region in them where its documentation has it there (see [`Sender`]). AWS Config
/// delivers each Region's to one bucket, and which one the map does not say.
fn keys_of_sender(sender: Sender, prefix: &str, account: &str, region: &str) -> Vec<String> {
    match sender {
        Sender::LoadBalancers | Sender::NetworkLoadBalancers => {
            vec![format!("{prefix}AWSLogs/{account}/elasticloadbalancing/{region}/")]
        }
        Sender::FlowLogs => vec![
            format!("{prefix}AWSLogs/{account}/vpcflowlogs/{region}/"),
            format!("{prefix}AWSLogs/aws-account-id={account}/aws-service=vpcflowlogs/aws-region={region}/"),
        ],
        Sender::Config => vec![format!("{prefix}AWSLogs/{account}/Config/{region}/")],
        Sender::CloudFront if prefix.is_empty() => {
            vec![format!("AWSLogs/{account}/CloudFront/"), format!("AWSLogs/aws-account-id={account}/CloudFront/")]
        }
        Sender::CloudFront => vec![prefix.to_owned()],
    }
}

/// The accounts that copy to the archive, each with the archive's, for the order in which to apply.
pub(super) fn waiting(archive: Option<&Archive>) -> Vec<(&str, &str)> {
    let Some(archive) = archive else { return Vec::new() };
    let others = archive.accounts.iter().filter(|account| **account != archive.account);
    others.map(|account| (account.as_str(), archive.account.as_str())).collect()
}
