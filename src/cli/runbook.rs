//! `logmap runbook`: the way from one map to another, written into a folder as a tree is: staged, atomic, with a lock.

use super::{
    Outcome, Stop,
    args::{ReportArgs, RunbookArgs},
    diff,
    exit::Exit,
    io::Io,
    revision,
    writing::{stands_in_the_way, start_writing},
};
use crate::{
    changes,
    digest::digest,
    disk::lock::{self, Lock, MapEntry},
    generate::taking_back,
    plan::prove::proven,
    render, runbook,
};
use anyhow::anyhow;
use std::path::Path;

pub(super) fn run(args: &RunbookArgs, io: &Io) -> Outcome {
    let asked = ReportArgs::text(&args.severity);
    let (mut old, mut new) = revision::read_pair(&args.maps, io)?;
    let Some((old_plan, new_plan)) = diff::plans(&mut old, &mut new, &asked, io)? else { return Ok(Exit::Findings) };
    let old_plan = &proven(old_plan).map_err(anyhow::Error::from)?;
    let mut new_plan = proven(new_plan).map_err(anyhow::Error::from)?;
    if let Some(plan) = taking_back(&new_plan, &generated(&new.file.name)?) {
        new_plan = plan;
    }
    let new_plan = &new_plan;
    let (old_name, new_name) = (name(&old.file.name), name(&new.file.name));
    let changes = changes::between(old_plan, new_plan);
    if changes.is_empty() {
        io.message(format_args!("{old_name} and {new_name} mean the same; there is nothing to do"));
        return Ok(Exit::Clean);
    }
    let book = match runbook::plan(old_plan, new_plan) {
        Ok(book) => book,
        Err(problems) => {
            for problem in problems {
                io.message(format_args!("error: {problem}"));
            }
            io.message("nothing was written");
            return Ok(Exit::Findings);
        }
    };
    let mut writer = start_writing(&args.out, args.force, io)?;
    let before = writer.old_lock();
    if !before.files.is_empty() && !before.lists("RUNBOOK.md") {
        return Err(Stop::usage(anyhow!("{} holds what `logmap generate` wrote; choose another `--out`", args.out.display())));
    }
    writer.add(&render::line_ends::render().into())?;
    render::runbook::render(&book, &old_name, &new_name, &mut |artifact| writer.add(&artifact.into()))?;
    writer.keep_edited(|_| true);
    if stands_in_the_way(writer.conflicts(), &args.out, io) {
        return Ok(Exit::Findings);
    }
    let lock = Lock {
        format_version: lock::FORMAT_VERSION.to_owned(),
        logmap_version: env!("CARGO_PKG_VERSION").to_owned(),
        map: MapEntry { file: format!("{old_name} → {new_name}"), digest: digest(&(old_plan, new_plan)) },
        apply_order: book.stages.last().apply_order.clone(),
        ..Lock::default()
    };
    let done = writer.finish(lock, |_| true)?;
    if !io.quiet {
        for danger in &book.dangers {
            io.message(format_args!("read first: {}", danger.title));
        }
        io.message(format_args!(
            "{}: {} steps; {} files written, {} unchanged, {} removed; start with {}",
            args.out.display(),
            book.steps.len(),
            done.written,
            done.unchanged,
            done.removed,
            args.out.join("RUNBOOK.md").display()
        ));
    }
    Ok(Exit::Clean)
}

/// The lock of the folder beside a map into which `logmap generate` writes; an empty one where there is none, or a link in its place.
fn generated(map: &str) -> anyhow::Result<Lock> {
    let out = Path::new(map).with_file_name("out");
    if out.is_symlink() || !Path::new(map).is_file() { Ok(Lock::default()) } else { Lock::read(&out) }
}

/// A map's name without folders; a revision keeps its revision.
fn name(given: &str) -> String {
    match given.split_once(':') {
        Some((rev, path)) if !Path::new(given).exists() => format!("{rev}:{}", name(path)),
        _ => Path::new(given).file_name().map_or_else(|| given.to_owned(), |name| name.to_string_lossy().into_owned()),
    }
}
