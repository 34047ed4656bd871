//! How much work one template may make. Values may name each other, so that a small template can ask for more than any computer
//! has; what goes past the bounds here is unknown, and its place is kept for the reader of the report.
//!
//! Counts steps and never time: the same template is read alike everywhere.

use crate::{
    document::{Kind, Node},
    source::Span,
};
use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
};

/// Functions within functions: deeper than anybody writes.
const MAX_DEPTH: usize = 40;
/// Steps that all values of a template may take, in all ways of its conditions. AWS allows 500 resources; those of a template
/// that long take fewer than 10,000 steps in each way.
const MOST_STEPS: usize = 10_000_000;
/// Steps that one value may take.
const MOST_STEPS_OF_ONE: usize = 50_000;
/// So many bytes of text, or so many keys gone over in search of one, are a step.
const BYTES_OF_A_STEP: usize = 32;
/// Longest value of a property, in bytes: twice what an object's key may have.
const LONGEST: usize = 2048;

/// The work that is left, and where it was too much.
#[derive(Debug, Default)]
pub(crate) struct Work {
    /// Steps taken for the template, and for the value that is being read.
    taken: Cell<usize>,
    taken_for_one: Cell<usize>,
    /// The nodes that are being read, the outermost first, by address; with the place of the outermost.
    open: RefCell<Vec<*const Node>>,
    outermost: Cell<Span>,
    /// The first place where it was too much.
    stopped: Cell<Option<Span>>,
}

impl Work {
    /// Begins to read a node's value. False if that can't be done: the value needs itself, or too much; there is no
    /// [`Work::leave`] then.
    pub(crate) fn enter(&self, node: &Node) -> bool {
        let mut open = self.open.borrow_mut();
        if open.is_empty() {
            self.taken_for_one.set(0);
            self.outermost.set(node.span);
        }
        let address = std::ptr::from_ref(node);
        if open.len() > MAX_DEPTH || open.contains(&address) || !self.take(1) {
            return false;
        }
        open.push(address);
        true
    }

    /// Ends what [`Work::enter`] began, with a text of so many bytes.
    pub(crate) fn leave(&self, bytes: usize) {
        self.open.borrow_mut().pop();
        self.take(bytes / BYTES_OF_A_STEP);
    }

    /// Takes steps; false if there are not so many left.
    pub(crate) fn take(&self, steps: usize) -> bool {
        let add = |cell: &Cell<usize>| cell.set(cell.get().saturating_add(steps));
        add(&self.taken);
        add(&self.taken_for_one);
        let enough = self.taken.get() <= MOST_STEPS && self.taken_for_one.get() <= MOST_STEPS_OF_ONE;
        if !enough {
            self.stop(self.outermost.get());
        }
        enough
    }

    /// Takes the steps of something that is no value, such as a search; false if the template has none left.
    pub(crate) fn take_at(&self, steps: usize, place: Span) -> bool {
        self.taken.set(self.taken.get().saturating_add(steps));
        let enough = self.taken.get() <= MOST_STEPS;
        if !enough {
            self.stop(place);
        }
        enough
    }

    /// Is a property's text one that AWS could take?
    pub(crate) fn is_short(&self, text: &str, place: Span) -> bool {
        let short = text.len() <= LONGEST;
        if !short {
            self.stop(place);
        }
        short
    }

    /// A key's value in a mapping; see [`crate::observed::dumps::child`]. Nothing if the search is too long.
    pub(crate) fn child<'n>(&self, node: &'n Node, key: &str) -> Option<&'n Node> {
        let Kind::Mapping(entries) = &node.kind else { return None };
        if entries.len() >= BYTES_OF_A_STEP && !self.take(entries.len() / BYTES_OF_A_STEP) {
            return None;
        }
        crate::observed::dumps::child(node, key)
    }

    fn stop(&self, place: Span) {
        if self.stopped.get().is_none() {
            self.stopped.set(Some(place));
        }
    }

    /// The first place whose value took too much.
    pub(crate) fn stopped(&self) -> Option<Span> {
        self.stopped.get()
    }
}

/// The entries of a template's sections by name: they are looked up for each function.
#[derive(Debug, Default)]
pub(crate) struct Sections<'a>(BTreeMap<&'a str, BTreeMap<&'a str, &'a Node>>);

impl<'a> Sections<'a> {
    /// The sections of a template.
    pub(crate) fn of(document: &'a crate::document::Document) -> Self {
        let entries = |node: &'a Node| match &document.resolve(node).kind {
            Kind::Mapping(entries) => entries.as_slice(),
            _ => &[],
        };
        let inner = |node: &'a Node| entries(node).iter().map(|entry| (&*entry.key, document.resolve(&entry.value))).collect();
        let sections = document.root.iter().flat_map(entries).filter(|entry| READ.contains(&&*entry.key));
        Sections(sections.map(|entry| (&*entry.key, inner(&entry.value))).collect())
    }

    /// An entry of a section; of several with one name the last.
    pub(crate) fn get(&self, section: &str, name: &str) -> Option<&'a Node> {
        self.0.get(section)?.get(name).copied()
    }
}

/// The sections that are looked into.
const READ: [&str; 4] = ["Conditions", "Mappings", "Parameters", "Resources"];
