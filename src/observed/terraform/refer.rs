//! A plan's code: what an argument refers to, through modules, `count` and `for_each`; and which provider a resource has.
//!
//! The plan lists what an expression refers to, not the expression. So a reference is followed only where the whole value is
//! what it refers to; anything else stays unknown. What `each.key` and `each.value` are is followed beside it.

use super::references::{Instance, index, join, only, parent, references_in, resource_in, split, without_indexes};
use super::show::{ConfigModule, ConfigResource, Expression, Module, ProviderConfig, Resource, Show, block, string};
use crate::aws::{arn, limits, region};
use serde_json::value::RawValue;
use std::{
    borrow::Cow,
    cell::{Cell, OnceCell, RefCell},
    collections::BTreeMap,
};

/// References within references: deeper than anybody's modules.
const MAX_DEPTH: usize = 40;
/// Longest expression that is followed, in bytes of JSON: of one that refers to so much nobody can tell its value.
pub(super) const LONGEST: usize = 8192;
/// Steps that may be taken in all to see what waits for what: resources looked at, and bytes of expressions read.
const MOST_STEPS: usize = 200_000_000;
/// Longest text that tells credentials apart, in bytes.
const LONGEST_CREDENTIALS: usize = 1024;

/// Is this a data source that tells of Regions, accounts or buckets?
pub(super) fn is_data_read(kind: &str) -> bool {
    matches!(kind, "aws_caller_identity" | "aws_region" | "aws_s3_bucket")
}

/// Is this attribute of such a resource what it is called?
pub(super) fn names_itself(kind: &str, attribute: &str) -> bool {
    match kind {
        "aws_s3_bucket" => matches!(attribute, "id" | "bucket"),
        "aws_kms_key" => matches!(attribute, "id" | "arn" | "key_id"),
        "aws_kms_alias" => attribute == "name",
        _ => false,
    }
}

/// What a provider configuration says.
#[derive(Debug, Clone, Default)]
pub(super) struct Provider {
    /// Its key in the plan; empty in a state.
    pub key: String,
    /// Region, if it is known.
    pub region: Option<String>,
    /// Account id, if it is known.
    pub account: Option<String>,
    /// What its credentials come from, in words; providers with the same are in the same account.
    pub credentials: String,
    /// Are they those of the environment?
    pub is_ambient: bool,
    /// AWS CLI profile.
    pub profile: Option<String>,
}

impl Provider {
    /// Alias of the configuration; `None` for the default one.
    pub(super) fn alias(&self) -> Option<&str> {
        self.key.rsplit(':').next()?.split_once('.').map(|(_, alias)| alias)
    }
}

/// The code of a plan; empty for a state.
pub(super) struct Code<'a> {
    root: Option<&'a ConfigModule<'a>>,
    providers: Option<&'a BTreeMap<Cow<'a, str>, ProviderConfig<'a>>>,
    variables: BTreeMap<&'a str, String>,
    /// Code of the resources that are read, by module path and address.
    resources: BTreeMap<(String, String), Written<'a>>,
    /// Data sources by address: attribute → text.
    data: BTreeMap<&'a str, BTreeMap<Cow<'a, str>, &'a RawValue>>,
    known: RefCell<BTreeMap<String, Provider>>,
    caller: OnceCell<Option<String>>,
    /// Steps taken so far to see what waits for what.
    steps: Cell<usize>,
}

/// A resource's code with its arguments: a resource of many instances is asked for each of them.
struct Written<'a> {
    code: &'a ConfigResource<'a>,
    arguments: BTreeMap<Cow<'a, str>, &'a RawValue>,
}

impl<'a> Code<'a> {
    /// The code of a plan.
    pub(super) fn new(show: &'a Show<'a>, data: &[(&'a Module<'a>, &'a Resource<'a>)]) -> Self {
        let configuration = show.configuration.as_ref();
        let variables = show.variables.iter().filter_map(|(name, variable)| Some((&**name, string(variable.value?)?)));
        let mut code = Code {
            root: configuration.map(|configuration| &configuration.root_module),
            providers: configuration.map(|configuration| &configuration.provider_config),
            variables: variables.collect(),
            resources: BTreeMap::new(),
            data: BTreeMap::new(),
            known: RefCell::default(),
            caller: OnceCell::new(),
            steps: Cell::new(0),
        };
        for (_, resource) in data {
            let values = resource.values.and_then(|values| serde_json::from_str(values.get()).ok()).unwrap_or_default();
            code.data.insert(&resource.address, values);
        }
        let mut modules: Vec<(String, &'a ConfigModule<'a>)> = code.root.map(|root| (String::new(), root)).into_iter().collect();
        while let Some((path, module)) = modules.pop() {
            for resource in module.resources.iter().filter(|resource| {
                ["aws_s3_bucket", "aws_cloudtrail.", "aws_cloudwatch_log_delivery", "aws_kms_"]
                    .iter()
                    .any(|kind| resource.address.starts_with(kind))
            }) {
                let arguments = resource.expressions.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default();
                code.resources.insert((path.clone(), resource.address.to_string()), Written { code: resource, arguments });
            }
            for (name, call) in &module.module_calls {
                modules.push((join(&path, &format!("module.{name}")), &call.module));
            }
        }
        code
    }

    fn resource(&self, module: &str, resource: &Resource<'_>) -> Option<&Written<'a>> {
        self.resources.get(&(without_indexes(module), format!("{}.{}", resource.kind, resource.name)))
    }

    fn argument(&self, module: &str, resource: &Resource<'_>, key: &str) -> Option<&'a RawValue> {
        self.resource(module, resource)?.arguments.get(key).copied()
    }

    /// Does the code set this argument?
    pub(super) fn sets(&self, module: &str, resource: &Resource<'_>, key: &str) -> bool {
        self.argument(module, resource, key).is_some()
    }

    /// Address of the resource that an argument refers to, as far as it is one of the same module.
    pub(super) fn refers_to(&self, module: &str, resource: &Resource<'_>, key: &str) -> Option<String> {
        let raw = self.argument(module, resource, key).filter(|raw| raw.get().len() <= LONGEST)?;
        Some(join(module, &resource_in(&Expression::of(raw).references)?))
    }

    /// The same for anything in a block.
    pub(super) fn names_in(&self, module: &str, resource: &Resource<'_>, key: &str) -> Option<String> {
        let raw = self.argument(module, resource, key).filter(|raw| raw.get().len() <= LONGEST)?;
        let mut found = Vec::new();
        references_in(&serde_json::from_str(raw.get()).ok()?, &mut found, 0);
        let found: Vec<Cow<'_, str>> = found.into_iter().map(Cow::Owned).collect();
        Some(join(module, &resource_in(&found)?))
    }

    /// What an argument refers to: nothing if it is not set; nothing inside if it can't be known.
    pub(super) fn follow(
        &self,
        module: &str,
        resource: &Resource<'_>,
        key: &str,
        names: &BTreeMap<Cow<'a, str>, String>,
    ) -> Option<Option<String>> {
        let raw = self.argument(module, resource, key)?;
        Some(self.follow_raw(module, self.instance(module, resource), raw, names, 0))
    }

    /// Which instance a resource is.
    fn instance<'r>(&'r self, module: &str, resource: &'r Resource<'_>) -> Instance<'r> {
        let for_each = self.resource(module, resource).and_then(|written| written.code.for_each_expression);
        Instance { index: resource.index.map(RawValue::get), for_each }
    }

    fn follow_raw(
        &self,
        module: &str,
        instance: Instance<'_>,
        raw: &RawValue,
        names: &BTreeMap<Cow<'a, str>, String>,
        depth: usize,
    ) -> Option<String> {
        if raw.get().len() > LONGEST {
            return None;
        }
        self.value(module, instance, &Expression::of(raw), names, depth)
    }

    /// Like [`Code::follow`] for an argument of a nested block.
    pub(super) fn follow_nested(
        &self,
        module: &str,
        resource: &Resource<'_>,
        outer: &str,
        key: &str,
        names: &BTreeMap<Cow<'a, str>, String>,
    ) -> Option<Option<String>> {
        let block = block(self.argument(module, resource, outer).filter(|raw| raw.get().len() <= LONGEST)?)?;
        let references = block.get(key)?.get("references")?.as_array()?.iter().filter_map(|item| item.as_str());
        let references = references.map(|text| Cow::Owned(text.to_owned())).collect();
        let expression = Expression { constant_value: None, references };
        Some(self.value(module, self.instance(module, resource), &expression, names, 0))
    }

    pub(super) fn value(
        &self,
        module: &str,
        instance: Instance<'_>,
        expression: &Expression<'_>,
        names: &BTreeMap<Cow<'a, str>, String>,
        depth: usize,
    ) -> Option<String> {
        if depth > MAX_DEPTH {
            return None;
        }
        if let Some(constant) = expression.constant_value {
            return string(constant);
        }
        let Some(one) = only(&expression.references) else {
            return self.of_loop(module, instance, &expression.references, names, depth);
        };
        let index = instance.index;
        let parts: Vec<&str> = split(one);
        match parts.as_slice() {
            ["var", name, ..] => self.variable(module, name, names, depth),
            ["data", kind, name, attribute] => {
                let address = join(module, &format!("data.{kind}.{name}"));
                string(self.data.get(address.as_str())?.get(*attribute)?)
            }
            ["module", call, output] => {
                let (name, at) = call.split_once('[').map_or((*call, ""), |(name, at)| (name, at));
                let expression = self.module(module)?.module_calls.get(name)?.module.outputs.get(*output)?.expression?;
                // an instance of the module: the one that is named, or the only one
                let child = if at.is_empty() {
                    self.only_instance(&join(module, &format!("module.{name}")), names, index)?
                } else {
                    join(module, &format!("module.{name}[{at}"))
                };
                self.follow_raw(&child, Instance::default(), expression, names, depth + 1)
            }
            // `aws_s3_bucket.a[each.key].id` is listed without what follows the index: the instance of the same key
            [kind @ ("aws_s3_bucket" | "aws_kms_key"), name] => {
                let address = join(module, &format!("{kind}.{name}[{}]", index?));
                names.get(address.as_str()).cloned()
            }
            [kind, name, attribute] if names_itself(kind, attribute) => {
                let address = join(module, &format!("{kind}.{name}"));
                if let Some(name) = names.get(address.as_str()) {
                    return Some(name.clone());
                }
                let same = index.and_then(|index| names.get(format!("{address}[{index}]").as_str()));
                same.cloned().or_else(|| {
                    let prefix = format!("{address}[");
                    let mut instances =
                        names.range(Cow::Borrowed(prefix.as_str())..).take_while(|(key, _)| key.starts_with(&prefix));
                    let (_, name) = instances.next()?;
                    instances.next().is_none().then(|| name.clone())
                })
            }
            _ => None,
        }
    }

    /// The one instance of a module that has buckets, with its index.
    fn only_instance(&self, path: &str, names: &BTreeMap<Cow<'a, str>, String>, index: Option<&str>) -> Option<String> {
        let same = index.map(|index| format!("{path}[{index}]"));
        // the first address from one on that is of an instance, and the instance
        let next = |from: String, mark: &str| {
            let begin = format!("{path}{mark}");
            let (address, _) = names.range(Cow::Owned(from)..).next().filter(|(address, _)| address.starts_with(&begin))?;
            match mark {
                "." => Some(Some(path.to_owned())),
                _ => Some(address[path.len()..].find(']').map(|end| address[..=path.len() + end].to_owned())),
            }
        };
        let mut found = next(format!("{path}."), ".").unwrap_or_default();
        let mut from = format!("{path}[");
        // the third instance is not looked at: two are not one
        for _ in 0..2 {
            let Some(instance) = next(from, "[") else { break };
            let instance = instance?;
            if Some(&instance) == same.as_ref() {
                return same;
            }
            if found.is_some() {
                return None;
            }
            // behind the point that follows the index
            from = format!("{instance}/");
            found = Some(instance);
        }
        found.or_else(|| Some(path.to_owned()))
    }

    fn variable(&self, module: &str, name: &str, names: &BTreeMap<Cow<'a, str>, String>, depth: usize) -> Option<String> {
        if module.is_empty() {
            return self.variables.get(name).cloned();
        }
        let (parent, name_of_call) = parent(module)?;
        let call = self.module(parent)?.module_calls.get(name_of_call)?;
        let instance = Instance { index: index(module), for_each: call.for_each_expression };
        self.follow_raw(parent, instance, call.expressions.get(name)?, names, depth + 1)
    }

    /// The code of a module, by its path.
    pub(super) fn module(&self, path: &str) -> Option<&'a ConfigModule<'a>> {
        let mut module = self.root?;
        let plain = without_indexes(path);
        let mut steps = split(&plain).into_iter();
        while let (Some("module"), Some(name)) = (steps.next(), steps.next()) {
            module = &module.module_calls.get(name)?.module;
        }
        Some(module)
    }

    /// The provider of a resource.
    pub(super) fn provider(&self, module: &str, resource: &Resource<'_>) -> Provider {
        let key = self.resource(module, resource).map_or(&*resource.provider, |written| &*written.code.provider_config_key);
        if let Some(provider) = self.known.borrow().get(key) {
            return provider.clone();
        }
        let provider = self.read_provider(key);
        self.known.borrow_mut().insert(key.to_owned(), provider.clone());
        provider
    }

    fn read_provider(&self, key: &str) -> Provider {
        let mut provider =
            Provider { key: key.to_owned(), credentials: "the environment".to_owned(), is_ambient: true, ..Provider::default() };
        let Some(providers) = self.providers else {
            // a raw state names the provider, and nobody says whose credentials it has
            if provider.alias().is_some() || key.contains(':') {
                provider.credentials = format!("of {key}");
                provider.is_ambient = false;
            }
            return provider;
        };
        // a module without a configuration of its own has its caller's
        let alias = key.rsplit(':').next().unwrap_or(key);
        let mut at = key.rsplit_once(':').map_or("", |(module, _)| module);
        let config = loop {
            let key = if at.is_empty() { alias.to_owned() } else { format!("{at}:{alias}") };
            match providers.get(key.as_str()) {
                Some(config) if !config.expressions.is_empty() => break Some(config),
                _ if at.is_empty() => break None,
                _ => at = parent(at).map_or("", |(parent, _)| parent),
            }
        };
        let Some(config) = config else { return provider };
        let names = BTreeMap::new();
        let text = |expression: &RawValue| self.follow_raw(&config.module_address, Instance::default(), expression, &names, 0);
        provider.region = config.expressions.get("region").and_then(|raw| text(raw)).filter(|name| region::is_well_formed(name));
        provider.profile = config.expressions.get("profile").and_then(|raw| text(raw));
        if let Some(allowed) = config.expressions.get("allowed_account_ids") {
            let one = Expression::of(allowed).constant_value.and_then(|raw| serde_json::from_str::<Vec<String>>(raw.get()).ok());
            provider.account =
                one.filter(|ids| ids.len() == 1).and_then(|mut ids| ids.pop()).filter(|id| limits::is_account_id(id));
        }
        if let Some(raw) = config.expressions.get("assume_role") {
            let role = block(raw).and_then(|block| {
                let expression = block.get("role_arn")?.to_string();
                let expression: Expression<'_> = serde_json::from_str(&expression).ok()?;
                self.value(&config.module_address, Instance::default(), &expression, &names, 0)
            });
            let account = role.as_deref().and_then(arn::parse).map(|arn| arn.account.to_owned());
            provider.account = provider.account.or(account.filter(|id| limits::is_account_id(id)));
        }
        let credentials: Vec<String> = [
            "assume_role",
            "assume_role_with_web_identity",
            "profile",
            "access_key",
            "shared_credentials_files",
            "shared_credentials_file",
        ]
        .iter()
        .filter_map(|key| Some(format!("{key} {}", config.expressions.get(*key)?.get())))
        .collect();
        if !credentials.is_empty() {
            let credentials = credentials.join(", ");
            // what is so long is taken to be the provider's own
            provider.credentials = if credentials.len() <= LONGEST_CREDENTIALS { credentials } else { format!("of {key}") };
            provider.is_ambient = false;
        } else {
            provider.account = provider.account.or_else(|| self.caller());
        }
        provider
    }

    /// The account that the data sources say the environment's credentials are of.
    fn caller(&self) -> Option<String> {
        let find = || {
            let mut found = self.data.iter().filter(|(address, _)| address.contains("aws_caller_identity."));
            let (_, values) = found.next()?;
            let account = values.get("account_id").and_then(|raw| string(raw));
            account.filter(|id| limits::is_account_id(id) && found.next().is_none())
        };
        self.caller.get_or_init(find).clone()
    }

    /// Takes steps on the way to what something waits for; false if there are none left.
    pub(super) fn take(&self, steps: usize) -> bool {
        self.steps.set(self.steps.get().saturating_add(steps));
        self.steps.get() <= MOST_STEPS
    }
}
