//! The sources of a placement: are they there, and do they log where the map says, under the keys that it says?

use super::{
    Kind, Out, State,
    world::{Found, Place},
};
use crate::{
    catalog::live::{LOG_KEYS, LOGS_ELSEWHERE, NOT_LOGGING, SOURCE_PLACE},
    diagnostics::Finding,
    escape::shown,
    plan::Source,
    snapshot::{BucketReading, Reading, child, text},
    source::Span,
};

pub(super) fn check(place: &Place<'_>, out: &mut Out<'_>) {
    for source in &place.placement.sources {
        let before = out.on_map.len();
        let state = one(place, source, out);
        out.known(Kind::Source, state, before);
    }
}

fn one(place: &Place<'_>, source: &Source, out: &mut Out<'_>) -> State {
    let (account, region) = (place.account.key.as_str(), place.placement.region.as_str());
    let span = |out: &Out<'_>| match source.is_log_bucket {
        true => out.map.log_bucket(account, region),
        false => out.map.source(account, region, &source.name),
    };
    let live = match place.find(&source.name) {
        Found::Here(live) => live,
        // of a log bucket that is said already
        Found::Elsewhere(_) | Found::Nowhere if source.is_log_bucket => return State::Drifted,
        Found::Elsewhere(where_) => {
            let message =
                format!("`{}` is {where_}, and the map has it in `{region}` of account `{}`", source.name, place.account.id);
            let help = "put it where it is in the map; `logmap runbook` plans the way there";
            out.found(Finding::new(&SOURCE_PLACE, span(out), message).help(help));
            return State::Drifted;
        }
        Found::Nowhere => {
            let message = format!("`{}` is not in account `{}`", source.name, place.account.id);
            let help = "take it out of the map, or put it where it is";
            out.found(Finding::new(&SOURCE_PLACE, span(out), message).help(help));
            return State::Drifted;
        }
        Found::Unknown => {
            out.unread.is(account, region, &source.name, "listing", place.live.account.rest_of_list());
            return State::Unknown;
        }
    };
    let reading = live.reading("logging");
    if out.unread.is(account, region, &source.name, "logging", reading) {
        return State::Unknown;
    }
    let at = span(out);
    match logging(place, source, live, reading, at) {
        None => State::AsMapped,
        Some(finding) => {
            out.found(finding);
            State::Drifted
        }
    }
}

fn logging(place: &Place<'_>, source: &Source, live: &BucketReading<'_>, reading: Reading<'_>, span: Span) -> Option<Finding> {
    let finding = |rule, message: String| {
        let finding = place.finding(rule, span, live.span, message);
        let elsewhere = "other code sets its logging (`logging: external`): change it there";
        Some(if source.managed { finding } else { finding.help(elsewhere) })
    };
    let name = &source.name;
    let Some(target) = reading.text(&["LoggingEnabled", "TargetBucket"]) else {
        return finding(&NOT_LOGGING, format!("`{name}` logs nowhere, and the map has it log to `{}`", source.log_bucket));
    };
    if target != &*source.log_bucket {
        let message = format!("`{name}` logs to `{}`, and the map has it log to `{}`", shown::line(target), source.log_bucket);
        return finding(&LOGS_ELSEWHERE, message);
    }
    let prefix = reading.text(&["LoggingEnabled", "TargetPrefix"]).unwrap_or_default();
    let layout = layout(reading);
    let wanted = source.key_format.partition_date_source();
    if prefix == &*source.prefix && layout.as_deref() == wanted {
        return None;
    }
    let words = |prefix: &str, layout: Option<&str>| match layout {
        None => format!("`{}` as one flat list", shown::line(prefix)),
        Some(date) => format!("`{}`, partitioned by `{}`", shown::line(prefix), shown::line(date)),
    };
    let message = format!(
        "`{name}` logs to `{}` under {}, and the map has it under {}",
        source.log_bucket,
        words(prefix, layout.as_deref()),
        words(&source.prefix, wanted)
    );
    finding(&LOG_KEYS, message)
}

/// `PartitionDateSource` of partitioned keys, which is `EventTime` where it is not said (S3 API reference, `PartitionedPrefix`).
pub(super) fn layout(reading: Reading<'_>) -> Option<String> {
    let partitioned = reading.at(&["LoggingEnabled", "TargetObjectKeyFormat", "PartitionedPrefix"])?;
    Some(text(child(partitioned, "PartitionDateSource")).unwrap_or(crate::observed::DEFAULT_DATE_SOURCE).to_owned())
}
