//! Bucket names and Regions that a text speaks of: error messages, logs, event records.
//!
//! Guesses by the words around a name, and says only what has the form of one.

use crate::aws::{bucket_name, region};
use std::collections::BTreeSet;

/// What a text speaks of, each once, in order.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Mentions {
    /// Bucket names.
    pub buckets: Vec<String>,
    /// Region names.
    pub regions: Vec<String>,
}

/// Finds the names in a text.
pub(crate) fn find(text: &str) -> Mentions {
    let mut mentions = Mentions::default();
    let mut seen = BTreeSet::new();
    let word = |c: char| c.is_ascii_alphanumeric() || c == '-';
    for token in text.split(|c: char| !word(c)).filter(|token| region::is_well_formed(token)) {
        if seen.insert(token) {
            mentions.regions.push(token.to_owned());
        }
    }
    let mut found: Vec<(usize, &str)> = Vec::new();
    for mark in [":s3:::", "s3://"] {
        found.extend(text.match_indices(mark).map(|(at, _)| (at, name_at(&text[at + mark.len()..]))));
    }
    // `S3 Bucket (NAME)`, `<TargetBucket>NAME`, `TargetBucket: "NAME"`, `for bucket: NAME`
    let lower = text.to_ascii_lowercase();
    for (at, _) in lower.match_indices("bucket") {
        let rest = &text[at + "bucket".len()..];
        let rest = rest
            .strip_prefix("Name")
            .or_else(|| rest.strip_prefix("_name"))
            .or_else(|| rest.strip_prefix("name"))
            .unwrap_or(rest);
        let name = rest.trim_start_matches([' ', '(', ':', '=', '"', '\'', '>', '\\', '`']);
        let between = &rest[..rest.len() - name.len()];
        if between.len() <= 5 && between.contains(['(', ':', '=', '"', '\'', '>', '`']) {
            found.push((at, name_at(name)));
        }
    }
    // `NAME.s3.eu-west-1.amazonaws.com`
    for (at, mark) in text.match_indices(".s3.").chain(text.match_indices(".s3-")) {
        if !is_endpoint(&text[at + mark.len()..]) {
            continue;
        }
        let from = text[..at].rfind(|c: char| !(word(c) || c == '.')).map_or(0, |before| before + 1);
        found.push((from, text.get(from..at).unwrap_or_default()));
    }
    found.sort();
    for (_, name) in found {
        let name = name.trim_end_matches(['.', '-']);
        let is_name = bucket_name::problem(name).is_none() && !region::is_well_formed(name) && !NO_NAMES.contains(&name);
        if is_name && seen.insert(name) {
            mentions.buckets.push(name.to_owned());
        }
    }
    mentions
}

/// Words that stand where a name does, and the first label of the service principal `logging.s3.amazonaws.com`.
const NO_NAMES: [&str; 6] = ["arn", "false", "logging", "null", "true", "undefined"];

/// Is this how the host name of a bucket goes on after `.s3.` or `.s3-`? Other services of S3 and other companies have hosts with
/// such a label, too (S3 user guide, "Virtual hosting of general purpose buckets").
fn is_endpoint(rest: &str) -> bool {
    let label = rest.split('.').next().unwrap_or_default();
    let label = label.strip_prefix("website-").unwrap_or(label);
    let is_label = |label: &str| {
        matches!(label, "amazonaws" | "dualstack" | "accelerate" | "fips" | "website") || region::is_well_formed(label)
    };
    is_label(label) && rest.split(['/', '"', '\'', ' ', '\n']).next().is_some_and(|host| host.contains("amazonaws."))
}

/// The longest beginning that has a bucket name's characters.
fn name_at(text: &str) -> &str {
    let end =
        text.find(|c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.'))).unwrap_or(text.len());
    // a name that goes on in other characters is none
    let goes_on = text[end..].starts_with(|c: char| c.is_ascii_uppercase() || c == '_' || c == '$');
    if goes_on { "" } else { &text[..end] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_by_the_words_around_them() {
        for (text, buckets, regions) in [
            ("putting S3 Bucket (acme-web) Logging: operation error", vec!["acme-web"], vec![]),
            ("<TargetBucket>acme-logs</TargetBucket><SourceBucketLocation>eu-west-2</", vec!["acme-logs"], vec!["eu-west-2"]),
            ("Incorrect S3 bucket policy is detected for bucket: acme-logs", vec!["acme-logs"], vec![]),
            (
                "arn:aws:s3:::acme-web/key and https://x.y.s3.us-gov-west-1.amazonaws.com/",
                vec!["acme-web", "x.y"],
                vec!["us-gov-west-1"],
            ),
            ("The owner for the bucket to be logged and the target bucket must be the same", vec![], vec![]),
            (r#""TargetBucket": "acme-logs", s3_bucket_name = "b-1""#, vec!["acme-logs", "b-1"], vec![]),
            ("bucket: ", vec![], vec![]),
            (r#""invokedBy": "logging.s3.amazonaws.com", "bucketName": "acme-logs""#, vec!["acme-logs"], vec![]),
            ("bucketlogging.s3.aws.upbound.io and 111122223333.s3-control.us-east-1.amazonaws.com", vec![], vec!["us-east-1"]),
            ("acme-web.s3-website-us-east-1.amazonaws.com", vec!["acme-web"], vec![]),
            (r#"bucket = "arn:aws:s3:::acme-web""#, vec!["acme-web"], vec![]),
        ] {
            let found = find(text);
            assert_eq!(
                (found.buckets, found.regions),
                (buckets.iter().map(|s| s.to_string()).collect(), regions.iter().map(|s| s.to_string()).collect()),
                "{text}"
            );
        }
    }
}
