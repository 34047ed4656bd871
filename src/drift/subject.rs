//! A log bucket that is looked at: what the map has of it, and what was read.

use super::{Out, world::Place};
use crate::{
    diagnostics::{Finding, Rule},
    plan::LogBucket,
    snapshot::{BucketReading, Reading},
    source::Span,
};

/// One bucket, with where its findings go.
pub(super) struct Subject<'a> {
    pub place: &'a Place<'a>,
    pub bucket: &'a LogBucket,
    pub live: &'a BucketReading<'a>,
    /// Where the map speaks of it.
    pub span: Span,
}

impl Subject<'_> {
    /// A finding, with the command that mends it.
    pub(super) fn finding(&self, rule: &'static Rule, message: String) -> Finding {
        self.place.finding(rule, self.span, self.live.span, message)
    }

    /// Was it read? What was not is noted.
    pub(super) fn read(&self, key: &'static str, out: &mut Out<'_>) -> Option<Reading<'_>> {
        let reading = self.live.reading(key);
        let (account, region) = (&self.place.account.key, &self.place.placement.region);
        (!out.unread.is(account, region, &self.bucket.name, key, reading)).then_some(reading)
    }
}
