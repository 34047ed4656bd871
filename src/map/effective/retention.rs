//! Effective retention of access logs and of trails: the stream's own keys, else those of both.

use super::{DEFAULT_EXPIRE_AFTER_DAYS, DEFAULT_NONCURRENT_DAYS, storage_class};
use crate::{
    map::{ExpireAfter, LogBucket, Retention, StreamRetention, values},
    source::{Span, Spanned},
};

/// How long access logs, or the files of trails, are kept.
#[derive(Debug, Clone)]
pub struct Kept {
    /// Days; `None` for never.
    pub expire_after_days: Spanned<Option<u32>>,
    /// Days; `None` for never.
    pub noncurrent_expire_after_days: Option<u32>,
    /// Changes of storage class, the earliest first, with the place of the key; none has the place of nothing.
    pub transitions: Spanned<Vec<values::Transition>>,
    /// Bytes: only larger objects change their storage class; `None` for S3's own limit.
    pub transition_larger_than_bytes: Option<u32>,
}

impl Kept {
    /// Are both kept alike?
    pub(crate) fn is_like(&self, other: &Kept) -> bool {
        self.expire_after_days.value == other.expire_after_days.value
            && self.noncurrent_expire_after_days == other.noncurrent_expire_after_days
            && self.transitions.value == other.transitions.value
            && self.larger_than() == other.larger_than()
    }

    /// Bytes, where there is something to move.
    pub(crate) fn larger_than(&self) -> Option<u32> {
        self.transition_larger_than_bytes.filter(|_| !self.transitions.value.is_empty())
    }
}

/// The most transitions that one rule can have: one for each storage class.
const MOST_TRANSITIONS: usize = 6;

/// The nearest layer's key of the stream; if none has it, the nearest layer's key of both.
pub(super) fn kept<'m>(
    layers: &[&'m LogBucket],
    span: Span,
    stream: fn(&Retention) -> Option<&Spanned<StreamRetention>>,
) -> Kept {
    let retentions = || layers.iter().rev().filter_map(|layer| layer.retention.as_ref()).map(|retention| &retention.value);
    let days = |of_stream: fn(&StreamRetention) -> Option<&Spanned<ExpireAfter>>,
                of_both: fn(&Retention) -> Option<&Spanned<ExpireAfter>>| {
        let own = retentions().find_map(|retention| of_stream(&stream(retention)?.value));
        own.or_else(|| retentions().find_map(of_both)).copied()
    };
    let transition = retentions()
        .find_map(|retention| stream(retention)?.transition.as_ref())
        .or_else(|| retentions().find_map(|retention| retention.transition.as_ref()));
    let larger = retentions()
        .find_map(|retention| stream(retention)?.transition_larger_than_bytes)
        .or_else(|| retentions().find_map(|retention| retention.transition_larger_than_bytes));
    // more than the classes have been reported
    let mut transitions: Vec<values::Transition> = transition
        .iter()
        .flat_map(|transition| &transition.to)
        .take(MOST_TRANSITIONS + 1)
        .filter_map(|to| {
            Some(values::Transition {
                after_days: to.after_days.as_ref()?.value,
                storage_class: storage_class(to.storage_class.as_ref()?.value).to_owned(),
            })
        })
        .collect();
    transitions.sort_by_key(|to| to.after_days);
    Kept {
        expire_after_days: days(|own| own.expire_after_days.as_ref(), |both| both.expire_after_days.as_ref()).map_or(
            Spanned { value: Some(DEFAULT_EXPIRE_AFTER_DAYS), span },
            |days| Spanned { value: days.value.0, span: days.span },
        ),
        noncurrent_expire_after_days: days(
            |own| own.noncurrent_expire_after_days.as_ref(),
            |both| both.noncurrent_expire_after_days.as_ref(),
        )
        .map_or(Some(DEFAULT_NONCURRENT_DAYS), |days| days.value.0),
        transitions: Spanned { value: transitions, span: transition.map_or(span, |transition| transition.span) },
        transition_larger_than_bytes: larger.map(|bytes| bytes.value),
    }
}
