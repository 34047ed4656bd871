//! `AWS::Logs::DeliverySource`, `AWS::Logs::DeliveryDestination` and `AWS::Logs::Delivery` (CloudFormation template reference).

use super::Reader;
use crate::{
    aws::{ACCESS_LOG_TYPE, arn},
    document::{Entry, Node},
    observed::{
        Observed, Setting, SourceLocation, Text, hole,
        policy::Reading,
        vended::{Delivery, DeliveryDestination, DeliverySource, bucket_in},
    },
};

pub(super) const SOURCE: &str = "AWS::Logs::DeliverySource";
pub(super) const DESTINATION: &str = "AWS::Logs::DeliveryDestination";
pub(super) const DELIVERY: &str = "AWS::Logs::Delivery";

impl Reader<'_, '_> {
    /// Reads one of the three.
    pub(super) fn vended(&self, kind: &str, entry: &Entry, properties: &Node, place: SourceLocation, observed: &mut Observed) {
        let template = self.template;
        let (account, region) = (template.account(), template.region());
        let text = |key: &str| match self.setting(properties, &[key]) {
            Setting::Known(text) => Some(text),
            _ => None,
        };
        let vended = &mut observed.vended;
        match kind {
            SOURCE => {
                // the log type may be what a parameter says; anything else is no bucket's
                let is_ours = text("LogType").is_none_or(|kind| hole::same(&kind.value, ACCESS_LOG_TYPE) != hole::Same::No);
                let Some(bucket) = text("ResourceArn").filter(|_| is_ours).and_then(|arn| bucket_in(&arn.value)) else { return };
                let name = Text { value: template.delivery_source(&entry.key).unwrap_or_default(), place };
                vended.sources.push(DeliverySource { place: self.anchor(entry), name, bucket, account, region });
            }
            DESTINATION => {
                let name = template.named_or_hole(&entry.key, DESTINATION);
                let policy = template.get(properties, "DeliveryDestinationPolicy").map(|node| {
                    // whom it lets in is looked for in its text, however it is written
                    let written = |node: &Node| format!("{:?}", node.kind);
                    Text { value: written(node), place: template.place(node.span) }
                });
                vended.destinations.push(DeliveryDestination {
                    place,
                    arn: arn::delivery_destination(template.partition(), &region, &account, &name),
                    account,
                    target: self.setting(properties, &["DestinationResourceArn"]),
                    policy: policy.map_or(Setting::Unsaid, Setting::Known),
                    defined: true,
                });
            }
            _ => vended.deliveries.push(Delivery {
                place: self.anchor(entry),
                source: self.setting(properties, &["DeliverySourceName"]),
                account,
                region,
                destination: self.setting(properties, &["DeliveryDestinationArn"]),
            }),
        }
    }
}
