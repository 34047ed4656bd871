//! Reach: does a statement match more requests than another, fewer, or both? Judged by meaning where that can be told.
//!
//! Takes two versions of a statement. A direction is claimed only when a request shows it; what is neither shown nor
//! excluded (two overlapping wildcards, policy variables, operators without an order) is `unclear`. Pure.

use crate::policy::{Condition, Element, Principal, Statement, evaluate::glob};

/// How the requests that a statement matches differ from those of its older version.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Reach {
    /// It matches some that it did not.
    pub wider: bool,
    /// It no longer matches some that it did.
    pub narrower: bool,
    /// There is a difference that can't be told apart.
    pub unclear: bool,
}

impl Reach {
    const WIDER: Reach = Reach { wider: true, narrower: false, unclear: false };
    const NARROWER: Reach = Reach { wider: false, narrower: true, unclear: false };
    const UNCLEAR: Reach = Reach { wider: false, narrower: false, unclear: true };

    fn and(self, other: Reach) -> Reach {
        Reach {
            wider: self.wider || other.wider,
            narrower: self.narrower || other.narrower,
            unclear: self.unclear || other.unclear,
        }
    }

    fn turned(self) -> Reach {
        Reach { wider: self.narrower, narrower: self.wider, unclear: self.unclear }
    }
}

/// Compares two versions of a statement, whatever its effect.
pub(crate) fn compare(old: &Statement, new: &Statement) -> Reach {
    let lower = |list: &Vec<String>| list.iter().map(|action| action.to_ascii_lowercase()).collect();
    element(&old.principal, &new.principal, &principals, covers)
        .and(element(&old.action, &new.action, &lower, covers))
        .and(element(&old.resource, &new.resource, &Clone::clone, covers))
        .and(conditions(&old.condition, &new.condition))
}

/// Does the first pattern match whatever the second one does?
type Covers = fn(&str, &str) -> bool;

fn element<T>(old: &Element<T>, new: &Element<T>, patterns: &dyn Fn(&T) -> Vec<String>, covers: Covers) -> Reach {
    match (old, new) {
        (Element::Is(old), Element::Is(new)) => lists(&patterns(old), &patterns(new), covers),
        (Element::IsNot(old), Element::IsNot(new)) => lists(&patterns(old), &patterns(new), covers).turned(),
        _ => Reach::UNCLEAR,
    }
}

/// Lists of which any entry may match.
fn lists(old: &[String], new: &[String], covers: Covers) -> Reach {
    let direction = |from: &[String], to: &[String]| {
        let fresh: Vec<&String> = to.iter().filter(|pattern| !from.iter().any(|other| covers(other, pattern))).collect();
        let shown = fresh.iter().any(|pattern| {
            !pattern.contains("${") && instances(pattern).iter().any(|text| !from.iter().any(|other| covers(other, text)))
        });
        (shown && !from.iter().any(|other| other.contains("${")), !fresh.is_empty())
    };
    let ((wider, maybe_wider), (narrower, maybe_narrower)) = (direction(old, new), direction(new, old));
    Reach { wider, narrower, unclear: (maybe_wider && !wider) || (maybe_narrower && !narrower) }
}

/// Texts that a pattern matches: with nothing, and with something strange, in the place of each wildcard.
fn instances(pattern: &str) -> [String; 2] {
    ["", "\u{1}"].map(|text| pattern.replace('*', text).replace('?', "\u{1}"))
}

/// Inclusion of wildcard patterns: a wildcard of the second is met only by one of the first that is at least as wide. Sound;
/// what it denies may still be so.
pub(crate) fn covers(wide: &str, narrow: &str) -> bool {
    // the second pattern is read as text in which its own wildcards are characters that only a wildcard can match
    let text: String = narrow.chars().map(|c| if c == '*' { '\u{2}' } else { c }).collect();
    if !text.contains('\u{2}') {
        return glob(wide, &text);
    }
    // a `?` must not stand for a `*`: with two characters in its place the length no longer fits
    glob(wide, &text) && glob(wide, &text.replace('\u{2}', "")) && glob(wide, &text.replace('\u{2}', "\u{2}\u{2}"))
}

/// Inclusion part by part: under the operators for ARNs a wildcard does not cross the first five colons.
fn covers_arn(wide: &str, narrow: &str) -> bool {
    let (wide, narrow): (Vec<&str>, Vec<&str>) = (wide.splitn(6, ':').collect(), narrow.splitn(6, ':').collect());
    wide.len() == narrow.len() && wide.iter().zip(&narrow).all(|(wide, narrow)| covers(wide, narrow))
}

/// Principals as patterns: `Kind:value`; an account's id or root stands for everybody in it.
fn principals(principal: &Principal) -> Vec<String> {
    let Principal::Kinds(kinds) = principal else { return vec!["*".to_owned()] };
    let one = |kind: &str, value: &String| {
        let account = value.split(':').nth(4).filter(|_| value.ends_with(":root")).unwrap_or(value);
        match kind {
            "AWS" if value == "*" => "*".to_owned(),
            "AWS" if account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit()) => format!("AWS:arn:*:iam::{account}:*"),
            _ => format!("{kind}:{value}"),
        }
    };
    kinds.iter().flat_map(|(kind, values)| values.iter().map(move |value| one(kind, value))).collect()
}

/// Operators that must all hold: one more narrows, one less widens.
fn conditions(old: &Condition, new: &Condition) -> Reach {
    let (old, new) = (canonical(old), canonical(new));
    let mut reach = Reach::default();
    for (test, values) in &old {
        reach = reach.and(match new.iter().find(|(other, _)| other == test) {
            None => Reach::WIDER,
            Some((_, other)) if same(values, other) => Reach::default(),
            Some((_, other)) => values_of(test, values, other),
        });
    }
    for (test, _) in &new {
        if !old.iter().any(|(other, _)| other == test) {
            reach = reach.and(Reach::NARROWER);
        }
    }
    let twice =
        |list: &[Tested]| list.iter().enumerate().any(|(at, (test, _))| list[..at].iter().any(|(other, _)| other == test));
    // a test that another one took the place of may say the same in other words
    let replaced = |key: &str, list: &[Tested]| list.iter().any(|((_, other), _)| other == key);
    let reworded = old.iter().any(|(test, _)| !new.iter().any(|(other, _)| other == test) && replaced(&test.1, &new));
    if twice(&old) || twice(&new) || reworded {
        return if old == new { Reach::default() } else { Reach::UNCLEAR };
    }
    reach
}

/// Operator and key, and the values.
type Tested = ((String, String), Vec<String>);

fn same(a: &[String], b: &[String]) -> bool {
    a.iter().all(|value| b.contains(value)) && b.iter().all(|value| a.contains(value))
}

/// Operators that say the same get one name.
fn canonical(condition: &Condition) -> Vec<Tested> {
    let mut found = Vec::new();
    for (operator, keys) in condition {
        for (key, values) in keys {
            let plain = !values.iter().any(|value| value.contains(['*', '?']));
            let name = operator.replace("ArnEquals", "ArnLike").replace("ArnNotEquals", "ArnNotLike");
            let exact = ["StringEquals", "StringNotEquals"]
                .iter()
                .any(|word| name.strip_suffix("IfExists").unwrap_or(&name).ends_with(word));
            let name = if plain && exact { name.replace("Equals", "Like") } else { name };
            found.push(((name, key.to_ascii_lowercase()), values.clone()));
        }
    }
    found.sort();
    found
}

fn values_of((operator, _): &(String, String), old: &[String], new: &[String]) -> Reach {
    let name = operator.rsplit(':').next().unwrap_or(operator);
    let equal: Covers = |a, b| a == b;
    match name.strip_suffix("IfExists").unwrap_or(name) {
        "StringLike" => lists(old, new, covers),
        "StringNotLike" => lists(old, new, covers).turned(),
        "ArnLike" => lists(old, new, covers_arn),
        "ArnNotLike" => lists(old, new, covers_arn).turned(),
        "StringEquals" => lists(old, new, equal),
        "StringNotEquals" => lists(old, new, equal).turned(),
        _ => Reach::UNCLEAR,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_cover_what_they_match() {
        for (wide, narrow, expected) in [
            ("a*", "ab*", true),
            ("ab*", "a*", false),
            ("*", "a?b", true),
            ("?", "*", false),
            ("a?", "a*", false),
            ("a*b", "axb", true),
            ("*b", "a*b", true),
            ("?*", "*", false),
            ("**", "*", true),
        ] {
            assert_eq!(covers(wide, narrow), expected, "{wide} {narrow}");
        }
        assert!(!covers_arn("arn:aws:s3:*", "arn:aws:s3:::x"), "a star does not cross a colon");
    }
}
