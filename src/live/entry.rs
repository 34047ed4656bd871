//! What was read of an account, as a snapshot has it.

use super::account::Failure;
use crate::policy::evaluate::instant;
use serde_json::{Map, Value};
use std::time::SystemTime;

/// A record of a snapshot.
pub(super) type Record = Map<String, Value>;

/// What was read of an account.
#[derive(Debug)]
pub(super) struct Entry {
    /// Id, partition, caller, and what went wrong.
    pub head: Record,
    /// Its Regions, sorted.
    pub regions: Vec<Record>,
    /// Its buckets, sorted.
    pub buckets: Vec<Record>,
    /// Why nothing was read of it.
    pub failure: Option<Failure>,
}

impl Entry {
    /// Readings that failed.
    pub(super) fn failures(&self) -> usize {
        [&self.head].into_iter().chain(&self.regions).chain(&self.buckets).map(failures_of).sum()
    }
}

/// How many readings in it failed.
pub(super) fn failures(value: &Value) -> usize {
    match value {
        Value::Object(record) => failures_of(record),
        Value::Array(items) => items.iter().map(failures).sum(),
        _ => 0,
    }
}

fn failures_of(record: &Record) -> usize {
    let one = usize::from(record.contains_key("error") && record.contains_key("call"));
    one + record.values().map(failures).sum::<usize>()
}

/// Now, as snapshots have it.
pub(super) fn now() -> String {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    instant::show(i64::try_from(since.as_secs()).unwrap_or_default())
}

pub(super) fn record<const N: usize>(pairs: [(&str, Value); N]) -> Record {
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}
