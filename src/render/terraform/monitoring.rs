//! What is published and watched in a Region's file: `terraform/monitoring.tf`, which `terraform/region.tf` includes.
//!
//! Each list has one item or none.

use super::{label, region::last};
use crate::{
    plan::{
        Placement,
        monitoring::{BUS_TARGET_ID, BusTarget, CONFIG_RULE_DESCRIPTION, LOGGING_PARAMETER_DESCRIPTION, TARGET_ID},
    },
    render::scanners::{Scanner, Skip, skips},
};
use indexmap::IndexMap;
use serde::Serialize;
use serde_json::Value;

/// Contract of `terraform/monitoring.tf`, as `monitoring` of the Region's context.
#[derive(Debug, Serialize)]
pub(crate) struct MonitoringContext {
    /// The parameter with the log bucket's name.
    pub parameters: Vec<Pointer>,
    /// The parameter with all that logging is set to.
    pub logging_parameters: Vec<Pointer>,
    /// The Config rule.
    pub config_rules: Vec<Pointer>,
    /// Description of the Config rule.
    pub config_rule_description: &'static str,
    /// Description of the second parameter.
    pub logging_parameter_description: &'static str,
    /// The topic and what publishes to it.
    pub alerts: Vec<AlertsContext>,
    /// Tags of the parameter, the rules and the topic.
    pub tags: IndexMap<String, String>,
    /// Checkov's checks that do not apply to the parameter.
    pub parameter_checkov: Vec<Skip>,
    /// Checkov's checks that do not apply to the topic.
    pub topic_checkov: Vec<Skip>,
    /// Trivy's checks that do not apply to the topic.
    pub topic_trivy: Vec<Skip>,
}

/// Something that names the log bucket.
#[derive(Debug, Serialize)]
pub(crate) struct Pointer {
    /// Name of the parameter or of the Config rule.
    pub name: String,
    /// What it holds, if it is not the bucket's name alone.
    pub value: String,
    /// Label of the log bucket.
    pub bucket_label: String,
    /// Resource type of the setting of the log bucket that is made last.
    pub last: &'static str,
}

/// The topic and what publishes to it.
#[derive(Debug, Serialize)]
pub(crate) struct AlertsContext {
    /// Name of the topic.
    pub topic: String,
    /// Path of its policy below the module.
    pub policy_file: String,
    /// The bus that gets what they match, too: none or one.
    pub buses: Vec<BusTarget>,
    /// The rules.
    pub rules: Vec<RuleContext>,
}

/// A rule of EventBridge.
#[derive(Debug, Serialize)]
pub(crate) struct RuleContext {
    /// Resource label of the rule and its target.
    pub label: String,
    /// Name of the rule on the default event bus.
    pub name: String,
    /// What it watches.
    pub description: String,
    /// Event pattern, as a JSON object.
    pub pattern: Value,
    /// What it publishes instead of the event: none or one.
    pub messages: Vec<MessageContext>,
}

/// What a rule publishes instead of the event.
#[derive(Debug, Serialize)]
pub(crate) struct MessageContext {
    /// JSON paths of the values, by their names.
    pub paths: IndexMap<String, String>,
    /// The template.
    pub template: String,
}

impl MonitoringContext {
    pub(super) fn new(placement: &Placement, tags: &IndexMap<String, String>) -> Self {
        let pointer = |name: &String, bucket: &String| Pointer {
            name: name.clone(),
            value: String::new(),
            bucket_label: label(bucket),
            last: placement.buckets.iter().find(|found| found.name == *bucket).map(last).unwrap_or_default(),
        };
        let monitoring = &placement.monitoring;
        MonitoringContext {
            tags: tags.clone(),
            parameter_checkov: skips(Scanner::Checkov, "aws_ssm_parameter", &[]),
            topic_checkov: skips(Scanner::Checkov, "aws_sns_topic", &[]),
            topic_trivy: skips(Scanner::Trivy, "aws_sns_topic", &[]),
            parameters: monitoring.parameter.iter().map(|parameter| pointer(&parameter.name, &parameter.value)).collect(),
            logging_parameters: monitoring
                .logging_parameter
                .iter()
                .zip(placement.access_log_bucket())
                .map(|(parameter, bucket)| Pointer { value: parameter.value.clone(), ..pointer(&parameter.name, &bucket.name) })
                .collect(),
            config_rules: monitoring.config_rule.iter().map(|rule| pointer(&rule.name, &rule.target_bucket)).collect(),
            config_rule_description: CONFIG_RULE_DESCRIPTION,
            logging_parameter_description: LOGGING_PARAMETER_DESCRIPTION,
            alerts: monitoring
                .alerts
                .iter()
                .map(|alerts| AlertsContext {
                    topic: alerts.topic.clone(),
                    policy_file: policy_file(&placement.region),
                    buses: alerts.bus.iter().cloned().collect(),
                    rules: alerts
                        .rules
                        .iter()
                        .map(|rule| RuleContext {
                            label: rule_label(&rule.name, &placement.region),
                            name: rule.name.clone(),
                            description: rule.description.clone(),
                            pattern: rule.pattern.clone(),
                            messages: rule
                                .message
                                .iter()
                                .map(|message| MessageContext {
                                    paths: message.paths.clone(),
                                    template: message.template.clone(),
                                })
                                .collect(),
                        })
                        .collect(),
                })
                .collect(),
        }
    }
}

/// Path of the topic's policy below the module.
pub(super) fn policy_file(region: &str) -> String {
    format!("policies/sns/{}.json", super::names::file_stem(region))
}

/// The label of a rule and its target: a rule has one name in all Regions.
fn rule_label(name: &str, region: &str) -> String {
    format!("{}_{}", label(name), label(region))
}

/// All that a placement's file has of it: resource type, label and import id (the provider's documentation of each, "Import").
pub(crate) fn resources(placement: &Placement) -> Vec<(&'static str, String, String)> {
    let region = label(&placement.region);
    let mut found = Vec::new();
    let mut add = |kind, label: &str, id: &str| found.push((kind, label.to_owned(), id.to_owned()));
    if let Some(parameter) = &placement.monitoring.parameter {
        add("aws_ssm_parameter", &region, &parameter.name);
    }
    if let Some(parameter) = &placement.monitoring.logging_parameter {
        add("aws_ssm_parameter", &format!("{region}_logging"), &parameter.name);
    }
    if let Some(rule) = &placement.monitoring.config_rule {
        add("aws_config_config_rule", &region, &rule.name);
    }
    if let Some(alerts) = &placement.monitoring.alerts {
        add("aws_sns_topic", &region, &alerts.topic_arn);
        add("aws_sns_topic_policy", &region, &alerts.topic_arn);
        for rule in &alerts.rules {
            let label = rule_label(&rule.name, &placement.region);
            add("aws_cloudwatch_event_rule", &label, &rule.name);
            add("aws_cloudwatch_event_target", &label, &format!("{}/{TARGET_ID}", rule.name));
            if alerts.bus.is_some() {
                add("aws_cloudwatch_event_target", &format!("{label}_bus"), &format!("{}/{BUS_TARGET_ID}", rule.name));
            }
        }
    }
    found
}
