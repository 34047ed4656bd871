//! The account from which the logs of all are asked: where it asks, who of it may, and where results go.
//!
//! It needs no catalog of another account: a table is only a name for a folder of a bucket, so the account's own database has a table
//! over each folder of each account and Region, and all that the others give is the right to read their log buckets. Sources: Athena
//! user guide, "Query across regions" (data of other Regions and accounts is read where it lies) and "Configure cross-account access in
//! Athena to Amazon S3 buckets" (a bucket policy is all that it takes).

use super::{Account, routes::Delivery};
use crate::{
    aws::{
        Partition, arn, bucket_name,
        limits::{is_account_id, is_role_pattern},
        region,
    },
    diagnostics::{Finding, few},
    map::{
        TargetName,
        effective::{EffectiveMap, is_org_name},
        values::CentralSettings,
    },
    policy::compose::ReaderGrant,
    rules::athena::{
        CENTRAL_ACROSS_CHINA, CENTRAL_NOT_COVERED, CENTRAL_NOT_RENDERED, CENTRAL_READER, CENTRAL_REGION, CENTRAL_RESULT_BUCKET,
    },
};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Name of the database.
pub(crate) const DATABASE: &str = "logmap";
/// Name of the workgroup.
pub(crate) const WORKGROUP: &str = "logmap";
/// Readers that are named: each is in the policy of each log bucket.
const MOST_READERS: usize = 20;
/// Accounts that a finding names.
const MOST_NAMED: usize = 3;
/// Bytes in a gigabyte.
const GIGABYTE: u64 = 1_000_000_000;

/// Where the logs of all accounts of a partition are asked.
#[derive(Debug, Clone, Serialize)]
pub struct Central {
    /// The account, without what the map makes in its Regions; it may have none.
    pub account: Account,
    /// Region of the database, the workgroup and the results.
    pub region: String,
    /// ARNs of the roles that may read, sorted, with `*` for any text; empty for whomever the account lets.
    pub roles: Vec<String>,
    /// Name of the bucket for results.
    pub result_bucket: String,
    /// Days after which results are deleted.
    pub result_days: u32,
    /// Bytes that one query may scan.
    pub scan_limit_bytes: u64,
}

impl Central {
    /// What it is given in the log buckets of others.
    pub(crate) fn grant(&self) -> ReaderGrant {
        ReaderGrant { account_id: self.account.id.clone(), roles: self.roles.clone() }
    }
}

/// The account that asks; nothing if there is none, or what the map says of it can't be.
pub(crate) fn derive(
    map: &EffectiveMap<'_>,
    deliveries: &BTreeMap<&str, Vec<&Delivery<'_>>>,
    findings: &mut Vec<Finding>,
) -> Option<Central> {
    let settings = map.central.as_ref()?;
    let account = map.accounts.get(settings.account.as_str())?;
    // those with something in them, as they are planned
    let mut own: BTreeSet<&str> =
        account.regions.iter().filter(|(_, region)| !region.sources.is_empty()).map(|(name, _)| *name).collect();
    own.extend(deliveries.get(account.key.as_str()).into_iter().flatten().map(|delivery| delivery.region));
    let region = match &settings.region {
        // reported already
        Some(region) if !region::is_well_formed(region) => return None,
        Some(region) => {
            if let Some(other) = own.first().filter(|own| Partition::of_region(own) != Partition::of_region(region)) {
                findings.push(
                    Finding::new(
                        &CENTRAL_REGION,
                        region.span,
                        format!(
                            "`{}` is not in the partition of the account `{}`, which has `{other}`",
                            region.value, settings.account
                        ),
                    )
                    .help("an account lies in one partition; name one of its Regions"),
                );
                return None;
            }
            region.value.clone()
        }
        None => match own.first() {
            Some(first) => (*first).to_owned(),
            None => {
                findings.push(
                    Finding::new(
                        &CENTRAL_REGION,
                        settings.span,
                        format!("the account `{}` has no log bucket, so where it asks is not known", settings.account),
                    )
                    .help("write `region:` and the Region for its database, its workgroup and the results"),
                );
                return None;
            }
        },
    };
    let partition = Partition::of_region(&region);
    if map.render.modules && !own.contains(region.as_str()) && map.render.glue {
        findings.push(
            Finding::new(
                &CENTRAL_NOT_RENDERED,
                settings.region.as_ref().map_or(settings.span, |region| region.span),
                format!("no module is made for `{region}` of `{}`, so none has its tables", settings.account),
            )
            .help(
                "with `layout: module` they are in the module of a Region with a log bucket: name one of those, or run the SQL",
            ),
        );
    }
    Some(Central {
        roles: roles(settings, partition, account.id, findings),
        result_bucket: result_bucket(map, settings, account.id, &region, findings)?,
        result_days: settings.result_days,
        scan_limit_bytes: u64::from(settings.scan_limit_gb) * GIGABYTE,
        account: Account {
            key: account.key.value.clone(),
            id: account.id.value.clone(),
            partition,
            role_arn: super::names::role_arn(account, partition),
            profile: account.profile.map(|profile| profile.value.clone()),
            placements: Vec::new(),
        },
        region,
    })
}

/// ARNs of the roles that the map names.
fn roles(settings: &CentralSettings, partition: Partition, id: &str, findings: &mut Vec<Finding>) -> Vec<String> {
    if let Some(list) = settings.readers.as_ref().filter(|list| list.is_empty() || list.len() > MOST_READERS) {
        let (text, help) = match list.len() {
            0 => (
                "`readers` names nobody".to_owned(),
                "name roles, or leave it out: the account may read then, and its own policies say who",
            ),
            many => (
                format!("`readers` names {many} roles; {MOST_READERS} are taken, for each is in the policy of each log bucket"),
                "let `*` stand for what their names do not share, or leave `readers` out: the account's own policies say who, then",
            ),
        };
        findings.push(Finding::new(&CENTRAL_READER, list.span, text).help(help));
        return Vec::new();
    }
    let mut roles = BTreeSet::new();
    for name in settings.readers.iter().flat_map(|list| list.iter()) {
        match role(name, partition, id) {
            Ok(arn) => {
                roles.insert(arn);
            }
            Err(why) => findings.push(
                Finding::new(&CENTRAL_READER, name.span, format!("`{}` {why}", name.escape_debug()))
                    .help("write the name of a role of the account `central`, with its path if it has one, or its ARN; `*` stands for any text beside three letters at least"),
            ),
        }
    }
    roles.into_iter().collect()
}

/// The ARN of a role of the account, or why it is none.
fn role(name: &str, partition: Partition, id: &str) -> Result<String, String> {
    if !name.starts_with("arn:") {
        let fits = is_role_pattern(name);
        return fits
            .then(|| arn::role(partition, id, name))
            .ok_or_else(|| "is not the name of a role, or is that of almost every role".to_owned());
    }
    let parts = arn::parse(name).ok_or("is not an ARN")?;
    let role = parts.resource.strip_prefix("role/").filter(|_| parts.service == "iam" && is_account_id(parts.account));
    match role.filter(|role| is_role_pattern(role)) {
        None => Err("is not the ARN of a role".to_owned()),
        Some(_) if parts.account != id || parts.partition != partition.id() => Err(format!("is not a role of the account {id}")),
        Some(_) => Ok(name.to_owned()),
    }
}

fn result_bucket(
    map: &EffectiveMap<'_>,
    settings: &CentralSettings,
    id: &str,
    region: &str,
    findings: &mut Vec<Finding>,
) -> Option<String> {
    let written = settings.result_bucket.as_ref();
    let name = match (written, map.organization.filter(|name| is_org_name(name))) {
        (Some(name), _) => name.value.clone(),
        (None, Some(org)) => format!("{}-athena-{id}-{region}", org.value),
        // reported already
        (None, None) => return None,
    };
    if let Some(problem) = bucket_name::problem(&name) {
        let at = written.map_or(settings.span, |name| name.span);
        findings.push(
            Finding::new(
                &CENTRAL_RESULT_BUCKET,
                at,
                format!("`{}` can't be the name of the bucket for results: it {problem}", name.escape_debug()),
            )
            .help("write `result_bucket:` and another name"),
        );
        return None;
    }
    Some(name)
}

/// Reports what only the whole plan shows: which accounts are not asked about, a bucket that has another use, and what nothing renders.
pub(crate) fn check(map: &EffectiveMap<'_>, central: Option<&Central>, accounts: &[Account], findings: &mut Vec<Finding>) {
    let (Some(settings), Some(central)) = (&map.central, central) else { return };
    let partition = central.account.partition;
    let others: Vec<String> =
        accounts.iter().filter(|account| account.partition != partition).map(|account| account.key.clone()).collect();
    if !others.is_empty() {
        let text = format!(
            "{} not in the partition `{partition}` of `{}`, so nothing of theirs is asked there",
            of(&others),
            settings.account
        );
        findings.push(
            Finding::new(&CENTRAL_NOT_COVERED, settings.span, text).help(
                "no right crosses a partition; the files of `athena/` for these accounts and Regions are there all the same",
            ),
        );
    }
    let placements = || accounts.iter().filter(|account| account.partition == partition).flat_map(|account| &account.placements);
    if partition == Partition::Cn {
        let elsewhere: BTreeSet<String> = placements()
            .filter(|placement| placement.region != central.region && !placement.buckets.is_empty())
            .map(|placement| placement.region.clone())
            .collect();
        if !elsewhere.is_empty() {
            let regions: Vec<String> = elsewhere.into_iter().collect();
            findings.push(
                Finding::new(&CENTRAL_ACROSS_CHINA, settings.span, format!("log buckets in {} would be asked from `{}`", few(&regions, MOST_NAMED), central.region))
                    .help("Athena's user guide has a reservation about queries between Regions in China: try one first, and use the SQL of each Region if it fails"),
            );
        }
    }
    let taken = placements().find_map(|placement| {
        let bucket = placement.buckets.iter().any(|bucket| bucket.name == central.result_bucket);
        let source = placement.sources.iter().any(|source| source.name == central.result_bucket);
        if bucket { Some("is a log bucket") } else { source.then_some("is a source bucket") }
    });
    if let Some(what) = taken {
        let at = settings.result_bucket.as_ref().map_or(settings.span, |name| name.span);
        findings.push(
            Finding::new(
                &CENTRAL_RESULT_BUCKET,
                at,
                format!("`{}` {what} and can't be the bucket for results", central.result_bucket),
            )
            .help("write `result_bucket:` and a name that nothing else has: results are deleted there, and logs are not to be"),
        );
    }
    let makes = |target: TargetName| map.targets.as_ref().is_none_or(|targets| targets.contains(&target));
    let glue = map.render.glue && (makes(TargetName::Terraform) || makes(TargetName::CloudFormation));
    if !makes(TargetName::Athena) && !glue {
        findings.push(
            Finding::new(&CENTRAL_NOT_RENDERED, settings.span, "no target makes the tables that are to be asked".to_owned())
                .help("add `athena` to `settings.targets`, or write `render: { athena: { glue: true } }` and a target that makes resources; until then `athena` only lets the account read"),
        );
    }
}

fn of(keys: &[String]) -> String {
    let named = few(keys, MOST_NAMED);
    if keys.len() == 1 { format!("the account {named} is") } else { format!("the accounts {named} are") }
}
