//! The proof of a log bucket's policy: who must get in does, near misses don't, and the owner is not locked out.
//!
//! Takes a finished policy with what it is for, asks the evaluator about every delivery and about requests that differ from
//! one in a single point, and gives a table. A claim that fails because of a statement of the map is a finding; one that fails
//! by logmap's own statements is a bug, and nothing is written.

use super::{KeyFormat, LogBucket, Plan, Source, Tier};
use crate::{
    aws::{CLOUDTRAIL_SERVICE, LOGGING_SERVICE, Partition, arn},
    policy::{
        Element, Policy, Statement,
        compose::TrailGrant,
        evaluate::{Caller, Request, Verdict, evaluate},
    },
};
use std::collections::BTreeSet;

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
    /// Id of the account's organization, if the map tells.
    pub organization_id: Option<&'a str>,
    /// The finished policy.
    pub policy: &'a Policy,
    /// How the sources are named in it.
    pub tier: Tier,
    /// The sources that log to it.
    pub sources: &'a [Source],
    /// The trails that deliver to it.
    pub trails: &'a [TrailGrant],
    /// True if requests without TLS are to be denied.
    pub denies_insecure_transport: bool,
}

/// The claims about a policy, by kind.
#[derive(Debug, Clone, Default)]
pub struct Proof {
    /// One row for each kind of claim that applies.
    pub rows: Vec<Row>,
}

/// Claims of one kind.
#[derive(Debug, Clone)]
pub struct Row {
    /// Which kind.
    pub kind: Kind,
    /// How many requests were asked about.
    pub asked: usize,
    /// Sids of the statements that decided.
    pub by: BTreeSet<String>,
    /// The claims that do not hold.
    pub failures: Vec<Failure>,
}

/// A claim that does not hold.
#[derive(Debug, Clone)]
pub struct Failure {
    /// What follows from it, as a sentence.
    pub what: String,
    /// The statements that are to blame, by their index in the policy; none if a grant is missing.
    pub statements: Vec<usize>,
}

/// Kinds of claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Each source's log objects get in.
    SourcesWrite,
    /// Each trail's log and digest files get in, and CloudTrail may check the ACL.
    TrailsWrite,
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
            Kind::OwnerNotLockedOut => "owner not locked out",
            Kind::OtherAccount => "other account kept out",
            Kind::OtherBucket => "other bucket kept out",
            Kind::SiblingPrefix => "sibling prefix kept out",
            Kind::OtherTrail => "other trail kept out",
            Kind::Strangers => "strangers kept out",
            Kind::WithoutTls => "no TLS kept out",
        }
    }
}

/// A request and what is claimed of it.
struct Claim {
    kind: Kind,
    /// What is wrong if it does not hold.
    what: String,
    expect: Expect,
    caller: OwnedCaller,
    action: &'static str,
    resource: String,
    context: Vec<(&'static str, String)>,
}

enum Expect {
    Allowed,
    NotDenied,
    NotAllowed,
}

enum OwnedCaller {
    Service(&'static str),
    Iam { arn: String, account: String },
}

impl Proof {
    /// Do all claims hold?
    pub fn holds(&self) -> bool {
        self.rows.iter().all(|row| row.failures.is_empty())
    }
}

/// The buckets of a plan whose proof fails, with what fails first.
pub fn unproven(plan: &Plan) -> Vec<(&LogBucket, &Failure)> {
    let buckets = plan.accounts.iter().flat_map(|account| &account.places).flat_map(|place| &place.buckets);
    buckets.filter_map(|bucket| Some((bucket, bucket.proof.rows.iter().find_map(|row| row.failures.first())?))).collect()
}

/// Proves a policy.
pub fn prove(subject: &Subject<'_>) -> Proof {
    let mut rows: Vec<Row> = Vec::new();
    subject.claims(&mut |claim| {
        let at = rows.iter().position(|row| row.kind == claim.kind).unwrap_or_else(|| {
            rows.push(Row { kind: claim.kind, asked: 0, by: BTreeSet::new(), failures: Vec::new() });
            rows.len() - 1
        });
        let row = &mut rows[at];
        row.asked += 1;
        match judge(subject.policy, &claim) {
            Ok(by) => row.by.extend(by),
            Err(failure) => row.failures.push(failure),
        }
    });
    rows.sort_by_key(|row| row.kind);
    Proof { rows }
}

/// The Sid of the statement that decided as claimed, or what is to blame.
fn judge(policy: &Policy, claim: &Claim) -> Result<Option<String>, Failure> {
    let context: Vec<(&str, &str)> = claim.context.iter().map(|(key, value)| (*key, value.as_str())).collect();
    let principal = match &claim.caller {
        OwnedCaller::Service(name) => Caller::Service(name),
        OwnedCaller::Iam { arn, account } => Caller::Iam { arn, account },
    };
    let request = Request { principal, action: claim.action, resource: &claim.resource, context: &context };
    let index = |statement: &Statement| policy.statements.iter().position(|other| std::ptr::eq(other, statement));
    let fail = |statements: Vec<usize>| Err(Failure { what: claim.what.clone(), statements });
    match (evaluate(policy, &request), &claim.expect) {
        (Verdict::Allowed(by), Expect::Allowed) => Ok(Some(by.sid.clone())),
        (Verdict::Denied(by), Expect::NotAllowed) => Ok(Some(by.sid.clone())),
        (Verdict::NotAllowed, Expect::NotAllowed) | (Verdict::Allowed(_) | Verdict::NotAllowed, Expect::NotDenied) => Ok(None),
        (Verdict::Denied(_), Expect::Allowed | Expect::NotDenied) => {
            // every Deny is to blame, not the first alone
            let denies = |statement: &Statement| {
                crate::policy::evaluate::denies(statement, &request)
                    && !(claim.kind == Kind::OwnerNotLockedOut && turns_on_organization(statement, &request))
            };
            let blamed: Vec<usize> =
                policy.statements.iter().enumerate().filter_map(|(at, statement)| denies(statement).then_some(at)).collect();
            if blamed.is_empty() { Ok(None) } else { fail(blamed) }
        }
        (Verdict::NotAllowed, Expect::Allowed) => fail(Vec::new()),
        (Verdict::Allowed(by), Expect::NotAllowed) => fail(index(by).into_iter().collect()),
    }
}

/// Does the statement ask for the caller's place in an organization that the map does not tell? Then nothing is known
/// of the account itself, and a fence around one's own organization is the usual reason for such a statement.
fn turns_on_organization(statement: &Statement, request: &Request<'_>) -> bool {
    let unknown = |key: &&String| {
        (key.eq_ignore_ascii_case("aws:PrincipalOrgID") || key.eq_ignore_ascii_case("aws:PrincipalOrgPaths"))
            && !request.context.iter().any(|(name, _)| name.eq_ignore_ascii_case(key))
    };
    statement.condition.values().flat_map(|keys| keys.keys()).any(|key| unknown(&key))
}

impl Subject<'_> {
    fn claims(&self, each: &mut dyn FnMut(Claim)) {
        self.sources_write(each);
        self.trails_write(each);
        self.owner(each);
        self.near_misses_of_sources(each);
        self.near_misses_of_trails(each);
        self.strangers(each);
        self.without_tls(each);
    }

    fn bucket_arn(&self) -> String {
        arn::bucket(self.partition, self.bucket)
    }

    fn delivery(&self, kind: Kind, source: &str, key: &str, what: String) -> Claim {
        Claim {
            kind,
            what,
            expect: Expect::Allowed,
            caller: OwnedCaller::Service(LOGGING_SERVICE),
            action: "s3:PutObject",
            resource: format!("{}/{key}", self.bucket_arn()),
            context: service_context(LOGGING_SERVICE, arn::bucket(self.partition, source), self.account_id.to_owned()),
        }
    }

    fn key(&self, source: &Source) -> String {
        format!("{}{}", source.prefix, self.key_after_prefix(source))
    }

    fn key_after_prefix(&self, source: &Source) -> String {
        let partitioned = source.key_format != KeyFormat::Simple;
        access_log_key(partitioned.then_some((self.account_id, self.region, source.name.as_str())))
    }

    fn sources_write(&self, each: &mut dyn FnMut(Claim)) {
        for source in self.sources {
            let what = format!("S3 can't deliver the access logs of `{}` to `{}`", source.name, self.bucket);
            each(self.delivery(Kind::SourcesWrite, &source.name, &self.key(source), what));
        }
    }

    /// A trail's files: log files and digests (CloudTrail user guide, "Digest file structure"), under its account's path, and
    /// under the organization's for each account of an organization trail.
    fn trails_write(&self, each: &mut dyn FnMut(Claim)) {
        for trail in self.trails {
            let what = format!("CloudTrail can't deliver the trail `{}` to `{}`", trail.arn, self.bucket);
            each(self.acl_check(Kind::TrailsWrite, trail.arn.clone(), trail.account_id.clone(), what.clone()));
            let mut owners = vec![trail.account_id.clone()];
            owners.extend(
                trail.organization.iter().flat_map(|id| [format!("{id}/{}", trail.account_id), format!("{id}/{STRANGER}")]),
            );
            for owner in owners {
                for folder in ["CloudTrail", "CloudTrail-Digest"] {
                    let key = format!("{}AWSLogs/{owner}/{folder}/{}/2026/01/02/x.json.gz", trail.prefix, self.region);
                    each(self.trail_write(Kind::TrailsWrite, &key, trail.arn.clone(), trail.account_id.clone(), what.clone()));
                }
            }
        }
    }

    fn acl_check(&self, kind: Kind, arn: String, account: String, what: String) -> Claim {
        Claim {
            kind,
            what,
            expect: Expect::Allowed,
            caller: OwnedCaller::Service(CLOUDTRAIL_SERVICE),
            action: "s3:GetBucketAcl",
            resource: self.bucket_arn(),
            context: service_context(CLOUDTRAIL_SERVICE, arn, account),
        }
    }

    fn trail_write(&self, kind: Kind, key: &str, arn: String, account: String, what: String) -> Claim {
        let mut claim = self.acl_check(kind, arn, account, what);
        claim.action = "s3:PutObject";
        claim.resource = format!("{}/{key}", self.bucket_arn());
        claim.context.push(("s3:x-amz-acl", "bucket-owner-full-control".to_owned()));
        claim
    }

    fn iam(&self, kind: Kind, expect: Expect, account: &str, action: &'static str, resource: String, what: String) -> Claim {
        let arn = format!("arn:{}:iam::{account}:root", self.partition);
        let context = vec![
            ("aws:SecureTransport", "true".to_owned()),
            ("aws:PrincipalAccount", account.to_owned()),
            ("aws:PrincipalArn", arn.clone()),
            ("aws:PrincipalIsAWSService", "false".to_owned()),
            ("aws:ViaAWSService", "false".to_owned()),
        ];
        Claim { kind, what, expect, caller: OwnedCaller::Iam { arn, account: account.to_owned() }, action, resource, context }
    }

    fn owner(&self, each: &mut dyn FnMut(Claim)) {
        for action in ["s3:PutBucketPolicy", "s3:DeleteBucketPolicy", "s3:GetBucketPolicy"] {
            let what = format!("the account `{}` can't change the policy of `{}`", self.account_id, self.bucket);
            let mut claim =
                self.iam(Kind::OwnerNotLockedOut, Expect::NotDenied, self.account_id, action, self.bucket_arn(), what);
            claim.context.extend(self.organization_id.map(|id| ("aws:PrincipalOrgID", id.to_owned())));
            each(claim);
        }
    }

    fn near_misses_of_sources(&self, each: &mut dyn FnMut(Claim)) {
        let mut seen = BTreeSet::new();
        // one source stands for all with the same prefix: statements tell no more apart
        for source in self.sources.iter().filter(|source| seen.insert(source.prefix.as_str())) {
            let what = format!("a bucket of another account could write log objects to `{}`", self.bucket);
            let mut claim = self.delivery(Kind::OtherAccount, &source.name, &self.key(source), what);
            set(&mut claim.context, "aws:SourceAccount", if self.account_id == STRANGER { "888888888888" } else { STRANGER });
            each(Claim { expect: Expect::NotAllowed, ..claim });

            if let Some(name) = self.name_outside(source) {
                let what = format!("the bucket `{name}`, which is no source, could write log objects to `{}`", self.bucket);
                each(Claim { expect: Expect::NotAllowed, ..self.delivery(Kind::OtherBucket, &name, &self.key(source), what) });
            }
            let sibling = format!("{}-sibling/{}", source.prefix.trim_end_matches('/'), self.key_after_prefix(source));
            // an empty prefix, a prefix that others begin with, or a pattern of prefixes covers siblings
            let granted = self.granted_keys().any(|key| sibling.starts_with(key.trim_end_matches('*')));
            if !granted && self.granted_keys().any(|key| key.strip_suffix('*') == Some(&source.prefix)) {
                let what = format!("log objects could be written to `{sibling}` in `{}`", self.bucket);
                each(Claim { expect: Expect::NotAllowed, ..self.delivery(Kind::SiblingPrefix, &source.name, &sibling, what) });
            }
        }
    }

    /// Keys (with `*`) on which the access-log grant works.
    fn granted_keys(&self) -> impl Iterator<Item = &str> {
        let ours = |statement: &&Statement| statement.sid.starts_with("LogmapAccessLogs");
        let resources = self.policy.statements.iter().filter(ours).filter_map(|statement| match &statement.resource {
            Element::Is(list) => Some(list.iter()),
            Element::IsNot(_) => None,
        });
        resources.flatten().filter_map(|resource| resource.split_once('/')).map(|(_, key)| key)
    }

    /// A name near a source's that the tier keeps out.
    fn name_outside(&self, source: &Source) -> Option<String> {
        let literals: Vec<&str> = match self.tier {
            Tier::Buckets => self.sources.iter().map(|source| source.name.as_str()).collect(),
            Tier::Patterns => self.patterns(),
            Tier::Account | Tier::None => return None,
        };
        let admitted = |name: &str| match self.tier {
            Tier::Buckets => literals.contains(&name),
            _ => literals
                .iter()
                .any(|pattern| pattern.strip_suffix('*').map_or(*pattern == name, |literal| name.starts_with(literal))),
        };
        // the name with another last character, then with another first one
        let mut near: Vec<char> = source.name.chars().collect();
        for at in [near.len().saturating_sub(1), 0] {
            for c in ['x', 'y', 'z', '0', '1'] {
                let before = std::mem::replace(near.get_mut(at)?, c);
                let name: String = near.iter().collect();
                if name != source.name && !admitted(&name) {
                    return Some(name);
                }
                *near.get_mut(at)? = before;
            }
        }
        None
    }

    /// Names and patterns in the access-log grant.
    fn patterns(&self) -> Vec<&str> {
        let ours = |statement: &&Statement| statement.sid.starts_with("LogmapAccessLogs");
        let arns = self.policy.statements.iter().filter(ours).filter_map(|s| s.condition.get("ArnLike")?.get("aws:SourceArn"));
        arns.flatten().filter_map(|arn| arn.rsplit(':').next()).collect()
    }

    /// True if trails are admitted by their ARNs, false if by account.
    fn trails_by_arn(&self) -> bool {
        let check = self.policy.statements.iter().find(|statement| statement.sid == "LogmapCloudTrailAclCheck");
        check.is_some_and(|statement| {
            statement.condition.get("StringEquals").is_some_and(|keys| keys.contains_key("aws:SourceArn"))
        })
    }

    fn near_misses_of_trails(&self, each: &mut dyn FnMut(Claim)) {
        let Some(trail) = self.trails.first() else { return };
        let known = |arn: &str| self.trails.iter().any(|trail| trail.arn == arn);
        let stranger = trail.arn.replace(&trail.account_id, STRANGER);
        let mut others = vec![(stranger, STRANGER.to_owned(), "a trail of another account")];
        if self.trails_by_arn() {
            others.push((format!("{}-other", trail.arn), trail.account_id.clone(), "another trail of the account"));
            let region = if self.region == "us-east-1" { "us-west-2" } else { "us-east-1" };
            let elsewhere = trail.arn.replace(&format!(":{}:", self.region), &format!(":{region}:"));
            others.push((elsewhere, trail.account_id.clone(), "the trail of another Region"));
        }
        for (arn, account, who) in others.into_iter().filter(|(arn, account, _)| {
            !known(arn) && !self.trails.iter().any(|t| *account == STRANGER && t.account_id == STRANGER)
        }) {
            let what = format!("{who} (`{arn}`) could write to `{}`", self.bucket);
            let key = format!("{}AWSLogs/{}/CloudTrail/{}/2026/01/02/x.json.gz", trail.prefix, trail.account_id, self.region);
            each(Claim {
                expect: Expect::NotAllowed,
                ..self.trail_write(Kind::OtherTrail, &key, arn.clone(), account.clone(), what.clone())
            });
            each(Claim { expect: Expect::NotAllowed, ..self.acl_check(Kind::OtherTrail, arn, account, what) });
        }
        let outside = format!("{}elsewhere/x.json.gz", trail.prefix);
        let what = format!("the trail `{}` could write to `{outside}` in `{}`, outside its path", trail.arn, self.bucket);
        each(Claim {
            expect: Expect::NotAllowed,
            ..self.trail_write(Kind::OtherTrail, &outside, trail.arn.clone(), trail.account_id.clone(), what)
        });
    }

    fn strangers(&self, each: &mut dyn FnMut(Claim)) {
        let object = format!("{}/x", self.bucket_arn());
        let stranger = if self.account_id == STRANGER { "888888888888" } else { STRANGER };
        for action in ["s3:PutObject", "s3:GetObject", "s3:DeleteObject"] {
            let what = format!("an account that the map does not know could call {action} on `{}`", self.bucket);
            each(self.iam(Kind::Strangers, Expect::NotAllowed, stranger, action, object.clone(), what));
        }
        for service in [LOGGING_SERVICE, CLOUDTRAIL_SERVICE] {
            let what = format!("`{service}` could write to `{}` on behalf of anyone", self.bucket);
            let context = service_context(service, format!("arn:{}:s3:::x", self.partition), stranger.to_owned());
            let caller = OwnedCaller::Service(service);
            each(Claim {
                kind: Kind::Strangers,
                what,
                expect: Expect::NotAllowed,
                caller,
                action: "s3:PutObject",
                resource: object.clone(),
                context,
            });
        }
    }

    fn without_tls(&self, each: &mut dyn FnMut(Claim)) {
        if !self.denies_insecure_transport {
            return;
        }
        let what = || format!("`{}` can be used without TLS", self.bucket);
        let mut plain = |mut claim: Claim| {
            set(&mut claim.context, "aws:SecureTransport", "false");
            each(Claim { expect: Expect::NotAllowed, ..claim });
        };
        if let Some(source) = self.sources.first() {
            plain(self.delivery(Kind::WithoutTls, &source.name, &self.key(source), what()));
        }
        if let Some(trail) = self.trails.first() {
            let key = format!("{}AWSLogs/{}/CloudTrail/x.json.gz", trail.prefix, trail.account_id);
            plain(self.trail_write(Kind::WithoutTls, &key, trail.arn.clone(), trail.account_id.clone(), what()));
        }
        plain(self.iam(
            Kind::WithoutTls,
            Expect::NotAllowed,
            self.account_id,
            "s3:GetObject",
            format!("{}/x", self.bucket_arn()),
            what(),
        ));
    }
}

/// An account that no map should know.
const STRANGER: &str = "999999999999";

fn set(context: &mut [(&'static str, String)], key: &str, value: &str) {
    for entry in context.iter_mut().filter(|(name, _)| *name == key) {
        value.clone_into(&mut entry.1);
    }
}

/// A log object's key as S3 lays it out after the prefix (S3 user guide, "Log object key format"); a partitioned one has the
/// source's account, Region and name.
pub(crate) fn access_log_key(partitioned: Option<(&str, &str, &str)>) -> String {
    match partitioned {
        None => "2026-01-02-03-04-05-0123456789ABCDEF".to_owned(),
        Some((account, region, source)) => {
            format!("{account}/{region}/{source}/2026/01/02/2026-01-02-00-00-00-0123456789ABCDEF")
        }
    }
}

/// What AWS puts into the context of a delivery.
pub(crate) fn service_context(service: &str, arn: String, account: String) -> Vec<(&'static str, String)> {
    vec![
        ("aws:SourceArn", arn),
        ("aws:SourceAccount", account),
        ("aws:SecureTransport", "true".to_owned()),
        ("aws:PrincipalIsAWSService", "true".to_owned()),
        ("aws:PrincipalServiceName", service.to_owned()),
        // a service that calls for itself does not call for somebody else
        ("aws:ViaAWSService", "false".to_owned()),
    ]
}
