//! Rules on how targets are to look.

mod state;

use super::texts;
use crate::{
    diagnostics::Finding,
    map::{Layout, RegionMap},
    rule_family,
};

// LM0701 said that a key is not rendered yet; the number is not given again
rule_family! {
    since "0.1.0";
    PROVIDER = "LM0702" "provider-version" Error Map blocking: "a version of the AWS provider that is not supported";
    BACKEND = "LM0703" "backend" Error Map: "two state backends for one partition, or a malformed one";
    NO_BACKEND = "LM0704" "no-backend" Info Map: "a partition without a state backend";
    BACKEND_SETTING = "LM0705" "backend-setting" Error Map: "a setting of a state backend that would not mean what it says";
    BACKEND_SECRET = "LM0706" "backend-secret" Error Map: "a secret in the settings of a state backend";
    SHARED_STATE = "LM0707" "shared-state" Warning Map: "all accounts would keep their state in one place";
    UNUSED_SETTING = "LM0708" "layout" Warning Map: "a setting that does nothing in the layout of the modules";
}

/// Checks `render`.
pub(crate) fn check(map: &RegionMap, findings: &mut Vec<Finding>) {
    let Some(terraform) = map.render.as_ref().and_then(|render| render.terraform.as_ref()) else { return };
    if let Some(version) = terraform.aws_provider.filter(|version| !(5..=6).contains(&version.value)) {
        findings.push(
            Finding::new(&PROVIDER, version.span, format!("version {} of the AWS provider is not supported", version.value))
                .help("write `6` (a Region on each resource) or `5` (an aliased provider for each Region)"),
        );
    }
    if let (Some(layout), Some(aliased)) = (&terraform.layout, &terraform.aliased_providers)
        && layout.value == Layout::Module
        && aliased.value
    {
        findings.push(
            Finding::new(&UNUSED_SETTING, aliased.span, "`aliased_providers` does nothing with `layout: module`")
                .related(layout.span, "the provider comes from the root that calls the module")
                .help("leave it out"),
        );
    }
    state::check(map, terraform, findings);
    let backends = terraform.backend.as_ref().and_then(|backend| backend.s3.as_ref());
    let mut seen: Vec<(crate::aws::Partition, crate::source::Span)> = Vec::new();
    for backend in backends.map_or(&[][..], |list| &list.value.0) {
        for value in [&backend.bucket, &backend.kms_key_id, &backend.dynamodb_table, &backend.profile].into_iter().flatten() {
            if !unicode_normalization::is_nfc(value) {
                let problem = format!("`{}` {}", value.escape_debug(), texts::NOT_COMPOSED);
                findings.push(Finding::new(&BACKEND, value.span, problem).help(texts::NOT_COMPOSED_HELP));
            }
        }
        let Some(region) = &backend.region else { continue };
        if !crate::aws::region::is_well_formed(region) {
            super::naming::region_name(region, findings);
            continue;
        }
        let partition = crate::aws::Partition::of_region(region);
        match seen.iter().find(|(other, _)| *other == partition) {
            Some((_, span)) => findings.push(
                Finding::new(&BACKEND, region.span, format!("the partition `{partition}` has a backend already"))
                    .related(*span, "it is here")
                    .help("a module's state is kept in one place; leave one of the two out"),
            ),
            None => seen.push((partition, region.span)),
        }
    }
    if seen.is_empty() {
        return;
    }
    for (key, account) in map.accounts_in_use() {
        let Some((name, _)) = account.regions().next() else { continue };
        let partition = crate::aws::Partition::of_region(name);
        if !seen.iter().any(|(other, _)| *other == partition) {
            findings.push(
                Finding::new(
                    &NO_BACKEND,
                    key.span,
                    format!("no backend is in the partition `{partition}`, so the state of `{}` is kept locally", key.value),
                )
                .help("add a backend of that partition: `s3` may be a list"),
            );
        }
    }
}
