//! The files of a map that is kept in several, as the editor has them: which map an open document belongs to, and where its places are.
//!
//! What the client has open is taken from it, the rest from the disk, when a document is opened, saved or closed: not at each keystroke.

use super::text::{Encoding, Text};
use crate::{
    analysis::Analysis,
    folders::Disk,
    included::{self, Folder, MAP_NAMES, Sources},
    places::{self, Places},
    source::{FileId, SourceFile, Span},
};
use lsp_types::{Location, Range, TextEdit, Uri, WorkspaceEdit};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use std::{
    cell::RefCell,
    collections::{BTreeMap, HashMap},
    io,
    path::{Path, PathBuf},
};

/// Folders above a file in which its map is looked for.
const MOST_FOLDERS: usize = 16;
/// What stands in the path of an address as it is.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b':');

/// Path → address and text of what the client has open.
pub(super) type Texts = BTreeMap<PathBuf, (Uri, String)>;

/// What is around the documents: the files of each map are read once.
pub(super) struct Around<'a> {
    open: &'a Texts,
    /// Map → its files, if there are others than itself.
    maps: BTreeMap<PathBuf, Option<Sources>>,
}

impl<'a> Around<'a> {
    /// Nothing has been read yet.
    pub(super) fn new(open: &'a Texts) -> Self {
        Around { open, maps: BTreeMap::new() }
    }

    /// The files of the map at a path, if there is one, and it has more than itself.
    fn sources(&mut self, map: &Path) -> Option<&Sources> {
        let open = self.open;
        let read = || {
            let name = map.file_name()?.to_string_lossy();
            let folder = Overlaid { disk: Disk::beside(map), open };
            let mut sources = included::gather(folder.read(&name).ok()?, &name, &folder);
            let includes = !sources.included.is_empty() || sources.unusable.iter().any(|unusable| !unusable.is_empty());
            if sources.baseline.is_some() {
                address(&mut sources, map);
            }
            (includes || sources.baseline.is_some()).then_some(sources)
        };
        self.maps.entry(map.to_owned()).or_insert_with(read).as_ref()
    }
}

/// Says where files are in their repository, as a baseline knows them. Outside of one it knows them as they are called from the map's folder.
fn address(sources: &mut Sources, map: &Path) {
    let (places, folder) = (Places::here(), map.parent().unwrap_or(Path::new("")));
    for file in std::iter::once(&mut sources.map).chain(&mut sources.included) {
        let path = PathBuf::from(&file.name);
        let below = || Some(path.strip_prefix(folder).ok()?.to_string_lossy().replace('\\', "/"));
        file.address = places.address(&path).or_else(below);
    }
}

/// A map whose analysis takes more than one document: it is kept in several files, one of which is the document, or has a baseline.
#[derive(Debug)]
pub(super) struct Family {
    sources: Sources,
    /// Where each file is, the map first.
    paths: Vec<PathBuf>,
    /// Their addresses, as the client calls those that it has open.
    uris: Vec<Uri>,
    /// The document's.
    own: usize,
}

impl Family {
    /// The map that a document belongs to, if that is kept in several files.
    pub(super) fn of(uri: &Uri, around: &mut Around<'_>) -> Option<Self> {
        let path = path(uri)?;
        if let Some(family) = Family::with(&path, &path, around) {
            return Some(family);
        }
        for folder in path.ancestors().skip(1).take(MOST_FOLDERS) {
            let mut maps = MAP_NAMES.iter().map(|name| folder.join(name)).filter(|map| *map != path);
            if let Some(family) = maps.find_map(|map| Family::with(&map, &path, around)) {
                return Some(family);
            }
            if places::is_root(folder) {
                break;
            }
        }
        None
    }

    /// A map's family, if the document at `own` is of it.
    fn with(map: &Path, own: &Path, around: &mut Around<'_>) -> Option<Self> {
        let open = around.open;
        let sources = around.sources(map)?;
        let included = sources.included.iter().map(|file| PathBuf::from(&file.name));
        let paths: Vec<PathBuf> = [map.to_owned()].into_iter().chain(included).collect();
        let own = paths.iter().position(|path| path == own)?;
        let uris = paths.iter().map(|path| open.get(path).map_or_else(|| uri(path), |(uri, _)| uri.clone())).collect();
        Some(Family { sources: sources.clone(), paths, uris, own })
    }

    /// Is the rest of the map, beside the document, the same in both?
    pub(super) fn says_as(&self, before: &Family) -> bool {
        (&self.paths, &self.uris, self.own) == (&before.paths, &before.uris, before.own)
            && self.sources.unusable == before.sources.unusable
            && self.known() == before.known()
            && self.others().eq(before.others())
    }

    /// What its baseline holds.
    fn known(&self) -> Option<Result<&str, &str>> {
        self.sources.baseline.as_ref().map(|read| read.as_ref().map(|file| file.text.as_str()).map_err(String::as_str))
    }

    /// The texts of the other files.
    fn others(&self) -> impl Iterator<Item = &str> {
        let files = std::iter::once(&self.sources.map).chain(&self.sources.included).enumerate();
        files.filter(|(at, _)| *at != self.own).map(|(_, file)| file.text.as_str())
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
    /// The map that it is a part of, if that is kept in several files.
    pub family: Option<&'a Family>,
    pub analysis: &'a Analysis,
    pub encoding: Encoding,
    /// Texts of the other files that somebody has asked about.
    pub others: RefCell<BTreeMap<FileId, Text>>,
}

impl Whereabouts<'_> {
    /// Which of the map's files the document is.
    pub(super) fn own(&self) -> FileId {
        self.family.map(Family::own).unwrap_or_default()
    }

    /// The map itself, of which the document may be a part.
    pub(super) fn map(&self) -> &Uri {
        self.family.and_then(|family| family.uris.first()).unwrap_or(self.uri)
    }

    /// Is a place in the document?
    pub(super) fn is_here(&self, span: Span) -> bool {
        self.analysis.file.locate(span).0 == self.own()
    }

    /// The document or file that a place is in, and its lines there.
    pub(super) fn location(&self, span: Span) -> Location {
        let (file, local) = self.analysis.file.locate(span);
        let uri = self.family.and_then(|family| family.uris.get(file.0 as usize));
        let Some(uri) = uri.filter(|_| file != self.own()) else {
            return Location { uri: self.uri.clone(), range: self.text.range(span) };
        };
        let text = || file.of(self.analysis.file.files()).map_or("", |file| file.text.as_str()).to_owned();
        let mut others = self.others.borrow_mut();
        let text = others.entry(file).or_insert_with(|| Text::new(text(), self.encoding));
        Location { uri: uri.clone(), range: text.range(local) }
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
