//! A step and what it is made of: one kind of work in one account and Region, with what it changes, looks at and leaves.

use crate::{
    aws::Partition,
    plan::{LogBucket, Source, Trail},
    policy::{Policy, Statement},
};

/// One step: one kind of work in one account and Region.
#[derive(Debug, Clone)]
pub struct Step {
    /// Its file name: number, work, account, Region.
    pub id: String,
    /// What is done.
    pub work: Work,
    /// Where.
    pub placement: StepPlacement,
    /// Log buckets that change.
    pub buckets: Vec<BucketMove>,
    /// Sources that change.
    pub sources: Vec<SourceMove>,
    /// Trails that change.
    pub trails: Vec<TrailMove>,
    /// What must have arrived (verify).
    pub arrivals: Vec<Arrival>,
    /// What must have come to rest (drain).
    pub quiets: Vec<Quiet>,
    /// What stays behind (retire).
    pub leftovers: Vec<Leftover>,
    /// Destinations that no source may have any more (narrow).
    pub left: Vec<Source>,
    /// Steps that must have been taken before this one looks or changes (verify, drain, narrow, retire), by id.
    pub after: Vec<String>,
    /// Grants that it needs, forward or backward (switch, release).
    pub footing: Vec<Footing>,
    /// What needs its grants (grant).
    pub leaning: Vec<Leaning>,
}

/// Kinds of work, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Work {
    /// New log buckets, with everything on them.
    Create,
    /// Log buckets of both maps let in the old and the new.
    Grant,
    /// Trails that stand in the way of new ones end.
    Clear,
    /// The owners delete source buckets and make them again elsewhere.
    Recreate,
    /// Sources and trails get their new destination.
    Switch,
    /// Sources and trails that leave the map stop.
    Release,
    /// Logs arrive where they should.
    Verify,
    /// Nothing arrives any more where it did.
    Drain,
    /// Grants that nobody needs go.
    Narrow,
    /// Old logs expire, and nothing is deleted.
    Retire,
}

impl Work {
    /// As in a file's name.
    pub fn word(self) -> &'static str {
        match self {
            Work::Create => "create",
            Work::Grant => "grant",
            Work::Clear => "clear",
            Work::Recreate => "recreate",
            Work::Switch => "switch",
            Work::Release => "release",
            Work::Verify => "verify",
            Work::Drain => "drain",
            Work::Narrow => "narrow",
            Work::Retire => "retire",
        }
    }
}

/// The account and Region in which a step works, and the credentials for it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct StepPlacement {
    /// Account key.
    pub account: String,
    /// Twelve digits.
    pub account_id: String,
    /// Region name.
    pub region: String,
    /// Partition of the account.
    pub partition: Partition,
    /// AWS CLI profile of the caller.
    pub profile: Option<String>,
    /// Role to assume.
    pub role_arn: Option<String>,
}

/// A log bucket before and after a step.
#[derive(Debug, Clone)]
pub struct BucketMove {
    /// `None` if the step makes it.
    pub before: Option<LogBucket>,
    /// As it is to be.
    pub after: LogBucket,
    /// True if it takes access logs in either map.
    pub takes_access_logs: bool,
    /// Every statement that its policy has on the way.
    pub known: Vec<Statement>,
    /// What later steps make of it, where that is something else.
    pub later: Vec<LogBucket>,
}

/// A source before and after a step.
#[derive(Debug, Clone)]
pub struct SourceMove {
    /// Bucket name.
    pub name: String,
    /// False: other code sets its logging.
    pub managed: bool,
    /// Its destination before; `None` if it did not log by the map, or was elsewhere.
    pub before: Option<Source>,
    /// Its destination after; `None` if it leaves the map.
    pub after: Option<Source>,
    /// Where the bucket of that name was, if it is deleted and made again.
    pub moved_from: Option<StepPlacement>,
}

/// A trail before and after a step.
#[derive(Debug, Clone)]
pub struct TrailMove {
    /// `None` if the step makes it.
    pub before: Option<Trail>,
    /// `None` if the step ends it.
    pub after: Option<Trail>,
    /// Home Region of the trail before the step.
    pub old_home: String,
    /// What later steps make of it, where that is something else.
    pub later: Vec<Trail>,
}

/// Something that must arrive.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Arrival {
    /// A source's objects.
    Source {
        /// Source bucket.
        name: String,
        /// Log bucket.
        bucket: String,
        /// The beginning of its keys.
        under: String,
        /// True if keys of another source begin so, too: in a flat layout a key does not say whose it is.
        shared: bool,
    },
    /// A trail's objects.
    Trail {
        /// Trail name.
        name: String,
        /// Bucket it delivers to.
        bucket: String,
    },
}

/// A prefix of an old destination under which nothing new may arrive.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quiet {
    /// Source bucket.
    pub name: String,
    /// Old log bucket.
    pub bucket: String,
    /// The beginning of its keys, up to the day.
    pub under: String,
    /// True if the day is written `yyyy/MM/dd`, false for `yyyy-MM-dd`.
    pub folders: bool,
}

/// What stays behind.
#[derive(Debug, Clone)]
pub enum Leftover {
    /// A log bucket that takes no more logs, with its rules.
    Bucket(Box<LogBucket>),
    /// A prefix of a log bucket that stays, and whose rule goes.
    Prefix {
        /// Log bucket.
        bucket: String,
        /// Key prefix.
        prefix: String,
        /// Days until its objects have expired, noncurrent versions included.
        days: u32,
        /// Prefixes below it that the new map writes to, or has rules for: what lies there is no leftover. None begins like another.
        live: Vec<String>,
    },
}

/// A log bucket whose grant for access logs a step needs.
#[derive(Debug, Clone)]
pub struct Footing {
    /// Name of the log bucket, which is in the step's account and Region.
    pub bucket: String,
    /// True if the step needs it when it is taken, false if when it is rolled back.
    pub forward: bool,
    /// The step that makes the grant, or takes it away.
    pub step: String,
    /// The grants, one for each stage in which they let in what is needed.
    pub grants: Vec<Policy>,
}

/// What a later step has set, and what loses its grant if this step is rolled back.
#[derive(Debug, Clone)]
pub enum Leaning {
    /// A source of the account and Region that logs so.
    Source {
        /// With its destination.
        source: Box<Source>,
        /// The step that sets it.
        step: String,
    },
    /// A trail of the account that delivers to the bucket.
    Trail {
        /// Name of the trail.
        name: String,
        /// Its home Region.
        home: String,
        /// Name of the log bucket.
        bucket: String,
        /// Key prefix, without slashes at its ends.
        prefix: String,
        /// The step that sets it.
        step: String,
    },
    /// A trail of another account, which these credentials can't see: the record of the step tells.
    Elsewhere {
        /// The step that sets it.
        step: String,
    },
}

impl TrailMove {
    /// Does it deliver elsewhere after the step than before, or as another trail?
    pub(super) fn delivers_elsewhere(&self) -> bool {
        let delivery =
            |trail: &Option<Trail>| trail.as_ref().map(|trail| (trail.bucket.clone(), trail.prefix.clone(), trail.arn.clone()));
        delivery(&self.before) != delivery(&self.after)
    }
}

impl Step {
    pub(super) fn new(work: Work, placement: &StepPlacement) -> Self {
        Step {
            id: String::new(),
            work,
            placement: placement.clone(),
            buckets: Vec::new(),
            sources: Vec::new(),
            trails: Vec::new(),
            arrivals: Vec::new(),
            quiets: Vec::new(),
            leftovers: Vec::new(),
            left: Vec::new(),
            after: Vec::new(),
            footing: Vec::new(),
            leaning: Vec::new(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.buckets.is_empty()
            && self.sources.is_empty()
            && self.trails.is_empty()
            && self.arrivals.is_empty()
            && self.quiets.is_empty()
            && self.leftovers.is_empty()
    }
}
