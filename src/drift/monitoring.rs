//! What is published and watched in a placement: the parameter, the rule of AWS Config, the topic and the rules that publish to it.

use super::{Kind, Out, State, policy, world::Place};
use crate::{
    catalog::live::MONITORING_DIFFERS,
    diagnostics::Finding,
    document::{self, Node},
    escape::shown,
    plan::{
        Placement,
        monitoring::{BusTarget, Message},
    },
    snapshot::{Reading, child, items, text},
};
use serde_json::Value;

/// How many things a placement publishes and watches.
pub(super) fn things(placement: &Placement) -> usize {
    let monitoring = &placement.monitoring;
    let alerts = monitoring.alerts.as_ref().map_or(0, |alerts| 1 + alerts.rules.len());
    monitoring.parameters().count() + usize::from(monitoring.config_rule.is_some()) + alerts
}

pub(super) fn check(place: &Place<'_>, out: &mut Out<'_>) {
    let monitoring = &place.placement.monitoring;
    for (parameter, _) in monitoring.parameters() {
        let before = out.on_map.len();
        let found = one(place, ("publish", "parameters", &parameter.name), out, |reading| {
            let value = reading.text(&["Parameter", "Value"]).unwrap_or_default();
            (value != parameter.value).then(|| format!("is `{}`, and the map gives it `{}`", shown::line(value), parameter.value))
        });
        out.known(Kind::Monitoring, found, before);
    }
    if let Some(rule) = &monitoring.config_rule {
        let before = out.on_map.len();
        let found = one(place, ("monitoring", "config_rules", &rule.name), out, |reading| {
            let source = reading.text(&["Source", "SourceIdentifier"]).unwrap_or_default();
            let state = reading.text(&["ConfigRuleState"]).unwrap_or("ACTIVE");
            let parameters = reading.text(&["InputParameters"]).unwrap_or_default();
            let parameters: Value = serde_json::from_str(parameters).unwrap_or_default();
            let target = parameters.get("targetBucket").and_then(Value::as_str).unwrap_or_default();
            if source != "S3_BUCKET_LOGGING_ENABLED" {
                Some(format!("is a rule of another kind, `{}`", shown::line(source)))
            } else if state != "ACTIVE" {
                Some(format!("is `{}`", shown::line(state)))
            } else {
                (target != rule.target_bucket)
                    .then(|| format!("compares with `{}`, and the map has `{}`", shown::line(target), rule.target_bucket))
            }
        });
        out.known(Kind::Monitoring, found, before);
    }
    let Some(alerts) = &monitoring.alerts else { return };
    let before = out.on_map.len();
    let found = one(place, ("monitoring", "topics", &alerts.topic_arn), out, |reading| {
        let live = reading.at(&["Attributes", "Policy"]).and_then(|node| policy::read(node, place.live.file));
        let same = live.is_some_and(|live| policy::are_alike(live, &alerts.policy, place.account.partition));
        (!same).then(|| "has another policy than the map's".to_owned())
    });
    out.known(Kind::Monitoring, found, before);
    for rule in &alerts.rules {
        let before = out.on_map.len();
        let found = one(place, ("monitoring", "event_rules", &rule.name), out, |reading| {
            let pattern: Value =
                serde_json::from_str(reading.text(&["rule", "EventPattern"]).unwrap_or_default()).unwrap_or_default();
            let state = reading.text(&["rule", "State"]).unwrap_or_default();
            let targets = items(reading.at(&["targets", "Targets"]));
            if pattern != rule.pattern {
                Some("watches other events than the map says".to_owned())
            } else if !state.starts_with("ENABLED") {
                Some(format!("is `{}`", shown::line(state)))
            } else {
                let target = targets.iter().find(|target| text(child(target, "Arn")) == Some(alerts.topic_arn.as_str()));
                match target {
                    None => Some(format!("does not publish to `{}`", alerts.topic)),
                    Some(target) if !says(target, rule.message.as_ref()) => {
                        Some("publishes another text than the map says".to_owned())
                    }
                    Some(_) => alerts.bus.as_ref().and_then(|bus| unsent(targets, bus)),
                }
            }
        });
        out.known(Kind::Monitoring, found, before);
    }
}

/// Why events are not sent to the bus; nothing if they are.
fn unsent(targets: &[Node], bus: &BusTarget) -> Option<String> {
    let Some(target) = targets.iter().find(|target| text(child(target, "Arn")) == Some(bus.arn.as_str())) else {
        return Some(format!("does not send to the bus `{}`", bus.arn));
    };
    if text(child(target, "RoleArn")) != Some(bus.role_arn.as_str()) {
        return Some(format!("does not send to the bus with the role `{}`", bus.role_arn));
    }
    (!says(target, None)).then(|| "sends another text to the bus than the event".to_owned())
}

/// Does a target publish this message, or without one the event?
fn says(target: &Node, wanted: Option<&Message>) -> bool {
    let of = |key: &str| {
        child(target, key).filter(|node| !matches!(&node.kind, document::Kind::Scalar { .. }) || text(Some(node)).is_some())
    };
    let Some(wanted) = wanted else {
        return ["Input", "InputPath", "InputTransformer"].iter().all(|key| of(key).is_none());
    };
    let Some(found) = of("InputTransformer") else { return false };
    let paths = child(found, "InputPathsMap");
    let count = match paths.map(|paths| &paths.kind) {
        Some(document::Kind::Mapping(entries)) => entries.len(),
        _ => 0,
    };
    text(child(found, "InputTemplate")) == Some(wanted.template.as_str())
        && count == wanted.paths.len()
        && wanted.paths.iter().all(|(name, path)| text(paths.and_then(|paths| child(paths, name))) == Some(path.as_str()))
}

/// Checks a thing by its name among the Region's readings of its kind.
fn one(
    place: &Place<'_>,
    (top, kind, name): (&str, &'static str, &str),
    out: &mut Out<'_>,
    differs: impl Fn(Reading<'_>) -> Option<String>,
) -> State {
    let region = place.live.account.regions.get(place.placement.region.as_str());
    let of_kind = region.map_or(Reading::Missing, |region| region.reading(kind));
    let reading = match of_kind {
        Reading::Is(all) => Reading::of(child(all, name)),
        other => other,
    };
    if out.unread.is(&place.account.key, &place.placement.region, name, kind, reading) {
        return State::Unknown;
    }
    let what = match kind {
        "parameters" => "parameter",
        "config_rules" => "rule of AWS Config",
        "topics" => "topic",
        _ => "rule of EventBridge",
    };
    let where_ = format!("the {what} `{name}` in `{}` of account `{}`", place.placement.region, place.account.id);
    let message = match reading {
        Reading::Nothing => format!("{where_} is not there"),
        reading => match differs(reading) {
            None => return State::AsMapped,
            Some(words) => format!("{where_} {words}"),
        },
    };
    let mut finding = Finding::new(&MONITORING_DIFFERS, out.map.top(top), message).help(place.mend);
    if let Some(region) = region {
        finding = finding.related_in(place.live.file, region.span, "as it was read");
    }
    out.found(finding);
    State::Drifted
}
