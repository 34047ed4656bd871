//! Nodes: how each is drawn in its column, and how high it is.

use super::{
    detail::{AreaView, More},
    measure::{cells, fit, mono, mono_fit, sans, shorten, wrap},
    picture::{Shape, path, rect, text},
    words,
};
use crate::{
    plan::{LogBucket, Source, Trail},
    topology::{Node, marks::Mark},
};

/// Size of names.
pub(super) const NAME: i32 = 12;
/// Size of words on nodes.
pub(super) const SMALL: i32 = 11;
/// Space beside the text in a node.
pub(super) const PAD: i32 = 11;
/// Room for the sign of a mark.
const SIGN: i32 = 16;
const LINE: i32 = 15;
/// The least width of sources of which something is told.
const TOLD: i32 = 350;
/// Longest names of sources and trails that are written in full; log buckets always are.
const SOURCE_CELLS: i32 = 44;
const TRAIL_CELLS: i32 = 40;

/// Columns of a picture, the same in all areas.
#[derive(Debug, Clone, Copy)]
pub(super) struct Columns {
    /// Width of sources.
    pub sources: i32,
    /// Width of log buckets.
    pub buckets: i32,
    /// Width of trails.
    pub trails: i32,
    /// Do nodes have room for a sign?
    pub signs: bool,
}

/// A node to be drawn: its height is known before its place.
pub(super) struct Card {
    /// Pixels.
    pub height: i32,
    class: String,
    title: String,
    href: String,
    /// Class and text of each line.
    lines: Vec<(&'static str, String)>,
    /// Shown at the right of the first line.
    badge: &'static str,
    mark: &'static str,
}

impl Columns {
    /// As wide as the widest text in each.
    pub(super) fn of(areas: &[&AreaView<'_>], signs: bool) -> Self {
        let sign = if signs { SIGN } else { 0 };
        let mut columns = Columns { sources: 190, buckets: 210, trails: 0, signs };
        for view in areas {
            for node in &view.sources {
                let badge = if node.item.managed { 0 } else { sans(EXTERNAL, SMALL) + 10 };
                let width = cells(&node.item.name).min(SOURCE_CELLS) * mono("x", NAME) + 2 * PAD + sign + badge;
                let told = if words::reasons(node.mark.as_ref()).is_empty() { 0 } else { TOLD };
                columns.sources = columns.sources.max(width).max(told).max(widest(node.mark.as_ref()));
            }
            for node in &view.buckets {
                let name = mono(&node.item.name, NAME) + 2 * PAD + sign;
                let widest = [words::bucket(node.item), words::budget(node.item)].iter().map(|line| sans(line, SMALL)).max();
                columns.buckets =
                    columns.buckets.max(name).max(widest.unwrap_or(0) + 2 * PAD).max(self::widest(node.mark.as_ref()));
            }
            for (_, node) in &view.trails {
                let name = cells(&node.item.name).min(TRAIL_CELLS) * mono("x", NAME) + sign;
                let lines = [Some(words::trail(node.item)), words::elsewhere(view.area, node.item)];
                let widest = lines.iter().flatten().map(|line| sans(line, SMALL)).max().unwrap_or(0).min(360);
                columns.trails = columns.trails.max(name.max(widest) + 2 * PAD).max(self::widest(node.mark.as_ref()));
            }
            if view.more_trails.count > 0 {
                columns.trails = columns.trails.max(220);
            }
        }
        columns
    }

    fn sign(&self) -> i32 {
        if self.signs { SIGN } else { 0 }
    }

    /// A source.
    pub(super) fn source(&self, node: &Node<'_, Source>) -> Card {
        let badge = if node.item.managed { "" } else { EXTERNAL };
        let room = self.sources - 2 * PAD - self.sign() - if badge.is_empty() { 0 } else { sans(badge, SMALL) + 10 };
        let class = if node.item.managed { "node source" } else { "node source external" };
        let name = shorten(&node.item.name, mono_fit(room, NAME));
        let title = words::source_title(node);
        self.card(
            (class, title, format!("source/{}", node.item.name)),
            vec![("name", name)],
            badge,
            node.mark.as_ref(),
            self.sources,
        )
    }

    /// A log bucket.
    pub(super) fn bucket(&self, node: &Node<'_, LogBucket>) -> Card {
        let bucket = node.item;
        let class = if bucket.adopt.is_some() { "node bucket adopted" } else { "node bucket" };
        let title = words::bucket_title(node);
        let mut lines = vec![("name strong", bucket.name.clone()), ("small", words::bucket(bucket))];
        lines.extend(words::senders(bucket).map(|senders| ("small", fit(&senders, self.buckets - 2 * PAD, SMALL))));
        lines.extend(words::copied(bucket).map(|copied| ("small", fit(&copied, self.buckets - 2 * PAD, SMALL))));
        lines.push(("small", words::budget(bucket)));
        self.card((class, title, format!("bucket/{}", bucket.name)), lines, "", node.mark.as_ref(), self.buckets)
    }

    /// A trail.
    pub(super) fn trail(&self, view: &AreaView<'_>, node: &Node<'_, Trail>) -> Card {
        let (trail, area) = (node.item, view.area);
        let name = shorten(&trail.name, mono_fit(self.trails - 2 * PAD - self.sign(), NAME));
        let mut lines = vec![("name", name), ("small", words::trail(trail))];
        lines.extend(words::elsewhere(area, trail).map(|to| ("small", fit(&to, self.trails - 2 * PAD, SMALL))));
        let title =
            format!("trail {} delivers to {} of {} in {}", trail.name, trail.bucket, trail.bucket_account, trail.bucket_region);
        let href = format!("trail/{}/{}/{}", area.account.key, area.placement.region, trail.name);
        self.card(("node trail", words::titled(&title, node.mark.as_ref()), href), lines, "", node.mark.as_ref(), self.trails)
    }

    /// Nodes that are a count.
    pub(super) fn more(&self, more: More, drawn: usize, what: &str, width: i32) -> Option<Card> {
        let words = words::more(more, drawn, what)?;
        let class = more.worst().map_or("node more".to_owned(), |look| format!("node more {}", words::look(look)));
        let lines = wrap(&words, width - 2 * PAD, SMALL, 3).into_iter().map(|line| ("small", line)).collect();
        Some(self.card((&class, words.clone(), String::new()), lines, "", None, width))
    }

    fn card(
        &self,
        (class, title, href): (&str, String, String),
        mut lines: Vec<(&'static str, String)>,
        badge: &'static str,
        mark: Option<&Mark>,
        width: i32,
    ) -> Card {
        let mark_class = words::class(mark);
        // one line if there is room for it
        let said = words::held(mark);
        let joined = said.join(" · ");
        let said = if sans(&joined, SMALL) <= width - 2 * PAD { vec![joined] } else { said };
        lines.extend(said.into_iter().filter(|line| !line.is_empty()).map(|line| ("small said", line)));
        for reason in words::reasons(mark).into_iter().take(2) {
            lines.extend(wrap(reason, width - 2 * PAD, SMALL, 3).into_iter().map(|line| ("reason", line)));
        }
        let height = lines.len().try_into().unwrap_or(1) * LINE + 12;
        let class = format!("{class} {mark_class}").trim_end().to_owned();
        Card { height, class, title, href, lines, badge, mark: mark_class }
    }
}

/// How wide a node must be for what drift says of it, each part on a line.
fn widest(mark: Option<&Mark>) -> i32 {
    words::held(mark).iter().map(|line| sans(line, SMALL)).max().map_or(0, |width| width + 2 * PAD)
}

/// Beside the name of a source whose logging someone else's code sets.
const EXTERNAL: &str = "external";

impl Card {
    /// Appends the shapes of the card, with its top left corner at `(x, y)`, in pixels.
    pub(super) fn draw(self, (x, y): (i32, i32), width: i32, into: &mut Vec<Shape>) {
        let radius = if self.class.contains("source") || self.class.contains("more") { 9 } else { 3 };
        into.push(Shape::Open { class: self.class.clone(), title: self.title, href: self.href });
        into.push(rect("card", (x, y), (width, self.height), radius));
        if self.class.contains("node bucket") {
            into.push(rect("band", (x, y), (4, self.height), 2));
        }
        if self.class.contains("node trail") {
            into.push(rect("band", (x + width - 4, y), (4, self.height), 2));
        }
        into.extend(sign(self.mark, x + PAD, y + 8));
        let mut first = true;
        for ((class, line), at) in self.lines.into_iter().zip(0..) {
            let shift = if !self.mark.is_empty() && first && class.contains("name") { SIGN } else { 0 };
            into.push(text(class, (x + PAD + shift, y + 18 + at * LINE), line));
            first = false;
        }
        if !self.badge.is_empty() {
            into.push(text("small end", (x + width - PAD, y + 18), self.badge));
        }
        into.push(Shape::Close);
    }
}

/// The sign of a mark, in a square of ten pixels.
pub(super) fn sign(mark: &str, x: i32, y: i32) -> Option<Shape> {
    let d = match mark {
        "violation" => format!("M{} {}l8 8m0 -8l-8 8", x + 1, y + 1),
        "ok" => format!("M{} {}l3 4l6 -8", x, y + 5),
        // not equal
        "drift" => format!("M{x} {}h10m-10 4h10M{} {}l-4 10", y + 3, x + 7, y),
        // nothing comes
        "stopped" => format!("M{} {}a4 4 0 1 0 8 0a4 4 0 1 0 -8 0m1.2 -2.8l5.6 5.6", x + 1, y + 5),
        "open" => format!("M{} {}a3 3 0 1 0 6 0a3 3 0 1 0 -6 0", x + 2, y + 5),
        // a bell that is struck out
        "silent" => format!("M{} {}h8l-1.5 -2v-2.5a2.5 2.5 0 0 0 -5 0v2.5zM{x} {y}l10 10", x + 1, y + 8),
        "unknown" => format!("M{} {}q0 -3 3 -3q3 0 3 3q0 2 -3 3.5v1m0 2.5v.5", x + 2, y + 3),
        _ => return None,
    };
    Some(path(&format!("sign {mark}"), d, ""))
}
