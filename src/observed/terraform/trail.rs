//! `aws_cloudtrail` → a trail, and whether it waits for the policy of its bucket.

use super::{Item, Reader, order};
use crate::{
    aws::{Partition, arn, region},
    observed::{At, Feeds, Selection, Setting, Text, Trail, hole},
};
use serde_json::Value;
use std::collections::BTreeMap;

impl<'a> Reader<'a> {
    /// The policies that are to be created, the first one for each name of a bucket.
    pub(super) fn new_policies<'i>(&self, all: &'i [Item<'a>]) -> BTreeMap<String, &'i Item<'a>> {
        let mut policies = BTreeMap::new();
        for item in all.iter().filter(|item| item.resource.kind == "aws_s3_bucket_policy" && self.is_new(item)) {
            if let Some(name) = self.text(item, "bucket") {
                policies.entry(name.value).or_insert(item);
            }
        }
        policies
    }

    fn is_new(&self, item: &Item<'_>) -> bool {
        self.created.contains(&*item.resource.address)
    }

    /// The policy of a trail's bucket, if both are to be created and the trail does not wait for it.
    pub(super) fn unordered(&self, item: &Item<'a>, trail: &Trail, policies: &BTreeMap<String, &Item<'a>>) -> Option<Text> {
        let bucket = trail.bucket.known()?;
        let policy = policies.get(&bucket.value).filter(|_| self.is_new(item))?;
        let address = format!("{}.{}", policy.resource.kind, policy.resource.name);
        let known = self.code.module(item.module).is_some();
        (known && !order::waits(&self.code, item.module, item.resource, (policy.module, &address)))
            .then(|| At { value: policy.resource.address.to_string(), place: self.here(item) })
    }

    pub(super) fn trail(&self, item: &Item<'a>) -> Trail {
        let place = self.here(item);
        let name = self.text(item, "name").unwrap_or_else(|| At { value: self.hole(&item.resource.address), place });
        let home = self
            .own(item, "home_region")
            .filter(|text| region::is_well_formed(&text.value))
            .unwrap_or_else(|| self.region(item))
            .value;
        let account = self.account(item).value;
        let partition = if hole::has(&home) { self.partition.unwrap_or(Partition::Aws) } else { Partition::of_region(&home) };
        let known = self.own(item, "arn").map(|text| text.value).filter(|text| arn::parse(text).is_some());
        let account = known.as_deref().and_then(arn::parse).map_or(account, |arn| arn.account.to_owned());
        let insights = self.raw(item, "insight_selector").filter(|raw| raw.get() != "[]");
        let bucket = match self.text(item, "s3_bucket_name") {
            Some(text) if hole::is_one(&text.value) && !self.named.contains(&text.value) => Setting::Unknown(text.place),
            Some(text) => Setting::Known(text),
            None => Setting::Unknown(place),
        };
        Trail {
            place: bucket.known().map_or(place, |bucket| bucket.place),
            anchor: place,
            arn_is_given: known.is_some(),
            arn: known.unwrap_or_else(|| arn::trail(partition, &home, &account, &name.value)),
            account,
            bucket,
            prefix: self.setting(item, "s3_key_prefix"),
            organization: self.flag(item, "is_organization_trail"),
            multi_region: self.flag(item, "is_multi_region_trail"),
            validation: self.flag(item, "enable_log_file_validation"),
            recursive: Setting::Unsaid,
            selectors: self.selection(item),
            key: match self.text(item, "kms_key_id") {
                // a key of the plan has a name of its own
                Some(text) if self.key_names.contains(&text.value) => Setting::Known(text),
                Some(text) if hole::is_one(&text.value) => Setting::Unknown(text.place),
                Some(text) if text.value.is_empty() => Setting::Unsaid,
                Some(text) => Setting::Known(text),
                None => Setting::Unsaid,
            },
            logging: self.flag(item, "enable_logging"),
            feeds: Feeds {
                log_group: self.text(item, "cloud_watch_logs_group_arn"),
                log_role: self.text(item, "cloud_watch_logs_role_arn"),
                topic: self.text(item, "sns_topic_name"),
                insights: insights.map(|raw| self.place(raw.get())),
                insight_types: insights.map_or_else(Vec::new, |raw| insight_types(raw.get())),
            },
            unordered: None,
            name,
        }
    }

    fn selection(&self, item: &Item<'a>) -> Option<Selection> {
        let raw = |key: &str| self.raw(item, key).filter(|raw| raw.get() != "[]").map(|raw| raw.get());
        let blocks = |text: &str| serde_json::from_str(text).ok().map(as_api);
        let (basic, advanced) = (raw("event_selector"), raw("advanced_event_selector"));
        let place = self.place(advanced.or(basic)?);
        let basic = basic.and_then(blocks);
        Some(Selection::of(place, basic.as_ref(), advanced.and_then(blocks)).unwrap_or(Selection::untold(place)))
    }
}

/// The name of an argument as the API has it: `not_equals` is `NotEquals`.
fn api_name(argument: &str) -> String {
    match argument {
        "data_resource" => "DataResources".to_owned(),
        "field_selector" => "FieldSelectors".to_owned(),
        _ => argument
            .split('_')
            .map(|word| word.chars().take(1).map(|c| c.to_ascii_uppercase()).chain(word.chars().skip(1)).collect::<String>())
            .collect(),
    }
}

/// Blocks as the API has them.
fn as_api(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(as_api).collect(),
        Value::Object(entries) => entries.into_iter().map(|(key, value)| (api_name(&key), as_api(value))).collect(),
        other => other,
    }
}

/// The types of Insights in the blocks of a trail; none if one of them can't be read.
fn insight_types(blocks: &str) -> Vec<String> {
    let blocks: Vec<serde_json::Value> = serde_json::from_str(blocks).unwrap_or_default();
    let types = blocks.iter().map(|block| block.get("insight_type")?.as_str().map(str::to_owned));
    types.collect::<Option<_>>().unwrap_or_default()
}
