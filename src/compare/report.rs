//! Configurations as machines read them.

use super::Configuration;
use crate::{diagnostics::json::place, source::SourceFile};
use serde_json::{Value, json};

/// Log configurations as JSON, each with its verdict.
pub(crate) fn configurations(files: &[SourceFile], configurations: &[Configuration]) -> Value {
    let one = |configuration: &Configuration| {
        let (file, range) = place(files, configuration.place.file, configuration.place.span);
        let found = configuration.findings.iter().chain(&configuration.suppressed);
        let mut rules: Vec<&str> = found.map(|finding| finding.rule.id).collect();
        rules.sort_unstable();
        rules.dedup();
        let mut value = json!({
            "kind": configuration.kind.word(),
            "file": file,
            "range": range,
            "source": configuration.source,
            "target": configuration.target,
            "verdict": configuration.verdict().word(),
            "rules": rules,
            "unknown": configuration.unknown,
        });
        if configuration.is_suppressed() {
            value["suppressed"] = true.into();
        }
        value
    };
    configurations.iter().map(one).collect()
}
