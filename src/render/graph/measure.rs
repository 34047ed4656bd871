//! How wide text is at most, in pixels, whatever the font: names are drawn in a monospaced one, words in the system's sans-serif.
//! Numbers are those of the widest fonts in wide use (DejaVu Sans, Verdana), so that nothing overlaps where a narrower one is there.

use crate::text::is_unprintable;

/// Width of a column of names: `size` in pixels, each cell at most 0.63 of it.
pub(super) fn mono(text: &str, size: i32) -> i32 {
    cells(text).saturating_mul(size * 63).saturating_add(99) / 100
}

/// How many cells fit into a width.
pub(super) fn mono_fit(width: i32, size: i32) -> i32 {
    width * 100 / (size * 63)
}

/// Width of words.
pub(super) fn sans(text: &str, size: i32) -> i32 {
    text.chars().map(|c| share(c) * size).fold(0, i32::saturating_add) / 100 + 2
}

/// At most so many characters fit into a width: as many of the narrowest.
fn most_characters(width: i32, size: i32) -> usize {
    usize::try_from(width.saturating_mul(100) / (size * 40).max(1) + 1).unwrap_or(1)
}

/// Hundredths of the size.
fn share(c: char) -> i32 {
    match c {
        ' ' | '.' | ',' | ':' | ';' | '\'' | '|' | 'i' | 'j' | 'l' | '!' => 40,
        'f' | 't' | 'r' | 'I' | '(' | ')' | '[' | ']' | '/' | '-' => 48,
        'm' | 'M' | 'w' | 'W' | '@' | '%' | '…' | '→' => 104,
        'A'..='Z' => 82,
        '0'..='9' => 68,
        c if c.is_ascii() => 68,
        c if is_wide(c) => 115,
        _ => 82,
    }
}

/// Cells of a terminal's or a monospaced font's width.
pub(super) fn cells(text: &str) -> i32 {
    text.chars().map(|c| if is_wide(c) { 2 } else { 1 }).sum()
}

/// From Hangul on, scripts may be as wide as they are high.
fn is_wide(c: char) -> bool {
    c >= '\u{1100}' && !('\u{1e00}'..='\u{27ff}').contains(&c)
}

/// The text with what does not show made visible; lines stay lines.
pub(super) fn shown(text: &str) -> String {
    text.chars().map(|c| if is_unprintable(c) && c != '\n' { format!("\\u{{{:x}}}", c as u32) } else { c.to_string() }).collect()
}

/// The text in at most so many cells: beginning and end stay, as names differ in both.
pub(super) fn shorten(text: &str, most: i32) -> String {
    if cells(text) <= most {
        return text.to_owned();
    }
    let (mut head, mut tail) = (String::new(), Vec::new());
    let (mut room, mut front, mut back) = (most - 1, text.chars(), text.chars().rev());
    loop {
        // two from the front for each from the back
        for turn in 0..3 {
            let next = if turn < 2 { front.next() } else { back.next() };
            let Some(c) = next else { return head };
            room -= if is_wide(c) { 2 } else { 1 };
            if room < 0 {
                return head + "…" + &tail.iter().rev().collect::<String>();
            }
            if turn < 2 { head.push(c) } else { tail.push(c) }
        }
    }
}

/// Words in one line of at most this width: beginning and end stay.
pub(super) fn fit(text: &str, width: i32, size: i32) -> String {
    let mut short = text.to_owned();
    // what can't fit is not tried, however long a name is
    let mut most = cells(text);
    if let Some(fits) = i32::try_from(most_characters(width, size)).ok().filter(|fits| *fits < most) {
        (most, short) = (fits, shorten(text, fits));
    }
    while sans(&short, size) > width && most > 1 {
        most -= 1;
        short = shorten(text, most);
    }
    short
}

/// Words in lines of at most this width, at most so many; what is left out is an ellipsis.
pub(super) fn wrap(text: &str, width: i32, size: i32, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = vec![String::new()];
    // what would be behind the last line is not tried, however long a word is
    let mut left = most_characters(width, size).saturating_mul(most.saturating_add(1));
    for word in text.split_whitespace() {
        if left == 0 {
            break;
        }
        let mut word: String = word.chars().take(left).collect();
        left = left.saturating_sub(word.chars().count());
        loop {
            let line = lines.last_mut().map(std::mem::take).unwrap_or_default();
            let longer = if line.is_empty() { word.clone() } else { format!("{line} {word}") };
            if sans(&longer, size) <= width {
                put(&mut lines, longer);
                break;
            }
            if !line.is_empty() {
                put(&mut lines, line);
                lines.push(String::new());
                continue;
            }
            // one word that is too long for a line
            let mut cut = word.clone();
            while sans(&cut, size) > width && cut.chars().count() > 1 {
                cut.pop();
            }
            word = word[cut.len()..].to_owned();
            put(&mut lines, cut);
            lines.push(String::new());
            if word.is_empty() {
                break;
            }
        }
    }
    lines.retain(|line| !line.is_empty());
    if lines.len() > most {
        lines.truncate(most);
        if let Some(last) = lines.last_mut() {
            while sans(&format!("{last}…"), size) > width && last.pop().is_some() {}
            last.push('…');
        }
    }
    lines
}

fn put(lines: &mut [String], line: String) {
    if let Some(last) = lines.last_mut() {
        *last = line;
    }
}

/// `1,234,567`.
pub(super) fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 trail`, `2 trails`, and with an ending of its own `2 log buckets`.
pub(super) fn count(number: usize, what: &str) -> String {
    format!("{} {what}{}", thousands(number), if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_keeps_both_ends_and_fits() {
        let name = "acme-cloudtrail-for-every-team-of-the-organisation-eu-west-1";
        let short = shorten(name, 30);
        assert!(short.starts_with("acme-cloudtrail-") && short.ends_with("west-1") && short.contains('…'), "{short}");
        assert_eq!(cells(&short), 30, "{short}");
        assert_eq!(shorten("acme", 4), "acme");
        assert_eq!(fit("→ log-archive · us-east-1", 400, 11), "→ log-archive · us-east-1");
        assert!(sans(&fit(name, 90, 11), 11) <= 90 && fit(name, 90, 11).contains('…'));
        assert!((28..=30).contains(&cells(&shorten(&"日本".repeat(40), 30))));
    }

    #[test]
    fn lines_fit_and_the_last_says_that_there_is_more() {
        let lines = wrap("the quick brown fox jumps over the lazy dog and a-word-that-is-much-too-long-for-any-line", 120, 11, 9);
        assert!(lines.iter().all(|line| sans(line, 11) <= 120), "{lines:?}");
        assert_eq!(
            lines.concat().replace(' ', "").len(),
            "thequickbrownfoxjumpsoverthelazydoganda-word-that-is-much-too-long-for-any-line".len()
        );
        let two = wrap("the quick brown fox jumps over the lazy dog", 120, 11, 2);
        assert!(two.len() == 2 && two[1].ends_with('…') && two.iter().all(|line| sans(line, 11) <= 120), "{two:?}");
        assert!(wrap("", 10, 11, 2).is_empty() && !wrap("日", 1, 11, 2).is_empty());
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!([7, 1_000, 1_234_567].map(thousands), ["7", "1,000", "1,234,567"]);
        assert_eq!([count(1, "trail"), count(2_000, "trail")], ["1 trail", "2,000 trails"]);
    }
}
