//! Fingerprints: what a finding is called from one run to the next, so that a baseline and code scanning know it again.
//!
//! Made of the rule, the file's place in the repository, the route without its list indices, and the names in the message, which are what
//! it has in backticks: lines and items may come and go around it, and the message may be worded anew. Findings that are alike in all four
//! get one fingerprint; who needs them apart counts them.

use super::{Finding, Report};
use sha2::{Digest, Sha256};

/// The fingerprint of each finding of a report, in their order: 32 hexadecimal digits.
pub fn fingerprints(report: &Report<'_>) -> Vec<String> {
    report.findings.iter().map(|finding| fingerprint(report, finding)).collect()
}

/// The fingerprint of a finding of a report, or of one that the report does not show.
pub(super) fn fingerprint(report: &Report<'_>, finding: &Finding) -> String {
    let file = finding.file.of(report.files).map_or("", |file| file.address());
    digest(&format!("{}\0{file}\0{}", finding.rule.id, route_and_names(&(report.route)(finding), &finding.message)))
}

/// What a finding of any rule in any file is known by when its message has been worded anew.
pub(super) fn print_of_names(route: &str, message: &str) -> String {
    digest(&route_and_names(route, message))
}

/// The route without its indices, and the names in a message.
fn route_and_names(route: &str, message: &str) -> String {
    // what stands between two backticks: every second piece
    let names: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    format!("{}\0{}", without_indices(route), names.join("\0"))
}

/// As baselines of format 1.0 have it: of the rule, the route and the whole message, in whichever file.
pub(super) fn fingerprint_by_message(report: &Report<'_>, finding: &Finding) -> String {
    let route = without_indices(&(report.route)(finding));
    digest(&format!("{}\0{route}\0{}", finding.rule.id, finding.message))
}

fn digest(text: &str) -> String {
    Sha256::digest(text).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
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
