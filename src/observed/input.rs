//! One input as it was read: what it tells, in each way in which its conditions can turn out.

use super::Observed;
use crate::document::Document;
use std::fmt;

/// What one input gave.
#[derive(Debug, Default)]
pub(crate) struct Input {
    /// What it tells, once for each way its conditions can turn out; one for anything without conditions, none if it was not read.
    pub ways: Vec<Way>,
    /// Its tree, for routes and comments; not of Terraform's JSON.
    pub document: Option<Document>,
    /// Where each resource of Terraform's JSON begins, with its address; sorted.
    pub addresses: Vec<(u32, String)>,
    /// What was not read.
    pub ignored: Vec<NotRead>,
    /// Is it code that makes what it tells of: Terraform, or a template?
    pub is_code: bool,
    /// Is its tree a template that is not read yet? Templates of one run may name each other.
    pub is_template: bool,
    /// Why nothing that it tells is certain, such as a macro that rewrites it.
    pub doubts: Vec<String>,
    /// The stacks that it lists, if it is the manifest of a CDK app.
    pub stacks: Option<Vec<Stack>>,
}

/// Why an input, or a part of one, was not read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum NotRead {
    /// It is something else than what logmap reads: in a folder most files are.
    Unrelated,
    /// It is a region map, which another command checks.
    RegionMap,
    /// It should have been read; why it was not, and what could be done.
    Because(String),
    /// A part of it should have been read, beside what was; why it was not.
    Part(String),
}

impl NotRead {
    /// A reason in words.
    pub fn because(reason: impl Into<String>) -> Self {
        NotRead::Because(reason.into())
    }

    /// A reason for a part, in words.
    pub fn part(reason: impl Into<String>) -> Self {
        NotRead::Part(reason.into())
    }
}

impl fmt::Display for NotRead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NotRead::Unrelated => "it is none of the inputs that are read",
            NotRead::RegionMap => "a region map; `logmap validate` checks it",
            NotRead::Because(reason) | NotRead::Part(reason) => reason,
        })
    }
}

/// An input that was not read, or not wholly.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ignored {
    /// File name, as it was given.
    pub file: String,
    /// Why it was not read.
    pub reason: NotRead,
}

impl Input {
    /// What was not read of the input, whose name is `file`.
    pub(crate) fn not_read(&self, file: &str) -> impl Iterator<Item = Ignored> {
        self.ignored.iter().map(|reason| Ignored { file: file.to_owned(), reason: reason.clone() })
    }

    /// A place in the words of the input.
    pub(crate) fn route(&self, offset: u32) -> String {
        if let Some(document) = &self.document {
            return document.route(offset);
        }
        let at = self.addresses.partition_point(|(start, _)| *start <= offset);
        self.addresses[..at].last().map_or_else(String::new, |(_, address)| address.clone())
    }
}

/// A stack of a CDK app, as its manifest lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stack {
    /// Name of its template's file, as the inputs have it.
    pub file: String,
    /// The account that it is deployed in, if the app says.
    pub account: Option<String>,
    /// The Region that it is deployed in, if the app says.
    pub region: Option<String>,
}

/// Something that is chosen in one way and may be otherwise in another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Fact {
    /// What it is of, such as a parameter.
    pub of: String,
    /// What it is, in words.
    pub words: String,
}

/// One way in which an input's conditions turn out.
#[derive(Debug, Default, Clone)]
pub(crate) struct Way {
    /// What is chosen in it; nothing in the only way.
    pub facts: Vec<Fact>,
    /// What the input tells then.
    pub observed: Observed,
}

impl From<Observed> for Way {
    fn from(observed: Observed) -> Self {
        Way { facts: Vec::new(), observed }
    }
}
