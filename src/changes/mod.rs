//! Changes: what two plans differ in, by meaning. Order, comments and spelling of the maps are no difference.
//!
//! Takes two plans, gives one typed list for each kind of thing; what it says is complete: no list has an entry exactly
//! when the plans are the same. A bucket is known by its name and partition, a trail by its ARN, an account by its id.

mod buckets;
mod layout;
mod policy;
pub(crate) mod reach;
mod settings;
pub mod show;

pub use policy::Access;
pub(crate) use policy::{PolicyChange, StatementChange, StatementKind, statements};

use crate::{
    aws::Partition,
    plan::{Account, Placement, Plan, Source, Trail},
    tables::{self, TablesChange},
};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Version of the JSON form.
pub(crate) const FORMAT_VERSION: &str = "1.0";

/// Everything that differs.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Changes {
    /// Accounts, by id.
    pub accounts: Vec<Change>,
    /// Source buckets, by name.
    pub sources: Vec<Change>,
    /// Log buckets, by name.
    pub log_buckets: Vec<Change>,
    /// Policies of log buckets that are in both maps, under one name or two.
    pub policies: Vec<PolicyChange>,
    /// Where log objects come to lie, and what it means for tables and readers.
    pub layouts: Vec<layout::LayoutChange>,
    /// Tables of Athena, by database.
    pub tables: Vec<TablesChange>,
    /// Trails, by ARN.
    pub trails: Vec<Change>,
    /// Statements for KMS keys, by key.
    pub key_policies: Vec<Change>,
    /// Differences of `publish` and `monitoring`.
    #[serde(rename = "guarding")]
    pub monitoring: Vec<Setting>,
    /// How the targets look.
    pub rendering: Vec<Setting>,
    /// What to know about that.
    pub rendering_notes: Vec<String>,
    /// What commands and editors do otherwise: `settings` of the maps.
    pub settings: Vec<Setting>,
}

/// What happens to one thing.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// What kind of change.
    pub change: Kind,
    /// Its name; the new one, if there is one.
    pub name: String,
    /// Its old name, where that is another.
    pub old_name: Option<String>,
    /// Where it was.
    pub old: Option<PlacementId>,
    /// Where it is to be.
    pub new: Option<PlacementId>,
    /// What differs of it.
    pub settings: Vec<Setting>,
    /// What to know about it.
    pub notes: Vec<String>,
}

/// Kinds of change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Only the new map has it. A log bucket is made.
    Added,
    /// Only the old map has it. A log bucket stays where it is, with its logs.
    Removed,
    /// The same name in another account or Region.
    Moved,
    /// The same placement has it under another name.
    Renamed,
    /// An existing bucket becomes a log bucket.
    Adopted,
    /// Settings differ.
    Changed,
}

/// Address of a placement: an account and a Region.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct PlacementId {
    /// Account key.
    pub account: String,
    /// Twelve digits.
    pub account_id: String,
    /// Region name; empty for a whole account.
    pub region: String,
}

/// A setting that differs; nothing where it was or is not set.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Setting {
    /// What it is.
    pub setting: String,
    /// As it was.
    pub old: Option<String>,
    /// As it is to be.
    pub new: Option<String>,
}

impl Changes {
    /// True if the maps mean the same.
    pub fn is_empty(&self) -> bool {
        self.count() == 0
    }

    /// How many entries there are. What follows from others, the layouts and the tables, is not counted.
    pub fn count(&self) -> usize {
        let lists = [&self.accounts, &self.sources, &self.log_buckets, &self.trails, &self.key_policies];
        lists.iter().map(|list| list.len()).sum::<usize>()
            + self.policies.len()
            + self.monitoring.len()
            + self.rendering.len()
            + self.settings.len()
    }
}

/// A thing with the account and Region that it is in.
struct At<'a, T> {
    account: &'a Account,
    placement: &'a Placement,
    thing: &'a T,
}

impl<T> At<'_, T> {
    fn placement(&self) -> PlacementId {
        PlacementId { region: self.placement.region.clone(), ..placement_of(self.account) }
    }
}

fn placement_of(account: &Account) -> PlacementId {
    PlacementId { account: account.key.clone(), account_id: account.id.clone(), region: String::new() }
}

/// All things of one kind by their key, in order.
fn all<'a, T, K: Ord>(
    plan: &'a Plan,
    of: impl Fn(&'a Placement) -> &'a [T],
    key: impl Fn(&'a Account, &'a T) -> K,
) -> BTreeMap<K, At<'a, T>> {
    let mut found = BTreeMap::new();
    for (account, placement) in plan.placements() {
        found.extend(of(placement).iter().map(|thing| (key(account, thing), At { account, placement, thing })));
    }
    found
}

/// Compares two plans.
///
/// Takes any plan, proven or not: what it shows of a policy is for people to read, nothing that could be applied.
pub fn between(old: &Plan, new: &Plan) -> Changes {
    let log_buckets = buckets::LogBuckets::of(old, new);
    Changes {
        accounts: accounts(old, new),
        sources: sources(old, new),
        policies: log_buckets.policies(),
        log_buckets: log_buckets.changes(),
        layouts: layout::between(old, new),
        tables: tables::between(old, new),
        trails: trails(old, new),
        key_policies: key_policies(old, new),
        monitoring: settings::monitoring(old, new),
        rendering: settings::rendering(old, new),
        rendering_notes: settings::rendering_notes(old, new),
        settings: Vec::new(),
    }
}

/// What differs between the settings of two maps, key by key, which no plan knows.
pub(crate) fn settings_between(old: &BTreeMap<String, String>, new: &BTreeMap<String, String>) -> Vec<Setting> {
    let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let setting = |key: &String| Setting { setting: key.clone(), old: old.get(key).cloned(), new: new.get(key).cloned() };
    keys.into_iter().filter(|key| old.get(*key) != new.get(*key)).map(setting).collect()
}

fn accounts(old: &Plan, new: &Plan) -> Vec<Change> {
    let by_id = |plan: &'_ Plan| -> BTreeMap<String, usize> {
        plan.accounts.iter().enumerate().map(|(at, account)| (account.id.clone(), at)).collect()
    };
    let (was, is) = (by_id(old), by_id(new));
    let mut changes = Vec::new();
    for (id, at) in &was {
        let account = &old.accounts[*at];
        let successor = is.get(id).map(|at| &new.accounts[*at]);
        match successor {
            None => {
                let same_key = new.accounts.iter().find(|other| other.key == account.key);
                let notes = same_key.map(|other| {
                    format!("the key now stands for the account {}: to AWS that is another account, and nothing moves between the two by itself", other.id)
                });
                // https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-closing.html
                let closed = new.closed.contains(&account.id).then(|| {
                    "it is closed: nothing is run there any more, and AWS deletes what is in it, logs included, 90 days after its closure".to_owned()
                });
                changes.push(Change {
                    notes: notes.into_iter().chain(closed).collect(),
                    ..change(Kind::Removed, &account.key, Some(placement_of(account)), None)
                });
            }
            Some(other) => {
                let differing = settings::account(account, other);
                if !differing.is_empty() || account.key != other.key {
                    let kind = if account.key == other.key { Kind::Changed } else { Kind::Renamed };
                    let notes = (kind == Kind::Renamed).then(|| "Terraform's root module and its state are named after the key: what the old module holds has to be handed over".to_owned());
                    changes.push(Change {
                        old_name: (account.key != other.key).then(|| account.key.clone()),
                        settings: differing,
                        notes: notes.into_iter().collect(),
                        ..change(kind, &other.key, Some(placement_of(account)), Some(placement_of(other)))
                    });
                }
            }
        }
    }
    let added = is.iter().filter(|(id, _)| !was.contains_key(*id)).map(|(_, at)| &new.accounts[*at]);
    changes.extend(added.map(|account| change(Kind::Added, &account.key, None, Some(placement_of(account)))));
    changes
}

fn change(kind: Kind, name: &str, old: Option<PlacementId>, new: Option<PlacementId>) -> Change {
    Change { change: kind, name: name.to_owned(), old_name: None, old, new, settings: Vec::new(), notes: Vec::new() }
}

/// Same account id and Region? The account's key does not matter.
fn same_place(old: &PlacementId, new: &PlacementId) -> bool {
    (&old.account_id, &old.region) == (&new.account_id, &new.region)
}

fn sources(old: &Plan, new: &Plan) -> Vec<Change> {
    fn key<'a>(account: &'a Account, source: &'a Source) -> (&'a str, Partition) {
        (&source.name, account.partition)
    }
    let (was, is) = (all(old, |placement| &placement.sources, key), all(new, |placement| &placement.sources, key));
    let elsewhere = |map: &BTreeMap<(&str, Partition), At<'_, Source>>, name: &str| {
        let other = map.keys().find(|(other, _)| *other == name).map(|(_, partition)| *partition);
        other.map(|partition| {
            format!("the name is also in the partition {partition}, as another bucket: nothing crosses partitions")
        })
    };
    let mut changes = Vec::new();
    for (key @ (name, _), old) in &was {
        match is.get(key) {
            None => changes.push(Change {
                settings: settings::source(Some(logged(old)), None),
                notes: elsewhere(&is, name).into_iter().collect(),
                ..change(Kind::Removed, name, Some(old.placement()), None)
            }),
            Some(new) => {
                let moved = !same_place(&old.placement(), &new.placement());
                let settings = settings::source(Some(logged(old)), Some(logged(new)));
                let note = "S3 moves no bucket: it is deleted and made again, and its name is free for anybody in between";
                if moved || !settings.is_empty() {
                    let kind = if moved { Kind::Moved } else { Kind::Changed };
                    changes.push(Change {
                        settings,
                        notes: moved.then(|| note.to_owned()).into_iter().collect(),
                        ..change(kind, name, Some(old.placement()), Some(new.placement()))
                    });
                }
            }
        }
    }
    for (key @ (name, _), new) in &is {
        if !was.contains_key(key) {
            changes.push(Change {
                settings: settings::source(None, Some(logged(new))),
                notes: elsewhere(&was, name).into_iter().collect(),
                ..change(Kind::Added, name, None, Some(new.placement()))
            });
        }
    }
    changes
}

/// A source with what is delivered of its placement.
fn logged<'a>(at: &At<'a, Source>) -> settings::Logged<'a> {
    (at.thing, at.placement.vended.as_ref())
}

fn trails(old: &Plan, new: &Plan) -> Vec<Change> {
    fn key<'a>(_: &'a Account, trail: &'a Trail) -> &'a str {
        &trail.arn
    }
    let (mut was, is) = (all(old, |placement| &placement.trails, key), all(new, |placement| &placement.trails, key));
    let mut changes = Vec::new();
    let mut fresh = Vec::new();
    for (arn, new) in is {
        let Some(old) = was.remove(arn) else {
            fresh.push(new);
            continue;
        };
        let settings = settings::trail(Some(old.thing), Some(new.thing));
        if !settings.is_empty() {
            let moved = old.thing.bucket != new.thing.bucket;
            let note =
                "its digests go on in the new bucket; files are validated where they lie, so the old ones stay where they are";
            let mut notes: Vec<String> = (moved && new.thing.log_file_validation).then(|| note.to_owned()).into_iter().collect();
            if old.thing.adopt && !new.thing.adopt {
                notes.push(
                    "it is no longer adopted: Terraform takes the log group, topic, Insights and tags that it has away, and the scripts its other selectors"
                        .to_owned(),
                );
            }
            changes.push(Change {
                settings,
                notes,
                ..change(Kind::Changed, &new.thing.name, Some(old.placement()), Some(new.placement()))
            });
        }
    }
    for new in fresh {
        let same = was.iter().find(|(_, old)| {
            old.thing.name == new.thing.name
                && old.account.id == new.account.id
                && new.thing.multi_region
                && old.thing.multi_region
        });
        let old = same.map(|(arn, _)| *arn).and_then(|arn| was.remove(arn));
        let settings = settings::trail(old.as_ref().map(|at| at.thing), Some(new.thing));
        let note = "a trail's home Region is fixed: it is made again under the same name once somebody has deleted it, which no target does, and its digest chain starts anew";
        changes.push(Change {
            settings,
            notes: old.iter().map(|_| note.to_owned()).collect(),
            ..change(
                match (&old, new.thing.adopt) {
                    (Some(_), _) => Kind::Moved,
                    (None, true) => Kind::Adopted,
                    (None, false) => Kind::Added,
                },
                &new.thing.name,
                old.as_ref().map(At::placement),
                Some(new.placement()),
            )
        });
    }
    changes.extend(was.into_values().map(|old| Change {
        settings: settings::trail(Some(old.thing), None),
        notes: vec![
            "no target ends it: it records until somebody deletes it, and its files are let in as long as the policy of its bucket names it"
                .to_owned(),
        ],
        ..change(Kind::Removed, &old.thing.name, Some(old.placement()), None)
    }));
    changes.sort_by(|a, b| (&a.name, &a.new, &a.old).cmp(&(&b.name, &b.new, &b.old)));
    changes
}

fn key_policies(old: &Plan, new: &Plan) -> Vec<Change> {
    let by_file = |plan: &'_ Plan| -> BTreeMap<(String, String), String> {
        plan.key_policies.iter().map(|key| ((key.key_arn.clone(), key.file.clone()), key.policy.to_json())).collect()
    };
    let (was, is) = (by_file(old), by_file(new));
    let keys: std::collections::BTreeSet<&(String, String)> = was.keys().chain(is.keys()).collect();
    keys.into_iter()
        .filter(|key| was.get(*key) != is.get(*key))
        .map(|key| {
            let kind = match (was.contains_key(key), is.contains_key(key)) {
                (true, true) => Kind::Changed,
                (true, false) => Kind::Removed,
                _ => Kind::Added,
            };
            let statements = Setting { setting: "statements".to_owned(), old: was.get(key).cloned(), new: is.get(key).cloned() };
            let note =
                format!("the owner of the key merges `policies/kms/{}.json` into its policy, before a trail uses it", key.1);
            Change { settings: vec![statements], notes: vec![note], ..change(kind, &key.0, None, None) }
        })
        .collect()
}
