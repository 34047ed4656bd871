//! What keeps Git from changing the line ends of generated files: scripts with carriage returns do not run, and a tree that Git has
//! converted is not the one that was generated.

use crate::artifacts::Artifact;
/// Path below the output folder.
pub(crate) use crate::artifacts::GIT_ATTRIBUTES as PATH;

/// No conversion on any platform, whatever `core.autocrlf` says: see <https://git-scm.com/docs/gitattributes#_text>.
pub(crate) const TEXT: &str = "\
# Written by logmap: its files have the same bytes everywhere, whatever core.autocrlf says.
* -text
";

/// The file of every output folder.
pub(crate) fn render() -> Artifact {
    Artifact::file(PATH, TEXT)
}
