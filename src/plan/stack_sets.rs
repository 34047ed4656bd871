//! The record of a StackSet template: which accounts are in it, from run to run.
//!
//! The lock keeps it, so that an account stays in the StackSet that has its instance when others come or go.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// More templates than that a Region never has.
const MOST: usize = 100_000;

/// A StackSet template as the lock lists it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StackSetRecord {
    /// Region name.
    pub region: String,
    /// Its place among the Region's templates, from 1.
    pub number: usize,
    /// Ids of the accounts that are in it, sorted: an account keeps its id when its key changes.
    pub accounts: Vec<String>,
    /// Ids of accounts that were in it and are not any more, sorted. Their instances stay in the StackSet until somebody takes them out,
    /// which nobody tells.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<String>,
}

impl StackSetRecord {
    /// Could logmap have written it? A lock is a file that others can change.
    pub fn is_plausible(&self) -> bool {
        use crate::aws::{limits, region};
        let ids = |ids: &[String]| ids.iter().all(|id| limits::is_account_id(id));
        region::is_well_formed(&self.region) && (1..=MOST).contains(&self.number) && ids(&self.accounts) && ids(&self.left)
    }

    /// File name of a template, without its ending. The first one's stays when there are more.
    pub(crate) fn file_stem(region: &str, number: usize) -> String {
        if number == 1 { region.to_owned() } else { format!("{region}-{number}") }
    }

    /// Name of its StackSet.
    pub(crate) fn stack_set(region: &str, number: usize) -> String {
        format!("logmap-{}", StackSetRecord::file_stem(region, number))
    }

    /// `after`, which says who is in which template now, with who was in it `before` and has left. Sorted.
    pub(crate) fn succeed(before: &[Self], after: Vec<Self>) -> Vec<Self> {
        let mut found: BTreeMap<(String, usize), (BTreeSet<String>, BTreeSet<String>)> = BTreeMap::new();
        for record in before {
            let (_, left) = found.entry((record.region.clone(), record.number)).or_default();
            left.extend(record.accounts.iter().chain(&record.left).cloned());
        }
        for record in after {
            let (accounts, left) = found.entry((record.region, record.number)).or_default();
            record.accounts.iter().for_each(|id| {
                left.remove(id);
            });
            accounts.extend(record.accounts);
        }
        found
            .into_iter()
            .map(|((region, number), (accounts, left))| StackSetRecord {
                region,
                number,
                accounts: accounts.into_iter().collect(),
                left: left.into_iter().collect(),
            })
            .collect()
    }

    /// Accounts, each with the Region, that were in a template `before` and are not in it `after`; sorted.
    pub(crate) fn departures<'r>(before: &'r [Self], after: &[Self]) -> Vec<(&'r str, &'r str)> {
        let places = |records| Self::places(records).collect::<BTreeSet<_>>();
        let now = places(after);
        let gone = Self::places(before).filter(|place| !now.contains(place)).map(|(region, _, id)| (region, id));
        let mut gone: Vec<(&str, &str)> = gone.collect();
        gone.sort_unstable();
        gone.dedup();
        gone
    }

    /// Region, number and account id of all accounts that are in a template.
    fn places(records: &[Self]) -> impl Iterator<Item = (&str, usize, &str)> {
        records.iter().flat_map(|record| record.accounts.iter().map(|id| (record.region.as_str(), record.number, id.as_str())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(number: usize, accounts: &[&str], left: &[&str]) -> StackSetRecord {
        let all = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
        StackSetRecord { region: "eu-west-1".to_owned(), number, accounts: all(accounts), left: all(left) }
    }

    #[test]
    fn who_leaves_is_remembered_until_it_comes_back() {
        let first = vec![record(1, &["111111111111", "222222222222"], &[])];
        let second = StackSetRecord::succeed(&first, vec![record(1, &["111111111111"], &[]), record(2, &["222222222222"], &[])]);
        assert_eq!(second, [record(1, &["111111111111"], &["222222222222"]), record(2, &["222222222222"], &[])]);
        assert_eq!(StackSetRecord::departures(&first, &second), [("eu-west-1", "222222222222")]);
        // the same again changes nothing
        let again = second.iter().map(|record| StackSetRecord { left: Vec::new(), ..record.clone() }).collect();
        assert_eq!(StackSetRecord::succeed(&second, again), second);
        assert!(StackSetRecord::departures(&second, &second).is_empty());
        let third = StackSetRecord::succeed(&second, vec![record(1, &["111111111111", "222222222222"], &[])]);
        assert_eq!(third, [record(1, &["111111111111", "222222222222"], &[]), record(2, &[], &["222222222222"])]);
    }

    #[test]
    fn what_logmap_would_not_have_written_is_not_plausible() {
        assert!(record(1, &["111111111111"], &["222222222222"]).is_plausible());
        for wrong in [record(0, &[], &[]), record(1, &["x"], &[]), record(1, &[], &["1"]), record(usize::MAX, &[], &[])] {
            assert!(!wrong.is_plausible());
        }
        assert!(!StackSetRecord { region: "../x".to_owned(), ..record(1, &[], &[]) }.is_plausible());
    }
}
