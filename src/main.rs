//! The binary: arguments in, exit code out.

use std::process::ExitCode;

/// Templates and policies are made of many short strings, which this allocator gives out in half the time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    ExitCode::from(logmap::run(std::env::args_os()))
}
