//! The program that reads accounts into a snapshot: Python with boto3, for those who can't run logmap where the credentials are.
//!
//! Takes the scope, gives one file. What is in it of the map is one JSON text, so that nothing of the map is ever code.

use crate::scope::Scope;
use std::fmt::Write as _;

/// The program, as it stands below `templates/`: nothing renders it, and nobody replaces it.
pub(crate) const PROGRAM: (&str, &str) = ("snapshot/snapshot.py", include_str!("../../templates/snapshot/snapshot.py"));
/// Where the map's part goes.
const MARK: &str = "@SCOPE@";

/// The program for what is to be read.
pub(crate) fn program(scope: &Scope) -> serde_json::Result<String> {
    Ok(PROGRAM.1.replacen(MARK, &literal(&serde_json::to_string(scope)?), 1))
}

/// A string literal of Python: ASCII alone, so that the encoding of the file decides nothing.
fn literal(text: &str) -> String {
    let mut literal = String::with_capacity(text.len() + text.len() / 8);
    literal.push('"');
    for unit in text.chars() {
        match unit {
            '"' | '\\' => literal.extend(['\\', unit]),
            ' '..='~' => literal.push(unit),
            _ => {
                let _ = write!(literal, "\\U{:08x}", u32::from(unit));
            }
        }
    }
    literal.push('"');
    literal
}
