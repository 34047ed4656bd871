//! What was not read, put together: one finding for each account, Region and reason, with the permission that was missing.

use super::world::Map;
use crate::{
    catalog::live::UNREAD,
    diagnostics::{Finding, few},
    escape::shown,
    plan::{Account, Placement},
    snapshot::{Failure, Reading},
};
use std::collections::BTreeMap;

/// The readings of a snapshot, with the permission that each needs.
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html>, and the lists of the other services
pub(super) const PERMISSIONS: [(&str, &str); 23] = [
    ("listing", "s3:ListAllMyBuckets"),
    ("head", "s3:ListBucket"),
    ("logging", "s3:GetBucketLogging"),
    ("policy", "s3:GetBucketPolicy"),
    ("encryption", "s3:GetEncryptionConfiguration"),
    ("object_lock", "s3:GetBucketObjectLockConfiguration"),
    ("payer", "s3:GetBucketRequestPayment"),
    ("ownership", "s3:GetBucketOwnershipControls"),
    ("public_access", "s3:GetBucketPublicAccessBlock"),
    ("versioning", "s3:GetBucketVersioning"),
    ("lifecycle", "s3:GetLifecycleConfiguration"),
    ("replication", "s3:GetReplicationConfiguration"),
    ("tags", "s3:GetBucketTagging"),
    ("delivered", "s3:ListBucket"),
    ("trails", "cloudtrail:DescribeTrails"),
    ("selectors", "cloudtrail:GetEventSelectors"),
    ("insights", "cloudtrail:GetInsightSelectors"),
    ("status", "cloudtrail:GetTrailStatus"),
    ("copy_roles", "iam:GetRole"),
    ("parameters", "ssm:GetParameter"),
    ("config_rules", "config:DescribeConfigRules"),
    ("event_rules", "events:DescribeRule"),
    ("topics", "sns:GetTopicAttributes"),
];

fn permission(key: &str) -> Option<&'static str> {
    PERMISSIONS.iter().find(|(name, _)| *name == key).map(|(_, permission)| *permission)
}

/// Account key and Region; the Region is empty for a whole account.
type PlaceKey = (String, String);

/// What was not read.
#[derive(Debug, Default)]
pub(super) struct Unread {
    /// Things that were not read, by place and reason.
    things: BTreeMap<(PlaceKey, Reason), Vec<String>>,
    /// Places of which nothing was read, with the sentence that says so, and how many things of the map are there.
    places: Vec<(PlaceKey, String, String)>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Reason {
    /// What AWS answered; nothing if it was not asked.
    answer: Option<(String, String)>,
    /// The permission that it takes.
    permission: Option<&'static str>,
    /// The reading.
    key: &'static str,
}

/// Why things were not read: of an account and Region, or of one reading of a thing there.
pub(super) type Reasons = BTreeMap<PlaceKey, Vec<(&'static str, Vec<String>, String)>>;

impl Unread {
    /// By place: the reading, the things, and why it was not read, in words. A place of which nothing was read has no reading.
    pub(super) fn reasons(&self) -> Reasons {
        let mut reasons = Reasons::new();
        for (place, sentence, _) in &self.places {
            reasons.entry(place.clone()).or_default().push(("", Vec::new(), sentence.clone()));
        }
        for ((place, reason), things) in &self.things {
            let what = if reason.key == "delivered" { "its log objects".to_owned() } else { reason.key.replace('_', " ") };
            reasons.entry(place.clone()).or_default().push((reason.key, things.clone(), reason.sentence(&what)));
        }
        reasons
    }

    /// Nothing of an account was read.
    pub(super) fn account<'p>(
        &mut self,
        account: &Account,
        failure: Option<Failure<'_>>,
        placements: impl Iterator<Item = &'p Placement>,
    ) {
        let count = placements.count();
        if count == 0 {
            return;
        }
        let (why, help) = match failure {
            None => (
                format!("account `{}` is in no snapshot", account.id),
                "make a snapshot of it: `logmap snapshot --script python` prints the program that reads the accounts of the map"
                    .to_owned(),
            ),
            Some(failure) => (
                format!("nothing was read of account `{}`: {} answered `{}`", account.id, said(failure.call), said(failure.code)),
                answer(failure.message),
            ),
        };
        self.places.push(((account.key.clone(), String::new()), why, help));
    }

    /// A Region does not answer.
    pub(super) fn region(&mut self, account: &Account, region: &str, why: &str) {
        let sentence = format!("nothing was read in `{region}` of account `{}`: {}", account.id, said(why));
        let help = "a Region that does not answer is unknown, not empty; read it again, or leave it out with `--region`";
        self.places.push(((account.key.clone(), region.to_owned()), sentence, help.to_owned()));
    }

    /// A reading of a thing that is neither an answer nor the answer that there is none. Gives whether that is so.
    pub(super) fn is(&mut self, account: &str, region: &str, thing: &str, key: &'static str, reading: Reading<'_>) -> bool {
        let answer = match reading {
            Reading::Is(_) | Reading::Nothing => return false,
            Reading::Failed(failure) => Some((failure.code.to_owned(), failure.message.to_owned())),
            Reading::Missing => None,
        };
        self.note(account, region, thing, key, answer);
        true
    }

    /// Something about a thing can't be told.
    pub(super) fn note(&mut self, account: &str, region: &str, thing: &str, key: &'static str, answer: Option<(String, String)>) {
        let reason = Reason { answer, permission: permission(key), key };
        self.things.entry(((account.to_owned(), region.to_owned()), reason)).or_default().push(thing.to_owned());
    }

    /// The findings, on the map.
    pub(super) fn findings(self, map: &Map<'_>, findings: &mut Vec<Finding>) {
        let span = |(account, region): &PlaceKey| match region.as_str() {
            "" => map.account(account),
            region => map.region(account, region),
        };
        for (place, sentence, help) in self.places {
            findings.push(Finding::new(&UNREAD, span(&place), sentence).help(help));
        }
        for ((place, reason), mut things) in self.things {
            things.sort();
            things.dedup();
            let what = reason.key.replace('_', " ");
            let of = few(&things, 3);
            let help = match &reason.answer {
                None => "the snapshot was made without asking; make it again with the map as it is now".to_owned(),
                Some((_, message)) => {
                    let needs = reason.permission.map(|name| format!("it takes `{name}`")).unwrap_or_default();
                    let message = answer(message);
                    [needs, message].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ")
                }
            };
            findings.push(Finding::new(&UNREAD, span(&place), reason.sentence_of(&what, &of)).help(help));
        }
    }
}

impl Reason {
    /// Why a reading of some things is missing.
    fn sentence_of(&self, what: &str, of: &str) -> String {
        match &self.answer {
            None => format!("{what} was not asked for, of {of}"),
            // a reason that is a sentence is ours
            Some((code, _)) if code.contains(' ') => format!("{what} could not be read, of {of}: {}", said(code)),
            Some((code, _)) => format!("{what} could not be read, of {of}: AWS answered `{}`", said(code)),
        }
    }

    /// The same where the thing is told already.
    fn sentence(&self, what: &str) -> String {
        match &self.answer {
            None => format!("{what} was not asked for"),
            Some((code, _)) if code.contains(' ') => format!("{what} could not be read: {}", said(code)),
            Some((code, _)) => format!("{what} could not be read: AWS answered `{}`", said(code)),
        }
    }
}

/// What came from an account, on one line.
fn said(text: &str) -> String {
    shown::line(&text.replace('`', "'")).into_owned()
}

fn answer(message: &str) -> String {
    if message.is_empty() { String::new() } else { format!("AWS says: {}", said(message)) }
}
