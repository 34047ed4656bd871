//! The version of the format; what else is wrong with a text is found while it is read.

use crate::{
    diagnostics::Finding,
    map::{self, RegionMap},
};

/// Checks the version.
pub(crate) fn check(map: &RegionMap, findings: &mut Vec<Finding>) {
    findings.extend(map.version.and_then(map::unknown_version));
}
