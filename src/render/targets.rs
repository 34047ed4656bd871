//! The targets by name: one function each, from the context to the sink.

pub use super::cloudformation::render as cloudformation;
pub use super::policies::render as policies;
pub use super::terraform::render as terraform;
use super::{Context, Sink};
use anyhow::Result;

/// Merged next.
pub fn aws_cli(_: &Context<'_>, _: &mut Sink<'_>) -> Result<()> {
    Ok(())
}
