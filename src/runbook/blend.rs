//! Blending: a log bucket between two maps, which lets in whoever either of them lets in.
//!
//! Takes the old and the new version of one bucket; gives one whose policy is composed for the sources and trails of both
//! and proven for both, with a lifecycle under which nothing expires sooner than either says. Denies stay as they were until
//! the last step, and one that would keep new logs out is left out, and said.

use crate::{
    aws::{Partition, limits},
    plan::{Basis, LifecycleRule, LogBucket, Source, lifecycle as lifecycle_rules, prove},
    policy::{
        Effect, Statement,
        compose::{Grants, Scope, SenderGrant, TrailGrant, compose},
    },
};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// The account and Region of a bucket.
#[derive(Debug, Clone, Copy)]
pub(super) struct BucketPlacement<'a> {
    pub partition: Partition,
    pub account_id: &'a str,
    pub region: &'a str,
}

/// A bucket of both maps, and what to know about it.
pub(super) struct Blended {
    pub bucket: LogBucket,
    pub notes: Vec<String>,
}

/// The version between old and new, or why there is none.
pub(super) fn blend(
    at: BucketPlacement<'_>,
    old: (&LogBucket, &[Source]),
    new: (&LogBucket, &[Source]),
) -> Result<Blended, String> {
    let (was, is) = (old.0, new.0);
    let mut bucket = LogBucket {
        takes_access_logs: was.takes_access_logs || is.takes_access_logs,
        takes_trails: was.takes_trails || is.takes_trails,
        versioning: was.versioning || is.versioning,
        object_lock: was.object_lock.clone(),
        tags: was.tags.iter().chain(&is.tags).map(|(key, value)| (key.clone(), value.clone())).collect(),
        lifecycle: lifecycle(&was.lifecycle, &is.lifecycle),
        ..is.clone()
    };
    if was.policy == is.policy {
        return Ok(Blended { bucket, notes: Vec::new() });
    }
    let known: HashSet<_> = old.1.iter().map(|source| (&source.name, &source.prefix, source.key_format)).collect();
    let added = new.1.iter().filter(|source| !known.contains(&(&source.name, &source.prefix, source.key_format)));
    let sources: Vec<Source> = old.1.iter().chain(added).cloned().collect();
    let mut trails: Vec<TrailGrant> = was.basis.trails.clone();
    for trail in &is.basis.trails {
        // a trail that records in more Regions than before needs no grant of its own
        let same = |other: &&mut TrailGrant| TrailGrant { multi_region: trail.multi_region, ..(**other).clone() } == *trail;
        match trails.iter_mut().find(same) {
            Some(known) => known.multi_region |= trail.multi_region,
            None => trails.push(trail.clone()),
        }
    }
    bucket.basis = Basis {
        by_account: was.basis.by_account || is.basis.by_account,
        trails,
        senders: senders(&was.basis.senders, &is.basis.senders),
        readers: is.basis.readers.clone(),
        copies: was.basis.copies.iter().chain(&is.basis.copies).cloned().collect::<BTreeSet<_>>().into_iter().collect(),
        deny_insecure_transport: was.basis.deny_insecure_transport,
        extra: statements(&was.basis.extra, &is.basis.extra),
        organization_id: is.basis.organization_id.clone().or(was.basis.organization_id.clone()),
        role_arn: is.basis.role_arn.clone().or(was.basis.role_arn.clone()),
    };
    let mut notes = Vec::new();
    if is.policy.statements.iter().any(|statement| statement.effect == Effect::Deny && !was.policy.statements.contains(statement))
    {
        notes.push(format!("`{}`: new Deny statements take effect in the narrowing step, old ones hold until then", is.name));
    }
    grant(at, &mut bucket, &sources, &mut notes)?;
    Ok(Blended { bucket, notes })
}

/// A bucket that takes no more logs: nobody delivers to it, and whoever reads it still may.
pub(super) fn bare(at: BucketPlacement<'_>, old: &LogBucket) -> Result<LogBucket, String> {
    let mut bucket = old.clone();
    // a policy needs a statement
    let deny_insecure_transport = old.basis.deny_insecure_transport || old.basis.extra.is_empty();
    bucket.basis =
        Basis { trails: Vec::new(), senders: Vec::new(), copies: Vec::new(), deny_insecure_transport, ..old.basis.clone() };
    grant(at, &mut bucket, &[], &mut Vec::new())?;
    Ok(bucket)
}

/// Composes the policy from the basis and proves it.
fn grant(at: BucketPlacement<'_>, bucket: &mut LogBucket, sources: &[Source], notes: &mut Vec<String>) -> Result<(), String> {
    // a Deny that keeps a delivery out goes; one round for each is enough
    for _ in 0..=bucket.basis.extra.len() {
        let mut by_prefix: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for source in sources {
            by_prefix.entry(&source.prefix).or_default().insert(&source.name);
        }
        let grants = Grants {
            bucket: &bucket.name,
            partition: at.partition,
            account_id: at.account_id,
            sources: by_prefix,
            trails: bucket.basis.trails.clone(),
            senders: bucket.basis.senders.clone(),
            readers: bucket.basis.readers.clone(),
            copies: &bucket.basis.copies,
            organization_id: bucket.basis.organization_id.as_deref(),
            scope: if bucket.basis.by_account { Scope::Account } else { Scope::Auto },
            deny_insecure_transport: bucket.basis.deny_insecure_transport,
            extra: &bucket.basis.extra,
        };
        let (policy, report) = compose(&grants).map_err(|overflow| {
            format!(
                "the grants of both maps together do not fit into the policy of `{}`: {} bytes in their widest form, {} are allowed; move in two steps, with a map between the two",
                bucket.name,
                overflow.bytes,
                limits::BUCKET_POLICY_BYTES
            )
        })?;
        let proof = prove::prove(&prove::Subject {
            bucket: &bucket.name,
            partition: at.partition,
            region: at.region,
            account_id: at.account_id,
            role_arn: bucket.basis.role_arn.as_deref(),
            organization_id: bucket.basis.organization_id.as_deref(),
            policy: &policy,
            granted_by: &policy,
            tier: report.tier,
            sources,
            trails: &bucket.basis.trails,
            senders: &bucket.basis.senders,
            readers: bucket.basis.readers.as_ref(),
            copies: &bucket.basis.copies,
            denies_insecure_transport: bucket.basis.deny_insecure_transport,
            of_placements: 1,
        });
        let failures: Vec<&prove::Failure> = proof.rows.iter().flat_map(|row| &row.failures).collect();
        let Some(first) = failures.first() else {
            notes.extend(report.notes.iter().map(|note| format!("between the maps, `{}`: {note}", bucket.name)));
            (bucket.policy, bucket.report, bucket.proof) = (policy, report, proof);
            return Ok(());
        };
        let blamed: Vec<&Statement> = failures
            .iter()
            .flat_map(|failure| &failure.statements)
            .filter_map(|blamed| policy.statements.get(blamed.statement))
            .filter(|statement| statement.effect == Effect::Deny)
            .collect();
        let before = bucket.basis.extra.len();
        let why = first.what.clone();
        bucket.basis.extra.retain(|statement| !blamed.contains(&statement));
        if bucket.basis.extra.len() == before {
            return Err(format!("no policy of `{}` serves both maps: {why}", bucket.name));
        }
        notes.push(format!("`{}`: an old Deny statement ends with the granting step, because under it {why}", bucket.name));
    }
    Err(format!("no policy of `{}` serves both maps", bucket.name))
}

/// The services of both maps, each for the accounts of both.
fn senders(old: &[SenderGrant], new: &[SenderGrant]) -> Vec<SenderGrant> {
    let mut all = old.to_vec();
    for grant in new {
        let same = |other: &&mut SenderGrant| {
            (other.sender, &other.prefix, &other.region) == (grant.sender, &grant.prefix, &grant.region)
        };
        match all.iter_mut().find(same) {
            Some(known) => {
                known.accounts.extend(grant.accounts.iter().cloned());
                known.accounts.sort_unstable();
                known.accounts.dedup();
            }
            None => all.push(grant.clone()),
        }
    }
    all
}

/// The old statements, and the new ones that allow something. Sids stay unique.
fn statements(old: &[Statement], new: &[Statement]) -> Vec<Statement> {
    let mut all = old.to_vec();
    for statement in new.iter().filter(|statement| statement.effect == Effect::Allow && !old.contains(statement)) {
        let mut statement = statement.clone();
        while !statement.sid.is_empty() && all.iter().any(|other| other.sid == statement.sid) {
            statement.sid.push_str("New");
        }
        all.push(statement);
    }
    all
}

/// The rules of both, by prefix; what both have expires with the later one. S3 lets the shortest of overlapping rules win,
/// so prefixes that lie in each other keep the longest of their times.
///
/// Where other code sets the rules by either map, the runbook sets none.
pub(super) fn lifecycle(old: &[LifecycleRule], new: &[LifecycleRule]) -> Vec<LifecycleRule> {
    if old.is_empty() || new.is_empty() {
        return Vec::new();
    }
    let mut all: Vec<LifecycleRule> = new.to_vec();
    for rule in old {
        if !all.iter().any(|other| other.prefix == rule.prefix) {
            let mut id = format!("until-expired-{}", rule.id);
            while all.iter().any(|other| other.id == id) {
                id.push_str("-x");
            }
            all.push(LifecycleRule { id, ..rule.clone() });
        }
    }
    let touches = |a: &str, b: &str| a.starts_with(b) || b.starts_with(a);
    let rules: Vec<LifecycleRule> = old.iter().chain(new).cloned().collect();
    for rule in &mut all {
        let prefix = rule.prefix.clone();
        rules.iter().filter(|other| touches(&other.prefix, &prefix)).for_each(|other| rule.lengthen(other));
    }
    if lifecycle_rules::count(&all) > limits::LIFECYCLE_RULES {
        let rest = all.split_off(1);
        for rule in &mut all {
            "until-expired".clone_into(&mut rule.id);
            rule.prefix.clear();
            rest.iter().for_each(|other| rule.lengthen(other));
        }
    }
    all
}
