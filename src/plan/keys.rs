//! Policies of the KMS keys of trails: the statements that a key's owner has to apply.

use super::{Account, Archive, KeyPolicy, central::Central, copies::via_service, routes::Delivery};
use crate::{
    aws::{CLOUDTRAIL_SERVICE, Partition, REPLICATION_ROLE, arn},
    map::KmsKey,
    policy::{Condition, Effect, Element, Policy, Principal, Statement},
};
use indexmap::IndexMap;
use std::collections::{BTreeMap, BTreeSet};

/// The statements that keys of trails need, one document for each key.
/// Source: CloudTrail user guide, "Configure AWS KMS key policies for CloudTrail".
pub(crate) fn key_policies(
    accounts: &[Account],
    deliveries: &[Delivery<'_>],
    central: Option<&Central>,
    archive: Option<&Archive>,
) -> Vec<KeyPolicy> {
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
    let of_trails = by_file.into_iter().map(|(file, (key_arn, users))| {
        let mut policy = key_policy(&users, central);
        policy.statements.extend(archive.and_then(|archive| decrypt(accounts, &users, archive)));
        KeyPolicy { file, key_arn, policy }
    });
    of_trails.chain(archive.and_then(|archive| of_copies(accounts, archive))).collect()
}

/// File of the statement for the key of copies: no trail can have such a name.
const OF_COPIES: &str = "_central";

/// What a key of trails has to let roles that copy do: they read what is encrypted with it.
/// Source: S3 user guide, "Replicating encrypted objects (SSE-S3, SSE-KMS, DSSE-KMS, SSE-C)".
fn decrypt(accounts: &[Account], users: &[&Delivery<'_>], central: &Archive) -> Option<Statement> {
    central.kms_key_arn.as_ref()?;
    let places: BTreeSet<(&str, &str)> = users.iter().map(|user| (user.reader, user.region)).collect();
    let here = |account: &Account, region: &str| places.contains(&(account.key.as_str(), region));
    let regions: BTreeSet<&str> = places.iter().map(|(_, region)| *region).collect();
    roles_may(accounts, central.partition, "LogmapCopiesDecrypt", "kms:Decrypt", &regions, here)
}

/// What the key of copies has to let roles that copy do.
fn of_copies(accounts: &[Account], central: &Archive) -> Option<KeyPolicy> {
    let regions = BTreeSet::from([central.region.as_str()]);
    let statement = roles_may(accounts, central.partition, "LogmapCopiesEncrypt", "kms:Encrypt", &regions, |_, _| true)?;
    let key_arn = central.kms_key_arn.clone()?;
    Some(KeyPolicy { file: OF_COPIES.to_owned(), key_arn, policy: Policy::new(vec![statement]) })
}

/// The accounts that have such a role in one of the places, and the pattern of the roles' names: a role that is not there yet can't be named as
/// a principal.
fn roles_may(
    accounts: &[Account],
    partition: Partition,
    sid: &str,
    action: &str,
    regions: &BTreeSet<&str>,
    here: impl Fn(&Account, &str) -> bool,
) -> Option<Statement> {
    let copies = |account: &&Account| {
        account.placements.iter().any(|placement| placement.replication_role.is_some() && here(account, &placement.region))
    };
    let owners: Vec<String> = accounts.iter().filter(copies).map(|account| arn::root(partition, &account.id)).collect();
    if owners.is_empty() {
        return None;
    }
    let roles = vec![arn::role(partition, "*", &format!("{REPLICATION_ROLE}*"))];
    let services = regions.iter().map(|region| via_service(partition, region)).collect();
    Some(Statement {
        sid: sid.to_owned(),
        effect: Effect::Allow,
        principal: Element::Is(Principal::Kinds(IndexMap::from([("AWS".to_owned(), owners)]))),
        action: Element::Is(vec![action.to_owned()]),
        resource: Element::Is(vec!["*".to_owned()]),
        condition: IndexMap::from([
            ("StringEquals".to_owned(), IndexMap::from([("kms:ViaService".to_owned(), services)])),
            ("ArnLike".to_owned(), IndexMap::from([("aws:PrincipalArn".to_owned(), roles)])),
        ]),
    })
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
    let root = arn::root(central.account.partition, &central.account.id);
    Statement {
        sid: "LogmapCentralDecrypt".to_owned(),
        effect: Effect::Allow,
        principal: Element::Is(Principal::Kinds(IndexMap::from([("AWS".to_owned(), vec![root])]))),
        action: Element::Is(vec!["kms:Decrypt".to_owned()]),
        resource: Element::Is(vec!["*".to_owned()]),
        condition,
    }
}
