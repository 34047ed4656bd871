//! Layout: a folded topology → a picture. Accounts stand below each other, in each its Regions, in each three columns: sources,
//! log buckets, trails. Trails that deliver elsewhere leave to the right and run down a lane of their own to their bucket.

use super::{
    detail::{AreaView, Folded, LANES, Rest},
    lanes::{self, Ends},
    measure::{count, fit, mono, sans, thousands},
    nodes::{Card, Columns, NAME, SMALL, sign},
    picture::{Picture, Shape, path, rect, text},
    words,
};
use crate::{
    aws::region,
    plan::Account,
    topology::{Counts, Crossing, Topology},
};
use std::collections::BTreeMap;

/// Space around the picture, and between accounts.
pub(super) const MARGIN: i32 = 24;
/// Size of an account's key.
const KEY: i32 = 15;
/// Space inside of a frame.
const INSET: i32 = 14;
/// Space between columns, in which arrows run.
const GAP: i32 = 68;
/// Space between nodes.
const BETWEEN: i32 = 7;
/// The least right end of accounts: heads need the room.
const NARROWEST: i32 = 860;
/// Between the arrows into one bucket.
const PORTS: i32 = 6;
/// Height of a row in which a delivery from elsewhere comes in.
const INCOMING: i32 = 32;

/// Draws it.
pub(super) fn layout(topology: &Topology<'_>, folded: &Folded<'_>, title: &str, in_page: bool) -> Picture {
    let views: Vec<&AreaView<'_>> = folded.accounts.iter().flat_map(|account| &account.areas).collect();
    let mut columns = Columns::of(&views, topology.checked || topology.reading.is_some());
    if folded.links.iter().any(|link| link.crosses != Crossing::Nothing) {
        columns.trails = columns.trails.max(230);
    }
    let left = MARGIN + 2 * INSET;
    let buckets = left + columns.sources + GAP;
    let trails = buckets + columns.buckets + GAP;
    if columns.trails > 0 {
        columns.trails = columns.trails.max(NARROWEST - 2 * INSET - trails);
    }
    let inner = if columns.trails > 0 { trails + columns.trails } else { buckets + columns.buckets };
    let mut page = Page {
        columns,
        x: (left, buckets, trails),
        right: (inner + 2 * INSET).max(NARROWEST),
        y: MARGIN,
        frames: Vec::new(),
        lines: Vec::new(),
        nodes: Vec::new(),
        ends: Ends::default(),
        incoming: lanes::incoming(topology, folded),
    };
    if !in_page {
        page.head(title, topology);
    }
    page.key(topology, folded);
    let mut partitions: Vec<_> = topology.areas.iter().map(|area| area.account.partition).collect();
    partitions.dedup();
    let mut partition = None;
    for account in &folded.accounts {
        if partitions.len() > 1 && partition != Some(account.account.partition) {
            page.section(&format!("partition {}: nothing crosses its border", account.account.partition));
        }
        partition = Some(account.account.partition);
        page.account(account.account, &account.areas);
    }
    for (at, rest) in folded.rest.iter().enumerate() {
        page.rest(at, rest);
    }
    let right = lanes::draw(folded, &page.ends, page.right, &mut page.lines);
    page.unplaced(topology);
    let mut shapes = page.frames;
    shapes.append(&mut page.lines);
    shapes.append(&mut page.nodes);
    Picture {
        width: right.max(page.right) + MARGIN,
        height: page.y,
        title: super::measure::shown(title),
        description: [counts(topology.counts())].into_iter().chain(words::reading(topology)).collect::<Vec<_>>().join(". "),
        links: in_page,
        shapes,
    }
}

/// `3 accounts · 5 areas …`.
pub(super) fn counts(counts: Counts) -> String {
    let parts =
        [(counts.accounts, "account"), (counts.areas, "area"), (counts.sources, "source"), (counts.buckets, "log bucket")];
    let mut words: Vec<String> = parts.iter().map(|(number, what)| count(*number, what)).collect();
    words.push(count(counts.trails, "trail"));
    match counts.crossings {
        0 => {}
        1 => words.push("1 delivers to another account or Region".to_owned()),
        many => words.push(format!("{} deliver to another account or Region", thousands(many))),
    }
    words.join(" · ")
}

/// The picture as it grows downwards.
pub(super) struct Page {
    pub(super) columns: Columns,
    /// Left ends of the columns.
    x: (i32, i32, i32),
    /// Right end of accounts.
    pub(super) right: i32,
    pub(super) y: i32,
    pub(super) frames: Vec<Shape>,
    pub(super) lines: Vec<Shape>,
    pub(super) nodes: Vec<Shape>,
    pub(super) ends: Ends,
    /// What comes into each bucket from elsewhere, line by line, in words.
    incoming: BTreeMap<lanes::Line, String>,
}

impl Page {
    fn account(&mut self, account: &Account, areas: &[AreaView<'_>]) {
        let top = self.y;
        let key = fit(&account.key, self.right - 450, KEY);
        let id_x = MARGIN + INSET + sans(&key, KEY) + 22;
        self.frames.push(text("account", (MARGIN + INSET, top + 23), key));
        self.frames.push(text("id", (id_x, top + 23), &account.id));
        let guarded = if areas.iter().any(|view| view.area.guarded) { format!("{} · ", words::GUARDED) } else { String::new() };
        let told = format!("{guarded}partition {}", account.partition);
        self.frames.push(text("small end", (self.right - INSET, top + 23), told));
        self.y += 36;
        for view in areas {
            self.area(view);
            self.y += INSET;
        }
        let frame = rect("frame", (MARGIN, top), (self.right - MARGIN, self.y - top), 10);
        self.frames.insert(0, frame);
        self.y += MARGIN;
    }

    fn area(&mut self, view: &AreaView<'_>) {
        let (top, left) = (self.y, MARGIN + INSET);
        let right = self.right - INSET;
        let name = &view.area.placement.region;
        self.frames.push(text("region", (left + INSET, top + 20), name));
        let place = region::find(name).map_or("", |known| known.place);
        self.frames.push(text("small", (left + INSET + mono(name, NAME) + 14, top + 20), place));
        let said = if view.area.asked { counts_of(view) } else { "only what is connected".to_owned() };
        self.frames.push(text("small end", (right - INSET, top + 20), said));
        let mut head = 32;
        if view.area.silent {
            self.frames.extend(sign("silent", left + INSET, top + 28));
            self.frames.push(text("small silent", (left + INSET + 16, top + 37), words::SILENT));
            head += 18;
        }
        let top = top + head;
        let height = self.columns_of(view, top).max(40);
        self.y = top + height + INSET;
        self.frames.push(rect("place", (left, top - head), (right - left, height + head + INSET), 7));
        // behind the texts that are already there
        if let Some(frame) = self.frames.pop() {
            self.frames.insert(0, frame);
        }
    }

    /// The nodes of an area and the arrows between them; gives their height.
    fn columns_of(&mut self, view: &AreaView<'_>, top: i32) -> i32 {
        let columns = self.columns;
        let mut sources: Vec<Card> = view.sources.iter().map(|node| columns.source(node)).collect();
        sources.extend(columns.more(view.more_sources, view.sources.len(), "source", columns.sources));
        let buckets: Vec<Card> = view.buckets.iter().map(|node| columns.bucket(node)).collect();
        let mut trails: Vec<Card> = view.trails.iter().map(|(_, node)| columns.trail(view, node)).collect();
        trails.extend(columns.more(view.more_trails, view.trails.len(), "trail", columns.trails));
        let all = |bucket: usize| self.incoming.range(((view.at, bucket), 0)..((view.at, bucket), LANES));
        let rows: Vec<(usize, usize, String)> = (0..buckets.len())
            .flat_map(|bucket| all(bucket).map(move |((_, lane), words)| (bucket, *lane, words.clone())))
            .collect();
        let lines_into = |bucket: usize| i32::try_from(rows.iter().filter(|(to, ..)| *to == bucket).count()).unwrap_or(0);
        let into: Vec<i32> = (0..buckets.len()).map(lines_into).collect();
        let rows_height = INCOMING * i32::try_from(rows.len()).unwrap_or(0);
        let heights = [stack(&sources), stack(&buckets), rows_height + stack(&trails)];
        let height = heights.into_iter().max().unwrap_or(0);
        let start = |at: usize| top + (height - heights[at]) / 2;

        let (source_x, bucket_x, trail_x) = self.x;
        let mut y = start(1);
        let mut ports = Vec::new();
        for (card, node) in buckets.into_iter().zip(&view.buckets) {
            ports.push((y + card.height / 2, node.item.takes_access_logs));
            y = self.place(card, (bucket_x, y), columns.buckets);
        }
        let goal = ports.iter().find(|(_, access)| *access).or(ports.first()).map(|(y, _)| *y);
        let mut y = start(0);
        for card in sources {
            let middle = y + card.height / 2;
            y = self.place(card, (source_x, y), columns.sources);
            if let Some(goal) = goal {
                self.lines.push(curve("log", (source_x + columns.sources, middle), (bucket_x - 2, goal), "log"));
            }
        }
        let mut y = start(2);
        let mut left = into.clone();
        for (bucket, lane, words) in rows {
            left[bucket] -= 1;
            let below = PORTS * left[bucket];
            let port = (bucket_x + columns.buckets + 2, ports[bucket].0 - 6 - below);
            self.nodes.push(text("small", (trail_x, y + 12), words));
            self.lines.push(curve(lanes::class(lane), (trail_x - 4, y + 20), port, lanes::arrow(lane)));
            self.ends.incoming.insert(((view.at, bucket), lane), (trail_x - 4, y + 20));
            y += INCOMING;
        }
        for (at, card) in trails.into_iter().enumerate() {
            let middle = y + card.height / 2;
            let origin = super::detail::origin(view, at);
            self.ends.outgoing.insert(origin, (trail_x + columns.trails, middle));
            y = self.place(card, (trail_x, y), columns.trails);
            for bucket in lanes::local(view, at) {
                let port = (bucket_x + columns.buckets + 2, ports[bucket].0 + if into[bucket] > 0 { 6 } else { 0 });
                self.lines.push(curve("log", (trail_x, middle), port, "log"));
            }
        }
        height
    }

    fn place(&mut self, card: Card, at: (i32, i32), width: i32) -> i32 {
        let bottom = at.1 + card.height;
        card.draw(at, width, &mut self.nodes);
        bottom + BETWEEN
    }

    fn rest(&mut self, at: usize, rest: &Rest) {
        let words = format!("+ {} in partition {}", count(rest.counts.accounts, "more account"), rest.partition);
        let more = counts(Counts { accounts: rest.counts.accounts, crossings: 0, ..rest.counts });
        let more = more.split_once(" · ").map_or(String::new(), |(_, rest)| rest.to_owned()) + &words::doubts(rest.marks);
        self.frames.push(rect("frame more", (MARGIN, self.y), (self.right - MARGIN, 50), 10));
        self.frames.push(text("account", (MARGIN + INSET, self.y + 22), words));
        self.frames.push(text("small", (MARGIN + INSET, self.y + 39), more));
        self.ends.outgoing.insert(super::detail::Origin::Rest(at), (self.right, self.y + 25));
        self.y += 50 + MARGIN;
    }
}

fn counts_of(view: &AreaView<'_>) -> String {
    let area = view.area;
    let parts = [(area.sources.len(), "source"), (area.buckets.len(), "log bucket"), (area.trails.len(), "trail")];
    parts.iter().filter(|(number, _)| *number > 0).map(|(number, what)| count(*number, what)).collect::<Vec<_>>().join(" · ")
}

/// Height of nodes above each other.
fn stack(cards: &[Card]) -> i32 {
    let gaps = BETWEEN * i32::try_from(cards.len().saturating_sub(1)).unwrap_or(0);
    cards.iter().map(|card| card.height).sum::<i32>() + gaps
}

fn curve(class: &str, (x, y): (i32, i32), (to_x, to_y): (i32, i32), arrow: &'static str) -> Shape {
    let middle = (x + to_x) / 2;
    path(&format!("line {class}"), format!("M{x} {y}C{middle} {y} {middle} {to_y} {to_x} {to_y}"), arrow)
}

/// Width of words in the size of nodes.
pub(super) fn small(words: &str) -> i32 {
    sans(words, SMALL)
}
