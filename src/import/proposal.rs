//! A proposal: what the map is to hold, and what is to be said of it. Data only.

use super::events::Events;
use crate::{
    catalog::importing::{GUESS, LEFT_OUT, OWN_CODE},
    diagnostics::{Finding, Rule},
    map::{Insight, KeyFormat},
    observed::{Selection, SourceLocation},
};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What a note says of its subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoteKind {
    /// The map has it, and no input tells it.
    Guess,
    /// The map does not have it.
    LeftOut,
    /// It is to be done in the code that sets the bucket up.
    OwnCode,
}

impl NoteKind {
    /// The rule, what a comment begins with, and what a message says after the subject.
    fn parts(self) -> (&'static Rule, &'static str, &'static str) {
        match self {
            NoteKind::Guess => (&GUESS, "guess", " is a guess"),
            NoteKind::LeftOut => (&LEFT_OUT, "left out", " is left out"),
            NoteKind::OwnCode => (&OWN_CODE, "to do", ""),
        }
    }
}

/// A guess, something that was left out, or something to do in others' code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Note {
    /// Which of them.
    pub kind: NoteKind,
    /// Where what it speaks of is told.
    pub place: SourceLocation,
    /// What it speaks of, such as a bucket's name.
    pub subject: String,
    /// Why.
    pub why: String,
}

impl Note {
    /// Says that something is a guess.
    pub(super) fn guess(place: SourceLocation, subject: impl Into<String>, why: impl Into<String>) -> Self {
        Note { kind: NoteKind::Guess, place, subject: subject.into(), why: why.into() }
    }

    /// Says that something is left out.
    pub(super) fn left_out(place: SourceLocation, subject: impl Into<String>, why: impl Into<String>) -> Self {
        Note { kind: NoteKind::LeftOut, place, subject: subject.into(), why: why.into() }
    }

    /// Says what is to be done in the code that sets a bucket up.
    pub(super) fn own_code(place: SourceLocation, subject: impl Into<String>, why: impl Into<String>) -> Self {
        Note { kind: NoteKind::OwnCode, place, subject: subject.into(), why: why.into() }
    }

    /// What a comment begins with.
    pub(super) fn heading(&self) -> &'static str {
        self.kind.parts().1
    }

    /// As a finding.
    pub(super) fn finding(&self) -> Finding {
        let (rule, _, what) = self.kind.parts();
        let message = format!("{}{what}: {}", self.subject, self.why);
        Finding::new(rule, self.place.span, message).in_file(self.place.file)
    }
}

/// What the map is to hold.
#[derive(Debug, Default, Clone)]
pub(super) struct Proposal {
    /// `organization.name`.
    pub organization: String,
    /// Why, if it is a guess.
    pub organization_note: Option<Note>,
    /// `organization.id` and `management_account`, where an organization trail needs them.
    pub organization_trails: Option<(String, String)>,
    /// Accounts by key.
    pub accounts: BTreeMap<String, Account>,
    /// Trails by name.
    pub trails: BTreeMap<String, Trail>,
    /// Notes that belong to no account or Region of the map.
    pub notes: Vec<Note>,
}

/// An account.
#[derive(Debug, Default, Clone)]
pub(super) struct Account {
    /// Account id: twelve digits.
    pub id: String,
    /// What is to be said of its key: the name that it has elsewhere, or why it is a guess.
    pub note: Option<Note>,
    /// Region name → what is there.
    pub regions: BTreeMap<String, Region>,
}

/// A Region of an account.
#[derive(Debug, Default, Clone)]
pub(super) struct Region {
    /// The log bucket that is there.
    pub adopt: Option<Adopt>,
    /// The sources by name.
    pub sources: BTreeMap<String, Source>,
    /// What is no source.
    pub left_out: Vec<Note>,
}

/// A log bucket that exists.
#[derive(Debug, Clone)]
pub(super) struct Adopt {
    /// Bucket name.
    pub name: String,
    /// Where it is told.
    pub place: SourceLocation,
    /// How it was recognised.
    pub why: String,
    /// Whether that is a guess.
    pub note: Option<Note>,
    /// The name of the one for trails, if it is another one.
    pub second: Option<String>,
    /// Keys of the accounts that its settings name.
    pub accounts: BTreeSet<String>,
    /// Statements of its policy that are not derived.
    pub statements: Vec<(Value, SourceLocation)>,
    /// What else it has, as keys of `log_bucket`.
    pub settings: Vec<(&'static str, Value)>,
    /// What is said of others.
    pub notes: Vec<Note>,
}

/// A source.
#[derive(Debug, Clone)]
pub(super) struct Source {
    /// Where it is told.
    pub place: SourceLocation,
    /// Does code set its logging?
    pub external: bool,
    /// How it logs today, where that is to stay.
    pub logs: Option<LogsAs>,
    /// The keys that say it, beside `name` and `logging`.
    pub keys: Vec<(&'static str, Value)>,
    /// What is to be said of it.
    pub notes: Vec<Note>,
}

/// The keys of a source's log objects.
#[derive(Debug, Clone)]
pub(super) struct LogsAs {
    /// The whole prefix, as S3 is told it.
    pub prefix: String,
    /// How they go on; nothing if no input tells.
    pub key_format: Option<KeyFormat>,
}

impl Source {
    /// Says in the map how it logs, where the settings of its log bucket would give something else.
    pub(super) fn say(&mut self, name: &str, usual_prefix: &str, usual_format: KeyFormat) {
        self.keys.clear();
        let Some(logs) = &self.logs else { return };
        let key_format = logs.key_format.unwrap_or(usual_format);
        let own = if key_format == KeyFormat::Simple { format!("{name}/") } else { String::new() };
        let base = logs.prefix.strip_suffix(&own);
        if base != Some(usual_prefix) {
            let is_said = |base: &&str| base.is_empty() || base.ends_with('/') && !base.starts_with('/');
            self.keys.push(match base.filter(is_said) {
                Some(base) => ("prefix", base.into()),
                None => ("exact_prefix", logs.prefix.as_str().into()),
            });
        }
        if key_format != usual_format {
            self.keys.push(("key_format", key_format.word().into()));
        }
    }
}

/// A trail.
#[derive(Debug, Clone)]
pub(super) struct Trail {
    /// Where it is told.
    pub place: SourceLocation,
    /// Is it the organization's?
    pub organization: bool,
    /// Keys of the accounts that have it.
    pub accounts: BTreeSet<String>,
    /// Names of the buckets that it delivers to.
    pub buckets: BTreeSet<String>,
    /// Its home Region; `None` if it is one trail in each Region.
    pub home_region: Option<String>,
    /// Key of the account that takes its logs, if it is not the writer's own.
    pub deliver_to: Option<String>,
    /// Prefix; may be empty.
    pub prefix: String,
    /// Region → key ARN.
    pub keys: BTreeMap<String, String>,
    /// Are there digest files?
    pub validation: bool,
    /// Names of the log group that takes its events, and of the role that writes there.
    pub logs: Option<(String, String)>,
    /// Name or ARN of the topic that hears of its files.
    pub topic: Option<String>,
    /// Its Insights.
    pub insights: Vec<Insight>,
    /// Which events it records, if the map says so.
    pub events: Option<Events>,
    /// ARN → event selectors, where those are to be the map's.
    pub selectors: BTreeMap<String, Selection>,
    /// What is to be said of it.
    pub notes: Vec<Note>,
}
