//! Log buckets by what they are set up for: those whose policy or ACL lets log delivery in, though no source of the inputs names them.

use super::{
    Configuration, Kind, World,
    admit::does,
    effective, name_of,
    principals::named,
    settings::{acls_are_off, no_acl, requester_pays, settings},
};
use crate::{
    aws::{CLOUDTRAIL_SERVICE, LOGGING_SERVICE},
    observed::{Bucket, Observed, Target, hole},
    policy::Effect,
};
use std::collections::BTreeSet;

/// Judges the log buckets that no log configuration of the inputs names.
pub(super) fn judge(world: &World<'_>, observed: &Observed) -> Vec<Configuration> {
    let named: BTreeSet<String> = observed
        .logging
        .iter()
        .filter_map(|logging| match &logging.target {
            Target::Named(name) => Some(name_of(name).0.value),
            _ => None,
        })
        .collect();
    let others = world.buckets.values().filter(|bucket| bucket.defined && !named.contains(&bucket.name.value));
    others.filter_map(one).collect()
}

fn one(bucket: &Bucket) -> Option<Configuration> {
    let acl = bucket.log_delivery_acl.known().filter(|acl| acl.value);
    let name = hole::shown(&bucket.name.value);
    let mut configuration = Configuration::new(Kind::LogBucket, (bucket.place, bucket.place), "", &bucket.name.value);
    if acl.is_none() && !lets_in(bucket, LOGGING_SERVICE) {
        let payer = effective(bucket, &bucket.payer, "BucketOwner".to_owned()).filter(|payer| payer.value == "Requester")?;
        if !lets_in(bucket, CLOUDTRAIL_SERVICE) {
            return None;
        }
        configuration.findings.push(requester_pays(&name, payer.place, bucket.place));
        return Some(configuration);
    }
    settings(bucket, &name, bucket.place, "the log bucket", &mut configuration);
    match (acl, acls_are_off(bucket)) {
        (Some(acl), Some(true)) => configuration.findings.push(no_acl(bucket, &name, acl.place)),
        (Some(_), None) if !lets_in(bucket, LOGGING_SERVICE) => {
            configuration.doubt(format!("whether `{name}` has ACLs: its object ownership is not in the inputs"));
        }
        _ => {}
    }
    Some(configuration)
}

/// Does the bucket's policy let a service write?
fn lets_in(bucket: &Bucket, service: &str) -> bool {
    let Some(doc) = bucket.policy.known() else { return false };
    let grants = doc
        .value
        .policy
        .statements
        .iter()
        .filter(|statement| statement.effect == Effect::Allow && does(statement, "s3:PutObject"));
    grants.into_iter().any(|statement| named(statement).any(|name| name == service))
}
