//! What a log configuration or a trail sends to its bucket, as sets of requests: what AWS documents of a delivery is known, what
//! the inputs don't tell is a hole, and of every other condition key nothing is known.

use crate::{
    aws::{CLOUDTRAIL_SERVICE, LOGGING_SERVICE, Partition, arn},
    observed::hole,
    plan::{
        Tier,
        prove::{Subject, form, moment},
    },
    policy::{
        Policy,
        evaluate::{
            Set, Shape,
            requests::{Action, Key, Requests, Value, Who},
        },
    },
};
use std::borrow::Cow;

/// A bucket that is delivered to, and for whom.
#[derive(Debug, Clone)]
pub(super) struct Delivery {
    /// The service that delivers.
    pub service: &'static str,
    /// Name of the bucket; may have holes, as all texts here.
    pub bucket: String,
    /// The bucket's partition.
    pub partition: Partition,
    /// The bucket's Region.
    pub region: String,
    /// The bucket's account.
    pub owner: String,
    /// ARN of the source bucket or trail.
    pub arn: String,
    /// Account of the source bucket or trail.
    pub account: String,
    /// Id of the account's organization, if an input tells.
    pub organization: Option<String>,
    /// Is it known what encryption CloudTrail asks for? Documented only of trails with a key.
    pub has_key: bool,
}

impl Delivery {
    fn subject<'a>(&'a self, policy: &'a Policy) -> Subject<'a> {
        Subject {
            bucket: &self.bucket,
            partition: self.partition,
            region: &self.region,
            account_id: &self.owner,
            role_arn: None,
            // whether S3 tells of the organization is not documented for access logs
            organization_id: self.organization.as_deref().filter(|_| self.service == CLOUDTRAIL_SERVICE),
            policy,
            granted_by: policy,
            tier: Tier::None,
            sources: &[],
            trails: &[],
            senders: &[],
            readers: None,
            copies: &[],
            denies_insecure_transport: false,
            of_placements: 1,
        }
    }

    /// The requests, once for each resource or form of resources.
    pub(super) fn requests<'a>(&'a self, policy: &'a Policy, action: &'a str, resource: Value<'a>) -> Requests<'a> {
        let mut keys = self.subject(policy).of_delivery(self.service, &self.arn, &self.account);
        if ![CLOUDTRAIL_SERVICE, LOGGING_SERVICE].contains(&self.service) {
            // documented of access logs alone
            keys.retain(|key| !key.name.starts_with("s3:x-amz-server-side-encryption"));
        }
        if self.service == CLOUDTRAIL_SERVICE && action == "s3:PutObject" && self.has_key {
            keys.push(Key::is("s3:x-amz-server-side-encryption", "aws:kms"));
        }
        Requests { who: Who::Service(self.service), action: Action::Is(action), resource, keys }
    }

    /// Requests of the service for anybody: any source or trail of any account.
    pub(super) fn for_anybody<'a>(&'a self, policy: &'a Policy, action: &'a str, resource: Value<'a>) -> Requests<'a> {
        let mut requests = self.requests(policy, action, resource);
        requests.set(Key::always("aws:SourceArn", form(any_source(self.service))));
        requests.set(Key::always("aws:SourceAccount", form(Shape::account())));
        if hole::has(&self.owner) {
            requests.set(Key::always("aws:ResourceAccount", form(Shape::account())));
            requests.set(Key::always("s3:ResourceAccount", form(Shape::account())));
        }
        if hole::has(&self.region) {
            requests.set(Key::always("aws:RequestedRegion", Value::Any));
        }
        requests
    }

    /// Nobody's delivery, of a service to a bucket: what is known of all.
    pub(super) fn of_nobody(service: &'static str, bucket: &str, partition: Partition) -> Self {
        let unknown = |name: &str| hole::hole(name, "of nobody");
        Delivery {
            service,
            bucket: bucket.to_owned(),
            partition,
            region: unknown("Region"),
            owner: unknown("account"),
            arn: unknown("source"),
            account: unknown("account"),
            organization: None,
            has_key: false,
        }
    }

    /// The bucket itself.
    pub(super) fn itself(&self) -> Value<'static> {
        Value::Text(Cow::Owned(arn::bucket(self.partition, &self.bucket)))
    }

    /// The log objects of a source (S3 user guide, "Log object key format"). With no format known, any key under the prefix.
    pub(super) fn log_objects(&self, prefix: &str, source: &str, region: &str, partitioned: Option<bool>) -> Value<'static> {
        let root = arn::object(self.partition, &self.bucket, prefix);
        form(match partitioned {
            Some(false) => moment(Shape::starting(root)),
            Some(true) => {
                let folder = Shape::starting(format!("{root}{}/{region}/{source}/", self.account));
                moment(folder.digits(4).text("/").digits(2).text("/").digits(2).text("/"))
            }
            None => Shape::starting(root).then(Set::Any).opened(),
        })
    }

    /// A trail's files of one kind, such as `CloudTrail` or `CloudTrail-Digest`, under the folder of an account or of the accounts of
    /// an organization (CloudTrail user guide, "Finding your CloudTrail log files"): of the trail's home Region, or of each.
    pub(super) fn trail_files(&self, prefix: &str, owner: Owner<'_>, kind: &str, home: Option<&str>) -> Value<'static> {
        let root = arn::object(self.partition, &self.bucket, &format!("{prefix}AWSLogs/"));
        let folder = match owner {
            Owner::Account(id) => Shape::starting(format!("{root}{id}/{kind}/")),
            Owner::Organization(id) => Shape::starting(format!("{root}{id}/")).digits(12).text(&format!("/{kind}/")),
        };
        let place = match home {
            Some(home) => folder.text(home),
            None => folder.some(Set::NotSlash),
        };
        form(place.text("/").digits(4).text("/").digits(2).text("/").digits(2).text("/").some(Set::NotSlash))
    }
}

/// Whose folder a file is in.
#[derive(Debug, Clone, Copy)]
pub(super) enum Owner<'a> {
    /// Of this account.
    Account(&'a str),
    /// Of an account of this organization.
    Organization(&'a str),
}

/// ARNs of all that a service delivers for: bare ARNs of buckets (S3 user guide, "Enabling Amazon S3 server access logging"), or
/// ARNs of trails (CloudTrail user guide, "Amazon S3 bucket policy for CloudTrail").
pub(super) fn any_source(service: &str) -> Shape {
    let arn = Shape::starting("arn:").some(Set::NotColon);
    match service {
        LOGGING_SERVICE => arn.text(":s3:::").some(Set::NotSlash),
        _ => arn.text(":cloudtrail:").some(Set::NotColon).text(":").digits(12).text(":trail/").some(Set::NotSlash),
    }
}
