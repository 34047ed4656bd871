//! Whom the map's own statements let in beside the deliveries: other accounts, organizations, networks and services. That is on
//! purpose, so it is told and not proven; what is more than reading is told apart.

use super::{Subject, context::form, named};
use crate::{
    aws::arn,
    policy::{
        Effect, Element, Principal, Statement,
        evaluate::{
            Prepared, Set, Shape,
            actions::is_on_objects,
            requests::{Action, Holds, Requests, Value, Who},
        },
    },
};

/// What a statement of the map gives to others than the log bucket's account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admitted {
    /// The statement's index in the policy.
    pub statement: usize,
    /// Its Sid; may be empty.
    pub sid: String,
    /// Who, as the statement names them.
    pub who: Vec<String>,
    /// The actions as they are written.
    pub actions: Vec<String>,
    /// The actions among [`CHANGES`] that it gives: they change the bucket, or write or remove logs.
    pub changes: Vec<&'static str>,
}

/// What a caller can do to a log bucket that changes which logs there are, who reads them or whether they arrive; bucket actions,
/// then those on objects.
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html>
pub(in crate::plan) const CHANGES: [&str; 22] = [
    "s3:DeleteBucket",
    "s3:DeleteBucketPolicy",
    "s3:PutBucketAcl",
    "s3:PutBucketLogging",
    "s3:PutBucketObjectLockConfiguration",
    "s3:PutBucketOwnershipControls",
    "s3:PutBucketPolicy",
    "s3:PutBucketPublicAccessBlock",
    "s3:PutBucketRequestPayment",
    "s3:PutBucketVersioning",
    "s3:PutEncryptionConfiguration",
    "s3:PutLifecycleConfiguration",
    "s3:PutReplicationConfiguration",
    "s3:BypassGovernanceRetention",
    "s3:DeleteObject",
    "s3:DeleteObjectVersion",
    "s3:PutObject",
    "s3:PutObjectAcl",
    "s3:PutObjectLegalHold",
    "s3:PutObjectRetention",
    "s3:ReplicateDelete",
    "s3:ReplicateObject",
];

/// From so many paths of logs on, all objects are taken for logs.
const MOST_PATHS: usize = 50;

impl<'a> Subject<'a> {
    /// What the statements of the map give to others.
    pub(super) fn admitted(&self, prepared: &Prepared<'_>) -> Vec<Admitted> {
        let of_map = |statement: &Statement| statement.effect == Effect::Allow && !statement.sid.starts_with("Logmap");
        let mut found: Vec<Admitted> = self
            .policy
            .statements
            .iter()
            .enumerate()
            .filter(|(_, statement)| of_map(statement))
            .filter_map(|(at, statement)| {
                let who = self.others(statement);
                let (Element::Is(actions) | Element::IsNot(actions)) = &statement.action;
                let but = if matches!(statement.action, Element::Is(_)) { "" } else { "all but " };
                let actions = actions.iter().map(|action| format!("{but}{action}")).collect();
                (!who.is_empty()).then(|| Admitted {
                    statement: at,
                    sid: statement.sid.clone(),
                    who,
                    actions,
                    changes: Vec::new(),
                })
            })
            .collect();
        if found.is_empty() {
            return found;
        }
        let logs = self.logs();
        let bucket = [Value::Text(self.bucket_arn().into())];
        let callers = self.callers();
        for action in CHANGES {
            for resource in if is_on_objects(action) { logs.as_slice() } else { &bucket } {
                for who in &callers {
                    let requests =
                        Requests { who: who.clone(), action: Action::Is(action), resource: resource.clone(), keys: Vec::new() };
                    for (at, holds) in prepared.judge(Effect::Allow, &requests) {
                        if holds != Holds::No
                            && let Some(one) = found.iter_mut().find(|one| one.statement == at)
                            && !one.changes.contains(&action)
                        {
                            one.changes.push(action);
                        }
                    }
                }
            }
        }
        found
    }

    /// The objects that are logs, as forms of their ARNs.
    fn logs(&self) -> Vec<Value<'a>> {
        let written = self.granted("LogmapAccessLogs").chain(self.granted("LogmapCloudTrail"));
        let mut heads: Vec<&str> =
            written.filter(|arn| arn.contains('/')).filter_map(|arn| arn.split(['*', '?']).next()).collect();
        heads.sort_unstable();
        heads.dedup();
        if heads.is_empty() || heads.len() > MOST_PATHS {
            return vec![form(Shape::starting(self.object_arn("")).some(Set::Any))];
        }
        heads.into_iter().map(|head| form(Shape::starting(head).then(Set::Any))).collect()
    }

    /// Callers of other accounts, and the services that are named.
    fn callers(&self) -> Vec<Who<'a>> {
        let principals = Shape::starting(format!("arn:{}:", self.partition)).then(Set::Any);
        let others = principals.but_arn(&format!("arn:*:*::{}:*", self.account_id));
        let services = named::Named::by(self.policy).services;
        std::iter::once(Who::Iam(form(others))).chain(services.into_iter().map(Who::Service)).collect()
    }

    /// Whom a statement names beside the log bucket's account and the map's role in it.
    fn others(&self, statement: &Statement) -> Vec<String> {
        let is_own = |name: &str| match arn::parse(name) {
            Some(parts) => parts.account == self.account_id,
            None => name == self.account_id,
        };
        match &statement.principal {
            Element::Is(Principal::Kinds(kinds)) if !kinds.values().flatten().any(|name| name == "*") => {
                kinds.values().flatten().filter(|name| !is_own(name)).cloned().collect()
            }
            // everybody, as far as the conditions let them
            _ => {
                let keys =
                    statement.condition.iter().filter(|(operator, _)| !operator.contains("Not")).flat_map(|(_, keys)| keys);
                let bound = keys.map(|(key, values)| format!("{key} {}", values.join(" or "))).collect::<Vec<_>>().join(", ");
                vec![format!("whoever comes with {bound}")]
            }
        }
    }
}
