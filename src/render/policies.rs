//! Target `policies`: each log bucket's and topic's policy as reviewed, the statements that KMS keys of trails need, and the policies of roles.

use super::{Context, Sink, deployer, reader, roles};
use crate::artifacts::Artifact;
use anyhow::Result;

/// Renders `policies/<log-bucket>.json`, `policies/sns/<account>/<region>.json`, `policies/kms/<trail>.json`, `policies/events/bus.json` and
/// `policies/iam/<account>/deployer.json` and `reader.json`, and the roles for all accounts as `policies/roles.yaml` and `policies/roles/`.
///
/// # Errors
/// The sink fails.
pub(crate) fn render(cx: &Context<'_>, sink: &mut Sink<'_>) -> Result<()> {
    for account in cx.accounts() {
        for bucket in cx.placements(account).flat_map(|placement| &placement.buckets) {
            sink(Artifact::file(format!("policies/{}.json", bucket.name), bucket.policy.to_pretty_json()))?;
        }
        for placement in cx.placements(account) {
            if let Some(alerts) = &placement.monitoring.alerts {
                let file = format!("policies/sns/{}/{}.json", account.key, placement.region);
                sink(Artifact::file(file, alerts.policy.to_pretty_json()))?;
            }
        }
    }
    // a role is for an account as a whole
    if cx.filter.regions.is_empty() {
        // one that only asks has no log bucket that could be read
        let asks = cx.central().filter(|central| cx.plan().render.glue && cx.plan().account(&central.account.key).is_none());
        for account in asks.iter().map(|central| &central.account) {
            for (name, text) in deployer::policies(cx.plan(), account) {
                sink(Artifact::file(format!("policies/iam/{}/{name}.json", account.key), text))?;
            }
        }
        for account in cx.accounts() {
            for (name, text) in deployer::policies(cx.plan(), account) {
                sink(Artifact::file(format!("policies/iam/{}/{name}.json", account.key), text))?;
            }
            sink(Artifact::file(format!("policies/iam/{}/reader.json", account.key), reader::policy(account)))?;
        }
    }
    // the roles are the same for all accounts, and a key may serve several
    if cx.filter.accounts.is_empty() && cx.filter.regions.is_empty() {
        roles::render(cx, sink)?;
        if let Some(bus) = &cx.plan().bus {
            sink(Artifact::file("policies/events/bus.json".to_owned(), bus.policy.to_pretty_json()))?;
        }
        for key in &cx.plan().key_policies {
            sink(Artifact::file(format!("policies/kms/{}.json", key.file), key.policy.to_pretty_json()))?;
        }
    }
    Ok(())
}
