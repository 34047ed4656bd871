//! `logmap lsp`: hands the standard streams to the language server.

use super::{Outcome, exit::Exit};

/// Clean if the client ended as the protocol wants, with `shutdown` before `exit`; else 1, which the protocol asks for.
pub(super) fn run() -> Outcome {
    Ok(if crate::lsp::stdio()? { Exit::Clean } else { Exit::Findings })
}
