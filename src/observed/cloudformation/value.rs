//! Values of a template: intrinsic functions → texts, as far as the template and the caller tell. The rest are holes.

use super::{
    choice::Choice,
    given::Given,
    work::{Sections, Work},
};
use crate::{
    aws::{Partition, arn, region},
    document::{Document, Entry, Kind, Node},
    observed::{
        SourceLocation, Told,
        dumps::child,
        hole::{self, hole},
        policy::{Reading, Resolved, is_function},
    },
    source::{FileId, Span},
};
use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
};

/// Conditions and tests within each other.
const MAX_CONDITIONS: usize = 120;
/// Choices within choices: deeper than anybody writes.
const MAX_CHOICES: usize = 40;

/// A template with everything that decides its values.
pub(crate) struct Template<'a> {
    /// The tree.
    pub document: &'a Document,
    /// The file.
    pub file: FileId,
    /// What the caller says.
    pub told: &'a Told,
    /// What other templates give to it.
    given: &'a Given,
    /// How its conditions turn out.
    pub choice: Choice,
    /// The partition that the template's own ARNs name, if they name one.
    pub named_partition: Option<Partition>,
    /// Its sections.
    sections: &'a Sections<'a>,
    /// What its values may cost, in all its ways together.
    pub work: &'a Work,
    /// The conditions that were asked for: whether they hold. One that is being asked for is unknown to itself.
    pub(super) conditions: RefCell<BTreeMap<String, Option<bool>>>,
    /// Conditions and tests within each other that are being asked for.
    pub(super) asking: Cell<usize>,
}

impl<'a> Template<'a> {
    /// A template.
    pub(crate) fn new(
        document: &'a Document,
        file: FileId,
        (told, given): (&'a Told, &'a Given),
        choice: Choice,
        named_partition: Option<Partition>,
        (sections, work): (&'a Sections<'a>, &'a Work),
    ) -> Self {
        Template {
            document,
            file,
            told,
            given,
            choice,
            named_partition,
            sections,
            work,
            conditions: RefCell::default(),
            asking: Cell::new(0),
        }
    }

    /// A section of the template, such as `Resources`.
    pub(crate) fn section(&self, name: &str) -> Option<&'a Node> {
        self.document.root.as_ref().and_then(|root| child(root, name)).map(|node| self.document.resolve(node))
    }

    /// An entry of a section.
    pub(crate) fn in_section(&self, section: &str, name: &str) -> Option<&'a Node> {
        self.sections.get(section, name)
    }

    /// A hole that is this template's own.
    pub(crate) fn hole(&self, name: &str) -> String {
        hole(name, &self.file.0.to_string())
    }

    /// The stack's Region.
    pub(crate) fn region(&self) -> String {
        self.told.region.clone().or_else(|| self.choice.value("AWS::Region")).unwrap_or_else(|| self.hole("AWS::Region"))
    }

    /// The stack's account.
    pub(crate) fn account(&self) -> String {
        self.told.account.clone().or_else(|| self.choice.value("AWS::AccountId")).unwrap_or_else(|| self.hole("AWS::AccountId"))
    }

    /// The stack's partition; where neither the Region is told nor an ARN names one, the commercial one.
    pub(crate) fn partition(&self) -> Partition {
        let region = self.region();
        if region::is_well_formed(&region) {
            Partition::of_region(&region)
        } else {
            self.named_partition.unwrap_or(Partition::Aws)
        }
    }

    /// The properties of a resource, if it has this type.
    pub(crate) fn properties(&self, logical: &str, kind: &str) -> Option<&Node> {
        let resource = self.in_section("Resources", logical)?;
        let is = matches!(&child(resource, "Type")?.kind, Kind::Scalar { text, .. } if &**text == kind);
        is.then(|| child(resource, "Properties").map_or(resource, |node| self.document.resolve(node)))
    }

    /// A property that has a value.
    pub(crate) fn get<'n>(&'n self, node: &'n Node, key: &str) -> Option<&'n Node> {
        let Resolved::Node(node) = self.resolve(node) else { return None };
        match self.resolve(self.work.child(node, key)?) {
            Resolved::Node(node) => Some(node),
            _ => None,
        }
    }

    /// Plain data, with what functions give in it, also holes; nothing if a part of it is no text. Numbers and truth values are texts.
    pub(crate) fn value(&self, node: &Node) -> Option<serde_json::Value> {
        let Resolved::Node(node) = self.resolve(node) else { return None };
        match &node.kind {
            Kind::Sequence(items) => items.iter().map(|item| self.value(item)).collect(),
            Kind::Mapping(entries) if !is_function(entries) => {
                entries.iter().map(|entry| Some((entry.key.to_string(), self.value(&entry.value)?))).collect()
            }
            _ => self.text(node).map(serde_json::Value::from),
        }
    }

    /// Name of a bucket of the template.
    pub(crate) fn bucket_name(&self, logical: &str) -> Option<String> {
        let properties = self.properties(logical, "AWS::S3::Bucket")?;
        let own = || hole::bucket(logical, &self.file.0.to_string());
        // what names it may give no name for all that is known
        Some(match self.get(properties, "BucketName") {
            Some(node) => self.name(node).unwrap_or_else(|| self.hole(logical)),
            None => own(),
        })
    }

    /// ARN of a trail of the template.
    pub(crate) fn trail_arn(&self, logical: &str) -> Option<String> {
        let properties = self.properties(logical, "AWS::CloudTrail::Trail")?;
        let name = self.get(properties, "TrailName").and_then(|node| self.name(node)).unwrap_or_else(|| self.hole(logical));
        Some(arn::trail(self.partition(), &self.region(), &self.account(), &name))
    }

    /// Name of a delivery source of the template: what `Ref` gives.
    pub(crate) fn delivery_source(&self, logical: &str) -> Option<String> {
        self.properties(logical, "AWS::Logs::DeliverySource")?;
        Some(self.named_or_hole(logical, "AWS::Logs::DeliverySource"))
    }

    /// The `Name` of a resource, or a hole.
    pub(crate) fn named_or_hole(&self, logical: &str, kind: &str) -> String {
        let name = self.properties(logical, kind).and_then(|properties| self.get(properties, "Name"));
        name.and_then(|node| self.name(node)).unwrap_or_else(|| self.hole(logical))
    }

    /// ARN of a resource of CloudWatch Logs.
    fn logs_arn(&self, logical: &str) -> Option<String> {
        let (partition, region, account) = (self.partition(), self.region(), self.account());
        if self.properties(logical, "AWS::Logs::DeliveryDestination").is_some() {
            let name = self.named_or_hole(logical, "AWS::Logs::DeliveryDestination");
            return Some(arn::delivery_destination(partition, &region, &account, &name));
        }
        let properties = self.properties(logical, "AWS::Logs::LogGroup")?;
        let name = self.get(properties, "LogGroupName").and_then(|node| self.name(node)).unwrap_or_else(|| self.hole(logical));
        Some(format!("arn:{partition}:logs:{region}:{account}:log-group:{name}:*"))
    }

    /// ARN of a KMS key of the template.
    pub(crate) fn key_arn(&self, logical: &str) -> String {
        format!("arn:{}:kms:{}:{}:key/{}", self.partition(), self.region(), self.account(), self.hole(logical))
    }

    /// The text of a node that names something; nothing if nothing could have so long a name.
    fn name(&self, node: &Node) -> Option<String> {
        self.text(node).filter(|text| self.work.is_short(text, node.span))
    }

    /// `!Ref NAME`.
    fn reference(&self, name: &str) -> String {
        match name {
            "AWS::Region" => self.region(),
            "AWS::AccountId" => self.account(),
            "AWS::Partition" => self.partition().to_string(),
            "AWS::URLSuffix" => match self.partition() {
                Partition::Cn => "amazonaws.com.cn".to_owned(),
                _ => "amazonaws.com".to_owned(),
            },
            _ => self
                .parameter(name)
                .or_else(|| self.choice.value(name))
                .or_else(|| self.bucket_name(name))
                .or_else(|| self.delivery_source(name))
                .unwrap_or_else(|| self.hole(name)),
        }
    }

    /// What the caller gives for a parameter, or the map for one that names a parameter of Systems Manager.
    fn parameter(&self, name: &str) -> Option<String> {
        let declared = self.in_section("Parameters", name)?;
        if let Some(given) = self.given.parameters.get(name) {
            return Some(given.clone());
        }
        let given = self.told.parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        let of = |key: &str| match &self.document.resolve(child(declared, key)?).kind {
            Kind::Scalar { text, .. } => Some(text.to_string()),
            _ => None,
        };
        if !of("Type").is_some_and(|kind| kind.starts_with("AWS::SSM::Parameter::Value<")) {
            return given;
        }
        // what is given may be the name there, as on the command line of AWS, or what it holds
        let stored = given.clone().or_else(|| of("Default")).and_then(|name| self.published(&name));
        stored.or(given.filter(|given| !given.starts_with('/')))
    }

    /// The value of a parameter of Systems Manager that the map publishes here.
    fn published(&self, name: &str) -> Option<String> {
        let (known, value) = self.told.published.get(&(self.account(), self.region()))?;
        (known == name).then(|| value.clone())
    }

    /// Puts in what dynamic references stand for (CloudFormation user guide, "Get values stored in other services").
    fn resolved(&self, text: &str) -> String {
        let (mut out, mut rest) = (String::new(), text);
        while let Some((before, after)) = rest.split_once("{{resolve:") {
            let Some((reference, tail)) = after.split_once("}}") else { break };
            let value = reference.strip_prefix("ssm:").and_then(|name| self.published(name));
            out = out + before + &value.unwrap_or_else(|| self.hole(reference));
            rest = tail;
        }
        out + rest
    }

    /// `!GetAtt NAME.ATTRIBUTE`.
    fn attribute(&self, name: &str, attribute: &str) -> String {
        let bucket = || self.bucket_name(name).filter(|_| attribute == "Arn").map(|name| arn::bucket(self.partition(), &name));
        let trail = || self.trail_arn(name).filter(|_| attribute == "Arn");
        let logs = || self.logs_arn(name).filter(|_| attribute == "Arn");
        let key = || self.properties(name, "AWS::KMS::Key").filter(|_| attribute == "Arn").map(|_| self.key_arn(name));
        // of a nested stack, and of the CDK's reader of exports of another Region
        let output = || {
            let output = attribute.strip_prefix("Outputs.")?;
            self.given.outputs.get(&(name.to_owned(), output.to_owned())).cloned()
        };
        let crossing = || {
            self.properties(name, "Custom::CrossRegionExportReader")?;
            self.given.crossing(attribute)
        };
        bucket()
            .or_else(trail)
            .or_else(logs)
            .or_else(key)
            .or_else(output)
            .or_else(crossing)
            .unwrap_or_else(|| self.hole(&format!("{name}.{attribute}")))
    }

    fn function(&self, entry: &Entry) -> String {
        let argument = self.document.resolve(&entry.value);
        let text = |node: &Node| self.text(node).unwrap_or_else(|| self.unknown());
        let items = || match &argument.kind {
            Kind::Sequence(items) => items.as_slice(),
            _ => &[],
        };
        match (&*entry.key, items()) {
            ("Ref", _) => match &argument.kind {
                Kind::Scalar { text, .. } => self.reference(text),
                _ => self.unknown(),
            },
            ("Fn::GetAtt", [name, attribute]) => self.attribute(&text(name), &text(attribute)),
            ("Fn::GetAtt", _) => match &argument.kind {
                Kind::Scalar { text, .. } => {
                    text.split_once('.').map_or_else(|| self.unknown(), |(name, attribute)| self.attribute(name, attribute))
                }
                _ => self.unknown(),
            },
            ("Fn::Sub", [template, values]) => self.substitute(&text(template), Some(values)),
            ("Fn::Sub", _) => match &argument.kind {
                Kind::Scalar { text, .. } => self.substitute(&self.resolved(text), None),
                _ => self.unknown(),
            },
            ("Fn::Join", [delimiter, list]) => {
                let Some(parts) = self.list(list) else { return self.named("Fn::Join", argument) };
                parts.join(&text(delimiter))
            }
            ("Fn::Select", [index, list]) => {
                let index = text(index).parse::<usize>().ok();
                let list = self.list(list);
                index
                    .zip(list)
                    .and_then(|(index, list)| list.get(index).cloned())
                    .unwrap_or_else(|| self.named("Fn::Select", argument))
            }
            ("Fn::FindInMap", [map, first, second, ..]) => {
                let (map, first, second) = (text(map), text(first), text(second));
                let value = self
                    .in_section("Mappings", &map)
                    .and_then(|node| self.work.child(node, &first))
                    .and_then(|node| self.work.child(self.document.resolve(node), &second));
                value.and_then(|node| self.text(node)).unwrap_or_else(|| {
                    self.hole(&format!("{}.{}.{}", hole::shown(&map), hole::shown(&first), hole::shown(&second)))
                })
            }
            ("Fn::ImportValue", _) => {
                let name = self.text(argument).unwrap_or_default();
                self.given.import(&name).unwrap_or_else(|| self.hole(&format!("import {}", hole::shown(&name))))
            }
            (name, _) => self.named(name, argument),
        }
    }

    /// A hole for a function's value: the same for the same argument.
    fn named(&self, function: &str, argument: &Node) -> String {
        self.hole(&format!("{function} {}:{}", argument.span.start, argument.span.end))
    }

    /// A list of texts: a sequence, or `Fn::Split` of a known text.
    pub(super) fn list(&self, node: &Node) -> Option<Vec<String>> {
        let Resolved::Node(node) = self.resolve(node) else { return None };
        match &node.kind {
            Kind::Sequence(items) => {
                let mut texts = Vec::new();
                for item in items {
                    match self.resolve(item) {
                        Resolved::Node(item) => texts.push(self.text(item)?),
                        Resolved::Nothing => {}
                        Resolved::Unknown => return None,
                    }
                }
                Some(texts)
            }
            Kind::Mapping(entries) => match entries.as_slice() {
                [one] if &*one.key == "Fn::Split" => {
                    let Kind::Sequence(arguments) = &self.document.resolve(&one.value).kind else { return None };
                    let [delimiter, text] = arguments.as_slice() else { return None };
                    let (delimiter, text) = (self.text(delimiter)?, self.text(text)?);
                    // a hole may hold the delimiter, but names and ARNs hold no delimiter of their kind
                    (!delimiter.is_empty() && !hole::is_one(&text)).then(|| text.split(&delimiter).map(str::to_owned).collect())
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// `${Name}`, `${Name.Attribute}`, `${!literal}` in a text.
    fn substitute(&self, text: &str, values: Option<&Node>) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            out += before;
            let Some((name, tail)) = after.split_once('}') else { return out + "${" + after };
            out += &match name.strip_prefix('!') {
                Some(literal) => format!("${{{literal}}}"),
                None => {
                    let name = name.trim();
                    let own = values
                        .and_then(|values| self.work.child(self.document.resolve(values), name))
                        .and_then(|node| self.text(node));
                    own.unwrap_or_else(|| match name.split_once('.') {
                        Some((name, attribute)) => self.attribute(name, attribute),
                        None => self.reference(name),
                    })
                }
            };
            rest = tail;
        }
        out + rest
    }
}

impl Reading for Template<'_> {
    fn resolve<'n>(&'n self, node: &'n Node) -> Resolved<'n> {
        let mut node = self.document.resolve(node);
        for _ in 0..MAX_CHOICES {
            let Kind::Mapping(entries) = &node.kind else { return Resolved::Node(node) };
            let [entry] = entries.as_slice() else { return Resolved::Node(node) };
            let argument = self.document.resolve(&entry.value);
            match (&*entry.key, &argument.kind) {
                ("Fn::If", Kind::Sequence(parts)) => {
                    let [condition, yes, no] = parts.as_slice() else { return Resolved::Unknown };
                    let Kind::Scalar { text, .. } = &self.document.resolve(condition).kind else { return Resolved::Unknown };
                    match holds(self, text) {
                        Some(true) => node = self.document.resolve(yes),
                        Some(false) => node = self.document.resolve(no),
                        None => return Resolved::Unknown,
                    }
                }
                ("Ref", Kind::Scalar { text, .. }) if &**text == "AWS::NoValue" => return Resolved::Nothing,
                ("Fn::If" | "Fn::Transform", _) => return Resolved::Unknown,
                _ => return Resolved::Node(node),
            }
        }
        Resolved::Unknown
    }

    fn text(&self, node: &Node) -> Option<String> {
        if !self.work.enter(node) {
            // one unknown value is not another
            return Some(hole("unknown", &format!("{} {}", self.file.0, node.span.start)));
        }
        let text = match self.resolve(node) {
            Resolved::Node(node) => match &node.kind {
                Kind::Scalar { text, .. } => Some(self.resolved(text)),
                Kind::Mapping(entries) if is_function(entries) => entries.first().map(|entry| self.function(entry)),
                _ => None,
            },
            Resolved::Nothing => None,
            Resolved::Unknown => Some(self.named("Fn::If", node)),
        };
        self.work.leave(text.as_ref().map_or(0, String::len));
        text
    }

    fn place(&self, span: Span) -> SourceLocation {
        SourceLocation { file: self.file, span }
    }

    fn unknown(&self) -> String {
        self.hole("unknown")
    }
}

/// Does a condition hold? Nothing if it can't be known or does not exist. Each is asked for once, however many others name it.
pub(crate) fn holds(template: &Template<'_>, name: &str) -> Option<bool> {
    if let Some(known) = template.conditions.borrow().get(name) {
        return *known;
    }
    let node = template.in_section("Conditions", name)?;
    template.conditions.borrow_mut().insert(name.to_owned(), None);
    let holds = test(template, node);
    template.conditions.borrow_mut().insert(name.to_owned(), holds);
    holds
}

fn test(template: &Template<'_>, node: &Node) -> Option<bool> {
    let asking = template.asking.get();
    if asking > MAX_CONDITIONS {
        return None;
    }
    template.asking.set(asking + 1);
    let holds = test_here(template, node);
    template.asking.set(asking);
    holds
}

fn test_here(template: &Template<'_>, node: &Node) -> Option<bool> {
    let node = template.document.resolve(node);
    let Kind::Mapping(entries) = &node.kind else { return None };
    let entry = entries.first()?;
    let argument = template.document.resolve(&entry.value);
    let items = match &argument.kind {
        Kind::Sequence(items) => items.as_slice(),
        _ => &[],
    };
    match (&*entry.key, items) {
        ("Condition", _) => match &argument.kind {
            Kind::Scalar { text, .. } => holds(template, text),
            _ => None,
        },
        ("Fn::Not", [one]) => Some(!test(template, one)?),
        ("Fn::And", items) => {
            let tests: Vec<_> = items.iter().map(|item| test(template, item)).collect();
            if tests.contains(&Some(false)) { Some(false) } else { tests.iter().all(Option::is_some).then_some(true) }
        }
        ("Fn::Or", items) => {
            let tests: Vec<_> = items.iter().map(|item| test(template, item)).collect();
            if tests.contains(&Some(true)) { Some(true) } else { tests.iter().all(Option::is_some).then_some(false) }
        }
        ("Fn::Equals", [a, b]) => {
            let (first, second) = (template.text(a)?, template.text(b)?);
            match hole::same(&first, &second) {
                hole::Same::Yes => Some(true),
                hole::Same::No => Some(false),
                hole::Same::Maybe => {
                    let other =
                        |node: &Node| parameter(template, node).is_some_and(|name| template.choice.others.contains(&name));
                    if other(a) || other(b) { Some(false) } else { template.choice.tests.get(&node.span.start).copied() }
                }
            }
        }
        _ => None,
    }
}

/// The parameter that a node is a plain reference to.
pub(super) fn parameter(template: &Template<'_>, node: &Node) -> Option<String> {
    let Kind::Mapping(entries) = &template.document.resolve(node).kind else { return None };
    match (entries.as_slice(), entries.first().map(|entry| &entry.value.kind)) {
        ([one], Some(Kind::Scalar { text, .. })) if &*one.key == "Ref" => Some(text.to_string()),
        _ => None,
    }
}
