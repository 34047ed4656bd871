//! The version of the format; what else is wrong with a text is found while it is read.

use crate::catalog::reading::VERSION;
use crate::{diagnostics::Finding, map::RegionMap};

/// Checks the version.
pub(crate) fn check(map: &RegionMap, findings: &mut Vec<Finding>) {
    if let Some(version) = map.version.filter(|version| version.value != 1) {
        findings.push(
            Finding::new(&VERSION, version.span, format!("version {} of the format is not known", version.value))
                .help("write `version: 1`"),
        );
    }
}
