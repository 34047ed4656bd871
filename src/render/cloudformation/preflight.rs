//! The check to run before the stacks of an account and Region are deployed: what they would fail on, and what of an adopted log
//! bucket they would overwrite. Its rows are those of the scripts; `templates/aws-cli/stack.sh` looks at them.

use super::{
    Renderer,
    ids::{bucket_id, policy_id},
    import,
};
use crate::{
    artifacts::Artifact,
    plan::{Account, Placement},
    render::aws_cli::{self, BucketRow, MonitorRow, SourceRows, TrailRow},
};
use anyhow::Result;
use serde::Serialize;

/// The template.
pub(super) const TEMPLATE: &str = "cloudformation/preflight.sh";

/// Contract of `cloudformation/preflight.sh`.
#[derive(Serialize)]
struct StackPreflightContext<'a> {
    /// Header lines.
    header: Vec<String>,
    /// Key of the account.
    account_key: &'a str,
    /// Twelve digits.
    account_id: &'a str,
    /// Region name.
    region: &'a str,
    /// AWS CLI profile; empty for none.
    profile: &'a str,
    /// ARN of the role to assume; empty for none.
    role_arn: &'a str,
    /// Names of the stacks, that of the log buckets first.
    stacks: Vec<String>,
    /// The log buckets.
    buckets: Vec<StackBucket<'a>>,
    /// The sources that the stacks set.
    sources: Vec<SourceRows<'a>>,
    /// The trails.
    trails: Vec<TrailRow<'a>>,
    /// What is published and watched.
    monitors: Vec<MonitorRow<'a>>,
    /// The library's interface that the script was made for.
    interface: u32,
}

/// A log bucket and what it is in its stack.
#[derive(Serialize)]
struct StackBucket<'a> {
    /// As the scripts have it.
    row: BucketRow<'a>,
    /// Logical id of the bucket.
    id: String,
    /// Logical id of its policy.
    policy_id: String,
    /// `yes` if a resource import takes the policy with the bucket, `no` if not, or if the bucket is created.
    imports_policy: &'static str,
}

impl Renderer<'_> {
    /// The check of a placement, whose stacks have these numbers.
    ///
    /// # Errors
    /// An overridden template fails.
    pub(super) fn preflight(
        &self,
        account: &Account,
        placement: &Placement,
        numbers: &[usize],
        digest: &str,
    ) -> Result<Artifact> {
        let buckets = placement.buckets.iter().map(|bucket| StackBucket {
            row: aws_cli::taken_over_row(bucket),
            id: bucket_id(bucket),
            policy_id: policy_id(bucket),
            imports_policy: if import::takes_policy(bucket) { "yes" } else { "no" },
        });
        let context = StackPreflightContext {
            header: self.cx.header(&digest),
            account_key: &account.key,
            account_id: &account.id,
            region: &placement.region,
            profile: account.profile.as_deref().unwrap_or_default(),
            role_arn: account.role_arn.as_deref().unwrap_or_default(),
            stacks: numbers.iter().map(|number| super::stack_name(*number)).collect(),
            buckets: buckets.collect(),
            sources: if self.cx.plan().render.custom_resource { aws_cli::managed_rows(placement) } else { Vec::new() },
            trails: placement.trails.iter().map(|trail| aws_cli::trail_row(&account.key, trail)).collect(),
            monitors: aws_cli::monitor_rows(&placement.monitoring),
            interface: aws_cli::INTERFACE,
        };
        let text = self.engine.render(TEMPLATE, &context)?;
        Ok(Artifact::script(format!("cloudformation/{}/{}-preflight.sh", account.key, placement.region), text))
    }
}
