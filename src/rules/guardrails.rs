//! Rules on `guardrails`: names that no role can have. What fits into a policy, and which role of an account would be locked out, hangs on
//! the whole plan; `plan::guardrails` judges that, with the rules declared here.

use crate::{
    aws::limits::{is_role_name, is_role_pattern},
    diagnostics::Finding,
    map::RegionMap,
    rule_family,
};

rule_family! {
    since "0.1.0";
    GUARDRAIL_ROLE = "LM0901" "guardrail-role" Error Map blocking: "no role can have this name, or almost every role has";
    GUARDRAIL_LEFT_OUT = "LM0902" "guardrail-left-out" Warning Map: "something does not fit into a policy of the organization";
    GUARDRAIL_BY_PATTERN = "LM0903" "guardrail-by-pattern" Info Map: "a policy of the organization holds more buckets than those of the map";
    GUARDRAIL_LOCKS_OUT = "LM0904" "guardrail-locks-out" Warning Map: "the role of an account does not pass the guardrails";
}

/// Checks the names that `guardrails` gives.
pub(crate) fn check(map: &RegionMap, findings: &mut Vec<Finding>) {
    let Some(guardrails) = &map.guardrails else { return };
    if let Some(name) = guardrails.deployer.as_ref().filter(|name| !is_role_name(name)) {
        findings.push(
            Finding::new(&GUARDRAIL_ROLE, name.span, format!("`{}` is not the name of a role", name.escape_debug())).help(
                "write the name alone, with its path if it has one, such as `logmap-deployer`: the role has it in every account",
            ),
        );
    }
    for name in guardrails.exempt.iter().flat_map(|list| list.iter()).filter(|name| !is_role_pattern(name)) {
        findings.push(
            Finding::new(&GUARDRAIL_ROLE, name.span, format!("`{}` is not the name of a role, or is that of almost every role", name.escape_debug()))
                .help("write a name, with its path if it has one; `*` stands for any text beside three letters at least, as in `break-glass*`"),
        );
    }
}
