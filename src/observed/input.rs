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
}

impl NotRead {
    /// A reason in words.
    pub fn because(reason: impl Into<String>) -> Self {
        NotRead::Because(reason.into())
    }
}

impl fmt::Display for NotRead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NotRead::Unrelated => "it is none of the inputs that are read",
            NotRead::RegionMap => "a region map; `logmap validate` checks it",
            NotRead::Because(reason) => reason,
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

/// One way in which an input's conditions turn out.
#[derive(Debug, Default, Clone)]
pub(crate) struct Way {
    /// What people would call it; empty for the only way.
    pub words: String,
    /// What the input tells then.
    pub observed: Observed,
}

impl From<Observed> for Way {
    fn from(observed: Observed) -> Self {
        Way { words: String::new(), observed }
    }
}
