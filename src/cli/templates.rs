//! `logmap templates`: lists the built-in templates, or writes them out as they are. Never overwrites.

use super::{
    Outcome, Stop,
    args::{ListFormat, TemplatesArgs},
    exit::Exit,
    findings,
    init::create,
    io::Io,
    overrides::{self, Templates},
};
use crate::render::templates::{CONTEXT_VERSION, Template};
use anyhow::{Context as _, anyhow};
use serde_json::json;
use std::{fs, path::Path};

pub(super) fn run(args: &TemplatesArgs, io: &Io) -> Outcome {
    let chosen = chosen(&args.names)?;
    if let Some(folder) = &args.out {
        return write(&chosen, folder, io);
    }
    let replaced =
        args.templates.as_deref().map(|path| overrides::read(&Templates::named(path))).transpose()?.unwrap_or_default();
    // one that stands there unchanged replaces nothing
    let is_replaced = |template: &Template| {
        replaceable(template) && replaced.iter().any(|(name, text)| name == template.name && text != template.text)
    };
    match args.format {
        ListFormat::Json => {
            let rows = chosen.iter().map(|template| {
                json!({
                    "name": template.name,
                    "command": template.command,
                    "targets": template.targets,
                    "replaceable": replaceable(template),
                    "replaced": is_replaced(template),
                })
            });
            let list = json!({
                "format_version": "1.0",
                "context_version": CONTEXT_VERSION,
                "templates": rows.collect::<Vec<_>>(),
            });
            io.write_stdout(&findings::pretty(&list))?;
        }
        ListFormat::Text => {
            let rows = chosen.iter().map(|template| {
                let mark = if is_replaced(template) { "  replaced" } else { "" };
                format!("{:<32} {}{mark}\n", template.name, used_by(template))
            });
            io.write_stdout(&rows.collect::<String>())?;
            if !io.quiet {
                io.message(format_args!("{} templates; the version of their contexts is {CONTEXT_VERSION}", chosen.len()));
            }
        }
    }
    Ok(Exit::Clean)
}

/// Does `--templates` replace it?
fn replaceable(template: &Template) -> bool {
    template.command == overrides::COMMAND
}

/// The command that renders it.
fn used_by(template: &Template) -> String {
    let target = if template.targets.is_empty() { String::new() } else { format!(" --target {}", template.targets.join(",")) };
    format!("logmap {}{target}", template.command)
}

/// The templates of these names or below folders of these names; all, if there are no names.
fn chosen(names: &[String]) -> Result<Vec<Template>, Stop> {
    let all = overrides::catalog();
    let is = |template: &Template, name: &str| {
        let rest = template.name.strip_prefix(name.trim_end_matches('/'));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    if let Some(name) = names.iter().find(|name| !all.iter().any(|template| is(template, name))) {
        return Err(Stop::usage(overrides::unknown(name)));
    }
    Ok(all.into_iter().filter(|template| names.is_empty() || names.iter().any(|name| is(template, name))).collect())
}

/// Writes templates; all, or none if a file in the way differs.
fn write(chosen: &[Template], folder: &Path, io: &Io) -> Outcome {
    let mut there = Vec::new();
    for template in chosen {
        let path = folder.join(template.name);
        if fs::symlink_metadata(&path).is_err() {
            continue;
        }
        if fs::read(&path).ok().as_deref() != Some(template.text.as_bytes()) {
            return Err(Stop::usage(anyhow!(
                "{} is there and differs from the built-in template: nothing was written",
                path.display()
            )));
        }
        there.push(template.name);
    }
    for template in chosen.iter().filter(|template| !there.contains(&template.name)) {
        let path = folder.join(template.name);
        let made = create(&path, template.text).with_context(|| format!("can't write {}", path.display()))?;
        if !made {
            return Err(Stop::usage(anyhow!(
                "{} appeared while the templates were written, and is left as it is",
                path.display()
            )));
        }
    }
    if !io.quiet {
        io.message(format_args!(
            "{}: {} templates written, {} unchanged; the version of their contexts is {CONTEXT_VERSION}",
            folder.display(),
            chosen.len() - there.len(),
            there.len()
        ));
    }
    Ok(Exit::Clean)
}
