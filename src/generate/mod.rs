//! What one run of `generate` makes of a plan: which files, by which renderers, the lock that goes with them, and which files of an
//! earlier run may go.
//!
//! Takes a plan and a request, gives files one by one. Reads and writes no disk, prints nothing.

mod in_parallel;

use crate::{
    artifacts::Artifact,
    disk::{
        File,
        lock::{self, Lock, MapEntry},
    },
    plan::{Account, BucketRecord, Layout, LayoutRecord, LogBucket, Placement, TrailRecord, prove::Proven},
    render::{
        self, Context, Filter, Sink, StackSetMemory,
        digests::Digests,
        targets::{TARGETS, Target, Unit},
    },
    threads::{both, cores},
};
use in_parallel::{Job, render_in_parallel};
use std::collections::{BTreeMap, BTreeSet};

/// What is to be made.
pub(crate) struct Request<'a> {
    /// The plan to render.
    pub plan: &'a Proven,
    /// The accounts and Regions to render.
    pub filter: &'a Filter,
    /// Templates that replace built-in ones: name → text.
    pub overrides: &'a [(String, String)],
    /// The targets to render, each once, in the order of [`TARGETS`].
    pub targets: &'a [&'static Target],
    /// Targets that the map leaves out: nothing is made of them, and their files of earlier runs may go.
    pub dropped: &'a [&'static Target],
    /// The map's file name without folders, for headers and the lock.
    pub map_name: &'a str,
}

impl Request<'_> {
    /// Renders on threads of their own and gives the files in any order to `take`, which compares and writes meanwhile. Gives
    /// the lock that is to come.
    ///
    /// # Errors
    /// Those of `take`; an overridden template fails.
    pub(crate) fn run(&self, old: &Lock, take: impl FnMut(&File) -> anyhow::Result<()>) -> anyhow::Result<Lock> {
        match taking_back(self.plan, old) {
            Some(plan) => Request { plan: &plan, ..*self }.make(old, take),
            None => self.make(old, take),
        }
    }

    /// Log buckets that this run takes over for the first time: an earlier run retired them, and the map has them again.
    pub(crate) fn coming_back(&self, old: &Lock) -> Vec<String> {
        let retired: BTreeSet<_> = old.retired.iter().map(place_of).collect();
        let buckets = self.plan.placements().flat_map(|(account, placement)| {
            placement.buckets.iter().map(move |bucket| (bucket, place(account, placement, bucket)))
        });
        let back = buckets.filter(|(bucket, place)| bucket.adopt.is_none() && !bucket.says_new && retired.contains(place));
        back.map(|(bucket, _)| bucket.name.clone()).collect()
    }

    fn make(&self, old: &Lock, take: impl FnMut(&File) -> anyhow::Result<()>) -> anyhow::Result<Lock> {
        let (digests, stack_sets) = (Digests::of(self.plan), StackSetMemory::of(&old.stack_sets));
        let retired = (self.retired(old), self.retired_trails(old));
        let layouts = self.layouts(old);
        let context = self.context(&digests, (&retired.0, &retired.1), &layouts, &stack_sets);
        let (lock, rendered) = both(|| self.lock(&context), || render_in_parallel(cores(), self.jobs(&context, old), take));
        rendered.map(|()| Lock { stack_sets: stack_sets.into_records(), ..lock })
    }

    /// All files at once, on this thread: those of one target in their order, then those of the tree.
    ///
    /// # Errors
    /// An overridden template fails.
    pub(crate) fn artifacts(&self) -> anyhow::Result<Vec<Artifact>> {
        let mut artifacts: Vec<Artifact> = Vec::new();
        let mut sink = |artifact| {
            artifacts.push(artifact);
            Ok(())
        };
        let (digests, nothing) = (Digests::of(self.plan), Lock::default());
        let stack_sets = StackSetMemory::default();
        self.jobs(&self.context(&digests, (&[], &[]), &[], &stack_sets), &nothing)
            .into_iter()
            .try_for_each(|job| job(&mut sink))?;
        Ok(artifacts)
    }

    /// About how many files there will be.
    pub(crate) fn expected_files(&self) -> usize {
        let accounts = || self.plan.accounts.iter().filter(|account| self.filter.account(account));
        let placements =
            accounts().flat_map(|account| &account.placements).filter(|placement| self.filter.region(placement)).count();
        self.targets.iter().map(|target| (target.files)(accounts().count(), placements)).sum()
    }

    /// May a file of the old lock go when this run does not give it?
    pub(crate) fn prunes(&self, path: &str) -> bool {
        let Some(target) = self.targets.iter().chain(self.dropped).find(|target| target.owns(path)) else {
            return path == render::readme::PATH && self.is_whole();
        };
        if self.is_whole() {
            return true;
        }
        let mut parts = path.split('/').skip(1);
        let (account, file) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let known = self.plan.account(account).is_some_and(|known| self.filter.account(known));
        let here = |region: &String| file.strip_prefix(region.as_str()).is_some_and(|rest| rest.starts_with(['.', '-']));
        match target.unit {
            Unit::Map => false,
            Unit::Account => known,
            Unit::Region => known && (self.filter.regions.is_empty() || self.filter.regions.iter().any(here)),
        }
    }

    fn context<'b>(
        &'b self,
        digests: &'b Digests<'b>,
        (retired, retired_trails): (&'b [BucketRecord], &'b [TrailRecord]),
        layouts: &'b [LayoutRecord],
        stack_sets: &'b StackSetMemory<'b>,
    ) -> Context<'b> {
        Context {
            digests,
            map_name: self.map_name,
            overrides: self.overrides,
            filter: self.filter,
            retired,
            retired_trails,
            layouts,
            stack_sets: Some(stack_sets),
        }
    }

    /// What there is to render: each target, and what is about all of them.
    fn jobs<'b>(&'b self, context: &'b Context<'b>, old: &'b Lock) -> Vec<Job<'b>> {
        let job = |target: &&'static Target| -> Job<'b> {
            let target = *target;
            Box::new(move |sink| (target.render)(context, sink))
        };
        let present = |target: &Target| {
            let is = |other: &&'static Target| other.name == target.name;
            self.targets.iter().any(is) || !self.dropped.iter().any(is) && old.files.keys().any(|path| target.owns(path))
        };
        let readme = move |sink: &mut Sink<'_>| {
            let names: Vec<&str> = TARGETS.iter().filter(|target| present(target)).map(|target| target.name).collect();
            sink(render::readme::render(context, &names)?)
        };
        let mut jobs: Vec<Job<'b>> = self.targets.iter().map(job).collect();
        jobs.push(Box::new(|sink| sink(render::line_ends::render())));
        if self.is_whole() {
            jobs.push(Box::new(readme));
        }
        jobs
    }

    /// Is the request for every account and Region? Files about all of them are left alone otherwise.
    fn is_whole(&self) -> bool {
        self.filter.accounts.is_empty() && self.filter.regions.is_empty()
    }

    fn log_buckets(&self) -> Vec<BucketRecord> {
        self.plan
            .placements()
            .flat_map(|(account, placement)| {
                placement.buckets.iter().map(move |bucket| BucketRecord::of(account, &placement.region, bucket))
            })
            .collect()
    }

    /// Log buckets of earlier runs that are no longer in the plan.
    fn retired(&self, old: &Lock) -> Vec<BucketRecord> {
        let now: BTreeSet<(&str, &str)> = self
            .plan
            .placements()
            .flat_map(|(account, placement)| placement.buckets.iter().map(|bucket| (account.id.as_str(), bucket.name.as_str())))
            .collect();
        let same = |a: &BucketRecord, b: &BucketRecord| (&a.account_id, &a.bucket) == (&b.account_id, &b.bucket);
        let mut retired: Vec<BucketRecord> = old
            .log_buckets
            .iter()
            .chain(&old.retired)
            .filter(|gone| !now.contains(&(gone.account_id.as_str(), gone.bucket.as_str())))
            .map(|gone| BucketRecord { returned: false, ..gone.clone() })
            .collect();
        retired.sort();
        retired.dedup_by(|a, b| same(a, b));
        retired
    }

    fn trails(&self) -> Vec<TrailRecord> {
        let placements = self.plan.placements();
        placements
            .flat_map(|(account, placement)| {
                placement.trails.iter().map(move |trail| TrailRecord::of(account, &placement.region, trail))
            })
            .collect()
    }

    /// Trails that an earlier run let go and the map has again, without saying that they exist.
    pub(crate) fn trails_coming_back(&self, old: &Lock) -> Vec<TrailRecord> {
        let retired: BTreeSet<_> = old.retired_trails.iter().map(place_of_trail).collect();
        let all = self.plan.placements().flat_map(|(account, placement)| {
            placement.trails.iter().map(move |trail| (trail.adopt, TrailRecord::of(account, &placement.region, trail)))
        });
        all.filter(|(adopt, record)| !adopt && retired.contains(&place_of_trail(record))).map(|(_, record)| record).collect()
    }

    /// Trails of earlier runs that are no longer in the plan, in the order of their accounts.
    pub(crate) fn retired_trails(&self, old: &Lock) -> Vec<TrailRecord> {
        let trails = self.trails();
        let now: BTreeSet<_> = trails.iter().map(place_of_trail).collect();
        let known = old.trails.iter().chain(&old.retired_trails);
        let mut retired: Vec<TrailRecord> = known.filter(|gone| !now.contains(&place_of_trail(gone))).cloned().collect();
        retired.sort();
        retired.dedup_by(|a, b| place_of_trail(a) == place_of_trail(b));
        retired
    }

    /// Accounts of the plan whose Terraform an earlier run rendered in the other layout, in the order of their ids: the files in the lock
    /// tell, and once they are gone the record that the lock has kept.
    fn layouts(&self, old: &Lock) -> Vec<LayoutRecord> {
        let (now, from) = match self.plan.render.modules {
            true => (Layout::Module, Layout::Root),
            false => (Layout::Root, Layout::Module),
        };
        let renders = self.targets.iter().any(|target| target.owns("terraform/"));
        let known: BTreeMap<&str, &LayoutRecord> =
            old.layouts.iter().rev().map(|record| (record.account_id.as_str(), record)).collect();
        let record = |account: &Account| {
            let kept = known.get(account.id.as_str()).copied().cloned();
            if !(renders && self.filter.account(account)) {
                return kept;
            }
            let file = |region: &str, layout| render::terraform::region_file(&account.key, region, layout);
            let had = |placement: &&Placement| old.lists(&file(&placement.region, from));
            let regions: Vec<String> = account.placements.iter().filter(had).map(|placement| placement.region.clone()).collect();
            match regions.is_empty() {
                true => kept.filter(|record| record.from != now),
                false => Some(LayoutRecord { account_id: account.id.clone(), from, regions }),
            }
        };
        let mut layouts: Vec<LayoutRecord> = self.plan.accounts.iter().filter_map(record).collect();
        layouts.sort_by(|a, b| a.account_id.cmp(&b.account_id));
        layouts
    }

    fn lock(&self, context: &Context<'_>) -> Lock {
        Lock {
            format_version: lock::FORMAT_VERSION.to_owned(),
            logmap_version: env!("CARGO_PKG_VERSION").to_owned(),
            map: MapEntry { file: self.map_name.to_owned(), digest: context.digests.whole() },
            apply_order: self.plan.apply_order.clone(),
            log_buckets: self.log_buckets(),
            retired: context.retired.to_vec(),
            trails: self.trails(),
            retired_trails: context.retired_trails.to_vec(),
            layouts: context.layouts.to_vec(),
            stack_sets: Vec::new(),
            journal: None,
            files: Default::default(),
        }
    }
}

/// Where a log bucket or a trail is: account id, Region and name.
type At<'a> = (&'a str, &'a str, &'a str);

fn place<'a>(account: &'a Account, placement: &'a Placement, bucket: &'a LogBucket) -> At<'a> {
    (&account.id, &placement.region, &bucket.name)
}

fn place_of(record: &BucketRecord) -> At<'_> {
    (&record.account_id, &record.region, &record.bucket)
}

fn place_of_trail(record: &TrailRecord) -> At<'_> {
    (&record.account_id, &record.region, &record.trail)
}

/// The plan with the log buckets taken over that exist because earlier runs retired them, for nothing deletes one; `None` if the lock
/// knows none.
pub(crate) fn taking_back(plan: &Proven, old: &Lock) -> Option<Proven> {
    let back: BTreeSet<At<'_>> =
        old.retired.iter().chain(old.log_buckets.iter().filter(|record| record.returned)).map(place_of).collect();
    (!back.is_empty()).then(|| plan.taking_back(|account, placement, bucket| back.contains(&place(account, placement, bucket))))
}
