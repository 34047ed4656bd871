//! A raw Terraform or OpenTofu state, version 4, in the shape of what `show -json` prints of one.
//!
//! Source: Terraform's `internal/states/statefile/version4.go`.

use super::show::{Module, Resource, Values};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// The file.
#[derive(Deserialize)]
struct State<'a> {
    version: Option<u64>,
    #[serde(borrow, default)]
    resources: Vec<StateResource<'a>>,
}

/// A resource with its instances.
#[derive(Deserialize)]
struct StateResource<'a> {
    /// Such as `module.logs["eu"]`; nothing for the root.
    #[serde(borrow, default)]
    module: Cow<'a, str>,
    #[serde(borrow, default)]
    mode: Cow<'a, str>,
    #[serde(borrow, default, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    name: Cow<'a, str>,
    /// Such as `module.logs.provider["registry.terraform.io/hashicorp/aws"].west`.
    #[serde(borrow, default)]
    provider: Cow<'a, str>,
    #[serde(borrow, default)]
    instances: Vec<Instance<'a>>,
}

/// An instance of `count`, of `for_each`, or the only one.
#[derive(Deserialize)]
struct Instance<'a> {
    #[serde(borrow)]
    index_key: Option<&'a RawValue>,
    #[serde(borrow)]
    attributes: Option<&'a RawValue>,
    /// Set for an object that another has replaced and that is to be destroyed.
    #[serde(borrow)]
    deposed: Option<Cow<'a, str>>,
}

/// Reads a state.
///
/// # Errors
/// It is no state of version 4, in words.
pub(super) fn read(text: &str) -> Result<Values<'_>, String> {
    let state: State<'_> = serde_json::from_str(text)
        .map_err(|error| format!("it is not what `terraform show -json` prints, and no state: {error}"))?;
    match state.version {
        Some(4) => {}
        Some(version) => {
            return Err(format!(
                "a Terraform state of version {version}, and version 4 is read; `terraform show -json` prints any"
            ));
        }
        None => {
            return Err(
                "a Terraform document without `planned_values` and `values`; `terraform show -json` prints plans and states"
                    .to_owned(),
            );
        }
    }
    let modules = state.resources.into_iter().map(|resource| {
        let key = provider_key(&resource.provider);
        let address = match (&*resource.mode, &*resource.module) {
            ("data", "") => format!("data.{}.{}", resource.kind, resource.name),
            ("data", module) => format!("{module}.data.{}.{}", resource.kind, resource.name),
            (_, "") => format!("{}.{}", resource.kind, resource.name),
            (_, module) => format!("{module}.{}.{}", resource.kind, resource.name),
        };
        let instances = resource.instances.iter().filter(|instance| instance.deposed.is_none());
        let resources = instances.map(|instance| Resource {
            address: instance.index_key.map_or_else(|| address.clone(), |key| format!("{address}[{}]", key.get())).into(),
            mode: resource.mode.clone(),
            kind: resource.kind.clone(),
            name: resource.name.clone(),
            index: instance.index_key,
            values: instance.attributes,
            provider: key.clone().into(),
        });
        Module { address: resource.module.clone(), resources: resources.collect(), child_modules: Vec::new() }
    });
    let root_module = Module { child_modules: modules.collect(), ..Module::default() };
    Ok(Values { root_module: Some(root_module) })
}

/// The key that a plan has for the same provider: `aws`, `aws.west`, `module.logs:aws.west`.
fn provider_key(provider: &str) -> String {
    let (module, rest) = provider.split_once("provider[").unwrap_or(("", provider));
    let (source, alias) = rest.split_once(']').unwrap_or((rest, ""));
    let name = source.trim_matches('"').rsplit('/').next().unwrap_or_default();
    let module = module.trim_end_matches('.');
    format!("{module}{}{name}{alias}", if module.is_empty() { "" } else { ":" })
}

#[cfg(test)]
mod tests {
    use super::provider_key;

    #[test]
    fn a_provider_has_the_key_that_a_plan_gives_it() {
        assert_eq!(provider_key(r#"provider["registry.terraform.io/hashicorp/aws"]"#), "aws");
        assert_eq!(provider_key(r#"provider["registry.terraform.io/hashicorp/aws"].west"#), "aws.west");
        assert_eq!(provider_key(r#"module.logs.provider["registry.opentofu.org/hashicorp/aws"].west"#), "module.logs:aws.west");
    }
}
