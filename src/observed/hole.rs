//! Texts that are known in part. What nobody can know yet (a parameter, a generated name) is a hole with a name.
//!
//! A hole stands in a plain string, so that equal texts are equal strings: `logs-${AWS::AccountId}` is itself, whatever the
//! account. Two texts that differ may still be equal when one has a hole; [`same`] tells which.

/// Opens and closes a hole, and separates its name from what keeps it apart from a namesake: characters for private use.
const MARKS: [char; 3] = ['\u{f0000}', '\u{f0001}', '\u{f0002}'];

/// Are two things the same?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Same {
    /// Certainly.
    Yes,
    /// Certainly not.
    No,
    /// It depends on what a hole stands for.
    Maybe,
}

/// A hole. `scope` keeps holes of one name apart, such as parameters of two templates; people don't see it.
pub(crate) fn hole(name: &str, scope: &str) -> String {
    let clean = |text: &str| text.replace(MARKS, "");
    format!("{}{}{}{}{}", MARKS[0], clean(name), MARKS[2], clean(scope), MARKS[1])
}

/// Is something in the text unknown?
pub(crate) fn has(text: &str) -> bool {
    text.contains(MARKS[0])
}

/// Is the whole text one hole?
pub(crate) fn is_one(text: &str) -> bool {
    text.starts_with(MARKS[0]) && text.find(MARKS[1]) == Some(text.len() - MARKS[1].len_utf8())
}

/// The text as people see it: `${name}` for a hole.
pub(crate) fn shown(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(MARKS[0]) {
        out += before;
        let (hole, tail) = after.split_once(MARKS[1]).unwrap_or((after, ""));
        out += &format!("${{{}}}", hole.split(MARKS[2]).next().unwrap_or_default());
        rest = tail;
    }
    out + rest
}

/// Are two texts equal, whatever the holes stand for?
pub(crate) fn same(a: &str, b: &str) -> Same {
    match (a == b, could_match(a, b, false)) {
        (true, _) => Same::Yes,
        (false, true) => Same::Maybe,
        (false, false) => Same::No,
    }
}

/// Could a pattern match a text for some value of the holes in both? With `wildcards`, `*` and `?` of the pattern count.
pub(crate) fn could_match(pattern: &str, text: &str, wildcards: bool) -> bool {
    let (pattern, text) = (pieces(pattern, wildcards), pieces(text, false));
    // equal holes are equal: what both begin and end with is taken off
    let fixed = |piece: &Piece<'_>| matches!(piece, Piece::Char(_) | Piece::Hole(_));
    let head = pattern.iter().zip(&text).take_while(|(a, b)| a == b && fixed(a)).count();
    let (pattern, text) = (&pattern[head..], &text[head..]);
    let tail = pattern.iter().rev().zip(text.iter().rev()).take_while(|(a, b)| a == b && fixed(a)).count();
    overlap(&pattern[..pattern.len() - tail], &text[..text.len() - tail])
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece<'a> {
    Char(char),
    One,
    Many,
    Hole(&'a str),
}

fn pieces(text: &str, wildcards: bool) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        rest = match after.split_once(MARKS[1]) {
            Some((hole, tail)) if c == MARKS[0] => {
                pieces.push(Piece::Hole(hole));
                tail
            }
            _ => {
                pieces.push(match c {
                    '*' if wildcards => Piece::Many,
                    '?' if wildcards => Piece::One,
                    c => Piece::Char(c),
                });
                after
            }
        };
    }
    pieces
}

/// Is there a text that both could be?
fn overlap(a: &[Piece<'_>], b: &[Piece<'_>]) -> bool {
    let many = |piece: &Piece<'_>| matches!(piece, Piece::Many | Piece::Hole(_));
    let mut row: Vec<bool> = vec![true];
    row.extend(b.iter().scan(true, |all, piece| {
        *all &= many(piece);
        Some(*all)
    }));
    for x in a {
        let mut next = vec![row[0] && many(x)];
        for (at, y) in b.iter().enumerate() {
            let meet = match (x, y) {
                (x, y) if many(x) || many(y) => row[at + 1] && many(x) || next[at] && many(y) || row[at],
                (Piece::One, _) | (_, Piece::One) => row[at],
                (x, y) => x == y && row[at],
            };
            // a piece of the other side may end within what stands for many
            next.push(meet || many(x) && next[at] || many(y) && row[at + 1]);
        }
        row = next;
    }
    row.last().copied().unwrap_or(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_holes_are_equal_and_others_may_be() {
        let (account, other) = (hole("AWS::AccountId", "0"), hole("AWS::AccountId", "1"));
        let name = |account: &str, end: &str| format!("logs-{account}-{end}");
        for (a, b, expected) in [
            ("abc".to_owned(), "abc".to_owned(), Same::Yes),
            ("abc".to_owned(), "abd".to_owned(), Same::No),
            (name(&account, "a"), name(&account, "a"), Same::Yes),
            (name(&account, "a"), name(&account, "b"), Same::No),
            (name(&account, "a"), name(&other, "a"), Same::Maybe),
            (name(&account, "a"), "logs-111122223333-a".to_owned(), Same::Maybe),
            (name(&account, "a"), "other".to_owned(), Same::No),
            (account.clone(), String::new(), Same::Maybe),
        ] {
            assert_eq!(same(&a, &b), expected, "{} {}", shown(&a), shown(&b));
            assert_eq!(same(&b, &a), expected, "{} {}", shown(&b), shown(&a));
        }
        assert_eq!(shown(&name(&account, "a")), "logs-${AWS::AccountId}-a");
        assert!(is_one(&account) && !is_one(&name(&account, "")) && !has("abc"));
    }

    #[test]
    fn patterns_may_match_texts_with_holes() {
        let bucket = format!("arn:aws:s3:::{}", hole("Logs", ""));
        assert!(could_match(&format!("{bucket}/s3/*"), &format!("{bucket}/s3/{}x", hole("Source", "")), true));
        assert!(!could_match(&format!("{bucket}/alb/*"), &format!("{bucket}/s3/x"), true));
        assert!(could_match("arn:aws:s3:::acme-*", &bucket, true));
        assert!(!could_match("arn:aws:sqs:*", &bucket, true));
        assert!(could_match("a?c", "abc", true) && !could_match("a?c", "abc", false));
    }
}
