//! `athena`: the account that asks, and what it is given.

use super::Account;
use crate::map::{RegionMap, values::CentralSettings};
use std::collections::BTreeMap;

/// Default of `athena.result_days`.
pub(crate) const DEFAULT_RESULT_DAYS: u32 = 30;
/// Default of `athena.scan_limit_gb`.
pub(crate) const DEFAULT_SCAN_LIMIT_GB: u32 = 100;

/// `athena`, if it names an account that can be used; what is wrong about the rest has been reported.
pub(super) fn central(map: &RegionMap, accounts: &BTreeMap<&str, Account<'_>>) -> Option<CentralSettings> {
    let athena = map.athena.as_ref()?;
    let account = athena.central.as_ref().filter(|key| accounts.contains_key(key.as_str()))?;
    Some(CentralSettings {
        span: account.span,
        account: account.value.clone(),
        region: athena.region.clone(),
        readers: athena.readers.clone(),
        result_bucket: athena.result_bucket.clone(),
        result_days: athena.result_days.as_ref().map_or(DEFAULT_RESULT_DAYS, |days| days.value),
        scan_limit_gb: athena.scan_limit_gb.as_ref().map_or(DEFAULT_SCAN_LIMIT_GB, |limit| limit.value),
    })
}
