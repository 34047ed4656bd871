//! Settings of things, in words for people, old beside new: only what differs.

use super::Setting;
use crate::plan::{
    Account, KeyFormat, LifecycleRule, LogBucket, Plan, Source, Trail, monitoring::MonitoringSettings, vended::Vended,
};
use indexmap::IndexMap;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// The settings of two versions of a thing, side by side; either may be missing.
struct Pairs<'a, T> {
    old: Option<&'a T>,
    new: Option<&'a T>,
    found: Vec<Setting>,
}

impl<'a, T> Pairs<'a, T> {
    fn new(old: Option<&'a T>, new: Option<&'a T>) -> Self {
        Pairs { old, new, found: Vec::new() }
    }

    /// Adds a setting, if it differs; `value` gives `None` where it is not set.
    fn row(mut self, setting: &str, value: impl Fn(&T) -> Option<String>) -> Self {
        self.push(setting.to_owned(), value);
        self
    }

    fn push(&mut self, setting: String, value: impl Fn(&T) -> Option<String>) {
        let (old, new) = (self.old.and_then(&value), self.new.and_then(&value));
        if old != new {
            self.found.push(Setting { setting, old, new });
        }
    }
}

fn set(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn yes(flag: bool, on: &str, off: &str) -> Option<String> {
    Some(if flag { on } else { off }.to_owned())
}

pub(super) fn account(old: &Account, new: &Account) -> Vec<Setting> {
    Pairs::new(Some(old), Some(new))
        .row("role", |account| account.role_arn.clone())
        .row("profile", |account| account.profile.clone())
        .row("partition", |account| Some(account.partition.to_string()))
        .row("Regions", |account| {
            let regions: Vec<&str> = account.placements.iter().map(|placement| placement.region.as_str()).collect();
            Some(regions.join(", "))
        })
        .found
}

/// A source, and what is delivered of its placement.
pub(super) type Logged<'a> = (&'a Source, Option<&'a Vended>);

pub(super) fn source(old: Option<Logged<'_>>, new: Option<Logged<'_>>) -> Vec<Setting> {
    Pairs::new(old.as_ref(), new.as_ref())
        .row("log bucket", |(source, _)| Some(source.log_bucket.to_string()))
        .row("prefix", |(source, _)| Some(prefix(source)))
        .row("key format", |(source, _)| Some(source.key_format.word().to_owned()))
        .row("logging set by", |(source, _)| yes(source.managed, "logmap", "other code"))
        .row("delivered to", |(source, vended)| vended.and_then(|vended| vended.delivers(&source.name)))
        .found
}

/// A source's prefix; with flat keys its own folder is written `{source}`, as it is for all sources alike.
pub(super) fn prefix(source: &Source) -> String {
    let own = format!("{}/", source.name);
    match source.prefix.strip_suffix(&own) {
        Some(rest) if source.key_format == KeyFormat::Simple => format!("{rest}{{source}}/"),
        _ => source.prefix.to_string(),
    }
}

pub(super) fn log_bucket(old: Option<&LogBucket>, new: Option<&LogBucket>) -> Vec<Setting> {
    // of a bucket that comes or goes whole, its name says enough
    if old.is_none() || new.is_none() {
        return Vec::new();
    }
    let mut pairs = Pairs::new(old, new)
        .row("takes", |bucket| {
            let words = [
                (bucket.takes_access_logs, "access logs"),
                (bucket.takes_trails, "trails"),
                (bucket.takes_copies, "copies of logs"),
            ];
            let words: Vec<&str> = words.iter().filter(|(takes, _)| *takes).map(|(_, word)| *word).collect();
            Some(words.join(" and "))
        })
        .row("adopted", |bucket| yes(bucket.adopt.is_some(), "yes", "no"))
        .row("copied to", |bucket| bucket.replication.as_ref().map(|copy| copy.archive_arn.clone()))
        .row("key of copies", |bucket| bucket.replication.as_ref()?.kms_key_arn.clone())
        .row("settings that Terraform imports", |bucket| {
            let words: Vec<&str> = bucket.adopt.as_ref()?.existing.iter().map(|setting| setting.word()).collect();
            (!words.is_empty()).then(|| words.join(", "))
        })
        .row("namespace", |bucket| yes(bucket.account_regional, "account-regional", "global"))
        .row("versioning", |bucket| yes(bucket.versioning, "enabled", "suspended"))
        .row("Object Lock", |bucket| bucket.object_lock.as_ref().map(|lock| format!("{} for {} days", lock.mode, lock.days)));
    let keys = |of: fn(&LogBucket) -> Vec<String>| -> BTreeSet<String> { old.into_iter().chain(new).flat_map(of).collect() };
    for key in keys(|bucket| bucket.tags.keys().cloned().collect()) {
        pairs.push(format!("tag {key}"), |bucket| bucket.tags.get(&key).cloned());
    }
    for prefix in keys(|bucket| bucket.lifecycle.iter().map(|rule| rule.prefix.clone()).collect()) {
        let of = |bucket: &LogBucket| bucket.lifecycle.iter().find(|rule| rule.prefix == prefix).map(lifecycle);
        let shown = if prefix.is_empty() { "the whole bucket" } else { &prefix };
        pairs.push(format!("lifecycle of {shown}"), of);
    }
    pairs.found
}

fn lifecycle(rule: &LifecycleRule) -> String {
    let mut to: String =
        rule.transitions.iter().map(|to| format!(", {} after {} days", to.storage_class, to.after_days)).collect();
    if let Some(bytes) = rule.transition_larger_than_bytes {
        to.push_str(&format!(" if larger than {bytes} bytes"));
    }
    let after = |days: Option<u32>, unit: &str| days.map_or_else(|| "never".to_owned(), |days| format!("after {days}{unit}"));
    format!(
        "rule {}: expires {}, noncurrent versions {}{to}",
        rule.id,
        after(rule.expire_after_days, " days"),
        after(rule.noncurrent_expire_after_days, "")
    )
}

/// A warning for each prefix whose objects expire sooner than before.
pub(super) fn shorter_retention(old: &LogBucket, new: &LogBucket) -> Option<String> {
    let shorter = old
        .lifecycle
        .iter()
        .any(|rule| new.lifecycle.iter().any(|other| other.prefix == rule.prefix && other.is_shorter_than(rule)));
    (shorter && old.name == new.name)
        .then(|| "shorter retention also expires logs that are there already, within a day or two and for good".to_owned())
}

pub(super) fn trail(old: Option<&Trail>, new: Option<&Trail>) -> Vec<Setting> {
    Pairs::new(old, new)
        .row("delivers to", |trail| Some(trail.bucket.clone()))
        .row("bucket's account", |trail| Some(trail.bucket_account.clone()))
        .row("bucket's Region", |trail| Some(trail.bucket_region.clone()))
        .row("prefix", |trail| Some(trail.prefix.clone()))
        .row("ARN", |trail| Some(trail.arn.clone()))
        .row("adopted", |trail| trail.adopt.then(|| "yes".to_owned()))
        .row("records", |trail| yes(trail.multi_region, "all Regions", "its own Region"))
        .row("of", |trail| yes(trail.organization, "the organization", "its account"))
        .row("KMS key", |trail| trail.kms_key_arn.clone())
        .row("log file validation", |trail| yes(trail.log_file_validation, "on", "off"))
        .row("S3 data events", |trail| {
            let excluded = trail.data_events_exclude.as_ref()?;
            Some(if excluded.is_empty() { "all".to_owned() } else { format!("all but {}", excluded.join(", ")) })
        })
        .row("events of log buckets", |trail| words(trail.log_bucket_events.iter().map(|events| events.what.word())))
        .row("management events", |trail| {
            (!Trail::is_all(&trail.management_events)).then(|| trail.management_events.word().to_owned())
        })
        .row("without the events of", |trail| words(trail.excluded_event_sources.iter().map(|source| source.word())))
        .row("Insights", |trail| words(trail.insights.iter().map(|insight| insight.word())))
        .row("log group", |trail| trail.log_group.as_ref().map(|group| format!("{} by {}", group.arn, group.role_arn)))
        .row("SNS topic", |trail| trail.topic.as_ref().map(|topic| topic.arn.clone()))
        .found
}

fn words(words: impl Iterator<Item = &'static str>) -> Option<String> {
    let words: Vec<&str> = words.collect();
    (!words.is_empty()).then(|| words.join(", "))
}

/// What is published and watched, by the keys of the map.
pub(super) fn monitoring(old: &Plan, new: &Plan) -> Vec<Setting> {
    let guardrails = Pairs::new(Some(&old.guardrail_settings), Some(&new.guardrail_settings))
        .row("guardrails.deployer", |settings| Some(settings.as_ref()?.deployer.clone()))
        .row("guardrails.exempt", |settings| settings.as_ref().and_then(|settings| set(&settings.exempt.join(", "))))
        .found;
    let central = Pairs::new(Some(&old.central), Some(&new.central))
        .row("athena.central", |central| Some(central.as_ref()?.account.key.clone()))
        .row("athena.region", |central| Some(central.as_ref()?.region.clone()))
        .row("athena.readers", |central| set(&central.as_ref()?.roles.join(", ")))
        .row("athena.result_bucket", |central| Some(central.as_ref()?.result_bucket.clone()))
        .row("athena.result_days", |central| Some(central.as_ref()?.result_days.to_string()))
        .row("athena.scan_limit_gb", |central| Some((central.as_ref()?.scan_limit_bytes / 1_000_000_000).to_string()))
        .found;
    let named = |settings: &MonitoringSettings| settings.config_rule || settings.topic.is_some();
    Pairs::new(Some(&old.monitoring), Some(&new.monitoring))
        .row("publish.ssm_parameter", |settings| settings.parameter.clone())
        .row("publish.ssm_logging_parameter", |settings| settings.logging_parameter.clone())
        .row("monitoring.config_rule", |settings| yes(settings.config_rule, "true", "false"))
        .row("monitoring.tamper_alerts.sns_topic_name", |settings| settings.topic.clone())
        .row("monitoring.tamper_alerts.event_bus", |settings| {
            settings.bus.as_ref().map(|bus| format!("{} by the role {}", bus.arn, bus.role))
        })
        .row("monitoring.tamper_alerts.except", |settings| (!settings.except.is_empty()).then(|| settings.except.join(", ")))
        .row("monitoring.tamper_alerts.message", |settings| yes(settings.readable, "text", "event"))
        .row("monitoring.tamper_alerts.also", |settings| words(settings.also.iter().map(|one| one.word())))
        .row("names of rules begin with", |settings| named(settings).then(|| settings.stem()))
        .found
        .into_iter()
        .chain(guardrails)
        .chain(central)
        .collect()
}

/// What to know about another look of the targets.
pub(super) fn rendering_notes(old: &Plan, new: &Plan) -> Vec<String> {
    // a state of version 5 has no Region of each resource, so it is looked for in the provider's
    // (https://registry.terraform.io/providers/hashicorp/aws/latest/docs/guides/enhanced-region-support)
    let mut notes = Vec::new();
    if old.render.modules != new.render.modules {
        notes.push(
            "another layout gives every resource of Terraform another address. Apply the old layout until its plan is empty, and generate over \
             its tree: `root.tf.example` (`moved.tf` in a root module) then has a `moved` block for each, for a root that keeps the state. In another state \
             import again what is there. A plan that creates or deletes log buckets is not to be applied"
                .to_owned(),
        );
    }
    let skips = old.render.aws_provider < 6 && !new.render.aliased_providers;
    let note = "a module that was applied with version 5 of the AWS provider comes to version 6 in two steps: first `aws_provider: 6` \
                with `aliased_providers: true`, `terraform init -upgrade` and an apply in every account, which changes nothing but the state; then \
                leave `aliased_providers` out";
    notes.extend(skips.then(|| note.to_owned()));
    notes
}

/// How the targets look: what of `render` differs.
pub(super) fn rendering(old: &Plan, new: &Plan) -> Vec<Setting> {
    fn json(value: &impl Serialize) -> String {
        serde_json::to_string(value).unwrap_or_default()
    }
    let mut pairs = Pairs::new(Some(&old.render), Some(&new.render))
        .row("terraform.layout", |render| yes(render.modules, "module", "root"))
        .row("terraform.aws_provider", |render| Some(render.aws_provider.to_string()))
        .row("terraform.aliased_providers", |render| yes(render.aliased_providers, "true", "false"))
        .row("cloudformation.source_logging", |render| yes(render.custom_resource, "custom-resource", "outputs-only"))
        .row("cloudformation.stack_sets", |render| yes(render.stack_sets, "true", "false"))
        .row("cloudformation.permissions_boundary", |render| set(&render.permissions_boundary))
        .row("cloudformation.role_path", |render| set(&render.role_path))
        .row("cloudformation.role_name_prefix", |render| set(&render.role_name_prefix))
        .row("cloudformation.function_runtime", |render| render.function_runtime.map(|runtime| runtime.word().to_owned()))
        .row("athena.glue", |render| yes(render.glue, "true", "false"));
    let partitions: BTreeSet<_> =
        old.render.backends.iter().chain(&new.render.backends).filter_map(|backend| backend.partition).collect();
    let keys: BTreeSet<&String> = old.render.tags.keys().chain(new.render.tags.keys()).collect();
    for key in keys {
        pairs.push(format!("tags.{key}"), |render| render.tags.get(key).cloned());
    }
    for partition in partitions {
        pairs.push(format!("terraform.backend of {partition}"), |render| {
            let backend = render.backends.iter().find(|backend| backend.partition == Some(partition))?;
            Some(json(&backend.arguments.iter().chain(&backend.settings).collect::<IndexMap<_, _>>()))
        });
    }
    let (vpcs, vpcs_now) = (function_vpcs(old), function_vpcs(new));
    let places: BTreeSet<_> = vpcs.keys().chain(vpcs_now.keys()).collect();
    for place in places {
        let (old, new) = (vpcs.get(place).cloned(), vpcs_now.get(place).cloned());
        if old != new {
            let (id, region) = place;
            pairs.found.push(Setting { setting: format!("function_vpc of {id} in {region}"), old, new });
        }
    }
    pairs.push("terraform.backend of all accounts".to_owned(), |render| {
        let backend = render.backends.iter().find(|backend| backend.partition.is_none())?;
        Some(json(&IndexMap::from([(&backend.kind, &backend.settings)])))
    });
    pairs.found
}

/// The ids in the VPC of each function that is in one, by account id and Region.
fn function_vpcs(plan: &Plan) -> BTreeMap<(&str, &str), String> {
    plan.placements()
        .filter_map(|(account, placement)| {
            let vpc = placement.function_vpc.as_ref()?;
            let ids = [vpc.subnets.as_slice(), &vpc.security_groups].concat().join(", ");
            Some(((account.id.as_str(), placement.region.as_str()), ids))
        })
        .collect()
}
