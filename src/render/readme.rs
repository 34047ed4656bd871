//! The output's own README: what to run, in which order, for this map.

use super::{Context, athena, aws_cli::takes_over, central::Asking, engine::Engine};
use crate::{
    artifacts::Artifact,
    aws::region,
    plan::{Account, Archive, Placement, Plan, monitoring},
    tables::{Catalog, archives},
};
use anyhow::Result;
use indexmap::IndexMap;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Path below the output folder.
pub const PATH: &str = "README.md";

/// The template.
pub const TEMPLATES: &[(&str, &str)] = &[("readme/README.md", include_str!("../../templates/readme/README.md"))];

/// Contract of `readme/README.md`.
#[derive(Debug, Serialize)]
struct ReadmeContext {
    /// Header lines.
    header: Vec<String>,
    /// File name of the map.
    map: String,
    /// Accounts in the order in which to apply.
    accounts: Vec<AccountRow>,
    /// Log buckets with their budgets.
    buckets: Vec<BudgetRow>,
    /// True if `policies/` is there.
    policies: bool,
    /// True if `terraform/` is there.
    terraform: bool,
    /// Version of the AWS provider for Terraform: 6 or 5.
    aws_provider: u32,
    /// True if each Region has an aliased provider, always with version 5.
    aliased_providers: bool,
    /// True if there is a module for each Region, which roots call. False: a root module for each account.
    modules: bool,
    /// True if `cloudformation/` is there.
    cloudformation: bool,
    /// True if `aws-cli/` is there.
    aws_cli: bool,
    /// Those of the three above with which buckets can be made: `terraform`, `cloudformation`, `aws-cli`.
    choices: Vec<&'static str>,
    /// True if `athena/` is there.
    athena: bool,
    /// Some log bucket archives objects, which queries then skip.
    archives: bool,
    /// True if modules and stacks carry the tables of Athena.
    glue: bool,
    /// The account that asks the logs of all; none or one.
    central: Vec<CentralRow>,
    /// True if an account has a profile.
    profiles: bool,
    /// True if a bucket is adopted.
    adopts: bool,
    /// Whom statements of the map let in beside the deliveries.
    admitted: Vec<AdmittedRow>,
    /// Services that may write logs of their own, for each log bucket.
    senders: Vec<SenderRow>,
    /// The archive that logs are copied to: none or one.
    archive: Vec<ArchiveRow>,
    /// KMS documents: file and key ARN.
    keys: Vec<KeyRow>,
    /// Log groups and topics that trails feed; empty if there are none.
    feeds: Vec<FeedRow>,
    /// Name of the parameter with the log bucket's name; empty for none.
    parameter: String,
    /// Name of the parameter with all that logging is set to; empty for none.
    logging_parameter: String,
    /// Sources whose logging other code sets, if that parameter is there.
    external: Vec<ExternalRow>,
    /// The placements with alerts.
    alerts: Vec<AlertsRow>,
    /// What alerts are about beside logging itself: words of the map and phrases.
    watched: Vec<WatchedRow>,
    /// Whose calls are told of only if they are refused: names of roles, and ARNs.
    excepted: Vec<String>,
    /// Those of them in which no alert comes, or not every one.
    silent: Vec<SilentRow>,
    /// The trails of the organization.
    organization_trails: Vec<OrganizationTrailRow>,
    /// The opt-in Regions, each with its account: `eu-south-1` of `prod`.
    opt_in: Vec<OptInRow>,
    /// Tags of everything that is made, as `key=value`; those with an equals sign in the key are left out.
    tags: Vec<String>,
    /// What a stack has to be allowed.
    capability: &'static str,
    /// True if a rule of AWS Config is made.
    config_rule: bool,
    /// The placements that were to have one and have none.
    no_config_rule: Vec<String>,
    /// Trails of earlier runs that the map no longer has, but for those of closed accounts.
    retired_trails: Vec<RetiredTrailRow>,
}

/// The account that asks the logs of all.
#[derive(Debug, Serialize)]
struct CentralRow {
    /// Its key.
    key: String,
    /// Twelve digits.
    id: String,
    /// Region in which it asks.
    region: String,
    /// ARNs of the roles that may read; empty for whomever the account lets.
    roles: Vec<String>,
    /// Name of the workgroup.
    workgroup: &'static str,
    /// Name of the bucket for results.
    bucket: String,
    /// Days after which results are deleted.
    result_days: u32,
    /// Gigabytes that a query may scan.
    scan_limit_gb: u64,
    /// Regions whose buckets are read and which it has to enable.
    opt_in: Vec<String>,
    /// It has no log bucket, so that its module has nothing else.
    alone: bool,
    /// Accounts of other partitions, which it can't ask about.
    not_covered: Vec<String>,
    /// What is left out, as sentences.
    left_out: Vec<String>,
}

fn central(cx: &Context<'_>) -> Result<Vec<CentralRow>> {
    let engine = Engine::new(athena::TEMPLATES, cx.overrides)?;
    let Some(asking) = Asking::of(cx, &engine, &Catalog::of(cx.plan()))? else { return Ok(Vec::new()) };
    let central = asking.central;
    let others = cx.plan().accounts.iter().filter(|account| account.partition != central.account.partition);
    Ok(vec![CentralRow {
        key: central.account.key.clone(),
        id: central.account.id.clone(),
        region: central.region.clone(),
        roles: central.roles.clone(),
        workgroup: asking.workgroup(),
        bucket: central.result_bucket.clone(),
        result_days: central.result_days,
        scan_limit_gb: central.scan_limit_bytes / 1_000_000_000,
        opt_in: asking.opt_in().into_iter().map(str::to_owned).collect(),
        alone: cx.plan().account(&central.account.key).is_none(),
        not_covered: others.map(|account| account.key.clone()).collect(),
        left_out: asking.left_out.clone(),
    }])
}

/// The archive that logs are copied to.
#[derive(Debug, Serialize)]
struct ArchiveRow {
    /// Key of its account.
    account: String,
    /// Its Region.
    region: String,
    /// Name of the bucket.
    bucket: String,
    /// KMS key of the copies; empty for none.
    kms_key_arn: String,
    /// True if it has Object Lock.
    locked: bool,
    /// How CloudWatch Logs writes, if it is that which copies; empty if S3 replicates.
    format: &'static str,
    /// How many log buckets are copied, or sources delivered.
    copied: usize,
    /// Names of log buckets that are not, because they existed before.
    left_out: Vec<String>,
    /// Trails whose files are encrypted with a KMS key and not copied, because copies have none.
    encrypted: Vec<String>,
}

/// A trail that left the map.
#[derive(Debug, Serialize)]
struct RetiredTrailRow {
    /// Its name.
    name: String,
    /// Region in which it was made.
    region: String,
    /// Account key, as it was then.
    account: String,
    /// Twelve digits.
    account_id: String,
}

/// A trail of the organization.
#[derive(Debug, Serialize)]
struct OrganizationTrailRow {
    /// Its name.
    name: String,
    /// Account key.
    account: String,
}

/// A Region that an account must enable before it is used.
#[derive(Debug, Serialize)]
struct OptInRow {
    /// Region name.
    region: String,
    /// Account key.
    account: String,
}

/// Alerts of a placement.
#[derive(Debug, Serialize)]
struct AlertsRow {
    /// Account key.
    account: String,
    /// Region name.
    region: String,
    /// ARN of the topic.
    topic: String,
    /// Number of rules.
    rules: usize,
    /// True: every bucket is watched, not the sources by their names.
    every_bucket: bool,
}

/// Sources of an account and Region whose logging other code sets alike.
#[derive(Debug, Serialize)]
struct ExternalRow {
    /// Account key.
    account: String,
    /// Region name.
    region: String,
    /// Names of the first of them.
    sources: Vec<String>,
    /// How many there are besides.
    more: usize,
    /// Name of the log bucket.
    bucket: String,
    /// Prefix, with `{source_bucket}` for the source's own name at its end.
    prefix: String,
    /// How S3 lays out their keys.
    layout: &'static str,
}

/// So many sources are named in a row.
const NAMED_SOURCES: usize = 10;

fn external(plan: &Plan) -> Vec<ExternalRow> {
    let mut rows = Vec::new();
    for (account, placement) in plan.placements().filter(|(_, placement)| placement.monitoring.logging_parameter.is_some()) {
        let mut groups: IndexMap<_, Vec<&str>> = IndexMap::new();
        for source in placement.sources.iter().filter(|source| !source.managed) {
            groups.entry(monitoring::layout(source)).or_default().push(&source.name);
        }
        let bucket = placement.access_log_bucket().map_or("", |bucket| &bucket.name);
        rows.extend(groups.into_iter().map(|((prefix, format), names)| ExternalRow {
            account: account.key.clone(),
            region: placement.region.clone(),
            sources: names.iter().take(NAMED_SOURCES).map(|name| (*name).to_owned()).collect(),
            more: names.len().saturating_sub(NAMED_SOURCES),
            bucket: bucket.to_owned(),
            prefix: prefix.into_owned(),
            layout: format.layout(),
        }));
    }
    rows
}

/// What alerts are about beside logging itself.
#[derive(Debug, Serialize)]
struct WatchedRow {
    /// Its word in the map.
    word: &'static str,
    /// What it is.
    phrase: &'static str,
}

/// A placement with rules that hear nothing.
#[derive(Debug, Serialize)]
struct SilentRow {
    /// Account key.
    account: String,
    /// Region name.
    region: String,
    /// Names of the rules; empty if it is all of them.
    rules: Vec<String>,
}

/// An account.
#[derive(Debug, Serialize)]
struct AccountRow {
    /// Its key.
    key: String,
    /// Twelve digits.
    id: String,
    /// Region names in the order in which to apply: sorted, that of the archive first.
    regions: Vec<String>,
    /// Regions with an adopted bucket.
    adopted: Vec<String>,
    /// True if its Terraform module has a preflight check.
    preflight: bool,
    /// Keys of accounts that its trails deliver to or its log buckets are copied to, and that therefore come first.
    after: Vec<String>,
    /// Name of its profile in the settings of the AWS CLI; empty for none.
    profile: String,
    /// ARN of the role to assume in it; empty for none.
    role: String,
}

/// A log bucket.
#[derive(Debug, Serialize)]
struct BudgetRow {
    /// Its name.
    name: String,
    /// Account key.
    account: String,
    /// Region name.
    region: String,
    /// Number of sources.
    sources: usize,
    /// Bytes of its policy.
    used: usize,
    /// Bytes that the policy may still have.
    left: usize,
    /// How exactly the policy names the sources.
    tier: &'static str,
    /// What is unusual about the policy.
    notes: Vec<String>,
}

/// What a statement of the map gives to others than the log bucket's account, the same in some log buckets.
#[derive(Debug, Serialize)]
struct AdmittedRow {
    /// Sid of the statement; may be empty.
    sid: String,
    /// Principals and services as the statement names them.
    who: Vec<String>,
    /// Actions as the statement names them.
    actions: Vec<String>,
    /// True if it gives more than reading: writing or removing logs, or changing the bucket.
    changes: bool,
    /// Name of the first of the log buckets.
    bucket: String,
    /// Number of the log buckets.
    buckets: usize,
}

/// A service that may write logs of its own into a log bucket.
#[derive(Debug, Serialize)]
struct SenderRow {
    /// As people call it.
    service: &'static str,
    /// Name of the log bucket.
    bucket: String,
    /// Where its keys begin.
    folder: String,
    /// Keys of the first accounts for which it writes.
    accounts: Vec<String>,
    /// How many accounts there are besides.
    more: usize,
}

/// So many accounts are named in a row.
const NAMED_ACCOUNTS: usize = 5;

fn senders(plan: &Plan) -> Vec<SenderRow> {
    let keys: BTreeMap<&str, &str> = plan.accounts.iter().map(|account| (account.id.as_str(), account.key.as_str())).collect();
    let buckets = plan.placements().flat_map(|(_, placement)| &placement.buckets);
    let rows = buckets.flat_map(|bucket| bucket.basis.senders.iter().map(move |grant| (bucket, grant)));
    rows.map(|(bucket, grant)| SenderRow {
        service: grant.sender.phrase(),
        bucket: bucket.name.clone(),
        folder: grant.sender.folder(&grant.prefix),
        accounts: grant
            .accounts
            .iter()
            .take(NAMED_ACCOUNTS)
            .map(|id| keys.get(id.as_str()).map_or(id.as_str(), |key| key).to_owned())
            .collect(),
        more: grant.accounts.len().saturating_sub(NAMED_ACCOUNTS),
    })
    .collect()
}

/// A KMS key.
#[derive(Debug, Serialize)]
struct KeyRow {
    /// File name below `policies/kms/`, without its ending.
    file: String,
    /// ARN of the key.
    arn: String,
}

/// What a trail feeds beside its bucket.
#[derive(Debug, Serialize)]
struct FeedRow {
    /// Trail name.
    trail: String,
    /// Its ARN.
    trail_arn: String,
    /// Key of its account.
    account: String,
    /// ARN of the log group, with `:*` at its end; may be empty.
    log_group: String,
    /// ARN of the role that writes to it.
    role: String,
    /// ARN of the topic; may be empty.
    topic: String,
}

fn feeds(plan: &Plan) -> Vec<FeedRow> {
    plan.trails()
        .filter(|(_, trail)| trail.log_group.is_some() || trail.topic.is_some())
        .map(|(account, trail)| FeedRow {
            trail: trail.name.clone(),
            trail_arn: trail.arn.clone(),
            account: account.key.clone(),
            log_group: trail.log_group.as_ref().map(|group| group.arn.clone()).unwrap_or_default(),
            role: trail.log_group.as_ref().map(|group| group.role_arn.clone()).unwrap_or_default(),
            topic: trail.topic.as_ref().map(|topic| topic.arn.clone()).unwrap_or_default(),
        })
        .collect()
}

/// A statement as it is told: Sid, who, what, and whether it is reading only.
type Told<'p> = (&'p str, &'p [String], &'p [String], bool);

/// Whom statements of the map let in, each statement once.
fn admitted(plan: &Plan) -> Vec<AdmittedRow> {
    let mut rows: IndexMap<Told<'_>, AdmittedRow> = IndexMap::new();
    for bucket in plan.placements().flat_map(|(_, placement)| &placement.buckets) {
        for one in &bucket.proof.admitted {
            let row = rows
                .entry((one.sid.as_str(), one.who.as_slice(), one.actions.as_slice(), one.changes.is_empty()))
                .or_insert_with(|| AdmittedRow {
                    sid: one.sid.clone(),
                    who: one.who.clone(),
                    actions: one.actions.clone(),
                    changes: !one.changes.is_empty(),
                    bucket: bucket.name.clone(),
                    buckets: 0,
                });
            row.buckets += 1;
        }
    }
    rows.into_values().collect()
}

/// Renders `README.md`; `targets` are the names of those whose folders are there.
///
/// # Errors
/// An overridden template fails.
pub fn render(cx: &Context<'_>, targets: &[&str]) -> Result<Artifact> {
    let engine = Engine::new(TEMPLATES, cx.overrides)?;
    let accounts = cx.plan().apply_order.iter().filter_map(|key| cx.plan().account(key)).map(|account| {
        let mut after: Vec<String> = account
            .placements
            .iter()
            .flat_map(|placement| &placement.trails)
            .map(|trail| trail.bucket_account.clone())
            .chain(copies_to(cx.plan(), account))
            .filter(|key| *key != account.key)
            .collect();
        after.sort();
        after.dedup();
        AccountRow {
            key: account.key.clone(),
            id: account.id.clone(),
            regions: account.in_apply_order().map(|placement| placement.region.clone()).collect(),
            adopted: account
                .placements
                .iter()
                .filter(|placement| placement.adopts())
                .map(|placement| placement.region.clone())
                .collect(),
            preflight: account.placements.iter().any(takes_over),
            after,
            profile: account.profile.clone().unwrap_or_default(),
            role: account.role_arn.clone().unwrap_or_default(),
        }
    });
    let buckets = cx.plan().placements().flat_map(|(account, placement)| {
        placement.buckets.iter().map(move |bucket| BudgetRow {
            name: bucket.name.clone(),
            account: account.key.clone(),
            region: placement.region.clone(),
            sources: if bucket.takes_access_logs { placement.sources.len() } else { 0 },
            used: bucket.report.bytes_used,
            left: bucket.report.bytes_left,
            tier: bucket.report.tier.word(),
            notes: bucket.report.notes.clone(),
        })
    });
    let monitoring = || cx.plan().placements().map(|(account, placement)| (account, placement, &placement.monitoring));
    let accounts: Vec<AccountRow> = accounts.collect();
    let mut context = ReadmeContext {
        header: Vec::new(),
        map: cx.map_name.to_owned(),
        glue: cx.plan().render.glue,
        central: central(cx)?,
        tags: {
            let tags = cx.plan().render.tags.iter().filter(|(key, _)| !key.contains('='));
            tags.map(|(key, value)| format!("{key}={value}")).collect()
        },
        profiles: accounts.iter().any(|account| !account.profile.is_empty()),
        adopts: accounts.iter().any(|account| !account.adopted.is_empty()),
        accounts,
        buckets: buckets.collect(),
        policies: targets.contains(&"policies"),
        terraform: targets.contains(&"terraform"),
        aws_provider: cx.plan().render.aws_provider,
        aliased_providers: cx.plan().render.aliased_providers,
        modules: cx.plan().render.modules,
        cloudformation: targets.contains(&"cloudformation"),
        aws_cli: targets.contains(&"aws-cli"),
        choices: ["terraform", "cloudformation", "aws-cli"].into_iter().filter(|name| targets.contains(name)).collect(),
        athena: targets.contains(&"athena"),
        archives: cx.plan().placements().any(|(_, placement)| placement.buckets.iter().any(archives)),
        parameter: monitoring()
            .find_map(|(_, _, monitoring)| Some(monitoring.parameter.as_ref()?.name.clone()))
            .unwrap_or_default(),
        logging_parameter: monitoring()
            .find_map(|(_, _, monitoring)| Some(monitoring.logging_parameter.as_ref()?.name.clone()))
            .unwrap_or_default(),
        external: external(cx.plan()),
        alerts: monitoring()
            .filter_map(|(account, placement, monitoring)| {
                let alerts = monitoring.alerts.as_ref()?;
                Some(AlertsRow {
                    account: account.key.clone(),
                    region: placement.region.clone(),
                    topic: alerts.topic_arn.clone(),
                    rules: alerts.rules.len(),
                    every_bucket: alerts.every_bucket,
                })
            })
            .collect(),
        watched: {
            let asked = cx.plan().monitoring.also.iter().filter(|_| cx.plan().monitoring.topic.is_some());
            asked.map(|one| WatchedRow { word: one.word(), phrase: one.phrase() }).collect()
        },
        excepted: {
            let settings = &cx.plan().monitoring;
            if settings.topic.is_some() { settings.except.clone() } else { Vec::new() }
        },
        silent: monitoring()
            .filter_map(|(account, placement, monitoring)| {
                let alerts = monitoring.alerts.as_ref().filter(|alerts| !alerts.silent.is_empty())?;
                let rules = if alerts.is_silent() { Vec::new() } else { alerts.silent.clone() };
                Some(SilentRow { account: account.key.clone(), region: placement.region.clone(), rules })
            })
            .collect(),
        organization_trails: cx
            .plan()
            .trails()
            .filter(|(_, trail)| trail.organization)
            .map(|(account, trail)| OrganizationTrailRow { name: trail.name.clone(), account: account.key.clone() })
            .collect(),
        opt_in: cx
            .plan()
            .placements()
            .filter(|(_, placement)| region::find(&placement.region).is_some_and(|known| known.opt_in))
            .map(|(account, placement)| OptInRow { region: placement.region.clone(), account: account.key.clone() })
            .collect(),
        capability: cx.plan().render.capability(),
        config_rule: monitoring().any(|(_, _, monitoring)| monitoring.config_rule.is_some()),
        no_config_rule: monitoring()
            .filter(|(_, placement, monitoring)| {
                cx.plan().monitoring.config_rule && placement.access_log_bucket().is_some() && monitoring.config_rule.is_none()
            })
            .map(|(account, placement, _)| format!("{} in {}", account.key, placement.region))
            .collect(),
        admitted: admitted(cx.plan()),
        senders: senders(cx.plan()),
        archive: cx.plan().archive.iter().map(|archive| archive_row(cx.plan(), archive)).collect(),
        keys: cx.plan().key_policies.iter().map(|key| KeyRow { file: key.file.clone(), arn: key.key_arn.clone() }).collect(),
        feeds: feeds(cx.plan()),
        retired_trails: cx
            .retired_trails
            .iter()
            .filter(|gone| !cx.plan().closed.contains(&gone.account_id))
            .map(|gone| RetiredTrailRow {
                name: gone.trail.clone(),
                region: gone.region.clone(),
                account: gone.account.clone(),
                account_id: gone.account_id.clone(),
            })
            .collect(),
    };
    let mut slice = serde_json::to_value(&context)?;
    // without tags, what trails feed, trails that left, a role's name, modules, senders or more alerts the head is what it was before a map could say them
    let unnamed = cx.plan().render.role_name_prefix.is_empty();
    for (key, empty) in [
        ("tags", context.tags.is_empty()),
        ("feeds", context.feeds.is_empty()),
        ("retired_trails", context.retired_trails.is_empty()),
        ("capability", unnamed),
        ("modules", !context.modules),
        ("senders", context.senders.is_empty()),
        ("silent", context.silent.is_empty()),
        ("watched", context.watched.is_empty()),
        ("logging_parameter", context.logging_parameter.is_empty()),
        ("external", context.external.is_empty()),
        ("excepted", context.excepted.is_empty()),
        ("archive", context.archive.is_empty()),
    ] {
        if let Some(keys) = slice.as_object_mut().filter(|_| empty) {
            keys.shift_remove(key);
        }
    }
    context.header = cx.header(&slice);
    Ok(Artifact::file(PATH, engine.render("readme/README.md", &context)?))
}

/// Key of the account with the archive, if the account's log buckets are copied there.
fn copies_to(plan: &Plan, account: &Account) -> Option<String> {
    let delivers = |placement: &Placement| placement.vended.as_ref().is_some_and(|vended| !vended.sources.is_empty());
    let copied = account.placements.iter().any(|placement| placement.replication_role.is_some() || delivers(placement));
    plan.archive.as_ref().filter(|_| copied).map(|archive| archive.account.clone())
}

fn archive_row(plan: &Plan, archive: &Archive) -> ArchiveRow {
    let buckets = || plan.placements().flat_map(|(_, placement)| &placement.buckets);
    let encrypted = plan.trails().map(|(_, trail)| trail).filter(|trail| {
        let copied = || buckets().any(|bucket| bucket.name == trail.bucket && bucket.replication.is_some());
        trail.kms_key_arn.is_some() && archive.kms_key_arn.is_none() && copied()
    });
    let encrypted: BTreeSet<&str> = encrypted.map(|trail| trail.name.as_str()).collect();
    ArchiveRow {
        account: archive.account.clone(),
        region: archive.region.clone(),
        bucket: archive.bucket.clone(),
        kms_key_arn: archive.kms_key_arn.clone().unwrap_or_default(),
        locked: buckets().any(|bucket| bucket.takes_copies && bucket.object_lock.is_some()),
        format: archive.format.unwrap_or_default(),
        copied: archive.copied.len(),
        left_out: archive.left_out.clone(),
        encrypted: encrypted.into_iter().map(str::to_owned).collect(),
    }
}
