//! Baselines: findings that are known, by fingerprint and number, so that only new ones are shown.
//!
//! Text in, text out; the command line reads and writes the file. What keeps a map from being used is never in one.

use super::{Report, fingerprint::fingerprints};
use crate::formats;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Version of the file's format, of which `schemas/baseline.schema.json` is the description.
pub(crate) const FORMAT_VERSION: &str = "1.0";

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
    /// See [`fingerprints`].
    pub fingerprint: String,
    /// How many there are.
    pub count: usize,
    /// For whoever reviews the file; not compared.
    pub route: String,
    /// For whoever reviews the file; not compared.
    pub message: String,
}

impl Baseline {
    /// The baseline of what was found.
    pub(crate) fn of(report: &Report<'_>) -> Self {
        let mut known: BTreeMap<(&str, String), Known> = BTreeMap::new();
        for (finding, fingerprint) in report.findings.iter().zip(fingerprints(report)) {
            if finding.rule.can_be_ignored {
                let entry = known.entry((finding.rule.id, fingerprint.clone())).or_insert_with(|| Known {
                    rule: finding.rule.id.to_owned(),
                    fingerprint,
                    count: 0,
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
        formats::look(text.as_bytes(), FORMAT_VERSION)?;
        Ok(serde_json::from_str(text)?)
    }

    /// The text for a file; the same for the same findings.
    pub(crate) fn text(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// Of each finding whether it is known, and what the baseline lists but nothing found, with how many are gone.
    pub(crate) fn compare(&self, report: &Report<'_>) -> (Vec<bool>, Vec<(&Known, usize)>) {
        let prints = fingerprints(report);
        let mut left: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for known in &self.findings {
            *left.entry((&known.rule, &known.fingerprint)).or_default() += known.count;
        }
        let known =
            report.findings.iter().zip(&prints).map(|(finding, print)| match left.get_mut(&(finding.rule.id, print.as_str())) {
                Some(count @ 1..) if finding.rule.can_be_ignored => {
                    *count -= 1;
                    true
                }
                _ => false,
            });
        let known = known.collect();
        let gone = self.findings.iter().filter_map(|known| {
            let count = left.remove(&(known.rule.as_str(), known.fingerprint.as_str()))?;
            (count > 0).then_some((known, count))
        });
        let gone = gone.collect();
        (known, gone)
    }
}
