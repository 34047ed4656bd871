//! The two sides: where things stand in the map, and what the snapshots have of each account.

use crate::{
    diagnostics::{Finding, Rule},
    document::{Document, path::Path},
    map::{self, RegionMap},
    plan::{Account, Placement},
    snapshot::{AccountReading, BucketReading, Reading, Snapshot},
    source::{FileId, Span},
};
use std::collections::BTreeMap;

/// Where things stand in the map.
pub(super) struct Map<'a> {
    document: &'a Document,
    /// By account key, Region and name.
    sources: BTreeMap<(&'a str, &'a str, &'a str), Span>,
}

impl<'a> Map<'a> {
    pub(super) fn of(document: &'a Document, decoded: &'a RegionMap) -> Self {
        let mut sources = BTreeMap::new();
        for (key, account) in decoded.accounts() {
            for (region, content) in account.regions() {
                for name in content.sources().filter_map(map::Bucket::name) {
                    sources.insert((key.value.as_str(), region.value.as_str(), name.value.as_str()), name.span);
                }
            }
        }
        Map { document, sources }
    }

    /// The first of these keys that the map has.
    fn first(&self, all: &[&[&str]]) -> Span {
        all.iter().find_map(|keys| Path::of(self.document, *keys)?.key()).unwrap_or_default()
    }

    pub(super) fn account(&self, account: &str) -> Span {
        self.first(&[&["accounts", account]])
    }

    pub(super) fn region(&self, account: &str, region: &str) -> Span {
        self.first(&[&["accounts", account, "regions", region], &["accounts", account]])
    }

    /// A log bucket, where the map speaks of it: one that only takes trails may be in a Region that the map does not write.
    pub(super) fn log_bucket(&self, account: &str, region: &str) -> Span {
        self.first(&[
            &["accounts", account, "regions", region, "log_bucket"],
            &["accounts", account, "regions", region],
            &["accounts", account],
        ])
    }

    pub(super) fn source(&self, account: &str, region: &str, name: &str) -> Span {
        self.sources.get(&(account, region, name)).copied().unwrap_or_else(|| self.region(account, region))
    }

    pub(super) fn trail(&self, trail: &str, account: &str) -> Span {
        self.first(&[&["trails", trail], &["accounts", account]])
    }

    /// `publish` or `monitoring`.
    pub(super) fn top(&self, key: &str) -> Span {
        self.first(&[&[key]])
    }
}

/// An account as the newest snapshot that has it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Live<'n> {
    pub account: &'n AccountReading<'n>,
    /// The snapshot's file.
    pub file: FileId,
}

/// What the snapshots have.
pub(super) struct World<'n> {
    /// By account id.
    pub accounts: BTreeMap<&'n str, Live<'n>>,
    /// The first account that has a bucket in its list, and the bucket's Region, by its name.
    owners: BTreeMap<&'n str, (&'n str, Option<&'n str>)>,
    /// The snapshots themselves.
    pub snapshots: &'n [Snapshot<'n>],
}

impl<'n> World<'n> {
    /// Puts snapshots together; of an account that several have the newest counts, which is said.
    pub(super) fn of(snapshots: &'n [Snapshot<'n>]) -> (Self, Vec<String>) {
        let mut accounts: BTreeMap<&str, Live<'_>> = BTreeMap::new();
        let mut notes = Vec::new();
        for snapshot in snapshots {
            for account in &snapshot.accounts {
                let live = Live { account, file: snapshot.file };
                match accounts.get_mut(account.id) {
                    None => {
                        accounts.insert(account.id, live);
                    }
                    Some(known) => {
                        // an account that was read says more than one that was not
                        let rank = |one: &AccountReading<'n>| (one.failure.is_none(), one.taken_at);
                        let (old, new) = if rank(account) > rank(known.account) { (*known, live) } else { (live, *known) };
                        notes.push(format!(
                            "account {} is in several snapshots: the reading of {} counts, that of {} does not",
                            account.id, new.account.taken_at, old.account.taken_at
                        ));
                        *known = new;
                    }
                }
            }
        }
        let mut owners: BTreeMap<&str, (&str, Option<&str>)> = BTreeMap::new();
        for (id, live) in &accounts {
            for bucket in live.account.buckets.values().filter(|bucket| bucket.listed) {
                owners.entry(bucket.name).or_insert((id, bucket.region));
            }
        }
        (World { accounts, owners, snapshots }, notes)
    }

    /// The account and Region of a bucket, as the lists of the accounts have it.
    pub(super) fn owner(&self, bucket: &str) -> Option<(&'n str, Option<&'n str>)> {
        self.owners.get(bucket).copied()
    }
}

/// An account of the map in one Region, and what is there.
pub(super) struct Place<'a> {
    pub account: &'a Account,
    pub placement: &'a Placement,
    pub live: &'a Live<'a>,
    pub world: &'a World<'a>,
    /// How many placements the plan has: they share the time that hard policies may take.
    pub of_placements: usize,
    /// The command that mends what is found here.
    pub mend: &'a str,
}

/// Where a bucket of the map is.
pub(super) enum Found<'a> {
    /// Here.
    Here(&'a BucketReading<'a>),
    /// In another account or Region, in words.
    Elsewhere(String),
    /// Nowhere: the list is whole, and nothing answers to the name.
    Nowhere,
    /// It can't be told.
    Unknown,
}

impl<'a> Place<'a> {
    /// A finding on the map about what was read here, with the command that mends it.
    pub(super) fn finding(&self, rule: &'static Rule, span: Span, read: Span, message: String) -> Finding {
        Finding::new(rule, span, message).help(self.mend).related_in(self.live.file, read, "as it was read")
    }

    /// Looks for a bucket in the account and Region.
    pub(super) fn find(&self, name: &str) -> Found<'a> {
        let region = self.placement.region.as_str();
        let reading = self.live.account.buckets.get(name);
        if let Some(bucket) = reading.filter(|bucket| bucket.listed) {
            return match bucket.region {
                Some(other) if other != region => Found::Elsewhere(format!("in `{other}` of this account")),
                Some(_) => Found::Here(bucket),
                None => Found::Unknown,
            };
        }
        if let Some((account, other)) = self.world.owner(name) {
            let place = other.map_or(String::new(), |region| format!("`{region}` of "));
            return Found::Elsewhere(format!("in {place}account `{account}`"));
        }
        if !self.live.account.complete {
            return Found::Unknown;
        }
        match reading.map(|bucket| bucket.reading("head")) {
            // HeadBucket: 404 if there is no such bucket, 403 if it is somebody else's (S3 API reference)
            Some(Reading::Failed(failure)) if failure.code == "404" => Found::Nowhere,
            Some(Reading::Failed(failure)) if failure.code == "403" => {
                Found::Elsewhere("in an account that was not read".to_owned())
            }
            Some(Reading::Is(_)) => Found::Elsewhere("in an account that was not read".to_owned()),
            // nobody looked for it by its name: it is not in the list, and that is all that is known
            None => Found::Nowhere,
            Some(_) => Found::Unknown,
        }
    }
}
