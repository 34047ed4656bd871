//! The JSON that `terraform show -json` prints, format 1.x: plans and states. Only what is asked for is read; the rest of a
//! large plan is gone over once, without being kept.

use crate::observed::hole;
use serde::Deserialize;
use serde_json::{Value, value::RawValue};
use std::{borrow::Cow, collections::BTreeMap};

/// A plan or a state.
#[derive(Deserialize)]
pub(crate) struct Show<'a> {
    /// What a plan's resources will be.
    #[serde(borrow)]
    pub planned_values: Option<Values<'a>>,
    /// What a state's resources are.
    #[serde(borrow)]
    pub values: Option<Values<'a>>,
    /// What a plan does to each resource.
    #[serde(borrow, default)]
    pub resource_changes: Vec<ResourceChange<'a>>,
    /// What a plan knew before; data sources are in it.
    #[serde(borrow)]
    pub prior_state: Option<Prior<'a>>,
    /// The code.
    #[serde(borrow)]
    pub configuration: Option<Configuration<'a>>,
    /// Values of the root module's variables.
    #[serde(borrow, default)]
    pub variables: BTreeMap<Cow<'a, str>, Variable<'a>>,
}

/// A state inside a plan.
#[derive(Deserialize)]
pub(crate) struct Prior<'a> {
    /// What the state holds, in the shape of `values`.
    #[serde(borrow)]
    pub values: Option<Values<'a>>,
}

/// A variable.
#[derive(Deserialize)]
pub(crate) struct Variable<'a> {
    /// JSON of the value; absent if it is known after apply.
    #[serde(borrow)]
    pub value: Option<&'a RawValue>,
}

/// The tree of modules.
#[derive(Deserialize)]
pub(crate) struct Values<'a> {
    /// The root module.
    #[serde(borrow)]
    pub root_module: Option<Module<'a>>,
}

/// A module with its resources.
#[derive(Deserialize, Default)]
pub(crate) struct Module<'a> {
    /// Such as `module.logs["eu"]`; nothing for the root.
    #[serde(borrow, default)]
    pub address: Cow<'a, str>,
    /// Resources of this module alone.
    #[serde(borrow, default)]
    pub resources: Vec<Resource<'a>>,
    /// Modules that it calls.
    #[serde(borrow, default)]
    pub child_modules: Vec<Module<'a>>,
}

/// A resource of a plan or state.
#[derive(Deserialize, Clone)]
pub(crate) struct Resource<'a> {
    /// Such as `module.logs.aws_s3_bucket.this[0]`.
    #[serde(borrow, default)]
    pub address: Cow<'a, str>,
    /// `managed` or `data`.
    #[serde(borrow, default)]
    pub mode: Cow<'a, str>,
    /// Such as `aws_s3_bucket`.
    #[serde(borrow, default, rename = "type")]
    pub kind: Cow<'a, str>,
    /// Name in the code.
    #[serde(borrow, default)]
    pub name: Cow<'a, str>,
    /// Of `count` or `for_each`.
    #[serde(borrow)]
    pub index: Option<&'a RawValue>,
    /// Its attributes. In a plan one that is unknown is left out.
    #[serde(borrow)]
    pub values: Option<&'a RawValue>,
    /// Key of its provider, where a raw state tells; `show -json` has it in the code.
    #[serde(skip)]
    pub provider: Cow<'a, str>,
}

/// What a plan does to a resource.
#[derive(Deserialize)]
pub(crate) struct ResourceChange<'a> {
    /// The resource.
    #[serde(borrow, default)]
    pub address: Cow<'a, str>,
    /// Resource type, such as `aws_s3_bucket`.
    #[serde(borrow, default, rename = "type")]
    pub kind: Cow<'a, str>,
    /// The change.
    #[serde(borrow)]
    pub change: Option<Change<'a>>,
}

/// A change.
#[derive(Deserialize)]
pub(crate) struct Change<'a> {
    /// `create`, `delete`, `no-op` …
    #[serde(borrow, default)]
    pub actions: Vec<Cow<'a, str>>,
}

/// The code of a plan.
#[derive(Deserialize, Default)]
pub(crate) struct Configuration<'a> {
    /// Provider configurations by key, such as `aws.west` or `module.logs:aws`.
    #[serde(borrow, default)]
    pub provider_config: BTreeMap<Cow<'a, str>, ProviderConfig<'a>>,
    /// The root module.
    #[serde(borrow, default)]
    pub root_module: ConfigModule<'a>,
}

/// A provider configuration.
#[derive(Deserialize)]
pub(crate) struct ProviderConfig<'a> {
    /// The module that it stands in; nothing for the root.
    #[serde(borrow, default)]
    pub module_address: Cow<'a, str>,
    /// Argument name → expression.
    #[serde(borrow, default)]
    pub expressions: BTreeMap<Cow<'a, str>, &'a RawValue>,
}

/// A module's code.
#[derive(Deserialize, Default)]
pub(crate) struct ConfigModule<'a> {
    /// Resources that the module declares.
    #[serde(borrow, default)]
    pub resources: Vec<ConfigResource<'a>>,
    /// The modules that it calls, by name.
    #[serde(borrow, default)]
    pub module_calls: BTreeMap<Cow<'a, str>, ModuleCall<'a>>,
    /// Output name → output.
    #[serde(borrow, default)]
    pub outputs: BTreeMap<Cow<'a, str>, Output<'a>>,
}

/// A resource's code.
#[derive(Deserialize)]
pub(crate) struct ConfigResource<'a> {
    /// Such as `aws_s3_bucket.logs`, without the module.
    #[serde(borrow, default)]
    pub address: Cow<'a, str>,
    /// Key of its provider configuration.
    #[serde(borrow, default)]
    pub provider_config_key: Cow<'a, str>,
    /// Argument name → expression; blocks are lists.
    #[serde(borrow)]
    pub expressions: Option<&'a RawValue>,
    /// Of `for_each`.
    #[serde(borrow)]
    pub for_each_expression: Option<&'a RawValue>,
    /// Of `count`.
    #[serde(borrow)]
    pub count_expression: Option<&'a RawValue>,
    /// What it waits for.
    #[serde(borrow, default)]
    pub depends_on: Vec<Cow<'a, str>>,
}

/// A call of a module.
#[derive(Deserialize)]
pub(crate) struct ModuleCall<'a> {
    /// What it passes.
    #[serde(borrow, default)]
    pub expressions: BTreeMap<Cow<'a, str>, &'a RawValue>,
    /// The module.
    #[serde(borrow, default)]
    pub module: ConfigModule<'a>,
    /// Of `for_each`.
    #[serde(borrow)]
    pub for_each_expression: Option<&'a RawValue>,
    /// What all of it waits for.
    #[serde(borrow, default)]
    pub depends_on: Vec<Cow<'a, str>>,
}

/// An output.
#[derive(Deserialize)]
pub(crate) struct Output<'a> {
    /// What the output is set to.
    #[serde(borrow)]
    pub expression: Option<&'a RawValue>,
    /// What it waits for.
    #[serde(borrow, default)]
    pub depends_on: Vec<Cow<'a, str>>,
}

/// An expression: a constant, or what it refers to.
#[derive(Deserialize, Default)]
pub(crate) struct Expression<'a> {
    /// JSON of a constant; absent if the expression refers to something.
    #[serde(borrow)]
    pub constant_value: Option<&'a RawValue>,
    /// What it refers to, the most specific first.
    #[serde(borrow, default)]
    pub references: Vec<Cow<'a, str>>,
}

impl<'a> Expression<'a> {
    /// Reads an expression; a block or a list of blocks has neither constant nor references.
    pub(crate) fn of(raw: &'a RawValue) -> Self {
        serde_json::from_str(raw.get()).unwrap_or_default()
    }
}

/// A JSON string's text; nothing for anything else.
pub(crate) fn string(raw: &RawValue) -> Option<String> {
    serde_json::from_str::<String>(raw.get()).ok().map(|text| hole::text(&text).into_owned())
}

/// A list with one block: the block. Terraform writes nested blocks so.
pub(crate) fn block(raw: &RawValue) -> Option<Value> {
    let mut block = match serde_json::from_str(raw.get()).ok()? {
        Value::Array(items) => items.into_iter().next()?,
        other => other,
    };
    without_marks(&mut block);
    Some(block)
}

fn without_marks(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Cow::Owned(clean) = hole::text(text) {
                *text = clean;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(without_marks),
        Value::Object(entries) => entries.values_mut().for_each(without_marks),
        _ => {}
    }
}
