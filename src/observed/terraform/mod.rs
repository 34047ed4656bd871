//! Terraform plans and states → what their buckets, log configurations, policies and trails will be.
//!
//! What will be counts, not what was. A value that the plan does not know is followed through the code: references, modules,
//! `count` and `for_each`. Region and account come from the resource, or from its provider's configuration.

mod accounts;
mod each;
mod keys;
mod order;
mod refer;
mod references;
pub(crate) mod show;
mod state;
mod trail;
mod vended;

use super::{
    At, Bucket, DEFAULT_DATE_SOURCE, Logging, Observed, Setting, SourceLocation, Target, Text, Told,
    hole::{self, hole},
    policy::{self, Plain},
};
use crate::{
    aws::{Partition, region},
    source::{FileId, SourceFile, Span},
};
use refer::Code;
use serde_json::{Value, value::RawValue};
use show::{Module, Resource, Show, block, string};
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

/// Longest name of a bucket that is followed, in bytes; AWS allows 63.
const LONGEST_NAME: usize = 2048;

/// Is this a resource that is read?
fn is_read(kind: &str) -> bool {
    kind.starts_with("aws_s3_bucket")
        || kind == "aws_cloudtrail"
        || kind.starts_with("aws_cloudwatch_log_delivery")
        || keys::is_read(kind)
}

/// What was read of a file.
pub(crate) struct Read {
    /// What it tells.
    pub observed: Observed,
    /// Where each resource begins, with its address; sorted.
    pub addresses: Vec<(u32, String)>,
    /// Why the rest was not read, if there is some.
    pub rest: Option<String>,
}

/// Reads what `terraform show -json` printed, once or several times, as Terragrunt does for several modules; or a raw state.
///
/// # Errors
/// It is nothing of the kind, in words.
pub(crate) fn read(file: &SourceFile, id: FileId, told: &Told) -> Result<Read, String> {
    let not_it = |error: serde_json::Error| format!("it is not what `terraform show -json` prints: {error}");
    let (mut documents, mut rest): (Vec<&RawValue>, Option<String>) = (Vec::new(), None);
    if file.text.trim_start().starts_with('[') {
        documents = serde_json::from_str(&file.text).map_err(not_it)?;
    } else {
        for document in serde_json::Deserializer::from_str(&file.text).into_iter() {
            match document {
                Ok(document) => documents.push(document),
                Err(error) if documents.is_empty() => return Err(not_it(error)),
                Err(error) => {
                    rest = Some(not_it(error));
                    break;
                }
            }
        }
    }
    let mut read = Read { observed: Observed::default(), addresses: Vec::new(), rest };
    let several = documents.len() > 1;
    for (number, document) in documents.into_iter().enumerate() {
        // two modules have resources of one address, and may be of two accounts
        let scope = if several { format!("{} {number}", id.0) } else { id.0.to_string() };
        match read_one(document.get(), file, id, &scope, told, &mut read) {
            Ok(()) => {}
            Err(reason) if number == 0 => return Err(reason),
            Err(reason) => read.rest = Some(reason),
        }
    }
    read.addresses.sort();
    Ok(read)
}

fn read_one(text: &str, file: &SourceFile, id: FileId, scope: &str, told: &Told, read: &mut Read) -> Result<(), String> {
    let show: Show<'_> =
        serde_json::from_str(text).map_err(|error| format!("it is not what `terraform show -json` prints: {error}"))?;
    let is_plan = show.planned_values.is_some();
    let state;
    let values = match show.planned_values.as_ref().or(show.values.as_ref()) {
        Some(values) => values,
        None => {
            state = state::read(text)?;
            &state
        }
    };
    let created: BTreeSet<&str> = show
        .resource_changes
        .iter()
        .filter(|change| is_read(&change.kind))
        .filter(|change| change.change.as_ref().is_some_and(|change| change.actions.iter().any(|action| action == "create")))
        .map(|change| &*change.address)
        .collect();
    let mut found: Vec<(&Module<'_>, &Resource<'_>)> = Vec::new();
    let mut data: Vec<(&Module<'_>, &Resource<'_>)> = Vec::new();
    let mut organization: Vec<&Resource<'_>> = Vec::new();
    let prior = show.prior_state.as_ref().and_then(|prior| prior.values.as_ref());
    for (values, planned) in [(Some(values), true), (prior, false)] {
        let mut modules: Vec<&Module<'_>> = values.and_then(|values| values.root_module.as_ref()).into_iter().collect();
        while let Some(module) = modules.pop() {
            modules.extend(&module.child_modules);
            for resource in &module.resources {
                if resource.mode == "data" && refer::is_data_read(&resource.kind) {
                    data.push((module, resource));
                } else if planned && resource.mode == "managed" && is_read(&resource.kind) {
                    found.push((module, resource));
                } else if resource.kind.starts_with("aws_organizations_") {
                    organization.push(resource);
                }
            }
        }
    }
    found.sort_by(|a, b| a.1.address.cmp(&b.1.address));
    let mut reader = Reader {
        file,
        id,
        scope,
        told,
        is_plan,
        partition: super::partition_in(&file.text),
        created,
        code: Code::new(&show, &data),
        names: BTreeMap::new(),
        named: BTreeSet::new(),
        addresses: found.iter().map(|(_, resource)| &*resource.address).collect(),
        key_names: BTreeSet::new(),
    };
    let resources: Vec<Item<'_>> = found.into_iter().map(|(module, resource)| reader.item(module, resource)).collect();
    for item in resources.iter().filter(|item| item.resource.kind == "aws_s3_bucket") {
        // nothing has so long a name, and all that refers to it would have it once more
        let name = reader.own(item, "bucket").map(|text| text.value).filter(|name| name.len() <= LONGEST_NAME);
        let name = name.unwrap_or_else(|| hole::bucket(&item.resource.address, &id.0.to_string()));
        reader.named.insert(name.clone());
        reader.names.insert(item.resource.address.clone(), name);
    }
    let mut observed = Observed::default();
    keys::name(&mut reader, &resources);
    keys::read(&reader, &resources, &mut observed);
    for item in &resources {
        reader.resource(item, &mut observed);
    }
    reader.vended(&resources, &mut observed);
    settle_policies(&reader, &resources, &mut observed);
    let policies = if observed.trails.is_empty() { BTreeMap::new() } else { reader.new_policies(&resources) };
    for (trail, item) in observed.trails.iter_mut().zip(resources.iter().filter(|item| item.resource.kind == "aws_cloudtrail")) {
        trail.unordered = reader.unordered(item, trail, &policies);
    }
    accounts::of_providers(&reader, &resources, &mut observed);
    accounts::of_organization(&reader, &organization, &mut observed);
    // a bucket's inline logging is what old providers have; newer ones show there what another resource sets
    let sources: BTreeSet<String> =
        observed.logging.iter().filter_map(|logging| Some(logging.source.as_ref()?.value.clone())).collect();
    for item in resources.iter().filter(|item| item.resource.kind == "aws_s3_bucket") {
        observed.logging.extend(
            reader
                .inline_logging(item)
                .filter(|logging| logging.source.as_ref().is_none_or(|source| !sources.contains(&source.value))),
        );
    }
    read.addresses.extend(resources.iter().map(|item| (reader.here(item).span.start, item.resource.address.to_string())));
    read.observed.add(&observed);
    Ok(())
}

/// Takes out what a bucket itself shows of its policy where another resource sets that: newer providers show it there, as it was.
fn settle_policies<'a>(reader: &Reader<'a>, resources: &[Item<'a>], observed: &mut Observed) {
    let of_kind = |kind: &'static str| resources.iter().filter(move |item| item.resource.kind == kind);
    let set: BTreeSet<String> =
        of_kind("aws_s3_bucket_policy").filter_map(|item| Some(reader.text(item, "bucket")?.value)).collect();
    let defined = |bucket: &Bucket| bucket.defined && set.contains(&bucket.name.value);
    let places: BTreeSet<SourceLocation> = observed
        .buckets
        .iter()
        .filter(|bucket| defined(bucket))
        .filter_map(|bucket| Some(bucket.policy.known()?.place))
        .collect();
    observed.buckets.iter_mut().filter(|bucket| defined(bucket)).for_each(|bucket| bucket.policy = Setting::Unsaid);
    observed.policies.retain(|doc| !places.contains(&doc.place));
}

/// A resource with its attributes.
struct Item<'a> {
    module: &'a str,
    resource: &'a Resource<'a>,
    attributes: BTreeMap<Cow<'a, str>, &'a RawValue>,
}

struct Reader<'a> {
    file: &'a SourceFile,
    id: FileId,
    /// Keeps apart what has one name in two documents.
    scope: &'a str,
    told: &'a Told,
    is_plan: bool,
    /// The partition that its ARNs name, if they name one.
    partition: Option<Partition>,
    /// Addresses of what the plan creates.
    created: BTreeSet<&'a str>,
    code: Code<'a>,
    /// Bucket names by address.
    names: BTreeMap<Cow<'a, str>, String>,
    /// The same names.
    named: BTreeSet<String>,
    /// Addresses of the resources that are read.
    addresses: BTreeSet<&'a str>,
    /// What KMS keys are called.
    key_names: BTreeSet<String>,
}

impl<'a> Reader<'a> {
    fn item(&self, module: &'a Module<'a>, resource: &'a Resource<'a>) -> Item<'a> {
        let attributes = resource.values.and_then(|values| serde_json::from_str(values.get()).ok()).unwrap_or_default();
        Item { module: &module.address, resource, attributes }
    }

    fn hole(&self, name: &str) -> String {
        hole(name, self.scope)
    }

    /// Where a part of the file stands.
    fn place(&self, raw: &str) -> SourceLocation {
        let start = (raw.as_ptr() as usize).wrapping_sub(self.file.text.as_ptr() as usize);
        let span = if start <= self.file.text.len() { Span::new(start, start + raw.len()) } else { Span::default() };
        SourceLocation { file: self.id, span }
    }

    fn here(&self, item: &Item<'_>) -> SourceLocation {
        match item.resource.values {
            // the first bytes are enough to point at
            Some(values) => {
                let whole = self.place(values.get());
                SourceLocation { span: Span { start: whole.span.start, end: whole.span.start + 1 }, ..whole }
            }
            None => SourceLocation { file: self.id, span: Span::default() },
        }
    }

    fn raw(&self, item: &Item<'a>, key: &str) -> Option<&'a RawValue> {
        item.attributes.get(key).copied().filter(|raw| raw.get() != "null")
    }

    /// An attribute's text as the plan has it.
    fn own(&self, item: &Item<'a>, key: &str) -> Option<Text> {
        let raw = self.raw(item, key)?;
        string(raw).map(|value| At { value, place: self.place(raw.get()) })
    }

    /// An attribute's text: the plan's, or what the code refers to. Nothing if it is not set, a hole if it is set to what is unknown.
    fn text(&self, item: &Item<'a>, key: &str) -> Option<Text> {
        if let Some(text) = self.own(item, key) {
            return Some(text);
        }
        if item.attributes.contains_key(key) && item.attributes.get(key).is_some_and(|raw| raw.get() == "null") {
            return None;
        }
        let value = self.code.follow(item.module, item.resource, key, &self.names)?;
        Some(At {
            value: value.unwrap_or_else(|| self.hole(&format!("{}.{key}", item.resource.address))),
            place: self.here(item),
        })
    }

    fn setting(&self, item: &Item<'a>, key: &str) -> Setting<String> {
        match self.text(item, key) {
            None => Setting::Unsaid,
            Some(text) if hole::is_one(&text.value) => Setting::Unknown(text.place),
            Some(text) => Setting::Known(text),
        }
    }

    /// A leaf below nested blocks.
    fn nested(&self, item: &Item<'a>, path: &[&str]) -> Setting<String> {
        let Some((key, inner)) = path.split_first() else { return Setting::Unsaid };
        let Some(raw) = self.raw(item, key) else {
            return if self.is_set(item, key) { Setting::Unknown(self.here(item)) } else { Setting::Unsaid };
        };
        let mut value = block(raw);
        for key in inner {
            value = value.and_then(|value| match value.get(key) {
                Some(Value::Array(items)) => items.first().cloned(),
                Some(other) => Some(other.clone()),
                None => None,
            });
        }
        let place = self.place(raw.get());
        match value {
            Some(Value::String(value)) if !value.is_empty() => Setting::Known(At { value, place }),
            Some(Value::String(_) | Value::Null) => Setting::Unsaid,
            _ if raw.get() == "[]" => Setting::Unsaid,
            _ if self.is_plan => Setting::Unknown(place),
            _ => Setting::Unsaid,
        }
    }

    /// Does the code set this, though the plan does not know to what?
    fn is_set(&self, item: &Item<'a>, key: &str) -> bool {
        !item.attributes.contains_key(key) && self.code.sets(item.module, item.resource, key)
    }

    fn region(&self, item: &Item<'a>) -> Text {
        let place = self.here(item);
        if let Some(text) = self.own(item, "region").filter(|text| region::is_well_formed(&text.value)) {
            return text;
        }
        let provider = self.code.provider(item.module, item.resource);
        let value = provider.region.or_else(|| self.told.region.clone());
        At { value: value.unwrap_or_else(|| self.hole(&format!("region of provider {}", provider.key))), place }
    }

    fn account(&self, item: &Item<'a>) -> Text {
        let provider = self.code.provider(item.module, item.resource);
        let value = provider.account.or_else(|| self.told.account.clone().filter(|_| provider.is_ambient));
        let value = value.unwrap_or_else(|| hole("account", &format!("{} {}", self.scope, provider.credentials)));
        At { value, place: self.here(item) }
    }

    fn flag(&self, item: &Item<'a>, key: &str) -> Setting<bool> {
        match self.raw(item, key) {
            Some(raw) => Setting::Known(At { value: raw.get() == "true", place: self.place(raw.get()) }),
            None if self.is_set(item, key) => Setting::Unknown(self.here(item)),
            None => Setting::Unsaid,
        }
    }

    fn resource(&self, item: &Item<'a>, observed: &mut Observed) {
        if item.resource.kind == "aws_s3_bucket" {
            observed.buckets.push(self.bucket(item));
            if let Some(policy) = observed.buckets.last().and_then(|bucket| bucket.policy.known()) {
                observed.policies.push(policy.value.clone());
            }
            return;
        }
        if keys::is_read(&item.resource.kind) {
            return;
        }
        if item.resource.kind == "aws_cloudtrail" {
            observed.trails.push(self.trail(item));
            return;
        }
        let Some(name) = self.text(item, "bucket") else { return };
        let mut bucket = Bucket::named(name.clone(), self.here(item));
        match item.resource.kind.strip_prefix("aws_s3_bucket_").unwrap_or_default() {
            "logging" => {
                observed.logging.push(self.logging(item, name));
                return;
            }
            "policy" => {
                bucket.policy = self.policy(item, name);
                if let Some(policy) = bucket.policy.known() {
                    observed.policies.push(policy.value.clone());
                }
            }
            "server_side_encryption_configuration" => {
                bucket.encryption = self.nested(item, &["rule", "apply_server_side_encryption_by_default", "sse_algorithm"]);
                bucket.key = self.nested(item, &["rule", "apply_server_side_encryption_by_default", "kms_master_key_id"]);
            }
            "object_lock_configuration" => {
                bucket.object_lock = Setting::Known(At { value: true, place: self.here(item) });
            }
            "request_payment_configuration" => bucket.payer = self.setting(item, "payer"),
            "ownership_controls" => bucket.ownership = self.nested(item, &["rule", "object_ownership"]),
            "acl" => bucket.log_delivery_acl = self.acl(item),
            _ => return,
        }
        observed.buckets.push(bucket);
    }

    fn bucket(&self, item: &Item<'a>) -> Bucket {
        let place = self.here(item);
        let name = self
            .own(item, "bucket")
            .unwrap_or_else(|| At { value: self.names.get(&item.resource.address).cloned().unwrap_or_default(), place });
        let mut bucket = Bucket::named(name.clone(), name.place);
        bucket.defined = true;
        bucket.fresh = self.created.contains(&*item.resource.address);
        bucket.partition = self.partition;
        bucket.region = Some(self.region(item));
        bucket.account = Some(self.account(item));
        bucket.encryption = self.nested(
            item,
            &["server_side_encryption_configuration", "rule", "apply_server_side_encryption_by_default", "sse_algorithm"],
        );
        bucket.object_lock = match self.flag(item, "object_lock_enabled") {
            Setting::Known(flag) if flag.value => Setting::Known(flag),
            _ => match self.nested(item, &["object_lock_configuration", "object_lock_enabled"]) {
                Setting::Known(text) => Setting::Known(At { value: text.value == "Enabled", place: text.place }),
                Setting::Unknown(place) => Setting::Unknown(place),
                Setting::Unsaid => Setting::Unsaid,
            },
        };
        bucket.payer = self.setting(item, "request_payer");
        bucket.log_delivery_acl = self.acl(item);
        if self.own(item, "policy").is_some_and(|text| !text.value.is_empty()) || self.is_set(item, "policy") {
            bucket.policy = self.policy(item, name);
        }
        bucket
    }

    fn acl(&self, item: &Item<'a>) -> Setting<bool> {
        if let Some(text) = self.own(item, "acl") {
            return Setting::Known(At { value: text.value == "log-delivery-write", place: text.place });
        }
        if self.is_set(item, "acl") {
            return Setting::Unknown(self.here(item));
        }
        for key in ["access_control_policy", "grant"] {
            let Some(raw) = self.raw(item, key) else { continue };
            if raw.get().contains("groups/s3/LogDelivery") {
                return Setting::Known(At { value: true, place: self.place(raw.get()) });
            }
        }
        Setting::Unsaid
    }

    fn policy(&self, item: &Item<'a>, bucket: Text) -> Setting<policy::PolicyDoc> {
        match self.own(item, "policy") {
            Some(text) => {
                let doc = policy::parse(&text.value, Plain { file: self.id, inside: Some(text.place.span) }, Some(bucket));
                Setting::Known(At { value: doc, place: text.place })
            }
            None => Setting::Unknown(self.here(item)),
        }
    }

    fn logging(&self, item: &Item<'a>, source: Text) -> Logging {
        let target = match self.text(item, "target_bucket") {
            Some(text) if hole::is_one(&text.value) && !self.named.contains(&text.value) => Target::Unknown,
            Some(text) => Target::Named(text),
            None => Target::Unknown,
        };
        let place = match &target {
            Target::Named(text) => text.place,
            _ => self.here(item),
        };
        let partitioned = match self.raw(item, "target_object_key_format") {
            Some(raw) => block(raw).map(|format| {
                format
                    .get("partitioned_prefix")
                    .is_some_and(|block| block.as_array().is_none_or(|items| !items.is_empty()) && !block.is_null())
            }),
            None => Some(false),
        };
        let format = self.raw(item, "target_object_key_format").and_then(block);
        let date_source = format.as_ref().and_then(|format| {
            let partitioned = format.get("partitioned_prefix")?;
            let date = partitioned.get(0).unwrap_or(partitioned).get("partition_date_source").filter(|date| !date.is_null());
            date.map_or(Some(DEFAULT_DATE_SOURCE), Value::as_str).map(str::to_owned)
        });
        let grants = self.raw(item, "target_grant").filter(|raw| raw.get() != "[]").map(|raw| self.place(raw.get()));
        Logging {
            place,
            anchor: self.here(item),
            source: Some(source),
            target,
            prefix: self.setting(item, "target_prefix"),
            partitioned,
            date_source,
            region: Some(self.region(item)),
            grants,
            strange: None,
        }
    }

    /// `logging { … }` in the bucket itself, as providers before version 4 have it.
    fn inline_logging(&self, item: &Item<'a>) -> Option<Logging> {
        let raw = self.raw(item, "logging")?;
        let Some(Value::Object(block)) = block(raw) else { return None };
        let place = self.place(raw.get());
        let text = |key: &str| match block.get(key) {
            Some(Value::String(text)) => Some(At { value: text.clone(), place }),
            _ => None,
        };
        let source = self.names.get(&item.resource.address).cloned().unwrap_or_default();
        let target = text("target_bucket").or_else(|| {
            let value = self.code.follow_nested(item.module, item.resource, "logging", "target_bucket", &self.names)??;
            Some(At { value, place })
        });
        Some(Logging {
            place,
            anchor: self.here(item),
            source: Some(At { value: source, place: self.here(item) }),
            target: target.map_or(Target::Unknown, Target::Named),
            prefix: text("target_prefix").map_or(Setting::Unsaid, Setting::Known),
            partitioned: Some(false),
            date_source: None,
            region: None,
            grants: None,
            strange: None,
        })
    }
}
