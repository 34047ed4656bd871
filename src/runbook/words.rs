//! Words: what each kind of work is for, how it is proven, undone and recorded. Sentences; values stand in backticks.

use super::{
    DRAIN_HOURS, SHOWN, VERIFY_HOURS,
    step::{Arrival, Leftover, Quiet, SourceMove, Step, Work},
};
use crate::text::few;

/// What a reader has to know of one kind of work.
#[derive(Debug, Clone, Copy)]
pub struct Words {
    /// Heading of the phase.
    pub title: &'static str,
    /// Why it is there, and why at this point.
    pub why: &'static str,
    /// What proves that it is done.
    pub check: &'static str,
    /// How it is undone.
    pub rollback: &'static str,
    /// What to keep as evidence.
    pub evidence: &'static str,
}

impl Work {
    /// All, in order.
    pub const ALL: [Work; 10] = [
        Work::Create,
        Work::Grant,
        Work::Clear,
        Work::Recreate,
        Work::Switch,
        Work::Release,
        Work::Verify,
        Work::Drain,
        Work::Narrow,
        Work::Retire,
    ];

    /// What to say of it.
    pub fn words(self) -> Words {
        match self {
            Work::Create => Words {
                title: "Make the new log buckets",
                why: "S3 accepts a target that lets nobody in, and drops the logs without a word. So each new log bucket gets its policy, encryption, lifecycle and the rest before anything points to it.",
                check: "`--verify` reads every setting back and finds no difference.",
                rollback: "Nothing points to the buckets yet: they may stay empty. Nothing is deleted.",
                evidence: "The record of the step: the names of the buckets and the settings that were made.",
            },
            Work::Grant => Words {
                title: "Let in the old and the new",
                why: "Log buckets of both maps get a policy for the sources and trails of both, so that it does not matter when each of them is switched, and late logs of the old way still arrive.",
                check: "`--verify` compares the policy with the one that was proven for both maps.",
                rollback: "`--rollback` puts the old map's policy back. Do it only while nothing is switched.",
                evidence: "The policy before (in the backup folder) and after.",
            },
            Work::Clear => Words {
                title: "Make room for new trails",
                why: "Five trails fit into a Region, and a name is taken until its trail is gone. These end before their successors are made: the gap lasts until the switch step of the account, so take the two one right after the other.",
                check: "`--verify` finds no such trail.",
                rollback: "`--rollback` makes the trail again with its old settings; its digest chain starts anew.",
                evidence: "The trail's settings, which the script prints before it ends the trail.",
            },
            Work::Recreate => Words {
                title: "Source buckets are made again (by their owners)",
                why: "A bucket can't change its Region or account. Its owners copy the objects away, delete it and make it in its new place. logmap deletes nothing; the script only looks. Nothing is logged from the deletion until the switch step: keep everything else ready before.",
                check: "The script ends with 0 when each bucket is where the new map says.",
                rollback: "None by a script: making the bucket again in the old place needs the name to be free once more.",
                evidence: "When the old bucket was deleted and the new one made: that is the window without access logs.",
            },
            Work::Switch => Words {
                title: "Switch sources and trails",
                why: "Everything that must let logs in does so by now. `PutBucketLogging` replaces a source's destination in one call, `UpdateTrail` a trail's: each logs to its old destination before it and to the new one after it, never to none. S3 may follow the old one for the next hour, which is still granted.",
                check: "`--verify` reads each source's logging status and each trail's settings back.",
                rollback: "`--rollback` sets the old destinations again; they are granted until the narrowing.",
                evidence: "The time of the switch (the record has it): from it the waits are counted.",
            },
            Work::Release => Words {
                title: "What leaves the map stops",
                why: "These sources and trails are in no map any more, and their grants are about to go. A source that went on logging would lose its logs without a word, a trail would be retried and billed for 30 days. So logging is switched off, and trails end. If one of them should go on, put it back into the new map instead.",
                check: "`--verify` finds their logging off, or the buckets gone, and no such trail.",
                rollback: "`--rollback` sets the old destination again, and makes an ended trail again; its digest chain starts anew.",
                evidence: "Which sources and trails stopped, when, and who decided so.",
            },
            Work::Verify => Words {
                title: "See the first objects arrive",
                why: "No error is ever shown when access logs don't arrive. The first object at the new destination is the proof that location, status and policy fit together.",
                check: "The script ends with 0 when every source and trail has delivered. Most logs come within a few hours; use the bucket once if it is quiet (a `head-object` is enough).",
                rollback: "Nothing is changed. If something has not arrived after a day, roll the switch back, and compare policy, encryption and Object Lock of the log bucket with `--verify` of its first step.",
                evidence: "The keys of the first objects, which the script prints.",
            },
            Work::Drain => Words {
                title: "Wait until the old destinations are quiet",
                why: "Late logs of the time before the switch still come to the old destinations. Their grants stay until nothing has arrived for a day.",
                check: "The script ends with 0 when the switch is long enough ago and the youngest object in each old destination is old enough.",
                rollback: "Nothing is changed.",
                evidence: "The times that the script prints.",
            },
            Work::Narrow => Words {
                title: "Take away what nobody needs",
                why: "Policies become those of the new map; log buckets that are in no map any more let nobody deliver. Whoever could read still can. The scripts refuse while a source still logs to an old destination, and without the records of verification and drain.",
                check: "`--verify` compares each policy with the new map's.",
                rollback: "`--rollback` grants the old and the new again.",
                evidence: "The policies before and after.",
            },
            Work::Retire => Words {
                title: "Let old logs expire",
                why: "Old log buckets and prefixes keep their logs until their lifecycle rules expire them. Nothing is deleted by hand, and an empty log bucket keeps its name from strangers. Rules of old prefixes go when nothing lies there any more; only then does the lifecycle become the new map's.",
                check: "The script ends with 0 when the rules are right; it says what still holds logs. Come back when they have expired.",
                rollback: "`--rollback` restores the lifecycle rules. What has expired is gone.",
                evidence: "When each old prefix and bucket was found empty.",
            },
        }
    }
}

/// A value to stand in backticks.
fn value(text: &str) -> String {
    text.replace('`', "'")
}

fn destination(source: Option<&crate::plan::Source>) -> String {
    source.map_or("nowhere".to_owned(), |source| {
        let format = match source.key_format.partition_date_source() {
            Some(by) => format!("partitioned, {by}"),
            None => "flat keys".to_owned(),
        };
        format!("`s3://{}/{}` ({format})", source.log_bucket, value(&source.prefix))
    })
}

impl Step {
    /// What the step does, a line for each thing; many alike are one line.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if self.work == Work::Recreate {
            for source in &self.sources {
                let Some(from) = &source.moved_from else { continue };
                lines.push(format!(
                    "`{}`: from `{}` of {} to `{}` of {}",
                    source.name, from.region, from.account_id, self.placement.region, self.placement.account_id
                ));
            }
            return lines;
        }
        if self.work != Work::Verify {
            for bucket in &self.buckets {
                let name = &bucket.after.name;
                let tier = bucket.after.report.tier.phrase();
                let policy = bucket.before.as_ref().is_none_or(|before| before.policy != bucket.after.policy);
                let more = if policy {
                    format!("policy ({tier}, {} bytes)", bucket.after.policy.size())
                } else {
                    "lifecycle and settings".to_owned()
                };
                let verb = if bucket.before.is_none() && bucket.after.adopt.is_none() { "make" } else { "set" };
                lines.push(format!("{verb} `{name}`: {more}"));
            }
            lines.extend(sources(&self.sources));
            for trail in &self.trails {
                lines.push(match (&trail.before, &trail.after) {
                    (Some(before), None) => format!("end the trail `{}` of `{}`", before.name, trail.old_home),
                    (Some(before), Some(after)) if before.arn == after.arn && target(before) == target(after) => {
                        format!("set the trail `{}`", after.name)
                    }
                    (Some(before), Some(after)) if before.arn == after.arn => {
                        format!("the trail `{}` delivers to {} instead of {}", after.name, target(after), target(before))
                    }
                    (Some(_), Some(after)) => format!(
                        "end the trail `{}` of `{}`, and make it in `{}`, delivering to `{}`",
                        after.name, trail.old_home, self.placement.region, after.bucket
                    ),
                    (None, Some(after)) => format!("make the trail `{}`, delivering to `{}`", after.name, after.bucket),
                    (None, None) => String::new(),
                });
            }
        }
        lines.extend(first_lines(
            self.arrivals.iter().map(|arrival| match arrival {
                Arrival::Source { name, bucket, under, .. } => {
                    format!("first object of `{name}` under `s3://{bucket}/{}`", value(under))
                }
                Arrival::Trail { name, bucket } => format!("a delivery of the trail `{name}` to `{bucket}`"),
            }),
            "objects to arrive",
        ));
        lines.extend(first_lines(
            self.quiets.iter().map(|quiet| match quiet {
                Quiet { name, bucket, .. } if name.is_empty() => format!("`{bucket}`: trails deliver elsewhere"),
                Quiet { bucket, under, .. } => format!("nothing for {DRAIN_HOURS} hours in `s3://{bucket}/{}`", value(under)),
            }),
            "old destinations",
        ));
        for leftover in &self.leftovers {
            lines.push(match leftover {
                Leftover::Bucket(bucket) => format!("`{}` keeps its logs and its lifecycle rules", bucket.name),
                Leftover::Prefix { bucket, prefix, days, live } => {
                    let but = if live.is_empty() { "" } else { " but what the new map delivers" };
                    format!(
                        "`{bucket}`: the rule of `{}` goes when nothing lies there{but}, about {days} days after the switch",
                        value(prefix)
                    )
                }
            });
        }
        lines
    }
}

fn target(trail: &crate::plan::Trail) -> String {
    let prefix = if trail.prefix.is_empty() { String::new() } else { format!("{}/", value(&trail.prefix)) };
    format!("`s3://{}/{prefix}AWSLogs/`", trail.bucket)
}

/// Sources that go the same way are one line.
fn sources(moves: &[SourceMove]) -> Vec<String> {
    let mut ways: indexmap::IndexMap<String, Vec<&str>> = indexmap::IndexMap::new();
    for source in moves {
        let own = |text: String| text.replace(&format!("/{}/`", source.name), "/{source}/`");
        let by = if source.managed { "" } else { ", to be set by its owners" };
        let way = match (&source.before, &source.after) {
            (_, None) => format!("logging off{by}; was {}", own(destination(source.before.as_ref()))),
            (None, after) => format!("to {}{by}", own(destination(after.as_ref()))),
            (before, after) => format!("from {} to {}{by}", own(destination(before.as_ref())), own(destination(after.as_ref()))),
        };
        ways.entry(way).or_default().push(&source.name);
    }
    ways.into_iter()
        .map(|(way, names)| {
            let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            format!("{}: {way}", few(&names, SHOWN))
        })
        .collect()
}

fn first_lines(lines: impl ExactSizeIterator<Item = String>, what: &str) -> Vec<String> {
    let more = lines.len().saturating_sub(SHOWN);
    let mut shown: Vec<String> = lines.take(SHOWN).collect();
    if more > 0 {
        shown.push(format!("and {more} more {what}"));
    }
    shown
}

/// The verification window, as people say it.
pub(crate) fn window() -> String {
    format!("{VERIFY_HOURS} hours")
}
