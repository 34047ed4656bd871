//! `logmap schema`: the JSON Schema of the map.

use super::{Outcome, exit::Exit, io::Io};
use crate::map::schema::schema_text;

pub(super) fn run(io: &Io) -> Outcome {
    io.write_stdout(&schema_text())?;
    Ok(Exit::Clean)
}
