//! Names of tables, and how many sources share one.

use crate::digest;

/// Letters of a name that stand for the folder; a table's name may have 255 (Glue API, `TableInput`).
const CHARS: usize = 100;
/// Sources of each of several tables on average: what is spread by digests is not spread evenly.
const AVERAGE: usize = 4;

/// Lower-case letters, digits and underscores: an identifier that needs no quotes in DDL or in queries.
pub(super) fn identifier(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect()
}

/// The name of the table over a folder: another one for each folder, and the same whatever else there is.
///
/// The words of one folder are in the name as they are, with `_` for `-`; anything else has a digest behind it. Nothing plain has two
/// underscores in a row, so no name with a digest is one without.
pub(super) fn named(stem: &str, folder: &str) -> String {
    if folder.is_empty() {
        return stem.to_owned();
    }
    let plain = folder.strip_suffix('/').filter(|words| {
        let word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        words.len() <= CHARS && words.split('-').all(word)
    });
    match plain {
        Some(words) => format!("{stem}_{}", words.replace('-', "_")),
        None => {
            let words: String = identifier(folder).split('_').filter(|word| !word.is_empty()).collect::<Vec<_>>().join("_");
            let words: String = words.chars().take(CHARS).collect();
            let words = words.trim_end_matches('_');
            let between = if words.is_empty() { "" } else { "_" };
            format!("{stem}{between}{words}__{}", digest::short_digest(folder))
        }
    }
}

/// The name of a table where those of all accounts and Regions are together.
///
/// Nothing plain has two underscores in a row, and the name of no Region is a digest, so no two are alike.
pub(super) fn in_front(account: &str, region: &str, name: &str) -> String {
    let plain = account.split('-').all(|word| !word.is_empty());
    let digest = if plain { String::new() } else { format!("__{}", digest::short_digest(account)) };
    format!("{}{digest}__{}__{name}", identifier(account), identifier(region))
}

/// The sources, spread over as few tables as hold `most` each. A source stays where it is while others come and go, until there are
/// twice as many tables.
pub(super) fn parts<'s>(sources: &[&'s str], most: usize) -> Vec<Vec<&'s str>> {
    if sources.len() <= most {
        return vec![sources.to_vec()];
    }
    let count = sources.len().div_ceil(most - most / AVERAGE).next_power_of_two();
    let mut parts: Vec<Vec<&str>> = vec![Vec::new(); count];
    for source in sources {
        if let Some(part) = usize::try_from(digest::number(source) % count as u64).ok().and_then(|at| parts.get_mut(at)) {
            part.push(source);
        }
    }
    parts
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::{in_front, named, parts};
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_name_says_what_its_table_holds() {
        assert_eq!(named("access_logs", "s3-access/"), "access_logs_s3_access");
        assert_eq!(named("cloudtrail", ""), "cloudtrail");
        let hashed = named("access_logs", "Logs/Web_1/");
        assert!(
            hashed.starts_with("access_logs_logs_web_1__") && hashed.len() == "access_logs_logs_web_1__".len() + 12,
            "{hashed}"
        );
        assert!(named("access_logs", &"a".repeat(900)).len() < 130);
    }

    proptest! {
        #[test]
        fn two_folders_never_share_a_name(one in "[aA_/1.-]{0,6}", other in "[aA_/1.-]{0,6}") {
            prop_assume!(one != other);
            prop_assert_ne!(named("access_logs", &one), named("access_logs", &other));
        }

        #[test]
        fn names_with_account_and_region_in_front_are_apart(
            one in ("[a-b]-{0,2}(-us-east-1)?-{0,2}[a-b]?", "(us|us-gov|eu)-(east|west)-[12]", "(access_logs|cloudtrail)(_a|__0f)?"),
            other in ("[a-b]-{0,2}(-us-east-1)?-{0,2}[a-b]?", "(us|us-gov|eu)-(east|west)-[12]", "(access_logs|cloudtrail)(_a|__0f)?"),
        ) {
            prop_assume!(one != other);
            prop_assert_ne!(in_front(&one.0, &one.1, &one.2), in_front(&other.0, &other.1, &other.2));
        }

        #[test]
        fn a_name_is_an_identifier(folder in "\\PC{0,40}") {
            let name = named("t", &folder);
            prop_assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_'), "{}", name);
        }
    }

    #[test]
    fn sources_are_spread_and_stay_where_they_are() {
        let names: Vec<String> = (0..5_001).map(|at| format!("acme-{at}")).collect();
        let all: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(parts(&all[..2_000], 2_000), [all[..2_000].to_vec()]);
        let (before, after) = (parts(&all[..5_000], 2_000), parts(&all, 2_000));
        assert_eq!((before.len(), after.len()), (4, 4));
        assert_eq!(before.iter().zip(&after).filter(|(before, after)| before != after).count(), 1);
        assert!(after.iter().all(|part| part.len() < 2_000));
        assert_eq!(after.concat().into_iter().collect::<BTreeSet<_>>().len(), names.len());
        let many: Vec<String> = (0..100_000).map(|at| format!("bucket-{at:06}-of-a-long-name")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(parts(&many, 2_000).iter().all(|part| part.len() < 2_000));
    }
}
