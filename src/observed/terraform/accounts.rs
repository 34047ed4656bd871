//! What accounts are called in Terraform: by its providers' profiles and aliases, and by the resources of an AWS organization.

use super::{Item, Reader, Resource};
use crate::observed::{AccountName, At, NamedBy, Observed, Organization, Text, is_closed};
use serde_json::Value;
use std::collections::BTreeSet;

/// Names that the providers of resources give their accounts.
pub(super) fn of_providers(reader: &Reader<'_>, items: &[Item<'_>], observed: &mut Observed) {
    let mut seen = BTreeSet::new();
    for item in items {
        let provider = reader.code.provider(item.module, item.resource);
        let Some(id) = provider.account.as_deref().filter(|_| seen.insert(provider.key.clone())) else { continue };
        for (name, by) in [(provider.profile.as_deref(), NamedBy::Profile), (provider.alias(), NamedBy::Alias)] {
            let Some(name) = name else { continue };
            let name = At { value: name.to_owned(), place: reader.here(item) };
            observed.accounts.push(AccountName { id: id.to_owned(), name, by, closed: None });
        }
    }
}

/// What `aws_organizations_organization`, a resource or a data source, and `aws_organizations_account` tell.
pub(super) fn of_organization(reader: &Reader<'_>, resources: &[&Resource<'_>], observed: &mut Observed) {
    for resource in resources {
        let Some(raw) = resource.values else { continue };
        let Ok(values) = serde_json::from_str::<Value>(raw.get()) else { continue };
        let mut place = reader.place(raw.get());
        place.span.end = place.span.start + 1;
        let text = |value: &Value, key: &str| -> Option<Text> {
            let value = value.get(key)?.as_str().filter(|text| !text.is_empty())?.to_owned();
            Some(At { value, place })
        };
        let account = |value: &Value| {
            let (id, name) = text(value, "id").zip(text(value, "name"))?;
            let closed = text(value, "state").or_else(|| text(value, "status")).filter(|state| is_closed(&state.value));
            Some(AccountName { id: id.value, name, by: NamedBy::Organization, closed })
        };
        if resource.kind == "aws_organizations_account" {
            observed.accounts.extend(account(&values));
        } else if resource.kind == "aws_organizations_organization" {
            let accounts = values.get("accounts").and_then(Value::as_array).into_iter().flatten();
            observed.accounts.extend(accounts.filter_map(account));
            if let Some(id) = text(&values, "id") {
                observed.organization = Some(Organization { id, management: text(&values, "master_account_id") });
            }
        }
    }
}
