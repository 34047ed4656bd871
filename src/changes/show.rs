//! Changes for people: as text, and as Markdown for a pull request.
//!
//! One outline, drawn in two ways. What comes from a map goes through `Draw::value`: control characters never reach a
//! terminal, and in Markdown nothing in it is markup, a mention or a link.

use super::{Access, Change, Changes, Kind, PlacementId, Setting, StatementKind};
use crate::{escape, text};
use std::collections::BTreeMap;

/// Values shown of a long list; JSON has them all.
const SHOWN: usize = 8;

/// How to draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Draw {
    /// For a terminal.
    Text,
    /// GitHub's Markdown.
    Markdown,
}

/// A line of the outline, one under another.
struct Line {
    depth: usize,
    text: String,
}

/// Draws changes; `old` and `new` name the maps.
pub fn draw(changes: &Changes, old: &str, new: &str, how: Draw) -> String {
    let mut out = match how {
        Draw::Text => String::new(),
        Draw::Markdown => format!("### Region map: {} → {}\n", how.value(old), how.value(new)),
    };
    if changes.is_empty() {
        return out + if how == Draw::Text { "" } else { "\nNo difference in meaning.\n" };
    }
    let settings =
        |list: &[Setting]| -> Vec<Line> { list.iter().map(|setting| Line { depth: 0, text: how.setting(setting) }).collect() };
    let mut rendering: Vec<Line> = settings(&changes.rendering);
    rendering.extend(changes.rendering_notes.iter().map(|note| Line { depth: 1, text: format!("note: {}", how.note(note)) }));
    let sections: [(&str, Vec<Line>); 11] = [
        ("accounts", how.changes(&changes.accounts)),
        ("source buckets", how.changes(&changes.sources)),
        ("log buckets", how.changes(&changes.log_buckets)),
        ("policies", how.policies(changes)),
        ("where log objects lie", how.layouts(changes)),
        ("tables of Athena", how.tables(changes)),
        ("trails", how.changes(&changes.trails)),
        ("statements for KMS keys", how.changes(&changes.key_policies)),
        ("publishing and alerts", settings(&changes.monitoring)),
        ("rendering", rendering),
        ("settings of commands", settings(&changes.settings)),
    ];
    for (title, lines) in sections.into_iter().filter(|(_, lines)| !lines.is_empty()) {
        match how {
            Draw::Text => out += &format!("{title}\n"),
            Draw::Markdown => out += &format!("\n#### {}{}\n\n", title[..1].to_uppercase(), &title[1..]),
        }
        for line in lines {
            match how {
                Draw::Text => out += &format!("  {}{}\n", "    ".repeat(line.depth), line.text),
                Draw::Markdown => out += &format!("{}- {}\n", "  ".repeat(line.depth), line.text),
            }
        }
    }
    let count = changes.count();
    let summary = format!("{count} difference{}", if count == 1 { "" } else { "s" });
    out + &if how == Draw::Text {
        format!("{summary} from {} to {}\n", how.value(old), how.value(new))
    } else {
        format!("\n{summary}.\n")
    }
}

impl Draw {
    /// A value of a map, escaped for the format.
    fn value(self, text: &str) -> String {
        match self {
            Draw::Text if text.is_empty() => "(empty)".to_owned(),
            Draw::Text => escape::comment(text),
            Draw::Markdown => escape::markdown_code(text),
        }
    }

    fn placement(self, placement: &PlacementId) -> String {
        let region = if placement.region.is_empty() { String::new() } else { format!(" {}", self.value(&placement.region)) };
        format!("{} ({}){region}", self.value(&placement.account), placement.account_id)
    }

    fn setting(self, setting: &Setting) -> String {
        let name = match self {
            Draw::Text => escape::comment(&setting.setting),
            Draw::Markdown => escape::markdown(&setting.setting),
        };
        match (&setting.old, &setting.new) {
            (Some(old), Some(new)) => format!("{name}: {} → {}", self.value(old), self.value(new)),
            (None, Some(new)) => format!("{name}: {}", self.value(new)),
            (Some(old), None) => format!("{name}: {} no longer", self.value(old)),
            (None, None) => name,
        }
    }

    fn note(self, note: &str) -> String {
        match self {
            Draw::Text => escape::comment(note),
            Draw::Markdown => escape::markdown_prose(note),
        }
    }

    /// Things that change in the same way in the same places are one entry.
    fn changes(self, changes: &[Change]) -> Vec<Line> {
        type Way<'a> = (Kind, &'a Option<PlacementId>, &'a Option<PlacementId>, &'a [Setting], &'a [String]);
        let mut groups: BTreeMap<Way<'_>, Vec<&Change>> = BTreeMap::new();
        for change in changes {
            let way: Way<'_> = (change.change, &change.old, &change.new, &change.settings, &change.notes);
            groups.entry(way).or_default().push(change);
        }
        let mut lines = Vec::new();
        for group in groups.into_values() {
            let Some(first) = group.first() else { continue };
            let sign = match first.change {
                Kind::Added => "+ added",
                Kind::Removed => "- removed",
                Kind::Moved => "> moved",
                Kind::Renamed => "~ renamed",
                Kind::Adopted => "+ adopted",
                Kind::Changed => "~ changed",
            };
            let name = |change: &&Change| match &change.old_name {
                Some(old) => format!("{} → {}", self.value(old), self.value(&change.name)),
                None => self.value(&change.name),
            };
            let place = match (&first.old, &first.new) {
                (Some(old), Some(new)) if old == new => format!(" in {}", self.placement(old)),
                (Some(old), Some(new)) => format!(" from {} to {}", self.placement(old), self.placement(new)),
                (Some(one), None) | (None, Some(one)) => format!(" in {}", self.placement(one)),
                (None, None) => String::new(),
            };
            let count = if group.len() > 1 { format!(" {}", group.len()) } else { String::new() };
            let sign = if self == Draw::Markdown { sign[2..].to_owned() } else { sign.to_owned() };
            lines.push(Line {
                depth: 0,
                text: format!("{sign}{count}{place}: {}", few(&group.iter().map(name).collect::<Vec<_>>())),
            });
            lines.extend(first.settings.iter().map(|setting| Line { depth: 1, text: self.setting(setting) }));
            lines.extend(first.notes.iter().map(|note| Line { depth: 1, text: format!("note: {}", self.note(note)) }));
        }
        lines
    }

    fn policies(self, changes: &Changes) -> Vec<Line> {
        let mut lines = Vec::new();
        for policy in &changes.policies {
            lines.push(Line { depth: 0, text: format!("{}: {}", self.value(&policy.log_bucket), access(policy.access)) });
            for statement in &policy.statements {
                let kind = match statement.change {
                    StatementKind::Added => "added",
                    StatementKind::Removed => "removed",
                    StatementKind::Changed => "changed",
                };
                let sid =
                    if statement.sid.is_empty() { "a statement without Sid".to_owned() } else { self.value(&statement.sid) };
                lines.push(Line { depth: 1, text: format!("{} {sid} {kind}: {}", statement.effect, access(statement.access)) });
                for element in &statement.elements {
                    let list = |sign: &str, values: &[String]| match values {
                        [] => String::new(),
                        values => format!(" {sign} {}", few(&values.iter().map(|value| self.value(value)).collect::<Vec<_>>())),
                    };
                    let name =
                        if self == Draw::Text { escape::comment(&element.element) } else { escape::markdown(&element.element) };
                    let (added, removed) = (list("with", &element.added), list("without", &element.removed));
                    let comma = if added.is_empty() || removed.is_empty() { "" } else { "," };
                    lines.push(Line { depth: 2, text: format!("{name}{added}{comma}{removed}") });
                }
            }
            lines.extend(policy.notes.iter().map(|note| Line { depth: 1, text: format!("note: {}", self.note(note)) }));
        }
        lines
    }

    fn layouts(self, changes: &Changes) -> Vec<Line> {
        let mut lines = Vec::new();
        for change in &changes.layouts {
            let sources = few(&change.sources.iter().map(|name| self.value(name)).collect::<Vec<_>>());
            let many =
                if change.sources.len() == 1 { "1 source".to_owned() } else { format!("{} sources", change.sources.len()) };
            lines.push(Line { depth: 0, text: format!("{many}: {sources}") });
            let row = |word: &str, layout: &str, format: &str| format!("{word}: {} ({format})", self.value(layout));
            lines.push(Line { depth: 1, text: row("until now", &change.old, change.old_format) });
            lines.push(Line { depth: 1, text: row("from now on", &change.new, change.new_format) });
            lines.push(Line { depth: 1, text: format!("tables: {}", self.note(&change.tables)) });
            lines.push(Line { depth: 1, text: format!("readers: {}", self.note(&change.readers)) });
        }
        lines
    }

    /// Databases with the same changes are one entry.
    fn tables(self, changes: &Changes) -> Vec<Line> {
        type Way<'a> = (&'a [String], &'a [String], &'a [String], &'a str);
        let mut groups: BTreeMap<Way<'_>, Vec<String>> = BTreeMap::new();
        for change in &changes.tables {
            let way: Way<'_> = (&change.added, &change.changed, &change.removed, &change.note);
            let file = format!("{} ({})", self.value(&change.database), self.value(&change.file));
            groups.entry(way).or_default().push(file);
        }
        let mut lines = Vec::new();
        for ((added, changed, removed, note), databases) in groups {
            lines.push(Line { depth: 0, text: few(&databases) });
            for (word, names) in [("new", added), ("made anew", changed), ("no longer made", removed)] {
                if !names.is_empty() {
                    let names: Vec<String> = names.iter().map(|name| self.value(name)).collect();
                    lines.push(Line { depth: 1, text: format!("{word}: {}", few(&names)) });
                }
            }
            lines.push(Line { depth: 1, text: format!("note: {}", self.note(note)) });
        }
        lines
    }
}

fn access(access: Access) -> &'static str {
    match access {
        Access::Widens => "widens access",
        Access::Narrows => "narrows access",
        Access::Both => "widens and narrows access",
        Access::Unclear => "changes access in a way that the text alone does not tell",
        Access::Same => "no other access, only other words",
    }
}

/// The first of a long list, and how many more there are; one more is as short as saying so.
fn few(values: &[String]) -> String {
    text::few(values, if values.len() == SHOWN + 1 { SHOWN + 1 } else { SHOWN })
}
