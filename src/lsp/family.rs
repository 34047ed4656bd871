//! The files of a map that is kept in several, as the editor has them: which map an open document belongs to, and where its places are.
//!
//! What the client has open is taken from it, the rest from the disk, when a document is opened, saved or closed: not at each keystroke.

use super::text::{Encoding, Text};
use crate::{
    analysis::Analysis,
    folders::Disk,
    included::{self, Folder, Sources},
    places,
    source::{FileId, SourceFile, Span},
};
use lsp_types::{Location, Range, TextEdit, Uri, WorkspaceEdit};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use std::{
    collections::{BTreeMap, HashMap},
    fs, io,
    path::{Path, PathBuf},
};

/// Names of a map that is looked for above a file.
const MAP_NAMES: [&str; 2] = ["logmap.yaml", "logmap.yml"];
/// Folders above a file in which its map is looked for.
const MOST_FOLDERS: usize = 16;
/// What stands in the path of an address as it is.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b':');

/// Path → address and text of what the client has open.
pub(super) type Texts = BTreeMap<PathBuf, (Uri, String)>;

/// A map in several files, one of which is a document.
#[derive(Debug)]
pub(super) struct Family {
    sources: Sources,
    /// Where each file is, the map first.
    paths: Vec<PathBuf>,
    /// The document's.
    own: usize,
}

impl Family {
    /// The map that a document belongs to, if that is kept in several files.
    pub(super) fn of(uri: &Uri, open: &Texts) -> Option<Self> {
        let path = path(uri)?;
        let (_, text) = open.get(&path)?;
        if !included::patterns(&SourceFile::new("", text.as_str())).is_empty() {
            return Family::with(&path, text.clone(), &path, open);
        }
        for folder in path.ancestors().skip(1).take(MOST_FOLDERS) {
            for map in MAP_NAMES.iter().map(|name| folder.join(name)).filter(|map| *map != path) {
                let Some(text) = open.get(&map).map(|(_, text)| text.clone()).or_else(|| fs::read_to_string(&map).ok()) else {
                    continue;
                };
                if let Some(family) = Family::with(&map, text, &path, open) {
                    return Some(family);
                }
            }
            if places::is_root(folder) {
                break;
            }
        }
        None
    }

    /// A map's family, if the document at `own` is of it.
    fn with(map: &Path, text: String, own: &Path, open: &Texts) -> Option<Self> {
        let folder = Overlaid { disk: Disk::beside(map), open };
        let name = map.file_name()?.to_string_lossy().into_owned();
        let sources = included::gather(SourceFile::new(map.to_string_lossy(), text), &name, &folder);
        let paths: Vec<PathBuf> =
            [map.to_owned()].into_iter().chain(sources.included.iter().map(|file| PathBuf::from(&file.name))).collect();
        let own = paths.iter().position(|path| path == own)?;
        Some(Family { sources, paths, own })
    }

    /// Takes another text of the file at a path. False if it is none of them.
    pub(super) fn take(&mut self, path: &Path, text: &str) -> bool {
        let Some(at) = self.paths.iter().position(|known| known == path) else { return false };
        let file = match at.checked_sub(1) {
            None => Some(&mut self.sources.map),
            Some(at) => self.sources.included.get_mut(at),
        };
        if let Some(file) = file {
            *file = file.with_text(text);
        }
        true
    }

    /// The files, the document's with its text.
    pub(super) fn sources(&mut self, text: &str) -> Sources {
        self.take(&self.paths.get(self.own).cloned().unwrap_or_default(), text);
        self.sources.clone()
    }

    /// Which of the files the document is.
    pub(super) fn own(&self) -> FileId {
        FileId(u32::try_from(self.own).unwrap_or(u32::MAX))
    }

    /// The addresses of the files, as the client calls those that it has open.
    pub(super) fn uris(&self, open: &Texts) -> Vec<Uri> {
        self.paths.iter().map(|path| open.get(path).map_or_else(|| uri(path), |(uri, _)| uri.clone())).collect()
    }
}

/// A folder on the disk, with what the client has open in its place.
struct Overlaid<'a> {
    disk: Disk,
    open: &'a Texts,
}

impl Folder for Overlaid<'_> {
    fn files(&self, below: &str, most: usize) -> io::Result<Vec<String>> {
        self.disk.files(below, most)
    }

    fn read(&self, path: &str) -> io::Result<SourceFile> {
        let whole = self.disk.path(path);
        let text = match self.open.get(&whole) {
            Some((_, text)) => text.clone(),
            None => self.disk.read(path)?.text,
        };
        Ok(SourceFile::new(whole.to_string_lossy(), text))
    }
}

/// The path that an address of a file means.
pub(super) fn path(uri: &Uri) -> Option<PathBuf> {
    let rest = uri.0.strip_prefix("file://")?;
    let at = rest.find('/')?;
    let path = percent_decode_str(&rest[at..]).decode_utf8().ok()?;
    // `/C:/…` has its drive behind a slash
    let drive = path.as_bytes().get(2) == Some(&b':');
    Some(PathBuf::from(path.get(usize::from(drive)..)?))
}

fn uri(path: &Path) -> Uri {
    let text = path.to_string_lossy().replace('\\', "/");
    let slash = if text.starts_with('/') { "" } else { "/" };
    format!("file://{slash}{}", utf8_percent_encode(&text, PATH)).into()
}

/// Where the places of an analysis are, for the client.
pub(super) struct Whereabouts<'a> {
    /// The document.
    pub uri: &'a Uri,
    pub text: &'a Text,
    /// The files of its map, if they are several.
    pub uris: &'a [Uri],
    /// Which of them it is.
    pub own: FileId,
    pub analysis: &'a Analysis,
    pub encoding: Encoding,
}

impl Whereabouts<'_> {
    /// Is a place in the document?
    pub(super) fn is_here(&self, span: Span) -> bool {
        self.uris.is_empty() || self.analysis.file.locate(span).0 == self.own
    }

    /// The document or file that a place is in, and its lines there.
    pub(super) fn location(&self, span: Span) -> Location {
        if self.is_here(span) {
            return Location { uri: self.uri.clone(), range: self.text.range(span) };
        }
        let (file, span) = self.analysis.file.locate(span);
        let uri = self.uris.get(file.0 as usize).unwrap_or(self.uri).clone();
        let text = file.of(self.analysis.file.files()).map_or("", |file| file.text.as_str());
        Location { uri, range: Text::new(text.to_owned(), self.encoding).range(span) }
    }

    /// The lines of a place that is in the document.
    pub(super) fn range(&self, span: Span) -> Range {
        self.text.range(span)
    }

    /// Edits of places in any of the files.
    pub(super) fn edit(&self, edits: impl IntoIterator<Item = (Span, String)>) -> WorkspaceEdit {
        let mut changes: HashMap<Uri, Vec<TextEdit>> = HashMap::new();
        for (span, new_text) in edits {
            let Location { uri, range } = self.location(span);
            changes.entry(uri).or_default().push(TextEdit { range, new_text });
        }
        WorkspaceEdit { changes: Some(changes), ..WorkspaceEdit::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_paths_and_paths_are_addresses() {
        for (address, path_of) in [("file:///a/b%20c/d.yaml", "/a/b c/d.yaml"), ("file://host/a/%C3%A9.yaml", "/a/é.yaml")] {
            assert_eq!(path(&address.to_owned().into()), Some(PathBuf::from(path_of)));
        }
        assert_eq!(path(&"untitled:x".to_owned().into()), None);
        assert_eq!(uri(Path::new("/a/b c/é.yaml")).0, "file:///a/b%20c/%C3%A9.yaml");
    }
}
