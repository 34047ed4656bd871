//! The outline: a folded topology as nested boxes and edges, for languages whose programs do the layout (DOT, Mermaid).

use super::{
    detail::{Folded, More, Origin, origin},
    lanes,
    layout::counts,
    measure::{count, shorten, shown, wrap},
    words,
};
use crate::{
    aws::region,
    topology::{
        Counts, Crossing, Topology,
        marks::{Check, Look, Mark},
    },
};
use serde::Serialize;
use std::collections::BTreeSet;

/// What `graph/topology.dot` and `graph/topology.mmd` get.
#[derive(Debug, Serialize)]
pub(super) struct Outline {
    /// Lines for a comment at the head.
    pub header: Vec<String>,
    /// The accounts.
    pub accounts: Vec<Account>,
    /// Accounts that are a count.
    pub rest: Vec<Box>,
    /// Arrows.
    pub edges: Vec<Edge>,
    /// Which of the arrows that are seen go elsewhere: the number of each, and its line.
    pub crossing: Vec<(usize, usize)>,
}

/// An account.
#[derive(Debug, Serialize)]
pub(super) struct Account {
    /// Letters and digits.
    pub id: String,
    /// Lines of the label.
    pub lines: Vec<String>,
    /// Areas, one for each Region.
    pub areas: Vec<Area>,
}

/// An account in a Region.
#[derive(Debug, Serialize)]
pub(super) struct Area {
    /// Letters and digits.
    pub id: String,
    /// Lines of the label.
    pub lines: Vec<String>,
    /// Sources, log buckets and trails.
    pub nodes: Vec<Box>,
}

/// A node.
#[derive(Debug, Serialize)]
pub(super) struct Box {
    /// Letters and digits.
    pub id: String,
    /// `source`, `external`, `bucket`, `adopted`, `trail` or `more`.
    pub kind: &'static str,
    /// `violation`, `stopped`, `drift`, `unknown`, `open`, `ok` or empty.
    pub mark: &'static str,
    /// The mark if it is to be seen, else the kind.
    pub class: &'static str,
    /// Lines of the label.
    pub lines: Vec<String>,
    /// More about it.
    pub title: Vec<String>,
}

/// An arrow.
#[derive(Debug, Serialize)]
pub(super) struct Edge {
    /// Id of a node.
    pub from: String,
    /// Id of a node.
    pub to: String,
    /// `log`; `trail`, to the bucket of its own area; `crossing`; or `beside`, not to be seen: it keeps a trail at the side of
    /// trails; `copy`, to the archive.
    pub kind: &'static str,
    /// What stands at it; may be empty.
    pub words: Vec<String>,
    /// Of `crossing`: which of the lines into its bucket it is part of, from 0 to 3. Trails of other names are other lines.
    pub lane: usize,
}

/// Longest names that are written in full.
const NAME: i32 = 70;
/// Width of reasons, in pixels of a label.
const REASON: i32 = 260;

/// Makes the outline.
pub(super) fn outline(topology: &Topology<'_>, folded: &Folded<'_>, header: Vec<String>) -> Outline {
    let mut outline = Outline { header, accounts: Vec::new(), rest: Vec::new(), edges: Vec::new(), crossing: Vec::new() };
    for (number, account) in folded.accounts.iter().enumerate() {
        let label = format!("{} · {} · {}", account.account.key, account.account.id, account.account.partition);
        let mut areas = Vec::new();
        for view in &account.areas {
            let at = view.at;
            let mut nodes = Vec::new();
            let access = view.buckets.iter().position(|node| node.item.takes_access_logs).unwrap_or(0);
            let mut logs = |from: String| {
                let to = format!("b{at}x{access}");
                outline.edges.push(Edge { from, to, kind: "log", words: Vec::new(), lane: 0 });
            };
            for (number, node) in view.sources.iter().enumerate() {
                let kind = if node.item.managed { "source" } else { "external" };
                let id = format!("s{at}x{number}");
                nodes.push(labelled(
                    id.clone(),
                    kind,
                    node.mark.as_ref(),
                    vec![name(&node.item.name)],
                    words::source_title(node),
                ));
                logs(id);
            }
            if let Some(words) = words::more(view.more_sources, view.sources.len(), "source") {
                nodes.push(more(format!("m{at}"), view.more_sources, words));
                logs(format!("m{at}"));
            }
            for (number, node) in view.buckets.iter().enumerate() {
                let kind = if node.item.adopt.is_some() { "adopted" } else { "bucket" };
                let mut lines = vec![name(&node.item.name), words::bucket(node.item)];
                lines.extend(words::senders(node.item));
                lines.extend(words::copied(node.item));
                lines.push(words::budget(node.item));
                nodes.push(labelled(
                    format!("b{at}x{number}"),
                    kind,
                    node.mark.as_ref(),
                    lines,
                    format!("log bucket {}", node.item.name),
                ));
            }
            for (number, node) in &view.trails {
                let mut lines = vec![name(&node.item.name), words::trail(node.item)];
                lines.extend(words::elsewhere(view.area, node.item));
                nodes.push(labelled(
                    format!("t{at}x{number}"),
                    "trail",
                    node.mark.as_ref(),
                    lines,
                    format!("trail {}", node.item.arn),
                ));
            }
            if let Some(words) = words::more(view.more_trails, view.trails.len(), "trail") {
                nodes.push(more(format!("u{at}"), view.more_trails, words));
            }
            for place in 0..=view.trails.len() {
                let from = id(origin(view, place));
                let local = lanes::local(view, place);
                if local.is_empty() && !view.buckets.is_empty() && place < view.trails.len() {
                    let to = format!("b{at}x0");
                    outline.edges.push(Edge { from: from.clone(), to, kind: "beside", words: Vec::new(), lane: 0 });
                }
                for bucket in local {
                    let to = format!("b{at}x{bucket}");
                    outline.edges.push(Edge { from: from.clone(), to, kind: "trail", words: Vec::new(), lane: 0 });
                }
            }
            let place = region::find(&view.area.placement.region).map_or("", |known| known.place);
            let label = format!("{} {place}", view.area.placement.region);
            let mut lines = vec![label.trim_end().to_owned()];
            lines.extend(view.area.silent.then(|| words::SILENT.to_owned()));
            areas.push(Area { id: format!("r{at}"), lines, nodes });
        }
        let guarded = account.areas.iter().any(|view| view.area.guarded);
        let lines = std::iter::once(label).chain(guarded.then(|| words::GUARDED.to_owned())).collect();
        outline.accounts.push(Account { id: format!("a{number}"), lines, areas });
    }
    for (number, rest) in folded.rest.iter().enumerate() {
        let lines = vec![
            format!("{} in {}", count(rest.counts.accounts, "more account"), rest.partition),
            counts(Counts { crossings: 0, ..rest.counts }) + &words::doubts(rest.marks),
        ];
        outline.rest.push(labelled(format!("z{number}"), "more", None, lines, String::new()));
    }
    for link in folded.links.iter().filter(|link| link.crosses != Crossing::Nothing) {
        let what = if link.crosses == Crossing::Account { "another account" } else { "another Region" };
        let words = if link.trails == 1 { what.to_owned() } else { format!("{} to {what}", count(link.trails, "trail")) };
        let words = match folded.lane_name(link.to, link.lane) {
            None => words,
            Some("") => format!("others: {words}"),
            Some(trail) => format!("{}: {words}", name(trail)),
        };
        let to = format!("b{}x{}", link.to.0, link.to.1);
        outline.edges.push(Edge { from: id(link.from), to, kind: "crossing", words: vec![words], lane: link.lane });
    }
    let drawn: BTreeSet<usize> = folded.accounts.iter().flat_map(|account| &account.areas).map(|view| view.at).collect();
    for (from, to) in topology.copies.iter().filter(|(from, to)| drawn.contains(&from.0) && drawn.contains(&to.0)) {
        let [from, to] = [from, to].map(|(area, bucket)| format!("b{area}x{bucket}"));
        outline.edges.push(Edge { from, to, kind: "copy", words: Vec::new(), lane: 0 });
    }
    let seen = outline.edges.iter().filter(|edge| edge.kind != "beside").enumerate();
    outline.crossing = seen.filter(|(_, edge)| edge.kind == "crossing").map(|(at, edge)| (at, edge.lane)).collect();
    if !topology.unplaced.is_empty() {
        let mut lines = vec![format!("{} not on this picture", count(topology.unplaced.len(), "checked configuration"))];
        lines.extend(topology.unplaced.iter().take(8).flat_map(|mark| wrap(&shown(&mark.words), REASON, 10, 2)));
        let bad = topology.unplaced.iter().any(|check| check.look() == Look::Violation);
        let mut node = labelled("unplaced".to_owned(), "more", None, lines, String::new());
        node.mark = if bad { "violation" } else { "unknown" };
        outline.rest.push(node);
    }
    outline
}

fn id(origin: Origin) -> String {
    match origin {
        Origin::Trail(area, trail) => format!("t{area}x{trail}"),
        Origin::MoreTrails(area) => format!("u{area}"),
        Origin::Rest(rest) => format!("z{rest}"),
    }
}

fn name(name: &str) -> String {
    shorten(name, NAME)
}

fn more(id: String, more: More, words: String) -> Box {
    let mut node = labelled(id, "more", None, vec![words], String::new());
    if let Some(look) = more.worst().map(words::look) {
        (node.mark, node.class) = (look, look);
    }
    node
}

fn labelled(id: String, kind: &'static str, mark: Option<&Mark>, mut lines: Vec<String>, title: String) -> Box {
    let class = words::class(mark);
    let seen = !matches!(class, "ok" | "");
    // not by colour alone
    lines.extend(words::held(mark));
    if seen {
        match mark.and_then(|mark| mark.check.as_ref()).map(Check::look) {
            Some(Look::Violation) => lines.push("violation:".to_owned()),
            Some(Look::Unknown) => lines.push("can't be known:".to_owned()),
            _ => {}
        }
        let reasons = words::reasons(mark);
        lines.extend(reasons.into_iter().take(2).flat_map(|reason| wrap(&shown(reason), REASON, 10, 3)));
    }
    let title = vec![shown(&if title.is_empty() { lines.join(" ") } else { title }).replace('\n', " ")];
    Box { id, kind, mark: class, class: if seen { class } else { kind }, lines, title }
}
