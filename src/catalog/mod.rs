//! Rules that are declared apart from their checks, because reading, comparing, importing and checking files report them: data only.
//!
//! Stands below everything that finds something, and imports nothing but what a rule is.

pub(crate) mod generated;
pub(crate) mod importing;
pub(crate) mod inputs;
pub(crate) mod live;
pub(crate) mod observed;
pub(crate) mod reading;
pub(crate) mod several;
