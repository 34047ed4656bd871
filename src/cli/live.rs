//! Reading accounts in this program, for the commands that can: `snapshot`, `drift` and `import`.

use super::{Stop, args::ReadingArgs, io::Io};
use crate::scope::Scope;
use anyhow::anyhow;

/// What is wanted beside how it is read.
#[derive(Debug, Clone, Default)]
#[cfg_attr(not(feature = "live"), expect(dead_code, reason = "a build that can't read is asked all the same, and says so"))]
pub(super) struct Wanted<'a> {
    /// Only these accounts of the map, by key; all if it is empty.
    pub accounts: &'a [String],
    /// Only these Regions; all if it is empty.
    pub regions: &'a [String],
    /// Also the active accounts of the organization.
    pub organization: bool,
    /// Only buckets of the map are asked for their logging.
    pub mapped: bool,
    /// The days in which log objects are looked for.
    pub days: Option<u32>,
    /// Values of other people's tags are left out.
    pub redact_tags: bool,
}

/// A snapshot.
#[derive(Debug)]
pub(super) struct Taken {
    /// Its text.
    pub text: String,
    /// Is there an account of which nothing was read?
    pub failed: bool,
}

impl ReadingArgs {
    /// Does it say anything, so that it would be passed over where nothing is read?
    pub(super) fn is_set(&self) -> bool {
        self.role.is_some() || self.profile.is_some()
    }
}

/// Reads the accounts of a scope, and says what of them could not be read. Without an account in the scope it is that of the
/// credentials.
///
/// # Errors
/// There are no credentials, or this build can't.
#[cfg(feature = "live")]
pub(super) fn read(mut scope: Scope, wanted: &Wanted<'_>, how: &ReadingArgs, io: &Io) -> Result<Taken, Stop> {
    use std::{sync::Mutex, time::Duration};
    if !wanted.accounts.is_empty() {
        scope.accounts.retain(|account| wanted.accounts.contains(&account.key));
    }
    let options = crate::live::Options {
        regions: wanted.regions.to_vec(),
        organization: wanted.organization,
        role: how.role.clone(),
        external_id: how.external_id.clone(),
        profile: how.profile.clone(),
        mapped: wanted.mapped,
        days: wanted.days,
        redact_tags: wanted.redact_tags,
        jobs: usize::from(how.jobs),
        timeout: Duration::from_secs(u64::from(how.timeout)),
    };
    let (watched, drawn) = (io.is_watched(), Mutex::new(false));
    let progress = |done: usize, all: usize| {
        if watched && all > 1 {
            io.draw_stderr(&format!("\r\x1b[K{done} of {all} accounts read"));
            *drawn.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = true;
        }
    };
    let taken = crate::live::read(&scope, &options, &progress);
    if drawn.into_inner().unwrap_or_default() {
        io.draw_stderr("\r\x1b[K");
    }
    let taken = taken.map_err(|why| Stop::from(anyhow!("the accounts can't be read: {why}")))?;
    taken.failed.iter().for_each(|failed| io.message(failed));
    if !io.quiet {
        let unread = match taken.failures {
            0 => String::new(),
            failures => format!("; {failures} reading(s) failed"),
        };
        io.message(format_args!("{} account(s), {} bucket(s) read{unread}", taken.accounts, taken.buckets));
    }
    Ok(Taken { text: taken.text, failed: !taken.failed.is_empty() })
}

/// Says that this build asks AWS nothing.
///
/// # Errors
/// Always.
#[cfg(not(feature = "live"))]
pub(super) fn read(_: Scope, _: &Wanted<'_>, _: &ReadingArgs, _: &Io) -> Result<Taken, Stop> {
    Err(Stop::usage(anyhow!(
        "this logmap was built without the feature `live` and asks AWS nothing: `logmap snapshot --script python` prints a program that \
         does, whose file `--snapshot` and `import` take"
    )))
}
