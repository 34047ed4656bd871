//! The trails of a placement: are they there, do they record, and what the map says?

use super::{Kind, Out, State, world::Place};
use crate::{
    catalog::live::{TRAIL_DIFFERS, TRAIL_MISSING, TRAIL_STOPPED},
    diagnostics::Finding,
    document::Node,
    escape::shown,
    observed::dumps::value_of,
    plan::{Trail, selectors::meaning},
    snapshot::{Reading, child, items, reading, text},
};

pub(super) fn check(place: &Place<'_>, out: &mut Out<'_>) {
    for trail in &place.placement.trails {
        let before = out.on_map.len();
        let state = one(place, trail, out);
        out.known(Kind::Trail, state, before);
    }
}

/// A trail as the snapshot has it in its home Region; nothing if CloudTrail does not list it there.
pub(super) fn find<'n>(place: &Place<'n>, trail: &Trail) -> Result<Option<&'n Node>, Reading<'n>> {
    let region = place.live.account.regions.get(place.placement.region.as_str());
    let reading = region.map_or(Reading::Missing, |region| region.reading("trails"));
    match reading {
        Reading::Is(list) => {
            let arn =
                |item: &&Node| text(child(item, "trail").and_then(|trail| child(trail, "TrailARN"))) == Some(trail.arn.as_str());
            Ok(items(Some(list)).iter().find(arn))
        }
        Reading::Nothing => Ok(None),
        unread => Err(unread),
    }
}

fn one(place: &Place<'_>, trail: &Trail, out: &mut Out<'_>) -> State {
    let (account, region) = (place.account.key.as_str(), place.placement.region.as_str());
    let live = match find(place, trail) {
        Ok(live) => live,
        Err(unread) => {
            out.unread.is(account, region, &trail.name, "trails", unread);
            return State::Unknown;
        }
    };
    let span = out.map.trail(&trail.name, account);
    let Some(live) = live else {
        let message = format!("the trail `{}` is not in `{region}` of account `{}`", trail.name, place.account.id);
        out.found(Finding::new(&TRAIL_MISSING, span, message).help(place.mend));
        return State::Drifted;
    };
    let before = out.on_map.len();
    let finding = |rule, message: String| place.finding(rule, span, live.span, message);
    let differing = settings(trail, Reading::Is(live));
    if !differing.is_empty() {
        let words = crate::text::few(&differing, 4);
        out.found(finding(&TRAIL_DIFFERS, format!("the trail `{}` has other settings than the map: {words}", trail.name)));
    }
    let mut whole = true;
    if trail.kms_key_arn.as_deref().is_some_and(is_alias) && Reading::Is(live).text(&["trail", "KmsKeyId"]).is_some() {
        let why = "nobody asked which key the alias of the map is: write the key's ARN into the map";
        out.unread.note(account, region, &trail.name, "key", Some((why.to_owned(), String::new())));
        whole = false;
    }
    let status = status(live, region);
    if out.unread.is(account, region, &trail.name, "status", status) {
        whole = false;
    } else if status.text(&["IsLogging"]) != Some("true") {
        out.found(finding(&TRAIL_STOPPED, format!("the trail `{}` does not record", trail.name)));
    }
    let selectors = reading(live, "selectors");
    if out.unread.is(account, region, &trail.name, "selectors", selectors) {
        whole = false;
    } else if let Some(words) = events(trail, selectors) {
        out.found(finding(&TRAIL_DIFFERS, format!("the trail `{}` {words}", trail.name)));
    }
    if !trail.insights.is_empty() {
        let insights = reading(live, "insights");
        if out.unread.is(account, region, &trail.name, "insights", insights) {
            whole = false;
        } else {
            let has: Vec<&str> =
                items(insights.at(&["InsightSelectors"])).iter().filter_map(|one| text(child(one, "InsightType"))).collect();
            let missing: Vec<&str> =
                trail.insights.iter().map(|insight| insight.api()).filter(|word| !has.contains(word)).collect();
            if !missing.is_empty() {
                let words = crate::diagnostics::few(&missing, 4);
                out.found(finding(&TRAIL_DIFFERS, format!("the trail `{}` does not look for {words}", trail.name)));
            }
        }
    }
    out.state(before, whole)
}

/// What `GetTrailStatus` answers in a Region.
pub(super) fn status<'n>(trail: &'n Node, region: &str) -> Reading<'n> {
    Reading::of(reading(trail, "status").at(&[region]))
}

/// CloudTrail gives the ARN of a key back, whatever named it (CloudTrail API reference, `Trail`).
fn is_alias(key: &str) -> bool {
    key.contains(":alias/")
}

/// Settings of a trail that differ, in words.
fn settings(trail: &Trail, live: Reading<'_>) -> Vec<String> {
    let is = |key: &str| live.text(&["trail", key]).unwrap_or_default();
    let mut words = Vec::new();
    let mut text = |what: &str, key: &str, wanted: &str| {
        let is = is(key);
        if is != wanted {
            let shown = |value: &str| if value.is_empty() { "none".to_owned() } else { format!("`{}`", shown::line(value)) };
            words.push(format!("{what} is {}, not {}", shown(is), shown(wanted)));
        }
    };
    text("its bucket", "S3BucketName", &trail.bucket);
    text("its prefix", "S3KeyPrefix", &trail.prefix);
    let key = trail.kms_key_arn.as_deref().unwrap_or_default();
    if !(is_alias(key) && is("KmsKeyId").contains(":key/")) {
        text("its KMS key", "KmsKeyId", key);
    }
    // what an adopted trail feeds beside the map's stays
    if let Some(group) = &trail.log_group {
        text("its log group", "CloudWatchLogsLogGroupArn", &group.arn);
        text("its role", "CloudWatchLogsRoleArn", &group.role_arn);
    }
    if let Some(topic) = &trail.topic {
        text("its topic", "SnsTopicARN", &topic.arn);
    }
    for (key, wanted, yes, no) in [
        ("IsMultiRegionTrail", trail.multi_region, "it records one Region, not all", "it records all Regions, not one"),
        (
            "IsOrganizationTrail",
            trail.organization,
            "it records one account, not the organization",
            "it records the organization, not one account",
        ),
        ("LogFileValidationEnabled", trail.log_file_validation, "it delivers no digest files", "it delivers digest files"),
    ] {
        if (is(key) == "true") != wanted {
            words.push(if wanted { yes } else { no }.to_owned());
        }
    }
    words
}

/// How the recorded events differ, in words.
fn events(trail: &Trail, live: Reading<'_>) -> Option<String> {
    let advanced =
        live.at(&["AdvancedEventSelectors"]).map(value_of).filter(|list| list.as_array().is_some_and(|list| !list.is_empty()));
    let basic = items(live.at(&["EventSelectors"]));
    match (trail.selectors(), advanced) {
        (Some(wanted), Some(is)) if meaning(&wanted) == meaning(&is) => None,
        (Some(_), Some(_)) => Some("records other events than the map: its advanced event selectors differ".to_owned()),
        (Some(_), None) => Some("records other events than the map: it has no advanced event selectors".to_owned()),
        // what an adopted trail records beside the map's stays
        (None, _) if trail.adopt => None,
        (None, Some(_)) => Some(
            "records other events than the map: it has advanced event selectors, and the map has all management events"
                .to_owned(),
        ),
        (None, None) => {
            let all = |selector: &Node| {
                text(child(selector, "ReadWriteType")).is_none_or(|word| word == "All")
                    && text(child(selector, "IncludeManagementEvents")).is_none_or(|word| word == "true")
                    && items(child(selector, "ExcludeManagementEventSources")).is_empty()
            };
            (!basic.is_empty() && !basic.iter().any(all)).then(|| "does not record all management events".to_owned())
        }
    }
}
