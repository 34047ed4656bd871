//! The KMS key of a trail: is it there, and does its policy let CloudTrail use it?

use super::{
    Configuration, World,
    admit::{self, Answer},
    delivery::Delivery,
    finding, related, too_complex,
};
use crate::{
    aws::{CLOUDTRAIL_SERVICE, arn},
    catalog::observed::{KEY_POLICY, TRAIL_KEY},
    observed::{Bucket, EncryptionKey, Setting, Trail, hole},
    plan::prove::form,
    policy::{
        Policy,
        evaluate::{
            Set, Shape,
            requests::{Action, Key, Requests, Value, Who},
        },
    },
};
use std::borrow::Cow;

/// What CloudTrail does with a key. Source: CloudTrail user guide, "Configure AWS KMS key policies for CloudTrail": a trail can't be
/// made without the first two; the third is needed besides where the bucket has an S3 Bucket Key, which is not judged.
const ACTIONS: [(&str, &str); 2] = [("kms:GenerateDataKey", "kms:GenerateDataKey*"), ("kms:DescribeKey", "kms:DescribeKey")];

/// Judges the key of a trail.
pub(super) fn judge(world: &World<'_>, trail: &Trail, bucket: &Bucket, delivery: &Delivery, configuration: &mut Configuration) {
    let key = match &trail.key {
        Setting::Unsaid => return,
        Setting::Unknown(_) => return configuration.doubt("which KMS key the trail has"),
        Setting::Known(key) => key,
    };
    region(trail, bucket, &key.value, configuration);
    let shown = hole::shown(&key.value);
    let Some(known) = world.key(&key.value) else {
        return configuration.doubt(format!("the policy of the trail's key `{shown}` is not in the inputs"));
    };
    let doc = match &known.policy {
        Setting::Known(doc) => &doc.value,
        Setting::Unknown(_) => return configuration.doubt(format!("the text of the policy of the trail's key `{shown}`")),
        Setting::Unsaid => {
            let found = finding(
                &KEY_POLICY,
                known.place,
                format!("the trail's key `{shown}` has the default policy, which does not let CloudTrail use it"),
            );
            configuration.findings.push(related(found.help(help("kms:GenerateDataKey*")), trail.place, "the trail"));
            return;
        }
    };
    for (action, written) in ACTIONS {
        let requests = requests(trail, delivery, known, action, &doc.policy);
        if !world.may_ask(&doc.policy, &trail.arn) {
            return configuration.doubt(too_complex(&shown));
        }
        let lets = match admit::ask(&doc.policy, &requests) {
            Answer::Allowed if !doc.partly_unknown && !doc.doubled => continue,
            _ if doc.partly_unknown || doc.doubled => {
                configuration.doubt(format!("parts of the policy of the trail's key `{shown}` are not known here"));
                return;
            }
            Answer::Perhaps(open) => {
                let words = open.words(&requests);
                configuration
                    .doubt(format!("whether the policy of the trail's key `{shown}` lets CloudTrail call `{written}`{words}"));
                return;
            }
            Answer::Denied(denials) => {
                let denial = denials.into_iter().next();
                let place = denial.as_ref().and_then(|denial| doc.places.get(denial.statement)).map(|places| places.whole);
                (place.unwrap_or(doc.place), denial.and_then(|denial| denial.witness))
            }
            Answer::NotAllowed(witness) => (doc.place, witness),
            Answer::Allowed => continue,
        };
        let (place, witness) = lets;
        let found = finding(
            &KEY_POLICY,
            place,
            format!("the policy of the trail's key `{shown}` does not let CloudTrail call `{written}`"),
        )
        .help(help(written))
        .example(witness.as_ref().map(admit::example));
        configuration.findings.push(related(found, trail.place, "the trail"));
        return;
    }
}

fn help(written: &str) -> String {
    format!(
        "CloudTrail answers `InsufficientEncryptionPolicyException`; let `cloudtrail.amazonaws.com` call `kms:GenerateDataKey*` and `kms:DescribeKey` with `aws:SourceArn` of the trail (here `{written}` is lacking)"
    )
}

/// A key must be in the Region of the bucket; the trail's does not matter.
fn region(trail: &Trail, bucket: &Bucket, key: &str, configuration: &mut Configuration) {
    let name = hole::shown(&bucket.name.value);
    let (Some(of_key), Some(region)) = (arn::parse(key).filter(|arn| arn.service == "kms"), &bucket.region) else { return };
    match hole::same(of_key.region, &region.value) {
        hole::Same::Yes => {}
        hole::Same::Maybe => configuration.doubt(format!("whether the trail's key and `{name}` are in one Region")),
        hole::Same::No => {
            let (of_key, of_bucket) = (hole::shown(of_key.region), hole::shown(&region.value));
            let place = trail.key.known().map_or(trail.place, |key| key.place);
            let found = finding(&TRAIL_KEY, place, format!("the trail's key is in {of_key}, its bucket `{name}` in {of_bucket}"))
                .help("CloudTrail answers `KmsKeyNotFoundException`; use a key of the bucket's Region");
            configuration.findings.push(related(found, bucket.place, format!("the bucket is in {of_bucket}")));
        }
    }
}

/// CloudTrail's calls of a key: with the trail's ARN as source and, but for `kms:DescribeKey`, in the encryption context, which names
/// the trail in each Region.
fn requests<'a>(
    trail: &'a Trail,
    delivery: &'a Delivery,
    key: &'a EncryptionKey,
    action: &'a str,
    policy: &'a Policy,
) -> Requests<'a> {
    const CONTEXT: &str = "kms:EncryptionContext:aws:cloudtrail:arn";
    let mut requests =
        delivery.requests(policy, action, Value::Text(Cow::Borrowed(key.names.first().map_or("", String::as_str))));
    // a key's context is another one than a bucket's
    requests.keys.retain(|key| !key.name.starts_with("s3:") && !key.name.starts_with("aws:Resource"));
    requests.who = Who::Service(CLOUDTRAIL_SERVICE);
    requests.action = Action::Is(action);
    if action == "kms:DescribeKey" {
        requests.set(Key::absent(CONTEXT));
    } else if let Some(parts) = arn::parse(&trail.arn) {
        let root = format!("arn:{}:cloudtrail:", parts.partition);
        let of_account = Shape::starting(root).some(Set::NotColon).text(&format!(":{}:{}", parts.account, parts.resource));
        requests.set(match trail.organization {
            Setting::Known(ref organization) if !organization.value => Key::always(CONTEXT, form(of_account)),
            Setting::Unsaid => Key::always(CONTEXT, form(of_account)),
            // of each account of the organization
            _ => Key::always(CONTEXT, Value::Any),
        });
    }
    requests
}
