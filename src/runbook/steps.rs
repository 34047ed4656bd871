//! Steps: the differences between neighbouring stages, placement by placement, in an order that keeps every log legal.
//!
//! Grants come before what needs them and go after it: create, grant, (re-create), switch, release, verify, drain, narrow,
//! retire. A step is repeatable, names what was before it for its rollback, and what comes after it, so that a repeated
//! early step never takes back a later one.

use super::{
    footing,
    stage::{ByStage, Stage},
    stages::Stages,
    step::{Arrival, BucketMove, Leftover, Quiet, SourceMove, Step, StepPlacement, TrailMove, Work},
};
use crate::{
    aws::Partition,
    plan::{Account, LogBucket, Placement, Source, Trail, prove::Proven},
    policy::Statement,
};
use std::collections::{BTreeMap, BTreeSet, HashSet};

type At = (String, String);

/// One account and Region in all five stages.
struct PlacementStages<'a> {
    placement: StepPlacement,
    stages: ByStage<Option<&'a Placement>>,
}

impl<'a> PlacementStages<'a> {
    fn buckets(&self, stage: Stage) -> &'a [LogBucket] {
        self.stages[stage].map_or(&[], |placement| &placement.buckets)
    }

    fn sources(&self, stage: Stage) -> &'a [Source] {
        self.stages[stage].map_or(&[], |placement| &placement.sources)
    }

    fn trails(&self, stage: Stage) -> &'a [Trail] {
        self.stages[stage].map_or(&[], |placement| &placement.trails)
    }

    /// The move of each bucket from one stage to the next, where there is something to do.
    fn bucket_moves(&self, from: Stage, to: Stage) -> Vec<BucketMove> {
        let of = |stage: Stage, name: &str| self.buckets(stage).iter().find(|bucket| bucket.name == name);
        let next = self.buckets(to).iter();
        next.filter_map(|after| {
            let before = of(from, &after.name);
            if before.is_some_and(|before| same_bucket(before, after)) {
                return None;
            }
            let way: Vec<&LogBucket> = Stage::ALL.into_iter().filter_map(|stage| of(stage, &after.name)).collect();
            let mut known: Vec<Statement> = Vec::new();
            for statement in way.iter().flat_map(|bucket| &bucket.policy.statements) {
                if !known.contains(statement) {
                    known.push(statement.clone());
                }
            }
            let later = to.later().filter_map(|stage| of(stage, &after.name));
            let later = later.filter(|bucket| looks(bucket) != looks(after)).cloned().collect();
            // in which stage it takes what only matters to the targets
            let takes_access_logs = way.iter().any(|bucket| bucket.takes_access_logs);
            Some(BucketMove { before: before.cloned(), after: after.clone(), takes_access_logs, known, later })
        })
        .collect()
    }

    fn trail_moves(&self, from: Stage, to: Stage) -> Vec<TrailMove> {
        let of = |stage: Stage, arn: &str| self.trails(stage).iter().find(|trail| trail.arn == arn);
        let moved = self.trails(to).iter().filter_map(|after| {
            let before = of(from, &after.arn);
            if before.is_some_and(|before| json(before) == json(after)) {
                return None;
            }
            let later = to.later().filter_map(|stage| of(stage, &after.arn)).filter(|trail| json(trail) != json(after));
            Some(TrailMove {
                before: before.cloned(),
                after: Some(after.clone()),
                old_home: self.placement.region.clone(),
                later: later.cloned().collect(),
            })
        });
        moved.collect()
    }

    /// Trails that end at the switch.
    fn trails_gone(&self) -> impl Iterator<Item = &'a Trail> {
        let after = self.trails(Stage::Switched);
        self.trails(Stage::Granted).iter().filter(move |trail| !after.iter().any(|other| other.arn == trail.arn))
    }
}

fn json(value: &impl serde::Serialize) -> serde_json::Value {
    serde_json::to_value(value).unwrap_or_default()
}

/// What a script sees of a bucket when it asks whether a later step was taken.
fn looks(bucket: &LogBucket) -> (String, serde_json::Value) {
    (bucket.policy.to_json(), json(&bucket.lifecycle))
}

/// Is there nothing to do on the bucket itself?
fn same_bucket(a: &LogBucket, b: &LogBucket) -> bool {
    let rest = |bucket: &LogBucket| {
        let mut tags: Vec<_> = bucket.tags.clone().into_iter().collect();
        tags.sort();
        (bucket.versioning, json(&bucket.object_lock), tags)
    };
    looks(a) == looks(b) && rest(a) == rest(b)
}

fn named(account: &Account, region: &str) -> StepPlacement {
    StepPlacement {
        account: account.key.clone(),
        account_id: account.id.clone(),
        region: region.to_owned(),
        partition: account.partition,
        profile: account.profile.clone(),
        role_arn: account.role_arn.clone(),
    }
}

/// All steps in order.
pub(super) fn steps(stages: &Stages) -> Vec<Step> {
    let placements = placements(stages);
    let old_placements: BTreeMap<(Partition, &str), &StepPlacement> = placements
        .iter()
        .flat_map(|staged| {
            staged
                .sources(Stage::Old)
                .iter()
                .map(|source| ((staged.placement.partition, source.name.as_str()), &staged.placement))
        })
        .collect();
    let new_names: BTreeSet<(Partition, &str)> = placements
        .iter()
        .flat_map(|staged| staged.sources(Stage::Retired).iter().map(|source| (staged.placement.partition, source.name.as_str())))
        .collect();
    let mut steps: Vec<Step> = Vec::new();
    let each = |work: Work, steps: &mut Vec<Step>, fill: &dyn Fn(&PlacementStages<'_>, &mut Step)| {
        for staged in &placements {
            let mut step = Step::new(work, &staged.placement);
            fill(staged, &mut step);
            if !step.is_empty() {
                steps.push(step);
            }
        }
    };
    each(Work::Create, &mut steps, &|staged, step| {
        step.buckets =
            staged.bucket_moves(Stage::Old, Stage::Granted).into_iter().filter(|bucket| bucket.before.is_none()).collect();
    });
    each(Work::Grant, &mut steps, &|staged, step| {
        step.buckets =
            staged.bucket_moves(Stage::Old, Stage::Granted).into_iter().filter(|bucket| bucket.before.is_some()).collect();
        step.trails = staged.trail_moves(Stage::Old, Stage::Granted);
    });
    let rivals = rivals(&placements);
    each(Work::Clear, &mut steps, &|staged, step| {
        let alone = staged
            .trails_gone()
            .filter(|trail| stages.in_the_way.contains(&trail.arn) && !rivals.contains_key(trail.arn.as_str()));
        step.trails = alone.map(|trail| gone(trail, &staged.placement)).collect();
    });
    each(Work::Recreate, &mut steps, &|staged, step| {
        step.sources = source_moves(staged, &old_placements).into_iter().filter(|source| source.moved_from.is_some()).collect();
    });
    each(Work::Switch, &mut steps, &|staged, step| {
        step.sources = source_moves(staged, &old_placements);
        step.trails = staged.trail_moves(Stage::Granted, Stage::Switched);
        for trail in step.trails.iter_mut().filter(|trail| trail.before.is_none()) {
            let replaced = trail.after.as_ref().and_then(|after| {
                rivals
                    .iter()
                    .find(|(arn, (new, ..))| *new == after.arn && stages.in_the_way.contains(**arn))
                    .map(|(_, rival)| rival)
            });
            if let Some((_, old, home)) = replaced {
                (trail.before, trail.old_home) = (Some((*old).clone()), home.clone());
            }
        }
    });
    each(Work::Release, &mut steps, &|staged, step| {
        let leaves = |source: &&Source| !new_names.contains(&(staged.placement.partition, source.name.as_str()));
        step.sources = staged
            .sources(Stage::Old)
            .iter()
            .filter(leaves)
            .map(|source| SourceMove {
                name: source.name.clone(),
                managed: source.managed,
                before: Some(source.clone()),
                after: None,
                moved_from: None,
            })
            .collect();
        let leaving = staged.trails_gone().filter(|trail| !stages.in_the_way.contains(&trail.arn));
        step.trails = leaving.map(|trail| gone(trail, &staged.placement)).collect();
    });
    let switched = steps.clone();
    each(Work::Verify, &mut steps, &|staged, step| verify(staged, &switched, step));
    each(Work::Drain, &mut steps, &|staged, step| step.quiets = quiets(staged));
    each(Work::Narrow, &mut steps, &|staged, step| {
        step.buckets = staged.bucket_moves(Stage::Switched, Stage::Narrowed);
        step.trails = staged.trail_moves(Stage::Switched, Stage::Narrowed);
        step.left = departed(staged).cloned().collect();
    });
    each(Work::Retire, &mut steps, &|staged, step| {
        step.buckets = staged.bucket_moves(Stage::Narrowed, Stage::Retired);
        step.leftovers = leftovers(staged);
    });
    number(&mut steps);
    let staged: BTreeMap<&StepPlacement, &PlacementStages<'_>> =
        placements.iter().map(|staged| (&staged.placement, staged)).collect();
    footing::fill(&mut steps, &|placement, stage, name| {
        staged.get(placement)?.buckets(stage).iter().find(|bucket| bucket.name == name)
    });
    steps
}

fn placements(stages: &Stages) -> Vec<PlacementStages<'_>> {
    let mut found: BTreeMap<At, PlacementStages<'_>> = BTreeMap::new();
    let mut order: Vec<At> = Vec::new();
    for (stage, plan) in stages.plans.iter() {
        for account in plan.apply_order.iter().filter_map(|key| plan.account(key)) {
            for placement in &account.placements {
                let at = (account.key.clone(), placement.region.clone());
                let staged = found.entry(at.clone()).or_insert_with(|| {
                    order.push(at);
                    PlacementStages { placement: named(account, &placement.region), stages: ByStage::default() }
                });
                staged.stages[stage] = Some(placement);
            }
        }
    }
    // the order of accounts is that of the plans; within one, that of the archive comes first
    let position = |key: &str| stages.plans[Stage::Granted].apply_order.iter().position(|other| other == key);
    let archive = |at: &At| found.get(at).and_then(|staged| staged.stages[Stage::Granted]).is_some_and(Placement::has_archive);
    order.sort_by_cached_key(|at| (position(&at.0), !archive(at), at.clone()));
    order.into_iter().filter_map(|at| found.remove(&at)).collect()
}

/// Old trails that end for a new one of the same name: ARN → the new ARN, the old trail, its home. A new trail has one such
/// rival, that of the first Region, whose script hands over from one to the other.
fn rivals<'a>(placements: &[PlacementStages<'a>]) -> BTreeMap<&'a str, (String, &'a Trail, String)> {
    let mut found = BTreeMap::new();
    let mut heirs: BTreeSet<String> = BTreeSet::new();
    for staged in placements {
        for trail in staged.trails_gone() {
            let heir = placements
                .iter()
                .filter(|other| other.placement.account_id == staged.placement.account_id)
                .flat_map(|other| other.trail_moves(Stage::Granted, Stage::Switched))
                .filter(|other| other.before.is_none())
                .filter_map(|other| other.after)
                .find(|after| after.name == trail.name && (after.multi_region || trail.multi_region));
            if let Some(heir) = heir.filter(|heir| heirs.insert(heir.arn.clone())) {
                found.insert(trail.arn.as_str(), (heir.arn, trail, staged.placement.region.clone()));
            }
        }
    }
    found
}

fn gone(trail: &Trail, placement: &StepPlacement) -> TrailMove {
    TrailMove { before: Some(trail.clone()), after: None, old_home: placement.region.clone(), later: Vec::new() }
}

/// The sources whose destination changes at the switch, or that come.
fn source_moves(staged: &PlacementStages<'_>, old_placements: &BTreeMap<(Partition, &str), &StepPlacement>) -> Vec<SourceMove> {
    let old: BTreeMap<&str, &Source> =
        staged.sources(Stage::Granted).iter().map(|source| (source.name.as_str(), source)).collect();
    let mut moves = Vec::new();
    for after in staged.sources(Stage::Switched) {
        let before = old.get(after.name.as_str()).copied();
        let by_other_hands = before.is_some_and(|before| !before.managed && after.managed);
        if before.is_some_and(|before| before.destination() == after.destination()) && !by_other_hands {
            continue;
        }
        let old_placement = old_placements.get(&(staged.placement.partition, after.name.as_str())).copied();
        moves.push(SourceMove {
            name: after.name.clone(),
            managed: after.managed,
            before: before.cloned(),
            after: Some(after.clone()),
            moved_from: old_placement.filter(|_| before.is_none()).cloned(),
        });
    }
    moves
}

/// The beginning of a source's keys, up to the day: its own, unless it has the prefix of others in a flat layout.
fn own_keys(source: &Source, placement: &StepPlacement) -> String {
    match source.key_format.partition_date_source() {
        Some(_) => format!("{}{}/{}/{}/", source.prefix, placement.account_id, placement.region, source.name),
        None => source.prefix.to_string(),
    }
}

fn verify(staged: &PlacementStages<'_>, steps: &[Step], step: &mut Step) {
    let beginnings = staged.sources(Stage::Switched).iter();
    let mut beginnings: Vec<(String, String)> =
        beginnings.map(|source| (source.log_bucket.to_string(), own_keys(source, &staged.placement))).collect();
    beginnings.sort_unstable();
    for done in steps.iter().filter(|other| other.placement == staged.placement && other.work == Work::Switch) {
        step.sources.clone_from(&done.sources);
        step.trails = done.trails.iter().filter(|trail| trail.after.is_some()).cloned().collect();
        for after in done.sources.iter().filter_map(|source| source.after.as_ref()) {
            let (name, bucket) = (after.name.clone(), after.log_bucket.to_string());
            let under = own_keys(after, &staged.placement);
            // the first one that begins so is its own
            let first = beginnings.partition_point(|(other, keys)| (other, keys) < (&bucket, &under));
            let shared = beginnings.get(first + 1).is_some_and(|(other, keys)| *other == bucket && keys.starts_with(&under));
            step.arrivals.push(Arrival::Source { name, bucket, under, shared });
        }
        for trail in &done.trails {
            let Some(after) = &trail.after else { continue };
            if trail.delivers_elsewhere() {
                step.arrivals.push(Arrival::Trail { name: after.name.clone(), bucket: after.bucket.clone() });
            }
        }
    }
}

/// Sources of the old map that have another destination by the new one, or none.
fn departed<'a>(staged: &PlacementStages<'a>) -> impl Iterator<Item = &'a Source> {
    let now: HashSet<_> = staged.sources(Stage::Retired).iter().map(|source| (&source.name, source.destination())).collect();
    staged.sources(Stage::Old).iter().filter(move |source| !now.contains(&(&source.name, source.destination())))
}

/// The old destinations of sources that are about to lose their grants.
fn quiets(staged: &PlacementStages<'_>) -> Vec<Quiet> {
    let mut found: Vec<Quiet> = Vec::new();
    for bucket in &staged.bucket_moves(Stage::Switched, Stage::Narrowed) {
        let leaving = departed(staged).filter(|source| *source.log_bucket == bucket.after.name);
        found.extend(leaving.map(|source| Quiet {
            name: source.name.clone(),
            bucket: source.log_bucket.to_string(),
            under: own_keys(source, &staged.placement),
            folders: source.key_format.partition_date_source().is_some(),
        }));
        // trails deliver within minutes: time is all they need
        if found.is_empty() && bucket.before.as_ref().is_some_and(|before| before.basis.trails != bucket.after.basis.trails) {
            found.push(Quiet { name: String::new(), bucket: bucket.after.name.clone(), under: String::new(), folders: false });
        }
    }
    found
}

fn leftovers(staged: &PlacementStages<'_>) -> Vec<Leftover> {
    let mut found = Vec::new();
    for bucket in staged.buckets(Stage::Old) {
        let new = staged.buckets(Stage::Retired).iter().find(|other| other.name == bucket.name);
        let retires = new.is_some_and(|new| {
            new.basis.trails.is_empty() && !staged.sources(Stage::Retired).iter().any(|source| *source.log_bucket == new.name)
        });
        let Some(new) = new else { continue };
        if retires {
            found.push(Leftover::Bucket(Box::new(new.clone())));
            continue;
        }
        for rule in bucket.lifecycle.iter().filter(|rule| !new.lifecycle.iter().any(|other| other.prefix == rule.prefix)) {
            // under a prefix that never expires nothing empties itself, so the rule goes at once: nothing expires by it
            let Some((expire, noncurrent)) = rule.expire_after_days.zip(rule.noncurrent_expire_after_days) else { continue };
            let live = live_below(&rule.prefix, new, staged.sources(Stage::Retired));
            // logs go on arriving there, and the new map says how long they are kept
            if live.contains(&rule.prefix) {
                continue;
            }
            found.push(Leftover::Prefix {
                bucket: bucket.name.clone(),
                prefix: rule.prefix.clone(),
                days: expire.saturating_add(noncurrent),
                live,
            });
        }
    }
    found
}

/// The prefixes at or below that one under which logs arrive by the new map, or for which it has rules; none begins like another.
fn live_below(prefix: &str, bucket: &LogBucket, sources: &[Source]) -> Vec<String> {
    let sources = sources.iter().filter(|source| *source.log_bucket == bucket.name).map(|source| source.prefix.to_string());
    let trails = bucket.basis.trails.iter().map(|trail| format!("{}AWSLogs/", trail.prefix));
    let rules = bucket.lifecycle.iter().map(|rule| rule.prefix.clone());
    let below: BTreeSet<String> = sources.chain(trails).chain(rules).filter(|live| live.starts_with(prefix)).collect();
    let mut live: Vec<String> = Vec::new();
    for one in below {
        // in order, so that what begins like another comes right after it
        if live.last().is_none_or(|last| !one.starts_with(last)) {
            live.push(one);
        }
    }
    live
}

/// Names the steps, and says whose time counts for those that wait.
fn number(steps: &mut [Step]) {
    let width = steps.len().to_string().len().max(2);
    for (at, step) in steps.iter_mut().enumerate() {
        step.id = format!("{:0width$}-{}-{}-{}", at + 1, step.work.word(), step.placement.account, step.placement.region);
    }
    let changing: Vec<(String, Work, String)> = steps
        .iter()
        .filter(|step| {
            matches!(step.work, Work::Clear | Work::Switch | Work::Release | Work::Verify | Work::Drain | Work::Narrow)
        })
        .map(|step| (step.id.clone(), step.work, step.placement.account_id.clone()))
        .collect();
    for step in steps.iter_mut() {
        let counts = |work: Work, account: &str| match step.work {
            Work::Verify => work == Work::Switch && account == step.placement.account_id,
            Work::Drain => work < Work::Verify,
            Work::Narrow => matches!(work, Work::Verify | Work::Drain),
            // what expires sooner by the new map must wait for those, too
            Work::Retire => work > Work::Recreate && account == step.placement.account_id,
            _ => false,
        };
        step.after = changing.iter().filter(|(_, work, account)| counts(*work, account)).map(|(id, ..)| id.clone()).collect();
    }
}

/// The last stage: what the new map says, and the log buckets that retire.
impl Stages {
    /// The plan of the end.
    pub fn last(&self) -> &Proven {
        &self.plans[Stage::Retired]
    }
}
