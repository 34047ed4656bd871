//! Where a run's files are: what people call them, and what the tools of a repository call them.
//!
//! Takes paths as they were given. A name is relative to the current folder, without `./`; an address is relative to the root of the
//! repository, with slashes, so that annotations and code scanning find the file from whichever folder the command was run.

use crate::source::SourceFile;
use std::{
    env, fs,
    path::{Component, Path, PathBuf},
};

/// What the root of a repository has; a file in a work tree or a submodule.
const MARK: &str = ".git";

/// The current folder and its repository.
#[derive(Debug, Default)]
pub(crate) struct Places {
    /// The current folder, without links; `None` if nobody can tell.
    here: Option<PathBuf>,
    /// The root of its repository, if it is in one.
    root: Option<PathBuf>,
}

impl Places {
    /// Looks where the process is.
    pub(crate) fn here() -> Self {
        env::current_dir().and_then(fs::canonicalize).map_or_else(|_| Places::default(), Places::at)
    }

    /// As seen from a folder, which is given without links.
    fn at(here: PathBuf) -> Self {
        Places { root: repository(&here), here: Some(here) }
    }

    /// A file that was read, under its name and with its address.
    pub(crate) fn file(&self, path: &Path, bytes: Vec<u8>) -> SourceFile {
        let mut file = SourceFile::of_bytes(self.name(path), bytes);
        file.address = self.address(path);
        file
    }

    /// The path as findings show it: relative to the current folder if it is below, without `.` on the way. `-` is standard input, so a
    /// file of that name keeps its `./`.
    pub(crate) fn name(&self, path: &Path) -> String {
        let below = self.here.as_ref().and_then(|here| path.strip_prefix(here).ok()).unwrap_or(path);
        let plain: PathBuf = below.components().filter(|part| *part != Component::CurDir).collect();
        let is_told = !plain.as_os_str().is_empty() && (plain != Path::new("-") || path == Path::new("-"));
        if is_told { plain.display().to_string() } else { path.display().to_string() }
    }

    /// The path below the root of the repository, with slashes: of the current folder's, else of the file's own. `None` outside of one.
    pub(crate) fn address(&self, path: &Path) -> Option<String> {
        if path == Path::new("-") {
            return None;
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let folder = real(folder)?;
        let below = |root: &Path| Some(folder.join(path.file_name()?).strip_prefix(root).ok()?.to_path_buf());
        let below = self.root.as_deref().and_then(below).or_else(|| below(&repository(&folder)?))?;
        let parts: Vec<String> = below.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
        Some(parts.join("/"))
    }
}

/// A folder without links on the way; what is missing of it is taken as it is. The file in it may be a link, and is called what it was
/// called.
fn real(folder: &Path) -> Option<PathBuf> {
    match (fs::canonicalize(folder), folder.parent(), folder.file_name()) {
        (Ok(folder), _, _) => Some(folder),
        (Err(_), Some(above), Some(name)) => {
            let above = if above.as_os_str().is_empty() { Path::new(".") } else { above };
            Some(real(above)?.join(name))
        }
        _ => None,
    }
}

/// Is the folder the root of a repository?
pub(crate) fn is_root(folder: &Path) -> bool {
    folder.join(MARK).symlink_metadata().is_ok()
}

/// The root of the repository that a folder is in.
fn repository(folder: &Path) -> Option<PathBuf> {
    folder.ancestors().find(|folder| is_root(folder)).map(Path::to_owned)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    #[test]
    fn names_are_relative_to_the_current_folder_and_addresses_to_the_repository() {
        let world = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(world.path()).unwrap();
        let here = root.join("infra");
        fs::create_dir_all(root.join(MARK)).unwrap();
        fs::create_dir_all(&here).unwrap();
        let places = Places::at(here.clone());
        for (given, name) in [
            ("./a.yaml", "a.yaml"),
            ("./b/./a.yaml", "b/a.yaml"),
            ("b//a.yaml", "b/a.yaml"),
            ("../a.yaml", "../a.yaml"),
            ("-", "-"),
            ("./-", "./-"),
            (".", "."),
            ("/no/a.yaml", "/no/a.yaml"),
        ] {
            assert_eq!(places.name(Path::new(given)), name, "{given}");
        }
        assert_eq!(places.name(&here.join("b/a.yaml")), "b/a.yaml");
        assert_eq!(places.address(&here.join("../infra/a.yaml")).as_deref(), Some("infra/a.yaml"));
        assert_eq!(places.address(&root.join("a.yaml")).as_deref(), Some("a.yaml"));
        assert_eq!(places.address(&root.join("no folder/a.yaml")).as_deref(), Some("no folder/a.yaml"));
        assert_eq!(places.address(&root.join("no folder/../a.yaml")), None);
        let elsewhere = Places::default();
        assert_eq!(elsewhere.address(&here.join("a.yaml")).as_deref(), Some("infra/a.yaml"), "the file's own repository");
    }
}
