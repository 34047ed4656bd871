//! Lifecycle rules of a log bucket: one for each prefix, and the rules of S3 that it takes.

use super::{Transition, later};
use crate::aws::limits::ABORT_UPLOAD_AFTER_DAYS;
use serde::{Serialize, Serializer};

/// How long what lies under a prefix is kept. It also aborts multipart uploads that are incomplete after 7 days.
#[derive(Debug, Clone, Serialize)]
pub struct LifecycleRule {
    /// `access-logs`, `access-logs-2` …, `cloudtrail`, `cloudtrail-2` …
    pub id: String,
    /// Key prefix; empty for the whole bucket.
    pub prefix: String,
    /// Days after which an object expires; `None` for never.
    pub expire_after_days: Option<u32>,
    /// Days after which a noncurrent version is deleted; `None` for never.
    pub noncurrent_expire_after_days: Option<u32>,
    /// Changes of storage class before that, the earliest first.
    #[serde(rename = "transition", serialize_with = "transitions")]
    pub transitions: Vec<Transition>,
    /// Bytes: only objects that are larger change their storage class. `None` leaves it to S3, which moves none under 128 KB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transition_larger_than_bytes: Option<u32>,
}

/// One rule as S3 has it. A filter by size holds for the whole rule, so transitions with one are a rule of their own.
#[derive(Debug, Serialize)]
pub(crate) struct S3Rule<'a> {
    /// Id of the rule, unique in its bucket.
    pub id: String,
    /// Key prefix; empty for the whole bucket.
    pub prefix: &'a str,
    /// Bytes: the rule is for larger objects only; 0 for objects of any size.
    pub larger_than_bytes: u32,
    /// Days after which an object expires; 0 for never.
    pub expire_after_days: u32,
    /// Days after which a noncurrent version is deleted; 0 for never.
    pub noncurrent_expire_after_days: u32,
    /// Days after which the parts of an unfinished upload are deleted; 0 where another rule does it: S3 has no sizes of uploads
    /// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-configuration-examples.html>).
    pub abort_upload_after_days: u32,
    /// Changes of storage class, the earliest first: `after_days`, `storage_class`.
    pub transitions: &'a [Transition],
}

impl LifecycleRule {
    /// Whether objects, or noncurrent versions, are gone sooner by this rule than by the other.
    pub(crate) fn is_shorter_than(&self, other: &LifecycleRule) -> bool {
        let sooner = |one: Option<u32>, other: Option<u32>| one.is_some_and(|days| other.is_none_or(|longer| days < longer));
        sooner(self.expire_after_days, other.expire_after_days)
            || sooner(self.noncurrent_expire_after_days, other.noncurrent_expire_after_days)
    }

    /// Keeps what lies under it at least as long as the other rule does.
    pub(crate) fn lengthen(&mut self, other: &LifecycleRule) {
        self.expire_after_days = later(self.expire_after_days, other.expire_after_days);
        self.noncurrent_expire_after_days = later(self.noncurrent_expire_after_days, other.noncurrent_expire_after_days);
    }

    /// Whether its transitions are a rule of their own.
    fn has_second(&self) -> bool {
        self.transition_larger_than_bytes.is_some() && !self.transitions.is_empty()
    }

    fn s3_rules(&self) -> impl Iterator<Item = S3Rule<'_>> {
        let apart = self.has_second();
        let first = S3Rule {
            id: self.id.clone(),
            prefix: &self.prefix,
            larger_than_bytes: 0,
            expire_after_days: self.expire_after_days.unwrap_or_default(),
            noncurrent_expire_after_days: self.noncurrent_expire_after_days.unwrap_or_default(),
            abort_upload_after_days: ABORT_UPLOAD_AFTER_DAYS,
            transitions: if apart { &[] } else { &self.transitions },
        };
        let second = apart.then(|| S3Rule {
            id: format!("{}-transitions", self.id),
            prefix: &self.prefix,
            larger_than_bytes: self.transition_larger_than_bytes.unwrap_or_default(),
            expire_after_days: 0,
            noncurrent_expire_after_days: 0,
            abort_upload_after_days: 0,
            transitions: &self.transitions,
        });
        std::iter::once(first).chain(second)
    }
}

/// The rules of S3, in their order.
pub(crate) fn s3_rules(rules: &[LifecycleRule]) -> impl Iterator<Item = S3Rule<'_>> {
    rules.iter().flat_map(LifecycleRule::s3_rules)
}

/// How many rules of S3 they are.
pub(crate) fn count(rules: &[LifecycleRule]) -> usize {
    rules.len() + rules.iter().filter(|rule| rule.has_second()).count()
}

/// None or one as the digests of files have always had them; more as a list.
fn transitions<S: Serializer>(transitions: &[Transition], serializer: S) -> Result<S::Ok, S::Error> {
    match transitions {
        [] => serializer.serialize_none(),
        [one] => one.serialize(serializer),
        more => more.serialize(serializer),
    }
}
