//! Inputs → inventory: each bucket and trail that exists, once, with its account, its Region and where that is told.
//!
//! Takes what was observed; gives typed facts, and findings where inputs disagree or do not tell enough. Guesses nothing: what
//! to make of the facts is for `propose`.

use super::Options;
use crate::{
    aws::{Partition, arn, bucket_name, limits, region},
    catalog::importing::{DISAGREE, LEFT_OUT, NO_REGION, WHOSE},
    diagnostics::Finding,
    observed::{
        AccountName, At, Bucket, Input, Logging, Organization, Selection, Setting, SourceLocation, Target, Text, Trail, hole,
    },
    source::FileId,
};
use std::collections::{BTreeMap, BTreeSet};

/// All that is known.
#[derive(Debug, Default)]
pub(super) struct Inventory {
    /// Buckets, sorted by name.
    pub buckets: Vec<Known>,
    /// ARNs of the trails that code makes.
    pub trails_by_code: BTreeSet<String>,
    /// Trails by ARN.
    pub trails: BTreeMap<String, Trail>,
    /// Names of accounts, the best first.
    pub accounts: BTreeMap<String, Vec<AccountName>>,
    /// The AWS organization.
    pub organization: Option<Organization>,
    /// Names of buckets that log nowhere, as an account says.
    pub off: BTreeSet<String>,
    /// Accounts that are closed, by id: what is said of each, and where.
    pub closed: BTreeMap<String, Text>,
}

/// A bucket whose account and Region are known.
#[derive(Debug)]
pub(super) struct Known {
    /// All that inputs tell of it.
    pub bucket: Bucket,
    /// Account id.
    pub account: String,
    /// Region.
    pub region: String,
    /// Its logging, where an input tells of it.
    pub logging: Option<SetLogging>,
    /// Names of the buckets of its account and Region that log to it.
    pub log_here: BTreeSet<String>,
    /// Where it is made under some conditions only.
    pub sometimes: bool,
}

/// Logging of a bucket.
#[derive(Debug, Clone)]
pub(super) struct SetLogging {
    /// As an input has it.
    pub logging: Logging,
    /// Does code set it?
    pub by_code: bool,
}

impl Known {
    /// Bucket name.
    pub(super) fn name(&self) -> &str {
        &self.bucket.name.value
    }

    /// The bucket that it logs to, if that is known.
    pub(super) fn target(&self) -> Option<&str> {
        match &self.logging.as_ref()?.logging.target {
            Target::Named(text) if !hole::has(&text.value) => Some(&text.value),
            _ => None,
        }
    }
}

/// A bucket while inputs are read.
struct Draft {
    bucket: Bucket,
    /// In how many of its file's ways it is made, and of how many.
    ways: (usize, usize),
    disagrees: bool,
}

/// Collects all that inputs tell.
pub(super) fn collect(inputs: &[Input], options: &Options, findings: &mut Vec<Finding>) -> Inventory {
    let mut inventory = Inventory::default();
    let mut drafts: BTreeMap<(String, Partition), Draft> = BTreeMap::new();
    let mut logging: BTreeMap<String, SetLogging> = BTreeMap::new();
    let mut unnamed: BTreeSet<(SourceLocation, String)> = BTreeSet::new();
    let mut later = Vec::new();
    for input in inputs {
        for (number, way) in input.ways.iter().enumerate() {
            let ways = input.ways.len();
            for bucket in &way.observed.buckets {
                if hole::has(&bucket.name.value) {
                    if bucket.defined {
                        unnamed.insert((bucket.place, hole::shown(&bucket.name.value)));
                    }
                    continue;
                }
                let bucket = placed(bucket.clone());
                match known(&bucket.region) {
                    Some(_) => add(&mut drafts, bucket, (number, ways), findings),
                    None => later.push((bucket, (number, ways))),
                }
            }
            for set in way.observed.logging.iter().filter(|_| number == 0 || ways > 1) {
                let Some(source) = set.source.as_ref().filter(|source| !hole::has(&source.value)) else { continue };
                let new = SetLogging { logging: set.clone(), by_code: input.is_code };
                // code says more than a picture of what it once did
                let better = |old: &SetLogging| (new.by_code, old.logging.place) > (old.by_code, new.logging.place);
                if logging.get(&source.value).is_none_or(better) {
                    logging.insert(source.value.clone(), new);
                }
            }
            for trail in &way.observed.trails {
                if input.is_code {
                    inventory.trails_by_code.insert(trail.arn.clone());
                }
                add_trail(&mut inventory.trails, trail, &mut unnamed);
            }
            inventory.off.extend(way.observed.off.iter().map(|bucket| bucket.value.clone()));
            for name in &way.observed.accounts {
                if let Some(state) = &name.closed {
                    inventory.closed.insert(name.id.clone(), state.clone());
                }
                inventory.accounts.entry(name.id.clone()).or_default().push(name.clone());
            }
            inventory.organization = inventory.organization.take().or_else(|| way.observed.organization.clone());
        }
    }
    for (arn, selection) in inputs.iter().flat_map(|input| &input.ways).flat_map(|way| &way.observed.selections) {
        if let Some(trail) = inventory.trails.get_mut(arn) {
            tell(&mut trail.selectors, &Some(selection.clone()));
        }
    }
    for (bucket, way) in later {
        add(&mut drafts, bucket, way, findings);
    }
    for names in inventory.accounts.values_mut() {
        names.sort_by(|a, b| (a.by, &a.name.value, a.name.place).cmp(&(b.by, &b.name.value, b.name.place)));
        names.dedup_by(|a, b| a.by == b.by && a.name.value == b.name.value);
    }
    findings.extend(unnamed.into_iter().map(|(place, name)| {
        Finding::new(&LEFT_OUT, place.span, format!("`{name}` is left out: its name can't be known here"))
            .in_file(place.file)
            .help("import the state, or a list of the buckets, once it is deployed")
    }));
    inventory.buckets = settle(drafts, &mut logging, options, findings);
    leave_closed_out(&mut inventory, findings);
    log_here(&mut inventory.buckets);
    inventory
}

/// Takes out what is in accounts that are suspended or closed: nothing can be set up there.
fn leave_closed_out(inventory: &mut Inventory, findings: &mut Vec<Finding>) {
    let closed = &inventory.closed;
    let mut concerned: BTreeSet<String> = BTreeSet::new();
    let mut stays = |account: &str| {
        let is_closed = closed.contains_key(account);
        if is_closed {
            concerned.insert(account.to_owned());
        }
        !is_closed
    };
    inventory.buckets.retain(|known| stays(&known.account));
    inventory.trails.retain(|_, trail| stays(&trail.account));
    findings.extend(concerned.iter().filter_map(|id| {
        let state = closed.get(id)?;
        let message = format!("the account `{id}` is left out: its state is `{}`", hole::shown(&state.value));
        Some(Finding::new(&LEFT_OUT, state.place.span, message).in_file(state.place.file))
    }));
}

fn known(text: &Option<Text>) -> Option<&Text> {
    text.as_ref().filter(|text| !hole::has(&text.value))
}

/// With what its name alone tells: one of the account regional namespace tells where its bucket is.
fn placed(mut bucket: Bucket) -> Bucket {
    let place = bucket.name.place;
    if let Some((account, region)) = bucket_name::account_regional(&bucket.name.value) {
        let (account, region) = (account.to_owned(), region.to_owned());
        if known(&bucket.account).is_none() {
            bucket.account = Some(At { value: account, place });
        }
        if known(&bucket.region).is_none() {
            bucket.region = Some(At { value: region, place });
        }
    }
    bucket
}

/// Adds what an input tells of a bucket. One without a Region is the bucket of that name, if there is one.
fn add(drafts: &mut BTreeMap<(String, Partition), Draft>, bucket: Bucket, way: (usize, usize), findings: &mut Vec<Finding>) {
    let name = bucket.name.value.clone();
    let key = match known(&bucket.region) {
        Some(_) => (name, bucket.partition()),
        None => {
            let mut there =
                drafts.range((name.clone(), Partition::Aws)..).map(|(key, _)| key).filter(|(other, _)| *other == name);
            there.next().cloned().unwrap_or((name, bucket.partition()))
        }
    };
    let Some(draft) = drafts.get_mut(&key) else {
        let ways = (usize::from(bucket.defined), way.1);
        drafts.insert(key, Draft { bucket, ways, disagrees: false });
        return;
    };
    let disagree = |what: &str, mine: &Option<Text>, theirs: &Option<Text>| {
        let (mine, theirs) = known(mine).zip(known(theirs)).filter(|(mine, theirs)| mine.value != theirs.value)?;
        Some(
            Finding::new(
                &DISAGREE,
                theirs.place.span,
                format!("`{}` is in the {what} `{}` here, and in `{}` elsewhere", key.0, theirs.value, mine.value),
            )
            .in_file(theirs.place.file)
            .related_in(mine.place.file, mine.place.span, format!("here it is in `{}`", mine.value))
            .help("it is left out; `aws s3api head-bucket` tells where it is; leave out the input that is out of date"),
        )
    };
    let found = disagree("Region", &draft.bucket.region, &bucket.region)
        .or_else(|| disagree("account", &draft.bucket.account, &bucket.account));
    draft.disagrees |= found.is_some();
    findings.extend(found);
    draft.ways.0 += usize::from(bucket.defined && bucket.place.file == draft.bucket.place.file);
    draft.bucket.merge(bucket);
}

/// What tells the selectors counts before what tells only that there are some.
fn tell(there: &mut Option<Selection>, new: &Option<Selection>) {
    if there.as_ref().is_none_or(|there| there.told().is_none()) && new.is_some() {
        there.clone_from(new);
    }
}

/// Adds a trail; one that several inputs or Regions tell of is one.
fn add_trail(trails: &mut BTreeMap<String, Trail>, trail: &Trail, unnamed: &mut BTreeSet<(SourceLocation, String)>) {
    if hole::has(&trail.arn) || hole::has(&trail.name.value) {
        unnamed.insert((trail.anchor, format!("the trail {}", hole::shown(&trail.name.value))));
        return;
    }
    match trails.get_mut(&trail.arn) {
        Some(there) => {
            there.bucket.merge(trail.bucket.clone());
            there.prefix.merge(trail.prefix.clone());
            there.organization.merge(trail.organization.clone());
            there.key.merge(trail.key.clone());
            there.multi_region.merge(trail.multi_region.clone());
            there.validation.merge(trail.validation.clone());
            tell(&mut there.selectors, &trail.selectors);
        }
        None => {
            trails.insert(trail.arn.clone(), trail.clone());
        }
    }
}

/// Those buckets whose account and Region are known; of the others, one finding for each input.
fn settle(
    drafts: BTreeMap<(String, Partition), Draft>,
    logging: &mut BTreeMap<String, SetLogging>,
    options: &Options,
    findings: &mut Vec<Finding>,
) -> Vec<Known> {
    let mut buckets = Vec::new();
    let mut no_region: BTreeMap<FileId, Vec<Bucket>> = BTreeMap::new();
    let mut no_account: BTreeMap<(FileId, String), Vec<Bucket>> = BTreeMap::new();
    let drafts: Vec<Draft> =
        drafts.into_values().filter(|draft| !draft.disagrees && (draft.bucket.defined || draft.bucket.listed)).collect();
    let unknown: BTreeSet<&str> = drafts
        .iter()
        .filter_map(|draft| draft.bucket.account.as_ref())
        .map(|account| account.value.as_str())
        .filter(|account| hole::has(account))
        .collect();
    // what is told of "the" account can't be meant of several
    let only = options.only_account().filter(|_| unknown.len() < 2).map(str::to_owned);
    for draft in drafts {
        let mut bucket = draft.bucket;
        let file = bucket.place.file;
        let Some(region) = known(&bucket.region).cloned() else {
            no_region.entry(file).or_default().push(bucket);
            continue;
        };
        let account = match known(&bucket.account).cloned().map(|account| account.value).or(only.clone()) {
            Some(account) => account,
            None => {
                let whom = bucket.account.as_ref().map_or_else(String::new, |account| account.value.clone());
                no_account.entry((file, whom)).or_default().push(bucket);
                continue;
            }
        };
        if !region::is_well_formed(&region.value) || !limits::is_account_id(&account) {
            let message = if limits::is_account_id(&account) {
                format!("`{}` is left out: `{}` is not a Region", bucket.name.value, region.value)
            } else {
                format!("`{}` is left out: `{account}` is not an account id", bucket.name.value)
            };
            findings.push(Finding::new(&LEFT_OUT, region.place.span, message).in_file(region.place.file));
            continue;
        }
        bucket.region = Some(region.clone());
        let logging = logging.remove(&bucket.name.value);
        let sometimes = draft.ways.0 > 0 && draft.ways.0 < draft.ways.1;
        buckets.push(Known { bucket, account, region: region.value, logging, log_here: BTreeSet::new(), sometimes });
    }
    for buckets in no_region.values() {
        findings.extend(refused(
            buckets,
            &NO_REGION,
            "no input tells the Region of",
            if buckets.iter().any(|bucket| bucket.defined) {
                "a template or a provider without a Region of its own needs `--region`"
            } else {
                "`aws s3api list-buckets --page-size 1000` gives the Region of each bucket; without a parameter, or from an old AWS CLI, it does not. `aws s3api get-bucket-location --bucket NAME > NAME.location.json` tells it of one bucket"
            },
        ));
    }
    for buckets in no_account.values() {
        let help = match options.accounts.len() {
            0 => "say it: `--account 111122223333`, or with a key for the map `--account prod=111122223333`",
            1 => "its inputs are of several accounts; import each with its own `--account`, the later ones with `--into`",
            _ => {
                "with more than one `--account` an input must tell itself; import each with its own, the later ones with `--into`"
            }
        };
        findings.extend(refused(buckets, &WHOSE, "no input tells the account of", help));
    }
    buckets
}

fn refused(buckets: &[Bucket], rule: &'static crate::diagnostics::Rule, what: &str, help: &str) -> Option<Finding> {
    let first = buckets.iter().min_by_key(|bucket| bucket.place)?;
    let others = match buckets.len() - 1 {
        0 => String::new(),
        1 => " and another bucket".to_owned(),
        more => format!(" and {more} other buckets"),
    };
    let message = format!("{what} `{}`{others}", first.name.value);
    Some(Finding::new(rule, first.place.span, message).in_file(first.place.file).help(help))
}

/// Who logs to whom, in one account and Region.
fn log_here(buckets: &mut [Known]) {
    let at: BTreeMap<String, usize> = buckets.iter().enumerate().map(|(at, known)| (known.name().to_owned(), at)).collect();
    let pairs: Vec<(usize, usize)> = buckets
        .iter()
        .enumerate()
        .filter_map(|(source, known)| Some((source, *at.get(known.target()?)?)))
        .filter(|(source, target)| source != target)
        .collect();
    for (source, target) in pairs {
        let same = (&buckets[source].account, &buckets[source].region) == (&buckets[target].account, &buckets[target].region);
        if same {
            let name = buckets[source].name().to_owned();
            buckets[target].log_here.insert(name);
        }
    }
}

/// A setting that is known to be this.
pub(super) fn is(setting: &Setting<bool>, value: bool) -> bool {
    setting.known().is_some_and(|known| known.value == value)
}

/// A trail's home Region: in its ARN.
pub(super) fn home(trail: &Trail) -> &str {
    arn::parse(&trail.arn).map_or("", |arn| arn.region)
}
