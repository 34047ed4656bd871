//! Policies of the KMS keys of trails: the statements that a key's owner has to apply.

use super::{Account, KeyPolicy, central::Central, routes::Delivery};
use crate::{
    aws::{CLOUDTRAIL_SERVICE, Partition},
    map::KmsKey,
    policy::{Condition, Effect, Element, Policy, Principal, Statement},
};
use indexmap::IndexMap;
use std::collections::{BTreeMap, BTreeSet};

/// The statements that keys of trails need, one document for each key.
/// Source: CloudTrail user guide, "Configure AWS KMS key policies for CloudTrail".
pub(crate) fn key_policies(accounts: &[Account], deliveries: &[Delivery<'_>], central: Option<&Central>) -> Vec<KeyPolicy> {
    let mut by_file: BTreeMap<String, (String, Vec<&Delivery<'_>>)> = BTreeMap::new();
    for delivery in deliveries {
        let Some((key, _)) = delivery.key().filter(|_| super::position(accounts, delivery.writer).is_some()) else {
            continue;
        };
        let file = match delivery.trail.kms_key {
            Some(KmsKey::ByRegion(_)) => format!("{}.{}", delivery.trail.name.value, delivery.region),
            _ => delivery.trail.name.value.clone(),
        };
        by_file.entry(file).or_insert_with(|| (key.to_owned(), Vec::new())).1.push(delivery);
    }
    by_file.into_iter().map(|(file, (key_arn, users))| KeyPolicy { file, key_arn, policy: key_policy(&users, central) }).collect()
}

fn key_policy(users: &[&Delivery<'_>], central: Option<&Central>) -> Policy {
    let unique = |values: Vec<String>| values.into_iter().collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>();
    let arns = unique(users.iter().map(|user| user.arn.clone()).collect());
    // every account of an organization trail encrypts under its own id, so the account is open there
    let contexts = users.iter().map(|user| {
        let account = if user.trail.organization { "*" } else { user.writer_id };
        format!("arn:{}:cloudtrail:*:{account}:trail/*", Partition::of_region(user.region))
    });
    let contexts = unique(contexts.collect());
    let statement = |sid: &str, action: &str, encryption: bool| {
        let mut condition: Condition = IndexMap::new();
        condition.insert("StringEquals".to_owned(), IndexMap::from([("aws:SourceArn".to_owned(), arns.clone())]));
        if encryption {
            condition.insert(
                "StringLike".to_owned(),
                IndexMap::from([("kms:EncryptionContext:aws:cloudtrail:arn".to_owned(), contexts.clone())]),
            );
        }
        Statement {
            sid: sid.to_owned(),
            effect: Effect::Allow,
            principal: Element::Is(Principal::service(CLOUDTRAIL_SERVICE)),
            action: Element::Is(vec![action.to_owned()]),
            resource: Element::Is(vec!["*".to_owned()]),
            condition,
        }
    };
    let mut statements = vec![
        statement("LogmapCloudTrailEncrypt", "kms:GenerateDataKey*", true),
        statement("LogmapCloudTrailDescribe", "kms:DescribeKey", false),
        // needed to create or update a trail when the bucket uses an S3 Bucket Key
        statement("LogmapCloudTrailDecrypt", "kms:Decrypt", false),
    ];
    let same = |central: &&Central| users.iter().any(|user| Partition::of_region(user.region) == central.account.partition);
    statements.extend(central.filter(same).map(readers));
    Policy::new(statements)
}

/// Whoever reads what a key encrypts needs the key, too: another account's roles by its policy. Only files of trails.
/// Source: CloudTrail user guide, "Configure AWS KMS key policies for CloudTrail", section on decrypt permissions.
fn readers(central: &Central) -> Statement {
    let mut condition: Condition = IndexMap::from([(
        "Null".to_owned(),
        IndexMap::from([("kms:EncryptionContext:aws:cloudtrail:arn".to_owned(), vec!["false".to_owned()])]),
    )]);
    if !central.roles.is_empty() {
        condition.insert("ArnLike".to_owned(), IndexMap::from([("aws:PrincipalArn".to_owned(), central.roles.clone())]));
    }
    let root = format!("arn:{}:iam::{}:root", central.account.partition, central.account.id);
    Statement {
        sid: "LogmapCentralDecrypt".to_owned(),
        effect: Effect::Allow,
        principal: Element::Is(Principal::Kinds(IndexMap::from([("AWS".to_owned(), vec![root])]))),
        action: Element::Is(vec!["kms:Decrypt".to_owned()]),
        resource: Element::Is(vec!["*".to_owned()]),
        condition,
    }
}
