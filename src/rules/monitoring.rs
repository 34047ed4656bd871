//! Rules on `monitoring` and `publish`: names that AWS would not take, and what can't be watched.
//!
//! Where rules of Config exist and whether a trail records anything depends on the whole plan; `plan::monitoring` judges that, with
//! the rules declared here.

use crate::{
    aws::{parameter, watch},
    diagnostics::Finding,
    map::RegionMap,
    rule_family,
};

rule_family! {
    since "0.1.0";
    PARAMETER_NAME = "LM0801" "parameter-name" Error Map blocking: "Systems Manager would not take this parameter name";
    TOPIC_NAME = "LM0802" "topic-name" Error Map blocking: "SNS would not take this topic name, or EventBridge the topic";
    CONFIG_RULE_REGION = "LM0803" "config-rule-region" Info Map: "a Region without the AWS Config rule";
    ALERTS_WITHOUT_TRAIL = "LM0804" "alerts-without-trail" Warning Map: "no trail of the map records what alerts are about";
    KEY_NOT_WATCHED = "LM0805" "key-not-watched" Info Map: "a key of a trail that no alert is about";
    ALERTS_EXCEPT = "LM0806" "alerts-except" Error Map blocking: "nobody's calls can be left out of alerts by this";
    PARAMETER_VALUE = "LM0807" "parameter-value" Error Map blocking: "Systems Manager would not take so long a value";
    EVENT_BUS = "LM0808" "event-bus" Error Map blocking: "events can't be sent to this bus";
    EVENT_BUS_LEFT_OUT = "LM0809" "event-bus-left-out" Warning Map: "an account sends no events to the bus";
}

/// Checks the names that `publish` and `monitoring` give.
pub(crate) fn check(map: &RegionMap, findings: &mut Vec<Finding>) {
    let publish = map.publish.as_ref();
    let plain = publish.and_then(|publish| publish.ssm_parameter.as_ref());
    let logging = publish.and_then(|publish| publish.ssm_logging_parameter.as_ref());
    if let (Some(one), Some(other)) = (plain, logging)
        && one.value == other.value
    {
        findings.push(
            Finding::new(&PARAMETER_NAME, other.span, "the two parameters of `publish` have the same name")
                .related(one.span, "`ssm_parameter` has it, too")
                .help("write another name, such as `/logmap/access-logging`"),
        );
    }
    for name in plain.into_iter().chain(logging) {
        let Some(problem) = parameter::problem(name) else { continue };
        findings.push(
            Finding::new(&PARAMETER_NAME, name.span, format!("`{}` can't be the name of a parameter: it {problem}", name.escape_debug()))
                .help("letters, digits, `.`, `-` and `_`, in up to 15 levels such as `/logmap/access-log-bucket`; AWS answers `ValidationException`"),
        );
    }
    let alerts = map.monitoring.as_ref().and_then(|monitoring| monitoring.tamper_alerts.as_ref());
    if let Some(names) = alerts.and_then(|alerts| alerts.except.as_ref()) {
        for name in names.iter() {
            if let Some(problem) = watch::except_problem(name) {
                findings.push(
                    Finding::new(&ALERTS_EXCEPT, name.span, format!("`{}` {problem}", name.escape_debug()))
                        .help("write the name of a role, with its path, or the ARN of a role or user"),
                );
            }
        }
        let chars: usize = names.iter().map(|name| watch::except_chars(name)).sum();
        if chars > watch::EXCEPT_CHARS {
            findings.push(
                Finding::new(
                    &ALERTS_EXCEPT,
                    names.span,
                    format!("the principals of `except` have {chars} characters as ARNs, and a pattern of EventBridge has room for {}", watch::EXCEPT_CHARS),
                )
                .help("name the roles that apply what is generated, and no others"),
            );
        }
    }
    if let Some(bus) = alerts.and_then(|alerts| alerts.event_bus.as_ref()) {
        if let Some(arn) = &bus.arn
            && let Some(problem) = watch::bus_problem(arn)
        {
            findings.push(
                Finding::new(&EVENT_BUS, arn.span, format!("`{}` {problem}", arn.value.escape_debug()))
                    .help("write the ARN of a bus of its own: `arn:aws:events:us-east-1:444455556666:event-bus/security`"),
            );
        }
        if let Some(role) = bus.role.as_ref().filter(|role| !watch::is_bus_role(role)) {
            findings.push(
                Finding::new(&EVENT_BUS, role.span, format!("`{}` can't be the name of a role", role.value.escape_debug()))
                    .help("1 to 64 letters, digits and `+=,.@_-`, without a path; it has the same name in every account"),
            );
        }
    }
    if let Some(name) = alerts.and_then(|alerts| alerts.sns_topic_name.as_ref())
        && let Some(problem) = watch::topic_problem(name)
    {
        findings.push(
            Finding::new(
                &TOPIC_NAME,
                name.span,
                format!("`{}` can't be the name of the topic: it {problem}", name.escape_debug()),
            )
            .help("1 to 256 letters, digits, `-` and `_`, such as `acme-logging-alerts`: a name, not an ARN"),
        );
    }
}
