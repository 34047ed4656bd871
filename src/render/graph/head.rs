//! What stands around the areas of a picture: its title, the legend, borders of partitions, and what was checked but is on no node.

use super::{
    detail::Folded,
    layout::{MARGIN, Page, counts, small},
    measure::{count, fit, thousands, wrap},
    nodes::{SMALL, sign},
    picture::{Shape, path, rect, text},
    words,
};
use crate::topology::{Topology, marks::Look};

/// Lines about what is on no node.
const UNPLACED: usize = 12;
const LINE: i32 = 16;

impl Page {
    pub(super) fn head(&mut self, title: &str, topology: &Topology<'_>) {
        self.frames.push(text("title", (MARGIN, self.y + 18), fit(title, self.right - MARGIN, 20)));
        self.frames.push(text("small", (MARGIN, self.y + 40), counts(topology.counts())));
        self.y += 52;
        if let Some(words) = words::reading(topology) {
            for line in wrap(&words, self.right - MARGIN, SMALL, 3) {
                self.frames.push(text("small", (MARGIN, self.y + 4), line));
                self.y += LINE;
            }
        }
    }

    /// What the reader must know of the picture: what is grouped, and the legend.
    pub(super) fn key(&mut self, topology: &Topology<'_>, folded: &Folded<'_>) {
        self.y += 12;
        if folded.grouped {
            let said =
                "large groups are counts here; `logmap graph --format html` lists each, and `--account` and `--region` draw less";
            for line in wrap(said, self.right - MARGIN, SMALL, 3) {
                self.frames.push(text("small", (MARGIN, self.y), line));
                self.y += LINE;
            }
            self.y += 8;
        }
        self.legend(topology, folded);
        self.y += 26;
    }

    fn legend(&mut self, topology: &Topology<'_>, folded: &Folded<'_>) {
        let mut entries = vec![
            ("node source", "source"),
            ("node source external", "its logging is set elsewhere"),
            ("node bucket", "log bucket"),
        ];
        let adopted = topology.areas.iter().flat_map(|area| &area.buckets).any(|node| node.item.adopt.is_some());
        let external = topology.areas.iter().flat_map(|area| &area.sources).any(|node| !node.item.managed);
        entries.extend(adopted.then_some(("node bucket adopted", "adopted log bucket")));
        entries.retain(|(class, _)| external || !class.contains("external"));
        let trails = topology.areas.iter().any(|area| !area.trails.is_empty());
        entries.extend(trails.then_some(("node trail", "trail")));
        entries.extend((topology.counts().crossings > 0).then_some(("line crossing", "delivers to another account or Region")));
        if folded.lanes.len() > 1 {
            entries.push(("line crossing lane1", "another trail"));
        }
        if topology.areas.iter().any(|area| area.silent) {
            entries.push(("sign silent", "an account in a Region whose alerts are silent"));
        }
        let looks = Look::ALL.iter().rev().filter_map(|look| Some((words::sign_of(*look), words::meaning(*look, topology)?)));
        entries.extend(looks);
        let mut x = MARGIN;
        for (class, words) in entries {
            let width = 28 + small(words) + 22;
            if x + width > self.right {
                x = MARGIN;
                self.y += LINE + 6;
            }
            self.sample(class, x);
            self.frames.push(text("small", (x + 28, self.y), words));
            x += width;
        }
    }

    fn sample(&mut self, class: &str, x: i32) {
        let y = self.y;
        if class.starts_with("line") {
            let arrow = if class.ends_with("lane1") { "lane1" } else { "crossing" };
            // long enough for a gap before the arrow
            self.frames.push(path(class, format!("M{x} {}h22", y - 4), arrow));
        } else if let Some(mark) = class.strip_prefix("sign ") {
            self.frames.extend(sign(mark, x + 6, y - 9));
        } else {
            self.frames.push(Shape::Open { class: class.to_owned(), title: String::new(), href: String::new() });
            let radius = if class.contains("source") { 5 } else { 2 };
            self.frames.push(rect("card", (x, y - 10), (20, 12), radius));
            if class.contains("bucket") {
                self.frames.push(rect("band", (x, y - 10), (3, 12), 1));
            }
            if class.contains("trail") {
                self.frames.push(rect("band", (x + 17, y - 10), (3, 12), 1));
            }
            self.frames.push(Shape::Close);
        }
    }

    /// A heading across the picture.
    pub(super) fn section(&mut self, words: &str) {
        self.y += 8;
        self.frames.push(text("region", (MARGIN, self.y), words));
        self.y += 14;
    }

    pub(super) fn unplaced(&mut self, topology: &Topology<'_>) {
        if topology.unplaced.is_empty() {
            return;
        }
        self.section(&format!("{} not on this picture", count(topology.unplaced.len(), "checked configuration")));
        for check in topology.unplaced.iter().take(UNPLACED) {
            self.nodes.extend(sign(words::look(check.look()), MARGIN, self.y - 3));
            let reasons = check.reasons.iter().map(|(reason, _)| reason.as_str()).collect::<Vec<_>>().join("; ");
            for line in wrap(&format!("{}: {reasons}", check.words), self.right - 2 * MARGIN, SMALL, 3) {
                self.nodes.push(text("small", (MARGIN + 20, self.y + 6), line));
                self.y += LINE;
            }
            self.y += 6;
        }
        if let Some(more @ 1..) = topology.unplaced.len().checked_sub(UNPLACED) {
            self.nodes.push(text("small", (MARGIN + 20, self.y + 6), format!("and {} more", thousands(more))));
            self.y += LINE;
        }
        self.y += MARGIN;
    }
}
