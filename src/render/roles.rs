//! The roles that deploy and read, for every account alike: a template for a stack or a StackSet, and a module for Terraform.
//!
//! Takes what all accounts of the plan have together, and gives the policies of one made-up account that has it: in the place of the account
//! and of the partition stands what each target fills in where the role is made.

use super::{Context, Sink, deployer, engine::Engine, reader};
use crate::{
    artifacts::Artifact,
    aws::{arn, limits::ROLE_POLICIES_CHARS},
    plan::{
        Account, LogBucket, Placement, Plan, Source, Trail,
        monitoring::{BusTarget, Monitoring},
        vended::Vended,
    },
    text,
};
use anyhow::Result;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const STACK: &str = "policies/roles.yaml";
const MODULE: &str = "policies/roles.tf";

/// The templates.
pub(crate) const TEMPLATES: &[(&str, &str)] =
    &[(STACK, include_str!("../../templates/policies/roles.yaml")), (MODULE, include_str!("../../templates/policies/roles.tf"))];

/// Stands for an account's id, and in Terraform's files for good.
const ACCOUNT: &str = "{account_id}";
/// Trails that are named, and roles of their log groups; of more than these any is meant.
const NAMED: usize = 10;

/// Contract of `policies/roles.yaml` and `policies/roles.tf`.
#[derive(Serialize)]
struct RolesContext {
    /// Header lines.
    header: Vec<String>,
    /// The roles.
    roles: Vec<Role>,
    /// The role with which EventBridge sends to the bus for the alerts of all: none or one.
    senders: Vec<Sender>,
}

/// The role with which EventBridge sends.
#[derive(Serialize)]
struct Sender {
    /// Its name.
    name: String,
    /// ARN of the bus.
    bus_arn: String,
    /// What it is for.
    description: &'static str,
}

/// A role.
#[derive(Serialize)]
struct Role {
    /// `Deployer` or `Reader`: logical id, and the beginning of the parameter with its name.
    id: &'static str,
    /// `deployer` or `reader`.
    key: &'static str,
    /// What it is for.
    description: &'static str,
    /// Parameter with the external id.
    external_id: &'static str,
    /// Condition that there is one.
    external_id_condition: &'static str,
    /// Variable with the external id.
    external_id_variable: &'static str,
    /// Its inline policies.
    policies: Vec<RolePolicy>,
    /// Policies of its own that are attached to it, for want of room in a role.
    managed: Vec<RolePolicy>,
}

/// A policy in a role.
#[derive(Serialize)]
struct RolePolicy {
    /// Name, and that of the module's file without its ending.
    name: &'static str,
    /// The document, with `Fn::Sub` around what a stack fills in.
    document: Value,
}

/// Renders `policies/roles.yaml` and the module in `policies/roles/`.
///
/// # Errors
/// An overridden template fails, or the sink does.
pub(super) fn render(cx: &Context<'_>, sink: &mut Sink<'_>) -> Result<()> {
    let Some(account) = any_account(cx.plan()) else { return Ok(()) };
    let deployer: Vec<(&'static str, Value)> = deployer::of_any_account(cx.plan(), &account);
    let reader = vec![("reader", reader::of_any_account(&account))];
    let engine = Engine::new(TEMPLATES, cx.overrides)?;
    let mut files = Vec::new();
    let mut policies = |documents: Vec<(&'static str, Value)>| -> [Vec<RolePolicy>; 2] {
        let documents: Vec<(&'static str, Value)> =
            documents.into_iter().map(|(name, document)| (name, any_partition(document))).collect();
        let inline = inline(&documents);
        files.extend(documents.iter().cloned());
        let mut policies = documents.into_iter().map(|(name, document)| RolePolicy { name, document: substituted(document) });
        [policies.by_ref().take(inline).collect(), policies.collect()]
    };
    let ([deployer, deployer_managed], [reader, reader_managed]) = (policies(deployer), policies(reader));
    let roles = vec![
        Role {
            id: "Deployer",
            key: "deployer",
            description: "Deploys what logmap renders for this account",
            external_id: "DeployerExternalId",
            external_id_condition: "HasDeployerExternalId",
            external_id_variable: "deployer_external_id",
            policies: deployer,
            managed: deployer_managed,
        },
        Role {
            id: "Reader",
            key: "reader",
            description: "Reads this account for logmap snapshot and drift",
            external_id: "ExternalId",
            external_id_condition: "HasExternalId",
            external_id_variable: "external_id",
            policies: reader,
            managed: reader_managed,
        },
    ];
    let header = cx.header(&files);
    let senders = cx.plan().monitoring.bus.iter().map(|bus| Sender {
        name: bus.role.clone(),
        bus_arn: bus.arn.clone(),
        description: "EventBridge sends the events of logmap's alerts to one bus with it",
    });
    let context = RolesContext { header, roles, senders: senders.collect() };
    sink(Artifact::file("policies/roles.yaml", engine.render(STACK, &context)?))?;
    sink(Artifact::file("policies/roles/main.tf", engine.render(MODULE, &context)?))?;
    for (name, document) in files {
        sink(Artifact::file(format!("policies/roles/{name}.json"), text::pretty_json(&document) + "\n"))?;
    }
    Ok(())
}

/// How many of the policies, from the first one, a role has room for; the others are managed policies.
fn inline(documents: &[(&'static str, Value)]) -> usize {
    let sizes = documents.iter().scan(0, |size, (_, document)| {
        *size += text::json(document).len();
        Some(*size)
    });
    sizes.take_while(|size| *size <= ROLE_POLICIES_CHARS).count()
}

/// One account with one of each that any account of the plan has; `None` if there is none.
fn any_account(plan: &Plan) -> Option<Account> {
    let partition = plan.accounts.first()?.partition;
    let placements = || plan.placements().map(|(_, placement)| placement);
    let one_of =
        |wanted: fn(&Source) -> bool| placements().flat_map(|placement| &placement.sources).find(|source| wanted(source));
    let sources =
        [one_of(|source| source.managed && !source.is_log_bucket), one_of(|source| source.managed && source.is_log_bucket)];
    let buckets = || placements().flat_map(|placement| &placement.buckets);
    let bucket: Option<&LogBucket> = buckets().find(|bucket| bucket.object_lock.is_some()).or_else(|| buckets().next());
    let mut trails: BTreeMap<&str, Trail> = BTreeMap::new();
    let mut log_roles = BTreeMap::new();
    for trail in placements().flat_map(|placement| &placement.trails) {
        let kept = trails.entry(&trail.name).or_insert_with(|| trail.clone());
        kept.organization |= trail.organization;
        if let Some(group) = &trail.log_group {
            let name = group.role_arn.split_once(":role/").map_or("*", |(_, name)| name);
            let mut group = group.clone();
            group.role_arn = arn::role(partition, ACCOUNT, name);
            log_roles.insert(name, group.clone());
            kept.log_group = Some(group);
        }
    }
    let mut trails: Vec<Trail> = trails.into_values().collect();
    if trails.len() > NAMED || log_roles.len() > NAMED {
        let organization = trails.iter().any(|trail| trail.organization);
        trails.truncate(1);
        for trail in &mut trails {
            trail.name = "*".to_owned();
            trail.organization = organization;
            trail.log_group = log_roles.values().next().cloned().map(|mut group| {
                group.role_arn = arn::role(partition, ACCOUNT, "*");
                group
            });
        }
    }
    let mut monitoring = Monitoring::default();
    for made in placements().map(|placement| &placement.monitoring) {
        monitoring.parameter = monitoring.parameter.or_else(|| made.parameter.clone());
        monitoring.logging_parameter = monitoring.logging_parameter.or_else(|| made.logging_parameter.clone());
        monitoring.config_rule = monitoring.config_rule.or_else(|| made.config_rule.clone());
        monitoring.alerts = monitoring.alerts.or_else(|| made.alerts.clone());
    }
    if let (Some(alerts), Some(bus)) = (&mut monitoring.alerts, &plan.monitoring.bus) {
        alerts.bus = Some(BusTarget { arn: bus.arn.clone(), role_arn: arn::role(partition, ACCOUNT, &bus.role) });
    }
    let mut vended: Option<Vended> = None;
    for one in placements().filter_map(|placement| placement.vended.as_ref()) {
        let all = vended.get_or_insert_with(|| one.clone());
        all.destination = all.destination.take().or_else(|| one.destination.clone());
        if all.sources.is_empty() {
            all.sources.clone_from(&one.sources);
        }
    }
    let placement = Placement {
        region: "*".to_owned(),
        buckets: bucket.cloned().into_iter().collect(),
        sources: sources.into_iter().flatten().cloned().collect(),
        trails,
        function_vpc: placements().find_map(|placement| placement.function_vpc.clone()),
        replication_role: placements().find_map(|placement| placement.replication_role.clone()),
        vended,
        monitoring,
    };
    Some(Account {
        key: String::new(),
        id: ACCOUNT.to_owned(),
        partition,
        role_arn: None,
        profile: None,
        placements: vec![placement],
    })
}

/// With a placeholder for the partition in each ARN.
fn any_partition(document: Value) -> Value {
    each_text(document, &|text| {
        let parts = text.strip_prefix("arn:").and_then(|rest| rest.split_once(':'));
        json!(parts.map_or_else(|| text.clone(), |(_, rest)| format!("arn:{{partition}}:{rest}")))
    })
}

/// For a stack: what it fills in.
fn substituted(document: Value) -> Value {
    each_text(document, &|text| {
        if !text.contains('{') {
            return json!(text);
        }
        let text = text.replace("${", "${!").replace("{partition}", "${AWS::Partition}").replace(ACCOUNT, "${AWS::AccountId}");
        json!({ "Fn::Sub": text })
    })
}

fn each_text(value: Value, change: &impl Fn(String) -> Value) -> Value {
    match value {
        Value::String(text) => change(text),
        Value::Array(items) => items.into_iter().map(|item| each_text(item, change)).collect(),
        Value::Object(entries) => entries.into_iter().map(|(key, value)| (key, each_text(value, change))).collect(),
        other => other,
    }
}
