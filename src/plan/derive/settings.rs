//! Settings of a log bucket that do not go together, and prefixes that mix: what only the derived buckets show.

use super::{Draft, Planner};
use crate::{
    diagnostics::Finding,
    map::{
        SenderAccounts,
        effective::{Settings, with_slash},
    },
    plan::{Source, routes::Delivery},
    policy::compose::SenderGrant,
    rules::{
        budget::POLICY_SIZE,
        delivery::{
            OBJECT_LOCK, OBJECT_LOCK_TRAILS, PREFIX_TRAIL_OVERLAP, SENDER, SENDER_NOWHERE, SENDER_OVERLAP, SHARED_PREFIX,
        },
        placement::{SHARED, UNUSED_ADOPT},
        retention::{LOCK_NEEDS_VERSIONING, LOCK_OUTLIVES},
    },
};
use std::collections::BTreeSet;

/// Accounts for which one service could write: each has more than 50 of a policy's 20,480 bytes.
const MOST_SENT_FOR: usize = 400;

impl Planner<'_, '_> {
    pub(super) fn check_settings(&self, settings: &Settings<'_>, drafts: &[Draft], findings: &mut Vec<Finding>) {
        if drafts.is_empty() {
            return;
        }
        let adopted = settings.adopt.as_ref().map(|adopt| adopt.span);
        let adopted_second = settings.adopt_trails_bucket.as_ref().map(|adopt| adopt.span);
        let is_first = |draft: &Draft| settings.is_first(draft.takes_access_logs);
        if let Some(sending) = settings.senders.first().filter(|_| !drafts.iter().any(is_first)) {
            findings.push(
                Finding::new(
                    &SENDER_NOWHERE,
                    sending.service.span,
                    format!(
                        "`{}` has no log bucket in `{}` of `{}`",
                        sending.service.value.word(),
                        self.region,
                        self.account.key.value
                    ),
                )
                .label("it would write beside access logs, and there is no source here")
                .related(self.span(), "only the trails' own bucket is made here, by `split_trails: true`")
                .help("list a source bucket there, leave `split_trails` out there, or write `senders: []` there"),
            );
        }
        if let Some(span) = adopted_second.filter(|_| drafts.iter().all(is_first)) {
            let finding =
                Finding::new(&UNUSED_ADOPT, span, format!("the adopted trails' bucket of `{}` takes no logs", self.region));
            findings.push(match settings.split_trails {
                true => finding.help("no trail is delivered here; leave `adopt_trails_bucket` out"),
                false => finding.help("write `split_trails: true`, so that trails go to it, or leave `adopt_trails_bucket` out"),
            });
        }
        if let Some(span) = adopted.filter(|_| !drafts.iter().any(is_first)) {
            findings.push(
                Finding::new(&UNUSED_ADOPT, span, format!("the adopted bucket of `{}` takes no logs", self.region))
                    .help("with `split_trails: true` trails go to the second bucket, and there is no source here; leave `adopt` or `split_trails` out"),
            );
        }
        for (span, first) in [(adopted, true), (adopted_second, false)] {
            let (Some(span), Some(lock)) = (span, &settings.object_lock) else { continue };
            if !drafts.iter().any(|draft| is_first(draft) == first && self.locks(settings, draft)) {
                continue;
            }
            let help = match first {
                true => {
                    "Object Lock stays for good, so logmap sets it on buckets that it makes only; leave `object_lock` out, or write `split_trails: true`"
                }
                false => {
                    "Object Lock stays for good, so logmap sets it on buckets that it makes only; leave `object_lock` out: a lock that the bucket has stays"
                }
            };
            findings.push(
                Finding::new(
                    &OBJECT_LOCK,
                    lock.span,
                    format!("the adopted bucket of `{}` can't be given Object Lock", self.region),
                )
                .related(span, "this bucket exists already")
                .help(help),
            );
        }
        if settings.manages_lifecycle {
            self.check_retention(settings, drafts, findings);
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
            let kept = &settings.trails.expire_after_days;
            if let Some(expire) = kept.value.filter(|days| settings.manages_lifecycle && lock.days > *days) {
                findings.push(
                    Finding::new(
                        &LOCK_OUTLIVES,
                        lock.span,
                        format!("objects are locked for {} days, but expire after {expire}", lock.days),
                    )
                    .related(kept.span, "an expired object is only hidden by a delete marker until its lock ends")
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

    /// The services that write to a log bucket, with the accounts for which they do; those that can't are found.
    pub(super) fn senders(&self, settings: &Settings<'_>, draft: &Draft, findings: &mut Vec<Finding>) -> Vec<SenderGrant> {
        let mut grants: Vec<SenderGrant> = Vec::new();
        for sending in &settings.senders {
            // one that can't be has been reported
            let Some(sender) = sending.service.value.sender() else { continue };
            let word = sending.service.value.word();
            if !sender.is_documented_in(self.partition()) {
                findings.push(
                    Finding::new(
                        &SENDER,
                        sending.service.span,
                        format!("how {} writes to a bucket in `{}` is not documented", sender.phrase(), self.partition()),
                    )
                    .related(self.span(), format!("`{}` is a log bucket there", draft.name))
                    .help("leave it out there with a list of its own, and grant what its documentation says with `extra_statements`"),
                );
                continue;
            }
            if self.locks(settings, draft) && !sender.takes_object_lock() {
                let finding = Finding::new(
                    &SENDER,
                    sending.service.span,
                    format!("{} can't deliver to `{}`, which has Object Lock", sender.phrase(), draft.name),
                );
                let finding = match &settings.object_lock {
                    Some(lock) => finding.related(lock.span, "the lock is set here"),
                    None => finding,
                };
                findings.push(finding.help(
                    "write `split_trails: true`, so that the lock is on the trails' own bucket, or leave one of the two out",
                ));
                continue;
            }
            let ids: BTreeSet<String> = match sending.accounts {
                None => [self.account.id.value.clone()].into(),
                Some(SenderAccounts::All) => {
                    let all = self.map.accounts.values();
                    all.filter(|account| account.partition().is_none_or(|other| other == self.partition()))
                        .map(|account| account.id.value.clone())
                        .take(MOST_SENT_FOR + 1)
                        .collect()
                }
                Some(SenderAccounts::In(keys)) => {
                    let mut ids = BTreeSet::new();
                    for account in keys.iter().filter_map(|key| Some((key, self.map.accounts.get(key.as_str())?))) {
                        match account.1.partition().filter(|other| *other != self.partition()) {
                            Some(other) => findings.push(
                                Finding::new(
                                    &SENDER,
                                    account.0.span,
                                    format!(
                                        "the account `{}` is in `{other}`, the log bucket `{}` is in `{}`",
                                        account.0.value,
                                        draft.name,
                                        self.partition()
                                    ),
                                )
                                .help("nothing crosses a partition; give each partition's log buckets a list of their own"),
                            ),
                            None => _ = ids.insert(account.1.id.value.clone()),
                        }
                    }
                    ids
                }
            };
            if ids.len() > MOST_SENT_FOR {
                findings.push(
                    Finding::new(
                        &POLICY_SIZE,
                        sending.service.span,
                        format!(
                            "`{word}` would write to `{}` for more than {MOST_SENT_FOR} accounts, which no policy can name",
                            draft.name
                        ),
                    )
                    .help("let each account's services write to its own log bucket, which is what happens without `accounts`"),
                );
                continue;
            }
            if !ids.is_empty() {
                grants.push(SenderGrant {
                    sender,
                    prefix: sending.prefix.clone().into_owned(),
                    region: self.region.to_owned(),
                    accounts: ids.into_iter().collect(),
                });
            }
        }
        grants
    }

    /// Nothing that other services write may lie among access logs, or among the files of trails.
    pub(super) fn check_senders(
        &self,
        draft: &Draft,
        settings: &Settings<'_>,
        (sources, received, senders): (&[Source], &[&Delivery<'_>], &[SenderGrant]),
        findings: &mut Vec<Finding>,
    ) {
        if senders.is_empty() {
            return;
        }
        let mut own: Vec<&Source> = sources.iter().collect();
        // most have the same prefix
        own.dedup_by(|one, other| one.prefix == other.prefix);
        for sending in &settings.senders {
            let Some(sender) = sending.service.value.sender() else { continue };
            let folder = sender.folder(&sending.prefix);
            let meets = |other: &str| folder.starts_with(other) || other.starts_with(&folder);
            let word = sending.service.value.word();
            let message =
                |others: &str| format!("in `{}` {} would write under `{folder}`, among {others}", draft.name, sender.phrase());
            if let Some(source) = own.iter().find(|source| meets(&source.prefix)) {
                let shown = if source.prefix.is_empty() { "the whole bucket".to_owned() } else { format!("`{}`", source.prefix) };
                findings.push(
                    Finding::new(&SENDER_OVERLAP, sending.prefix_span, message("access logs"))
                        .related(settings.prefix.span, format!("the access logs of `{}` lie under {shown}", source.name))
                        .help(format!(
                            "give access logs a prefix of their own, and `{word}` another one, which the service is told, too"
                        )),
                );
            }
            let trail = received.iter().find(|delivery| meets(&format!("{}AWSLogs/", with_slash(delivery.trail.prefix))));
            if let Some(delivery) = trail {
                findings.push(
                    Finding::new(&SENDER_OVERLAP, sending.prefix_span, message("the files of trails"))
                        .related(delivery.trail.name.span, "this trail delivers there")
                        .help(format!("give `{word}` a prefix, such as `{word}/`, which the service is told, too; or write `split_trails: true`")),
                );
            }
        }
    }

    pub(super) fn check_prefixes(
        &self,
        draft: &Draft,
        settings: &Settings<'_>,
        sources: &[Source],
        received: &[&Delivery<'_>],
        findings: &mut Vec<Finding>,
    ) {
        let paths = received.iter().map(|delivery| (format!("{}AWSLogs/", with_slash(delivery.trail.prefix)), delivery.trail));
        let paths: Vec<_> = paths.collect();
        let mut told = false;
        for source in sources {
            let clash =
                paths.iter().find(|(path, _)| path.starts_with(&*source.prefix) || source.prefix.starts_with(path.as_str()));
            let Some((path, trail)) = clash else { continue };
            let mapped = self
                .account
                .regions
                .get(self.region)
                .and_then(|region| region.sources.iter().find(|s| s.name.as_str() == source.name));
            let place = mapped.and_then(|source| source.own_prefix()).map_or(settings.prefix.span, |prefix| prefix.span);
            let shown = if source.prefix.is_empty() { "the whole bucket".to_owned() } else { format!("`{}`", source.prefix) };
            // as it has been before; keys of access logs never begin with `AWSLogs/`, so no object takes another's place
            if mapped.is_some_and(|source| source.exact_prefix.is_some()) {
                if !std::mem::replace(&mut told, true) {
                    let message = format!(
                        "in `{}` the access logs of `{}` under {shown} and trails under `{path}` lie together",
                        draft.name, source.name
                    );
                    findings.push(
                        Finding::new(&SHARED_PREFIX, place, message)
                            .related(trail.name.span, format!("this trail delivers under `{path}`"))
                            .help("lifecycle rules and readers of one have the other, too; to part them later, write a `prefix` for the source instead of `exact_prefix`, and let `logmap runbook` move it"),
                    );
                }
                continue;
            }
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
