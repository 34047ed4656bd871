//! `logmap init`: a commented map that validates, its schema with the association for editors, and a CI snippet. Never overwrites.

use super::{
    Outcome, Stop,
    args::{Ci, InitArgs},
    exit::Exit,
    io::Io,
    overrides::INIT,
};
use crate::{
    aws::{limits, region},
    escape,
    included::MAP_NAMES,
    map::{effective, schema::schema_text},
    render::line_ends,
};
use anyhow::{Context, anyhow};
use std::{
    fs::{self, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
};

const DRIFT_JOB: &str = INIT[0].1;
const WORKFLOW: &str = INIT[1].1;
const JETBRAINS: &str = INIT[2].1;
const MAP: &str = INIT[3].1;
const VSCODE: &str = INIT[4].1;
const DRIFT_JOB_PATH: &str = ".github/workflows/logmap-drift.yml";
const GIT_ATTRIBUTES: &str = "out/.gitattributes";
const SCHEMA_PATH: &str = ".logmap/region-map.schema.json";

pub(super) fn run(args: &InitArgs, io: &Io) -> Outcome {
    let maps = MAP_NAMES.iter().map(|name| args.dir.join(name));
    let drift_job = || {
        let region = args.region.first().map_or("us-east-1", String::as_str);
        DRIFT_JOB.replace("@VERSION@", env!("CARGO_PKG_VERSION")).replace("@REGION@", region)
    };
    if args.drift_job && args.ci == Ci::None {
        return Err(Stop::usage(anyhow!("`--drift-job` is a workflow of GitHub Actions, and `--ci none` wants none")));
    }
    refuse_misspelt(&args.region)?;
    if let Some(map) = maps.into_iter().find(|map| fs::symlink_metadata(map).is_ok()) {
        if args.drift_job {
            return write_all(args, vec![(DRIFT_JOB_PATH, drift_job())], io);
        }
        return Err(Stop::usage(anyhow!("{} exists already and is left as it is", map.display())));
    }
    let files = [
        (MAP_NAMES[0], Some(map_text(args, io)?)),
        (SCHEMA_PATH, Some(schema_text())),
        (".vscode/settings.json", Some(VSCODE.to_owned())),
        (".idea/jsonSchemas.xml", Some(JETBRAINS.to_owned())),
        // where `generate` writes it, too
        (GIT_ATTRIBUTES, Some(line_ends::TEXT.to_owned())),
        (
            ".github/workflows/logmap.yml",
            (args.ci == Ci::Github).then(|| WORKFLOW.replace("@VERSION@", env!("CARGO_PKG_VERSION"))),
        ),
        (DRIFT_JOB_PATH, args.drift_job.then(drift_job)),
    ];
    let exit = write_all(args, files.into_iter().filter_map(|(path, text)| Some((path, text?))).collect(), io)?;
    if !io.quiet {
        io.message("next: list your buckets in logmap.yaml (`logmap import --into logmap.yaml` can), then run `logmap validate` and `logmap generate`");
    }
    Ok(exit)
}

/// Writes files below the folder; those that are there are left as they are.
fn write_all(args: &InitArgs, files: Vec<(&str, String)>, io: &Io) -> Outcome {
    for (path, _) in &files {
        refuse_links(&args.dir, path)?;
    }
    for (path, text) in files {
        let target = args.dir.join(path);
        let made = create(&target, &text).with_context(|| format!("can't write {}", target.display()))?;
        if !io.quiet {
            io.message(format_args!("{} {}", if made { "wrote" } else { "left as it is:" }, target.display()));
        }
    }
    if !io.quiet
        && args.ci == Ci::Github
        && let Some((root, below)) = repository_above(&args.dir)
    {
        io.message(format_args!(
            "GitHub reads workflows at the root of a repository only: move `.github` to {}, and give the job `defaults: {{ run: {{ working-directory: {} }} }}`",
            root.display(),
            below.display()
        ));
    }
    Ok(Exit::Clean)
}

/// The root of the repository that holds a folder as a part of it, and the folder's path from there; `None` where it is the root, or where
/// there is no repository.
fn repository_above(dir: &Path) -> Option<(PathBuf, PathBuf)> {
    let dir = fs::canonicalize(dir).ok()?;
    let root = dir.ancestors().find(|folder| folder.join(".git").exists())?;
    let below = dir.strip_prefix(root).ok().filter(|below| !below.as_os_str().is_empty())?;
    Some((root.to_owned(), below.to_owned()))
}

/// A link on the way to a file below the folder, which may be of a repository of somebody else's, leads who knows where.
///
/// # Errors
/// There is one: exit code 2.
fn refuse_links(dir: &Path, path: &str) -> Result<(), Stop> {
    let mut folder = dir.to_owned();
    for part in Path::new(path).parent().into_iter().flat_map(Path::components) {
        folder.push(part);
        if folder.is_symlink() {
            return Err(Stop::usage(anyhow!(
                "{} is a symbolic link; nothing was written, as logmap does not write through links",
                folder.display()
            )));
        }
    }
    Ok(())
}

/// Writes a file that does not exist; gives false if it does.
pub(super) fn create(path: &Path, text: &str) -> std::io::Result<bool> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    match OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(mut file) => file.write_all(text.as_bytes()).map(|()| true),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

/// A Region that can be none is a mistake of the caller's.
///
/// # Errors
/// There is one: exit code 2.
fn refuse_misspelt(regions: &[String]) -> Result<(), Stop> {
    match regions.iter().find(|name| !region::is_well_formed(name)) {
        Some(bad) => Err(Stop::usage(anyhow!("`{bad}` is not a Region"))),
        None => Ok(()),
    }
}

/// The starter map with what the flags (or the answers on a terminal) say.
fn map_text(args: &InitArgs, io: &Io) -> Result<String, Stop> {
    let org = args.org.clone().or_else(|| io.ask("short name of the organisation [acme]:")).unwrap_or_else(|| "acme".to_owned());
    if !effective::is_org_name(&org) {
        return Err(Stop::usage(anyhow!("`{org}` can't be a part of bucket names: use lower-case letters, digits and hyphens")));
    }
    let mut accounts = args.account.clone();
    if accounts.is_empty() {
        accounts.push(io.ask("first account as KEY=ID [prod=111122223333]:").unwrap_or_else(|| "prod=111122223333".to_owned()));
    }
    let mut regions = args.region.clone();
    if regions.is_empty() {
        regions.push(io.ask("its first Region [us-east-1]:").unwrap_or_else(|| "us-east-1".to_owned()));
    }
    refuse_misspelt(&regions)?;
    let mut text = String::new();
    let mut seen: Vec<(&str, &str)> = Vec::new();
    for account in &accounts {
        let (key, id) = account
            .split_once('=')
            .filter(|(key, id)| effective::is_account_key(key) && limits::is_account_id(id))
            .ok_or_else(|| {
            Stop::usage(anyhow!("`{account}` is not KEY=ID: a short lower-case key and twelve digits, such as prod=111122223333"))
        })?;
        if seen.iter().any(|(other_key, other_id)| *other_key == key || *other_id == id) {
            return Err(Stop::usage(anyhow!("`{account}` has a key or an id that another account has")));
        }
        seen.push((key, id));
        text += &format!("  {key}:\n    id: {}\n    regions:\n", escape::yaml_string(id));
        for region in &regions {
            text += &format!("      {region}:\n        buckets: [] # names of the source buckets in this account and Region\n");
        }
    }
    Ok(MAP.replace("@SCHEMA@", SCHEMA_PATH).replace("@ORG@", &org).replace("@ACCOUNTS@", text.trim_end()))
}
