//! Fingerprints: what a finding is called from one run to the next, so that a baseline and code scanning know it again.
//!
//! Made of the rule, the route without its list indices, and the message: lines and items may come and go around it.
//! Findings that are alike in all three get one fingerprint; who needs them apart counts them.

use super::Report;
use sha2::{Digest, Sha256};

/// The fingerprint of each finding of a report, in their order: 32 hexadecimal digits.
pub fn fingerprints(report: &Report<'_>) -> Vec<String> {
    report
        .findings
        .iter()
        .map(|finding| {
            let route = without_indices(&(report.route)(finding));
            let digest = Sha256::digest(format!("{}\0{route}\0{}", finding.rule.id, finding.message));
            digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
        })
        .collect()
}

/// `regions.us-east-1.buckets[3].name` → `regions.us-east-1.buckets[].name`.
fn without_indices(route: &str) -> String {
    let mut parts = route.split('[');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |kept, part| kept + "[" + part.trim_start_matches(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    #[test]
    fn indices_do_not_count() {
        assert_eq!(super::without_indices("a.b[12].c[0]"), "a.b[].c[]");
        assert_eq!(super::without_indices("a.b1"), "a.b1");
    }
}
