//! Exit codes: one table, here and in docs/stability.md.

/// How a command ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Clean.
    Clean,
    /// Findings, differences or drift.
    Findings,
    /// Wrong usage, or a map that can't be read.
    Usage,
    /// I/O or AWS failed.
    Failure,
}

impl Exit {
    /// All, with their meaning, for help and documentation.
    pub const TABLE: [(Exit, &'static str); 4] = [
        (Exit::Clean, "clean"),
        (Exit::Findings, "findings, differences or drift"),
        (Exit::Usage, "usage, or a map that can't be read"),
        (Exit::Failure, "I/O or AWS failure"),
    ];

    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Exit::Clean => 0,
            Exit::Findings => 1,
            Exit::Usage => 2,
            Exit::Failure => 3,
        }
    }
}
