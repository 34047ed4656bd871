//! The files of a map that is kept in several: which ones its `include` means, and what keeps one from being used.
//!
//! Takes the map's text and a folder to look into, gives texts. What a folder is (a disk's, a git revision's) is for others to say.

use crate::{
    catalog::reading::INCLUDE,
    diagnostics::Finding,
    document::{self, path},
    map::RegionMap,
    rules::settings,
    source::SourceFile,
};
use glob::{MatchOptions, Pattern};
use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    io,
    path::Path,
};

/// Names of a map when none is given; the first is what `init` writes.
pub(crate) const MAP_NAMES: [&str; 2] = ["logmap.yaml", "logmap.yml"];

/// Most files that a map includes; an organization has no more accounts.
const MOST_FILES: usize = 20_000;
/// Most files that are looked at to find those that a pattern means.
const MOST_LOOKED_AT: usize = 200_000;
/// Most patterns of a map that files are looked for by; paths without `*`, `?` and `[` are as many as there are files.
const MOST_PATTERNS: usize = 100;
/// Most bytes of all files together: places in them are numbers of 32 bits.
const MOST_BYTES: usize = 2 << 30;

/// `*` stays within a folder and doesn't mean hidden files, as in a shell.
const AS_IN_A_SHELL: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };

/// A map as it was given: one text, or several.
#[derive(Debug, Clone)]
pub struct Sources {
    /// The map itself.
    pub map: SourceFile,
    /// The files that it includes, in the order of its patterns and their names.
    pub included: Vec<SourceFile>,
    /// What is wrong with its patterns; `None` if nobody has looked for files.
    pub unusable: Option<Vec<Unusable>>,
    /// The file with known findings that its settings name, or why it can't be read; `None` if they name none, nobody has looked for it,
    /// or it is not to count.
    pub baseline: Option<Result<SourceFile, String>>,
}

impl From<SourceFile> for Sources {
    /// A map whose included files nobody looks for.
    fn from(map: SourceFile) -> Self {
        Sources { map, included: Vec::new(), unusable: None, baseline: None }
    }
}

/// What keeps a pattern, or a file that it means, from being used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unusable {
    /// Which of the patterns, from 0.
    pub pattern: usize,
    /// One lower-case sentence.
    pub why: String,
    /// What to do.
    pub help: &'static str,
}

/// Where included files are: the folder that the map is in.
pub(crate) trait Folder {
    /// The files below a folder, which may be empty for all, as paths with slashes relative to the map, but for hidden ones; at most so many.
    ///
    /// # Errors
    /// The folder can't be looked into.
    fn files(&self, below: &str, most: usize) -> io::Result<Vec<String>>;

    /// A file at a path with slashes relative to the map.
    ///
    /// # Errors
    /// It is not there, can't be read, or is elsewhere in truth.
    fn read(&self, path: &str) -> io::Result<SourceFile>;
}

/// A map with the files that it includes; `own` is its own name in the folder, which no pattern means.
pub(crate) fn gather(map: SourceFile, own: &str, folder: &impl Folder) -> Sources {
    let mut gathered = Gathered { bytes: map.text.len(), seen: BTreeSet::from([own.to_owned()]), ..Gathered::default() };
    for (at, pattern) in patterns(&map).iter().enumerate() {
        gathered.pattern(at, pattern, folder);
    }
    let baseline = baseline(&map).map(|path| folder.read(&path).map_err(|error| error.to_string()));
    Sources { map, included: gathered.files, unusable: Some(gathered.unusable), baseline }
}

/// The path of a map's `settings.baseline`, if it is one that may be read.
fn baseline(map: &SourceFile) -> Option<String> {
    if !map.text.contains("baseline") {
        return None;
    }
    let document = document::read(map, &mut Vec::new());
    let root = path::entries(&document, document.root.as_ref());
    // another tool's file may have settings with a baseline
    path::get(root, "version")?;
    let settings = path::entries(&document, path::get(root, "settings"));
    let named = path::text(&document, path::get(settings, "baseline")?)?;
    settings::is_file_below(named).then(|| named.to_owned())
}

/// The patterns of a map's `include`.
pub(crate) fn patterns(map: &SourceFile) -> Vec<String> {
    // most maps are one file, and are read once
    if !map.text.contains("include") {
        return Vec::new();
    }
    let document = document::read(map, &mut Vec::new());
    let root = path::entries(&document, document.root.as_ref());
    let list = root.iter().find(|entry| &*entry.key == "include").map(|entry| path::items(&document, Some(&entry.value)));
    let texts = list.into_iter().flatten().map(|item| path::text(&document, item).unwrap_or_default().to_owned());
    texts.collect()
}

/// Says what is wrong with a map's patterns, where they stand.
pub(crate) fn check(map: &RegionMap, unusable: Option<&[Unusable]>, findings: &mut Vec<Finding>) {
    let Some(include) = map.include.as_ref() else { return };
    match unusable {
        None if include.is_empty() => {}
        None => findings.push(
            Finding::new(&INCLUDE, include.span, "the included files are not read: this map has no folder")
                .help("save the map, or say with `--stdin-filename` where it stands"),
        ),
        Some(all) => findings.extend(all.iter().filter_map(|one| {
            let pattern = include.get(one.pattern)?;
            Some(Finding::new(&INCLUDE, pattern.span, one.why.clone()).help(one.help))
        })),
    }
}

/// Where a new account goes: the first pattern with one `*` in the name of its file, and none elsewhere, with the account's key there.
pub(crate) fn home_of(patterns: &[String], account: &str) -> Option<String> {
    let is_one = |pattern: &&String| {
        let name = pattern.rsplit('/').next().unwrap_or_default();
        name.matches('*').count() == 1 && pattern.matches(['*', '?', '[']).count() == 1 && stays(pattern)
    };
    let is_name = !account.is_empty() && account.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    patterns.iter().find(is_one).filter(|_| is_name).map(|pattern| pattern.replace('*', account))
}

/// Is it the name of a map: `logmap.yaml`, or one that ends so behind a dot?
pub(crate) fn is_map_name(name: &str) -> bool {
    let behind_dot = |map: &str| name.strip_suffix(map).is_some_and(|before| before.is_empty() || before.ends_with('.'));
    MAP_NAMES.into_iter().any(behind_dot)
}

/// What people call a file beside a map, of which they say `map`.
pub(crate) fn beside(map: &str, path: &str) -> String {
    Path::new(map).parent().unwrap_or(Path::new("")).join(path).display().to_string()
}

/// Does a pattern stay in the map's folder?
fn stays(pattern: &str) -> bool {
    !pattern.starts_with('/') && !pattern.contains(['\\', ':']) && pattern.split('/').all(|part| part != "..")
}

#[derive(Default)]
struct Gathered {
    files: Vec<SourceFile>,
    unusable: Vec<Unusable>,
    bytes: usize,
    /// Paths that are read already, or are not to be.
    seen: BTreeSet<String>,
    /// Patterns that files were looked for by.
    looked_for: usize,
    /// Folder → what is in it.
    listed: BTreeMap<String, Vec<String>>,
}

impl Gathered {
    fn pattern(&mut self, at: usize, pattern: &str, folder: &impl Folder) {
        match self.find(pattern, folder) {
            Err((why, help)) => self.unusable.push(Unusable { pattern: at, why, help }),
            Ok(paths) => {
                for path in paths {
                    if self.seen.insert(path.clone())
                        && let Err((why, help)) = self.read(&path, folder)
                    {
                        self.unusable.push(Unusable { pattern: at, why, help });
                    }
                }
            }
        }
    }

    fn read(&mut self, path: &str, folder: &impl Folder) -> Result<(), (String, &'static str)> {
        if self.files.len() == MOST_FILES {
            return Err((
                format!("more than {MOST_FILES} files are included; `{path}` is not"),
                "keep several accounts in one file",
            ));
        }
        let file = folder.read(path).map_err(|error| {
            (format!("`{path}` can't be read: {error}"), "without it the map is not whole, and nothing is derived from it")
        })?;
        self.bytes += file.text.len() + 1;
        if self.bytes > MOST_BYTES {
            return Err((
                format!("the files are larger than 2 GiB together; `{path}` is left out"),
                "keep the organization in several maps",
            ));
        }
        self.files.push(file);
        Ok(())
    }

    /// The paths that a pattern means, sorted.
    fn find(&mut self, pattern: &str, folder: &impl Folder) -> Result<Vec<String>, (String, &'static str)> {
        if !stays(pattern) || pattern.is_empty() {
            let help =
                "an included file stands beside the map or below it; write its path with slashes, such as `accounts/prod.yaml`";
            return Err((format!("`{pattern}` is no path below the map's folder"), help));
        }
        let plain: Vec<&str> = pattern.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
        let is_wild = |part: &&str| part.contains(['*', '?', '[']);
        let Some(wild) = plain.iter().position(is_wild) else { return Ok(vec![plain.join("/")]) };
        self.looked_for += 1;
        if self.looked_for > MOST_PATTERNS {
            let why = format!("files are looked for by {MOST_PATTERNS} patterns; `{pattern}` is one more");
            return Err((why, "write one pattern for the files of several, such as `accounts/**/*.yaml`"));
        }
        let compiled = Pattern::new(&plain.join("/")).map_err(|error| {
            let help = "`*` and `?` stand for what is in a name, `**` for folders";
            (format!("`{pattern}` is no pattern: {}", error.msg), help)
        })?;
        let below = plain[..wild].join("/");
        let listed = match self.listed.entry(below) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                let all = folder.files(new.key(), MOST_LOOKED_AT).map_err(|error| {
                    let help = "an included file stands beside the map or below it";
                    (format!("`{pattern}` can't be looked for: {error}"), help)
                })?;
                new.insert(all)
            }
        };
        if listed.len() >= MOST_LOOKED_AT {
            let why = format!("`{pattern}` is looked for among more than {MOST_LOOKED_AT} files");
            return Err((why, "keep the included files in a folder of their own, and begin the pattern with it"));
        }
        let mut found: Vec<String> = listed.iter().filter(|path| compiled.matches_with(path, AS_IN_A_SHELL)).cloned().collect();
        found.sort();
        if found.is_empty() {
            let help = "write the path as it is relative to the map, or take the pattern out";
            return Err((format!("no file is meant by `{pattern}`"), help));
        }
        Ok(found)
    }
}
