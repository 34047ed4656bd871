//! Reading live accounts: a snapshot, made in this program.
//!
//! Takes a scope and options; gives the text of a snapshot, which whoever wants to know what is in it reads as any other one. Only the
//! calls in [`operation`] can be sent, and each of them only reads. This is the only module that names AWS's crates, and HTTP's.
//!
//! AWS's chains find the credentials and its signer signs; the calls are ours, because the SDK's types can't be written back: a field
//! newer than they are would be lost (docs/architecture.md has what each way costs).

mod account;
mod credentials;
mod delivered;
mod entry;
mod file;
mod http;
mod operation;
mod reader;
mod shape;

use crate::{
    aws::Partition,
    scope::{AccountScope, Scope},
    threads,
};
use account::{Answer, Caller};
use serde_json::{Value, json};
use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

/// How many accounts are read at once.
const ACCOUNTS_AT_ONCE: usize = 4;

/// What is read, and how.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// Only these Regions; all if it is empty.
    pub regions: Vec<String>,
    /// Also the active accounts of the organization.
    pub organization: bool,
    /// Name of the role to assume in each account, instead of the map's.
    pub role: Option<String>,
    /// Its external id.
    pub external_id: Option<String>,
    /// Profile of the caller, instead of the map's.
    pub profile: Option<String>,
    /// Only buckets of the map are asked for their logging.
    pub mapped: bool,
    /// The days in which log objects are looked for; nothing for no look.
    pub days: Option<u32>,
    /// Values of tags that are not the map's are left out.
    pub redact_tags: bool,
    /// Calls under way at once.
    pub jobs: usize,
    /// How long an answer may take.
    pub timeout: Duration,
}

/// A snapshot, and what people are told of it.
#[derive(Debug)]
pub(crate) struct Taken {
    /// The file.
    pub text: String,
    /// Accounts of which nothing was read, and why.
    pub failed: Vec<String>,
    /// Number of accounts.
    pub accounts: usize,
    /// Number of buckets.
    pub buckets: usize,
    /// Number of readings that failed.
    pub failures: usize,
}

/// Reads the accounts of a scope; with none in it, and no organization, that of the credentials. `progress` is told how many accounts are
/// read, of how many.
///
/// # Errors
/// There is no account to read, `AWS_CA_BUNDLE` is wrong, or the account of the credentials can't be told. What an account does not
/// answer is no error: it is in the snapshot.
pub(crate) fn read(scope: &Scope, options: &Options, progress: &(dyn Fn(usize, usize) + Sync)) -> Result<Taken, String> {
    let trust = http::trust()?;
    let caller = Caller { agent: http::calling(&trust, options.timeout), chains: credentials::Chains::new(trust)? };
    let mut scopes = scope.accounts.clone();
    let organization = options.organization.then(|| reader::organization(&caller, options));
    if let Some(Answer::Is(found)) = &organization {
        for account in found["Accounts"].as_array().into_iter().flatten() {
            let text = |key: &str| account[key].as_str();
            let active = text("State").or(text("Status")).unwrap_or("ACTIVE") == "ACTIVE";
            let Some(id) = text("Id").filter(|id| active && crate::aws::limits::is_account_id(id)) else { continue };
            if !scopes.iter().any(|scope| scope.id == id) && !scope.closed.iter().any(|closed| closed == id) {
                let partition = text("Arn").and_then(|arn| Partition::from_id(arn.split(':').nth(1)?)).unwrap_or(Partition::Aws);
                scopes.push(alone(id, partition));
            }
        }
    } else if scopes.is_empty() {
        let (id, partition) =
            reader::own_account(&caller, options).map_err(|failure| format!("{}: {}", failure.code, failure.message))?;
        scopes.push(alone(&id, partition));
    }
    scopes.sort_by(|a, b| a.id.cmp(&b.id));
    let taken_at = entry::now();
    let at_once = ACCOUNTS_AT_ONCE.min(scopes.len()).max(1);
    let (jobs, done) = ((options.jobs / at_once).max(1), AtomicUsize::new(0));
    let accounts = threads::pool(&scopes, at_once, |scope| {
        let entry = reader::read_account(&caller, scope, options, jobs);
        progress(done.fetch_add(1, Ordering::Relaxed) + 1, scopes.len());
        entry
    });
    let mut regions = options.regions.clone();
    regions.sort_unstable();
    let asked = json!({
        "accounts": scopes.iter().map(|scope| &scope.id).collect::<Vec<_>>(),
        "buckets": if options.mapped { "mapped" } else { "all" },
        "regions": regions,
        "delivery_days": options.days.unwrap_or_default(),
    });
    let organization = organization.map_or(Value::Null, Answer::value);
    let failed = accounts.iter().zip(&scopes).filter_map(|(entry, scope)| {
        let failure = entry.failure.as_ref()?;
        Some(format!("account {}: {}: {}", scope.id, failure.code, failure.message))
    });
    Ok(Taken {
        failed: failed.collect(),
        accounts: accounts.len(),
        buckets: accounts.iter().map(|entry| entry.buckets.len()).sum(),
        failures: accounts.iter().map(entry::Entry::failures).sum::<usize>() + entry::failures(&organization),
        text: file::text(&taken_at, &asked, &organization, &accounts),
    })
}

/// An account that the map does not have.
fn alone(id: &str, partition: Partition) -> AccountScope {
    AccountScope {
        id: id.to_owned(),
        key: id.to_owned(),
        partition,
        profile: None,
        role: None,
        regions: indexmap::IndexMap::new(),
    }
}
