//! Deliveries of access logs by CloudWatch Logs ("vended logs" of the type `S3_SERVER_ACCESS_LOGS`): what is delivered, where to, and
//! which goes with which. Data only; `compare` joins them.
//!
//! Source: S3 user guide, "Enabling server access logging with Amazon CloudWatch Logs"; CloudWatch Logs API reference,
//! PutDeliverySource, PutDeliveryDestination, CreateDelivery.

use super::{Setting, SourceLocation, Text, hole};

/// All that inputs tell of such deliveries.
#[derive(Debug, Clone, Default)]
pub(crate) struct Vended {
    /// Delivery sources, of buckets alone.
    pub sources: Vec<DeliverySource>,
    /// Delivery destinations, of whatever log type.
    pub destinations: Vec<DeliveryDestination>,
    /// Deliveries, of whatever log type.
    pub deliveries: Vec<Delivery>,
}

impl Vended {
    /// Adds what another input tells.
    pub(super) fn add(&mut self, other: &Vended) {
        self.sources.extend(other.sources.iter().cloned());
        self.destinations.extend(other.destinations.iter().cloned());
        self.deliveries.extend(other.deliveries.iter().cloned());
    }
}

/// A bucket whose access logs are to be delivered.
#[derive(Debug, Clone)]
pub(crate) struct DeliverySource {
    /// What defines it.
    pub place: SourceLocation,
    /// Its name, which a delivery gives; may have holes.
    pub name: Text,
    /// Name of the bucket.
    pub bucket: String,
    /// Account and Region that it is made in: the bucket's.
    pub account: String,
    /// See `account`.
    pub region: String,
}

/// Where logs are delivered to.
#[derive(Debug, Clone)]
pub(crate) struct DeliveryDestination {
    /// What defines it.
    pub place: SourceLocation,
    /// Its ARN, which a delivery gives; may have holes.
    pub arn: String,
    /// The account that it is made in.
    pub account: String,
    /// ARN of the log group, the bucket with or without a prefix, or the Firehose stream.
    pub target: Setting<String>,
    /// JSON of the policy that lets other accounts deliver here.
    pub policy: Setting<String>,
    /// Does the input say all of it, so that it has no policy if none is said?
    pub defined: bool,
}

/// What delivers from a source to a destination.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    /// What defines it.
    pub place: SourceLocation,
    /// Name of the source, in the delivery's own account and Region.
    pub source: Setting<String>,
    /// Account and Region that it is made in.
    pub account: String,
    /// See `account`.
    pub region: String,
    /// ARN of the destination.
    pub destination: Setting<String>,
}

/// What a destination's ARN names. It may have holes, and colons in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// The bucket of this name.
    Bucket(String),
    /// A log group: its Region, its account and its name.
    LogGroup(String, String, String),
    /// A Firehose stream.
    Firehose(String),
}

/// What an ARN names, if it is something that takes logs.
pub(crate) fn target_of(text: &str) -> Option<Target> {
    let parts = hole::split(text, ':');
    let [_, _, service, region, account, rest @ ..] = parts.as_slice() else { return None };
    match (*service, rest) {
        ("s3", [resource]) => Some(Target::Bucket(resource.split('/').next().unwrap_or_default().to_owned())),
        ("logs", ["log-group", name, ..]) => {
            Some(Target::LogGroup((*region).to_owned(), (*account).to_owned(), (*name).to_owned()))
        }
        ("firehose", [resource]) => Some(Target::Firehose(resource.trim_start_matches("deliverystream/").to_owned())),
        _ => None,
    }
}

/// The bucket that an ARN names.
pub(crate) fn bucket_in(text: &str) -> Option<String> {
    match target_of(text)? {
        Target::Bucket(name) => Some(name),
        _ => None,
    }
}
