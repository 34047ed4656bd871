//! Trails that exist → trails of a map, where a map can say what they are.
//!
//! A map's trail delivers in its home Region, to the one bucket for trails of an account there; any other stays outside, with the
//! reason. What a map does not say, such as selectors for other data events, stays on the adopted trail, and is said.

use super::{
    adopt::Found,
    events::Events,
    inventory::{Inventory, Known, home, is},
    proposal::{self, Note, Proposal},
};
use crate::{
    analysis::Analysis,
    aws::{arn, limits},
    map::Insight,
    observed::{At, Selection, Setting, Text, Trail, hole},
    plan,
    rules::trails::is_topic,
};
use std::collections::{BTreeMap, BTreeSet};

/// What is known of trails before it is known which log buckets are adopted.
#[derive(Debug, Default)]
pub(super) struct Judged<'a> {
    /// ARN → why the trail can't be in a map.
    pub problems: BTreeMap<String, String>,
    /// ARN → its bucket.
    buckets: BTreeMap<&'a str, &'a Known>,
}

/// Trails of the map.
#[derive(Debug, Default)]
pub(super) struct Planned {
    /// By name.
    pub trails: BTreeMap<String, proposal::Trail>,
    /// ARN → why the trail is not among them.
    pub problems: BTreeMap<String, String>,
    /// The organization's id, and the key of its management account, if a trail needs them.
    pub organization: Option<(String, String)>,
}

/// Judges each trail by itself.
pub(super) fn judge(inventory: &Inventory) -> Judged<'_> {
    let by_name: BTreeMap<&str, &Known> = inventory.buckets.iter().map(|known| (known.name(), known)).collect();
    let mut judged = Judged::default();
    for (arn, trail) in &inventory.trails {
        let bucket = trail.bucket.known().and_then(|bucket| by_name.get(bucket.value.as_str()).copied());
        match problem(trail, bucket, inventory) {
            Some(problem) => {
                judged.problems.insert(arn.clone(), problem);
            }
            None => judged.buckets.extend(bucket.map(|bucket| (arn.as_str(), bucket))),
        }
    }
    judged
}

fn problem(trail: &Trail, bucket: Option<&Known>, inventory: &Inventory) -> Option<String> {
    let Some(name) = trail.bucket.known().map(|bucket| hole::shown(&bucket.value)) else {
        return Some("where it delivers to can't be known here".to_owned());
    };
    let Some(bucket) = bucket else { return Some(format!("it delivers to `{name}`, and no input tells where that bucket is")) };
    if !limits::is_trail_name(&trail.name.value) || !limits::is_account_id(&trail.account) {
        return Some("its name or its ARN is malformed".to_owned());
    }
    if bucket.region != home(trail) {
        return Some(format!(
            "it delivers to `{name}` in `{}`, and a map's trail delivers in its home Region, which is `{}`",
            bucket.region,
            home(trail)
        ));
    }
    if matches!(trail.multi_region, Setting::Unknown(_)) {
        return Some(
            "no input tells whether it records all Regions (`configuration.isMultiRegionTrail` in AWS Config)".to_owned(),
        );
    }
    if matches!(trail.prefix, Setting::Unknown(_)) || known_hole(&trail.prefix) {
        return Some("its prefix can't be known here".to_owned());
    }
    match &trail.key {
        Setting::Unknown(_) => return Some("its KMS key can't be known here".to_owned()),
        Setting::Known(key) if arn::parse(&key.value).is_none_or(|arn| arn.service != "kms" || arn.region != bucket.region) => {
            return Some(format!("its KMS key `{}` is not the ARN of a key in its bucket's Region", hole::shown(&key.value)));
        }
        _ => {}
    }
    if is(&trail.organization, true) && organization_id(trail, bucket, inventory).is_none() {
        return Some(
            "it is the organization's, and no input tells the organization's id; import `aws organizations describe-organization`, too"
                .to_owned(),
        );
    }
    None
}

fn known_hole(setting: &Setting<String>) -> bool {
    setting.known().is_some_and(|text| hole::has(&text.value))
}

/// The organization's id: an input tells it, or the path that the bucket's policy grants.
fn organization_id(trail: &Trail, bucket: &Known, inventory: &Inventory) -> Option<String> {
    let told = inventory
        .organization
        .as_ref()
        .filter(|organization| organization.management.as_ref().is_none_or(|management| management.value == trail.account));
    told.map(|organization| organization.id.value.clone()).or_else(|| {
        let statements = &bucket.bucket.policy.known()?.value.policy.statements;
        let mut resources = statements.iter().flat_map(|statement| statement.resource.inner());
        resources.find_map(|resource| {
            let id = resource.split_once("/AWSLogs/o-")?.1.split('/').next()?;
            let whole = (10..=32).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
            whole.then(|| format!("o-{id}"))
        })
    })
}

/// Trails that are one trail of the map, with their ARNs.
type Alike<'a> = Vec<(&'a str, &'a Trail)>;

/// What trails must share to be one trail of the map.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Likeness {
    name: String,
    organization: bool,
    /// Home Region; `None` if each Region has one.
    home: Option<String>,
    /// Whose bucket; `None` if the writer's own.
    to: Option<String>,
    prefix: String,
    validation: bool,
    /// Of a multi-Region trail.
    key: Option<String>,
}

/// Makes trails of the map, given which log buckets are adopted, and the Regions with sources of each account.
pub(super) fn plan(
    inventory: &Inventory,
    judged: &Judged<'_>,
    chosen: &BTreeMap<(&str, &str), Found<'_>>,
    mapped: &BTreeMap<&str, BTreeSet<&str>>,
    keys: &BTreeMap<String, (String, Option<Note>)>,
) -> Planned {
    let mut planned = Planned::default();
    let mut groups: BTreeMap<Likeness, Alike<'_>> = BTreeMap::new();
    for (arn, bucket) in &judged.buckets {
        let Some(trail) = inventory.trails.get(*arn) else { continue };
        let adopted = chosen.get(&(bucket.account.as_str(), bucket.region.as_str())).and_then(Found::for_trails);
        if adopted.is_none_or(|adopted| adopted.name() != bucket.name()) {
            let why = match adopted {
                Some(adopted) => {
                    format!("it delivers to `{}`, and the bucket for trails there is `{}`", bucket.name(), adopted.name())
                }
                None => format!("it delivers to `{}`, which can't be adopted", bucket.name()),
            };
            planned.problems.insert((*arn).to_owned(), why);
            continue;
        }
        let multi = is(&trail.multi_region, true) || is(&trail.organization, true);
        let likeness = Likeness {
            name: trail.name.value.clone(),
            organization: is(&trail.organization, true),
            home: multi.then(|| home(trail).to_owned()),
            to: (bucket.account != trail.account).then(|| bucket.account.clone()),
            prefix: trail.prefix.known().map_or_else(String::new, |prefix| prefix.value.clone()),
            validation: !matches!(&trail.validation, Setting::Unsaid) && !is(&trail.validation, false),
            key: trail.key.known().filter(|_| multi).map(|key| key.value.clone()),
        };
        groups.entry(likeness).or_default().push((arn, trail));
    }
    // the trail of the account that takes all the others' is one of them
    let own: Vec<Likeness> = groups.keys().filter(|likeness| likeness.to.is_none()).cloned().collect();
    for likeness in own {
        let writers: BTreeSet<&str> =
            groups.get(&likeness).into_iter().flatten().map(|(_, trail)| trail.account.as_str()).collect();
        let Some(only) = writers.first().filter(|_| writers.len() == 1) else { continue };
        let with_others = Likeness { to: Some((*only).to_owned()), ..likeness.clone() };
        if groups.contains_key(&with_others)
            && let Some(trails) = groups.remove(&likeness)
        {
            groups.entry(with_others).or_default().extend(trails);
        }
    }
    let mut by_name: BTreeMap<String, Vec<(Likeness, Alike<'_>)>> = BTreeMap::new();
    for (likeness, trails) in groups {
        by_name.entry(likeness.name.clone()).or_default().push((likeness, trails));
    }
    for (name, mut alike) in by_name {
        // the most common settings first
        alike.sort_by(|a, b| b.1.len().cmp(&a.1.len()).then_with(|| a.0.cmp(&b.0)));
        let mut others = alike.into_iter();
        let Some((likeness, trails)) = others.next() else { continue };
        for (arn, _) in others.flat_map(|(_, trails)| trails) {
            let why = "another trail of this name has other settings, and a map has one trail of a name".to_owned();
            planned.problems.insert(arn.to_owned(), why);
        }
        match make(&likeness, &trails, &inventory.trails_by_code, mapped, keys) {
            Ok(trail) => {
                if likeness.organization {
                    let first = trails.first().and_then(|(arn, trail)| {
                        let id = organization_id(trail, judged.buckets.get(arn)?, inventory)?;
                        Some((id, keys.get(&trail.account)?.0.clone()))
                    });
                    planned.organization = planned.organization.or(first);
                }
                planned.trails.insert(name, trail);
            }
            Err(why) => planned.problems.extend(trails.iter().map(|(arn, _)| ((*arn).to_owned(), why.clone()))),
        }
    }
    planned
}

fn make(
    likeness: &Likeness,
    trails: &[(&str, &Trail)],
    by_code: &BTreeSet<String>,
    mapped: &BTreeMap<&str, BTreeSet<&str>>,
    keys: &BTreeMap<String, (String, Option<Note>)>,
) -> Result<proposal::Trail, String> {
    let place = trails.iter().map(|(_, trail)| trail.anchor).min().unwrap_or_default();
    let key_of =
        |id: &str| keys.get(id).map(|(key, _)| key.clone()).ok_or_else(|| format!("the account `{id}` is not in the map"));
    let mut regions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut keys_by_region: BTreeMap<String, String> = BTreeMap::new();
    for (_, trail) in trails {
        regions.entry(&trail.account).or_default().insert(home(trail));
        if let Some(key) = trail.key.known() {
            let before = keys_by_region.insert(home(trail).to_owned(), key.value.clone());
            if before.is_some_and(|before| before != key.value) {
                return Err("its accounts have KMS keys of their own in one Region".to_owned());
            }
        }
    }
    if likeness.home.is_none() {
        for (account, regions) in &regions {
            if mapped.get(account).is_none_or(|mapped| mapped != regions) {
                return Err(
                    "it records one Region, and a map has such a trail in each Region with sources of its account, or in none"
                        .to_owned(),
                );
            }
        }
        let with_key: BTreeSet<&str> = keys_by_region.keys().map(String::as_str).collect();
        if !with_key.is_empty() && regions.values().any(|regions| !regions.is_subset(&with_key)) {
            return Err("it has a KMS key in some of its Regions only".to_owned());
        }
    }
    let own = trails.iter().filter(|(arn, _)| by_code.contains(*arn));
    let mut notes: Vec<Note> = own
        .map(|(_, trail)| {
            let why = "its own code makes this trail; hand it over, or the two undo each other's settings";
            Note::own_code(trail.anchor, format!("the trail `{}`", trail.name.value), why)
        })
        .collect();
    let feeds = Fed::by_all(trails);
    let events = same(trails, |trail| Events::of(trail.selectors.as_ref()?.told()?)).flatten();
    for (_, trail) in trails {
        notes.extend(feeds.rest_of(trail).into_iter().map(|what| {
            let subject = format!("the {} of the trail `{}`", what.value, trail.name.value);
            Note::left_out(what.place, subject, "the map does not say it; it stays on the trail, which is adopted")
        }));
        notes.extend(trail.selectors.as_ref().filter(|_| events.is_none()).map(|selection| unsaid(&trail.name.value, selection)));
    }
    let own = trails.iter().filter_map(|(arn, trail)| Some(((*arn).to_owned(), trail.selectors.clone()?)));
    let selectors = own.filter(|_| events.is_some()).collect();
    Ok(proposal::Trail {
        place,
        organization: likeness.organization,
        accounts: regions.keys().map(|id| key_of(id)).collect::<Result<_, _>>()?,
        buckets: trails.iter().filter_map(|(_, trail)| Some(trail.bucket.known()?.value.clone())).collect(),
        home_region: likeness.home.clone(),
        deliver_to: likeness.to.as_deref().map(key_of).transpose()?,
        prefix: likeness.prefix.clone(),
        keys: keys_by_region,
        validation: likeness.validation,
        logs: feeds.logs,
        topic: feeds.topic,
        insights: feeds.insights,
        events,
        selectors,
        notes,
    })
}

/// That the map does not say which events a trail records.
fn unsaid(name: &str, selection: &Selection) -> Note {
    let why = match selection.told() {
        Some(_) => "the map can't say it; it stays on the trail, which is adopted",
        None => {
            "no input tells it, and it stays on the trail, which is adopted; import what `aws cloudtrail get-event-selectors` prints, too"
        }
    };
    Note::left_out(selection.place, format!("the selection of events of the trail `{name}`"), why)
}

/// Takes out of the proposal which events a trail records, where the map would make it record others; was there such a trail?
pub(super) fn unsay(proposal: &mut Proposal, analysis: &Analysis) -> bool {
    let Some(plan) = &analysis.plan else { return false };
    let planned: BTreeMap<&str, &plan::Trail> = plan.trails().map(|(_, trail)| (trail.arn.as_str(), trail)).collect();
    let mut changed = false;
    for (name, trail) in &mut proposal.trails {
        let others = |(arn, selection): (&String, &Selection)| {
            let planned = planned.get(arn.as_str());
            planned.zip(selection.told()).is_some_and(|(planned, selectors)| !planned.records(selectors))
        };
        if trail.events.is_some() && trail.selectors.iter().any(others) {
            trail.events = None;
            trail.notes.extend(trail.selectors.values().map(|selection| unsaid(name, selection)));
            changed = true;
        }
    }
    changed
}

/// What trails feed beside their buckets, as a map says it: the same for all of them.
#[derive(Debug, Default)]
struct Fed {
    /// Names of the log group and of the role.
    logs: Option<(String, String)>,
    /// Name or ARN of the topic.
    topic: Option<String>,
    insights: Vec<Insight>,
}

impl Fed {
    fn by_all(trails: &[(&str, &Trail)]) -> Fed {
        Fed {
            logs: same(trails, logs).flatten(),
            topic: same(trails, topic).flatten(),
            insights: same(trails, insights).unwrap_or_default(),
        }
    }

    /// What a trail has that the map does not say, in words.
    fn rest_of(&self, trail: &Trail) -> Vec<Text> {
        let feeds = &trail.feeds;
        let named = |what: &str, text: &Option<Text>, is_said: bool| {
            let text = text.as_ref().filter(|text| !text.value.is_empty() && !is_said)?;
            let name = if hole::has(&text.value) { what.to_owned() } else { format!("{what} `{}`", hole::shown(&text.value)) };
            Some(At { value: name, place: text.place })
        };
        let insights = feeds.insights.filter(|_| self.insights.is_empty());
        let insights = insights.map(|place| At { value: "Insights setting".to_owned(), place });
        let logs = named("log group", &feeds.log_group, self.logs.is_some());
        [logs, named("topic", &feeds.topic, self.topic.is_some()), insights].into_iter().flatten().collect()
    }
}

/// What all trails have alike.
fn same<T: PartialEq>(trails: &[(&str, &Trail)], of: impl Fn(&Trail) -> T) -> Option<T> {
    let mut all = trails.iter().map(|(_, trail)| of(trail));
    let first = all.next()?;
    all.all(|other| other == first).then_some(first)
}

/// A text that is there and known.
fn told(text: &Option<Text>) -> Option<&str> {
    text.as_ref().map(|text| text.value.as_str()).filter(|text| !text.is_empty() && !hole::has(text))
}

/// The log group and the role, by names that the map makes the same ARNs of.
fn logs(trail: &Trail) -> Option<(String, String)> {
    let group = told(&trail.feeds.log_group).and_then(arn::parse)?;
    let role = told(&trail.feeds.log_role).and_then(arn::parse)?;
    let name = group.resource.strip_prefix("log-group:")?.strip_suffix(":*")?;
    let role_name = role.resource.strip_prefix("role/")?;
    let is_here = (group.service, group.region, group.account) == ("logs", home(trail), trail.account.as_str())
        && (role.service, role.account) == ("iam", trail.account.as_str());
    (is_here && limits::is_log_group_name(name) && limits::is_role_name(role_name))
        .then(|| (name.to_owned(), role_name.to_owned()))
}

/// The topic: its name if it is the trail's own account's and Region's, else its ARN.
fn topic(trail: &Trail) -> Option<String> {
    let text = told(&trail.feeds.topic).filter(|text| is_topic(text))?;
    let own = arn::parse(text).filter(|arn| (arn.region, arn.account) == (home(trail), trail.account.as_str()));
    Some(own.map_or(text, |arn| arn.resource).to_owned())
}

/// The Insights; none if one of them is not known to a map.
fn insights(trail: &Trail) -> Vec<Insight> {
    let known = |name: &String| [Insight::CallRate, Insight::ErrorRate].into_iter().find(|insight| insight.api() == name);
    trail.feeds.insight_types.iter().map(known).collect::<Option<BTreeSet<_>>>().unwrap_or_default().into_iter().collect()
}
