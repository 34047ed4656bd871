//! `aws_cloudwatch_log_delivery_source`, `_destination`, `_destination_policy` and `aws_cloudwatch_log_delivery` (Terraform's AWS
//! provider).

use super::{Item, Reader, block};
use crate::aws::{ACCESS_LOG_TYPE, arn};
use crate::observed::{
    At, Observed, Setting, Text,
    vended::{Delivery, DeliveryDestination, DeliverySource, bucket_in},
};

const PREFIX: &str = "aws_cloudwatch_log_delivery";

impl<'a> Reader<'a> {
    /// Reads the deliveries among the resources.
    pub(super) fn vended(&self, items: &[Item<'a>], observed: &mut Observed) {
        let of_kind = |kind: &'static str| items.iter().filter(move |item| item.resource.kind.strip_prefix(PREFIX) == Some(kind));
        for item in of_kind("_source") {
            let kind = self.own(item, "log_type");
            if kind.is_some_and(|kind| kind.value != ACCESS_LOG_TYPE) {
                continue;
            }
            let bucket = match self.own(item, "resource_arn") {
                Some(arn) => bucket_in(&arn.value),
                None => self.referred(item, "resource_arn").and_then(|address| self.names.get(address.as_str()).cloned()),
            };
            let Some(bucket) = bucket else { continue };
            observed.vended.sources.push(DeliverySource {
                place: self.here(item),
                name: self.named(item),
                bucket,
                account: self.account(item).value,
                region: self.region(item).value,
            });
        }
        for item in of_kind("_destination") {
            let place = self.here(item);
            let configuration = self.raw(item, "delivery_destination_configuration").and_then(block);
            let target =
                configuration.as_ref().and_then(|block| block.get("destination_resource_arn")).and_then(|arn| arn.as_str());
            let target = match target {
                Some(arn) => Setting::Known(At { value: arn.to_owned(), place }),
                // a bucket that the plan makes has no ARN yet
                None => match self.code.names_in(item.module, item.resource, "delivery_destination_configuration") {
                    Some(bucket) => self.names.get(bucket.as_str()).map_or(Setting::Unknown(place), |name| {
                        Setting::Known(At {
                            value: format!("arn:{}:s3:::{name}", self.partition.unwrap_or(crate::aws::Partition::Aws)),
                            place,
                        })
                    }),
                    None => Setting::Unknown(place),
                },
            };
            let known = self.own(item, "arn").map(|arn| arn.value);
            let account = known.as_deref().and_then(arn::parse).map(|arn| arn.account.to_owned());
            observed.vended.destinations.push(DeliveryDestination {
                place,
                arn: known.unwrap_or_else(|| self.hole(&item.resource.address)),
                account: account.unwrap_or_else(|| self.account(item).value),
                target,
                policy: self.policy_of_destination(item, items),
                defined: true,
            });
        }
        for item in of_kind("") {
            let name = |key: &str, own: &dyn Fn(&Item<'a>) -> String, kind: &'static str| match self.own(item, key) {
                Some(text) => Setting::Known(text),
                None => {
                    let other = self.referred(item, key);
                    let other = of_kind(kind).find(|one| Some(&*one.resource.address) == other.as_deref());
                    let place = self.here(item);
                    other.map_or(Setting::Unknown(place), |other| Setting::Known(At { value: own(other), place }))
                }
            };
            let source = name("delivery_source_name", &|item| self.named(item).value, "_source");
            let destination = name(
                "delivery_destination_arn",
                &|item| self.own(item, "arn").map_or_else(|| self.hole(&item.resource.address), |arn| arn.value),
                "_destination",
            );
            let place = self.here(item);
            let (account, region) = (self.account(item).value, self.region(item).value);
            observed.vended.deliveries.push(Delivery { place, source, account, region, destination });
        }
    }

    fn named(&self, item: &Item<'a>) -> Text {
        self.own(item, "name").unwrap_or_else(|| At { value: self.hole(&item.resource.address), place: self.here(item) })
    }

    /// The policy of a destination, from the resource of its own.
    fn policy_of_destination(&self, item: &Item<'a>, items: &[Item<'a>]) -> Setting<String> {
        let name = self.named(item).value;
        let kind = "aws_cloudwatch_log_delivery_destination_policy";
        let is_of = |other: &&Item<'a>| match self.own(other, "delivery_destination_name") {
            Some(text) => text.value == name,
            None => self.referred(other, "delivery_destination_name").as_deref() == Some(&*item.resource.address),
        };
        match items.iter().filter(|other| other.resource.kind == kind).find(is_of) {
            Some(other) => match self.own(other, "delivery_destination_policy") {
                Some(text) => Setting::Known(text),
                None => Setting::Unknown(self.here(other)),
            },
            None => Setting::Unsaid,
        }
    }

    /// Address of the one resource that an argument refers to, of the same index if it has several.
    fn referred(&self, item: &Item<'a>, key: &str) -> Option<String> {
        let address = self.code.refers_to(item.module, item.resource, key)?;
        let index = item.resource.index.map(|index| format!("{address}[{}]", index.get()));
        let exists = |address: &String| self.names.contains_key(address.as_str()) || self.addresses.contains(address.as_str());
        if exists(&address) { Some(address) } else { index.filter(exists) }
    }
}
