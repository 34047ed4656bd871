//! Condensing against searches that share no code with it, and the count of names against counting them one by one.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use super::{trie::counts_of, *};
use proptest::prelude::*;

const OVERHEAD: usize = 4;

fn covers(pattern: &Pattern, name: &str) -> bool {
    if pattern.exact { pattern.literal == name } else { name.starts_with(&pattern.literal) }
}

fn bytes(patterns: &[Pattern]) -> usize {
    patterns.iter().map(|p| p.text().len() + OVERHEAD).sum()
}

/// The fewest foreign names of any disjoint cover within the budget, by trying all of them: for the first name that is not
/// covered yet, each of its prefixes with `*` and the name itself.
fn brute(names: &[&str], taken: &mut Vec<Pattern>, left: usize, least: &mut f64) {
    let Some(name) = names.iter().find(|name| !taken.iter().any(|pattern| covers(pattern, name))) else {
        *least = least.min(foreign(taken.iter(), &names.iter().copied().collect()));
        return;
    };
    let exact = Pattern { literal: (*name).to_owned(), exact: true };
    let wild = (MIN_LITERAL..=name.len()).map(|length| Pattern { literal: name[..length].to_owned(), exact: false });
    for pattern in wild.chain([exact]) {
        let size = pattern.text().len() + OVERHEAD;
        let apart = |other: &Pattern| !other.literal.starts_with(&pattern.literal) || pattern.exact;
        if size <= left && taken.iter().all(apart) {
            taken.push(pattern);
            brute(names, taken, left - size, least);
            taken.pop();
        }
    }
}

/// Is a name legal? S3 user guide, "Bucket naming rules", as far as single characters go.
fn legal(name: &str) -> bool {
    name.len() >= 3 && name.ends_with(|c: char| c.is_ascii_alphanumeric()) && !name.contains("..")
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(600) })]

    #[test]
    fn a_cover_fits_is_disjoint_and_no_other_admits_fewer_names(
        names in proptest::collection::btree_set("[ab]{2,3}[-.]?[ab]{1,3}[0-9]{0,2}", 1..6),
        share in 10..110usize,
    ) {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let budget = names.iter().map(|name| name.len() + OVERHEAD).sum::<usize>() * share / 100;
        let mut optimum = f64::INFINITY;
        brute(&names, &mut Vec::new(), budget, &mut optimum);
        match condense(&names, OVERHEAD, budget) {
            None => prop_assert!(optimum.is_infinite(), "a cover exists that admits {optimum}"),
            Some(found) => {
                prop_assert!(bytes(&found.patterns) <= budget);
                for name in &names {
                    prop_assert_eq!(found.patterns.iter().filter(|pattern| covers(pattern, name)).count(), 1);
                }
                let admitted = foreign(found.patterns.iter(), &names.iter().copied().collect());
                prop_assert!((admitted - found.admitted).abs() <= admitted * 1e-12, "{} against {}", admitted, found.admitted);
                prop_assert!(admitted <= optimum * (1.0 + 1e-12), "{} against {}", admitted, optimum);
            }
        }
    }

}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(40) })]

    /// Longer lists, against the same search without its limit.
    #[test]
    fn a_list_of_up_to_a_hundred_names_is_searched_exactly(
        names in proptest::collection::btree_set("acme-[a-e]{1,3}-(web|data|logs)-[a-z0-9]{0,20}[0-9]", 20..100),
        share in 20..100usize,
    ) {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let budget = names.iter().map(|name| name.len() + OVERHEAD).sum::<usize>() * share / 100;
        let trie = Trie { names: &names, overhead: OVERHEAD, counts: counts() };
        let cheapest = trie.cheapest(&[(0, names.len())], Limits { budget, points: usize::MAX });
        let optimum = cheapest.map(|choices| choices.iter().map(|choice| trie.cost(choice)).sum::<f64>());
        let found = condense(&names, OVERHEAD, budget).map(|found| found.admitted);
        let worse = found.zip(optimum).is_some_and(|(found, optimum)| found > optimum * (1.0 + 1e-9));
        prop_assert!(found.is_some() == optimum.is_some() && !worse, "{:?} against {:?}", found, optimum);
    }

}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    /// Names one by one, of a small alphabet and with the greatest length near.
    #[test]
    fn the_count_of_names_is_what_counting_gives(stem in "[ab]{1}[ab.-]{0,2}[ab]{1}", more in 0..5usize) {
        prop_assume!(!stem.contains(".."));
        // as if all names had `LONGEST` characters at most: the stem is made that long, less `more`
        let literal = format!("{}{stem}", "a".repeat(LONGEST - more - stem.len()));
        let mut level = vec![literal.clone()];
        let mut count = 0;
        for _ in 0..=more {
            count += level.iter().filter(|name| legal(name)).count();
            level = level.iter().flat_map(|name| ["a", "b", "-", "."].map(|c| format!("{name}{c}"))).collect();
        }
        prop_assert_eq!(super::trie::cost_of(literal.as_bytes(), 0, &counts_of(2.0)), count as f64);
    }
}

#[test]
fn the_count_of_names_is_right_for_short_tails() {
    let counts = counts();
    // a literal of 63 characters is itself; of 62: itself, or one letter or digit more
    assert_eq!(counts[0][63], 1.0);
    assert_eq!(counts[0][62], 37.0);
    // after a hyphen the name can't end; 36 + (36 + 1 + 1) * 36 with up to two more
    assert_eq!(counts[1][61], 36.0 + 38.0 * 36.0);
    assert_eq!(counts[2][61], 36.0 + 37.0 * 36.0);
}

#[test]
fn a_name_that_two_lists_admit_counts_once() {
    let wild = |literal: &str| Pattern { literal: literal.to_owned(), exact: false };
    let long = "a".repeat(62);
    let names = [long.as_str()].into();
    let (wide, narrow) = (wild(&long[..61]), wild(&long));
    assert_eq!(foreign([&wide, &narrow].into_iter(), &names), foreign([&wide].into_iter(), &names));
    assert_eq!(foreign([&narrow].into_iter(), &names), 36.0);
}

/// A map may hold names that AWS would refuse; they are condensed like others, between their characters.
#[test]
fn names_of_any_characters_are_condensed_between_their_characters() {
    let mut names: Vec<String> = (0..450).map(|number| format!("acme-audit-service-data-{number:04}-us-east-1")).collect();
    names.extend(
        ["acme-\u{e9}-audit", "acme-\u{e8}-audit", "acme-\u{65e5}", "\u{e9}", "\u{e9}\u{e9}x", "ab\u{1f600}c", "ab\u{1f600}d"]
            .map(str::to_owned),
    );
    names.sort();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let all: usize = names.iter().map(|name| name.len() + OVERHEAD).sum();
    for share in (1..40).step_by(9) {
        let budget = all * share / 40;
        let Some(found) = condense(&names, OVERHEAD, budget) else { continue };
        assert!(bytes(&found.patterns) <= budget);
        for name in &names {
            assert_eq!(found.patterns.iter().filter(|pattern| covers(pattern, name)).count(), 1, "{name}");
        }
    }
    // nothing but names of one character each: there is no literal of three bytes
    assert!(condense(&["\u{e8}", "\u{e9}"], OVERHEAD, 1).is_none());
}
