//! The proof of a log bucket's policy: who must get in does, strangers don't, and the owner is not locked out.
//!
//! Takes a finished policy with what it is for, asks the evaluator about sets of requests (all deliveries of a source, whoever is
//! a stranger), and gives a table. A claim holds if it holds of each request of its set; one that fails because of a statement of
//! the map is a finding, with a request that shows it; one that fails by logmap's own statements is a bug, and nothing is written.

mod admitted;
mod context;
mod copies;
mod deliveries;
mod named;
mod owner;
mod readers;
mod senders;
mod strangers;
mod vended;

pub use admitted::Admitted;
pub(super) use admitted::CHANGES;
pub(crate) use {
    context::form,
    deliveries::{access_log_key, moment, service_context},
};

use super::{Account, Adopt, LogBucket, Placement, Plan, Source, Tier};
use crate::{
    aws::Partition,
    policy::{
        Effect, Policy,
        compose::{CopyGrant, ReaderGrant, SenderGrant, TrailGrant},
        evaluate::{
            Patience, Prepared, Verdict,
            requests::{Holds, Requests},
            witness::Witness,
        },
    },
    threads,
};
use serde::Serialize;
use std::{collections::BTreeMap, error::Error, fmt, ops::Deref};

/// What a policy is for.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// Name of the log bucket.
    pub bucket: &'a str,
    /// Its partition.
    pub partition: Partition,
    /// Its Region.
    pub region: &'a str,
    /// Its account.
    pub account_id: &'a str,
    /// ARN of the role with which the account is deployed to, if the map tells.
    pub role_arn: Option<&'a str>,
    /// Id of the account's organization, if the map tells.
    pub organization_id: Option<&'a str>,
    /// The finished policy.
    pub policy: &'a Policy,
    /// The policy whose own statements say which keys access logs may have: the same one, but where what stands is held against what is
    /// derived.
    pub granted_by: &'a Policy,
    /// How the sources are named in it.
    pub tier: Tier,
    /// The sources that log to it.
    pub sources: &'a [Source],
    /// The trails that deliver to it.
    pub trails: &'a [TrailGrant],
    /// The services that write logs of their own to it.
    pub senders: &'a [SenderGrant],
    /// Whom of another account it lets read.
    pub readers: Option<&'a ReaderGrant>,
    /// Who copies logs to it.
    pub copies: &'a [CopyGrant],
    /// True if requests without TLS are to be denied.
    pub denies_insecure_transport: bool,
    /// How many placements its map has: they share the time that hard proofs may take.
    pub of_placements: usize,
}

/// The claims about a policy, by kind.
#[derive(Debug, Clone, Default)]
pub struct Proof {
    /// One row for each kind of claim that applies.
    pub rows: Vec<Row>,
    /// Whom the map's own statements let in beside the deliveries.
    pub admitted: Vec<Admitted>,
}

/// Claims of one kind.
#[derive(Debug, Clone)]
pub struct Row {
    /// Which kind.
    pub kind: Kind,
    /// How many requests were asked about.
    pub asked: usize,
    /// Sids of the statements that decided, sorted.
    pub by: Vec<String>,
    /// The claims that do not hold.
    pub failures: Vec<Failure>,
}

/// A claim that does not hold.
#[derive(Debug, Clone)]
pub struct Failure {
    /// What follows from it, as a sentence.
    pub what: String,
    /// The statements that are to blame, by their index in the policy; none if a grant is missing.
    pub statements: Vec<Blamed>,
    /// A request that no statement lets in, where a grant is missing.
    pub refused: Option<Box<Witness>>,
}

/// A statement that is to blame for a claim that does not hold.
#[derive(Debug, Clone)]
pub struct Blamed {
    /// Its index in the policy.
    pub statement: usize,
    /// The condition keys on which it turns whether it matches; none if it always does.
    pub keys: Vec<String>,
    /// A request that shows it. Without one it is not shown that the claim fails, nor that it holds.
    pub witness: Option<Witness>,
}

/// Kinds of claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Each source's log objects get in.
    SourcesWrite,
    /// Each trail's log and digest files get in, and CloudTrail may check the ACL.
    TrailsWrite,
    /// The logs of each other service get in.
    SendersWrite,
    /// The account that asks the logs of all can read, or its roles that the map names.
    ReadersRead,
    /// Each role that copies logs can.
    CopiesWrite,
    /// What CloudWatch Logs delivers for each account gets in.
    VendedWrite,
    /// The account can read, change and remove the policy.
    OwnerNotLockedOut,
    /// The same source in another account is kept out.
    OtherAccount,
    /// Another bucket of the account is kept out, where the tier says so.
    OtherBucket,
    /// A key beside the prefix is kept out.
    SiblingPrefix,
    /// Another trail, another Region's trail and another account's trail are kept out.
    OtherTrail,
    /// What another service writes for another account, from another Region or beside its path is kept out.
    OtherSender,
    /// The account that asks can do no more than read, and no other principal of it can even that.
    ReadersOnly,
    /// Another role, the same role of a stranger's account, and whatever else a role that copies could do is kept out.
    OtherCopy,
    /// What CloudWatch Logs delivers for another account, from another delivery source or beside the path, and whatever else it could do is kept out.
    OtherVended,
    /// Another service and strangers are kept out.
    Strangers,
    /// Deliveries and reads without TLS are kept out.
    WithoutTls,
}

impl Kind {
    /// As in a table.
    pub fn words(self) -> &'static str {
        match self {
            Kind::SourcesWrite => "each source can write",
            Kind::TrailsWrite => "each trail can write",
            Kind::SendersWrite => "each sender can write",
            Kind::ReadersRead => "central account can read",
            Kind::CopiesWrite => "each role can copy",
            Kind::VendedWrite => "each account can deliver",
            Kind::OwnerNotLockedOut => "owner not locked out",
            Kind::OtherAccount => "other account kept out",
            Kind::OtherBucket => "other bucket kept out",
            Kind::SiblingPrefix => "sibling prefix kept out",
            Kind::OtherTrail => "other trail kept out",
            Kind::OtherSender => "other sender kept out",
            Kind::ReadersOnly => "central account only reads",
            Kind::OtherCopy => "other copies kept out",
            Kind::OtherVended => "other deliveries kept out",
            Kind::Strangers => "strangers kept out",
            Kind::WithoutTls => "no TLS kept out",
        }
    }
}

/// Says what is wrong: only a claim that does not hold is put into words.
type What<'c> = &'c dyn Fn() -> String;

/// A set of requests and what is claimed of each.
struct Claim<'c> {
    kind: Kind,
    /// What is wrong if it does not hold.
    what: What<'c>,
    expect: Expect,
    requests: &'c Requests<'c>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expect {
    Allowed,
    NotDenied,
    NotAllowed,
}

impl Proof {
    /// Do all claims hold?
    pub fn holds(&self) -> bool {
        self.rows.iter().all(|row| row.failures.is_empty())
    }
}

/// A plan each of whose policies is proven. Whatever renders takes nothing else, and [`proven`] alone makes one. It can't be
/// changed: who alters a plan has a plan, and asks again.
///
/// A plan as it is derived can't be rendered:
///
/// ```compile_fail,E0308
/// use logmap::testing::{plan::Plan, render::digests::Digests};
/// fn render(plan: &Plan) {
///     let _ = Digests::of(plan);
/// }
/// ```
///
/// nor is there another way to make a proven one:
///
/// ```compile_fail,E0423
/// use logmap::testing::plan::{Plan, prove::Proven};
/// fn forge(plan: Plan) -> Proven {
///     Proven(plan)
/// }
/// ```
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct Proven(Plan);

impl Proven {
    /// The same plan with some of its log buckets taken over instead of made: they were retired once and are there still. Whose bucket it
    /// is and what its policy lets in is the same, so the proof stands.
    pub(crate) fn taking_back(&self, is_back: impl Fn(&Account, &Placement, &LogBucket) -> bool) -> Proven {
        let mut plan = self.0.clone();
        for (account, was) in plan.accounts.iter_mut().zip(&self.0.accounts) {
            for (placement, known) in account.placements.iter_mut().zip(&was.placements) {
                for bucket in &mut placement.buckets {
                    if bucket.adopt.is_none() && !bucket.says_new && is_back(was, known, bucket) {
                        bucket.adopt = Some(Adopt { existing: Vec::new(), returned: true });
                    }
                }
            }
        }
        Proven(plan)
    }
}

impl Deref for Proven {
    type Target = Plan;

    fn deref(&self) -> &Plan {
        &self.0
    }
}

/// Why a plan is not proven: a claim of one of its policies does not hold. What the map is to blame for is a finding, so this
/// is a bug of logmap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unproven {
    /// Name of the bucket, or ARN of the topic.
    pub subject: String,
    /// What follows from the claim that does not hold.
    pub failure: String,
}

impl fmt::Display for Unproven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Unproven { subject, failure } = self;
        write!(f, "the policy of {subject} is not proven, so nothing is written: {failure}; this is a bug of logmap")
    }
}

impl Error for Unproven {}

/// The plan again, if the proof of each of its policies holds.
///
/// # Errors
/// The first that does not.
pub fn proven(plan: Plan) -> Result<Proven, Unproven> {
    for (account, placement) in plan.placements() {
        for bucket in &placement.buckets {
            if let Some(failure) = bucket.proof.rows.iter().flat_map(|row| &row.failures).next() {
                return Err(Unproven { subject: bucket.name.clone(), failure: failure.what.clone() });
            }
        }
        if let Some(alerts) = &placement.monitoring.alerts
            && let Some(failure) = alerts.failures(&account.id, account.partition, &placement.region).into_iter().next()
        {
            return Err(Unproven { subject: alerts.topic_arn.clone(), failure });
        }
    }
    if let Some(failure) = plan.bus.as_ref().and_then(|bus| bus.failures.first()) {
        return Err(Unproven { subject: "the event bus".to_owned(), failure: failure.clone() });
    }
    for guardrails in &plan.guardrails {
        if let Some(failure) = guardrails.failures.first() {
            return Err(Unproven { subject: format!("the guardrails of {}", guardrails.partition), failure: failure.clone() });
        }
    }
    Ok(Proven(plan))
}

/// The key of one log object of a source, and the Sid of the statement that lets it in.
pub fn delivery<'b>(
    account: &Account,
    placement: &Placement,
    bucket: &'b LogBucket,
    source: &Source,
) -> (String, Option<&'b str>) {
    let subject = Subject::of(account, placement, bucket);
    let requests = subject.delivery_of(source);
    let claim = Claim { kind: Kind::SourcesWrite, what: &String::new, expect: Expect::Allowed, requests: &requests };
    let sid = judge(&bucket.policy, &Prepared::new(&bucket.policy), &claim).ok().flatten();
    (subject.key(source), sid)
}

/// Steps that hard questions to all policies of a map may take.
const STEPS_OF_A_MAP: usize = 100_000_000;

/// Steps that hard questions to one of so many placements' policies may take: a second or two for all of them. Changes with each power
/// of two, so that a policy keeps its proof while a map is edited.
pub(crate) fn steps_among(placements: usize) -> usize {
    (STEPS_OF_A_MAP / placements.max(1).next_power_of_two()).min(Patience::MOST)
}

/// So many sources are a part, which has a thread of its own: with fewer, it costs more than it saves.
const WORTH_A_THREAD: usize = 10_000;

/// Proves a policy; the deliveries of many sources on several threads.
pub fn prove(subject: &Subject<'_>) -> Proof {
    let prepared = &Prepared::with(subject.policy, &subject.patience());
    let (first, rest) = subject.sources.split_at(WORTH_A_THREAD.min(subject.sources.len()));
    let deliveries = |prepared: &Prepared<'_>, sources| {
        ask(&Subject { sources, ..*subject }, prepared, |subject, each| subject.sources_write(each))
    };
    // each part has its own patience, and is as long on every machine: what can't be told must not depend on the threads
    let rest_of = |sources| deliveries(&Prepared::with(subject.policy, &subject.patience()), sources);
    let own = || {
        (deliveries(prepared, first), ask(subject, prepared, |subject, each| subject.but_deliveries_of_sources(prepared, each)))
    };
    let (others, (mut rows, more)) = match rest.is_empty() {
        true => (Vec::new(), own()),
        false => threads::both(|| threads::map(rest.chunks(WORTH_A_THREAD), rest_of), own),
    };
    for (kind, row) in more.into_iter().chain(others.into_iter().flatten()) {
        rows.entry(kind).or_insert_with(|| Row::new(kind)).take(row);
    }
    rows.extend(subject.readers_only());
    Proof { rows: rows.into_values().collect(), admitted: subject.admitted(prepared) }
}

/// Asks about the claims of a kind, or of several, on a subject; gives what comes of them by kind.
fn ask(
    subject: &Subject<'_>,
    prepared: &Prepared<'_>,
    claims: impl FnOnce(&Subject<'_>, &mut dyn FnMut(Claim<'_>)),
) -> BTreeMap<Kind, Row> {
    let mut rows: BTreeMap<Kind, Row> = BTreeMap::new();
    claims(subject, &mut |claim| {
        let row = rows.entry(claim.kind).or_insert_with(|| Row::new(claim.kind));
        row.asked += 1;
        match judge(subject.policy, prepared, &claim) {
            Ok(by) => {
                if let Some((by, Err(at))) = by.map(|by| (by, row.by.binary_search_by(|known| known.as_str().cmp(by)))) {
                    row.by.insert(at, by.to_owned());
                }
            }
            Err(failure) => row.failures.push(failure),
        }
    });
    rows
}

impl Row {
    /// Of a kind of which nothing has been asked.
    fn new(kind: Kind) -> Self {
        Row { kind, asked: 0, by: Vec::new(), failures: Vec::new() }
    }

    /// Takes what another row of its kind has.
    fn take(&mut self, other: Row) {
        self.asked += other.asked;
        self.by.extend(other.by);
        self.by.sort();
        self.by.dedup();
        self.failures.extend(other.failures);
    }
}

/// The Sid of the statement that decided as claimed, or what is to blame.
fn judge<'p>(policy: &'p Policy, prepared: &Prepared<'p>, claim: &Claim<'_>) -> Result<Option<&'p str>, Failure> {
    let sid = |at: usize| policy.statements.get(at).map(|statement| statement.sid.as_str());
    let certain = |effect| prepared.judge(effect, claim.requests).find(|(_, holds)| *holds == Holds::Yes).map(|(at, _)| at);
    let perhaps = |effect| -> Vec<usize> {
        prepared.judge(effect, claim.requests).filter(|(_, holds)| *holds != Holds::No).map(|(at, _)| at).collect()
    };
    let guilty = match claim.expect {
        Expect::NotAllowed => {
            if let Some(denied) = certain(Effect::Deny) {
                return Ok(sid(denied));
            }
            perhaps(Effect::Allow)
        }
        Expect::Allowed | Expect::NotDenied => perhaps(Effect::Deny),
    };
    if guilty.is_empty() {
        match claim.expect {
            Expect::NotAllowed | Expect::NotDenied => return Ok(None),
            Expect::Allowed => {
                if let Some(allowed) = certain(Effect::Allow) {
                    return Ok(sid(allowed));
                }
            }
        }
    }
    let shows = |verdict: &Verdict<'_>| match claim.expect {
        Expect::NotAllowed => matches!(verdict, Verdict::Allowed(_)),
        Expect::Allowed | Expect::NotDenied => matches!(verdict, Verdict::Denied(_)),
    };
    let blamed = |statement| Blamed {
        statement,
        keys: prepared.undecided(statement, claim.requests).into_iter().map(str::to_owned).collect(),
        witness: prepared.witness(claim.requests, statement, &shows),
    };
    let refused =
        (guilty.is_empty() && claim.expect == Expect::Allowed).then(|| prepared.refused(claim.requests)).flatten().map(Box::new);
    Err(Failure { what: (claim.what)(), statements: guilty.into_iter().map(blamed).collect(), refused })
}

impl<'a> Subject<'a> {
    /// A log bucket of a plan.
    pub fn of(account: &'a Account, placement: &'a Placement, bucket: &'a LogBucket) -> Self {
        Subject {
            bucket: &bucket.name,
            partition: account.partition,
            region: &placement.region,
            account_id: &account.id,
            role_arn: bucket.basis.role_arn.as_deref(),
            organization_id: bucket.basis.organization_id.as_deref(),
            policy: &bucket.policy,
            granted_by: &bucket.policy,
            tier: bucket.report.tier,
            sources: if bucket.takes_access_logs { &placement.sources } else { &[] },
            trails: &bucket.basis.trails,
            senders: &bucket.basis.senders,
            readers: bucket.basis.readers.as_ref(),
            copies: &bucket.basis.copies,
            denies_insecure_transport: bucket.basis.deny_insecure_transport,
            of_placements: 1,
        }
    }

    fn patience(&self) -> Patience {
        Patience::of(steps_among(self.of_placements))
    }
}

impl Subject<'_> {
    fn but_deliveries_of_sources(&self, prepared: &Prepared<'_>, each: &mut dyn FnMut(Claim<'_>)) {
        self.trails_write(each);
        self.senders_write(each);
        self.readers_read(prepared, each);
        self.copies_write(each);
        self.vended_write(each);
        self.owner(prepared, each);
        self.others_of_sources(each);
        self.others_of_trails(each);
        self.others_of_senders(each);
        self.others_of_copies(each);
        self.others_of_vended(each);
        self.strangers(each);
        self.without_tls(each);
    }
}
