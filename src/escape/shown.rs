//! Text that people read on a terminal or in the log of a pipeline: what came from outside stays text. It neither moves the cursor
//! nor turns the direction of a line, and no line of it is a command to the program that keeps the log.
//!
//! Sources: GitHub's runner takes a line that begins with `::`, spaces before it or not, and `##[` anywhere, for a command ("Workflow
//! commands for GitHub Actions"; `ActionCommand.cs` of actions/runner); Azure Pipelines takes `##vso[` and `##[` anywhere ("Logging
//! commands"; `Command.cs` of microsoft/azure-pipelines-agent).

use crate::text::{is_plain, is_unprintable};
use std::borrow::Cow;

/// A text as one line: a character that does not show is written as `\u{…}`, a line break too.
pub fn line(text: &str) -> Cow<'_, str> {
    no_command(visible(text))
}

/// As [`line`], for what does not begin a line.
pub fn visible(text: &str) -> Cow<'_, str> {
    let hidden = |c: char| is_unprintable(c) && c != '\t';
    if is_plain(text) || !text.contains(hidden) {
        return no_bracket(Cow::Borrowed(text));
    }
    let shown = text.chars().map(|c| if hidden(c) { format!("\\u{{{:x}}}", c as u32) } else { c.to_string() });
    no_bracket(shown.collect::<String>().into())
}

/// Several lines, each as [`line`] writes it; the line breaks stay.
pub fn lines(text: &str) -> Cow<'_, str> {
    each(text, line)
}

/// Lines that are drawn, escape sequences of colours included: no command is left in them, the rest stays.
pub fn drawn(text: &str) -> Cow<'_, str> {
    each(text, |line| no_command(Cow::Borrowed(line)))
}

fn each<'t>(text: &'t str, shown: impl Fn(&'t str) -> Cow<'t, str>) -> Cow<'t, str> {
    let lines: Vec<Cow<'t, str>> = text.split('\n').map(shown).collect();
    if lines.iter().all(|line| matches!(line, Cow::Borrowed(_))) {
        return Cow::Borrowed(text);
    }
    lines.join("\n").into()
}

/// Breaks what begins a command in the log of a pipeline.
fn no_command(line: Cow<'_, str>) -> Cow<'_, str> {
    // between three colons there is no command that a runner knows; findings show the other end of a conflict so
    if line.trim_start().starts_with("::") && !line.trim_start().starts_with(":::") {
        return no_bracket(line.replacen("::", ":\\u{3a}", 1).into());
    }
    no_bracket(line)
}

/// Breaks what is a command wherever it stands in a line.
pub(super) fn no_bracket(line: Cow<'_, str>) -> Cow<'_, str> {
    if !line.contains("##") {
        return line;
    }
    let mut text = line.into_owned();
    // the words are compared without case
    let lower = text.to_ascii_lowercase();
    for word in ["##vso[", "##["] {
        let found: Vec<usize> = lower.match_indices(word).map(|(at, _)| at + word.len() - 1).collect();
        for at in found {
            // as wide as before, so that a line below still points to what it pointed to
            text.replace_range(at..=at, "(");
        }
    }
    text.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_line_that_shows_all_it_has() {
        for (text, shown) in [
            ("plain `words` 日本", "plain `words` 日本"),
            ("a\u{1b}[2Jb\r\nc\td", "a\\u{1b}[2Jb\\u{d}\\u{a}c\td"),
            ("a\u{202e}b\u{2028}c", "a\\u{202e}b\\u{2028}c"),
            ("::error::x", ":\\u{3a}error::x"),
            ("  ::error::x", "  :\\u{3a}error::x"),
            ("a::b", "a::b"),
            ("x ##vso[a]##VSO[b]##[c]", "x ##vso(a]##VSO(b]##(c]"),
        ] {
            assert_eq!(line(text), shown);
        }
        assert_eq!(lines("a\n::b\n\u{7}"), "a\n:\\u{3a}b\n\\u{7}");
        assert_eq!(drawn("\u{1b}[1ma\n ::b"), "\u{1b}[1ma\n :\\u{3a}b");
        assert!(matches!(lines("a\nb\n"), Cow::Borrowed("a\nb\n")));
    }
}
