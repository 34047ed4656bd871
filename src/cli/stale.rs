//! What `generate --check` says of a folder that is not up to date: a diff and some sentences for people, findings for machines.

use super::{Stop, args::ReportArgs, findings, io::Io};
use crate::{
    analysis::Analysis,
    catalog::generated::{EDITED, FOREIGN, LINE_ENDS, MISSING, STALE, UNWANTED},
    diagnostics::{Finding, Report, Rule},
    disk::check::{Checker, Difference, Fault},
    places::Places,
    source::{FileId, Span},
};
use std::path::Path;

/// A folder that was compared with what the map gives.
pub(super) struct Stale<'a> {
    /// The folder.
    pub out: &'a Path,
    /// What differs.
    pub checker: &'a Checker<'a>,
    /// The command that brings the folder up to date.
    pub command: &'a str,
    /// How files are called.
    pub places: Places,
}

impl Stale<'_> {
    /// How the files differ.
    pub(super) fn diff(&self) -> String {
        self.checker.differences.iter().map(|difference| difference.diff.as_str()).collect()
    }

    /// Sentences on what is unusual, and what to do.
    pub(super) fn say(&self, io: &Io) {
        let (out, checker) = (self.out.display(), self.checker);
        if checker.interrupted() {
            io.message(format_args!(
                "a run that wrote to {out} was interrupted, or is not done yet: some files are of before, some are new"
            ));
        }
        let count = checker.differences.len();
        let line_ends = checker.differences.iter().filter(|difference| difference.fault == Fault::LineEnds).count();
        let how = match line_ends {
            0 => String::new(),
            _ if line_ends == count => ", in their line ends only".to_owned(),
            _ => format!(", {line_ends} of them in their line ends only"),
        };
        io.message(format_args!("{out} is stale: {count} files differ{how}; `{}` brings it up to date", self.command));
        if line_ends > 0 {
            io.message("Git or an editor has put carriage returns before line feeds; the folder's .gitattributes, once it is committed, keeps Git from that");
        }
        let writer = &checker.old_lock().logmap_version;
        if !writer.is_empty() && writer != env!("CARGO_PKG_VERSION") {
            io.message(format_args!(
                "logmap `{writer}` wrote it and this is logmap `{}`: files may differ for that alone",
                env!("CARGO_PKG_VERSION")
            ));
        }
        if checker.edited() {
            io.message("a file was edited since logmap wrote it: make the change in the map, or discard it with `--force`");
        }
        for path in &checker.foreign {
            io.message(format_args!("{} was not written by logmap: move it away first", self.out.join(path).display()));
        }
    }

    /// Writes one report to standard output: the map's findings, then one for each file that differs or is in the way.
    ///
    /// # Errors
    /// Standard output fails.
    pub(super) fn report(&self, analysis: &Analysis, asked: &ReportArgs, io: &Io) -> Result<(), Stop> {
        let differences = &self.checker.differences;
        let mut rows: Vec<(&str, &str, Finding)> = differences
            .iter()
            .map(|difference| (difference.path.as_str(), difference.on_disk.as_str(), self.finding(difference)))
            .collect();
        // what stands where a folder has to be has no difference of its own
        let is_above = |path: &&String| !differences.iter().any(|difference| difference.path == **path);
        let above = self.checker.foreign.iter().filter(is_above);
        rows.extend(above.map(|path| (path.as_str(), "", self.foreign(path, Span::default()))));
        rows.sort_by_key(|(path, _, _)| *path);
        let shown = analysis.shown();
        let of_map = shown.files.len();
        let mut files = shown.files.to_vec();
        let mut found = shown.findings.into_owned();
        for (path, text, finding) in &rows {
            found.push(finding.clone().in_file(FileId(u32::try_from(files.len()).unwrap_or(u32::MAX))));
            files.push(self.places.file(&self.out.join(path), text.as_bytes().to_vec()));
        }
        let route = |finding: &Finding| match (finding.file.0 as usize).checked_sub(of_map) {
            None => analysis.route(finding),
            Some(row) => rows.get(row).map_or_else(String::new, |(path, _, _)| (*path).to_owned()),
        };
        let report = Report { files: &files, findings: &found, suppressed: &shown.suppressed, route: &route };
        findings::print(&report, &self.out.display().to_string(), asked, io, true, true)
    }

    /// At the first line that differs.
    fn finding(&self, difference: &Difference) -> Finding {
        let span = first_change(difference);
        let (rule, is): (&'static Rule, &str) = match difference.fault {
            Fault::Foreign => return self.foreign(&difference.path, span),
            Fault::Missing => (&MISSING, "is missing"),
            Fault::Stale => (&STALE, "is not what the map gives"),
            Fault::Edited => (&EDITED, "was edited since logmap wrote it"),
            Fault::Unwanted => (&UNWANTED, "is no longer wanted"),
            Fault::LineEnds => (&LINE_ENDS, "differs in its line ends only"),
        };
        let message = format!("`{}` {is}", self.places.name(&self.out.join(&difference.path)));
        Finding::new(rule, span, message).help(format!("`{}` brings it up to date", self.command))
    }

    fn foreign(&self, path: &str, span: Span) -> Finding {
        Finding::new(&FOREIGN, span, format!("`{}` was not written by logmap", self.places.name(&self.out.join(path))))
            .help(format!("move it away, or choose another `--out`; then run `{}`", self.command))
    }
}

/// The first line on disk that the diff takes away or puts something before; the beginning if there is no diff.
fn first_change(difference: &Difference) -> Span {
    // `@@ -LINE,COUNT +…`, with lines of context up to the first one that is marked
    let mut lines = difference.diff.lines().skip_while(|line| !line.starts_with("@@ -"));
    let first = lines.next().and_then(|head| head.strip_prefix("@@ -")?.split([',', ' ']).next()?.parse::<usize>().ok());
    let context = lines.take_while(|line| line.starts_with(' ')).count();
    let start_of = |line: usize| difference.on_disk.split_inclusive('\n').take(line).map(str::len).sum::<usize>();
    let start = start_of(first.unwrap_or(1).saturating_sub(1) + context);
    Span::new(start, start)
}
