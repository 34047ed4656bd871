//! The archive of a map whose account `archive` has it, and its proof, as the tests of both ways of copying ask for them.

use logmap::testing::{
    analysis::Analysis,
    plan::{
        LogBucket, Plan,
        prove::{Kind, Proof, Subject, prove},
    },
    policy::Policy,
};

pub fn plan_of(analysis: &Analysis) -> &Plan {
    analysis.plan.as_ref().unwrap_or_else(|| panic!("{:?}", analysis.findings))
}

/// The archive, and its proof with another policy.
pub fn with(analysis: &Analysis, change: impl Fn(&mut Policy)) -> (LogBucket, Proof) {
    let account = plan_of(analysis).account("archive").unwrap();
    let placement = account.placements.iter().find(|placement| !placement.buckets.is_empty()).unwrap();
    let archive = &placement.buckets[0];
    let mut policy = archive.policy.clone();
    change(&mut policy);
    let proof = prove(&Subject { policy: &policy, ..Subject::of(account, placement, archive) });
    (archive.clone(), proof)
}

pub fn failing(proof: &Proof) -> Vec<Kind> {
    proof.rows.iter().filter(|row| !row.failures.is_empty()).map(|row| row.kind).collect()
}
