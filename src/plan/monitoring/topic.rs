//! The topic's policy, and whom it lets publish.

use super::Alerts;
use crate::{
    aws::{Partition, arn, watch},
    policy::{
        Condition, Effect, Element, Policy, Principal, Statement,
        evaluate::{Caller, Request, Verdict, evaluate},
    },
};
use indexmap::IndexMap;

/// EventBridge may publish, and nobody else but whom the account itself lets in.
///
/// "You can't use `Condition` blocks in Amazon SNS topic policies for EventBridge" (EventBridge user guide, "Amazon SNS
/// permissions"), so the grant has none. What keeps the rules of others out are two Denies that hold only where EventBridge does
/// say which rule or account it acts for: where it says nothing, the alert arrives.
pub(super) fn policy(topic_arn: &str, rule_arns: &str, account_id: &str) -> Policy {
    let condition = |operators: &[(&str, &str, &str)]| -> Condition {
        let one = |key: &str, value: &str| IndexMap::from([(key.to_owned(), vec![value.to_owned()])]);
        operators.iter().map(|(operator, key, value)| ((*operator).to_owned(), one(key, value))).collect()
    };
    let statement = |sid: &str, effect: Effect, condition: Condition| Statement {
        sid: sid.to_owned(),
        effect,
        principal: Element::Is(Principal::service(watch::EVENTS_SERVICE)),
        action: Element::Is(vec!["sns:Publish".to_owned()]),
        resource: Element::Is(vec![topic_arn.to_owned()]),
        condition,
    };
    let (rule, account) = ("aws:SourceArn", "aws:SourceAccount");
    Policy::new(vec![
        statement("LogmapAlerts", Effect::Allow, Condition::new()),
        statement("LogmapNoOtherRule", Effect::Deny, condition(&[("Null", rule, "false"), ("ArnNotLike", rule, rule_arns)])),
        statement(
            "LogmapNoOtherAccount",
            Effect::Deny,
            condition(&[("Null", account, "false"), ("StringNotEquals", account, account_id)]),
        ),
    ])
}

impl Alerts {
    /// Claims about the policy that do not hold: each rule may publish, whether EventBridge says for whom it acts or not, and
    /// another account, another rule, another service may not. Empty, or this is a bug.
    pub fn failures(&self, account_id: &str, partition: Partition, region: &str) -> Vec<String> {
        let publish = |service: &str, context: &[(&str, &str)]| {
            let request =
                Request { principal: Caller::Service(service), action: "sns:Publish", resource: &self.topic_arn, context };
            matches!(evaluate(&self.policy, &request), Verdict::Allowed(_))
        };
        let events = watch::EVENTS_SERVICE;
        // twelve digits, and not these
        let other = if account_id == "000000000000" { "000000000001" } else { "000000000000" };
        let mut failures = Vec::new();
        let mut claim = |holds: bool, what: String| failures.extend((!holds).then_some(what));
        for rule in &self.rules {
            let own = arn::event_rule(partition, region, account_id, &rule.name);
            let others = arn::event_rule(partition, region, other, &rule.name);
            claim(publish(events, &[]), format!("`{}` can't publish", rule.name));
            claim(
                publish(events, &[("aws:SourceArn", &own), ("aws:SourceAccount", account_id)]),
                format!("`{own}` can't publish"),
            );
            claim(publish(events, &[("aws:SourceArn", &own)]), format!("`{own}` can't publish without its account"));
            claim(
                !publish(events, &[("aws:SourceArn", &others), ("aws:SourceAccount", other)]),
                format!("`{others}` can publish"),
            );
            claim(!publish(events, &[("aws:SourceArn", &others)]), format!("`{others}` can publish"));
        }
        let stranger = arn::event_rule(partition, region, account_id, "another-rule");
        claim(!publish(events, &[("aws:SourceArn", &stranger)]), "another rule of the account can publish".to_owned());
        claim(!publish(events, &[("aws:SourceAccount", other)]), "another account can publish".to_owned());
        claim(!publish("s3.amazonaws.com", &[("aws:SourceAccount", account_id)]), "another service can publish".to_owned());
        failures
    }
}
