//! KMS keys of a plan or state: what they are called, and their policies.

use super::{Item, Reader};
use crate::observed::{
    At, EncryptionKey, KeyAlias, Observed, Setting, hole,
    policy::{self, Plain},
};
use std::{borrow::Cow, collections::BTreeMap};

/// Is this a resource that tells of keys?
pub(super) fn is_read(kind: &str) -> bool {
    matches!(kind, "aws_kms_key" | "aws_kms_key_policy" | "aws_kms_alias")
}

/// Gives each key a name by its address, so that what refers to it refers to the same.
pub(super) fn name<'a>(reader: &mut Reader<'a>, resources: &[Item<'a>]) {
    for item in resources.iter().filter(|item| item.resource.kind == "aws_kms_key") {
        let name = reader.own(item, "arn").map_or_else(|| reader.hole(&item.resource.address), |arn| arn.value);
        reader.key_names.insert(name.clone());
        reader.names.insert(Cow::Owned(item.resource.address.to_string()), name);
    }
    for item in resources.iter().filter(|item| item.resource.kind == "aws_kms_alias") {
        let Some(name) = reader.own(item, "name") else { continue };
        reader.key_names.insert(name.value.clone());
        reader.names.insert(Cow::Owned(item.resource.address.to_string()), name.value);
    }
}

/// The keys with their policies, and their aliases.
pub(super) fn read<'a>(reader: &Reader<'a>, resources: &[Item<'a>], observed: &mut Observed) {
    let of_kind = |kind: &'static str| resources.iter().filter(move |item| item.resource.kind == kind);
    // a resource of its own that sets a policy says more than the key
    let (mut set, mut unclear) = (BTreeMap::new(), false);
    for setter in of_kind("aws_kms_key_policy") {
        match reader.text(setter, "key_id").filter(|text| !hole::has(&text.value) || reader.key_names.contains(&text.value)) {
            Some(key) => drop(set.insert(key.value, policy_of(reader, setter))),
            None => unclear = true,
        }
    }
    for item in of_kind("aws_kms_key") {
        let mut names: Vec<String> = reader.names.get(&item.resource.address).cloned().into_iter().collect();
        names.extend(reader.own(item, "key_id").map(|id| id.value));
        let policy = match names.iter().find_map(|name| set.get(name)) {
            Some(policy) => policy.clone(),
            // one that sets the policy of nobody knows which key may set that of this one
            None if unclear => Setting::Unknown(reader.here(item)),
            None => policy_of(reader, item),
        };
        observed.keys.push(EncryptionKey { place: reader.here(item), names, policy });
    }
    for item in of_kind("aws_kms_alias") {
        let name = reader.names.get(&item.resource.address).cloned();
        if let Some((name, key)) = name.zip(reader.text(item, "target_key_id")) {
            observed.aliases.push(KeyAlias { name, key: key.value });
        }
    }
}

fn policy_of<'a>(reader: &Reader<'a>, item: &Item<'a>) -> Setting<policy::PolicyDoc> {
    match reader.own(item, "policy").filter(|text| !text.value.is_empty()) {
        Some(text) => {
            let doc = policy::parse(&text.value, Plain { file: reader.id, inside: Some(text.place.span) }, None);
            Setting::Known(At { value: doc, place: text.place })
        }
        // the provider shows the default policy once the key exists, and an unknown one is set
        None if reader.is_set(item, "policy") => Setting::Unknown(reader.here(item)),
        None => Setting::Unsaid,
    }
}
