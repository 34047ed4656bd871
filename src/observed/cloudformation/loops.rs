//! `Fn::ForEach` of `AWS::LanguageExtensions`: what a loop makes is put in its place before anything is read.
//!
//! Source: CloudFormation user guide, "Fn::ForEach": `"Fn::ForEach::NAME": [IDENTIFIER, COLLECTION, {KEY: VALUE}]`; `${IDENTIFIER}`
//! stands for the item in keys and values, `&{IDENTIFIER}` for the item without characters that are not alphanumeric.

use super::{
    choice::Choice,
    given::Given,
    value::Template,
    work::{Sections, Work},
};
use crate::{
    document::{Document, Entry, Kind, Node},
    observed::{Told, dumps::child, hole, policy::is_function},
    source::FileId,
};

/// Nodes that the loops of a template may make in all; a template has at most 1 MB.
const MOST_NODES: usize = 200_000;
/// Nesting that is gone into.
const MAX_DEPTH: usize = 100;
/// How a loop's key begins.
const LOOP: &str = "Fn::ForEach::";

/// Puts in what the loops of a template make. Gives why that can't be known, once for the first loop of that kind.
pub(super) fn expand(document: &mut Document, file: FileId, told: &Told, text: &str) -> Option<String> {
    if !text.contains(LOOP) {
        return None;
    }
    let mut root = document.root.take()?;
    let whole = Document { root: Some(root.clone()), anchors: document.anchors.clone(), ..Document::default() };
    let (sections, work, given) = (Sections::of(&whole), Work::default(), Given::default());
    let template = Template::new(&whole, file, (told, &given), Choice::default(), None, (&sections, &work));
    let mut loops = Loops { document: &whole, template: &template, made: 0, unknown: None };
    loops.expand(&mut root, 0);
    let unknown = loops.unknown.take();
    document.root = Some(root);
    unknown
}

struct Loops<'a> {
    document: &'a Document,
    template: &'a Template<'a>,
    made: usize,
    unknown: Option<String>,
}

/// An identifier and the item that it stands for.
type Item<'i> = (&'i str, &'i str);

impl Loops<'_> {
    fn expand(&mut self, node: &mut Node, depth: usize) {
        if depth > MAX_DEPTH {
            return;
        }
        match &mut node.kind {
            Kind::Scalar { .. } | Kind::Alias(_) => {}
            Kind::Sequence(items) => items.iter_mut().for_each(|item| self.expand(item, depth + 1)),
            Kind::Mapping(entries) => {
                if !entries.iter().any(|entry| entry.key.starts_with(LOOP)) {
                    entries.iter_mut().for_each(|entry| self.expand(&mut entry.value, depth + 1));
                    return;
                }
                for mut entry in std::mem::take(entries) {
                    if entry.key.starts_with(LOOP) {
                        for mut made in self.run(&entry) {
                            if made.key.starts_with(LOOP) {
                                let inner = Node { span: made.value.span, kind: Kind::Mapping(vec![made]) };
                                let mut inner = inner;
                                self.expand(&mut inner, depth + 1);
                                if let Kind::Mapping(made) = inner.kind {
                                    entries.extend(made);
                                }
                            } else {
                                self.expand(&mut made.value, depth + 1);
                                entries.push(made);
                            }
                        }
                    } else {
                        self.expand(&mut entry.value, depth + 1);
                        entries.push(entry);
                    }
                }
            }
        }
    }

    /// What a loop makes.
    fn run(&mut self, entry: &Entry) -> Vec<Entry> {
        let name = &entry.key[LOOP.len()..];
        let parts = match &self.document.resolve(&entry.value).kind {
            Kind::Sequence(parts) => parts.as_slice(),
            _ => &[],
        };
        let [identifier, collection, fragment] = parts else {
            return self.cannot(name, "it is not `[IDENTIFIER, COLLECTION, {…}]`");
        };
        let (Kind::Scalar { text: identifier, .. }, Kind::Mapping(fragment)) =
            (&self.document.resolve(identifier).kind, &self.document.resolve(fragment).kind)
        else {
            return self.cannot(name, "it is not `[IDENTIFIER, COLLECTION, {…}]`");
        };
        let Some(items) = self.items(collection) else { return self.cannot(name, "its list is not known here") };
        let mut made = Vec::new();
        for item in &items {
            for entry in fragment {
                let Some(value) = self.copy(&entry.value, (identifier, item), 0) else {
                    return self.cannot(name, "it makes too much");
                };
                made.push(Entry { key: put_in(&entry.key, (identifier, item)).into(), key_span: entry.key_span, value });
            }
        }
        made
    }

    fn cannot(&mut self, name: &str, why: &str) -> Vec<Entry> {
        let reason = format!(
            "what the loop `{name}` makes: {why}; give its parameter with `--parameter KEY=A,B`, or check the template that is deployed"
        );
        self.unknown.get_or_insert(reason);
        Vec::new()
    }

    /// The items of a loop: a list, a parameter whose value is told, a lookup of a list, or `Fn::Split`.
    fn items(&self, node: &Node) -> Option<Vec<String>> {
        let node = self.document.resolve(node);
        let texts = |node: &Node| self.template.list(node).filter(|texts| texts.iter().all(|text| !hole::has(text)));
        let Kind::Mapping(entries) = &node.kind else {
            // an item of a list may be a list itself: the value of a parameter
            if let Kind::Sequence(items) = &node.kind {
                let lists: Option<Vec<Vec<String>>> = items
                    .iter()
                    .map(|item| match &self.document.resolve(item).kind {
                        Kind::Mapping(_) => self.items(item).or_else(|| texts_of_one(self.template, item)),
                        _ => texts_of_one(self.template, item),
                    })
                    .collect();
                return lists.map(|lists| lists.concat());
            }
            return None;
        };
        match entries.as_slice() {
            [one] if &*one.key == "Ref" => {
                let Kind::Scalar { text, .. } = &self.document.resolve(&one.value).kind else { return None };
                let (_, value) = self.template.told.parameters.iter().find(|(key, _)| key == &**text)?;
                Some(value.split(',').map(|item| item.trim().to_owned()).collect())
            }
            [one] if &*one.key == "Fn::FindInMap" => {
                let Kind::Sequence(keys) = &self.document.resolve(&one.value).kind else { return None };
                let [map, first, second, ..] = keys.as_slice() else { return None };
                let key = |node: &Node| texts_of_one(self.template, node)?.pop();
                let top = self.template.in_section("Mappings", &key(map)?)?;
                let inner = self.document.resolve(child(top, &key(first)?)?);
                texts(self.document.resolve(child(inner, &key(second)?)?))
            }
            entries if is_function(entries) => texts(node),
            _ => None,
        }
    }

    /// A copy of a part with an item in it; nothing if there are too many.
    fn copy(&mut self, node: &Node, item: Item<'_>, depth: usize) -> Option<Node> {
        self.made += 1;
        if self.made > MOST_NODES || depth > MAX_DEPTH {
            return None;
        }
        let node = self.document.resolve(node);
        let kind = match &node.kind {
            Kind::Scalar { text, plain } => Kind::Scalar { text: put_in(text, item).into(), plain: *plain },
            Kind::Sequence(items) => {
                Kind::Sequence(items.iter().map(|inner| self.copy(inner, item, depth + 1)).collect::<Option<_>>()?)
            }
            Kind::Mapping(entries) => match entries.as_slice() {
                [one] if &*one.key == "Ref" && is_text(self.document.resolve(&one.value), item.0) => {
                    Kind::Scalar { text: item.1.into(), plain: false }
                }
                entries => Kind::Mapping(
                    entries
                        .iter()
                        .map(|entry| {
                            let value = self.copy(&entry.value, item, depth + 1)?;
                            Some(Entry { key: put_in(&entry.key, item).into(), key_span: entry.key_span, value })
                        })
                        .collect::<Option<_>>()?,
                ),
            },
            Kind::Alias(_) => return None,
        };
        Some(Node { span: node.span, kind })
    }
}

fn is_text(node: &Node, word: &str) -> bool {
    matches!(&node.kind, Kind::Scalar { text, .. } if &**text == word)
}

fn texts_of_one(template: &Template<'_>, node: &Node) -> Option<Vec<String>> {
    use crate::observed::policy::Reading;
    template.text(node).filter(|text| !hole::has(text)).map(|text| vec![text])
}

fn put_in(text: &str, (identifier, item): Item<'_>) -> String {
    if !text.contains('{') {
        return text.to_owned();
    }
    let alphanumeric: String = item.chars().filter(char::is_ascii_alphanumeric).collect();
    text.replace(&format!("${{{identifier}}}"), item).replace(&format!("&{{{identifier}}}"), &alphanumeric)
}
