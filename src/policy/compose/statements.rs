//! The statements themselves: the only place where grants for the logging service and CloudTrail are written down.

use super::{CopyForm, Grants, SenderForm, SenderGrant, TrailForm, TrailGrant, VendedForm};
use crate::{
    aws::{CLOUDTRAIL_SERVICE, DELIVERY_SOURCE, LOG_DELIVERY_SERVICE, LOGGING_SERVICE, REPLICATION_ROLE, arn},
    policy::{Condition, Effect, Element, Principal, Statement},
};
use indexmap::IndexMap;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn object_arn(grants: &Grants<'_>, key: &str) -> String {
    arn::object(grants.partition, grants.bucket, key)
}

fn numbered(sid: &str, at: usize) -> String {
    if at == 0 { sid.to_owned() } else { format!("{sid}{}", at + 1) }
}

fn conditions<const N: usize>(entries: [(&str, &str, Vec<String>); N]) -> Condition {
    // most have one key for an operator, and a plan has thousands of them
    let mut condition: Condition = IndexMap::with_capacity(N);
    for (operator, key, values) in entries {
        let keys = condition.entry(operator.to_owned()).or_insert_with(|| IndexMap::with_capacity(1));
        keys.insert(key.to_owned(), values);
    }
    condition
}

fn allow(sid: String, service: &str, action: &str, resource: Vec<String>, condition: Condition) -> Statement {
    Statement {
        sid,
        effect: Effect::Allow,
        principal: Element::Is(Principal::service(service)),
        action: Element::Is(vec![action.to_owned()]),
        resource: Element::Is(resource),
        condition,
    }
}

pub(super) fn access_statement(grants: &Grants<'_>, at: usize, keys: Vec<String>, arns: Vec<String>) -> Statement {
    let resource = keys.iter().map(|key| object_arn(grants, key)).collect();
    let account = ("StringEquals", "aws:SourceAccount", vec![grants.account_id.to_owned()]);
    let condition = match arns.is_empty() {
        true => conditions([account]),
        false => conditions([account, ("ArnLike", "aws:SourceArn", arns)]),
    };
    allow(numbered("LogmapAccessLogs", at), LOGGING_SERVICE, "s3:PutObject", resource, condition)
}

pub(super) fn trail_statements(grants: &Grants<'_>, form: TrailForm) -> Vec<Statement> {
    if grants.trails.is_empty() {
        return Vec::new();
    }
    let unique = |values: Vec<String>| values.into_iter().collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>();
    let by_arn = matches!(form, TrailForm::EachTrail | TrailForm::Lists);
    let arns = unique(grants.trails.iter().map(|trail| trail.arn.clone()).collect());
    let accounts = unique(grants.trails.iter().map(|trail| trail.account_id.clone()).collect());
    let (key, values) = if by_arn { ("aws:SourceArn", arns) } else { ("aws:SourceAccount", accounts) };
    let caller = conditions([("StringEquals", key, values.clone())]);
    let bucket = vec![arn::bucket(grants.partition, grants.bucket)];
    let mut statements =
        vec![allow("LogmapCloudTrailAclCheck".to_owned(), CLOUDTRAIL_SERVICE, "s3:GetBucketAcl", bucket, caller)];
    let write = |sid: String, paths: Vec<String>, values: Vec<String>| {
        let resource = paths.iter().map(|path| object_arn(grants, path)).collect();
        let full_control = vec!["bucket-owner-full-control".to_owned()];
        let condition = conditions([("StringEquals", "s3:x-amz-acl", full_control), ("StringEquals", key, values)]);
        allow(sid, CLOUDTRAIL_SERVICE, "s3:PutObject", resource, condition)
    };
    let account_path = |trail: &TrailGrant| format!("{}AWSLogs/{}/*", trail.prefix, trail.account_id);
    let organization_path = |trail: &TrailGrant| trail.organization.as_ref().map(|id| format!("{}AWSLogs/{id}/*", trail.prefix));
    match form {
        TrailForm::EachTrail => {
            for (at, trail) in grants.trails.iter().enumerate() {
                statements.push(write(numbered("LogmapCloudTrailWrite", at), vec![account_path(trail)], vec![trail.arn.clone()]));
            }
            for (at, trail) in grants.trails.iter().filter(|trail| trail.organization.is_some()).enumerate() {
                let paths = organization_path(trail).into_iter().collect();
                statements.push(write(numbered("LogmapCloudTrailOrganizationWrite", at), paths, vec![trail.arn.clone()]));
            }
        }
        TrailForm::Lists | TrailForm::Accounts => {
            let paths =
                grants.trails.iter().flat_map(|trail| std::iter::once(account_path(trail)).chain(organization_path(trail)));
            statements.push(write("LogmapCloudTrailWrite".to_owned(), unique(paths.collect()), values));
        }
        TrailForm::AnyPath => {
            let paths = unique(grants.trails.iter().map(|trail| format!("{}AWSLogs/*", trail.prefix)).collect());
            statements.push(write("LogmapCloudTrailWrite".to_owned(), paths, values));
        }
    }
    statements
}

/// The grants of services that write logs of their own, as each one's documentation has them (see [`Sender`](crate::aws::Sender)).
pub(super) fn sender_statements(grants: &Grants<'_>, form: SenderForm) -> Vec<Statement> {
    let mut statements = Vec::new();
    let mut writes: BTreeMap<&str, usize> = BTreeMap::new();
    let mut checks: BTreeMap<&str, usize> = BTreeMap::new();
    for grant in &grants.senders {
        let sender = grant.sender;
        let next = |counts: &mut BTreeMap<&'static str, usize>, what: &str| {
            let count = counts.entry(sender.sid()).or_default();
            *count += 1;
            numbered(&format!("LogmapSender{}{what}", sender.sid()), *count - 1)
        };
        if !sender.asks().is_empty() {
            let bucket = vec![arn::bucket(grants.partition, grants.bucket)];
            let condition = for_accounts(grants, grant, &grant.accounts);
            let mut check = allow(next(&mut checks, "Check"), sender.service(), "", bucket, condition);
            check.action = Element::Is(sender.asks().iter().map(|action| (*action).to_owned()).collect());
            statements.push(check);
        }
        let each = if form == SenderForm::EachAccount { 1 } else { grant.accounts.len().max(1) };
        for accounts in grant.accounts.chunks(each) {
            let mut paths: Vec<String> = accounts
                .iter()
                .flat_map(|account| sender.paths(&grant.prefix, account))
                .map(|path| object_arn(grants, &path))
                .collect();
            // with a prefix of its own a service may write for all accounts in one place
            paths.dedup();
            let condition = for_accounts(grants, grant, accounts);
            statements.push(allow(next(&mut writes, "Write"), sender.service(), "s3:PutObject", paths, condition));
        }
    }
    statements
}

/// Sid of the grant for copies.
pub(crate) const COPIES: &str = "LogmapCopies";

/// The grant for the roles that copy logs here; none if the form needs an organization and there is none.
///
/// The principals are whole accounts, because a role that is not there yet can't be named as one, and the condition says which of their
/// roles. "Permissions for the `s3:ReplicateObject` action on the destination bucket also allow replication of metadata such as object tags
/// and ACLs. Therefore, you don't need to explicitly grant permission for the `s3:ReplicateTags` action"; delete markers are not copied, and
/// of the bucket itself the roles may nothing, so that neither is granted (S3 user guide, "Setting up permissions for live replication").
pub(super) fn copy_statement(grants: &Grants<'_>, form: CopyForm) -> Option<Statement> {
    let unique = |values: Vec<String>| values.into_iter().collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>();
    let partition = grants.partition;
    let by_role = || grants.copies.iter().filter_map(|copy| Some((&copy.account_id, copy.role_arn.as_ref()?)));
    let accounts = unique(by_role().map(|(account, _)| arn::root(partition, account)).collect());
    let accounts = Principal::Kinds(IndexMap::from([("AWS".to_owned(), accounts)]));
    let (principal, condition) = match form {
        CopyForm::Roles => {
            let roles = unique(by_role().map(|(_, role)| role.clone()).collect());
            (accounts, conditions([("ArnEquals", "aws:PrincipalArn", roles)]))
        }
        CopyForm::Organization => {
            let by_name = vec![arn::role(partition, "*", &format!("{REPLICATION_ROLE}*"))];
            let id = vec![grants.organization_id?.to_owned()];
            let condition = conditions([("StringEquals", "aws:PrincipalOrgID", id), ("ArnLike", "aws:PrincipalArn", by_name)]);
            // of everybody, because no list fits; S3 calls no policy public that is bound to an organization
            (Principal::Kinds(IndexMap::from([("AWS".to_owned(), vec!["*".to_owned()])])), condition)
        }
    };
    Some(Statement {
        sid: COPIES.to_owned(),
        effect: Effect::Allow,
        principal: Element::Is(principal),
        action: Element::Is(vec!["s3:ReplicateObject".to_owned()]),
        resource: Element::Is(vec![object_arn(grants, "*")]),
        condition,
    })
}

/// Sids of the grant for what CloudWatch Logs delivers begin with it.
pub(crate) const DELIVERIES: &str = "LogmapDeliveries";

/// The grant for access logs that CloudWatch Logs delivers here.
///
/// AWS's page has a condition on `s3:x-amz-acl`, too. It is left out: a bucket with enforced ownership has no ACLs, and deliveries to such
/// buckets were seen to come without that header, so that the condition would refuse every one of them. The account and the delivery source
/// say who may write. Source: CloudWatch Logs user guide, "Logs sent to Amazon S3", "Amazon S3 bucket resource policy".
pub(super) fn vended_statements(grants: &Grants<'_>, form: VendedForm) -> Vec<Statement> {
    let accounts: BTreeSet<&str> =
        grants.copies.iter().filter(|copy| copy.role_arn.is_none()).map(|copy| copy.account_id.as_str()).collect();
    if accounts.is_empty() {
        return Vec::new();
    }
    let accounts: Vec<&str> = accounts.into_iter().collect();
    let source = |account: &str| arn::delivery_source(grants.partition, "*", account, &format!("{DELIVERY_SOURCE}*"));
    let each = if form == VendedForm::EachAccount { 1 } else { accounts.len() };
    let statements = accounts.chunks(each).enumerate().map(|(at, accounts)| {
        let paths = match form {
            VendedForm::Accounts => vec![object_arn(grants, "AWSLogs/*")],
            _ => accounts.iter().map(|account| object_arn(grants, &format!("AWSLogs/{account}/*"))).collect(),
        };
        // of several accounts the list says which; their ids once more in a pattern for each would say nothing else
        let sources = match accounts {
            [account] => source(account),
            _ => source("*"),
        };
        let condition = conditions([
            ("StringEquals", "aws:SourceAccount", accounts.iter().map(|account| (*account).to_owned()).collect()),
            ("ArnLike", "aws:SourceArn", vec![sources]),
        ]);
        allow(numbered(DELIVERIES, at), LOG_DELIVERY_SERVICE, "s3:PutObject", paths, condition)
    });
    statements.collect()
}

/// For whom a service may call.
fn for_accounts(grants: &Grants<'_>, grant: &SenderGrant, accounts: &[String]) -> Condition {
    if !grant.sender.tells_account() {
        return Condition::default();
    }
    let arns: Vec<String> =
        accounts.iter().filter_map(|account| grant.sender.source_arn(grants.partition, &grant.region, account)).collect();
    let account = ("StringEquals", "aws:SourceAccount", accounts.to_vec());
    match arns.is_empty() {
        true => conditions([account]),
        false => conditions([account, ("ArnLike", "aws:SourceArn", arns)]),
    }
}

/// Sid of the statement that lets another account read.
pub(crate) const READER_SID: &str = "LogmapCentralRead";
/// What Athena asks for to read a table's objects with the rights of who queries (Athena user guide, "Control access to Amazon S3 from
/// Athena" and "Configure cross-account access in Athena to Amazon S3 buckets").
pub(crate) const READER_ACTIONS: [&str; 3] = ["s3:GetBucketLocation", "s3:GetObject", "s3:ListBucket"];

/// The grant for the account that asks the logs of all.
pub(super) fn reader_statement(grants: &Grants<'_>) -> Option<Statement> {
    let readers = grants.readers.as_ref()?;
    let root = arn::root(grants.partition, &readers.account_id);
    let condition = match readers.roles.is_empty() {
        true => Condition::default(),
        false => conditions([("ArnLike", "aws:PrincipalArn", readers.roles.clone())]),
    };
    Some(Statement {
        sid: READER_SID.to_owned(),
        effect: Effect::Allow,
        principal: Element::Is(Principal::Kinds(IndexMap::from([("AWS".to_owned(), vec![root])]))),
        action: Element::Is(READER_ACTIONS.map(str::to_owned).to_vec()),
        resource: Element::Is(vec![arn::bucket(grants.partition, grants.bucket), object_arn(grants, "*")]),
        condition,
    })
}

pub(super) fn deny_insecure_transport(grants: &Grants<'_>) -> Statement {
    Statement {
        sid: "LogmapDenyInsecureTransport".to_owned(),
        effect: Effect::Deny,
        principal: Element::Is(Principal::Any),
        action: Element::Is(vec!["s3:*".to_owned()]),
        resource: Element::Is(vec![arn::bucket(grants.partition, grants.bucket), object_arn(grants, "*")]),
        condition: conditions([("Bool", "aws:SecureTransport", vec!["false".to_owned()])]),
    }
}
