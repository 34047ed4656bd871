//! Values that a shell's completion offers, of arguments that take others as well: a Region may be newer than the table, and a text may
//! have more in it than a rule's id.

use crate::{aws::region, rules};
use clap::{
    Arg, Command, Error,
    builder::{PossibleValue, StringValueParser, TypedValueParser},
};
use std::ffi::OsStr;

/// A text, with values that are offered for it.
#[derive(Clone, Copy)]
pub(super) struct Offered(fn() -> Vec<&'static str>);

impl Offered {
    /// Names of Regions.
    pub(super) const REGIONS: Offered = Offered(|| region::KNOWN.iter().map(|known| known.name).collect());
    /// Ids of rules.
    pub(super) const RULES: Offered = Offered(|| rules::all().into_iter().map(|rule| rule.id).collect());
}

impl TypedValueParser for Offered {
    type Value = String;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<String, Error> {
        StringValueParser::new().parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new((self.0)().into_iter().map(PossibleValue::new)))
    }
}
