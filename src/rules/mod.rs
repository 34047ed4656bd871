//! The rules on a map: each is declared once, beside its check; a family is a file.
//!
//! Rules take the map (or, in `plan::derive`, what is derived from it) and give findings with places. The registry here
//! is what `explain`, the index in docs/rules/ and the tests read. Must not print, and must not change the map.

mod accounts;
pub(crate) mod archive;
pub(crate) mod athena;
pub(crate) mod budget;
pub(crate) mod delivery;
pub(crate) mod guardrails;
pub(crate) mod ignore;
pub(crate) mod monitoring;
pub(crate) mod naming;
pub(crate) mod placement;
pub(crate) mod rendering;
pub(crate) mod retention;
pub(crate) mod settings;
pub(crate) mod texts;
pub(crate) mod trails;
pub(crate) mod version;

use crate::{
    catalog::{generated, importing, inputs, live, observed, reading, several},
    diagnostics::{Finding, Rule},
    map::RegionMap,
};

/// All rules, sorted by id.
pub fn all() -> Vec<&'static Rule> {
    let families = [
        reading::RULES,
        naming::RULES,
        several::RULES,
        placement::RULES,
        delivery::RULES,
        budget::RULES,
        retention::RULES,
        trails::RULES,
        rendering::RULES,
        monitoring::RULES,
        athena::RULES,
        guardrails::RULES,
        archive::RULES,
        observed::RULES,
        importing::RULES,
        generated::RULES,
        inputs::RULES,
        live::RULES,
    ];
    families.concat()
}

/// The rule with this id or name.
pub fn find(word: &str) -> Option<&'static Rule> {
    all().into_iter().find(|rule| rule.is(word))
}

/// Runs every rule that needs the map alone.
pub fn check_map(map: &RegionMap, findings: &mut Vec<Finding>) {
    version::check(map, findings);
    naming::check(map, findings);
    placement::check(map, findings);
    delivery::check(map, findings);
    retention::check(map, findings);
    trails::check(map, findings);
    rendering::check(map, findings);
    monitoring::check(map, findings);
    guardrails::check(map, findings);
    athena::check(map, findings);
    archive::check(map, findings);
    settings::check(map, findings);
}

/// Every `log_bucket` of a map: the defaults', the accounts', the Regions'.
pub(crate) fn log_buckets(map: &RegionMap) -> impl Iterator<Item = &crate::map::LogBucket> {
    let defaults = map.defaults.iter().filter_map(|defaults| defaults.log_bucket.as_ref());
    let accounts = map.accounts().flat_map(|(_, account)| {
        let regions = account.regions().filter_map(|(_, region)| region.log_bucket.as_ref());
        account.log_bucket.iter().chain(regions)
    });
    defaults.chain(accounts).map(|layer| &layer.value)
}
