//! Does a trail record its own deliveries? Each is then an event, which is delivered: it never ends, and every event is charged for.
//!
//! CloudTrail writes by `PutObject`, which is a data event of the bucket's account (CloudTrail user guide, "Logging data events"; for the
//! loop S3 user guide, "CloudTrail data events"). `RecursiveLogging: false` leaves out what CloudTrail itself puts (CloudTrail API
//! reference, `CreateTrail`).

use super::{Configuration, World, finding, related};
use crate::{
    aws::arn,
    catalog::observed::TRAIL_LOOP,
    observed::{At, Bucket, Setting, Trail, hole},
    plan::selectors::{Selector, meaning},
};
use std::collections::BTreeSet;

/// Whether something is so, as far as the inputs tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Told {
    No,
    Perhaps,
    Yes,
}

pub(super) fn judge(world: &World<'_>, trail: &Trail, bucket: &Bucket, configuration: &mut Configuration) {
    // one without selectors of its own records no data events (CloudTrail user guide, as above)
    let Some(own) = &trail.selectors else { return };
    if matches!(trail.recursive, Setting::Known(At { value: false, .. })) {
        return;
    }
    let selection = world.selections.get(trail.arn.as_str()).map_or(own, |answer| *answer);
    let Some(selectors) = &selection.selectors else {
        return configuration.doubt(
            "the trail's event selectors, which may take its own deliveries, are not known here; `aws cloudtrail get-event-selectors` prints them"
                .to_owned(),
        );
    };
    let begins = beginning(trail, bucket);
    let takes = meaning(selectors).iter().map(|selector| takes(selector, &begins)).max().unwrap_or(Told::No);
    // another account's events are its own trails'
    let here = match (&bucket.account, &trail.organization) {
        (_, Setting::Known(At { value: true, .. })) => Told::Yes,
        (Some(account), _) if account.value == trail.account => Told::Yes,
        (Some(account), _) if hole::has(&account.value) || hole::has(&trail.account) => Told::Perhaps,
        (Some(_), Setting::Known(_) | Setting::Unsaid) => Told::No,
        _ => Told::Perhaps,
    };
    let name = hole::shown(&bucket.name.value);
    match takes.min(here) {
        Told::No => {}
        Told::Perhaps => configuration.doubt(format!("whether the trail records its own deliveries to `{name}`")),
        Told::Yes => {
            let message = format!("the trail `{}` records what it delivers to `{name}`", configuration.source);
            let found = finding(&TRAIL_LOOP, selection.place, message).help(format!(
                "CloudTrail accepts it, and each delivery is an event that is delivered, and charged for, without end; leave the bucket out of the trail's data events: `resources.ARN` with `NotStartsWith: [{}]`",
                hole::shown(&arn::object(bucket.partition(), &bucket.name.value, ""))
            ));
            configuration.findings.push(related(found, trail.place, "the trail's bucket"));
        }
    }
}

/// How the ARN of each file of the trail begins.
fn beginning(trail: &Trail, bucket: &Bucket) -> String {
    let prefix = match &trail.prefix {
        Setting::Known(prefix) if !prefix.value.is_empty() => format!("{}/AWSLogs/", prefix.value.trim_end_matches('/')),
        Setting::Known(_) | Setting::Unsaid => "AWSLogs/".to_owned(),
        Setting::Unknown(_) => String::new(),
    };
    arn::object(bucket.partition(), &bucket.name.value, &prefix)
}

/// Does a selector take the delivery of a file whose ARN begins so?
fn takes(selector: &Selector, begins: &str) -> Told {
    let fields = selector.iter().map(|(field, operator, values)| match field.as_str() {
        "eventCategory" => plain(operator, values, "Data"),
        "resources.type" => plain(operator, values, "AWS::S3::Object"),
        "readOnly" => plain(operator, values, "false"),
        "eventName" => plain(operator, values, "PutObject"),
        "eventSource" => plain(operator, values, "s3.amazonaws.com"),
        "resources.ARN" => by_arn(operator, values, begins),
        _ => Told::Perhaps,
    });
    fields.min().unwrap_or(Told::Perhaps)
}

/// A field whose value is known.
fn plain(operator: &str, values: &BTreeSet<String>, is: &str) -> Told {
    let test = |value: &String| match operator {
        "Equals" | "NotEquals" => value == is,
        "StartsWith" | "NotStartsWith" => is.starts_with(value.as_str()),
        _ => is.ends_with(value.as_str()),
    };
    one_of(operator, values, false, test)
}

/// An ARN of which the beginning is known.
fn by_arn(operator: &str, values: &BTreeSet<String>, begins: &str) -> Told {
    match operator {
        "StartsWith" | "NotStartsWith" => {
            let told = one_of(operator, values, hole::has(begins), |value| begins.starts_with(value.as_str()));
            // some of the files only
            let part = values.iter().any(|value| value.len() > begins.len() && value.starts_with(begins));
            if part && told != (if operator == "StartsWith" { Told::Yes } else { Told::No }) { Told::Perhaps } else { told }
        }
        // a file's whole ARN has its time and a random part
        "Equals" if !values.iter().any(|value| hole::has(value)) => Told::No,
        _ => Told::Perhaps,
    }
}

/// Any value for an operator, none for its opposite. What is not known may be alike: the same unknown is the same text.
fn one_of(operator: &str, values: &BTreeSet<String>, unknown: bool, test: impl Fn(&String) -> bool) -> Told {
    let any = values.iter().any(&test);
    let open = unknown || values.iter().any(|value| hole::has(value));
    match (operator.starts_with("Not"), any, open) {
        (false, true, _) | (true, false, false) => Told::Yes,
        (true, true, _) | (false, false, false) => Told::No,
        _ => Told::Perhaps,
    }
}
