//! Rules on `athena`: an account that is not there, and values that AWS would not take. Who may read, where and with what buckets hangs on
//! the whole plan; `plan::central` judges that, with the rules declared here.

use super::{accounts, naming};
use crate::{
    diagnostics::Finding,
    map::{AccountState, RegionMap},
    rule_family,
};

rule_family! {
    since "0.1.0";
    CENTRAL_ACCOUNT = "LM0821" "central-account" Error Map: "the account that is to ask is not there";
    CENTRAL_REGION = "LM0822" "central-region" Error Map: "the account that is to ask has no such Region";
    CENTRAL_READER = "LM0823" "central-reader" Error Map: "no role of the account that asks can have this name";
    CENTRAL_RESULT_BUCKET = "LM0824" "central-result-bucket" Error Map: "the bucket for results can't have this name";
    CENTRAL_NUMBER = "LM0825" "central-number" Error Map: "results and queries need a number above 0";
    CENTRAL_DENIED = "LM0826" "central-denied" Error Map proof: "a statement keeps the account that asks from reading";
    CENTRAL_NOT_COVERED = "LM0827" "central-not-covered" Info Map: "accounts of another partition can't be asked from there";
    CENTRAL_NOT_RENDERED = "LM0828" "central-not-rendered" Warning Map: "nothing makes the tables of the account that asks";
    CENTRAL_ACROSS_CHINA = "LM0829" "central-across-china" Warning Map: "queries between Regions in China";
}

/// Checks what `athena` says by itself.
pub(crate) fn check(map: &RegionMap, findings: &mut Vec<Finding>) {
    let Some(athena) = &map.athena else { return };
    if let Some(key) = &athena.central {
        accounts::known(&CENTRAL_ACCOUNT, key, &accounts::ids(map), findings);
        let state = map.accounts().find(|(known, _)| known.value == key.value).and_then(|(_, account)| account.state);
        if let Some(state) = state.filter(|state| state.value == AccountState::Closed) {
            findings.push(
                Finding::new(
                    &CENTRAL_ACCOUNT,
                    key.span,
                    format!("the account `{}` is closed, and nobody can ask from it", key.value),
                )
                .related(state.span, "it is closed by this")
                .help("name an account that is in use"),
            );
        }
    }
    if let Some(region) = &athena.region {
        naming::region_name(region, findings);
    }
    let numbers = [("result_days", athena.result_days, "days"), ("scan_limit_gb", athena.scan_limit_gb, "gigabytes")];
    for (key, number, unit) in numbers {
        if let Some(number) = number.filter(|number| number.value == 0) {
            findings.push(
                Finding::new(&CENTRAL_NUMBER, number.span, format!("`{key}` is 0"))
                    .help(format!("write a number of {unit} above 0, or leave it out")),
            );
        }
    }
}
