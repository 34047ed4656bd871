//! Settled map → plan. Placement is by construction: a source's log bucket is the one of its own account and Region,
//! and there is no way to say otherwise.
//!
//! Takes a settled map, gives a plan of whatever can be used, and the findings that only the whole shows. Deterministic:
//! the order of keys in the map does not matter.

use super::{
    Account, Adopt, Basis, KeyFormat, LifecycleRule, LogBucket, Place, Plan, Source, Trail, budget, guard,
    memo::Memo,
    names,
    prove::{Proof, Subject, prove},
    routes::{self, Delivery},
    statements,
};
use crate::{
    aws::{Partition, arn, limits},
    diagnostics::Finding,
    map::{
        PolicyScope,
        settle::{self, Settings, Settled, with_slash},
    },
    policy::compose::{self, Grants, Scope, TrailGrant},
    rules::{
        delivery::{OBJECT_LOCK, OBJECT_LOCK_TRAILS, PREFIX_OVERLAP, PREFIX_TRAIL_OVERLAP},
        naming::{ACCOUNT_REGIONAL, LOG_BUCKET_NAME_TWICE},
        placement::{LOG_BUCKET_IS_SOURCE, SHARED, UNUSED_ACCOUNT, UNUSED_ADOPT},
        retention::{LOCK_NEEDS_VERSIONING, LOCK_OUTLIVES, RETENTION},
        trails::NO_ACCOUNTS,
    },
    source::Span,
};
use std::collections::{BTreeMap, BTreeSet};

/// The names of the log buckets in each partition, and what each is for.
type Taken = BTreeMap<Partition, BTreeMap<String, Vec<Named>>>;

/// A use of a name: in the order of the text, so that the later one is the finding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Named {
    /// Where its template stands.
    template: Span,
    /// The Region that it was filled in for.
    region: Span,
    /// As in "it is for …".
    what: String,
}

/// Derives the plan.
pub fn derive(map: &Settled<'_>, findings: &mut Vec<Finding>) -> Plan {
    derive_with(map, &mut Memo::default(), findings)
}

/// Derives the plan, with policies that are lent by an earlier one. The same plan as [`derive`] gives.
pub fn derive_with(map: &Settled<'_>, memo: &mut Memo, findings: &mut Vec<Finding>) -> Plan {
    // what seems to be unused may have lost its use to an error
    let whole = findings.iter().all(|finding| finding.rule.can_be_ignored);
    let before = findings.len();
    let deliveries = routes::deliveries(map, findings);
    let by_account = routes::by_account(&deliveries);
    let mut taken = Taken::new();
    let mut accounts = Vec::new();
    for account in map.accounts.values() {
        // Regions of the map, of its trails, and of trails that deliver to it
        let mut regions: BTreeSet<&str> =
            account.regions.iter().filter(|(_, region)| !region.sources.is_empty()).map(|(name, _)| *name).collect();
        let deliveries = by_account.get(account.key.as_str()).map_or(&[][..], Vec::as_slice);
        regions.extend(deliveries.iter().map(|delivery| delivery.region));
        if regions.is_empty() {
            findings.push(
                Finding::new(
                    &UNUSED_ACCOUNT,
                    account.key.span,
                    format!("the account `{}` has no source bucket and no trail", account.key.value),
                )
                .help("list buckets under its `regions`, or name it in a trail's `accounts` or `deliver_to`"),
            );
            continue;
        }
        let places: Vec<Place> = regions
            .into_iter()
            .map(|region| Planner { map, account, region, deliveries }.place(&mut taken, memo, findings))
            .collect();
        let partition = Partition::of_region(places.first().map_or("", |place| &place.region));
        accounts.push(Account {
            key: account.key.value.clone(),
            id: account.id.value.clone(),
            partition,
            role_arn: account
                .role
                .map(|role| if role.starts_with("arn:") { role.value.clone() } else { arn::role(partition, account.id, role) }),
            profile: account.profile.map(|profile| profile.value.clone()),
            places,
        });
    }
    log_buckets_that_are_sources(map, &taken, findings);
    names_twice(taken, findings);
    routes::finish_trails(map, &deliveries, &mut accounts, findings);
    guard::fill(&mut accounts, &map.wanted);
    guard::check(map, &accounts, findings);
    let apply_order = routes::apply_order(map, &accounts, &deliveries, findings);
    let key_policies = routes::key_policies(&accounts, &deliveries);
    once_each(findings, before);
    if !whole {
        findings.retain(|finding| finding.rule != &UNUSED_ACCOUNT && finding.rule != &NO_ACCOUNTS);
    }
    Plan { accounts, apply_order, render: map.render.clone(), key_policies, wanted: map.wanted.clone() }
}

/// Names that two log buckets would have.
fn names_twice(taken: Taken, findings: &mut Vec<Finding>) {
    for (name, mut uses) in taken.into_values().flatten() {
        uses.sort();
        let Some((first, later)) = uses.split_first() else { continue };
        findings.extend(later.iter().map(|second| {
            Finding::new(&LOG_BUCKET_NAME_TWICE, second.template, format!("two log buckets would be named `{name}`"))
                .label("this name, once more")
                .related(if first.template == second.template { first.region } else { first.template }, "the first one comes from here")
                .related(second.region, format!("the second one is for {}", second.what))
                .help("a name is unique in its partition: keep `{account_id}` and `{region}` in the template, and give each adopted bucket under its own Region")
        }));
    }
}

/// The same finding of a rule at the same place, met again in another Region, is said once.
fn once_each(findings: &mut Vec<Finding>, from: usize) {
    let mut seen = BTreeSet::new();
    let derived = findings.split_off(from);
    findings.extend(derived.into_iter().filter(|finding| seen.insert((finding.rule.id, finding.span))));
}

/// Sources that have the name of a log bucket. One that is listed again (reported already) is said once.
fn log_buckets_that_are_sources(map: &Settled<'_>, taken: &Taken, findings: &mut Vec<Finding>) {
    let mut said = BTreeSet::new();
    for (name, region) in map.accounts.values().flat_map(|account| &account.regions) {
        let uses = taken.get(&Partition::of_region(name));
        for source in &region.sources {
            let Some(first) = uses.and_then(|uses| uses.get(source.name.as_str())?.first()) else { continue };
            if said.insert((Partition::of_region(name), source.name.as_str())) {
                findings.push(
                    Finding::new(
                        &LOG_BUCKET_IS_SOURCE,
                        source.name.span,
                        format!("`{}` is a log bucket and can't be a source", source.name.value),
                    )
                    .label("its own log objects would be logged, without end")
                    .related(first.template, format!("the log bucket of {} has its name from here", first.what))
                    .help("take it out of `buckets`; AWS accepts it, and logs of logs pile up and are billed"),
                );
            }
        }
    }
}

/// Plans one account in one Region.
struct Planner<'a, 'm> {
    map: &'a Settled<'m>,
    account: &'a settle::Account<'m>,
    region: &'a str,
    /// Those that the account writes or takes.
    deliveries: &'a [&'a Delivery<'m>],
}

/// What takes shape for one log bucket before its policy is composed.
struct Draft {
    name: String,
    takes_access_logs: bool,
    takes_trails: bool,
}

impl Planner<'_, '_> {
    fn partition(&self) -> Partition {
        Partition::of_region(self.region)
    }

    /// Place of the Region's name; of the trail that brings it in when it is not mapped.
    fn span(&self) -> Span {
        let mapped = self.account.regions.get(self.region).map(|region| region.span);
        let brought = || {
            self.deliveries
                .iter()
                .find(|d| d.region == self.region && d.reader == self.account.key.as_str())
                .map(|d| d.trail.name.span)
        };
        mapped.or_else(brought).unwrap_or(self.account.key.span)
    }

    fn place(&self, taken: &mut Taken, memo: &mut Memo, findings: &mut Vec<Finding>) -> Place {
        let settings = self.account.settings(self.region);
        let mapped = self.account.regions.get(self.region).map_or(&[][..], |region| &region.sources);
        let received: Vec<&Delivery<'_>> = self
            .deliveries
            .iter()
            .copied()
            .filter(|d| d.reader == self.account.key.as_str() && d.region == self.region)
            .collect();
        let split = settings.split_trails && !received.is_empty();
        let mut drafts = Vec::new();
        if !mapped.is_empty() || (!received.is_empty() && !split) {
            let name = self.name(settings.name, &settings, settings.adopt.is_some(), taken, findings);
            drafts.extend(name.map(|name| Draft {
                name,
                takes_access_logs: !mapped.is_empty(),
                takes_trails: !received.is_empty() && !split,
            }));
        }
        if split {
            let name = self.name(settings.trails_name, &settings, false, taken, findings);
            drafts.extend(name.map(|name| Draft { name, takes_access_logs: false, takes_trails: true }));
        }
        let log_bucket = drafts.iter().find(|draft| draft.takes_access_logs).map(|draft| draft.name.clone());
        let sources = log_bucket.map_or(Vec::new(), |log_bucket| self.place_sources(mapped, &settings, &log_bucket, findings));
        self.check_settings(&settings, &drafts, findings);
        let buckets = drafts.iter().map(|draft| self.bucket(draft, &settings, &sources, &received, memo, findings)).collect();
        Place { region: self.region.to_owned(), buckets, sources, trails: Vec::<Trail>::new(), guard: guard::Guard::default() }
    }

    fn name(
        &self,
        template: crate::source::Spanned<&str>,
        settings: &Settings<'_>,
        adopted: bool,
        taken: &mut Taken,
        findings: &mut Vec<Finding>,
    ) -> Option<String> {
        let place = names::Place {
            organization: self.map.organization.map(|name| name.as_str()),
            account: self.account.key,
            account_id: self.account.id,
            region: self.region,
            partition: self.partition(),
            span: self.span(),
        };
        let name = names::derive(template, settings, adopted, &place, findings)?;
        if let (Some(span), 5, false) = (settings.account_regional, self.map.render.aws_provider, adopted) {
            findings.push(
                Finding::new(
                    &ACCOUNT_REGIONAL,
                    span,
                    "version 5 of the AWS provider can't make buckets in the account regional namespace",
                )
                .help("write `render: { terraform: { aws_provider: 6 } }`; versions from 6.37 on know it"),
            );
        }
        taken.entry(self.partition()).or_default().entry(name.clone()).or_default().push(Named {
            template: template.span,
            region: place.span,
            what: format!("`{}` of `{}`", self.region, self.account.key.value),
        });
        Some(name)
    }

    fn place_sources(
        &self,
        mapped: &[settle::Source<'_>],
        settings: &Settings<'_>,
        log_bucket: &str,
        findings: &mut Vec<Finding>,
    ) -> Vec<Source> {
        // a name that is listed twice (reported already) is planned once
        let by_name: BTreeMap<&str, &settle::Source<'_>> = mapped.iter().map(|source| (source.name.as_str(), source)).collect();
        let sources: Vec<Source> = by_name
            .values()
            .map(|source| Source {
                name: source.name.value.clone(),
                log_bucket: log_bucket.to_owned(),
                prefix: prefix_of(source, settings),
                key_format: settings.key_format,
                managed: source.managed,
            })
            .collect();
        if settings.key_format == KeyFormat::Simple {
            let mut by_prefix: Vec<&Source> = sources.iter().collect();
            by_prefix.sort_by(|a, b| a.prefix.cmp(&b.prefix));
            let mut outer: Option<&Source> = None;
            for source in by_prefix {
                match outer.filter(|outer| source.prefix.starts_with(&outer.prefix)) {
                    Some(outer) => {
                        let place = |source: &Source| {
                            by_name
                                .get(source.name.as_str())
                                .map_or(self.span(), |s| s.prefix.map_or(s.name.span, |prefix| prefix.span))
                        };
                        findings.push(
                            Finding::new(&PREFIX_OVERLAP, place(source), format!("the log objects of `{}` (`{}`) lie under those of `{}` (`{}`)", source.name, source.prefix, outer.name, outer.prefix))
                                .related(place(outer), format!("`{}` is the prefix of this source", outer.prefix))
                                .help("with the `simple` key format nothing but the prefix tells sources apart; choose prefixes of which none begins another"),
                        );
                    }
                    None => outer = Some(source),
                }
            }
        }
        sources
    }

    fn check_settings(&self, settings: &Settings<'_>, drafts: &[Draft], findings: &mut Vec<Finding>) {
        if drafts.is_empty() {
            return;
        }
        let adopted = settings.adopt.as_ref().map(|adopt| adopt.span);
        let takes_own = |draft: &Draft| draft.takes_access_logs || !settings.split_trails;
        if let Some(span) = adopted.filter(|_| !drafts.iter().any(takes_own)) {
            findings.push(
                Finding::new(&UNUSED_ADOPT, span, format!("the adopted bucket of `{}` takes no logs", self.region))
                    .help("with `split_trails: true` trails go to the second bucket, and there is no source here; leave `adopt` or `split_trails` out"),
            );
        }
        if let (Some(span), Some(lock)) = (adopted, &settings.object_lock)
            && drafts.iter().any(|draft| takes_own(draft) && self.locks(settings, draft))
        {
            findings.push(
                Finding::new(&OBJECT_LOCK, lock.span, format!("the adopted bucket of `{}` can't be given Object Lock", self.region))
                    .related(span, "this bucket exists already")
                    .help("Object Lock stays for good, so logmap sets it on buckets that it makes only; leave `object_lock` out, or write `split_trails: true`"),
            );
        }
        // that 0 days are no days has been said
        let expire = settings.expire_after_days.value;
        if let Some(to) = settings.transition.as_ref().filter(|to| expire > 0 && to.after_days >= expire) {
            findings.push(
                Finding::new(
                    &RETENTION,
                    settings.expire_after_days.span,
                    format!(
                        "objects expire after {} days but move to `{}` only after {}",
                        settings.expire_after_days.value, to.storage_class, to.after_days
                    ),
                )
                .help("let them expire later than they move; S3 refuses such a rule"),
            );
        }
        if drafts.iter().any(|draft| draft.takes_access_logs && draft.takes_trails) {
            findings.push(
                Finding::new(&SHARED, self.span(), format!("the log bucket of `{}` of `{}` takes access logs and trails", self.region, self.account.key.value))
                    .help("their prefixes are apart, and the trail's own key may encrypt its objects; `split_trails: true` gives trails a bucket of their own"),
            );
        }
        let Some(lock) = &settings.object_lock else { return };
        if drafts.iter().any(|draft| self.locks(settings, draft)) {
            findings.push(
                Finding::new(&OBJECT_LOCK_TRAILS, lock.span, "the trails' bucket is made with Object Lock")
                    .help("it is used in practice; AWS's CloudTrail pages neither forbid nor promise it"),
            );
            if !settings.versioning.value {
                findings.push(
                    Finding::new(&LOCK_NEEDS_VERSIONING, lock.span, "Object Lock needs versioning")
                        .related(settings.versioning.span, "it is switched off here")
                        .help("S3 locks objects by version; leave `versioning` at true"),
                );
            }
            if lock.days > settings.expire_after_days.value {
                findings.push(
                    Finding::new(
                        &LOCK_OUTLIVES,
                        lock.span,
                        format!(
                            "objects are locked for {} days, but expire after {}",
                            lock.days, settings.expire_after_days.value
                        ),
                    )
                    .related(
                        settings.expire_after_days.span,
                        "an expired object is only hidden by a delete marker until its lock ends",
                    )
                    .help("give `expire_after_days` at least the days of the lock"),
                );
            }
        } else if let Some(draft) = drafts.iter().find(|draft| draft.takes_access_logs && !settings.split_trails) {
            findings.push(
                Finding::new(&OBJECT_LOCK, lock.span, format!("`{}` takes access logs and can't have Object Lock", draft.name))
                    .label("S3 accepts this and then delivers no logs")
                    .related(self.span(), format!("the sources of `{}` log to it", self.region))
                    .help("write `split_trails: true` so that the lock is on the trails' own bucket, or leave `object_lock` out"),
            );
        }
    }

    fn locks(&self, settings: &Settings<'_>, draft: &Draft) -> bool {
        settings.object_lock.is_some() && !draft.takes_access_logs
    }

    fn bucket(
        &self,
        draft: &Draft,
        settings: &Settings<'_>,
        sources: &[Source],
        received: &[&Delivery<'_>],
        memo: &mut Memo,
        findings: &mut Vec<Finding>,
    ) -> LogBucket {
        let sources: &[Source] = if draft.takes_access_logs { sources } else { &[] };
        let received: &[&Delivery<'_>] = if draft.takes_trails { received } else { &[] };
        let trails: Vec<TrailGrant> = received.iter().map(|delivery| delivery.grant(self.map)).collect();
        self.check_prefixes(draft, settings, sources, received, findings);
        let place = statements::Place {
            bucket: &draft.name,
            account_id: self.account.id,
            region: self.region,
            partition: self.partition(),
        };
        let (extra, origins) = statements::instantiate(&settings.extra_statements, &place, findings);
        let mut by_prefix: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for source in sources {
            by_prefix.entry(&source.prefix).or_default().insert(&source.name);
        }
        let grants = Grants {
            bucket: &draft.name,
            partition: self.partition(),
            account_id: self.account.id,
            sources: by_prefix,
            trails,
            scope: match settings.policy_scope.value {
                PolicyScope::Auto => Scope::Auto,
                PolicyScope::Account => Scope::Account,
                PolicyScope::Buckets => Scope::Buckets,
            },
            deny_insecure_transport: settings.deny_insecure_transport,
            extra: &extra,
        };
        let organization_id = self.map.organization_id.map(|id| id.as_str());
        let layout = format!("{:?}", settings.key_format);
        let origin = memo.origin(&grants, &[self.region, organization_id.unwrap_or_default(), &layout]);
        let (lent, composed) = match memo.take(origin) {
            Some((policy, report, proof)) => (Some(proof), Ok((policy, report))),
            None => (None, compose::compose(&grants)),
        };
        let (policy, report) = match composed {
            Ok((policy, report)) => {
                budget::fits(&draft.name, &report, self.span(), settings.policy_scope, !extra.is_empty(), findings);
                (policy, report)
            }
            Err(overflow) => {
                let first = settings
                    .extra_statements
                    .first()
                    .map(|statement| statement.Effect.map_or(statement.span, |effect| effect.span));
                budget::overflows(&draft.name, &overflow, self.span(), settings.policy_scope, first, findings);
                Default::default()
            }
        };
        let proof = match lent {
            Some(proof) => proof,
            // a policy that did not fit has been reported; there is nothing to prove
            None if policy.statements.is_empty() => Proof::default(),
            None => prove(&Subject {
                bucket: &draft.name,
                partition: self.partition(),
                region: self.region,
                account_id: self.account.id,
                organization_id,
                policy: &policy,
                tier: report.tier,
                sources,
                trails: &grants.trails,
                denies_insecure_transport: settings.deny_insecure_transport,
            }),
        };
        let fits = !policy.statements.is_empty();
        let after = usize::from(settings.deny_insecure_transport);
        statements::blame(&proof, &policy, policy.statements.len().saturating_sub(extra.len() + after), &origins, findings);
        let own_name = draft.takes_access_logs || !settings.split_trails;
        let basis = Basis {
            by_account: settings.policy_scope.value == PolicyScope::Account,
            trails: grants.trails.clone(),
            deny_insecure_transport: settings.deny_insecure_transport,
            extra: extra.clone(),
            organization_id: self.map.organization_id.map(|id| id.value.clone()),
        };
        LogBucket {
            arn: arn::bucket(self.partition(), &draft.name),
            name: draft.name.clone(),
            takes_access_logs: draft.takes_access_logs,
            takes_trails: draft.takes_trails,
            adopt: settings.adopt.as_ref().filter(|_| own_name).map(|adopt| {
                let mut existing = adopt.value.clone();
                existing.sort_unstable();
                existing.dedup();
                Adopt { existing }
            }),
            account_regional: settings.account_regional.is_some() && (settings.adopt.is_none() || !own_name),
            versioning: settings.versioning.value,
            object_lock: settings.object_lock.as_ref().filter(|_| self.locks(settings, draft)).map(|lock| lock.value.clone()),
            tags: settings.tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
            lifecycle: lifecycle(settings, sources, &grants.trails),
            policy,
            report,
            proof,
            // a policy that did not fit is no policy
            origin: origin.filter(|_| fits),
            basis,
        }
    }

    fn check_prefixes(
        &self,
        draft: &Draft,
        settings: &Settings<'_>,
        sources: &[Source],
        received: &[&Delivery<'_>],
        findings: &mut Vec<Finding>,
    ) {
        for source in sources {
            let clash = received
                .iter()
                .map(|delivery| (format!("{}AWSLogs/", with_slash(delivery.trail.prefix)), delivery.trail))
                .find(|(path, _)| path.starts_with(&source.prefix) || source.prefix.starts_with(path.as_str()));
            let Some((path, trail)) = clash else { continue };
            let mapped = self
                .account
                .regions
                .get(self.region)
                .and_then(|region| region.sources.iter().find(|s| s.name.as_str() == source.name));
            let place = mapped.and_then(|s| s.prefix).map_or(settings.prefix.span, |prefix| prefix.span);
            let shown = if source.prefix.is_empty() { "the whole bucket".to_owned() } else { format!("`{}`", source.prefix) };
            let mut finding = Finding::new(
                &PREFIX_TRAIL_OVERLAP,
                place,
                format!("in `{}` access logs under {shown} and trails under `{path}` mix", draft.name),
            )
            .related(trail.name.span, format!("this trail delivers under `{path}`"))
            .help(if trail.prefix.is_empty() {
                "give access logs a prefix of their own, such as `s3-access/`, or write `split_trails: true`"
            } else {
                "give the trail or the access logs another prefix, so that neither begins the other, or write `split_trails: true`"
            });
            if place != self.span() {
                finding = finding
                    .related(self.span(), format!("trails are delivered to `{}` of `{}`", self.region, self.account.key.value));
            }
            findings.push(finding);
        }
    }
}

fn base_prefix(source: &settle::Source<'_>, settings: &Settings<'_>) -> String {
    with_slash(source.prefix.map_or(settings.prefix.value, |prefix| prefix.as_str()))
}

fn prefix_of(source: &settle::Source<'_>, settings: &Settings<'_>) -> String {
    let base = base_prefix(source, settings);
    if settings.key_format == KeyFormat::Simple { format!("{base}{}/", source.name.value) } else { base }
}

/// One rule for each prefix; a prefix under another one needs none of its own.
fn lifecycle(settings: &Settings<'_>, sources: &[Source], trails: &[TrailGrant]) -> Vec<LifecycleRule> {
    let access = sources.iter().map(|source| match source.key_format {
        // with `simple` the source's own folder is under the prefix of the map
        KeyFormat::Simple => source.prefix.strip_suffix(&format!("{}/", source.name)).unwrap_or(&source.prefix).to_owned(),
        _ => source.prefix.clone(),
    });
    let mut prefixes: Vec<(String, &str)> = access.map(|prefix| (prefix, "access-logs")).collect();
    prefixes.extend(trails.iter().map(|trail| (format!("{}AWSLogs/", trail.prefix), "cloudtrail")));
    prefixes.sort();
    prefixes.dedup();
    let mut kept: Vec<(String, &str)> = Vec::new();
    for (prefix, kind) in prefixes {
        if !kept.last().is_some_and(|(outer, _)| prefix.starts_with(outer.as_str())) {
            kept.push((prefix, kind));
        }
    }
    if kept.len() > limits::LIFECYCLE_RULES {
        kept = vec![(String::new(), "all-logs")];
    }
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    kept.into_iter()
        .map(|(prefix, kind)| {
            let count = counts.entry(kind).or_default();
            *count += 1;
            LifecycleRule {
                id: if *count == 1 { kind.to_owned() } else { format!("{kind}-{count}") },
                prefix,
                expire_after_days: settings.expire_after_days.value,
                noncurrent_expire_after_days: settings.noncurrent_expire_after_days,
                transition: settings.transition.clone(),
            }
        })
        .collect()
}
