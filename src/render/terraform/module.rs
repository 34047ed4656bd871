//! The files of an account's module that are not about one Region: versions, providers, imports, removed, outputs.
//!
//! Each struct is the contract of one template: what a template of that name may use. No field is ever absent; an empty
//! text or list means none.

use super::{Module, gap, label, region::groups, trail_label};
use crate::{
    escape,
    plan::{ExistingSetting, LogBucket, Placement, is_setting_name},
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
    /// True if the state is kept in the `s3` backend.
    pub has_backend: bool,
    /// Arguments of the `s3` backend, `key` included: those of `state`.
    pub backend: Vec<Setting>,
    /// Where the state is kept; nothing in a module that a root calls.
    pub state: StateContext,
}

/// Where the state of an account is kept.
#[derive(Debug, Default, Serialize)]
pub(crate) struct StateContext {
    /// Type of the backend, such as `s3`, or `cloud`; empty if the map names none for the account's partition.
    pub kind: String,
    /// Its arguments; of `s3` with `key`.
    pub arguments: Vec<Setting>,
    /// The blocks in it.
    pub blocks: Vec<SettingBlock>,
}

/// A block of a state backend.
#[derive(Debug, Serialize)]
pub(crate) struct SettingBlock {
    /// Its name, an identifier.
    pub name: String,
    /// Its arguments.
    pub arguments: Vec<Setting>,
}

/// An argument of a block: identifier and value.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Setting {
    /// The argument, an identifier.
    pub name: String,
    /// One item for each space that aligns the equal sign.
    pub gap: Vec<u8>,
    /// String, number, boolean, list or mapping.
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
    /// True if resources are forgotten that modules made with a provider of each Region, which it takes to forget them.
    pub forgets_in_modules: bool,
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
    /// The Region as an identifier.
    pub region_label: String,
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
    /// Those of them whose logging other code sets, if it is published: the same, and how keys are laid out.
    pub externals: Vec<External>,
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

/// Sources whose logging other code sets.
#[derive(Debug, Serialize)]
pub(crate) struct External {
    /// The local value, an identifier.
    pub local: String,
    /// Label of their log bucket.
    pub bucket_label: String,
    /// Region of the sources and their log bucket.
    pub region: String,
    /// `EventTime` or `DeliveryTime`; empty for simple keys.
    pub date_source: &'static str,
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
    pub(super) fn versions(&self, placements: &[Placement], state: StateContext) -> VersionsContext {
        let (required_version, required_version_reason, provider_version) = self.constraints(placements);
        // what there was before other backends
        let s3 = if state.kind == "s3" { state.arguments.as_slice() } else { &[] };
        VersionsContext {
            header: self.header.clone(),
            required_version,
            required_version_reason,
            provider_version,
            has_backend: !s3.is_empty(),
            backend: s3.to_vec(),
            state,
        }
    }

    /// Constraint on Terraform and OpenTofu with its reason, and on the AWS provider, for what is made in some Regions.
    pub(super) fn constraints(&self, placements: &[Placement]) -> (&'static str, &'static str, &'static str) {
        let mut buckets = placements.iter().flat_map(|placement| &placement.buckets);
        let account_regional = buckets.clone().any(LogBucket::made_account_regional);
        let forgets = self.forgets() || buckets.any(|bucket| bucket.lifecycle.is_empty());
        let (version, reason) = match (forgets, self.is_called()) {
            (false, false) => (">= 1.7", "Terraform or OpenTofu, with import blocks."),
            (false, true) => (">= 1.7", "Terraform or OpenTofu; a root can import what exists."),
            // OpenTofu has `removed` since 1.7, but refuses `lifecycle` in it before 1.10
            (true, _) => (">= 1.10", "Terraform or OpenTofu, with `destroy = false` in removed blocks."),
        };
        let provider = match (self.cx.plan().render.aws_provider >= 6, account_regional) {
            (true, false) => "~> 6.0",
            (true, true) => ">= 6.37, < 7.0",
            // 5.94 is the first that takes a lifecycle filter with nothing but a prefix without a warning
            (false, _) => "~> 5.94",
        };
        (version, reason, provider)
    }

    /// Where the state of the account is kept.
    pub(super) fn state(&self) -> StateContext {
        let Some(state) = self.cx.plan().state(self.account) else { return StateContext::default() };
        let (blocks, arguments): (Vec<_>, Vec<_>) =
            state.settings.into_iter().partition(|(name, value)| value.is_object() && BLOCKS.contains(&(state.kind, name)));
        let inner = |value: serde_json::Value| match value {
            serde_json::Value::Object(entries) => {
                settings(entries.into_iter().filter(|(name, _)| is_setting_name(name)).collect())
            }
            _ => Vec::new(),
        };
        StateContext {
            kind: state.kind.to_owned(),
            arguments: settings(arguments),
            blocks: blocks.into_iter().map(|(name, value)| SettingBlock { name, arguments: inner(value) }).collect(),
        }
    }

    pub(super) fn providers(&self) -> ProvidersContext {
        let forgets_in_modules = self.forgets_elsewhere();
        let regions = self.regions();
        let default = regions.first().map(|region| Provider { alias: String::new(), region: (*region).to_owned() });
        let aliased = regions.iter().map(|region| Provider { alias: label(region), region: (*region).to_owned() });
        ProvidersContext {
            header: self.header.clone(),
            region_per_resource: self.region_per_resource(),
            account_id: self.account.id.clone(),
            profile: self.account.profile.clone().unwrap_or_default(),
            role_arn: self.account.role_arn.clone().unwrap_or_default(),
            providers: default.into_iter().chain(aliased.filter(|_| forgets_in_modules || !self.region_per_resource())).collect(),
            forgets_in_modules,
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
                    imports.push(self.import(placement, kind, label(&bucket.name), &bucket.name));
                }
            }
            // by its ARN (https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/cloudtrail#import)
            for trail in placement.trails.iter().filter(|trail| trail.adopt) {
                imports.push(self.import(placement, "aws_cloudtrail", trail_label(&trail.name, &placement.region), &trail.arn));
            }
        }
        ImportsContext { header: self.header.clone(), imports }
    }

    /// A resource of a module that a root calls has the Region and the provider of the call.
    fn import(&self, placement: &Placement, kind: &'static str, label_of: String, id: &str) -> Import {
        let (by_region, is_called) = (self.region_per_resource(), self.is_called());
        let region_label = label(&placement.region);
        Import {
            provider: if by_region || is_called { String::new() } else { region_label.clone() },
            kind,
            label: label_of,
            region_label,
            id: if by_region && !is_called { format!("{id}@{}", placement.region) } else { id.to_owned() },
        }
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

    pub(super) fn outputs(&self, placements: &[Placement]) -> Result<OutputsContext> {
        let mut destinations = Vec::new();
        let (mut log_buckets, mut trail_buckets, mut trails) = (Vec::new(), Vec::new(), Vec::new());
        let mut externals = Vec::new();
        for placement in placements {
            for group in groups(placement)? {
                let region = placement.region.clone();
                if !group.managed && placement.monitoring.logging_parameter.is_some() {
                    externals.push(External {
                        local: group.local.clone(),
                        bucket_label: group.bucket_label.clone(),
                        region: region.clone(),
                        date_source: group.date_source,
                    });
                }
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
        let databases = placements.iter().filter(|placement| self.cx.plan().render.glue && !placement.buckets.is_empty());
        let topics = placements.iter().filter(|placement| placement.monitoring.alerts.is_some());
        Ok(OutputsContext {
            header: self.header.clone(),
            destinations,
            externals,
            log_buckets: named(log_buckets),
            trail_buckets: named(trail_buckets),
            trails: named(trails),
            databases: named(databases.map(|placement| (placement.region.clone(), label(&placement.region))).collect()),
            topics: named(topics.map(|placement| (placement.region.clone(), label(&placement.region))).collect()),
        })
    }
}

/// What is a block in a backend and not an argument: (type, name). Sources: "terraform Settings Reference" (`cloud`), the pages of the
/// backends `remote`, `kubernetes`, `oss` and `cos` in Terraform's documentation; all others take arguments only, `s3` too.
const BLOCKS: [(&str, &str); 5] =
    [("cloud", "workspaces"), ("remote", "workspaces"), ("kubernetes", "exec"), ("oss", "assume_role"), ("cos", "assume_role")];

/// Arguments of a block. `terraform fmt` aligns the equal signs of neighbours, but for those with several lines.
fn settings(arguments: Vec<(String, serde_json::Value)>) -> Vec<Setting> {
    let is_one_line = |value: &serde_json::Value| match value {
        serde_json::Value::Array(items) => items.is_empty(),
        serde_json::Value::Object(entries) => entries.is_empty(),
        _ => true,
    };
    let groups = arguments.chunk_by(|(_, one), (_, next)| is_one_line(one) && is_one_line(next));
    let aligned = groups.flat_map(|group| {
        let longest = group.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        group.iter().map(move |(name, value)| Setting { name: name.clone(), gap: gap(name, longest), value: value.clone() })
    });
    aligned.collect()
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
