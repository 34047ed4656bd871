//! The days with log objects: a list with a delimiter is a calendar, and no object is read.

use super::{
    account::{Account, Answer, Failure},
    entry::{Record, record},
    http::Input,
    operation,
};
use crate::{policy::evaluate::instant, scope::PlaceScope, threads};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::SystemTime,
};

/// Who looks, and where.
pub(super) struct Look<'a> {
    /// The account that is asked.
    pub account: &'a Account<'a>,
    /// Its id.
    pub id: &'a str,
    /// The Regions of the map that are asked.
    pub places: &'a BTreeMap<&'a str, &'a PlaceScope>,
    /// How many days are looked at, today among them.
    pub days: u32,
    /// Calls under way at once.
    pub jobs: usize,
}

/// Keys that are looked at.
struct Wanted<'a> {
    region: &'a str,
    bucket: &'a str,
    source: &'a str,
    prefix: String,
    format: Option<String>,
    /// Other sources have the same flat keys.
    shared: bool,
}

/// Looks for the log objects of the map's sources, in its log buckets.
pub(super) fn read(look: &Look<'_>, listed: &BTreeMap<String, Option<String>>, buckets: &mut BTreeMap<&str, Record>) {
    let mut wanted = Vec::new();
    for (region, place) in look.places {
        let known: BTreeSet<&str> = place.log_buckets.iter().map(|bucket| bucket.name.as_str()).collect();
        let mut flat: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for source in place.sources.iter().filter(|source| source.format.is_none()) {
            *flat.entry((&source.log_bucket, &source.prefix)).or_default() += 1;
        }
        for source in &place.sources {
            if listed.get(&source.log_bucket).and_then(Option::as_deref) != Some(region) {
                continue;
            }
            let mut keys = vec![(source.prefix.clone(), source.format.map(str::to_owned))];
            let live = buckets.get(source.name.as_str()).and_then(|entry| entry.get("logging")?.get("LoggingEnabled"));
            if let Some(live) = live.filter(|live| live["TargetBucket"].as_str().is_some_and(|name| known.contains(name))) {
                let parts = live["TargetObjectKeyFormat"].get("PartitionedPrefix");
                let format = parts.map(|parts| parts["PartitionDateSource"].as_str().unwrap_or("EventTime").to_owned());
                let other = (live["TargetPrefix"].as_str().unwrap_or_default().to_owned(), format);
                // flat keys of nobody's own prefix can't be told apart
                if other != keys[0] && (other.1.is_some() || other.0.contains(&source.name)) {
                    keys.push(other);
                }
            }
            for (prefix, format) in keys {
                let shared = format.is_none() && flat.get(&(&*source.log_bucket, &*prefix)).is_some_and(|count| *count > 1);
                wanted.push(Wanted { region, bucket: &source.log_bucket, source: &source.name, prefix, format, shared });
            }
        }
    }
    let answers = threads::pool(&wanted, look.jobs, |one| delivered(look, one));
    for (one, answer) in wanted.iter().zip(answers) {
        if let Some(Value::Array(all)) =
            buckets.get_mut(one.bucket).map(|entry| entry.entry("delivered").or_insert_with(|| json!([])))
        {
            all.push(Value::Object(answer));
        }
    }
    for bucket in look.places.values().flat_map(|place| &place.log_buckets) {
        if listed.contains_key(&bucket.name)
            && let Some(entry) = buckets.get_mut(bucket.name.as_str())
        {
            entry.entry("delivered").or_insert_with(|| json!([]));
        }
    }
}

/// The days with log objects of one source, under some keys.
fn delivered(look: &Look<'_>, wanted: &Wanted<'_>) -> Record {
    let Wanted { region, bucket, source, prefix, format, shared } = wanted;
    let mut found = record([("source", json!(source)), ("prefix", json!(prefix)), ("format", json!(format))]);
    if *shared {
        found.extend(record([("shared", json!(true)), ("complete", json!(false)), ("days", json!([]))]));
        return found;
    }
    let failed = |mut found: Record, failure: Failure| {
        if let Value::Object(failure) = failure.value() {
            found.extend(failure);
        }
        found
    };
    let root = match format {
        None => prefix.clone(),
        Some(_) => format!("{prefix}{}/{region}/{source}/", look.id),
    };
    let one = list(look, region, bucket, &[("prefix", &root), ("max-keys", "1")]);
    let ever = match one {
        Answer::Is(answer) => answer["Contents"].as_array().is_some_and(|objects| !objects.is_empty()),
        Answer::Failed(failure) => return failed(found, failure),
        Answer::Nothing => false,
    };
    found.insert("ever".to_owned(), json!(ever));
    let days = days(SystemTime::now(), look.days);
    let months: BTreeSet<&str> = days.iter().filter(|_| ever).map(|day| &day[..7]).collect();
    let mut seen = BTreeSet::new();
    for month in months {
        let (under, delimiter) = match format {
            None => (format!("{root}{month}-"), "-"),
            Some(_) => (format!("{root}{}/", month.replace('-', "/")), "/"),
        };
        let prefixes = match prefixes(look, region, bucket, &under, delimiter) {
            Ok(prefixes) => prefixes,
            Err(failure) => return failed(found, failure),
        };
        let of_root = prefixes.iter().filter_map(|name| name.strip_prefix(&root));
        seen.extend(of_root.map(|day| day.trim_end_matches(['/', '-']).replace('/', "-")).filter(|day| days.contains(day)));
    }
    found.insert("days".to_owned(), json!(seen));
    found.insert("complete".to_owned(), json!(true));
    found
}

/// The last days, today among them: `2026-11-30`.
fn days(now: SystemTime, count: u32) -> BTreeSet<String> {
    let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let today = i64::try_from(since).unwrap_or_default();
    (0..i64::from(count)).map(|back| instant::show(today - back * 86_400)[..10].to_owned()).collect()
}

/// Lists keys, which come as URLs have them: a key may have characters that XML can't.
fn list(look: &Look<'_>, region: &str, bucket: &str, fields: &[(&'static str, &str)]) -> Answer {
    let fields = [("encoding-type", "url")].into_iter().chain(fields.iter().copied()).collect();
    look.account.ask(&operation::LIST_OBJECTS, region, &Input { fields, ..Input::bucket(bucket) })
}

/// What lies under a prefix, up to the delimiter.
fn prefixes(look: &Look<'_>, region: &str, bucket: &str, prefix: &str, delimiter: &str) -> Result<Vec<String>, Failure> {
    let (mut found, mut token) = (Vec::new(), None::<String>);
    loop {
        let mut fields = vec![("prefix", prefix), ("delimiter", delimiter)];
        fields.extend(token.as_deref().map(|token| ("continuation-token", token)));
        let mut answer = match list(look, region, bucket, &fields) {
            Answer::Is(answer) => answer,
            Answer::Failed(failure) => return Err(failure),
            Answer::Nothing => return Ok(found),
        };
        let items = answer["CommonPrefixes"].as_array();
        let names = items.into_iter().flatten().filter_map(|item| item["Prefix"].as_str());
        found.extend(names.map(|name| percent_decode_str(&name.replace('+', " ")).decode_utf8_lossy().into_owned()));
        match answer["NextContinuationToken"].take() {
            Value::String(next) if answer["IsTruncated"] == true && token.as_ref() != Some(&next) => token = Some(next),
            _ => return Ok(found),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_last_days_cross_months() {
        // 2026-03-01T00:00:10Z
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_772_323_210);
        assert_eq!(days(now, 3), ["2026-02-27", "2026-02-28", "2026-03-01"].map(str::to_owned).into());
    }
}
