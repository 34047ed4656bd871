//! Values of the map after the defaults are applied: what the plan is made of. Vocabulary only.

use super::{AlsoWatched, FunctionRuntime, TargetName};
use crate::{
    aws::Partition,
    source::{Span, Spanned},
};
use indexmap::IndexMap;
use serde::Serialize;

impl RenderSettings {
    /// Pattern of the name, with its path, of the role of the function behind the custom resource. Without a prefix of the map CloudFormation names
    /// it `<stack>-<logical id>-<random>`, which is for `made` to say.
    pub(crate) fn function_role(&self, made: &str) -> String {
        let name = match &*self.role_name_prefix {
            "" => made.to_owned(),
            prefix => format!("{prefix}-*"),
        };
        format!("{}{name}", self.role_path.trim_start_matches('/'))
    }

    /// What a stack has to be allowed: making a role, or one with a name
    /// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html>, `Capabilities`).
    pub(crate) fn capability(&self) -> &'static str {
        if self.role_name_prefix.is_empty() && !self.named_roles { "CAPABILITY_IAM" } else { "CAPABILITY_NAMED_IAM" }
    }
}

/// Default retention of Object Lock.
#[derive(Debug, Clone, Serialize)]
pub struct ObjectLock {
    /// `GOVERNANCE` or `COMPLIANCE`.
    pub mode: String,
    /// Days, at least 1.
    pub days: u32,
}

/// A change of storage class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Transition {
    /// Days after creation.
    pub after_days: u32,
    /// As the S3 API spells it, such as `GLACIER_IR`.
    pub storage_class: String,
}

/// How the targets are to look: `render` in the map.
#[derive(Debug, Clone, Serialize)]
pub struct RenderSettings {
    /// Major version of the provider: 6 or 5.
    pub aws_provider: u32,
    /// True: one aliased provider for each Region, always with version 5. False: a Region on each resource.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub aliased_providers: bool,
    /// True: a module for each Region, which roots of others call. False: a root module for each account.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub modules: bool,
    /// State backends: at most one for each partition, or one for all.
    pub backends: Vec<Backend>,
    /// True: sources that the stack doesn't own are set by a custom resource. False: outputs only.
    pub custom_resource: bool,
    /// True: there are templates for StackSets beside the stacks of each account.
    pub stack_sets: bool,
    /// Name, after its path, of the policy that bounds the role of the custom resource; empty for none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub permissions_boundary: String,
    /// Path of that role; empty for none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub role_path: String,
    /// Beginning of its name; empty for a name that CloudFormation makes.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub role_name_prefix: String,
    /// True if stacks have roles with names of their own: those with which S3 copies logs.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub named_roles: bool,
    /// Runtime of the function; `None` for the default one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub function_runtime: Option<FunctionRuntime>,
    /// Tags of everything that is made, in the order of the keys. Log buckets have theirs with them.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub tags: IndexMap<String, String>,
    /// True: the tables of Athena are Glue resources in Terraform and CloudFormation too.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub glue: bool,
}

/// Subnets and security groups of a function in a VPC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FunctionVpc {
    /// Ids of subnets, sorted.
    pub subnets: Vec<String>,
    /// Ids of security groups, sorted.
    pub security_groups: Vec<String>,
}

/// A backend for Terraform state.
#[derive(Debug, Clone, Serialize)]
pub struct Backend {
    /// Its type, or [`CLOUD`].
    #[serde(skip_serializing_if = "is_s3")]
    pub kind: String,
    /// The partition of its Region; it serves the accounts of that partition. None: it serves all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partition: Option<Partition>,
    /// Arguments of the S3 backend's block but `key`, in the order in which they are written: strings or booleans.
    pub arguments: IndexMap<String, serde_json::Value>,
    /// Settings in which placeholders are filled in, in the order in which they are written.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub settings: IndexMap<String, serde_json::Value>,
}

/// Type of the backend that has arguments of its own.
pub(crate) const S3: &str = "s3";
/// Stands for the type of the `cloud` block, which is no backend.
pub(crate) const CLOUD: &str = "cloud";

#[allow(clippy::trivially_copy_pass_by_ref, clippy::ptr_arg, reason = "serde asks for it")]
fn is_s3(kind: &String) -> bool {
    kind == S3
}

/// What the map asks for: `monitoring` and `publish`.
#[derive(Debug, Clone, Default)]
pub struct MonitoringSettings {
    /// `{org}`, or empty.
    pub organization: String,
    /// Name of the parameter.
    pub parameter: Option<String>,
    /// Name of the parameter with all that logging is set to.
    pub logging_parameter: Option<String>,
    /// A Config rule in each place that has the managed rule.
    pub config_rule: bool,
    /// Name of the topic.
    pub topic: Option<String>,
    /// What else alerts watch, sorted.
    pub also: Vec<AlsoWatched>,
    /// True: alerts are lines for people, not events.
    pub readable: bool,
    /// Whose calls are told of only if they are refused, sorted: names of roles, and ARNs.
    pub except: Vec<String>,
    /// The bus that gets the events, too.
    pub bus: Option<BusSettings>,
}

/// The bus that gets the events of all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BusSettings {
    /// ARN of the bus.
    pub arn: String,
    /// Name of the role, in each account, with which EventBridge sends.
    pub role: String,
    /// Where the map names it.
    #[serde(skip)]
    pub span: Span,
}

/// The account from which the logs of all are asked: `athena` in the map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CentralSettings {
    /// Where the map names the account.
    pub span: Span,
    /// Key of the account.
    pub account: String,
    /// Region, if the map says so.
    pub region: Option<Spanned<String>>,
    /// Names or ARNs of roles, as written.
    pub readers: Option<Spanned<Vec<Spanned<String>>>>,
    /// Name of the bucket for results, if the map says so.
    pub result_bucket: Option<Spanned<String>>,
    /// Days after which results are deleted.
    pub result_days: u32,
    /// Gigabytes that a query may scan.
    pub scan_limit_gb: u32,
}

/// Which roles pass the guardrails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuardrailSettings {
    /// Where the map says so.
    pub span: Span,
    /// Name of the role, with its path, that runs what is rendered.
    pub deployer: String,
    /// Names of further roles that pass, sorted; `*` stands for any text.
    pub exempt: Vec<String>,
    /// Names of the role of the function that sets the logging of sources for stacks, if there is one.
    pub function_role: Option<String>,
}

impl GuardrailSettings {
    /// All that pass, the deployer first.
    pub fn passing(&self) -> Vec<String> {
        let others = self.exempt.iter().filter(|name| **name != self.deployer);
        std::iter::once(&self.deployer).chain(others).cloned().collect()
    }
}

/// What commands do with the map: `settings` in it, but for its rules, and `coverage`. Paths are relative to the map, with slashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RunSettings {
    /// The output folder.
    pub out: String,
    /// The targets; `None` for all.
    pub targets: Option<Vec<TargetName>>,
    /// The folder with templates.
    pub templates: Option<String>,
    /// The file with known findings.
    pub baseline: Option<String>,
    /// Patterns of buckets that are left out of the map on purpose, sorted.
    pub left_out: Vec<String>,
}

impl RunSettings {
    /// What of it is set, by key.
    pub(crate) fn words(&self) -> impl Iterator<Item = (&'static str, String)> {
        let targets = self.targets.as_ref().map(|targets| {
            let words: Vec<&str> = targets.iter().map(|target| target.word()).collect();
            words.join(", ")
        });
        let all = [
            ("out", Some(self.out.clone())),
            ("targets", targets),
            ("templates", self.templates.clone()),
            ("baseline", self.baseline.clone()),
            ("coverage.ignore", (!self.left_out.is_empty()).then(|| self.left_out.join(", "))),
        ];
        all.into_iter().filter_map(|(key, value)| Some((key, value?)))
    }
}
