//! Several maps of one organisation: what is in two of them.
//!
//! Takes analyses, gives findings with their places among the files of all maps. What is wrong in one map alone is not said here.

use crate::{
    analysis::Analysis,
    aws::Partition,
    catalog::several::{ACCOUNT_IN_TWO_MAPS, IN_TWO_MAPS},
    diagnostics::Finding,
    document::path::Path,
    map,
    source::{FileId, Span},
};
use std::collections::BTreeMap;

/// Where something stands: which map, and its bytes in it.
type At = (usize, Span);

/// What is in two of the maps. `starts` has, for each map, the number of its first file among the files of all.
pub(crate) fn shared(maps: &[Analysis], starts: &[u32]) -> Vec<Finding> {
    let mut places: BTreeMap<(String, String), At> = BTreeMap::new();
    let mut accounts: BTreeMap<String, At> = BTreeMap::new();
    let mut sources: BTreeMap<(Partition, String), (At, (String, String))> = BTreeMap::new();
    let mut found = Vec::new();
    for (at, map) in maps.iter().enumerate() {
        let whole = map::decode(&map.document, &mut Vec::new());
        let ids: BTreeMap<&str, &str> =
            whole.accounts().filter_map(|(key, account)| Some((key.as_str(), account.id.as_ref()?.value.as_str()))).collect();
        // what is derived, log buckets of trails alone too, where it is written, or by its account
        for (account, placement) in map.derived().into_iter().flat_map(crate::plan::Plan::placements) {
            let here = (at, place(map, &account.key, &placement.region));
            if let Some(first) = other(&mut places, (account.id.clone(), placement.region.clone()), here) {
                let what = format!("`{}` of account `{}` is in two maps", placement.region, account.id);
                let help = "each map writes the policy and the lifecycle of the log bucket there as if it were alone, and takes away what the \
                            other one grants; keep the Region in one map, or make one map of both with `include`";
                found.push(finding(&IN_TWO_MAPS, maps, starts, here, first, what, help));
            }
        }
        for (key, account) in whole.accounts() {
            let Some(id) = ids.get(key.as_str()) else { continue };
            let here = (at, key.span);
            if let Some(first) = other(&mut accounts, (*id).to_owned(), here)
                && !account
                    .regions()
                    .any(|(region, _)| places.get(&((*id).to_owned(), region.value.clone())).is_some_and(|one| one.0 != at))
            {
                let what = format!("account `{id}` is in two maps");
                let help = "its Regions are different ones, so that both can be used; what is made once in an account, such as a role or a \
                            trail, must not have one name in both";
                found.push(finding(&ACCOUNT_IN_TWO_MAPS, maps, starts, here, first, what, help));
            }
            for (region, content) in account.regions() {
                for name in content.sources().filter_map(map::Bucket::name) {
                    let (here, home) = ((at, name.span), ((*id).to_owned(), region.value.clone()));
                    let known = sources.entry((Partition::of_region(region), name.value.clone())).or_insert((here, home.clone()));
                    // of one Region in two maps it is said of the Region
                    if known.0.0 != at && known.1 != home {
                        let (first_id, first_region) = &known.1;
                        let what = format!(
                            "`{}` is in `{}` of account `{id}` here, and in `{first_region}` of account `{first_id}` in another map",
                            name.value, region.value
                        );
                        let help = "a name is one bucket in all accounts and Regions; `aws s3api head-bucket` tells where it is";
                        found.push(finding(&IN_TWO_MAPS, maps, starts, here, known.0, what, help));
                    }
                }
            }
        }
    }
    found
}

/// Where something is in a map before; it is remembered if it is new.
fn other<K: Ord>(known: &mut BTreeMap<K, At>, key: K, here: At) -> Option<At> {
    let first = *known.entry(key).or_insert(here);
    (first.0 != here.0).then_some(first)
}

/// The key of a Region, or of the account where the map does not write the Region.
fn place(map: &Analysis, account: &str, region: &str) -> Span {
    let at = |keys: &[&str]| Path::of(&map.document, keys)?.key();
    at(&["accounts", account, "regions", region]).or_else(|| at(&["accounts", account])).unwrap_or_default()
}

fn finding(
    rule: &'static crate::diagnostics::Rule,
    maps: &[Analysis],
    starts: &[u32],
    here: At,
    first: At,
    what: String,
    help: &str,
) -> Finding {
    let locate = |(map, span): At| {
        let (file, span) = maps.get(map).map_or((FileId::default(), span), |map| map.file.locate(span));
        (FileId(starts.get(map).copied().unwrap_or(0).saturating_add(file.0)), span)
    };
    let ((file, span), (first_file, first_span)) = (locate(here), locate(first));
    Finding::new(rule, span, what).in_file(file).related_in(first_file, first_span, "the other map has it here").help(help)
}
