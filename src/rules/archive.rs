//! Rules on `central`: accounts, Regions and keys that can't be. What hangs on the derived log buckets, such as keys that two of them
//! could write, `plan::copies` judges, with the rules declared here.

use super::{accounts, naming, trails::is_kms_key};
use crate::{
    aws::{Partition, arn, region},
    diagnostics::Finding,
    map::{Central, CentralVia, RegionMap},
    rule_family,
    source::Spanned,
};

rule_family! {
    since "0.1.0";
    ARCHIVE_PLACE = "LM1001" "archive-place" Error Map blocking: "the archive can't be in this account or Region, or can't have its copies";
    ARCHIVE_KEY = "LM1002" "archive-key" Error Map: "copies can't be made with a KMS key";
    ARCHIVE_VERSIONING = "LM1003" "archive-versioning" Error Map: "a log bucket that is copied has no versioning";
    ARCHIVE_SAME_KEYS = "LM1004" "archive-same-keys" Error Map: "two log buckets could have copies of one key";
    ARCHIVE_LOCK = "LM1005" "archive-lock" Error Map: "a log bucket with Object Lock can't be copied to an archive without";
    ARCHIVE_ENCRYPTED = "LM1006" "archive-encrypted" Warning Map: "files of a trail are encrypted and not copied";
    ARCHIVE_LEFT_OUT = "LM1007" "archive-left-out" Info Map: "what others may have set is not copied";
    ARCHIVE_EMPTY = "LM1008" "archive-empty" Warning Map: "nothing is copied to the archive";
    ARCHIVE_PARTITION = "LM1009" "archive-partition" Error Map blocking: "CloudWatch Logs delivers no access logs in this partition";
    ARCHIVE_FORMAT = "LM1010" "archive-format" Error Map: "a format of copies that are not written anew";
    ARCHIVE_UNTRIED_LOCK = "LM1011" "archive-untried-lock" Warning Map: "AWS does not say whether deliveries get into a bucket with Object Lock";
}

/// Checks the accounts, the Region and the key that `central` names.
pub(crate) fn check(map: &RegionMap, findings: &mut Vec<Finding>) {
    let Some(central) = &map.central else { return };
    let known = accounts::ids(map);
    let place = central.deliver_to.as_ref();
    let archive = place.and_then(|place| place.account.as_ref());
    let named = archive.into_iter().chain(central.only.iter().flat_map(|keys| keys.iter()));
    for key in named {
        accounts::known(&ARCHIVE_PLACE, key, &known, findings);
        let closed = map.accounts().find(|(other, account)| other.value == key.value && account.is_closed());
        if let Some((_, account)) = closed {
            findings.push(
                Finding::new(&ARCHIVE_PLACE, key.span, format!("the account `{}` is closed", key.value))
                    .label("nothing is copied to it or from it")
                    .related(account.state.map_or(key.span, |state| state.span), "it is closed by this")
                    .help("name an account that is in use"),
            );
        }
    }
    let Some(region) = place.and_then(|place| place.region.as_ref()) else { return };
    naming::region_name(region, findings);
    if !region::is_well_formed(region) {
        return;
    }
    let partition = Partition::of_region(region);
    for key in archive.into_iter().chain(central.only.iter().flat_map(|keys| keys.iter())) {
        let regions = map.accounts().filter(|(other, _)| other.value == key.value).flat_map(|(_, account)| account.regions());
        let torn =
            regions.map(|(name, _)| name).find(|name| region::is_well_formed(name) && Partition::of_region(name) != partition);
        if let Some(name) = torn {
            findings.push(
                Finding::new(
                    &ARCHIVE_PLACE,
                    key.span,
                    format!(
                        "`{}` is in the partition `{}`, the archive is in `{partition}`",
                        key.value,
                        Partition::of_region(name)
                    ),
                )
                .related(name.span, "this Region of the account says so")
                .related(region.span, "the archive is here")
                .help("nothing is copied across partitions; name accounts of one partition"),
            );
        }
    }
    if let Some(key) = &central.kms_key_arn {
        key_of_archive(key, region, findings);
    }
    vended(central, region, partition, findings);
}

/// What goes with one way of copying only. "China and GovCloud" have no such deliveries, and of other partitions nothing is said (S3 user
/// guide, "Logging options for Amazon S3"); to buckets they are JSON or Parquet (CloudWatch Logs API reference, "DescribeConfigurationTemplates").
fn vended(central: &Central, region: &Spanned<String>, partition: Partition, findings: &mut Vec<Finding>) {
    let Some(via) = &central.via else { return };
    if via.value != CentralVia::Vended {
        if let Some(format) = &central.format {
            let word = format.value.word();
            findings.push(
                Finding::new(&ARCHIVE_FORMAT, format.span, format!("with `via: replication` nothing is written as `{word}`"))
                    .label("S3 copies objects as they are")
                    .related(via.span, "this copies")
                    .help("leave `format` out, or write `via: vended`, with which CloudWatch Logs writes access logs anew"),
            );
        }
        return;
    }
    if partition != Partition::Aws {
        findings.push(
            Finding::new(&ARCHIVE_PARTITION, via.span, format!("CloudWatch Logs delivers no access logs in `{partition}`"))
                .related(region.span, "the archive is here")
                .help("write `via: replication`; the log type `S3_SERVER_ACCESS_LOGS` is of the partition `aws` alone"),
        );
    }
    if let Some(key) = &central.kms_key_arn {
        findings.push(
            Finding::new(&ARCHIVE_KEY, key.span, "with `via: vended` logmap makes no archive with a KMS key")
                .related(via.span, "this delivers")
                .help("leave `kms_key_arn` out: the archive is then encrypted with SSE-S3"),
        );
    }
    if let Some(lock) = &central.object_lock {
        findings.push(
            Finding::new(
                &ARCHIVE_UNTRIED_LOCK,
                lock.span,
                "nobody knows whether CloudWatch Logs can deliver to an archive with Object Lock",
            )
            .related(via.span, "this delivers")
            .help("leave `object_lock` out, or deliver the logs of one account first (`only`), and look whether they arrive"),
        );
    }
}

/// "The AWS KMS key must have been created in the same AWS Region as the destination buckets"; an alias "can result in data that's encrypted
/// with a KMS key that belongs to the requester" (S3 user guide, "Replicating encrypted objects"; S3 API, EncryptionConfiguration).
fn key_of_archive(key: &Spanned<String>, region: &Spanned<String>, findings: &mut Vec<Finding>) {
    let looks = "it looks like `arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab`";
    let parsed = arn::parse(key).filter(|_| is_kms_key(key));
    let Some(arn) = parsed.filter(|arn| arn.resource.starts_with("key/")) else {
        let what = if parsed.is_some() { "is an alias" } else { "is not the ARN of a KMS key" };
        findings.push(
            Finding::new(&ARCHIVE_KEY, key.span, format!("`{}` {what}", key.value.escape_debug()))
                .help(format!("write the ARN of the key itself; {looks}")),
        );
        return;
    };
    if arn.region != region.value {
        findings.push(
            Finding::new(&ARCHIVE_KEY, key.span, format!("the key is in `{}`, the archive is in `{}`", arn.region, region.value))
                .label("not the Region of the archive")
                .related(region.span, "the archive is here")
                .help("S3 takes the setting and then copies nothing; use a key of that Region"),
        );
    }
}
