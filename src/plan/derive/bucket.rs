//! One log bucket: its policy, composed and proven, its lifecycle rules, and its settings.

use super::{Draft, Planner};
use crate::{
    aws::{arn, limits},
    diagnostics::Finding,
    map::{
        PolicyScope,
        effective::{MOST_STATEMENTS, Settings},
    },
    plan::{
        Adopt, Basis, KeyFormat, LifecycleRule, LogBucket, Source, lifecycle, names,
        policy_cache::PolicyCache,
        prove::{Proof, Subject, prove, steps_among},
        routes::Delivery,
        statements,
    },
    policy::compose::{self, Grants, Scope, SenderGrant, TrailGrant},
    rules::{budget, naming::TAG, retention::RETENTION},
};
use indexmap::IndexMap;
use std::collections::{BTreeMap, BTreeSet};

/// Ids of lifecycle rules begin with it.
const ACCESS_LOGS: &str = "access-logs";
/// Ids of lifecycle rules begin with it.
const TRAILS: &str = "cloudtrail";
/// Ids of lifecycle rules begin with it.
const SENDERS: &str = "other-services";

impl Planner<'_, '_> {
    /// Tags of a log bucket: its own before those of everything that is made. One that exists keeps what it has beside its own.
    pub(super) fn tags(
        &self,
        settings: &Settings<'_>,
        adopted: bool,
        draft: &Draft,
        findings: &mut Vec<Finding>,
    ) -> IndexMap<String, String> {
        let common = self.map.render.tags.iter().filter(|_| !adopted).map(|(key, value)| (key.as_str(), value.as_str()));
        let tags: BTreeMap<&str, &str> = common.chain(settings.tags.iter().map(|(key, value)| (*key, *value))).collect();
        if tags.len() > limits::BUCKET_TAGS {
            let text = format!("`{}` would have {} tags; a bucket can have {}", draft.name, tags.len(), limits::BUCKET_TAGS);
            findings.push(
                Finding::new(&TAG, self.span(), text)
                    .help("its own `tags` come on top of those of its account, the defaults and the whole map; take some out"),
            );
        }
        tags.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
    }

    /// Is it the log bucket of an account that another one reads? The one that asks has its own policies for its own buckets.
    fn is_read(&self) -> bool {
        self.readers_partition == Some(self.partition())
            && self.readers.is_some_and(|readers| readers.account_id != *self.account.id.value)
    }

    pub(super) fn locks(&self, settings: &Settings<'_>, draft: &Draft) -> bool {
        settings.object_lock.is_some() && !draft.takes_access_logs
    }

    pub(super) fn bucket(
        &self,
        draft: &Draft,
        settings: &Settings<'_>,
        sources: &[Source],
        received: &[&Delivery<'_>],
        cache: &mut PolicyCache,
        findings: &mut Vec<Finding>,
    ) -> LogBucket {
        let sources: &[Source] = if draft.takes_access_logs { sources } else { &[] };
        let received: &[&Delivery<'_>] = if draft.takes_trails { received } else { &[] };
        let senders =
            if settings.is_first(draft.takes_access_logs) { self.senders(settings, draft, findings) } else { Vec::new() };
        let trails: Vec<TrailGrant> = received.iter().map(|delivery| delivery.grant(self.map)).collect();
        self.check_prefixes(draft, settings, sources, received, findings);
        self.check_senders(draft, settings, (sources, received, &senders), findings);
        let values = statements::BucketValues {
            name: &draft.name,
            account_id: self.account.id,
            region: self.region,
            partition: self.partition(),
        };
        let first =
            || settings.extra_statements.first().map(|statement| statement.Effect.map_or(statement.span, |effect| effect.span));
        let written = match settings.extra_statements.as_slice() {
            // that they are too many has been reported
            _ if !self.has_statements => &[],
            many if many.len() > MOST_STATEMENTS => {
                budget::report_too_many(&draft.name, MOST_STATEMENTS, self.span(), first(), findings);
                &[]
            }
            few => few,
        };
        let (extra, origins) = statements::instantiate(written, &values, findings);
        let mut by_prefix: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for source in sources {
            by_prefix.entry(&source.prefix).or_default().push(&source.name);
        }
        let grants = Grants {
            bucket: &draft.name,
            partition: self.partition(),
            account_id: self.account.id,
            sources: by_prefix.into_iter().map(|(prefix, names)| (prefix, names.into_iter().collect())).collect(),
            trails,
            senders,
            readers: self.readers.filter(|_| self.is_read()).cloned(),
            copies: &[],
            organization_id: self.map.organization_id.map(|id| id.as_str()),
            scope: match settings.policy_scope.value {
                PolicyScope::Auto => Scope::Auto,
                PolicyScope::Account => Scope::Account,
                PolicyScope::Buckets => Scope::Buckets,
            },
            deny_insecure_transport: settings.deny_insecure_transport,
            extra: &extra,
        };
        let organization_id = self.map.organization_id.map(|id| id.as_str());
        let mut layout = format!("{:?}", settings.key_format);
        // the proof looks at each source's own
        for source in sources.iter().filter(|source| source.key_format != settings.key_format) {
            layout += &format!(" {}={:?}", source.name, source.key_format);
        }
        let role_arn = names::role_arn(self.account, self.partition());
        let steps = steps_among(self.of_placements).to_string();
        let also = [self.region, organization_id.unwrap_or_default(), role_arn.as_deref().unwrap_or_default(), &layout, &steps];
        let origin = cache.origin(&grants, &also);
        let (reused, composed) = match cache.take(origin) {
            Some((policy, report, proof)) => (Some(proof), Ok((policy, report))),
            None => (None, compose::compose(&grants)),
        };
        let (policy, report) = match composed {
            Ok((policy, report)) => {
                budget::report_fit(&draft.name, &report, self.span(), settings.policy_scope, !extra.is_empty(), findings);
                (policy, report)
            }
            Err(overflow) => {
                budget::report_overflow(&draft.name, &overflow, self.span(), settings.policy_scope, first(), findings);
                Default::default()
            }
        };
        let proof = match reused {
            Some(proof) => proof,
            // a policy that did not fit has been reported; there is nothing to prove
            None if policy.statements.is_empty() => Proof::default(),
            None => prove(&Subject {
                bucket: &draft.name,
                partition: self.partition(),
                region: self.region,
                account_id: self.account.id,
                role_arn: role_arn.as_deref(),
                organization_id,
                policy: &policy,
                granted_by: &policy,
                tier: report.tier,
                sources,
                trails: &grants.trails,
                senders: &grants.senders,
                readers: grants.readers.as_ref(),
                copies: &[],
                denies_insecure_transport: settings.deny_insecure_transport,
                of_placements: self.of_placements,
            }),
        };
        let fits = !policy.statements.is_empty();
        let after = usize::from(settings.deny_insecure_transport);
        let first = policy.statements.len().saturating_sub(extra.len() + after);
        statements::report_failures(&proof, &policy, first, &origins, findings);
        statements::report_rights(&proof, first, &origins, findings);
        let adopt = if settings.is_first(draft.takes_access_logs) { &settings.adopt } else { &settings.adopt_trails_bucket };
        let basis = Basis {
            by_account: settings.policy_scope.value == PolicyScope::Account,
            trails: grants.trails.clone(),
            senders: grants.senders.clone(),
            readers: grants.readers.clone(),
            copies: Vec::new(),
            deny_insecure_transport: settings.deny_insecure_transport,
            extra: extra.clone(),
            organization_id: self.map.organization_id.map(|id| id.value.clone()),
            role_arn,
        };
        let rules = match settings.manages_lifecycle {
            true => lifecycle_rules(settings, sources, &grants.trails, &grants.senders),
            false => Ok(Vec::new()),
        };
        let rules = rules.unwrap_or_else(|many| {
            let text = format!(
                "the log bucket `{}` would need {many} lifecycle rules, and S3 takes {}",
                draft.name,
                limits::LIFECYCLE_RULES
            );
            findings.push(
                Finding::new(&RETENTION, settings.prefix.span, text)
                    .related(
                        self.span(),
                        "access logs and trails are kept differently here, so each prefix needs rules of its own",
                    )
                    .help("give access logs a prefix that sources share, write `split_trails: true`, or keep both equally long"),
            );
            Vec::new()
        });
        LogBucket {
            arn: arn::bucket(self.partition(), &draft.name),
            name: draft.name.clone(),
            takes_access_logs: draft.takes_access_logs,
            takes_trails: draft.takes_trails,
            takes_copies: false,
            replication: None,
            account_regional: settings.account_regional.is_some() && adopt.is_none(),
            adopt: adopt.as_ref().map(|adopt| {
                let mut existing = adopt.value.clone();
                existing.sort_unstable();
                existing.dedup();
                Adopt { existing, returned: false }
            }),
            says_new: if settings.is_first(draft.takes_access_logs) { settings.says_new.0 } else { settings.says_new.1 },
            versioning: settings.versioning.value,
            object_lock: settings.object_lock.as_ref().filter(|_| self.locks(settings, draft)).map(|lock| lock.value.clone()),
            tags: self.tags(settings, adopt.is_some(), draft, findings),
            lifecycle: rules,
            policy,
            report,
            proof,
            // don't cache a policy that overflowed
            origin: origin.filter(|_| fits),
            basis,
        }
    }
}

/// Lifecycle rules, one for each prefix; a prefix under another one needs none of its own, unless what lies there is kept otherwise.
///
/// # Errors
/// With access logs and trails that are kept differently: more rules would be needed than S3 takes. Gives their number.
fn lifecycle_rules(
    settings: &Settings<'_>,
    sources: &[Source],
    trails: &[TrailGrant],
    senders: &[SenderGrant],
) -> Result<Vec<LifecycleRule>, usize> {
    let streams = [
        (!sources.is_empty(), &settings.access_logs),
        (!trails.is_empty(), &settings.trails),
        (!senders.is_empty(), &settings.others),
    ];
    let mut kept = streams.into_iter().filter(|(is_here, _)| *is_here).map(|(_, kept)| kept);
    let apart = kept.next().is_some_and(|first| kept.any(|other| !other.is_like(first)));
    let mut folders: BTreeMap<String, &str> = senders.iter().map(|grant| (grant.sender.folder(&grant.prefix), SENDERS)).collect();
    folders.extend(trails.iter().map(|trail| (format!("{}AWSLogs/", trail.prefix), TRAILS)));
    // with `simple` the source's own folder is under the prefix of the map
    let access = sources.iter().map(|source| match source.key_format {
        KeyFormat::Simple => {
            let outer = source.prefix.strip_suffix(&format!("{}/", source.name)).unwrap_or(&source.prefix);
            // a rule for that prefix would be one for what others write, too
            if apart && folders.range(outer.to_owned()..).next().is_some_and(|(folder, _)| folder.starts_with(outer)) {
                &source.prefix
            } else {
                outer
            }
        }
        _ => &source.prefix,
    });
    let access: BTreeSet<&str> = access.collect();
    let mut prefixes: BTreeSet<(String, &str)> = access.into_iter().map(|prefix| (prefix.to_owned(), ACCESS_LOGS)).collect();
    prefixes.extend(folders);
    let mut kept: Vec<(String, &str)> = Vec::new();
    for (prefix, kind) in prefixes {
        if !kept.last().is_some_and(|(outer, _)| prefix.starts_with(outer.as_str())) {
            kept.push((prefix, kind));
        }
    }
    let rules = |kept: Vec<(String, &str)>| -> Vec<LifecycleRule> {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        let rules = kept.into_iter().map(|(prefix, kind)| {
            let count = counts.entry(kind).or_default();
            *count += 1;
            let of = match kind {
                SENDERS => &settings.others,
                TRAILS => &settings.trails,
                _ if sources.is_empty() => &settings.trails,
                _ => &settings.access_logs,
            };
            LifecycleRule {
                id: if *count == 1 { kind.to_owned() } else { format!("{kind}-{count}") },
                prefix,
                expire_after_days: of.expire_after_days.value,
                noncurrent_expire_after_days: of.noncurrent_expire_after_days,
                transitions: of.transitions.value.clone(),
                transition_larger_than_bytes: of.larger_than(),
            }
        });
        rules.collect()
    };
    let all = rules(kept);
    match lifecycle::count(&all) {
        few if few <= limits::LIFECYCLE_RULES => Ok(all),
        many if apart => Err(many),
        _ => Ok(rules(vec![(String::new(), "all-logs")])),
    }
}
