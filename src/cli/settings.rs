//! What `generate` does by its flags and, where they say nothing, by the map's settings.

use super::{args::GenerateArgs, overrides::Templates};
use crate::{
    analysis::Analysis,
    map::effective::DEFAULT_OUT,
    render::targets::{TARGETS, Target},
};
use anyhow::bail;
use std::path::{Path, PathBuf};

/// What holds for one run.
#[derive(Debug)]
pub(super) struct Settings {
    /// The output folder.
    pub out: PathBuf,
    /// The targets, in the order of their table.
    pub targets: Vec<&'static Target>,
    /// The targets that the map leaves out, unless a flag chooses.
    pub dropped: Vec<&'static Target>,
    /// The folder with templates.
    pub templates: Option<Templates>,
}

impl Settings {
    /// Those of a run.
    ///
    /// # Errors
    /// A path of the map leads over a symbolic link.
    pub(super) fn of(args: &GenerateArgs, analysis: &Analysis) -> anyhow::Result<Self> {
        let (map, set) = (Path::new(&analysis.file.name), analysis.settings.as_ref());
        let out = match &args.out {
            Some(out) => out.clone(),
            None => below(map, set.map_or(DEFAULT_OUT, |set| &set.out), "--out")?,
        };
        let templates = match (&args.templates, set.and_then(|set| set.templates.as_ref())) {
            (Some(path), _) => Some(Templates::named(path)),
            (None, Some(path)) => Some(Templates { path: below(map, path, "--templates")?, follows_links: false }),
            (None, None) => None,
        };
        let by_map = set.and_then(|set| set.targets.as_ref());
        let is_wanted = |target: &&'static Target| match by_map {
            _ if !args.target.is_empty() => args.target.iter().any(|name| name.name == target.name),
            Some(words) => words.iter().any(|word| word.word() == target.name),
            None => true,
        };
        let (targets, mut dropped): (Vec<_>, Vec<_>) = TARGETS.iter().partition(is_wanted);
        if !args.target.is_empty() {
            dropped.clear();
        }
        Ok(Settings { out, targets, dropped, templates })
    }
}

/// A path that the map names, which the rules have found to be below its folder. A link on the way came with the map and could lead
/// anywhere, so it is not followed.
fn below(map: &Path, path: &str, flag: &str) -> anyhow::Result<PathBuf> {
    let mut whole = map.parent().unwrap_or(Path::new("")).to_owned();
    let parts: Vec<&str> = path.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    for part in &parts {
        whole.push(part);
        if whole.is_symlink() {
            let named = map.with_file_name(parts.join("/"));
            bail!(
                "{} is a symbolic link, which is followed only if you ask for it: `{flag} {}`",
                whole.display(),
                named.display()
            );
        }
    }
    Ok(whole)
}

#[cfg(test)]
mod tests {
    use super::TARGETS;
    use crate::map::TargetName;

    #[test]
    fn the_map_can_name_every_target() {
        let words = [
            TargetName::Policies,
            TargetName::Terraform,
            TargetName::CloudFormation,
            TargetName::AwsCli,
            TargetName::Athena,
            TargetName::Guardrails,
        ];
        assert_eq!(words.map(TargetName::word), TARGETS.each_ref().map(|target| target.name));
    }
}
