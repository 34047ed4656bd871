//! The archive of `central` where CloudWatch Logs delivers to it: a delivery source and a delivery for each source bucket that logmap sets, and in
//! the account of the archive a delivery destination in each of their Regions.
//!
//! A delivery source and its delivery are of the bucket's own account and Region; a destination names a bucket, which may be in any Region, and is
//! of the account that owns it, which lets others deliver by a policy of its own. Sources: CloudWatch Logs user guide, "Logs sent to Amazon S3"
//! and "Cross-account delivery example"; CloudWatch Logs API reference, "PutDeliverySource", "PutDeliveryDestination",
//! "PutDeliveryDestinationPolicy", "CreateDelivery"; S3 user guide, "Delivering server access logs to CloudWatch Logs".

use super::{Account, Archive, copies, routes::Delivery};
use crate::{
    aws::{DELIVERY_SOURCE, Partition, arn},
    diagnostics::{self, Finding},
    map::{
        CentralFormat,
        effective::{self, EffectiveMap},
    },
    policy::compose::CopyGrant,
    rules::archive::{ARCHIVE_EMPTY, ARCHIVE_LEFT_OUT},
};
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// Longest name of a delivery source (CloudWatch Logs API reference, "PutDeliverySource": `[\w-]*`, at most 60 characters).
const LONGEST_NAME: usize = 60;
/// Names of sources in a finding.
const FEW: usize = 5;

/// What CloudWatch Logs has in one account and Region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Vended {
    /// The destination of all deliveries of the Region, if the archive is of this account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination: Option<Destination>,
    /// ARN of the destination that the deliveries here have.
    pub destination_arn: String,
    /// Key of the account that has it.
    pub archive_account: String,
    /// `json` or `parquet`.
    pub format: &'static str,
    /// The sources whose logs are delivered, sorted by bucket.
    pub sources: Vec<VendedSource>,
}

/// A delivery destination: the archive, as CloudWatch Logs knows it in a Region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Destination {
    /// Its name.
    pub name: String,
    /// ARN of the archive.
    pub bucket_arn: String,
    /// Who of other accounts may deliver to it; none if nobody has to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<Value>,
}

/// A source bucket whose access logs are delivered: its delivery source, which has one delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VendedSource {
    /// Name of the delivery source.
    pub name: String,
    /// Name of the bucket.
    pub bucket: String,
}

impl Vended {
    /// Where the logs of a source are delivered, for people; nothing if they are not.
    pub(crate) fn delivers(&self, bucket: &str) -> Option<String> {
        let delivered = self.sources.binary_search_by(|source| source.bucket.as_str().cmp(bucket));
        delivered.ok().map(|_| format!("{} as {}", self.destination_arn, self.format))
    }
}

/// Twelve digits of a name's SHA-256.
fn digits(name: &str) -> String {
    Sha256::digest(name).iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

/// Name of the delivery source of a bucket: a digest, so that no two buckets have one, and as much of the bucket's name as fits.
fn source_name(bucket: &str) -> String {
    let word = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '-' };
    let name = format!("{DELIVERY_SOURCE}{}-", digits(bucket));
    let room = LONGEST_NAME.saturating_sub(name.len());
    name + &bucket.chars().take(room).map(word).collect::<String>()
}

/// Name of the destination for an archive, the same in each Region. With the format in it: a destination keeps the one that it was made with.
fn destination_name(archive: &str, format: CentralFormat) -> String {
    format!("{DELIVERY_SOURCE}{}-{}", digits(archive), format.word())
}

/// Regions in which the account of the archive has a destination, because a source there is delivered.
pub(super) fn regions<'m>(
    map: &EffectiveMap<'m>,
    account: &effective::Account<'m>,
    by_account: &BTreeMap<&'m str, Vec<&Delivery<'m>>>,
) -> BTreeSet<&'m str> {
    let Some(wanted) = map.archive.as_ref().filter(|archive| archive.vended.is_some()) else { return BTreeSet::new() };
    if wanted.account.as_str() != account.key.as_str() {
        return BTreeSet::new();
    }
    let partition = Partition::of_region(wanted.region.value);
    let mut regions = BTreeSet::new();
    for writer in map.accounts.values().filter(|writer| wanted.covers(&writer.key.value)) {
        for (name, region) in writer.regions.iter().filter(|(name, _)| Partition::of_region(name) == partition) {
            let settings = writer.settings(name);
            // the trails' own bucket logs like a source
            let own = || {
                let taken = by_account.get(writer.key.as_str()).into_iter().flatten();
                settings.split_trails
                    && settings.logs_trails_bucket
                    && !region.sources.is_empty()
                    && taken.into_iter().any(|delivery| delivery.reader == writer.key.as_str() && delivery.region == *name)
            };
            if region.sources.iter().any(|source| source.managed) || own() {
                regions.insert(*name);
            }
        }
    }
    regions
}

/// Fills in what is delivered to the archive, and how.
pub(super) fn finish(map: &EffectiveMap<'_>, accounts: &mut [Account], findings: &mut Vec<Finding>) -> Option<Archive> {
    let wanted = map.archive.as_ref()?;
    let format = wanted.vended?;
    let mut central = copies::planned(map, accounts)?;
    central.format = Some(format.word());
    let name = destination_name(&central.bucket, format);
    let mut copies = Vec::new();
    let mut writers: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for account in accounts.iter_mut().filter(|account| account.partition == central.partition && wanted.covers(&account.key)) {
        let Some(written) = map.accounts.get(account.key.as_str()) else { continue };
        for placement in &mut account.placements {
            findings.extend(written.regions.get(placement.region.as_str()).and_then(left_out));
            let sources: Vec<VendedSource> = placement
                .sources
                .iter()
                .filter(|source| source.managed)
                .map(|source| VendedSource { name: source_name(&source.name), bucket: source.name.clone() })
                .collect();
            if sources.is_empty() {
                continue;
            }
            central.copied.extend(sources.iter().map(|source| source.bucket.clone()));
            writers.entry(placement.region.clone()).or_default().insert(account.id.clone());
            placement.vended = Some(Vended {
                destination: None,
                destination_arn: arn::delivery_destination(central.partition, &placement.region, &central.account_id, &name),
                archive_account: central.account.clone(),
                format: format.word(),
                sources,
            });
            if central.accounts.last() != Some(&account.key) {
                central.accounts.push(account.key.clone());
                copies.push(CopyGrant { account_id: account.id.clone(), role_arn: None });
            }
        }
    }
    central.copied.sort_unstable();
    copies.sort_unstable();
    let bucket_arn = arn::bucket(central.partition, &central.bucket);
    for account in accounts.iter_mut().filter(|account| account.key == central.account) {
        for placement in &mut account.placements {
            let Some(ids) = writers.get(&placement.region) else { continue };
            let arn = arn::delivery_destination(central.partition, &placement.region, &central.account_id, &name);
            let others: Vec<&String> = ids.iter().filter(|id| **id != central.account_id).collect();
            let destination = Destination {
                name: name.clone(),
                bucket_arn: bucket_arn.clone(),
                policy: (!others.is_empty()).then(|| policy(&others, &arn)),
            };
            let vended = placement.vended.get_or_insert_with(|| Vended {
                destination: None,
                destination_arn: arn,
                archive_account: central.account.clone(),
                format: format.word(),
                sources: Vec::new(),
            });
            vended.destination = Some(destination);
        }
    }
    if copies.is_empty() {
        findings.push(
            Finding::new(&ARCHIVE_EMPTY, wanted.account.span, format!("nothing is delivered to `{}`", central.bucket))
                .help("list accounts with sources whose logging logmap sets under `only`, or leave `central` out"),
        );
    }
    copies::admit(wanted, copies, accounts, findings);
    Some(central)
}

/// That the sources of a Region whose logging others set are not delivered.
fn left_out(region: &effective::Region<'_>) -> Option<Finding> {
    let others: Vec<&effective::Source<'_>> = region.sources.iter().filter(|source| !source.managed).collect();
    let names: Vec<&str> = others.iter().map(|source| source.name.value.as_str()).collect();
    let said = format!("logmap makes no delivery to the archive for {}, whose logging others set", diagnostics::few(&names, FEW));
    let help = "make one of your own, or leave `logging: external` out, so that logmap sets the logging, too";
    others.first().map(|first| Finding::new(&ARCHIVE_LEFT_OUT, first.name.span, said).help(help))
}

/// A destination's policy, as AWS's example has it. At most 51,200 characters (CloudWatch Logs API reference, "PutDeliveryDestinationPolicy"),
/// which as many accounts as the archive's policy has room for do not fill.
fn policy(accounts: &[&String], arn: &str) -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": "LogmapCreateDelivery",
            "Effect": "Allow",
            "Principal": { "AWS": accounts },
            "Action": "logs:CreateDelivery",
            "Resource": arn,
        }],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_that_cloudwatch_logs_takes() {
        let long = "a.b".repeat(21);
        for bucket in ["acme-web", "acme.web", long.as_str()] {
            let name = source_name(bucket);
            assert!(name.len() <= 60 && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'), "{name}");
            assert!(name.starts_with(DELIVERY_SOURCE), "{name}");
        }
        assert_ne!(source_name("acme.web"), source_name("acme-web"));
    }
}
