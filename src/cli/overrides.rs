//! `--templates`: the templates that there are, and the folder with others in their place.

use super::{Stop, io::Io};
use crate::{
    diagnostics::did_you_mean,
    files,
    render::{
        snapshot,
        templates::{self, Template},
    },
};
use anyhow::{Context as _, anyhow};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// The files that `init` writes: texts with places to fill in, which nothing renders.
pub(super) const INIT: [(&str, &str); 5] = [
    ("init/github-drift.yml", include_str!("../../templates/init/github-drift.yml")),
    ("init/github.yml", include_str!("../../templates/init/github.yml")),
    ("init/jetbrains-schemas.xml", include_str!("../../templates/init/jetbrains-schemas.xml")),
    ("init/logmap.yaml", include_str!("../../templates/init/logmap.yaml")),
    ("init/vscode-settings.json", include_str!("../../templates/init/vscode-settings.json")),
];

/// The command that takes `--templates`. Styles and scripts of a page are bound to it by their hashes, the steps of a runbook to the
/// order that was planned, and what `init` writes is there to be edited.
pub(super) const COMMAND: &str = "generate";

/// Every template of every command, sorted by name.
pub(super) fn catalog() -> Vec<Template> {
    let init = INIT.iter().map(|&(name, text)| Template { name, text, command: "init", targets: &[] });
    let (name, text) = snapshot::PROGRAM;
    let program = Template { name, text, command: "snapshot", targets: &[] };
    let mut all: Vec<Template> = templates::all().into_iter().chain(init).chain([program]).collect();
    all.sort_by_key(|template| template.name);
    all
}

/// Says that there is no template of a name, and which one may be meant.
pub(super) fn unknown(name: &str) -> anyhow::Error {
    let all = catalog();
    let near = did_you_mean(name, all.iter().map(|template| template.name)).or_else(|| {
        // a file in the wrong folder, or in none
        let file = name.rsplit('/').next().unwrap_or(name);
        all.iter().map(|template| template.name).find(|known| known.rsplit('/').next() == Some(file))
    });
    let hint = near.map_or("`logmap templates` lists them".to_owned(), |near| format!("did you mean `{near}`?"));
    anyhow!("there is no template `{name}`; {hint}")
}

/// A folder with templates.
#[derive(Debug)]
pub(super) struct Templates {
    pub path: PathBuf,
    /// A flag names it. What a map names comes with the map, and so may links.
    pub follows_links: bool,
}

impl Templates {
    /// The folder that a flag names.
    pub(super) fn named(path: &Path) -> Self {
        Templates { path: path.to_owned(), follows_links: true }
    }
}

/// Every file below a folder, by its path there: each of the name of a template.
///
/// # Errors
/// The folder can't be read, or holds something else than templates: exit code 2.
pub(super) fn read(folder: &Templates) -> Result<Vec<(String, String)>, Stop> {
    let (folder, follows_links) = (folder.path.as_path(), folder.follows_links);
    let known = catalog();
    let mut found = Vec::new();
    let mut open = vec![PathBuf::new()];
    while let Some(relative) = open.pop() {
        let path = folder.join(&relative);
        let entries = fs::read_dir(&path)
            .with_context(|| format!("can't read the templates in {}", path.display()))
            .map_err(Stop::usage)?;
        for entry in entries {
            let entry = entry?;
            let relative = relative.join(entry.file_name());
            if !follows_links && entry.file_type()?.is_symlink() {
                let path = entry.path();
                return Err(Stop::usage(anyhow!(
                    "{} is a symbolic link, which is followed only if you ask for it: `--templates {}`",
                    path.display(),
                    folder.display()
                )));
            }
            if entry.path().is_dir() {
                open.push(relative);
                continue;
            }
            let name = relative.to_string_lossy().replace('\\', "/");
            if !known.iter().any(|template| template.name == name) {
                return Err(Stop::usage(unknown(&name).context(format!("can't use the templates in {}", folder.display()))));
            }
            let text = files::read_named_text(&entry.path())
                .with_context(|| format!("can't read the template {}", entry.path().display()))
                .map_err(Stop::usage)?;
            found.push((name, text));
        }
    }
    found.sort();
    Ok(found)
}

/// The overrides for `generate`; says which templates of the folder are other commands'.
///
/// # Errors
/// As [`read`], or one does not parse.
pub(super) fn for_generate(folder: Option<&Templates>, io: &Io) -> Result<Vec<(String, String)>, Stop> {
    let Some(folder) = folder else { return Ok(Vec::new()) };
    let known = catalog();
    let command = |name: &str| known.iter().find(|template| template.name == name).map_or(COMMAND, |template| template.command);
    let (ours, others): (Vec<_>, Vec<_>) = read(folder)?.into_iter().partition(|(name, _)| command(name) == COMMAND);
    templates::check(COMMAND, &ours).map_err(Stop::usage)?;
    let others: BTreeSet<&str> = others.iter().map(|(name, _)| command(name)).collect();
    for other in others.into_iter().filter(|_| !io.quiet) {
        io.message(format_args!(
            "note: the templates in {} are `logmap {other}`'s, which uses the built-in ones; `logmap {COMMAND}` leaves them out",
            folder.path.join(other).display()
        ));
    }
    Ok(ours)
}
