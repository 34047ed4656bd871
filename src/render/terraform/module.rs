//! The files of an account's module that are not about one Region: versions, providers, imports, removed, outputs.
//!
//! Each struct is the contract of one template: what a template of that name may use. No field is ever absent; an empty
//! text or list means none.

use super::{Module, gap, label, region::groups, trail_label};
use crate::{
    escape,
    plan::{ExistingSetting, LogBucket},
};
use anyhow::Result;
use serde::Serialize;

/// The resource types that make up one log bucket.
pub(crate) const BUCKET_TYPES: [&str; 8] = [
    "aws_s3_bucket",
    "aws_s3_bucket_ownership_controls",
    "aws_s3_bucket_public_access_block",
    "aws_s3_bucket_policy",
    "aws_s3_bucket_server_side_encryption_configuration",
    "aws_s3_bucket_versioning",
    "aws_s3_bucket_lifecycle_configuration",
    "aws_s3_bucket_object_lock_configuration",
];

/// Contract of `terraform/versions.tf`.
#[derive(Debug, Serialize)]
pub(crate) struct VersionsContext {
    /// Lines for the head of the file, without comment marks.
    pub header: Vec<String>,
    /// Constraint on Terraform and OpenTofu.
    pub required_version: &'static str,
    /// What asks for that version, for a comment.
    pub required_version_reason: &'static str,
    /// Constraint on the AWS provider.
    pub provider_version: &'static str,
    /// True if the map names a state backend for the account's partition.
    pub has_backend: bool,
    /// Arguments of the `s3` backend, `key` included.
    pub backend: Vec<Setting>,
}

/// An argument of a block: identifier and value.
#[derive(Debug, Serialize)]
pub(crate) struct Setting {
    /// The argument, an identifier.
    pub name: String,
    /// One item for each space that aligns the equal sign.
    pub gap: Vec<u8>,
    /// String, number or boolean.
    pub value: serde_json::Value,
}

/// Contract of `terraform/providers.tf`.
#[derive(Debug, Serialize)]
pub(crate) struct ProvidersContext {
    /// Lines for the head of the file, without comment marks.
    pub header: Vec<String>,
    /// True with provider 6: resources name their Region. False with provider 5: they name a provider.
    pub region_per_resource: bool,
    /// Twelve digits.
    pub account_id: String,
    /// AWS CLI profile, or empty.
    pub profile: String,
    /// Role to assume, or empty.
    pub role_arn: String,
    /// The provider blocks, the default one first.
    pub providers: Vec<Provider>,
}

/// A provider block.
#[derive(Debug, Serialize)]
pub(crate) struct Provider {
    /// Its alias, an identifier; empty for the default provider.
    pub alias: String,
    /// Region name.
    pub region: String,
}

/// Contract of `terraform/imports.tf`; there is no such file without imports.
#[derive(Debug, Serialize)]
pub(crate) struct ImportsContext {
    /// Lines for the head of the file, without comment marks.
    pub header: Vec<String>,
    /// The import blocks.
    pub imports: Vec<Import>,
}

/// An import block.
#[derive(Debug, Serialize)]
pub(crate) struct Import {
    /// Alias of the provider, an identifier; empty with provider 6.
    pub provider: String,
    /// Resource type.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Resource label.
    pub label: String,
    /// Import id, with provider 6 the Region in it.
    pub id: String,
}

/// Contract of `terraform/removed.tf`; there is no such file without retired buckets or trails.
#[derive(Debug, Serialize)]
pub(crate) struct RemovedContext {
    /// Lines for the head of the file, without comment marks.
    pub header: Vec<String>,
    /// The resource types of a log bucket: each gets a block. A block for what is not in the state does nothing.
    pub types: &'static [&'static str],
    /// The buckets to forget.
    pub buckets: Vec<Forgotten>,
    /// The trails to forget.
    pub trails: Vec<Forgotten>,
}

/// A log bucket or a trail that Terraform is to forget.
#[derive(Debug, Serialize)]
pub(crate) struct Forgotten {
    /// Its name, for a comment.
    pub name: String,
    /// Its Region, for a comment.
    pub region: String,
    /// Resource label.
    pub label: String,
}

/// Contract of `terraform/outputs.tf`.
#[derive(Debug, Serialize)]
pub(crate) struct OutputsContext {
    /// Lines for the head of the file, without comment marks.
    pub header: Vec<String>,
    /// The locals that map sources to prefixes, with what is the same for all sources in one.
    pub destinations: Vec<Destination>,
    /// Region → label of the bucket that takes its access logs.
    pub log_buckets: Vec<Named>,
    /// Region → label of the bucket that takes trails.
    pub trail_buckets: Vec<Named>,
    /// Trail, or trail and Region → label of the trail.
    pub trails: Vec<Named>,
    /// Region → label of the topic of its alerts.
    pub topics: Vec<Named>,
    /// Region → label of the database of its tables.
    pub databases: Vec<Named>,
}

/// Where the sources in one local value log to.
#[derive(Debug, Serialize)]
pub(crate) struct Destination {
    /// The local value, an identifier.
    pub local: String,
    /// Label of their log bucket.
    pub bucket_label: String,
    /// Region of the sources and their log bucket.
    pub region: String,
}

/// A key and the label of the resource that it stands for.
#[derive(Debug, Serialize)]
pub(crate) struct Named {
    /// Key in the output.
    pub key: String,
    /// One item for each space that aligns the equal sign.
    pub gap: Vec<u8>,
    /// Resource label.
    pub label: String,
}

impl Module<'_> {
    pub(super) fn versions(&self) -> VersionsContext {
        let backend = self.cx.plan().backend(self.account).map(|backend| {
            let mut arguments = backend.arguments.clone();
            let key = format!("logmap/{}/terraform.tfstate", self.account.key);
            arguments.insert("key".to_owned(), serde_json::Value::String(key));
            let longest = arguments.keys().map(|name| name.chars().count()).max().unwrap_or(0);
            arguments.into_iter().map(|(name, value)| Setting { gap: gap(&name, longest), name, value }).collect()
        });
        let account_regional =
            self.account.placements.iter().flat_map(|placement| &placement.buckets).any(LogBucket::made_account_regional);
        let forgets =
            self.account.placements.iter().flat_map(|placement| &placement.buckets).any(|bucket| bucket.lifecycle.is_empty());
        let (required_version, required_version_reason) = if !self.forgets() && !forgets {
            (">= 1.7", "Terraform or OpenTofu, with import blocks.")
        } else {
            // OpenTofu has `removed` since 1.7, but refuses `lifecycle` in it before 1.10
            (">= 1.10", "Terraform or OpenTofu, with `destroy = false` in removed blocks.")
        };
        VersionsContext {
            header: self.header.clone(),
            required_version,
            required_version_reason,
            provider_version: match (self.cx.plan().render.aws_provider >= 6, account_regional) {
                (true, false) => "~> 6.0",
                (true, true) => ">= 6.37, < 7.0",
                // 5.94 is the first that takes a lifecycle filter with nothing but a prefix without a warning
                (false, _) => "~> 5.94",
            },
            has_backend: backend.is_some(),
            backend: backend.unwrap_or_default(),
        }
    }

    pub(super) fn providers(&self) -> ProvidersContext {
        let regions = self.regions();
        let default = regions.first().map(|region| Provider { alias: String::new(), region: (*region).to_owned() });
        let aliased = regions.iter().map(|region| Provider { alias: label(region), region: (*region).to_owned() });
        ProvidersContext {
            header: self.header.clone(),
            region_per_resource: self.region_per_resource(),
            account_id: self.account.id.clone(),
            profile: self.account.profile.clone().unwrap_or_default(),
            role_arn: self.account.role_arn.clone().unwrap_or_default(),
            providers: default.into_iter().chain(aliased.filter(|_| !self.region_per_resource())).collect(),
        }
    }

    pub(super) fn imports(&self) -> ImportsContext {
        let mut imports = Vec::new();
        for placement in &self.account.placements {
            for bucket in &placement.buckets {
                let Some(adopt) = &bucket.adopt else { continue };
                let mut existing = adopt.existing.clone();
                existing.sort_unstable();
                existing.dedup();
                // what other code sets is no resource here
                existing.retain(|setting| *setting != ExistingSetting::Lifecycle || !bucket.lifecycle.is_empty());
                for kind in std::iter::once("aws_s3_bucket").chain(existing.into_iter().map(type_of)) {
                    imports.push(match self.region_per_resource() {
                        true => Import {
                            provider: String::new(),
                            kind,
                            label: label(&bucket.name),
                            id: format!("{}@{}", bucket.name, placement.region),
                        },
                        false => Import {
                            provider: label(&placement.region),
                            kind,
                            label: label(&bucket.name),
                            id: bucket.name.clone(),
                        },
                    });
                }
            }
            // by its ARN (https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/cloudtrail#import)
            for trail in placement.trails.iter().filter(|trail| trail.adopt) {
                let (kind, label_of) = ("aws_cloudtrail", trail_label(&trail.name, &placement.region));
                imports.push(match self.region_per_resource() {
                    true => Import {
                        provider: String::new(),
                        kind,
                        label: label_of,
                        id: format!("{}@{}", trail.arn, placement.region),
                    },
                    false => Import { provider: label(&placement.region), kind, label: label_of, id: trail.arn.clone() },
                });
            }
        }
        ImportsContext { header: self.header.clone(), imports }
    }

    pub(super) fn removed(&self) -> RemovedContext {
        let forgotten = self.retired.iter().map(|entry| Forgotten {
            name: entry.bucket.clone(),
            region: entry.region.clone(),
            label: label(&entry.bucket),
        });
        let trails = self.retired_trails.iter().map(|entry| Forgotten {
            name: entry.trail.clone(),
            region: entry.region.clone(),
            label: trail_label(&entry.trail, &entry.region),
        });
        RemovedContext {
            header: self.header.clone(),
            types: &BUCKET_TYPES,
            buckets: forgotten.collect(),
            trails: trails.collect(),
        }
    }

    pub(super) fn outputs(&self) -> Result<OutputsContext> {
        let mut destinations = Vec::new();
        let (mut log_buckets, mut trail_buckets, mut trails) = (Vec::new(), Vec::new(), Vec::new());
        for placement in &self.account.placements {
            for group in groups(placement)? {
                let region = placement.region.clone();
                destinations.push(Destination { local: group.local, bucket_label: group.bucket_label, region });
            }
            for bucket in &placement.buckets {
                if bucket.takes_access_logs {
                    log_buckets.push((placement.region.clone(), label(&bucket.name)));
                }
                if bucket.takes_trails {
                    trail_buckets.push((placement.region.clone(), label(&bucket.name)));
                }
            }
            for trail in &placement.trails {
                // a trail's name has no slash, so the two forms can't meet
                let key = if trail.multi_region { trail.name.clone() } else { format!("{}/{}", trail.name, placement.region) };
                trails.push((key, trail_label(&trail.name, &placement.region)));
            }
        }
        trails.sort();
        let databases =
            self.account.placements.iter().filter(|placement| self.cx.plan().render.glue && !placement.buckets.is_empty());
        let topics = self.account.placements.iter().filter(|placement| placement.monitoring.alerts.is_some());
        Ok(OutputsContext {
            header: self.header.clone(),
            destinations,
            log_buckets: named(log_buckets),
            trail_buckets: named(trail_buckets),
            trails: named(trails),
            databases: named(databases.map(|placement| (placement.region.clone(), label(&placement.region))).collect()),
            topics: named(topics.map(|placement| (placement.region.clone(), label(&placement.region))).collect()),
        })
    }
}

/// The resource type that an existing setting of an adopted bucket is imported to.
fn type_of(setting: ExistingSetting) -> &'static str {
    match setting {
        ExistingSetting::Policy => "aws_s3_bucket_policy",
        ExistingSetting::Lifecycle => "aws_s3_bucket_lifecycle_configuration",
        ExistingSetting::Versioning => "aws_s3_bucket_versioning",
        ExistingSetting::Encryption => "aws_s3_bucket_server_side_encryption_configuration",
        ExistingSetting::Ownership => "aws_s3_bucket_ownership_controls",
        ExistingSetting::PublicAccessBlock => "aws_s3_bucket_public_access_block",
    }
}

fn named(entries: Vec<(String, String)>) -> Vec<Named> {
    let token = |key: &str| escape::hcl(&serde_json::Value::String(key.to_owned()), 0);
    let longest = entries.iter().map(|(key, _)| token(key).chars().count()).max().unwrap_or(0);
    entries.into_iter().map(|(key, label)| Named { gap: gap(&token(&key), longest), key, label }).collect()
}
