//! The archive of `central`: a log bucket that takes copies only. Its policy is composed when all roles that copy are known.

use super::{Draft, Planner, Taken};
use crate::{
    aws::arn,
    diagnostics::Finding,
    map::effective::{Archive, DEFAULT_ACCOUNT_REGIONAL_CENTRAL_NAME, DEFAULT_CENTRAL_NAME, Settings},
    plan::{Basis, LifecycleRule, LogBucket, PolicyReport, names, prove::Proof},
    policy::Policy,
    rules::retention::LOCK_OUTLIVES,
    source::Spanned,
};

impl Planner<'_, '_> {
    /// The archive, if it is here. How long it keeps copies, its tags and its namespace are those of log buckets here.
    pub(super) fn archive(&self, settings: &Settings<'_>, taken: &mut Taken, findings: &mut Vec<Finding>) -> Option<LogBucket> {
        let is_here =
            |central: &&Archive<'_>| central.account.as_str() == self.account.key.as_str() && central.region.value == self.region;
        let central = self.map.archive.as_ref().filter(is_here)?;
        let default = match settings.account_regional {
            Some(_) => DEFAULT_ACCOUNT_REGIONAL_CENTRAL_NAME,
            None => DEFAULT_CENTRAL_NAME,
        };
        let template = central.bucket.unwrap_or(Spanned { value: default, span: central.region.span });
        let name = self.name(template, settings, false, taken, findings)?;
        let kept = &settings.others;
        let expire = kept.expire_after_days.value.filter(|_| settings.manages_lifecycle);
        if let (Some(lock), Some(expire)) = (&central.object_lock, expire)
            && lock.days > expire
        {
            findings.push(
                Finding::new(
                    &LOCK_OUTLIVES,
                    lock.span,
                    format!("objects are locked for {} days, but expire after {expire}", lock.days),
                )
                .related(kept.expire_after_days.span, "an expired object is only hidden by a delete marker until its lock ends")
                .help("give `expire_after_days` of the archive's account or Region at least the days of the lock"),
            );
        }
        let rule = LifecycleRule {
            id: "copies".to_owned(),
            prefix: String::new(),
            expire_after_days: kept.expire_after_days.value,
            noncurrent_expire_after_days: kept.noncurrent_expire_after_days,
            transitions: kept.transitions.value.clone(),
            transition_larger_than_bytes: kept.larger_than(),
        };
        let draft = Draft { name, takes_access_logs: false, takes_trails: false };
        Some(LogBucket {
            arn: arn::bucket(self.partition(), &draft.name),
            tags: self.tags(settings, false, &draft, findings),
            name: draft.name,
            takes_access_logs: false,
            takes_trails: false,
            takes_copies: true,
            replication: None,
            adopt: None,
            says_new: true,
            account_regional: settings.account_regional.is_some(),
            versioning: true,
            object_lock: central.object_lock.as_ref().map(|lock| lock.value.clone()),
            lifecycle: if settings.manages_lifecycle { vec![rule] } else { Vec::new() },
            policy: Policy::default(),
            report: PolicyReport::default(),
            proof: Proof::default(),
            origin: None,
            basis: Basis {
                deny_insecure_transport: settings.deny_insecure_transport,
                organization_id: self.map.organization_id.map(|id| id.value.clone()),
                role_arn: names::role_arn(self.account, self.partition()),
                ..Basis::default()
            },
        })
    }
}
