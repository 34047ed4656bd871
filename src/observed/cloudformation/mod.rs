//! CloudFormation templates, YAML or JSON: buckets, bucket policies, log configurations and trails, once for each way in which
//! the template's conditions can turn out.
//!
//! Other resources, other versions and unknown functions are passed over; nothing here fails. What a macro makes is unknown.

pub(crate) mod app;
pub(crate) mod choice;
pub(crate) mod conditions;
pub(crate) mod given;
mod loops;
mod order;
mod transforms;
pub(crate) mod value;
mod vended;
pub(crate) mod work;

use super::{
    At, Bucket, DEFAULT_DATE_SOURCE, EncryptionKey, Feeds, Input, KeyAlias, Logging, NotRead, Observed, Selection, Setting,
    SourceLocation, Target, Text, Told, Trail, Way,
    dumps::child,
    hole,
    policy::{self, PolicyDoc, Reading, Resolved},
};
use crate::{
    document::{Document, Entry, Kind, Node},
    source::{FileId, SourceFile},
};
use choice::Choice;
use given::Given;
use order::Order;
use std::collections::BTreeMap;
use value::Template;
use work::{Sections, Work};

/// The resource types that are read.
const TYPES: [&str; 8] = [
    "AWS::S3::Bucket",
    "AWS::S3::BucketPolicy",
    "AWS::CloudTrail::Trail",
    "AWS::KMS::Key",
    "AWS::KMS::Alias",
    vended::SOURCE,
    vended::DESTINATION,
    vended::DELIVERY,
];

/// Reads a template, with what the caller says and what other templates give to it.
fn read(file: &SourceFile, id: FileId, document: &Document, (told, given): (&Told, &Given), input: &mut Input) {
    let named = super::partition_in(&file.text);
    let (sections, work) = (&Sections::of(document), &Work::default());
    let told = &only_place(&Template::new(document, id, (told, given), Choice::default(), named, (sections, work)));
    let template = Template::new(document, id, (told, given), Choice::default(), named, (sections, work));
    let resources = resources(&template);
    let parts: Vec<&Node> = resources.iter().flat_map(|(_, node)| decisive(&template, node)).collect();
    let made = resources.iter().filter_map(|(_, node)| match &template.document.resolve(child(node, "Condition")?).kind {
        Kind::Scalar { text, .. } => Some(text.to_string()),
        _ => None,
    });
    let (mut ways, more) = conditions::ways(&template, &parts, made.collect());
    if more {
        // judged once, as it is written: what is found so holds for some of the ways
        ways = vec![Choice::default()];
        input.doubts.push(
            "some of its conditions: they can turn out in more ways than are told apart (64; fewer in a template of thousands of buckets); give values with `--parameter`".to_owned(),
        );
    }
    let order = Order::of(&template);
    let copies = copies(&resources);
    for choice in ways {
        let facts = choice.facts();
        let template = Template::new(document, id, (told, given), choice, named, (sections, work));
        let mut observed = Observed::default();
        let made: Vec<_> = resources.iter().copied().filter(|(_, node)| conditions::is_made(&template, node)).collect();
        let reader = Reader { template: &template, policies: order::policies(&template, &made), order: &order, copies: &copies };
        for (entry, resource) in &made {
            reader.resource(entry, resource, &mut observed);
        }
        input.ways.push(Way { facts, observed });
    }
    if let Some(place) = work.stopped() {
        let at = file.position(place.start);
        input.ignored.push(NotRead::because(format!(
            "some of its values: they are too complex or too long, and so unknown (the first in line {}, column {})",
            at.line, at.column
        )));
    }
}

/// What the caller says, and what the template says of itself: where it looks up its Region or account in a mapping with one
/// key, it can be deployed nowhere else.
fn only_place(template: &Template<'_>) -> Told {
    fn lookups<'n>(document: &'n Document, node: &'n Node, found: &mut Vec<&'n [Node]>, depth: usize) {
        let node = document.resolve(node);
        match &node.kind {
            _ if depth > 60 => {}
            Kind::Sequence(items) => items.iter().for_each(|item| lookups(document, item, found, depth + 1)),
            Kind::Mapping(entries) => {
                for entry in entries {
                    if let ("Fn::FindInMap", Kind::Sequence(items)) = (&*entry.key, &document.resolve(&entry.value).kind) {
                        found.push(items);
                    }
                    lookups(document, &entry.value, found, depth + 1);
                }
            }
            _ => {}
        }
    }
    let mut told = template.told.clone();
    let mut found = Vec::new();
    for section in ["Conditions", "Resources"].into_iter().filter_map(|name| template.section(name)) {
        lookups(template.document, section, &mut found, 0);
    }
    for items in found {
        let [map, first, second, ..] = items else { continue };
        let Some(map) = template.text(map).and_then(|name| template.in_section("Mappings", &name)) else { continue };
        fn only(node: &Node) -> Option<&Entry> {
            match &node.kind {
                Kind::Mapping(entries) if entries.len() == 1 => entries.first(),
                _ => None,
            }
        }
        let is = |node: &Node, name: &str| matches!(&node.kind, Kind::Mapping(entries) if matches!(entries.as_slice(), [one] if &*one.key == "Ref" && matches!(&one.value.kind, Kind::Scalar { text, .. } if &**text == name)));
        let Some(top) = only(map) else { continue };
        if is(first, "AWS::Region") {
            told.region.get_or_insert(top.key.to_string());
        }
        if let Some(inner) = only(template.document.resolve(&top.value)).filter(|_| is(second, "AWS::AccountId")) {
            told.account.get_or_insert(inner.key.to_string());
        }
    }
    told
}

/// The resources of the types that are read.
fn resources<'a>(template: &Template<'a>) -> Vec<(&'a Entry, &'a Node)> {
    let Some(Kind::Mapping(entries)) = template.section("Resources").map(|node| &node.kind) else { return Vec::new() };
    let resources = entries.iter().map(|entry| (entry, template.document.resolve(&entry.value)));
    let wanted = |node: &Node| matches!(child(node, "Type").map(|node| &node.kind), Some(Kind::Scalar { text, .. }) if TYPES.contains(&&**text));
    resources.filter(|(_, node)| wanted(node)).collect()
}

/// The properties of a bucket that anything here depends on. Conditions of the others tell no ways apart.
const DECISIVE: [&str; 8] = [
    "AccessControl",
    "BucketEncryption",
    "BucketName",
    "BucketNamePrefix",
    "LoggingConfiguration",
    "ObjectLockConfiguration",
    "ObjectLockEnabled",
    "OwnershipControls",
];

/// The parts of a resource that decide what is read of it.
fn decisive<'n>(template: &Template<'n>, resource: &'n Node) -> Vec<&'n Node> {
    let is_bucket =
        matches!(child(resource, "Type").map(|node| &node.kind), Some(Kind::Scalar { text, .. }) if &**text == "AWS::S3::Bucket");
    let properties = child(resource, "Properties").map(|node| template.document.resolve(node));
    match properties.map(|node| &node.kind).filter(|_| is_bucket) {
        Some(Kind::Mapping(entries)) if !policy::is_function(entries) => {
            entries.iter().filter(|entry| DECISIVE.contains(&&*entry.key)).map(|entry| &entry.value).collect()
        }
        _ => vec![resource],
    }
}

/// Which copy of a loop's resource each is: those of one loop stand at one place.
fn copies<'a>(resources: &[(&'a Entry, &'a Node)]) -> BTreeMap<&'a str, u32> {
    let mut seen: BTreeMap<crate::source::Span, u32> = BTreeMap::new();
    let numbers = resources.iter().map(|(entry, _)| {
        let number = seen.entry(entry.key_span).and_modify(|number| *number += 1).or_insert(0);
        (&*entry.key, *number)
    });
    numbers.filter(|(_, number)| *number > 0).collect()
}

struct Reader<'t, 'a> {
    template: &'t Template<'a>,
    /// Logical ids of the bucket policies, by the name of their bucket.
    policies: BTreeMap<String, &'a str>,
    order: &'t Order<'a>,
    /// Which copy of a loop's resource each is, by logical id; the others stand alone.
    copies: &'t BTreeMap<&'a str, u32>,
}

impl Reader<'_, '_> {
    fn at<T>(&self, value: T, node: &Node) -> At<T> {
        At { value, place: self.template.place(node.span) }
    }

    /// A property as a setting.
    fn setting(&self, node: &Node, path: &[&str]) -> Setting<String> {
        let mut node = node;
        for key in path {
            let Resolved::Node(whole) = self.template.resolve(node) else {
                return Setting::Unknown(self.template.place(node.span));
            };
            if matches!(&whole.kind, Kind::Mapping(entries) if policy::is_function(entries)) {
                return Setting::Unknown(self.template.place(whole.span));
            }
            let next = match &whole.kind {
                // `[0]` of a list that has one item for each bucket setting
                Kind::Sequence(items) if *key == "0" => {
                    items.iter().find(|item| !matches!(self.template.resolve(item), Resolved::Nothing))
                }
                _ => child(whole, key),
            };
            let Some(next) = next else { return Setting::Unsaid };
            node = match self.template.resolve(next) {
                Resolved::Node(node) => node,
                Resolved::Nothing => return Setting::Unsaid,
                Resolved::Unknown => return Setting::Unknown(self.template.place(next.span)),
            };
        }
        match self.template.text(node).filter(|text| self.template.work.is_short(text, node.span)) {
            Some(text) => Setting::Known(self.at(text, node)),
            None => Setting::Unknown(self.template.place(node.span)),
        }
    }

    fn flag(&self, properties: &Node, key: &str) -> Setting<bool> {
        match self.setting(properties, &[key]) {
            Setting::Known(text) if hole::has(&text.value) => Setting::Unknown(text.place),
            Setting::Known(text) => Setting::Known(At { value: text.value.eq_ignore_ascii_case("true"), place: text.place }),
            Setting::Unknown(place) => Setting::Unknown(place),
            Setting::Unsaid => Setting::Unsaid,
        }
    }

    fn resource(&self, entry: &Entry, resource: &Node, observed: &mut Observed) {
        let place = self.template.place(entry.key_span);
        let properties = child(resource, "Properties").map(|node| self.template.document.resolve(node));
        let Some(Kind::Scalar { text: kind, .. }) = child(resource, "Type").map(|node| &node.kind) else { return };
        match &**kind {
            "AWS::S3::Bucket" => self.bucket(entry, properties.unwrap_or(resource), place, observed),
            "AWS::S3::BucketPolicy" => {
                if let Some(properties) = properties {
                    self.policy(properties, observed);
                }
            }
            kind @ (vended::SOURCE | vended::DESTINATION | vended::DELIVERY) => {
                if let Some(properties) = properties {
                    self.vended(kind, entry, properties, place, observed);
                }
            }
            "AWS::KMS::Key" => observed.keys.push(self.key(entry, properties, place)),
            "AWS::KMS::Alias" => {
                if let Some(properties) = properties {
                    self.alias(entry, properties, observed);
                }
            }
            _ => {
                if let Some(properties) = properties {
                    observed.trails.extend(self.trail(entry, resource, properties, place));
                }
            }
        }
    }

    fn bucket(&self, entry: &Entry, properties: &Node, place: SourceLocation, observed: &mut Observed) {
        let name = self.template.bucket_name(&entry.key).unwrap_or_else(|| self.template.hole(&entry.key));
        let name = At { value: name, place };
        let mut bucket = Bucket::named(name.clone(), place);
        bucket.defined = true;
        bucket.fresh = true;
        bucket.partition = self.template.named_partition;
        bucket.region = Some(At { value: self.template.region(), place });
        bucket.account = Some(At { value: self.template.account(), place });
        bucket.encryption = self.setting(
            properties,
            &["BucketEncryption", "ServerSideEncryptionConfiguration", "0", "ServerSideEncryptionByDefault", "SSEAlgorithm"],
        );
        bucket.key = self.setting(
            properties,
            &["BucketEncryption", "ServerSideEncryptionConfiguration", "0", "ServerSideEncryptionByDefault", "KMSMasterKeyID"],
        );
        bucket.ownership = self.setting(properties, &["OwnershipControls", "Rules", "0", "ObjectOwnership"]);
        bucket.object_lock = match self.setting(properties, &["ObjectLockEnabled"]) {
            Setting::Known(text) if hole::has(&text.value) => Setting::Unknown(text.place),
            Setting::Known(text) => Setting::Known(At { value: text.value.eq_ignore_ascii_case("true"), place: text.place }),
            Setting::Unknown(place) => Setting::Unknown(place),
            Setting::Unsaid => match self.template.get(properties, "ObjectLockConfiguration") {
                Some(node) => Setting::Known(self.at(true, node)),
                None => Setting::Unsaid,
            },
        };
        bucket.log_delivery_acl = match self.setting(properties, &["AccessControl"]) {
            Setting::Known(text) if hole::has(&text.value) => Setting::Unknown(text.place),
            Setting::Known(text) => Setting::Known(At { value: text.value == "LogDeliveryWrite", place: text.place }),
            Setting::Unknown(place) => Setting::Unknown(place),
            Setting::Unsaid => Setting::Unsaid,
        };
        observed.buckets.push(bucket);
        observed.logging.extend(self.logging(properties, name, self.anchor(entry)));
    }

    /// What tells a resource from all others: its place, with another end for each copy that a loop makes.
    fn anchor(&self, entry: &Entry) -> SourceLocation {
        let mut place = self.template.place(entry.key_span);
        place.span.end = place.span.end.saturating_add(self.copies.get(&*entry.key).copied().unwrap_or(0));
        place
    }

    fn logging(&self, properties: &Node, source: Text, anchor: SourceLocation) -> Option<Logging> {
        let written = child(properties, "LoggingConfiguration")?;
        let configuration = match self.template.resolve(written) {
            Resolved::Node(node) => node,
            Resolved::Nothing => return None,
            Resolved::Unknown => written,
        };
        let unknown = !matches!(&configuration.kind, Kind::Mapping(entries) if !policy::is_function(entries));
        let target = match self.setting(configuration, &["DestinationBucketName"]) {
            _ if unknown => Target::Unknown,
            Setting::Known(text) => Target::Named(text),
            Setting::Unknown(_) => Target::Unknown,
            Setting::Unsaid => Target::Omitted,
        };
        let format = self.template.get(configuration, "TargetObjectKeyFormat");
        let partitioned = format.and_then(|format| self.template.get(format, "PartitionedPrefix"));
        let date_source = match partitioned.map(|partitioned| self.setting(partitioned, &["PartitionDateSource"])) {
            Some(Setting::Known(text)) => Some(text.value),
            Some(Setting::Unsaid) => Some(DEFAULT_DATE_SOURCE.to_owned()),
            Some(Setting::Unknown(_)) | None => None,
        };
        let strange = self.strange(written, configuration);
        let key = match (properties_entry(properties, "LoggingConfiguration"), &target) {
            (_, Target::Named(text)) => text.place,
            (Some(entry), _) => self.template.place(entry.key_span),
            (None, _) => self.template.place(configuration.span),
        };
        Some(Logging {
            place: key,
            anchor,
            source: Some(source),
            target,
            prefix: self.setting(configuration, &["LogFilePrefix"]),
            partitioned: Some(partitioned.is_some()),
            date_source,
            region: None,
            grants: None,
            strange,
        })
    }

    /// What stands in a `LoggingConfiguration` and is none of its properties, such as the names that the API has for them. Source:
    /// CloudFormation template reference, "AWS::S3::Bucket LoggingConfiguration".
    fn strange(&self, written: &Node, configuration: &Node) -> Option<Text> {
        let known = ["DestinationBucketName", "LogFilePrefix", "TargetObjectKeyFormat"];
        let strange = |entries: &[Entry]| {
            let entry = entries.iter().find(|entry| !known.contains(&&*entry.key) && !entry.key.starts_with("Fn::"))?;
            Some(At { value: entry.key.to_string(), place: self.template.place(entry.key_span) })
        };
        match &configuration.kind {
            Kind::Mapping(entries) if policy::is_function(entries) => None,
            Kind::Mapping(entries) => strange(entries),
            Kind::Sequence(items) => {
                let first = items.iter().find_map(|item| match &self.template.document.resolve(item).kind {
                    Kind::Mapping(entries) if !policy::is_function(entries) => strange(entries),
                    _ => None,
                });
                Some(first.unwrap_or(At { value: String::new(), place: self.template.place(written.span) }))
            }
            _ => None,
        }
    }

    fn policy(&self, properties: &Node, observed: &mut Observed) {
        let name = match self.setting(properties, &["Bucket"]) {
            Setting::Known(text) => text,
            _ => return,
        };
        let Some(document) = child(properties, "PolicyDocument") else { return };
        let doc: PolicyDoc = policy::read(document, self.template, Some(name.clone()));
        let mut bucket = Bucket::named(name, doc.place);
        bucket.policy = Setting::Known(At { value: doc.clone(), place: doc.place });
        observed.buckets.push(bucket);
        observed.policies.push(doc);
    }

    fn key(&self, entry: &Entry, properties: Option<&Node>, place: SourceLocation) -> EncryptionKey {
        let policy = match properties.and_then(|properties| child(properties, "KeyPolicy")) {
            Some(document) => {
                let doc = policy::read(document, self.template, None);
                Setting::Known(At { place: doc.place, value: doc })
            }
            None => Setting::Unsaid,
        };
        let names = vec![self.template.key_arn(&entry.key), self.template.hole(&entry.key)];
        EncryptionKey { place, names, policy }
    }

    /// Another name of a key.
    fn alias(&self, entry: &Entry, properties: &Node, observed: &mut Observed) {
        let Some(key) = child(properties, "TargetKeyId").and_then(|node| self.template.text(node)) else { return };
        let name = self.template.get(properties, "AliasName").and_then(|node| self.template.text(node));
        for name in name.into_iter().chain([self.template.hole(&entry.key)]) {
            observed.aliases.push(KeyAlias { name, key: key.clone() });
        }
    }

    fn trail(&self, entry: &Entry, resource: &Node, properties: &Node, place: SourceLocation) -> Option<Trail> {
        let name = match self.setting(properties, &["TrailName"]) {
            Setting::Known(text) => text,
            _ => At { value: self.template.hole(&entry.key), place },
        };
        let bucket = self.setting(properties, &["S3BucketName"]);
        let [basic, advanced] = ["EventSelectors", "AdvancedEventSelectors"].map(|key| child(properties, key));
        let selectors = advanced.or(basic).map(|node| {
            let place = self.template.place(node.span);
            let value = self.template.value(node);
            let (basic, advanced) = if advanced.is_some() { (None, value) } else { (value, None) };
            Selection::of(place, basic.as_ref(), advanced).unwrap_or(Selection::untold(place))
        });
        let unordered = bucket
            .known()
            .and_then(|bucket| self.policies.get(&bucket.value))
            .filter(|policy| !self.order.waits(self.template, resource, &entry.key, policy))
            .map(|policy| (*policy).to_owned());
        Some(Trail {
            place: bucket.known().map_or(place, |bucket| bucket.place),
            anchor: self.anchor(entry),
            arn: self.template.trail_arn(&entry.key)?,
            arn_is_given: false,
            account: self.template.account(),
            prefix: self.setting(properties, &["S3KeyPrefix"]),
            key: self.setting(properties, &["KMSKeyId"]),
            logging: self.flag(properties, "IsLogging"),
            feeds: Feeds {
                log_group: self.setting(properties, &["CloudWatchLogsLogGroupArn"]).known().cloned(),
                log_role: self.setting(properties, &["CloudWatchLogsRoleArn"]).known().cloned(),
                topic: self.setting(properties, &["SnsTopicName"]).known().cloned(),
                insights: child(properties, "InsightSelectors").map(|node| self.template.place(node.span)),
                insight_types: Vec::new(),
            },
            unordered: unordered.map(|policy| At { value: policy, place }),
            organization: self.flag(properties, "IsOrganizationTrail"),
            multi_region: self.flag(properties, "IsMultiRegionTrail"),
            validation: self.flag(properties, "EnableLogFileValidation"),
            recursive: Setting::Unsaid,
            selectors,
            name,
            bucket,
        })
    }
}

fn properties_entry<'n>(properties: &'n Node, key: &str) -> Option<&'n Entry> {
    match &properties.kind {
        Kind::Mapping(entries) => entries.iter().find(|entry| &*entry.key == key),
        _ => None,
    }
}
