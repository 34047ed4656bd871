//! Dangers: what a person must know before the first step; a paragraph for each case that this move has.

use super::{
    DRAIN_HOURS, SHOWN, log_buckets,
    stage::Stage,
    stages::Stages,
    step::{Step, Work},
};
use crate::{
    plan::{LogBucket, Plan, Tier},
    tables,
    text::few,
};
use std::collections::BTreeSet;

/// A paragraph of the page's warnings. Values of the maps are in backticks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Danger {
    /// Heading.
    pub title: &'static str,
    /// What happens, why, and what to do.
    pub text: String,
}

fn list(names: &BTreeSet<String>) -> String {
    few(&names.iter().map(|name| format!("`{name}`")).collect::<Vec<String>>(), SHOWN)
}

/// The paragraphs for a move.
pub(super) fn dangers(old: &Plan, new: &Plan, stages: &Stages, steps: &[Step]) -> Vec<Danger> {
    let mut found = Vec::new();
    let mut say = |title: &'static str, text: String| found.push(Danger { title, text });
    let of = |work: Work| steps.iter().filter(move |step| step.work == work);

    let moved: BTreeSet<String> = of(Work::Recreate).flat_map(|step| &step.sources).map(|source| source.name.clone()).collect();
    if !moved.is_empty() {
        say(
            "Source buckets that are made again elsewhere",
            format!(
                "{}. S3 moves no bucket. Its owners copy the objects away, delete the bucket and make it again; from the deletion until the switch step has set its logging, nothing is logged: that is the one window of this runbook, and its length is theirs. The name is free only after the deletion, and then free for anybody: a stranger who takes it gets every request that still goes there, and what a client uploads to it. Take the name out of use first (clients, DNS, CDN origins), keep the time short, and if the name must not be lost, choose a new name instead. The old log bucket lets nobody in by that name alone: its policy asks for `aws:SourceAccount` too, so a stranger's bucket of the same name writes no logs to it.",
                list(&moved)
            ),
        );
    }
    let retired: BTreeSet<String> = of(Work::Retire)
        .flat_map(|step| &step.leftovers)
        .filter_map(|leftover| match leftover {
            super::Leftover::Bucket(bucket) => Some(bucket.name.clone()),
            super::Leftover::Prefix { .. } => None,
        })
        .collect();
    if !retired.is_empty() {
        say(
            "Old log buckets stay",
            format!(
                "{}. They keep their logs, lose the grants of those who delivered, and their lifecycle rules empty them in time. Don't delete them even then: a deleted name can be registered by a stranger, and whatever still points there (a forgotten source, a template, a reader) would then trust the stranger's bucket. An empty bucket costs nothing.",
                list(&retired)
            ),
        );
    }
    if retired.len() >= 20 {
        say(
            "Many log buckets at once",
            format!(
                "{} log buckets get a successor. The steps of one phase do not depend on each other: `run-phase.sh create` makes all buckets before the first switch, and the switch can be done account by account over days, because old and new destinations are both granted until the narrowing. Look at the quota of buckets of each account (10,000 unless raised) before.",
                retired.len()
            ),
        );
    }
    let ids = |plan: &Plan| -> BTreeSet<(String, String)> {
        plan.accounts.iter().map(|account| (account.key.clone(), account.id.clone())).collect()
    };
    let changed: BTreeSet<String> = ids(new)
        .into_iter()
        .filter(|(key, id)| old.account(key).is_some_and(|account| account.id != *id))
        .map(|(key, _)| key)
        .collect();
    if !changed.is_empty() {
        say(
            "Accounts with another id",
            format!(
                "{}. To AWS these are other accounts: a bucket can't be handed over, so the sources are deleted there and made here, the log buckets there retire, and the new account gets its own. Steps in the old account are named with its id and need its credentials; keep the account open until its logs have expired.",
                list(&changed)
            ),
        );
    }
    if !stages.renamed_accounts.is_empty() {
        let keys: BTreeSet<String> = stages.renamed_accounts.iter().map(|(new, old)| format!("{old} → {new}")).collect();
        say(
            "Account keys that change",
            format!(
                "{}. AWS does not know these keys, but Terraform's root modules and their states are named after them. `moved` blocks do not cross modules: hand over first (see Terraform below), or the new module would try to make buckets that exist.",
                list(&keys)
            ),
        );
    }
    let trails: BTreeSet<String> = of(Work::Switch)
        .flat_map(|step| &step.trails)
        .filter(|trail| {
            let (Some(before), Some(after)) = (&trail.before, &trail.after) else { return false };
            (&before.bucket, &before.prefix) != (&after.bucket, &after.prefix) && before.arn == after.arn
        })
        .filter_map(|trail| trail.after.as_ref())
        .map(|trail| trail.name.clone())
        .collect();
    if !trails.is_empty() {
        say(
            "Trails that deliver elsewhere",
            format!(
                "{}. `update-trail` asks for the policy of the new bucket at once, so the granting steps come first (`InsufficientS3BucketPolicyException` else). The digest chain goes on: each digest names the one before it with its bucket, so both buckets must stay readable for `aws cloudtrail validate-logs`. Never copy or move log or digest files: their signatures are metadata of the objects where they lie. If the new destination refuses, CloudTrail retries for 30 days, and the retries are billed: look at `LatestDeliveryError` in the verify step, and roll back rather than wait.",
                list(&trails)
            ),
        );
    }
    let ended: BTreeSet<String> = of(Work::Switch)
        .chain(of(Work::Clear))
        .flat_map(|step| &step.trails)
        .filter(|trail| {
            trail.before.as_ref().is_some_and(|before| trail.after.as_ref().is_none_or(|after| after.arn != before.arn))
        })
        .filter_map(|trail| trail.before.as_ref())
        .map(|trail| trail.name.clone())
        .collect();
    if !ended.is_empty() {
        say(
            "Trails that end before their successor begins",
            format!(
                "{}. A trail's home Region is fixed, a trail of all Regions has its name in all of them, and five trails fit into a Region: the old one is deleted just before the new one is made. Events of the minutes between are not delivered to any bucket, and the digest chain starts anew. Give the new trail another name, or make room, if there must be no gap.",
                list(&ended)
            ),
        );
    }
    let formats: BTreeSet<String> = of(Work::Switch)
        .flat_map(|step| &step.sources)
        .filter(|source| matches!((&source.before, &source.after), (Some(before), Some(after)) if before.key_format != after.key_format))
        .map(|source| source.name.clone())
        .collect();
    if !formats.is_empty() {
        say(
            "Another key format",
            format!(
                "{}. New objects lie under other keys than old ones: tables and readers of the old layout see nothing new. Make the tables and rights for the new layout before the switch; `logmap diff` says for each group of sources what to make. For about an hour objects may still arrive in the old layout.",
                list(&formats)
            ),
        );
    }
    let tables = tables::between(old, new);
    let others = tables.iter().filter(|change| !change.changed.is_empty() || !change.removed.is_empty());
    let databases: BTreeSet<String> = others.map(|change| change.database.clone()).collect();
    if !databases.is_empty() {
        let gone: BTreeSet<String> = tables.iter().flat_map(|change| &change.removed).cloned().collect();
        let gone = if gone.is_empty() {
            String::new()
        } else {
            format!(" Saved queries that name {} see no new records: let them name the view or the new table.", list(&gone))
        };
        say(
            "Tables that are made anew",
            format!(
                "{}. A table reads the folders that it names, so after the switch those of the old map miss what is delivered elsewhere. Run the statements of `athena/` again, or apply the Glue tables and run the views: no log is deleted, and the view takes each source once.{gone} What was delivered before lies where it was; `logmap diff` names the tables that read it.",
                list(&databases)
            ),
        );
    }
    let grown: Vec<(&LogBucket, &LogBucket)> = steps
        .iter()
        .filter(|step| step.work <= Work::Grant)
        .flat_map(|step| &step.buckets)
        .filter_map(|bucket| Some((bucket.before.as_ref()?, &bucket.after)))
        .filter(|(before, after)| before.report.tier != Tier::None && after.report.tier > before.report.tier)
        .collect();
    if !grown.is_empty() {
        let each: Vec<String> =
            grown.iter().map(|(_, after)| format!("`{}`: {}", after.name, after.report.notes.join("; "))).collect();
        say(
            "Policies that name sources less exactly",
            format!(
                "{}. The exact names no longer fit into 20,480 bytes, so the grant is wider than the list of sources; `aws:SourceAccount` still keeps other accounts out. Nothing that logs today is left out: the wider policy was proven for the old and the new sources.",
                each.join(". ")
            ),
        );
    }
    let at_last = log_buckets(stages.last());
    let shorter: BTreeSet<String> = log_buckets(&stages.plans[Stage::Narrowed])
        .into_iter()
        .filter(|(at, (.., bucket))| {
            at_last.get(at).is_some_and(|(.., last)| {
                last.lifecycle.iter().any(|rule| {
                    let before = bucket.lifecycle.iter().find(|other| other.prefix == rule.prefix);
                    before.is_some_and(|before| rule.is_shorter_than(before))
                })
            })
        })
        .map(|((_, name), _)| name.to_owned())
        .collect();
    if !shorter.is_empty() {
        say(
            "Shorter retention",
            format!(
                "{}. The retiring step shortens it. S3 then expires logs that are older than the new time within a day or two, and nothing brings them back: its rollback restores the rule, not the logs.",
                list(&shorter)
            ),
        );
    }
    let external: BTreeSet<String> = of(Work::Switch)
        .chain(of(Work::Release))
        .flat_map(|step| &step.sources)
        .filter(|source| !source.managed)
        .map(|source| source.name.clone())
        .collect();
    if !external.is_empty() {
        say(
            "Sources that other code sets",
            format!(
                "{}. logmap does not touch their logging. Their switch step says what their owners have to set and ends with 1 until they have; the narrowing waits for it, or their logs would be lost without a word.",
                list(&external)
            ),
        );
    }
    let copied = |plan: &Plan| plan.archive.as_ref().map(|central| (central.bucket.clone(), central.copied.clone()));
    let (was, is) = (copied(old), copied(new));
    if was != is {
        let mut text = String::new();
        if let Some((archive, _)) = &is {
            text += &format!(
                "The scripts of the steps copy nothing: run those that `logmap generate` makes of the new map after the last step, the account of `{archive}` first. "
            );
        }
        if let Some((archive, _)) = was.filter(|(archive, _)| is.as_ref().is_none_or(|(name, _)| name != archive)) {
            text += &format!(
                "What was copied to `{archive}` stays there and is not copied again. Scripts end no replication and no delivery that the map no longer has: `aws s3api delete-bucket-replication` and `aws logs delete-delivery` do. "
            );
        }
        say("The central copy", text.trim_end().to_owned());
    }
    if old
        .key_policies
        .iter()
        .map(|key| (&key.key_arn, key.policy.to_json()))
        .ne(new.key_policies.iter().map(|key| (&key.key_arn, key.policy.to_json())))
    {
        let keys: BTreeSet<String> = new.key_policies.iter().map(|key| key.key_arn.clone()).collect();
        say(
            "KMS keys",
            format!(
                "{}. The owners merge the statements in `kms/` into the keys' policies before the switch, and leave the old statements until {DRAIN_HOURS} hours after it; the right to decrypt with an old key is needed as long as its logs are.",
                if keys.is_empty() { "Keys leave the map".to_owned() } else { list(&keys) }
            ),
        );
    }
    found
}
