//! The page: everything about a topology in one file that asks the network for nothing.
//!
//! Its data is JSON in an element that is not run; the page's own script puts it on the screen as text, never as markup. The
//! policy of the page lets nothing run or be loaded but that script and that style, by their hashes.

use super::{Engine, HTML, MADE_BY, layout, measure, picture::Picture, words};
use crate::{
    aws::region,
    escape,
    plan::{self, LifecycleRule, Placement, Source, prove},
    policy::{Policy, compose::SenderGrant},
    topology::{
        Area, Topology,
        marks::{Check, Held, Mark, Reason},
    },
};
use anyhow::{Result, anyhow};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Colours, each for light and for dark.
pub(super) const THEME: &str = include_str!("../../../templates/graph/theme.css");
/// How the parts of a picture look.
pub(super) const PICTURE: &str = include_str!("../../../templates/graph/picture.css");
/// How the page looks.
pub(super) const PAGE: &str = include_str!("../../../templates/graph/page/page.css");
/// What the page does: the parts of one script, in order.
pub(super) const SCRIPT: [&str; 4] = [
    include_str!("../../../templates/graph/page/model.js"),
    include_str!("../../../templates/graph/page/list.js"),
    include_str!("../../../templates/graph/page/details.js"),
    include_str!("../../../templates/graph/page/controls.js"),
];
/// Stands in the rendered template for the data; nothing of a map comes after it.
const DATA: &str = "@@data@@";
/// With more areas than this the picture is folded away at first.
const OPEN_AREAS: usize = 24;
/// So many accounts of a sender are named: a thousand buckets may each have a thousand.
const NAMED_ACCOUNTS: usize = 20;

/// What `graph/topology.html` gets.
#[derive(Serialize)]
struct PageContext {
    title: String,
    made_by: String,
    counts: String,
    /// What was read, and how much of it is as the map says; nothing without a snapshot.
    reading: Option<String>,
    style_hash: String,
    script_hash: String,
    open: bool,
    picture: Picture,
    style: String,
}

/// What the page's script gets.
#[derive(Serialize)]
struct Data<'a> {
    checked: bool,
    /// Were things held against what runs?
    held: bool,
    accounts: Vec<AccountData<'a>>,
    /// What is said of nodes, each once.
    marks: Vec<MarkData<'a>>,
    /// Account, Region and trail, then account, Region and bucket, each as an index.
    deliveries: Vec<[usize; 6]>,
    /// Account, Region and log bucket, then those of the archive, each as an index.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    copies: Vec<[usize; 6]>,
    unplaced: Vec<CheckData<'a>>,
}

#[derive(Serialize)]
struct AccountData<'a> {
    key: &'a str,
    id: &'a str,
    partition: &'static str,
    #[serde(skip_serializing_if = "is_false")]
    guarded: bool,
    regions: Vec<RegionData<'a>>,
}

#[derive(Serialize)]
struct RegionData<'a> {
    name: &'a str,
    place: &'static str,
    asked: bool,
    #[serde(skip_serializing_if = "is_false")]
    silent: bool,
    groups: Vec<Group<'a>>,
    buckets: Vec<BucketData<'a>>,
    trails: Vec<TrailData<'a>>,
}

/// Sources that differ in nothing but their names.
#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord, Clone)]
struct GroupKey<'a> {
    prefix: &'a str,
    /// `{name}/` follows the prefix.
    own: bool,
    managed: bool,
}

#[derive(Serialize)]
struct Group<'a> {
    #[serde(flatten)]
    key: GroupKey<'a>,
    /// The key format, as the map spells it, and how keys lie.
    format: String,
    /// The rest of a log object's key, with `{source}` for the source's name.
    rest: String,
    /// The statement that lets them in.
    sid: &'a str,
    names: Vec<&'a str>,
    /// Which of the marks each has; empty if none has one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    marks: Vec<Option<usize>>,
}

#[derive(Serialize)]
struct BucketData<'a> {
    name: &'a str,
    arn: &'a str,
    takes: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    senders: Vec<SenderData<'a>>,
    access: bool,
    adopted: bool,
    regional: bool,
    versioning: bool,
    lock: String,
    tags: Vec<(&'a String, &'a String)>,
    lifecycle: &'a [LifecycleRule],
    policy: &'a Policy,
    tier: String,
    used: usize,
    left: usize,
    notes: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    mark: Option<usize>,
}

/// A service that may write logs of its own.
#[derive(Serialize)]
struct SenderData<'a> {
    service: &'static str,
    folder: String,
    /// Ids of the first accounts for which it writes.
    accounts: &'a [String],
    more: usize,
}

#[derive(Serialize)]
struct TrailData<'a> {
    #[serde(flatten)]
    trail: &'a plan::Trail,
    says: String,
    folder: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    mark: Option<usize>,
}

#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord, Clone)]
struct MarkData<'a> {
    /// The class of its look.
    look: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    check: Option<CheckData<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    held: Option<HeldData<'a>>,
}

#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord, Clone)]
struct CheckData<'a> {
    verdict: &'static str,
    words: &'a str,
    reasons: &'a [Reason],
}

/// What drift says.
#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord, Clone)]
struct HeldData<'a> {
    /// The class of its look, whatever a check says.
    look: &'static str,
    /// Whether it is as the map says, in words.
    state: &'static str,
    /// Whether logs arrive, in words, and the verdict alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    delivery: Option<(String, &'static str)>,
    findings: Vec<&'a Reason>,
    unread: &'a [String],
    taken_at: Option<&'a str>,
}

/// The marks of a page, each once: in most maps most sources have the same.
#[derive(Default)]
struct MarkTable<'a> {
    all: Vec<MarkData<'a>>,
    index: BTreeMap<MarkData<'a>, usize>,
}

impl<'a> MarkTable<'a> {
    fn of(&mut self, found: Option<&'a Mark>) -> Option<usize> {
        let data = mark(found?);
        Some(match self.index.get(&data) {
            Some(at) => *at,
            None => {
                self.all.push(data.clone());
                self.index.insert(data, self.all.len() - 1);
                self.all.len() - 1
            }
        })
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_false(value: &bool) -> bool {
    !value
}

/// Renders the page.
///
/// # Errors
/// Never with the built-in template.
pub(super) fn render(engine: &Engine, topology: &Topology<'_>, map_name: &str) -> Result<String> {
    let (picture, _) = super::picture(topology, map_name, true);
    let context = PageContext {
        title: measure::shown(map_name),
        made_by: format!("{MADE_BY} {}", measure::shown(map_name)),
        counts: layout::counts(topology.counts()),
        reading: words::reading(topology),
        style_hash: hash(&[THEME, PICTURE, PAGE]),
        script_hash: hash(&SCRIPT),
        open: topology.areas.len() <= OPEN_AREAS,
        picture,
        style: String::new(),
    };
    let page = engine.render(HTML, &context)?;
    let (before, after) = page.rsplit_once(DATA).ok_or_else(|| anyhow!("the page has no place for its data"))?;
    Ok([before, &escape::script(&data(topology)), after].concat())
}

fn data<'a>(topology: &'a Topology<'a>) -> Data<'a> {
    let mut accounts: Vec<AccountData<'_>> = Vec::new();
    // account and Region of each area
    let mut index = Vec::new();
    let mut marks = MarkTable::default();
    for area in &topology.areas {
        let (key, id) = (area.account.key.as_str(), area.account.id.as_str());
        if accounts.last().is_none_or(|last| last.key != key) {
            accounts.push(AccountData {
                key,
                id,
                partition: area.account.partition.id(),
                guarded: area.guarded,
                regions: Vec::new(),
            });
        }
        let at = accounts.len() - 1;
        index.push((at, accounts[at].regions.len()));
        accounts[at].regions.push(region_data(area, &mut marks));
    }
    let crossing = topology.deliveries.iter().map(|one| {
        let ((account, region), (to_account, to_region)) = (index[one.from.0], index[one.to.0]);
        [account, region, one.from.1, to_account, to_region, one.to.1]
    });
    let copies = topology.copies.iter().map(|(from, to)| {
        let ((account, region), (to_account, to_region)) = (index[from.0], index[to.0]);
        [account, region, from.1, to_account, to_region, to.1]
    });
    Data {
        copies: copies.collect(),
        checked: topology.checked,
        held: topology.reading.is_some(),
        deliveries: crossing.collect(),
        accounts,
        marks: marks.all,
        unplaced: topology.unplaced.iter().map(check).collect(),
    }
}

fn region_data<'a>(area: &'a Area<'a>, marks: &mut MarkTable<'a>) -> RegionData<'a> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut known: BTreeMap<GroupKey<'_>, usize> = BTreeMap::new();
    for node in &area.sources {
        let source = node.item;
        let key = group(source);
        let at = *known.entry(key.clone()).or_insert_with(|| {
            let (sid, rest) = admitted(area, source);
            let format = format!("{}: {}", source.key_format.word(), source.key_format.layout());
            groups.push(Group { key, format, rest, sid, names: Vec::new(), marks: Vec::new() });
            groups.len() - 1
        });
        groups[at].names.push(&source.name);
        groups[at].marks.push(marks.of(node.mark.as_ref()));
    }
    for group in groups.iter_mut().filter(|group| group.marks.iter().all(Option::is_none)) {
        group.marks = Vec::new();
    }
    RegionData {
        name: &area.placement.region,
        place: region::find(&area.placement.region).map_or("", |known| known.place),
        asked: area.asked,
        silent: area.silent,
        groups,
        buckets: area.buckets.iter().map(|node| bucket(node.item, marks.of(node.mark.as_ref()))).collect(),
        trails: area
            .trails
            .iter()
            .map(|node| TrailData {
                trail: node.item,
                says: words::trail(node.item),
                folder: node.item.folder(),
                mark: marks.of(node.mark.as_ref()),
            })
            .collect(),
    }
}

/// With `simple` each source has a prefix of its own below the common one.
fn group(source: &Source) -> GroupKey<'_> {
    let own = source.common_folder();
    GroupKey { prefix: own.unwrap_or(&source.prefix), own: own.is_some(), managed: source.managed }
}

/// The statement that lets a source in, and its key behind the prefix.
fn admitted<'a>(area: &Area<'a>, source: &Source) -> (&'a str, String) {
    let placement: &'a Placement = area.placement;
    let Some(bucket) = placement.access_log_bucket() else { return ("", String::new()) };
    let (key, sid) = prove::delivery(area.account, placement, bucket, source);
    let rest = key.strip_prefix(&*source.prefix).unwrap_or(&key);
    (sid.unwrap_or_default(), rest.replacen(&format!("/{}/", source.name), "/{source}/", 1))
}

fn bucket(bucket: &plan::LogBucket, mark: Option<usize>) -> BucketData<'_> {
    let report = &bucket.report;
    BucketData {
        name: &bucket.name,
        arn: &bucket.arn,
        takes: words::bucket(bucket),
        senders: bucket.basis.senders.iter().map(sender).collect(),
        access: bucket.takes_access_logs,
        adopted: bucket.adopt.is_some(),
        regional: bucket.account_regional,
        versioning: bucket.versioning,
        lock: bucket.object_lock.as_ref().map_or(String::new(), |lock| format!("{}, {} days", lock.mode, lock.days)),
        tags: bucket.tags.iter().collect(),
        lifecycle: &bucket.lifecycle,
        policy: &bucket.policy,
        tier: format!("{}: {}", report.tier.word(), report.tier.phrase()),
        used: report.bytes_used,
        left: report.bytes_left,
        notes: &report.notes,
        mark,
    }
}

fn sender(grant: &SenderGrant) -> SenderData<'_> {
    let (named, rest) = grant.accounts.split_at(grant.accounts.len().min(NAMED_ACCOUNTS));
    SenderData { service: grant.sender.phrase(), folder: grant.sender.folder(&grant.prefix), accounts: named, more: rest.len() }
}

fn mark(mark: &Mark) -> MarkData<'_> {
    MarkData {
        look: words::look(mark.look()),
        check: mark.check.as_ref().map(check),
        held: mark.held.as_ref().map(|held| self::held(mark, held)),
    }
}

fn check(check: &Check) -> CheckData<'_> {
    CheckData { verdict: check.verdict.word(), words: &check.words, reasons: &check.reasons }
}

fn held<'a>(mark: &'a Mark, held: &'a Held) -> HeldData<'a> {
    HeldData {
        look: words::look(held.look()),
        state: words::state(held),
        delivery: held.delivery.as_ref().zip(words::held(Some(mark)).pop()).map(|(one, words)| (words, one.verdict.word())),
        findings: held.delivery.iter().flat_map(|arrival| &arrival.findings).chain(&held.findings).collect(),
        unread: &held.unread,
        taken_at: held.taken_at.as_deref(),
    }
}

/// The hash of an element's content, as a content security policy wants it: SHA-256 in Base64 (RFC 4648, section 4).
fn hash(parts: &[&str]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digest = Sha256::digest(parts.concat().as_bytes());
    let mut out = String::from("sha256-");
    for three in digest.chunks(3) {
        let bits = three.iter().chain([&0, &0]).take(3).fold(0u32, |bits, byte| bits << 8 | u32::from(*byte));
        for at in 0..4usize {
            let letter = LETTERS[(bits >> (18 - 6 * at) & 63) as usize];
            out.push(if at <= three.len() { char::from(letter) } else { '=' });
        }
    }
    out
}

/// The style of a picture that stands alone: each colour as such, for readers that know no variables, and again for the dark.
pub(super) fn alone() -> String {
    let colours: Vec<(&str, &str, &str)> = THEME
        .lines()
        .flat_map(|line| line.split(';'))
        .filter_map(|entry| {
            let (name, value) = entry.trim().split_once(": light-dark(")?;
            let (light, dark) = value.trim_end_matches(')').split_once(", ")?;
            Some((name, light, dark))
        })
        .collect();
    let resolve = |text: &str, dark: bool| {
        colours.iter().fold(text.to_owned(), |text, (name, light, night)| {
            text.replace(&format!("var({name})"), if dark { night } else { light })
        })
    };
    let coloured: String = PICTURE.lines().filter(|line| line.contains("var(")).map(|line| format!("{line}\n")).collect();
    format!("{}@media (prefers-color-scheme: dark) {{\n{}}}\n", resolve(PICTURE, false), resolve(&coloured, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_that_of_the_specification() {
        // that of the empty string, which tools print everywhere
        assert_eq!(hash(&[""]), "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    }

    #[test]
    fn a_picture_alone_needs_no_variables() {
        let style = alone();
        assert!(!style.contains("var(") && style.contains("#"), "{style}");
    }
}
