//! The templates of a run together: which stacks they are, what they export to each other, and which is nested in which.
//!
//! A CDK app's `manifest.json` says in which account and Region each stack is deployed (AWS CDK, "Cloud assemblies"); without one
//! a template is deployed where the caller says.

use super::{
    choice::Choice,
    conditions,
    given::{Export, Exports, Given},
    loops, only_place, transforms,
    value::Template,
    work::{Sections, Work},
};
use crate::{
    aws::{Partition, limits, region},
    document::{self, Document, Entry, Kind, Node},
    observed::{Input, NotRead, Stack, Told, dumps::child, hole, json::Literal, partition_in, policy::Reading},
    source::{FileId, SourceFile},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

/// Rounds in which values go from template to template: an export of an import of an export.
const MOST_ROUNDS: usize = 4;
/// Outputs, parameters and imports of a template that are followed. A template has at most 200 outputs and 200 parameters
/// (CloudFormation user guide, "Understand CloudFormation quotas").
const MOST_VALUES: usize = 200;
/// Nesting in which imports are looked for.
const MAX_DEPTH: usize = 60;

/// Reads the templates among the inputs.
pub(crate) fn read(files: &[SourceFile], inputs: &mut [Input], told: &Told) {
    let places = places(files, inputs);
    let mut told_of: Vec<Told> = vec![told.clone(); inputs.len()];
    for (at, (account, region)) in &places {
        let Some(told) = told_of.get_mut(*at) else { continue };
        told.account = account.clone().or(told.account.take());
        told.region = region.clone().or(told.region.take());
    }
    let mut documents: BTreeMap<usize, Document> = BTreeMap::new();
    for (at, (input, file)) in inputs.iter_mut().zip(files).enumerate() {
        let Some(mut document) = input.document.take_if(|_| input.is_template) else { continue };
        let id = FileId(u32::try_from(at).unwrap_or(u32::MAX));
        input.doubts.extend(loops::expand(&mut document, id, told_of.get(at).unwrap_or(told), &file.text));
        input.doubts.extend(transforms::doubts(&document));
        documents.insert(at, document);
    }
    let mut given = vec![Given::default(); inputs.len()];
    Link { files, documents: &documents }.link(&mut told_of, &mut given, &places);
    for (at, document) in documents {
        let (Some(file), Some(input), Some(told), Some(given)) =
            (files.get(at), inputs.get_mut(at), told_of.get(at), given.get(at))
        else {
            continue;
        };
        let id = FileId(u32::try_from(at).unwrap_or(u32::MAX));
        input.is_code = true;
        super::read(file, id, &document, (told, given), input);
        input.document = Some(document);
        let doubts: Vec<NotRead> = input.doubts.iter().map(|doubt| NotRead::because(doubt.clone())).collect();
        input.ignored.extend(doubts);
    }
}

/// Account and Region that an app deploys a template in.
type Environment = (Option<String>, Option<String>);

/// Where the apps among the inputs deploy their templates, by file.
fn places(files: &[SourceFile], inputs: &mut [Input]) -> BTreeMap<usize, Environment> {
    let by_name: BTreeMap<String, usize> = files.iter().enumerate().map(|(at, file)| (normal(&file.name), at)).collect();
    let mut places: BTreeMap<usize, Environment> = BTreeMap::new();
    for input in inputs.iter_mut() {
        let Some(stacks) = input.stacks.take() else { continue };
        let mut found = false;
        for stack in &stacks {
            let Some(at) = by_name.get(&stack.file) else { continue };
            found = true;
            let place = places.entry(*at).or_insert_with(|| (stack.account.clone(), stack.region.clone()));
            // one template of two stacks is of neither's
            if place.0 != stack.account {
                place.0 = None;
            }
            if place.1 != stack.region {
                place.1 = None;
            }
        }
        if !found {
            input.ways.clear();
            input.ignored.push(NotRead::because(
                "the manifest of a CDK app whose templates are not among the inputs; check the whole folder that `cdk synth` writes",
            ));
        }
    }
    places
}

/// A path without `.`, and without `..` where a folder stands before it.
fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split(['/', '\\']) {
        match part {
            "." => {}
            ".." if parts.last().is_some_and(|last| !matches!(*last, ".." | "")) => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// A file beside another.
fn beside(path: &str, name: &str) -> String {
    match path.rfind(['/', '\\']) {
        Some(end) => normal(&format!("{}/{name}", &path[..end])),
        None => normal(name),
    }
}

/// The stacks of a CDK app, if this is its manifest; `name` is the manifest's own file name.
pub(crate) fn manifest(root: &Node, name: &str) -> Option<Vec<Stack>> {
    let Kind::Mapping(artifacts) = &child(root, "artifacts")?.kind else { return None };
    child(root, "version")?;
    let text = |node: Option<&Node>| match &node?.kind {
        Kind::Scalar { text, .. } => Some(text.to_string()),
        _ => None,
    };
    let stacks = artifacts.iter().filter_map(|entry| {
        if text(child(&entry.value, "type"))? != "aws:cloudformation:stack" {
            return None;
        }
        let file = text(child(child(&entry.value, "properties")?, "templateFile"))?;
        let environment = text(child(&entry.value, "environment")).unwrap_or_default();
        // `aws://ACCOUNT/REGION`, with `unknown-account` and `unknown-region` for what the app does not say
        let (account, place) = environment.strip_prefix("aws://").and_then(|rest| rest.split_once('/')).unwrap_or(("", ""));
        Some(Stack {
            file: beside(name, &file),
            account: Some(account.to_owned()).filter(|id| limits::is_account_id(id)),
            region: Some(place.to_owned()).filter(|name| region::is_well_formed(name) && !name.starts_with("unknown")),
        })
    });
    Some(stacks.collect())
}

/// The template in the answer of `get-template` (CloudFormation API reference, `GetTemplate`): an object, or its text.
///
/// # Errors
/// It is no template, with the reason.
pub(crate) fn body(node: &Node, file: &SourceFile) -> Result<Document, NotRead> {
    let not_it = || {
        NotRead::because(
            "the answer of `get-template`, and its `TemplateBody` is no template that can be read; save `aws cloudformation get-template --query TemplateBody --output text`",
        )
    };
    let Kind::Scalar { text, .. } = &node.kind else {
        child(node, "Resources").ok_or_else(not_it)?;
        return Ok(Document { root: Some(node.clone()), ..Document::default() });
    };
    let literal = Literal::of(&file.text, node.span).ok_or_else(not_it)?;
    let inner = SourceFile::new(file.name.clone(), text.to_string());
    let mut document = document::read_template(&inner, &mut Vec::new());
    let root = document.root.as_mut().filter(|root| child(root, "Resources").is_some()).ok_or_else(not_it)?;
    moved(root, &literal, 0);
    document.anchors.iter_mut().for_each(|node| moved(node, &literal, 0));
    document.comments.iter_mut().for_each(|comment| comment.span = literal.place(comment.span));
    Ok(document)
}

/// Gives a tree of a text the places in the file that the text stands in.
fn moved(node: &mut Node, literal: &Literal, depth: usize) {
    node.span = literal.place(node.span);
    match &mut node.kind {
        _ if depth > 200 => {}
        Kind::Scalar { .. } | Kind::Alias(_) => {}
        Kind::Sequence(items) => items.iter_mut().for_each(|item| moved(item, literal, depth + 1)),
        Kind::Mapping(entries) => entries.iter_mut().for_each(|entry| {
            entry.key_span = literal.place(entry.key_span);
            moved(&mut entry.value, literal, depth + 1);
        }),
    }
}

/// Templates that give each other values.
struct Link<'a> {
    files: &'a [SourceFile],
    documents: &'a BTreeMap<usize, Document>,
}

/// A stack that is nested in another.
struct Nested<'a> {
    parent: usize,
    id: &'a str,
    child: usize,
    parameters: &'a [Entry],
}

impl<'a> Link<'a> {
    fn link(&self, told: &mut [Told], given: &mut [Given], places: &BTreeMap<usize, Environment>) {
        let mut nested: BTreeMap<usize, Vec<Nested<'_>>> = BTreeMap::new();
        self.nested().into_iter().for_each(|one| nested.entry(one.parent).or_default().push(one));
        let exporting: BTreeSet<usize> = self.documents.iter().filter(|(_, one)| exports(one)).map(|(at, _)| *at).collect();
        if nested.is_empty() && exporting.is_empty() {
            return;
        }
        let children: BTreeSet<usize> = nested.values().flatten().map(|nested| nested.child).collect();
        let sections: BTreeMap<usize, Sections<'_>> = self.documents.iter().map(|(at, one)| (*at, Sections::of(one))).collect();
        let imports: BTreeMap<usize, Vec<&Node>> = self.documents.iter().map(|(at, one)| (*at, imports_in(one))).collect();
        for (at, given) in given.iter_mut().enumerate() {
            given.environment = places.get(&at).cloned().unwrap_or_default();
        }
        let told_first: Vec<Told> = told.to_vec();
        let mut before = Rc::new(Exports::default());
        for _ in 0..MOST_ROUNDS {
            let (mut all, mut outputs) = (Exports::default(), BTreeMap::new());
            let mut places: BTreeMap<usize, BTreeSet<(String, String)>> = BTreeMap::new();
            let mut parameters: BTreeMap<usize, BTreeMap<&str, BTreeSet<Option<String>>>> = BTreeMap::new();
            for (at, document) in self.documents {
                let parts = (sections.get(at), told.get(*at), given.get(*at), self.files.get(*at));
                let (Some(sections), Some(told), Some(given), Some(file)) = parts else { continue };
                let (own, imports) = (nested.get(at), imports.get(at).filter(|imports| !imports.is_empty()));
                let exports = exporting.contains(at) || children.contains(at);
                if !exports && own.is_none() && imports.is_none() {
                    continue;
                }
                let values = Values::of(document, *at, file, (told, given), sections);
                if exports {
                    values.exports(&mut all, &mut outputs);
                }
                for nested in own.into_iter().flatten() {
                    places.entry(nested.child).or_default().insert(values.place());
                    let parameters = parameters.entry(nested.child).or_default();
                    for entry in nested.parameters.iter().take(MOST_VALUES) {
                        parameters.entry(&entry.key).or_default().insert(values.parameter(&entry.value));
                    }
                }
                // an import is of the template's own account and Region
                for node in imports.into_iter().flatten().take(MOST_VALUES).filter(|_| !children.contains(at)) {
                    let found = values.text(node).and_then(|name| given.export(&name).map(|export| export.place.clone()));
                    places.entry(*at).or_default().extend(found);
                }
            }
            let all = Rc::new(all);
            let mut changed = all != before;
            for (at, given) in given.iter_mut().enumerate() {
                given.exports = Rc::clone(&all);
                let values = parameters.get(&at).into_iter().flatten();
                let parameters = values.filter_map(|(name, values)| Some(((*name).to_owned(), only(values)?.clone()?))).collect();
                changed |= std::mem::replace(&mut given.parameters, parameters) != given.parameters;
                let mut of_nested = BTreeMap::new();
                for nested in nested.get(&at).into_iter().flatten() {
                    let range =
                        outputs.range((nested.child, String::new())..).take_while(|((child, _), _)| *child == nested.child);
                    of_nested
                        .extend(range.map(|((_, name), value)| ((nested.id.to_owned(), name.clone()), String::clone(value))));
                }
                changed |= std::mem::replace(&mut given.outputs, of_nested) != given.outputs;
            }
            for (at, places) in places {
                let (Some((account, region)), Some(told), Some(first)) = (only(&places), told.get_mut(at), told_first.get(at))
                else {
                    continue;
                };
                let account = first.account.clone().or_else(|| Some(account.clone()));
                let region = first.region.clone().or_else(|| Some(region.clone()));
                changed |= (&told.account, &told.region) != (&account, &region);
                (told.account, told.region) = (account, region);
            }
            before = all;
            if !changed {
                break;
            }
        }
    }

    /// The nested stacks whose templates are among the inputs.
    fn nested(&self) -> Vec<Nested<'a>> {
        let by_name: BTreeMap<String, usize> =
            self.documents.keys().filter_map(|at| Some((normal(&self.files.get(*at)?.name), *at))).collect();
        let mut found = Vec::new();
        for (parent, document) in self.documents {
            let Some(name) = self.files.get(*parent).map(|file| &file.name) else { continue };
            for (entry, resource) in of_type(document, "AWS::CloudFormation::Stack") {
                let properties = child(resource, "Properties").map(|node| document.resolve(node));
                // the CDK names the file in the metadata; before `aws cloudformation package` the URL is a path
                let asset =
                    child(resource, "Metadata").and_then(|node| plain(document, child(document.resolve(node), "aws:asset:path")));
                let url = || plain(document, child(properties?, "TemplateURL")).filter(|url| !url.contains("://"));
                let Some(path) = asset.or_else(url) else { continue };
                let Some(child_at) = by_name.get(&beside(name, path)).filter(|at| *at != parent) else { continue };
                let parameters = properties.and_then(|node| child(node, "Parameters")).map(|node| &document.resolve(node).kind);
                let parameters = match parameters {
                    Some(Kind::Mapping(entries)) => entries.as_slice(),
                    _ => &[],
                };
                found.push(Nested { parent: *parent, id: &entry.key, child: *child_at, parameters });
            }
        }
        found
    }
}

/// The one item of a set.
fn only<T: Ord>(set: &BTreeSet<T>) -> Option<&T> {
    set.first().filter(|_| set.len() == 1)
}

fn plain<'d>(document: &'d Document, node: Option<&'d Node>) -> Option<&'d str> {
    match &document.resolve(node?).kind {
        Kind::Scalar { text, .. } => Some(text),
        _ => None,
    }
}

fn section<'d>(document: &'d Document, name: &str) -> &'d [Entry] {
    match document.root.as_ref().and_then(|root| child(root, name)).map(|node| &document.resolve(node).kind) {
        Some(Kind::Mapping(entries)) => entries,
        _ => &[],
    }
}

/// Resources of one type.
fn of_type<'d>(document: &'d Document, kind: &'static str) -> impl Iterator<Item = (&'d Entry, &'d Node)> {
    let resources = section(document, "Resources").iter().map(|entry| (entry, document.resolve(&entry.value)));
    resources.filter(move |(_, node)| plain(document, child(node, "Type")) == Some(kind))
}

const WRITER: &str = "Custom::CrossRegionExportWriter";

/// Does it export anything?
fn exports(document: &Document) -> bool {
    let exported = |entry: &Entry| child(document.resolve(&entry.value), "Export").is_some();
    section(document, "Outputs").iter().any(exported) || of_type(document, WRITER).next().is_some()
}

/// The arguments of all `Fn::ImportValue` of a template.
fn imports_in(document: &Document) -> Vec<&Node> {
    fn walk<'d>(document: &'d Document, node: &'d Node, found: &mut Vec<&'d Node>, depth: usize) {
        match &document.resolve(node).kind {
            _ if depth > MAX_DEPTH => {}
            Kind::Sequence(items) => items.iter().for_each(|item| walk(document, item, found, depth + 1)),
            Kind::Mapping(entries) => {
                for entry in entries {
                    if &*entry.key == "Fn::ImportValue" {
                        found.push(document.resolve(&entry.value));
                    }
                    walk(document, &entry.value, found, depth + 1);
                }
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    for entry in section(document, "Resources") {
        walk(document, &entry.value, &mut found, 0);
    }
    found
}

/// The values of one template, as far as they do not depend on its conditions.
struct Values<'a> {
    document: &'a Document,
    sections: &'a Sections<'a>,
    at: usize,
    id: FileId,
    told: Told,
    given: &'a Given,
    partition: Option<Partition>,
    /// What all that is asked of the template may cost together.
    work: Work,
}

impl<'a> Values<'a> {
    fn of(
        document: &'a Document,
        at: usize,
        file: &SourceFile,
        (told, given): (&Told, &'a Given),
        sections: &'a Sections<'a>,
    ) -> Self {
        let id = FileId(u32::try_from(at).unwrap_or(u32::MAX));
        let (partition, work) = (partition_in(&file.text), Work::default());
        let told = only_place(&Template::new(document, id, (told, given), Choice::default(), partition, (sections, &work)));
        Values { document, sections, at, id, told, given, partition, work }
    }

    fn template(&self, choice: Choice) -> Template<'_> {
        Template::new(self.document, self.id, (&self.told, self.given), choice, self.partition, (self.sections, &self.work))
    }

    /// The account and the Region, with holes where nobody says.
    fn place(&self) -> (String, String) {
        let template = self.template(Choice::default());
        (template.account(), template.region())
    }

    /// A text, if it is the same in all ways in which the conditions turn out.
    fn text(&self, node: &Node) -> Option<String> {
        let (ways, more) = conditions::ways(&self.template(Choice::default()), &[node], BTreeSet::new());
        let texts: BTreeSet<Option<String>> = ways.into_iter().map(|choice| self.template(choice).text(node)).collect();
        only(&texts).cloned().flatten().filter(|_| !more)
    }

    /// What a parameter of a nested stack is given: a text, or a list with commas.
    fn parameter(&self, node: &Node) -> Option<String> {
        if let Kind::Sequence(items) = &self.document.resolve(node).kind {
            let texts: Option<Vec<String>> = items.iter().map(|item| self.text(item)).collect();
            return texts.map(|texts| texts.join(","));
        }
        self.text(node)
    }

    fn exports(&self, all: &mut Exports, outputs: &mut BTreeMap<(usize, String), String>) {
        let place = self.place();
        let export = |value| Export { environment: self.given.environment.clone(), place: place.clone(), value };
        for entry in section(self.document, "Outputs").iter().take(MOST_VALUES) {
            let output = self.document.resolve(&entry.value);
            let value = child(output, "Value").and_then(|node| self.text(node));
            let name = child(output, "Export").and_then(|node| child(self.document.resolve(node), "Name"));
            if let Some(name) = name.and_then(|node| self.text(node)).filter(|name| !hole::has(name)) {
                all.outputs.entry(name).or_default().push(export(value.clone()));
            }
            if let Some(value) = value {
                outputs.insert((self.at, entry.key.to_string()), value);
            }
        }
        for (_, resource) in of_type(self.document, WRITER) {
            let written = child(resource, "Properties")
                .and_then(|node| child(self.document.resolve(node), "WriterProps"))
                .and_then(|node| child(self.document.resolve(node), "exports"));
            let Some(Kind::Mapping(entries)) = written.map(|node| &self.document.resolve(node).kind) else { continue };
            for entry in entries.iter().take(MOST_VALUES) {
                all.crossing.entry(entry.key.to_string()).or_default().push(export(self.text(&entry.value)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_compared_without_detours() {
        assert_eq!(normal("./cdk.out/../cdk.out/A.template.json"), "cdk.out/A.template.json");
        assert_eq!(normal("../x/y"), "../x/y");
        assert_eq!(beside("cdk.out/manifest.json", "A.template.json"), "cdk.out/A.template.json");
        assert_eq!(beside("manifest.json", "./A.template.json"), "A.template.json");
        assert_eq!(beside("/tmp/cdk.out/manifest.json", "A"), "/tmp/cdk.out/A");
    }
}
