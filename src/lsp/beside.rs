//! The newest snapshot beside the map, and what it says of a source: `logmap snapshot` writes one, and hovering shows it with its age.

use super::family::path;
use crate::{
    analysis::Analysis,
    document::Document,
    drift::{self, Asked, Drift},
    escape::{markdown_code as code, markdown_prose as prose},
    observed::json as reader,
    plan::{Account, Placement, Plan},
    snapshot::{Reading, Snapshot, begins, is_one},
    source::{FileId, Span},
};
use lsp_types::Uri;
use std::{
    cell::RefCell,
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
    time::SystemTime,
};

/// A larger file is left alone: reading it would take longer than anybody hovers.
const LARGEST: u64 = 64 << 20;
/// More files than this in a folder are nobody's map.
const MOST_FILES: usize = 1_000;
/// So much of a file says whether it is a snapshot, and when it was taken.
const HEAD: u64 = 256;

/// The snapshot that was read last, with what told it from others.
#[derive(Debug, Default)]
pub(super) struct Beside {
    held: RefCell<Option<Held>>,
}

#[derive(Debug)]
struct Held {
    path: PathBuf,
    seen: (Option<SystemTime>, u64),
    document: Document,
}

/// A source of the map, and where the map names it.
pub(super) struct Asker<'a> {
    /// The map.
    pub analysis: &'a Analysis,
    /// Its plan.
    pub plan: &'a Plan,
    /// The account.
    pub account: &'a Account,
    /// The Region.
    pub placement: &'a Placement,
    /// Its name.
    pub source: &'a str,
    /// Where it stands.
    pub span: Span,
}

impl Beside {
    /// What the newest snapshot beside a document says of a source; nothing if there is none, or none that can be read.
    pub(super) fn of_source(&self, map: &Uri, asker: &Asker<'_>) -> Option<String> {
        let mut held = self.held.borrow_mut();
        let (path, seen) = newest(map)?;
        if held.as_ref().is_none_or(|held| held.path != path || held.seen != seen) {
            let text = fs::read_to_string(&path).ok()?;
            let (root, faults) = reader::read(&text);
            let root = root.filter(|root| faults.is_empty() && is_one(root))?;
            let document = Document { root: Some(root), ..Document::default() };
            *held = Some(Held { path, seen, document });
        }
        let held = held.as_ref()?;
        let file = FileId(u32::try_from(asker.analysis.file.files().len()).ok()?);
        let snapshot = Snapshot::read(held.document.root.as_ref()?, file).ok()?;
        Some(said(&held.path, snapshot, asker))
    }
}

fn said(path: &Path, snapshot: Snapshot<'_>, asker: &Asker<'_>) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let Some(account) = snapshot.accounts.iter().find(|account| account.id == asker.account.id) else {
        return format!("Snapshot {}: it does not have account {}", code(&name), code(&asker.account.id));
    };
    let lead = format!("Snapshot {} of {}{}", code(&name), account.taken_at, age(account.taken_at, SystemTime::now()));
    let reading = account.buckets.get(asker.source).map(|bucket| bucket.reading("logging"));
    let was = match reading {
        Some(Reading::Is(_)) => {
            let target = |key| reading.and_then(|reading| reading.text(&["LoggingEnabled", key])).unwrap_or_default();
            format!("it logs to {} under {}", code(target("TargetBucket")), code(target("TargetPrefix")))
        }
        Some(Reading::Nothing) => "it logs nowhere".to_owned(),
        Some(Reading::Failed(failure)) => format!("its logging could not be read: {}", code(failure.code)),
        Some(Reading::Missing) => "its logging was not asked for".to_owned(),
        None => "it is not among the buckets that were read".to_owned(),
    };
    let asked = Asked {
        account: &|account| account.key == asker.account.key,
        region: &|placement| placement.region == asker.placement.region,
        coverage: false,
        delivery: None,
        things: false,
        mend: &|_, _| String::new(),
    };
    let Drift { findings, .. } = drift::drift(asker.analysis, asker.plan, &[snapshot], &asked);
    let (file, local) = asker.analysis.file.locate(asker.span);
    let here = findings.iter().filter(|finding| finding.file == file && finding.span == local);
    let mut text = format!("{lead}: {was}");
    for finding in here {
        text += &format!("\n- {}: {}", finding.rule.id, prose(&finding.message));
    }
    text
}

/// The newest snapshot in the document's folder, and what tells whether it has changed since.
fn newest(map: &Uri) -> Option<(PathBuf, (Option<SystemTime>, u64))> {
    let folder = path(map)?;
    let entries = fs::read_dir(folder.parent()?).ok()?;
    let mut found: Option<(String, PathBuf, (Option<SystemTime>, u64))> = None;
    for entry in entries.take(MOST_FILES).flatten() {
        let path = entry.path();
        if path.extension().is_none_or(|ending| ending != "json") {
            continue;
        }
        // a link is followed by nobody, and what is no file is not opened: a pipe would wait for ever
        let Ok(meta) = entry.metadata() else { continue };
        if !meta.is_file() || meta.len() > LARGEST {
            continue;
        }
        let Some(taken_at) = taken_at(&path) else { continue };
        if found.as_ref().is_none_or(|(newest, ..)| *newest < taken_at) {
            found = Some((taken_at, path, (meta.modified().ok(), meta.len())));
        }
    }
    found.map(|(_, path, seen)| (path, seen))
}

/// When the snapshot in a file was taken; nothing of what is none.
fn taken_at(path: &Path) -> Option<String> {
    let mut head = Vec::new();
    File::open(path).ok()?.take(HEAD).read_to_end(&mut head).ok()?;
    let head = String::from_utf8_lossy(&head);
    let rest = head.split_once("\"taken_at\":\"").filter(|_| begins(&head))?.1;
    Some(rest.split_once('"')?.0.to_owned())
}

/// `, 3 hours ago`.
fn age(taken_at: &str, now: SystemTime) -> String {
    let now = now.duration_since(SystemTime::UNIX_EPOCH).ok().and_then(|since| i64::try_from(since.as_secs()).ok());
    let Some(seconds) = drift::seconds(taken_at).zip(now).map(|(then, now)| now - then).filter(|seconds| *seconds >= 0) else {
        return String::new();
    };
    let (count, unit) = match seconds {
        0..120 => return ", just now".to_owned(),
        120..7_200 => (seconds / 60, "minutes"),
        7_200..172_800 => (seconds / 3_600, "hours"),
        _ => (seconds / 86_400, "days"),
    };
    format!(", {count} {unit} ago")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn ages_are_told_in_the_largest_unit_that_is_still_exact_enough() {
        let at = |seconds: u64| SystemTime::UNIX_EPOCH + Duration::from_secs(1_764_468_000 + seconds);
        for (seconds, words) in
            [(5, ", just now"), (600, ", 10 minutes ago"), (10_800, ", 3 hours ago"), (950_400, ", 11 days ago")]
        {
            assert_eq!(age("2025-11-30T02:00:00Z", at(seconds)), words);
        }
        // a clock that is behind
        assert_eq!(age("2025-11-30T03:00:00Z", at(0)), "");
    }
}
