//! What is published and watched in a stack: `cloudformation/monitoring.yaml`, which the stack's template includes for each place.
//!
//! Each list has one item or none. A topic has the account in its logical id, so that a StackSet template can hold several.

use super::ids::{bucket_id, id, policy_id};
use crate::{
    plan::{
        Account, Placement,
        monitoring::{BusTarget, CONFIG_RULE_DESCRIPTION, LOGGING_PARAMETER_DESCRIPTION, Message, TARGET_ID},
    },
    policy::Policy,
    render::scanners::{Scanner, Skip, metadata, skips},
};
use serde::Serialize;
use serde_json::Value;

/// `monitoring` of a placement.
#[derive(Serialize, Default)]
pub(super) struct MonitoringContext<'a> {
    /// The parameter with the log bucket's name.
    pub parameters: Vec<Pointer<'a>>,
    /// The parameter with all that logging is set to.
    pub logging_parameters: Vec<Pointer<'a>>,
    /// Description of that one.
    pub logging_parameter_description: &'static str,
    /// The Config rule.
    pub config_rules: Vec<Pointer<'a>>,
    /// Description of the Config rule.
    pub config_rule_description: &'static str,
    /// The topic and what publishes to it.
    pub alerts: Vec<AlertsContext<'a>>,
}

/// Something that names the log bucket.
#[derive(Serialize)]
pub(super) struct Pointer<'a> {
    /// Logical id.
    pub id: String,
    /// Name of the parameter or of the Config rule.
    pub name: &'a str,
    /// What it holds, if it is not the bucket's name alone.
    pub value: &'a str,
    /// Logical id of the log bucket.
    pub bucket_id: String,
    /// Logical id of its policy.
    pub policy_id: String,
}

/// The topic and what publishes to it.
#[derive(Serialize)]
pub(super) struct AlertsContext<'a> {
    /// Logical id of the topic.
    pub topic_id: String,
    /// Logical id of its policy.
    pub policy_id: String,
    /// Name of the topic.
    pub topic: &'a str,
    /// `Metadata` of the topic: what does not fit it, for scanners.
    pub metadata: Value,
    /// Trivy's checks that do not fit it.
    pub trivy: Vec<Skip>,
    /// Policy of the topic.
    pub policy: &'a Policy,
    /// Id of the target of each rule.
    pub target_id: &'static str,
    /// The bus that gets what they match, too, as a target: none or one.
    pub buses: Vec<Value>,
    /// The rules.
    pub rules: Vec<RuleContext<'a>>,
}

/// A rule of EventBridge.
#[derive(Serialize)]
pub(super) struct RuleContext<'a> {
    /// Logical id.
    pub id: String,
    /// Name of the rule on the default event bus.
    pub name: &'a str,
    /// What it watches.
    pub description: &'a str,
    /// Event pattern, as a JSON object.
    pub pattern: &'a Value,
    /// What it publishes instead of the event, as `InputTransformer` has it: none or one.
    pub messages: Vec<Value>,
}

impl<'a> MonitoringContext<'a> {
    pub(super) fn new(account: &Account, placement: &'a Placement) -> Self {
        let own = |kind: &str, name: &str| id(kind, &format!("{}/{name}", account.id));
        let bucket = placement.access_log_bucket();
        let pointer = |kind: &str, name: &'a str| {
            bucket.map(|bucket| Pointer {
                id: own(kind, name),
                name,
                value: "",
                bucket_id: bucket_id(bucket),
                policy_id: policy_id(bucket),
            })
        };
        let monitoring = &placement.monitoring;
        MonitoringContext {
            parameters: monitoring.parameter.iter().filter_map(|parameter| pointer("Parameter", &parameter.name)).collect(),
            logging_parameters: monitoring
                .logging_parameter
                .iter()
                .filter_map(|parameter| Some(Pointer { value: &parameter.value, ..pointer("Parameter", &parameter.name)? }))
                .collect(),
            logging_parameter_description: LOGGING_PARAMETER_DESCRIPTION,
            config_rules: monitoring.config_rule.iter().filter_map(|rule| pointer("ConfigRule", &rule.name)).collect(),
            config_rule_description: CONFIG_RULE_DESCRIPTION,
            alerts: monitoring
                .alerts
                .iter()
                .map(|alerts| AlertsContext {
                    topic_id: id("Topic", &alerts.topic_arn),
                    policy_id: id("TopicPolicy", &alerts.topic_arn),
                    topic: &alerts.topic,
                    metadata: metadata("AWS::SNS::Topic", &[]),
                    trivy: skips(Scanner::Trivy, "AWS::SNS::Topic", &[]),
                    policy: &alerts.policy,
                    target_id: TARGET_ID,
                    buses: alerts.bus.iter().map(BusTarget::to_value).collect(),
                    rules: alerts
                        .rules
                        .iter()
                        .map(|rule| RuleContext {
                            id: own("Rule", &rule.name),
                            name: &rule.name,
                            description: &rule.description,
                            pattern: &rule.pattern,
                            messages: rule.message.iter().map(Message::to_value).collect(),
                        })
                        .collect(),
                })
                .collect(),
        }
    }
}
