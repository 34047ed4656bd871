//! Bucket policies as others wrote them: a tree → a typed policy that remembers where each part stands.
//!
//! Reads whatever it can: what it does not understand becomes a hole, never a guess. Duplicate keys, unknown elements and what
//! is not JSON are findings of reading; what a policy lets in is for `compare`.

use super::{
    At, SourceLocation, Text, hole,
    json::{self, Fault},
};
use crate::{
    catalog::observed::{POLICY_ELEMENT, POLICY_JSON, POLICY_KEY},
    diagnostics::{Finding, did_you_mean},
    document::{Entry, Kind, Node},
    policy::{Condition, Effect, Element, Policy, Principal, Statement, Version, evaluate},
    source::{FileId, Span},
};
use indexmap::IndexMap;

/// A bucket policy with its places.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PolicyDoc {
    /// The document.
    pub place: SourceLocation,
    /// The bucket it is attached to, if the input tells.
    pub bucket: Option<Text>,
    /// What it says; texts may have holes.
    pub policy: Policy,
    /// Where its statements stand; as many as the policy has.
    pub places: Vec<StatementPlaces>,
    /// Is some part of it unknown as a whole, so that there may be statements that are not seen?
    pub partly_unknown: bool,
    /// Does a key stand twice in one object? Which of the two counts is not documented.
    pub doubled: bool,
    /// Bytes of the document as compact JSON; nothing if it has holes.
    pub bytes: Option<usize>,
    /// What is wrong with its form.
    pub findings: Vec<PolicyFinding>,
}

/// A finding of reading a policy. (A finding itself can't be compared.)
#[derive(Debug, Clone)]
pub(crate) struct PolicyFinding(pub Finding);

impl PartialEq for PolicyFinding {
    fn eq(&self, other: &Self) -> bool {
        (self.0.rule, self.0.file, self.0.span) == (other.0.rule, other.0.file, other.0.span)
    }
}

impl Eq for PolicyDoc {}

/// Where the parts of a statement stand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct StatementPlaces {
    /// The statement.
    pub whole: SourceLocation,
    /// Where `Principal` or `NotPrincipal` stands.
    pub principal: SourceLocation,
    /// Where `Action` or `NotAction` stands.
    pub actions: SourceLocation,
    /// Each resource.
    pub resources: Vec<SourceLocation>,
    /// Each condition, those under a key that stands twice too.
    pub conditions: Vec<ConditionPlaces>,
}

/// A condition as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConditionPlaces {
    /// Such as `ArnLike`.
    pub operator: String,
    /// Such as `aws:SourceArn`.
    pub key: String,
    /// Its values, each with its place.
    pub values: Vec<Text>,
}

/// How a tree is read: its aliases, its functions, its places.
pub(crate) trait Reading {
    /// What a node stands for.
    fn resolve<'n>(&'n self, node: &'n Node) -> Resolved<'n>;
    /// A node's text, with holes; nothing if it is none.
    fn text(&self, node: &Node) -> Option<String>;
    /// Where a span is.
    fn place(&self, span: Span) -> SourceLocation;
    /// A hole for something that can't be known.
    fn unknown(&self) -> String;
}

/// What a node stands for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Resolved<'n> {
    /// This node.
    Node(&'n Node),
    /// Nothing: it is taken out.
    Nothing,
    /// What can't be known.
    Unknown,
}

/// Plain JSON: no functions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plain {
    /// Where the text stands.
    pub file: FileId,
    /// The one place of everything, for a document inside a string.
    pub inside: Option<Span>,
}

impl Reading for Plain {
    fn resolve<'n>(&'n self, node: &'n Node) -> Resolved<'n> {
        Resolved::Node(node)
    }

    fn text(&self, node: &Node) -> Option<String> {
        match &node.kind {
            Kind::Scalar { text, .. } => Some(text.to_string()),
            _ => None,
        }
    }

    fn place(&self, span: Span) -> SourceLocation {
        SourceLocation { file: self.file, span: self.inside.unwrap_or(span) }
    }

    fn unknown(&self) -> String {
        hole::hole("unknown", "")
    }
}

/// Reads a policy's text.
pub(crate) fn parse(text: &str, reading: Plain, bucket: Option<Text>) -> PolicyDoc {
    let (node, faults) = json::read(text);
    let mut doc = match &node {
        // anything else is no policy; reading it as text inside a text would have no end
        Some(node) if matches!(node.kind, Kind::Mapping(_)) => read(node, &reading, bucket),
        Some(node) => {
            let mut doc = empty(reading.place(node.span), bucket);
            let found = element(&reading, node.span, "a policy is an object with a `Statement`".to_owned());
            doc.findings.push(PolicyFinding(found.help("S3 answers `MalformedPolicy`")));
            doc
        }
        None => empty(reading.place(Span::new(0, text.len())), bucket),
    };
    doc.findings.extend(faults.into_iter().map(|fault| PolicyFinding(not_json(&reading, fault))));
    doc
}

fn empty(place: SourceLocation, bucket: Option<Text>) -> PolicyDoc {
    let policy = Policy::default();
    PolicyDoc {
        place,
        bucket,
        policy,
        places: Vec::new(),
        partly_unknown: false,
        doubled: false,
        bytes: None,
        findings: Vec::new(),
    }
}

fn not_json(reading: &Plain, fault: Fault) -> Finding {
    let place = reading.place(fault.span);
    Finding::new(&POLICY_JSON, place.span, format!("the policy is not JSON: {}", fault.what))
        .in_file(place.file)
        .help("a policy is plain JSON, without comments and trailing commas; S3 answers `MalformedPolicy`")
}

/// Reads a policy's tree.
pub(crate) fn read(node: &Node, reading: &dyn Reading, bucket: Option<Text>) -> PolicyDoc {
    let mut doc = empty(reading.place(node.span), bucket);
    let Resolved::Node(root) = reading.resolve(node) else {
        doc.partly_unknown = true;
        return doc;
    };
    let Kind::Mapping(entries) = &root.kind else {
        match reading.text(root) {
            Some(text) if !hole::has(&text) => {
                return parse(&text, Plain { file: doc.place.file, inside: Some(doc.place.span) }, doc.bucket);
            }
            _ => doc.partly_unknown = true,
        }
        return doc;
    };
    let mut findings = Vec::new();
    // without a version a policy is of the old one
    let mut version = Version::Old;
    for Member { entry, value, .. } in members(entries, reading, &mut findings) {
        match (entry.key.to_ascii_lowercase().as_str(), value) {
            ("version", Resolved::Unknown) => version = Version::Newest,
            ("statement", Resolved::Node(node)) => statements(node, reading, &mut doc, &mut findings),
            ("statement", _) => doc.partly_unknown = true,
            ("version", Resolved::Node(node)) => {
                let text = reading.text(node).unwrap_or_default();
                version = if text == "2008-10-17" { Version::Old } else { Version::Newest };
                if !hole::has(&text) && !["2012-10-17", "2008-10-17"].contains(&text.as_str()) {
                    findings.push(
                        element(reading, node.span, format!("`{text}` is not a version of the policy language"))
                            .help("write `2012-10-17`; it is no date of yours"),
                    );
                }
            }
            ("id", _) => {}
            (key, _) if key.starts_with("fn::") => doc.partly_unknown = true,
            _ => findings.push(unknown_key(reading, entry, &["Version", "Id", "Statement"])),
        }
    }
    doc.policy.version = version;
    let json = doc.policy.to_json();
    doc.bytes = (!doc.partly_unknown && !hole::has(&json)).then_some(json.len());
    doc.doubled = findings.iter().any(|found| found.rule == &POLICY_KEY);
    doc.findings.extend(findings.into_iter().map(PolicyFinding));
    doc
}

/// An entry of an object, with what it stands for.
struct Member<'n> {
    entry: &'n Entry,
    value: Resolved<'n>,
    /// Does no entry with the same key follow?
    is_last: bool,
}

/// An object's entries with what they stand for; a key that stands twice is reported.
fn members<'n>(entries: &'n [Entry], reading: &'n dyn Reading, findings: &mut Vec<Finding>) -> Vec<Member<'n>> {
    let mut kept: IndexMap<&str, &Entry> = IndexMap::new();
    for entry in entries {
        if let Some(first) = kept.insert(&entry.key, entry) {
            let (place, first) = (reading.place(entry.key_span), reading.place(first.key_span));
            findings.push(
                Finding::new(&POLICY_KEY, place.span, format!("the key `{}` stands twice in one object", entry.key))
                    .in_file(place.file)
                    .label("most readers keep this one alone")
                    .related_in(first.file, first.span, "and lose this one")
                    .help("write one key with a list, or put both keys under one operator; two conditions under one operator must both hold"),
            );
        }
    }
    let is_last = |entry: &Entry| kept.get(&*entry.key).is_some_and(|last| std::ptr::eq(*last, entry));
    entries
        .iter()
        .map(|entry| Member { entry, value: reading.resolve(&entry.value), is_last: is_last(entry) })
        .filter(|member| !matches!(member.value, Resolved::Nothing))
        .collect()
}

fn element(reading: &dyn Reading, span: Span, message: String) -> Finding {
    let place = reading.place(span);
    Finding::new(&POLICY_ELEMENT, place.span, message).in_file(place.file)
}

fn unknown_key(reading: &dyn Reading, entry: &Entry, known: &[&str]) -> Finding {
    let help = did_you_mean(&entry.key, known.iter().copied())
        .map_or("S3 answers `MalformedPolicy`".to_owned(), |near| format!("did you mean `{near}`? S3 answers `MalformedPolicy`"));
    element(reading, entry.key_span, format!("`{}` is not an element of a policy", entry.key)).help(help)
}

/// A list's items, or the one value that stands for a list of one.
fn items<'n>(node: &'n Node, reading: &'n dyn Reading, unknown: &mut bool) -> Vec<&'n Node> {
    let Kind::Sequence(items) = &node.kind else { return vec![node] };
    let mut found = Vec::new();
    for item in items {
        match reading.resolve(item) {
            Resolved::Node(node) => match &node.kind {
                // what a condition puts in the place of an item may be a list itself
                Kind::Sequence(inner) => {
                    found.extend(inner.iter().filter_map(|item| match reading.resolve(item) {
                        Resolved::Node(node) => Some(node),
                        _ => None,
                    }));
                }
                _ => found.push(node),
            },
            Resolved::Nothing => {}
            Resolved::Unknown => *unknown = true,
        }
    }
    found
}

fn statements(node: &Node, reading: &dyn Reading, doc: &mut PolicyDoc, findings: &mut Vec<Finding>) {
    let mut unknown = false;
    for item in items(node, reading, &mut unknown) {
        match statement(item, reading, findings) {
            Some((statement, places)) => {
                doc.policy.statements.push(statement);
                doc.places.push(places);
            }
            None => unknown = true,
        }
    }
    doc.partly_unknown |= unknown;
}

const ELEMENTS: [&str; 9] =
    ["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"];

fn statement(node: &Node, reading: &dyn Reading, findings: &mut Vec<Finding>) -> Option<(Statement, StatementPlaces)> {
    let Kind::Mapping(entries) = &node.kind else { return None };
    if is_function(entries) {
        return None;
    }
    let mut places = StatementPlaces { whole: reading.place(first_line(entries, node.span)), ..StatementPlaces::default() };
    let (mut sid, mut effect) = (String::new(), None);
    let (mut principal, mut action, mut resource) = (None, None, None);
    let mut condition = Condition::new();
    for Member { entry, value, is_last } in members(entries, reading, findings) {
        let value = match value {
            Resolved::Node(node) => Some(node),
            _ => None,
        };
        let lower = entry.key.to_ascii_lowercase();
        // both are judged; what the statement says is what the last one does
        if lower == "condition" && is_last {
            condition.clear();
        }
        let negated = lower.starts_with("not");
        let texts =
            || value.map_or_else(|| (vec![reading.unknown()], vec![reading.place(entry.key_span)]), |node| texts(node, reading));
        match lower.as_str() {
            "sid" => sid = value.and_then(|node| reading.text(node)).unwrap_or_default(),
            "effect" => {
                let text = value.and_then(|node| reading.text(node)).unwrap_or_else(|| reading.unknown());
                effect = match text.as_str() {
                    "Allow" => Some(Effect::Allow),
                    "Deny" => Some(Effect::Deny),
                    text if hole::has(text) => return None,
                    text => {
                        findings.push(
                            element(reading, entry.value.span, format!("`{text}` is not an effect"))
                                .help("write `Allow` or `Deny`"),
                        );
                        return None;
                    }
                };
            }
            "principal" | "notprincipal" => {
                places.principal = reading.place(entry.value.span);
                principal = Some(signed(negated, principals(value, reading, findings)));
            }
            "action" | "notaction" => {
                places.actions = reading.place(entry.value.span);
                action = Some(signed(negated, texts().0));
            }
            "resource" | "notresource" => {
                let (values, at) = texts();
                places.resources = at;
                resource = Some(signed(negated, values));
            }
            "condition" => match value.map(|node| &node.kind) {
                Some(Kind::Mapping(operators)) if !is_function(operators) => {
                    conditions(operators, reading, &mut condition, &mut places, findings);
                }
                // a condition that nobody knows may hold or not
                _ => {
                    condition.insert("StringEquals".to_owned(), IndexMap::from([(reading.unknown(), vec![reading.unknown()])]));
                }
            },
            _ => findings.push(unknown_key(reading, entry, &ELEMENTS)),
        }
    }
    let missing = |what: &str| {
        element(reading, places.whole.span, format!("the statement has no `{what}`")).help(
            "a statement of a bucket policy needs `Effect`, `Principal`, `Action` and `Resource`; S3 answers `MalformedPolicy`",
        )
    };
    let absent = [
        ("Effect", effect.is_none()),
        ("Principal", principal.is_none()),
        ("Action", action.is_none()),
        ("Resource", resource.is_none()),
    ];
    findings.extend(absent.iter().filter(|(_, absent)| *absent).map(|(what, _)| missing(what)));
    let statement = Statement { sid, effect: effect?, principal: principal?, action: action?, resource: resource?, condition };
    Some((statement, places))
}

/// A statement's own bytes up to the end of its first entry: enough to point at.
fn first_line(entries: &[Entry], span: Span) -> Span {
    entries.first().map_or(span, |entry| Span { start: entry.key_span.start, end: entry.value.span.end })
}

fn signed<T>(negated: bool, value: T) -> Element<T> {
    if negated { Element::IsNot(value) } else { Element::Is(value) }
}

/// Is this mapping a function of a template rather than data?
pub(crate) fn is_function(entries: &[Entry]) -> bool {
    matches!(entries, [one] if one.key.starts_with("Fn::") || &*one.key == "Ref" || &*one.key == "Condition" && matches!(one.value.kind, Kind::Scalar { .. }))
}

fn texts(node: &Node, reading: &dyn Reading) -> (Vec<String>, Vec<SourceLocation>) {
    let mut unknown = false;
    let mut found: (Vec<String>, Vec<SourceLocation>) = items(node, reading, &mut unknown)
        .into_iter()
        .map(|item| (reading.text(item).unwrap_or_else(|| reading.unknown()), reading.place(item.span)))
        .unzip();
    if unknown {
        found.0.push(reading.unknown());
        found.1.push(reading.place(node.span));
    }
    found
}

fn principals(value: Option<&Node>, reading: &dyn Reading, findings: &mut Vec<Finding>) -> Principal {
    let unknown = || Principal::Kinds(IndexMap::from([("Service".to_owned(), vec![reading.unknown()])]));
    let Some(node) = value else { return unknown() };
    match &node.kind {
        Kind::Scalar { text, .. } if &**text == "*" => Principal::Any,
        Kind::Mapping(entries) if !is_function(entries) => {
            let mut kinds = IndexMap::new();
            for Member { entry, value, .. } in members(entries, reading, findings) {
                let Resolved::Node(node) = value else { return unknown() };
                if !PRINCIPAL_KINDS.contains(&&*entry.key) && !hole::has(&entry.key) {
                    findings.push(unknown_kind(reading, entry));
                }
                kinds.insert(entry.key.to_string(), texts(node, reading).0);
            }
            Principal::Kinds(kinds)
        }
        Kind::Scalar { text, .. } => {
            findings.push(
                element(reading, node.span, format!("`{text}` is not a principal"))
                    .help("write `\"*\"` or a kind with its value, such as `{\"Service\": \"logging.s3.amazonaws.com\"}`; S3 answers `MalformedPolicy`"),
            );
            Principal::Kinds(IndexMap::new())
        }
        _ => unknown(),
    }
}

/// Source: IAM user guide, "AWS JSON policy elements: Principal".
const PRINCIPAL_KINDS: [&str; 4] = ["AWS", "CanonicalUser", "Federated", "Service"];

fn unknown_kind(reading: &dyn Reading, entry: &Entry) -> Finding {
    let same = PRINCIPAL_KINDS.iter().copied().find(|kind| kind.eq_ignore_ascii_case(&entry.key));
    let help = match same.or_else(|| did_you_mean(&entry.key, PRINCIPAL_KINDS)) {
        Some(near) => format!("write `{near}`; S3 answers `MalformedPolicy`: invalid principal in policy"),
        None => "the kinds are `AWS`, `Service`, `Federated` and `CanonicalUser`; S3 answers `MalformedPolicy`: invalid principal in policy"
            .to_owned(),
    };
    element(reading, entry.key_span, format!("`{}` is not a kind of principal", entry.key)).help(help)
}

fn conditions(
    operators: &[Entry],
    reading: &dyn Reading,
    condition: &mut Condition,
    places: &mut StatementPlaces,
    findings: &mut Vec<Finding>,
) {
    for Member { entry: operator, value: keys, .. } in members(operators, reading, findings) {
        if !evaluate::is_operator(&operator.key) && !operator.key.starts_with("Fn::") {
            findings.push(unknown_operator(reading, operator));
        }
        let Resolved::Node(keys) = keys else { continue };
        let unknown = || IndexMap::from([(reading.unknown(), vec![reading.unknown()])]);
        let entries = match &keys.kind {
            Kind::Mapping(entries) if !is_function(entries) => entries,
            _ => {
                condition.insert(operator.key.to_string(), unknown());
                continue;
            }
        };
        let found = members(entries, reading, findings).into_iter().map(|Member { entry, value, .. }| {
            let (values, at) = match value {
                Resolved::Node(node) => texts(node, reading),
                _ => (vec![reading.unknown()], vec![reading.place(entry.key_span)]),
            };
            let placed = values.iter().cloned().zip(at).map(|(value, place)| At { value, place });
            places.conditions.push(ConditionPlaces {
                operator: operator.key.to_string(),
                key: entry.key.to_string(),
                values: placed.collect(),
            });
            (entry.key.to_string(), values)
        });
        let found: IndexMap<String, Vec<String>> = found.collect();
        condition.insert(operator.key.to_string(), found);
    }
}

fn unknown_operator(reading: &dyn Reading, operator: &Entry) -> Finding {
    let help = did_you_mean(&operator.key, evaluate::operators())
        .map_or("S3 answers `MalformedPolicy`".to_owned(), |near| format!("did you mean `{near}`? S3 answers `MalformedPolicy`"));
    element(reading, operator.key_span, format!("`{}` is not a condition operator", operator.key)).help(help)
}

/// The bucket that every resource of a policy speaks of, if it is one.
pub(crate) fn bucket_of(doc: &PolicyDoc) -> Option<Text> {
    let mut names = doc.policy.statements.iter().zip(&doc.places).flat_map(|(statement, places)| {
        statement.resource.inner().iter().zip(&places.resources).filter_map(|(resource, place)| {
            let name = resource.split_once(":s3:::")?.1.split('/').next()?;
            Some(At { value: name.to_owned(), place: *place })
        })
    });
    let first = names.next()?;
    (names.all(|name| name.value == first.value) && !first.value.contains('*')).then_some(first)
}

/// Is this a service control policy? It speaks of nobody, and refuses: an identity's policy would let something in. It binds no service
/// (AWS Organizations user guide, "Service control policies (SCPs)"), so it keeps no delivery out.
pub(crate) fn is_service_control(root: &Node) -> bool {
    let Kind::Mapping(entries) = &root.kind else { return false };
    let statements = entries.iter().find(|entry| &*entry.key == "Statement").map(|entry| match &entry.value.kind {
        Kind::Sequence(items) => items.as_slice(),
        _ => std::slice::from_ref(&entry.value),
    });
    let effects = statements.unwrap_or_default().iter().map(|statement| {
        let Kind::Mapping(entries) = &statement.kind else { return None };
        let speaks_of_somebody = entries.iter().any(|entry| matches!(&*entry.key, "Principal" | "NotPrincipal"));
        entries.iter().find(|entry| &*entry.key == "Effect" && !speaks_of_somebody).and_then(|entry| match &entry.value.kind {
            Kind::Scalar { text, .. } => Some(&**text == "Deny"),
            _ => None,
        })
    });
    let effects: Vec<Option<bool>> = effects.collect();
    effects.contains(&Some(true)) && !effects.contains(&None)
}

/// Is this a resource control policy? It refuses and lets in nothing by name, and says so to everybody; of a bucket's policy each resource is
/// that bucket or in it, so one that speaks of more is none. One that speaks of a single bucket is told by its file's name.
pub(crate) fn is_resource_control(doc: &PolicyDoc, file: &str) -> bool {
    let everything = |list: &Element<Vec<String>>| matches!(list, Element::Is(list) if list.iter().all(|one| one == "*"));
    let of_everybody = |statement: &Statement| matches!(statement.principal, Element::Is(Principal::Any));
    let is_full_access = |statement: &Statement| {
        statement.effect == Effect::Allow && everything(&statement.action) && everything(&statement.resource)
    };
    let statements = &doc.policy.statements;
    let name = file.rsplit(['/', '\\']).next().unwrap_or_default().to_ascii_lowercase();
    statements.iter().any(|statement| statement.effect == Effect::Deny)
        && statements
            .iter()
            .all(|statement| of_everybody(statement) && (statement.effect == Effect::Deny || is_full_access(statement)))
        && (doc.bucket.is_none() || name.split(['.', '-', '_']).any(|word| word == "rcp"))
}
