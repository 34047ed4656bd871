//! The budget of each policy, as `validate` and `generate` print it.

use crate::plan::{Plan, Tier};

/// The budget of each policy, fullest first.
pub(super) fn budgets(plan: &Plan, most: usize) -> String {
    let mut buckets: Vec<_> = plan.placements().flat_map(|(_, placement)| &placement.buckets).collect();
    buckets.sort_by(|a, b| b.report.bytes_used.cmp(&a.report.bytes_used).then(a.name.cmp(&b.name)));
    let width = buckets.iter().take(most).map(|bucket| bucket.name.len()).max().unwrap_or(0);
    let mut text: String = buckets
        .iter()
        .take(most)
        .map(|bucket| {
            let tier = if bucket.takes_copies {
                "copies only"
            } else if bucket.report.tier == Tier::None {
                "trails only"
            } else {
                bucket.report.tier.word()
            };
            let notes: String = bucket.report.notes.iter().map(|note| format!("    {note}\n")).collect();
            format!(
                "policy of {:width$}  {tier:<11}  {:>5} bytes used, {:>5} left\n{notes}",
                bucket.name, bucket.report.bytes_used, bucket.report.bytes_left
            )
        })
        .collect();
    if let Some(more @ 1..) = buckets.len().checked_sub(most) {
        text += &format!("and {more} more policies with fewer bytes (-v shows them)\n");
    }
    text
}
