//! Resource control policies: do they keep log deliveries out? They bind the calls of services, as service control policies don't (AWS
//! Organizations user guide, "Resource control policies (RCPs)" and "Service control policies (SCPs)").

use super::{
    Configuration, Kind, World,
    admit::{Answer, ask},
    delivery::{Delivery, Owner},
};
use crate::{
    aws::{CLOUDTRAIL_SERVICE, LOGGING_SERVICE, Partition, arn},
    observed::policy::PolicyDoc,
    policy::{Condition, Effect, Element, Policy, Principal, Statement, evaluate::requests::Value},
};
use std::collections::BTreeSet;

/// Judges a resource control policy: by the deliveries of the map, or without one by any.
pub(super) fn judge(world: &World<'_>, doc: &PolicyDoc) -> Configuration {
    let mut configuration = Configuration::new(Kind::ControlPolicy, (doc.place, doc.place), "", "");
    configuration.findings.extend(doc.findings.iter().map(|found| found.0.clone()));
    // whatever it does not refuse gets on to the bucket's own policy
    let mut policy = doc.policy.clone();
    policy.statements.push(Statement {
        sid: String::new(),
        effect: Effect::Allow,
        principal: Element::Is(Principal::Any),
        action: Element::Is(vec!["*".to_owned()]),
        resource: Element::Is(vec!["*".to_owned()]),
        condition: Condition::new(),
    });
    let (mut blamed, mut doubts) = (BTreeSet::new(), BTreeSet::new());
    for delivery in deliveries(world) {
        for (action, resource) in asked(&delivery) {
            refuses(doc, &policy, &delivery, (action, resource), (&mut blamed, &mut doubts), &mut configuration);
        }
        if !blamed.is_empty() {
            break;
        }
    }
    if doc.partly_unknown {
        configuration.doubt("parts of the policy are not known here");
    }
    configuration
}

fn refuses(
    doc: &PolicyDoc,
    policy: &Policy,
    delivery: &Delivery,
    (action, resource): (&str, Value<'_>),
    (blamed, doubts): (&mut BTreeSet<usize>, &mut BTreeSet<String>),
    configuration: &mut Configuration,
) {
    let requests = delivery.requests(policy, action, resource);
    let what = if delivery.service == LOGGING_SERVICE { "access logs" } else { "files of a trail" };
    match ask(policy, &requests) {
        Answer::Denied(denials) => {
            for denial in denials.iter().filter(|denial| blamed.insert(denial.statement)) {
                let message = format!("the resource control policy keeps {what} from being delivered");
                configuration.findings.push(denial.finding(doc, message, "this shuts the service out"));
            }
        }
        Answer::Perhaps(open) => {
            let words = format!("whether it keeps {what} from being delivered{}", open.words(&requests));
            if doubts.insert(words.clone()) {
                configuration.doubt(words);
            }
        }
        Answer::Allowed | Answer::NotAllowed(_) => {}
    }
}

/// What each source of the map delivers, or any source; and any trail.
fn deliveries<'w>(world: &'w World<'_>) -> impl Iterator<Item = Delivery> + 'w {
    let organization = world.organization.map(|organization| organization.id.value.clone());
    let of_map = world.known.sources.iter().filter_map(|(name, source)| {
        let bucket = world.known.buckets.get(*name)?.first()?;
        let (account, region) = (bucket.account.as_ref()?.value.clone(), bucket.region.as_ref()?.value.clone());
        let partition = Partition::of_region(&region);
        Some(Delivery {
            arn: arn::bucket(partition, name),
            bucket: source.log_bucket.to_string(),
            owner: account.clone(),
            account,
            region,
            partition,
            ..Delivery::of_nobody(LOGGING_SERVICE, "", partition)
        })
    });
    let anything = crate::observed::hole::hole("log bucket", "of nobody");
    let any = world.known.sources.is_empty().then(|| Delivery::of_nobody(LOGGING_SERVICE, &anything, Partition::Aws));
    let trail = Delivery { organization, ..Delivery::of_nobody(CLOUDTRAIL_SERVICE, &anything, Partition::Aws) };
    of_map.chain(any).chain([trail])
}

/// The calls of a delivery.
fn asked(delivery: &Delivery) -> Vec<(&'static str, Value<'static>)> {
    if delivery.service == LOGGING_SERVICE {
        return vec![("s3:PutObject", delivery.log_objects("", "", &delivery.region, None))];
    }
    let files = delivery.trail_files("", Owner::Account(&delivery.account), "CloudTrail", None);
    vec![("s3:GetBucketAcl", delivery.itself()), ("s3:PutObject", files)]
}
