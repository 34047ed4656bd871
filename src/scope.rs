//! What a reading of accounts is asked for: their ids, how they are reached, and what of the map is in them.
//!
//! Takes a plan; the program that `logmap snapshot --script` prints has it as JSON, and the reading in this program takes it as it is.

/// Where the roles that copy are in a reading, and which of their policies is asked for: a reading knows no plan.
#[cfg(feature = "live")]
pub(crate) use crate::plan::copies::{POLICY_NAME, ROLE_READINGS};
use crate::{
    aws::Partition,
    plan::{self, Plan},
};
use indexmap::IndexMap;
use serde::Serialize;

/// What is to be read.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Scope {
    /// The accounts, in the order of the plan.
    pub accounts: Vec<AccountScope>,
    /// Ids of accounts that the map says are closed.
    pub closed: Vec<String>,
}

/// What is to be read of an account.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct AccountScope {
    /// Twelve digits.
    pub id: String,
    /// Its key in the map; its id if it is not in the map.
    pub key: String,
    /// Its partition, as in ARNs.
    pub partition: Partition,
    /// The profile that the map names for it.
    pub profile: Option<String>,
    /// ARN of the role that the map names for it.
    pub role: Option<String>,
    /// What of the map is in each of its Regions.
    pub regions: IndexMap<String, PlaceScope>,
}

/// What of the map is in one Region of an account.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct PlaceScope {
    /// The log buckets.
    pub log_buckets: Vec<LogBucketScope>,
    /// The source buckets.
    pub sources: Vec<SourceScope>,
    /// ARNs of trails that have Insights.
    pub insights: Vec<String>,
    /// Names of roles with which S3 copies log buckets.
    pub copy_roles: Vec<String>,
    /// Names of SSM parameters.
    pub parameters: Vec<String>,
    /// Names of rules of AWS Config.
    pub config_rules: Vec<String>,
    /// Names of EventBridge rules.
    pub event_rules: Vec<String>,
    /// ARNs of SNS topics.
    pub topics: Vec<String>,
}

/// A log bucket of the map.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct LogBucketScope {
    /// Bucket name.
    pub name: String,
    /// Keys of its tags in the map, whose values nobody hides.
    pub tags: Vec<String>,
}

/// A source bucket of the map.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct SourceScope {
    /// Bucket name.
    pub name: String,
    /// Where it logs to.
    pub log_bucket: String,
    /// Prefix of its log objects.
    pub prefix: String,
    /// `EventTime` or `DeliveryTime`; nothing where keys are flat.
    pub format: Option<&'static str>,
}

impl Scope {
    /// What there is to read of a plan.
    pub(crate) fn of(plan: &Plan) -> Self {
        let accounts = plan.accounts.iter().map(|account| AccountScope {
            id: account.id.clone(),
            key: account.key.clone(),
            partition: account.partition,
            profile: account.profile.clone(),
            role: account.role_arn.clone(),
            regions: account.placements.iter().map(|placement| (placement.region.clone(), PlaceScope::of(placement))).collect(),
        });
        Scope { accounts: accounts.collect(), closed: plan.closed.clone() }
    }
}

impl PlaceScope {
    fn of(placement: &plan::Placement) -> Self {
        let monitoring = &placement.monitoring;
        let alerts = monitoring.alerts.iter();
        PlaceScope {
            log_buckets: placement
                .buckets
                .iter()
                .map(|bucket| LogBucketScope { name: bucket.name.to_string(), tags: bucket.tags.keys().cloned().collect() })
                .collect(),
            sources: placement
                .sources
                .iter()
                .map(|source| SourceScope {
                    name: source.name.clone(),
                    log_bucket: source.log_bucket.to_string(),
                    prefix: source.prefix.to_string(),
                    format: source.key_format.partition_date_source(),
                })
                .collect(),
            insights: placement.trails.iter().filter(|trail| !trail.insights.is_empty()).map(|trail| trail.arn.clone()).collect(),
            copy_roles: placement.replication_role.iter().map(|role| role.name.clone()).collect(),
            parameters: monitoring.parameters().map(|(parameter, _)| parameter.name.clone()).collect(),
            config_rules: monitoring.config_rule.iter().map(|rule| rule.name.clone()).collect(),
            event_rules: alerts.clone().flat_map(|alerts| &alerts.rules).map(|rule| rule.name.clone()).collect(),
            topics: alerts.map(|alerts| alerts.topic_arn.clone()).collect(),
        }
    }
}
