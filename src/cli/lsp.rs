//! `logmap lsp`: hands the standard streams to the language server.

use super::{Outcome, exit::Exit, io::Io};

/// Clean if the client ended as the protocol wants, with `shutdown` before `exit`; else 1, which the protocol asks for.
pub(super) fn run(io: &Io) -> Outcome {
    let (input, output) = io.streams();
    Ok(if crate::lsp::serve_bytes(input, output)? { Exit::Clean } else { Exit::Findings })
}
