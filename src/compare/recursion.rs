//! Does a trail record its own deliveries, or do trails record each other's? Each is then an event, which is delivered: it never ends, and
//! every event is charged for.
//!
//! CloudTrail writes by `PutObject`, which is a data event of the bucket's account (CloudTrail user guide, "Logging data events"; for the
//! loop S3 user guide, "CloudTrail data events"). `RecursiveLogging: false` leaves out what CloudTrail itself puts, for whichever trail
//! (CloudTrail user guide, "Suppressing recursive events with recursive logging").

use super::{Configuration, World, finding, name_of, related};
use crate::{
    aws::arn,
    catalog::observed::TRAIL_LOOP,
    diagnostics,
    observed::{At, Bucket, Selection, Setting, Trail, hole},
    plan::selectors::{Selector, meaning},
};
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet, VecDeque},
};

/// Steps that the search for circles may take, each a value that is held against a delivery, or an edge that is followed: a second of
/// time. Inputs that take more are no one's.
const MOST_STEPS: usize = 10_000_000;
const TOO_MANY: &str = "whether trails record each other's deliveries in a circle: there are too many of them";
/// Trails of one circle that are named.
const MOST_NAMED: usize = 20;

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
    let selection = selection_of(world, trail, own);
    let Some(selectors) = &selection.selectors else {
        return configuration.doubt(
            "the trail's event selectors, which may take its own deliveries, are not known here; `aws cloudtrail get-event-selectors` prints them"
                .to_owned(),
        );
    };
    let begins = beginning(trail, bucket);
    let takes = any_takes(&meaning(selectors), &begins);
    let here = here(trail, bucket);
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

/// What an answer of its own tells of a trail's selectors counts.
fn selection_of<'a>(world: &World<'a>, trail: &Trail, own: &'a Selection) -> &'a Selection {
    world.selections.get(trail.arn.as_str()).map_or(own, |answer| *answer)
}

/// Are events of a bucket's objects those that a trail may record? Another account's events are its own trails'.
fn here(trail: &Trail, bucket: &Bucket) -> Told {
    match (&bucket.account, &trail.organization) {
        (_, Setting::Known(At { value: true, .. })) => Told::Yes,
        (Some(account), _) if account.value == trail.account => Told::Yes,
        (Some(account), _) if hole::has(&account.value) || hole::has(&trail.account) => Told::Perhaps,
        (Some(_), Setting::Known(_) | Setting::Unsaid) => Told::No,
        _ => Told::Perhaps,
    }
}

fn any_takes(selectors: &BTreeSet<Selector>, begins: &str) -> Told {
    selectors.iter().map(|selector| takes(selector, begins)).max().unwrap_or(Told::No)
}

/// A trail that delivers, and may record deliveries.
struct Party<'a> {
    /// Which of the trails it is.
    at: usize,
    trail: &'a Trail,
    selection: &'a Selection,
    selectors: BTreeSet<Selector>,
    bucket: Cow<'a, Bucket>,
    /// How its files begin.
    begins: String,
    /// Values of its selectors, each of which is held against a delivery.
    weight: usize,
    /// Its own deliveries are found to be recorded.
    records_itself: bool,
}

/// Adds the circles in which trails record each other's deliveries to the trails' configurations, which stand in their order.
pub(super) fn circles(world: &World<'_>, trails: &[Trail], configurations: &mut [Configuration]) {
    let parties = parties(world, trails);
    let mut doubt = |party: Option<&Party<'_>>, what: &str| {
        if let Some(configuration) = party.and_then(|party| configurations.get_mut(party.at)) {
            configuration.doubt(what);
        }
    };
    let mut left = MOST_STEPS;
    let Some(recorded) = recorded(&parties, &mut left) else {
        return parties.iter().for_each(|party| doubt(Some(party), TOO_MANY));
    };
    let edges = |least: Told| {
        let those = |of: &Vec<(usize, Told)>| of.iter().filter(|(_, told)| *told >= least).map(|(other, _)| *other).collect();
        recorded.iter().map(those).collect::<Vec<Vec<usize>>>()
    };
    let mut told = BTreeSet::new();
    let mut found = Vec::new();
    for least in [Told::Yes, Told::Perhaps] {
        let edges = pruned(edges(least));
        let mut covered = told.clone();
        for start in 0..parties.len() {
            if covered.contains(&start) || edges.get(start).is_none_or(Vec::is_empty) {
                continue;
            }
            let circle = shortest(&edges, start, &mut left);
            covered.extend(circle.iter().flatten().copied());
            match (circle, least) {
                (Some(circle), Told::Yes) => {
                    told.extend(circle.iter().copied());
                    found.push(circle);
                }
                (Some(circle), _) => {
                    let unsure = circle.iter().filter(|at| !told.contains(at));
                    unsure.for_each(|at| doubt(parties.get(*at), "whether trails record each other's deliveries in a circle"));
                }
                (None, _) if left == 0 => doubt(parties.get(start), TOO_MANY),
                (None, _) => {}
            }
        }
    }
    // of findings of one rule at one place one is shown: where a trail has one of its own, a circle begins with another
    let mut heads: BTreeSet<usize> = BTreeSet::new();
    for mut circle in found {
        let free = |at: &usize| parties.get(*at).is_some_and(|party| !party.records_itself) && !heads.contains(at);
        let head = circle.iter().position(free).unwrap_or(0);
        circle.rotate_left(head);
        heads.extend(circle.first().copied());
        let circle: Vec<&Party<'_>> = circle.iter().filter_map(|at| parties.get(*at)).collect();
        report(&circle, configurations);
    }
}

/// The trails that deliver and record data events, each once: several inputs may tell of one.
fn parties<'a>(world: &'a World<'a>, trails: &'a [Trail]) -> Vec<Party<'a>> {
    let party = |(at, trail): (usize, &'a Trail)| {
        let (target, _) = name_of(trail.bucket.known()?);
        let is_off = matches!(trail.logging, Setting::Known(At { value: false, .. }));
        let leaves_out = matches!(trail.recursive, Setting::Known(At { value: false, .. }));
        let selection = selection_of(world, trail, trail.selectors.as_ref()?);
        let selectors = meaning(selection.selectors.as_ref().filter(|_| !is_off && !leaves_out)?);
        let bucket = world.bucket(&target);
        let begins = beginning(trail, &bucket);
        let records_itself = any_takes(&selectors, &begins).min(here(trail, &bucket)) == Told::Yes;
        let weight = selectors.iter().flatten().map(|(_, _, values)| values.len()).sum::<usize>() + 1;
        Some(Party { at, trail, selection, selectors, bucket, begins, weight, records_itself })
    };
    let mut parties: Vec<Party<'_>> = trails.iter().enumerate().filter_map(party).collect();
    // whatever the order of the inputs
    parties.sort_by(|a, b| (&a.trail.arn, a.selection.place).cmp(&(&b.trail.arn, b.selection.place)));
    parties.dedup_by(|a, b| a.trail.arn == b.trail.arn);
    parties
}

/// Of each trail the others whose deliveries it records; nothing if there are too many to tell.
fn recorded(parties: &[Party<'_>], left: &mut usize) -> Option<Vec<Vec<(usize, Told)>>> {
    let mut by_account: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, party) in parties.iter().enumerate() {
        by_account.entry(party.bucket.account.as_ref().map_or("", |account| &account.value)).or_default().push(at);
    }
    let all: Vec<usize> = (0..parties.len()).collect();
    let of = |party: &Party<'_>| {
        let of_organization = matches!(party.trail.organization, Setting::Known(At { value: true, .. }));
        // whose the events are is told: of two templates nobody says that they are for one account
        let others = if of_organization { Some(&all) } else { by_account.get(party.trail.account.as_str()) };
        *left = left.checked_sub(others.map_or(0, Vec::len).saturating_mul(party.weight))?;
        let told = others.into_iter().flatten().filter_map(|at| {
            let other = parties.get(*at).filter(|other| other.at != party.at)?;
            // is mended by what is said of its own deliveries
            let is_said = party.records_itself && party.bucket.name.value == other.bucket.name.value;
            let unsure = matches!(party.trail.recursive, Setting::Unknown(_));
            let told = any_takes(&party.selectors, &other.begins)
                .min(if unsure { Told::Perhaps } else { Told::Yes })
                .min(in_region(party.trail, &other.bucket));
            (told > Told::No && !is_said).then_some((*at, told))
        });
        Some(told.collect())
    };
    parties.iter().map(of).collect()
}

/// A trail of one Region records events of that Region (CloudTrail user guide, "Using the create-trail command"), and objects' are of their bucket's.
fn in_region(trail: &Trail, bucket: &Bucket) -> Told {
    let home = arn::parse(&trail.arn).map(|arn| arn.region).unwrap_or_default();
    match (&trail.multi_region, &bucket.region) {
        (Setting::Known(At { value: true, .. }), _) => Told::Yes,
        (_, Some(region)) if region.value == home => Told::Yes,
        (Setting::Known(_) | Setting::Unsaid, Some(region)) if !hole::has(&region.value) && !hole::has(home) => Told::No,
        _ => Told::Perhaps,
    }
}

/// The edges without those to where none leads on, and from where none leads to: they are in no circle.
fn pruned(edges: Vec<Vec<usize>>) -> Vec<Vec<usize>> {
    let once = |edges: &[Vec<usize>]| {
        let mut back: Vec<Vec<usize>> = vec![Vec::new(); edges.len()];
        for (at, others) in edges.iter().enumerate() {
            for other in others {
                if let Some(back) = back.get_mut(*other) {
                    back.push(at);
                }
            }
        }
        let mut on: Vec<usize> = edges.iter().map(Vec::len).collect();
        let mut ends: Vec<usize> = (0..edges.len()).filter(|at| on.get(*at) == Some(&0)).collect();
        while let Some(end) = ends.pop() {
            for at in back.get(end).into_iter().flatten() {
                let Some(on) = on.get_mut(*at) else { continue };
                *on -= 1;
                if *on == 0 {
                    ends.push(*at);
                }
            }
        }
        let lives = |at: &usize| on.get(*at).is_some_and(|on| *on > 0);
        let kept =
            |(at, from): (usize, Vec<usize>)| if lives(&at) { from.into_iter().filter(lives).collect() } else { Vec::new() };
        back.into_iter().enumerate().map(kept).collect::<Vec<Vec<usize>>>()
    };
    // what comes back is turned round, and turned once more
    once(&once(&edges))
}

/// The shortest circle through a node; none if it is in no circle, or no steps are left.
fn shortest(edges: &[Vec<usize>], start: usize, left: &mut usize) -> Option<Vec<usize>> {
    let mut before: BTreeMap<usize, usize> = BTreeMap::new();
    let mut next = VecDeque::from([start]);
    while let Some(at) = next.pop_front() {
        let others = edges.get(at)?;
        *left = left.saturating_sub(others.len());
        if *left == 0 {
            return None;
        }
        for other in others {
            if *other == start {
                let mut circle = vec![at];
                while let Some(last) = circle.last().filter(|last| **last != start) {
                    circle.push(*before.get(last)?);
                }
                circle.reverse();
                return Some(circle);
            }
            if !before.contains_key(other) {
                before.insert(*other, at);
                next.push_back(*other);
            }
        }
    }
    None
}

/// Says it of each trail of a circle, in which each records the deliveries of the next, at the first.
fn report(order: &[&Party<'_>], configurations: &mut [Configuration]) {
    let name = |party: &Party<'_>| hole::shown(&party.trail.name.value);
    let bucket = |party: &Party<'_>| hole::shown(&party.bucket.name.value);
    let names: Vec<String> = order.iter().map(|party| name(party)).collect();
    let names = match names.len() {
        ..=MOST_NAMED => diagnostics::list(names.iter().map(String::as_str)),
        _ => diagnostics::few(&names, MOST_NAMED),
    };
    let (Some(first), Some(second)) = (order.first(), order.get(1)) else { return };
    let object = arn::object(second.bucket.partition(), &second.bucket.name.value, "");
    let message = format!("the trails {names} record each other's deliveries in a circle");
    let mut found = finding(&TRAIL_LOOP, first.selection.place, message).help(format!(
        "each delivery of one is an event that another delivers, and is charged for, without end; leave the log buckets out of their data events, at least `{}` out of those of `{}`: `resources.ARN` with `NotStartsWith: [{}]`",
        bucket(second),
        name(first),
        hole::shown(&object)
    ));
    for (at, party) in order.iter().enumerate().take(MOST_NAMED).skip(1) {
        let Some(next) = order.get((at + 1) % order.len()) else { continue };
        let message = format!(
            "`{}` delivers to `{}` and records what `{}` delivers to `{}`",
            name(party),
            bucket(party),
            name(next),
            bucket(next)
        );
        found = related(found, party.selection.place, message);
    }
    for party in order {
        if let Some(configuration) = configurations.get_mut(party.at) {
            configuration.findings.push(found.clone());
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
