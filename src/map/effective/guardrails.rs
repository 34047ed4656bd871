//! `guardrails`: the roles that pass.

use super::{render, settings_of};
use crate::{
    aws::limits::{is_role_name, is_role_pattern},
    map::{RegionMap, TargetName, values::GuardrailSettings},
};
use std::collections::BTreeSet;

/// `guardrails`, without names that no role can have (reported already).
pub(super) fn guardrails(map: &RegionMap) -> Option<GuardrailSettings> {
    let guardrails = map.guardrails.as_ref()?;
    let names =
        guardrails.exempt.iter().flat_map(|list| list.iter()).filter(|name| is_role_pattern(name)).map(|name| name.value.clone());
    let exempt: BTreeSet<String> = names.collect();
    let render = render(map);
    let stacks = settings_of(map).targets.is_none_or(|targets| targets.contains(&TargetName::CloudFormation));
    let deployer = guardrails.deployer.as_ref().filter(|name| is_role_name(name))?;
    Some(GuardrailSettings {
        span: deployer.span,
        deployer: deployer.value.clone(),
        exempt: exempt.into_iter().collect(),
        function_role: (render.custom_resource && stacks).then(|| render.function_role("*SetAccessLoggingRole*")),
    })
}
