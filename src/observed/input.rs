//! One input as it was read: what it tells, in each way in which its conditions can turn out.

use super::Observed;
use crate::document::Document;

/// What one input gave.
#[derive(Debug, Default)]
pub struct Input {
    /// What it tells, once for each way its conditions can turn out; one for anything without conditions, none if it was not read.
    pub ways: Vec<Way>,
    /// Its tree, for routes and comments; not of Terraform's JSON.
    pub document: Option<Document>,
    /// Where each resource of Terraform's JSON begins, with its address; sorted.
    pub addresses: Vec<(u32, String)>,
    /// What was not read.
    pub ignored: Vec<String>,
    /// Is it code that makes what it tells of: Terraform, or a template?
    pub is_code: bool,
}

impl Input {
    /// A place in the words of the input.
    pub fn route(&self, offset: u32) -> String {
        if let Some(document) = &self.document {
            return document.route(offset);
        }
        let at = self.addresses.partition_point(|(start, _)| *start <= offset);
        self.addresses[..at].last().map_or_else(String::new, |(_, address)| address.clone())
    }
}

/// One way in which an input's conditions turn out.
#[derive(Debug, Default, Clone)]
pub struct Way {
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
