//! The targets by name: one function each, from the context to the sink.

pub use super::athena::render as athena;
pub use super::aws_cli::render as aws_cli;
pub use super::cloudformation::render as cloudformation;
pub use super::policies::render as policies;
use super::{Context, Sink, aws_cli::preflight, terraform::render as modules};
use anyhow::Result;

/// Root modules, and the preflight checks of those that adopt buckets.
///
/// # Errors
/// An overridden template fails, or the sink does.
pub fn terraform(cx: &Context<'_>, sink: &mut Sink<'_>) -> Result<()> {
    modules(cx, sink)?;
    for account in cx.accounts() {
        if let Some(artifact) = preflight(cx, account)? {
            sink(artifact)?;
        }
    }
    Ok(())
}
