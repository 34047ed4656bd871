//! A snapshot: what `logmap snapshot` read of accounts, in one JSON file (docs/live.md, schemas/snapshot.schema.json).
//!
//! Takes the tree of such a file; gives its accounts, Regions and buckets with their places. Each reading is one of four: AWS's answer, the
//! answer that there is none, a failure, or not asked. Nothing here judges, and nothing is taken for absent that was not read.

pub(crate) use crate::document::path::child;
use crate::{
    document::{Kind, Node},
    source::{FileId, Span},
};
use std::{collections::BTreeMap, fmt};

/// Version of the format.
pub(crate) const FORMAT_VERSION: &str = "1.0";
/// The key by which a file is known as a snapshot.
pub(crate) const MARK: &str = "logmap_snapshot";
/// Key of a Region's readings in a snapshot: roles by name, each with its `trust` policy, the ARN of its permissions `boundary`, and its inline
/// `policy`.
pub(crate) const ROLE_READINGS: &str = "copy_roles";

/// A snapshot.
#[derive(Debug)]
pub(crate) struct Snapshot<'n> {
    /// Its file.
    pub file: FileId,
    /// The accounts, sorted by id.
    pub accounts: Vec<AccountReading<'n>>,
    /// Was it looked for the days on which logs arrived?
    pub delivery: bool,
    /// What `ListAccounts` of AWS Organizations answers.
    pub organization: Reading<'n>,
}

/// What was read of an account.
#[derive(Debug)]
pub(crate) struct AccountReading<'n> {
    /// Twelve digits.
    pub id: &'n str,
    /// Where it stands.
    pub span: Span,
    /// When its reading began: `2026-11-30T02:00:00Z`.
    pub taken_at: &'n str,
    /// Why nothing was read of it.
    pub failure: Option<Failure<'n>>,
    /// Why its buckets are not all listed, if a call failed.
    listing: Option<Failure<'n>>,
    /// Are the buckets all listed?
    pub complete: bool,
    /// Were all buckets asked for their logging, and not those of the map alone?
    pub all_buckets: bool,
    /// The Regions that were asked, where not all were: what is in another one is not in the file.
    pub only: Vec<&'n str>,
    /// In how many days, that of the reading among them, log objects were looked for.
    pub delivery_days: Option<i64>,
    /// Its Regions.
    pub regions: BTreeMap<&'n str, RegionReading<'n>>,
    /// Its buckets, and those that were looked for by name, by name.
    pub buckets: BTreeMap<&'n str, BucketReading<'n>>,
}

/// What was read in one Region of an account.
#[derive(Debug)]
pub(crate) struct RegionReading<'n> {
    /// Where it stands.
    pub span: Span,
    /// Why it does not answer, in words; nothing if it does.
    pub unreachable: Option<&'n str>,
    node: &'n Node,
}

/// What was read of a bucket.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BucketReading<'n> {
    /// Bucket name.
    pub name: &'n str,
    /// Where it stands.
    pub span: Span,
    /// Its Region, if it is known.
    pub region: Option<&'n str>,
    /// Is it in the list of the account's buckets?
    pub listed: bool,
    /// When its logging was asked for.
    pub asked_at: Option<&'n str>,
    node: &'n Node,
}

/// An answer of AWS, or what there is in its place.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Reading<'n> {
    /// AWS's answer, as it stands.
    Is(&'n Node),
    /// AWS says that there is none.
    Nothing,
    /// It could not be read.
    Failed(Failure<'n>),
    /// It was not asked for.
    Missing,
}

/// Why something could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Failure<'n> {
    /// Error code, such as `AccessDenied`.
    pub code: &'n str,
    /// The call, such as `s3:GetBucketLogging`.
    pub call: &'n str,
    /// What AWS said.
    pub message: &'n str,
}

/// Why a file is no snapshot that can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Malformed {
    /// Where.
    pub span: Span,
    /// What is wrong there.
    pub what: String,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

/// Does a file begin as snapshots do, whatever their version? All that make one begin it so.
pub(crate) fn begins(text: &str) -> bool {
    text.strip_prefix("{\"").and_then(|text| text.strip_prefix(MARK)).is_some_and(|text| text.starts_with("\":"))
}

/// Is it a snapshot, of whatever version?
pub(crate) fn is_one(root: &Node) -> bool {
    child(root, MARK).is_some()
}

/// The items of a list; none of anything else.
pub(crate) fn items(node: Option<&Node>) -> &[Node] {
    match node.map(|node| &node.kind) {
        Some(Kind::Sequence(items)) => items,
        _ => &[],
    }
}

/// A text; nothing of null and of anything else.
pub(crate) fn text(node: Option<&Node>) -> Option<&str> {
    match node.map(|node| &node.kind) {
        Some(Kind::Scalar { text, plain }) if !(*plain && &**text == "null") => Some(text),
        _ => None,
    }
}

fn is_null(node: &Node) -> bool {
    matches!(&node.kind, Kind::Scalar { text, plain: true } if &**text == "null")
}

fn is_true(node: Option<&Node>) -> bool {
    text(node) == Some("true")
}

/// A reading by its key, of whatever has it.
pub(crate) fn reading<'n>(node: &'n Node, key: &str) -> Reading<'n> {
    Reading::of(child(node, key))
}

impl<'n> Reading<'n> {
    /// What a node is; nothing was not asked for.
    pub(crate) fn of(node: Option<&'n Node>) -> Self {
        match node {
            None => Reading::Missing,
            Some(node) if is_null(node) => Reading::Nothing,
            Some(node) => Failure::of(node).map_or(Reading::Is(node), Reading::Failed),
        }
    }

    /// The text behind some keys of the answer.
    pub(crate) fn text(self, keys: &[&str]) -> Option<&'n str> {
        text(self.at(keys))
    }

    /// What stands behind some keys of the answer.
    pub(crate) fn at(self, keys: &[&str]) -> Option<&'n Node> {
        let Reading::Is(node) = self else { return None };
        keys.iter().try_fold(node, |node, key| child(node, key))
    }
}

impl<'n> Failure<'n> {
    fn of(node: &'n Node) -> Option<Self> {
        let code = text(child(node, "error"))?;
        let part = |key: &str| text(child(node, key)).unwrap_or_default();
        Some(Failure { code, call: part("call"), message: part("message") })
    }
}

impl<'n> AccountReading<'n> {
    /// What there is in place of the whole list of its buckets.
    pub(crate) fn rest_of_list(&self) -> Reading<'n> {
        self.listing.map_or(Reading::Missing, Reading::Failed)
    }

    /// Was this Region asked, and did it answer? Else why not, in words.
    pub(crate) fn silence(&self, region: &str) -> Option<&'n str> {
        if !self.only.is_empty() && !self.only.contains(&region) {
            return Some("the snapshot was made of other Regions");
        }
        self.regions.get(region)?.unreachable
    }
}

impl<'n> RegionReading<'n> {
    /// A reading of the Region, by its key in the snapshot.
    pub(crate) fn reading(&self, key: &str) -> Reading<'n> {
        reading(self.node, key)
    }
}

impl<'n> BucketReading<'n> {
    /// A reading of the bucket, by its key in the snapshot.
    pub(crate) fn reading(&self, key: &str) -> Reading<'n> {
        reading(self.node, key)
    }
}

impl<'n> Snapshot<'n> {
    /// Reads a snapshot.
    ///
    /// # Errors
    /// It is of another version, or something in it is not as the schema has it.
    pub(crate) fn read(root: &'n Node, file: FileId) -> Result<Self, Malformed> {
        let wrong = |node: &Node, what: &str| Malformed { span: node.span, what: what.to_owned() };
        match text(child(root, MARK)) {
            Some(FORMAT_VERSION) => {}
            Some(version) => {
                let what =
                    format!("the snapshot's version is `{}`, and this logmap reads `{FORMAT_VERSION}`", version.escape_debug());
                return Err(wrong(child(root, MARK).unwrap_or(root), &what));
            }
            None => return Err(wrong(root, "it is no snapshot: it has no `logmap_snapshot`")),
        }
        let all_buckets = text(child(root, "scope").and_then(|scope| child(scope, "buckets"))) == Some("all");
        let only: Vec<&str> = items(child(root, "scope").and_then(|scope| child(scope, "regions")))
            .iter()
            .filter_map(|name| text(Some(name)))
            .collect();
        let days = text(child(root, "scope").and_then(|scope| child(scope, "delivery_days")));
        let days = days.and_then(|days| days.parse().ok()).filter(|days| *days > 0);
        let mut accounts = Vec::new();
        for node in items(child(root, "accounts")) {
            accounts.push(account(node, all_buckets, &only, days).map_err(|(node, what)| wrong(node, what))?);
        }
        accounts.sort_by(|a, b| a.id.cmp(b.id));
        if let Some(pair) = accounts.windows(2).find(|pair| pair[0].id == pair[1].id) {
            return Err(Malformed {
                span: pair[1].span,
                what: format!("account `{}` stands twice in the snapshot", pair[1].id.escape_debug()),
            });
        }
        let delivery = days.is_some()
            || accounts
                .iter()
                .flat_map(|account| account.buckets.values())
                .any(|bucket| child(bucket.node, "delivered").is_some());
        Ok(Snapshot { file, accounts, delivery, organization: Reading::of(child(root, "organization")) })
    }
}

/// A node, and what is wrong with it.
type Wrong<'n> = (&'n Node, &'static str);

fn account<'n>(
    node: &'n Node,
    all_buckets: bool,
    only: &[&'n str],
    delivery_days: Option<i64>,
) -> Result<AccountReading<'n>, Wrong<'n>> {
    let id = text(child(node, "Id")).filter(|id| crate::aws::limits::is_account_id(id));
    let id = id.ok_or((node, "an account of the snapshot has no `Id` of twelve digits"))?;
    let taken_at = text(child(node, "taken_at")).filter(|time| is_time(time));
    let taken_at = taken_at.ok_or((node, "an account of the snapshot has no `taken_at` such as `2026-11-30T02:00:00Z`"))?;
    let mut regions = BTreeMap::new();
    for region in items(child(node, "regions")) {
        let name = text(child(region, "Region")).ok_or((region, "a Region of the snapshot has no `Region`"))?;
        let reading = RegionReading { span: region.span, unreachable: text(child(region, "unreachable")), node: region };
        if regions.insert(name, reading).is_some() {
            return Err((region, "a Region stands twice in an account of the snapshot"));
        }
    }
    let mut buckets = BTreeMap::new();
    for bucket in items(child(node, "buckets")) {
        let name = text(child(bucket, "Name")).ok_or((bucket, "a bucket of the snapshot has no `Name`"))?;
        let reading = BucketReading {
            name,
            span: bucket.span,
            region: text(child(bucket, "BucketRegion")),
            listed: text(child(bucket, "listed")) != Some("false"),
            asked_at: text(child(bucket, "asked_at")),
            node: bucket,
        };
        if buckets.insert(name, reading).is_some() {
            return Err((bucket, "a bucket stands twice in an account of the snapshot"));
        }
    }
    Ok(AccountReading {
        id,
        span: child(node, "Id").map_or(node.span, |id| id.span),
        taken_at,
        failure: Failure::of(node),
        listing: child(node, "listing").and_then(Failure::of),
        complete: is_true(child(node, "buckets_complete")),
        all_buckets,
        only: only.to_vec(),
        delivery_days,
        regions,
        buckets,
    })
}

/// Is it an instant as snapshots have them, so that texts compare as times do?
fn is_time(text: &str) -> bool {
    text.len() == 20
        && text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            10 => byte == b'T',
            13 | 16 => byte == b':',
            19 => byte == b'Z',
            _ => byte.is_ascii_digit(),
        })
}
