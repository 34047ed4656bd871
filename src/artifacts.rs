//! Artifacts: what rendering gives, a relative path and its text. Pure data; the disk is someone else's.

/// Path of the file that keeps Git from changing line ends: the only name of logmap's that begins with a dot.
pub(crate) const GIT_ATTRIBUTES: &str = ".gitattributes";

/// One file to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// Path below the output folder, with `/`; never absolute, never with `..`.
    pub path: String,
    /// The whole text.
    pub text: String,
    /// True for scripts: the file is made executable.
    pub executable: bool,
}

impl Artifact {
    /// A plain file.
    pub fn file(path: impl Into<String>, text: impl Into<String>) -> Self {
        Artifact { path: path.into(), text: text.into(), executable: false }
    }

    /// An executable script.
    pub fn script(path: impl Into<String>, text: impl Into<String>) -> Self {
        Artifact { executable: true, ..Artifact::file(path, text) }
    }
}
