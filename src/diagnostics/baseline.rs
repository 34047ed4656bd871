//! Baselines: findings that are known, by fingerprint and number, so that only new ones are shown.
//!
//! Text in, text out; the command line reads and writes the file. What keeps a map from being used is never in one.

use super::{
    Finding, Report,
    fingerprint::{fingerprint, fingerprint_by_message, print_of_names},
};
use crate::formats;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Version of the file's format, of which `schemas/baseline.schema.json` is the description.
pub(crate) const FORMAT_VERSION: &str = "1.1";

/// The version before, which is read: its fingerprints are of messages, and know no file.
const BY_MESSAGE: &str = "1.0";

/// Known findings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Baseline {
    /// [`FORMAT_VERSION`].
    pub format_version: String,
    /// Sorted by rule, then fingerprint.
    pub findings: Vec<Known>,
}

/// Findings that are alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Known {
    /// The rule's id.
    pub rule: String,
    /// See [`super::fingerprint`].
    pub fingerprint: String,
    /// How many there are.
    pub count: usize,
    /// For whoever reviews the file; the fingerprint has it. Empty in format 1.0.
    #[serde(default)]
    pub file: String,
    /// For whoever reviews the file; not compared.
    pub route: String,
    /// For whoever reviews the file; not compared.
    pub message: String,
}

impl Baseline {
    /// The baseline of what was found.
    pub(crate) fn of(report: &Report<'_>) -> Self {
        let mut known: BTreeMap<(&str, String), Known> = BTreeMap::new();
        for finding in report.findings {
            if finding.rule.can_be_silenced() {
                let fingerprint = fingerprint(report, finding);
                let entry = known.entry((finding.rule.id, fingerprint.clone())).or_insert_with(|| Known {
                    rule: finding.rule.id.to_owned(),
                    fingerprint,
                    count: 0,
                    file: finding.file.of(report.files).map_or_else(String::new, |file| file.address().to_owned()),
                    route: (report.route)(finding),
                    message: finding.message.clone(),
                });
                entry.count += 1;
            }
        }
        Baseline { format_version: FORMAT_VERSION.to_owned(), findings: known.into_values().collect() }
    }

    /// Is this the text of a baseline, of whatever version? One that is about to be written anew need not be understood.
    pub(crate) fn is_one(text: &[u8]) -> bool {
        let Ok(value) = serde_json::from_slice::<serde_json::Value>(text) else { return false };
        // a report of findings has a summary
        let findings = value.get("findings").and_then(|findings| findings.as_array());
        value.get("format_version").is_some_and(|version| version.is_string())
            && value.get("summary").is_none()
            && findings.is_some_and(|findings| findings.iter().all(|finding| finding.get("fingerprint").is_some()))
    }

    /// Reads the text of a baseline.
    ///
    /// # Errors
    /// It is not one, or of another version: then the error is a [`formats::Unread`].
    pub(crate) fn parse(text: &str) -> anyhow::Result<Self> {
        formats::look(text.as_bytes(), FORMAT_VERSION, &[BY_MESSAGE])?;
        Ok(serde_json::from_str(text)?)
    }

    /// The text for a file; the same for the same findings.
    pub(crate) fn text(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// Was it written when a baseline knew no file?
    pub(crate) fn is_by_message(&self) -> bool {
        self.format_version == BY_MESSAGE
    }

    /// Of each finding whether it is known, and what the baseline lists but nothing found, with how many are gone.
    pub(crate) fn compare(&self, report: &Report<'_>) -> (Vec<bool>, Vec<(&Known, usize)>) {
        let mut left: Vec<usize> = self.findings.iter().map(|known| known.count).collect();
        // fingerprint → what the baseline lists under it
        let mut listed: BTreeMap<(&str, String), Vec<usize>> = BTreeMap::new();
        for (at, known) in self.findings.iter().enumerate() {
            let mut list = |print: String| listed.entry((&known.rule, print)).or_default().push(at);
            list(known.fingerprint.clone());
            if self.is_by_message() {
                list(print_of_names(&known.route, &known.message));
            }
        }
        let mut is_known = |finding: &Finding| {
            let prints = if self.is_by_message() {
                // the message may be worded anew since
                vec![fingerprint_by_message(report, finding), print_of_names(&(report.route)(finding), &finding.message)]
            } else {
                vec![fingerprint(report, finding)]
            };
            let entries = prints.into_iter().flat_map(|print| listed.get(&(finding.rule.id, print)).into_iter().flatten());
            let is_left = |at: &&usize| left.get(**at).is_some_and(|count| *count > 0);
            let found = entries.into_iter().find(is_left).copied();
            if let Some(count) = found.and_then(|at| left.get_mut(at)) {
                *count -= 1;
            }
            found.is_some()
        };
        let known = report.findings.iter().map(|finding| finding.rule.can_be_silenced() && is_known(finding)).collect();
        let gone = self.findings.iter().zip(left).filter(|(_, count)| *count > 0).collect();
        (known, gone)
    }
}
