//! One event bus for all: each rule's second target, and what its owner has to let in.

use super::{Account, BusSettings, MonitoringSettings};
use crate::{
    aws::{Partition, arn, watch},
    diagnostics::Finding,
    map::effective::EffectiveMap,
    policy::{
        Condition, Effect, Element, Policy, Principal, Statement,
        evaluate::{Caller, Request, Verdict, evaluate},
    },
    rules::monitoring::{EVENT_BUS, EVENT_BUS_LEFT_OUT},
};
use indexmap::IndexMap;
use serde::Serialize;
use serde_json::{Value, json};

/// Id of the target that is the bus.
pub(crate) const BUS_TARGET_ID: &str = "logmap-bus";

/// What the owner of the bus has to add to its policy.
#[derive(Debug, Clone, Serialize)]
pub struct BusPolicy {
    /// The statement.
    pub policy: Policy,
    /// Claims about it that don't hold: a bug, and nothing is written.
    #[serde(skip)]
    pub failures: Vec<String>,
}

/// An event bus as the target of rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BusTarget {
    /// ARN of the bus.
    pub arn: String,
    /// ARN of the role with which EventBridge sends.
    pub role_arn: String,
}

impl BusTarget {
    /// As EventBridge's API has the target. A bus gets the event as it is.
    pub(crate) fn to_value(&self) -> Value {
        json!({ "Id": BUS_TARGET_ID, "Arn": self.arn, "RoleArn": self.role_arn })
    }
}

/// The partition that a bus is in: EventBridge sends nothing across its border.
pub(super) fn partition_of_bus(bus: &BusSettings) -> Option<Partition> {
    arn::parse(&bus.arn).map(|arn| Partition::of_region(arn.region))
}

/// What the bus has to let the accounts do, for its owner: the whole organization where the map names it, else each account. The sending side
/// needs the role, whoever is let in: "We recommend always using IAM roles when the target of a rule is an event bus", and with an organization
/// it must have one (EventBridge user guide, "Permissions for event buses"; EventBridge API, PutPermission).
pub(crate) fn bus_policy(
    accounts: &[Account],
    settings: &MonitoringSettings,
    organization_id: Option<&str>,
) -> Option<BusPolicy> {
    let bus = settings.bus.as_ref()?;
    let owners: Vec<String> =
        accounts.iter().filter(|account| sends(account)).map(|account| arn::root(account.partition, &account.id)).collect();
    if owners.is_empty() {
        return None;
    }
    let (principal, condition) = match organization_id {
        Some(id) => (
            Principal::Any,
            IndexMap::from([(
                "StringEquals".to_owned(),
                IndexMap::from([("aws:PrincipalOrgID".to_owned(), vec![id.to_owned()])]),
            )]),
        ),
        None => (Principal::Kinds(IndexMap::from([("AWS".to_owned(), owners)])), Condition::new()),
    };
    let policy = Policy::new(vec![Statement {
        sid: "LogmapAlertsOfAll".to_owned(),
        effect: Effect::Allow,
        principal: Element::Is(principal),
        action: Element::Is(vec!["events:PutEvents".to_owned()]),
        resource: Element::Is(vec![bus.arn.clone()]),
        condition,
    }]);
    let failures = bus_failures(accounts, settings, &policy, organization_id);
    Some(BusPolicy { policy, failures })
}

/// Does any Region of an account send to the bus?
fn sends(account: &Account) -> bool {
    account.placements.iter().any(|one| one.monitoring.alerts.as_ref().is_some_and(|alerts| alerts.bus.is_some()))
}

/// Claims about that policy that do not hold: the role of each account that sends gets in, and one of a stranger's account does not, nor does
/// anybody with another action.
pub(super) fn bus_failures(
    accounts: &[Account],
    settings: &MonitoringSettings,
    policy: &Policy,
    organization_id: Option<&str>,
) -> Vec<String> {
    let Some(bus) = &settings.bus else { return Vec::new() };
    let may = |account: &str, organization: Option<&str>, action: &str| {
        let role = arn::role(partition_of_bus(bus).unwrap_or(Partition::Aws), account, &bus.role);
        let mut context = vec![("aws:PrincipalArn", role.as_str()), ("aws:PrincipalAccount", account)];
        context.extend(organization.map(|id| ("aws:PrincipalOrgID", id)));
        let request = Request { principal: Caller::Iam { arn: &role, account }, action, resource: &bus.arn, context: &context };
        matches!(evaluate(policy, &request), Verdict::Allowed(_))
    };
    let mut failures = Vec::new();
    let mut claim = |holds: bool, what: String| failures.extend((!holds).then_some(what));
    for account in accounts.iter().filter(|account| sends(account)) {
        claim(may(&account.id, organization_id, "events:PutEvents"), format!("`{}` can't send to the bus", account.key));
        claim(!may(&account.id, organization_id, "events:PutRule"), format!("`{}` may make rules of the bus", account.key));
    }
    let stranger = (0_u64..).map(|id| format!("{id:012}")).find(|id| accounts.iter().all(|account| account.id != *id));
    let stranger = stranger.unwrap_or_default();
    for organization in [None, Some("o-0000000000").filter(|id| Some(*id) != organization_id)] {
        claim(!may(&stranger, organization, "events:PutEvents"), "a stranger's account can send to the bus".to_owned());
    }
    failures
}

/// Reports accounts that can't send to the bus, and a policy of the bus that is too long.
pub(super) fn check_bus(map: &EffectiveMap<'_>, accounts: &[Account], findings: &mut Vec<Finding>) {
    let Some(bus) = &map.monitoring.bus else { return };
    for account in accounts.iter().filter(|account| Some(account.partition) != partition_of_bus(bus)) {
        let span = map.accounts.get(account.key.as_str()).map_or(bus.span, |account| account.key.span);
        findings.push(
            Finding::new(
                &EVENT_BUS_LEFT_OUT,
                span,
                format!("`{}` sends no events to the bus: it is in the partition `{}`", account.key, account.partition),
            )
            .related(bus.span, "the bus is in another one")
            .help("nothing crosses a partition: subscribe to the topics there"),
        );
    }
    let organization_id = map.organization_id.map(|id| id.value.as_str());
    let chars = bus_policy(accounts, &map.monitoring, organization_id).map_or(0, |bus| bus.policy.to_json().len());
    if chars > watch::BUS_POLICY_CHARS {
        findings.push(
            Finding::new(
                &EVENT_BUS,
                bus.span,
                format!("the policy of the bus would have {chars} characters, and it has room for {}", watch::BUS_POLICY_CHARS),
            )
            .help("write `organization.id`, so that the whole organization can be let in"),
        );
    }
}
