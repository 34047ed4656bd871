//! The page beside the templates: the commands, who is in no template, and who has left one.

use super::{PlacementPart, StackSetRecord};
use crate::{plan::Account, render::Context, text};
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeMap;

/// Contract of `cloudformation/stacksets.md`.
#[derive(Serialize)]
pub(super) struct Page {
    /// What made it, and how to make it again.
    header: Vec<String>,
    /// Tags of the StackSets and of everything that is made, as a JSON list; empty for none.
    tags: String,
    /// What a stack has to be allowed.
    capability: &'static str,
    /// The account and Region of the archive that log buckets are copied to, for people; empty for none.
    archive: String,
    /// The templates, that of the archive's Region first.
    templates: Vec<Template>,
    /// Accounts that an earlier run had in a template that has them no more.
    moves: Vec<Move>,
    /// What no template holds.
    left_out: Vec<LeftOut>,
}

/// One template.
#[derive(Serialize)]
pub(super) struct Template {
    /// File name.
    file: String,
    /// The file as the AWS CLI takes it.
    file_url: String,
    /// A name for the StackSet.
    name: String,
    /// Region name.
    region: String,
    /// Account keys, joined for reading.
    keys: String,
    /// Account ids, separated by spaces.
    ids: String,
    /// The checks to run before, as paths from the page.
    preflights: Vec<String>,
    /// Its place among the Region's.
    #[serde(skip)]
    pub(super) number: usize,
}

/// An account that has left a template.
#[derive(Serialize)]
struct Move {
    /// Twelve digits.
    account_id: String,
    /// The account's key in the map, or its id if the map has it no more.
    account: String,
    /// Region name.
    region: String,
    /// The StackSet that it was in.
    from: String,
    /// The StackSet that it is in now; empty for none.
    to: String,
    /// Path of its own template from the page, where it is in no StackSet; empty if there is nothing in the Region any more.
    own: String,
    /// The check of that template.
    own_preflight: String,
}

/// An account and Region that no template holds.
#[derive(Serialize)]
pub(super) struct LeftOut {
    /// Account key.
    pub(super) account: String,
    /// Region name.
    pub(super) region: String,
    /// Why.
    pub(super) reason: &'static str,
}

impl Template {
    pub(super) fn new(region: &str, number: usize, parts: &[PlacementPart]) -> Self {
        let joined = |of: fn(&PlacementPart) -> String, separator: &str| parts.iter().map(of).collect::<Vec<_>>().join(separator);
        let name = StackSetRecord::file_stem(region, number);
        Template {
            file: format!("{name}.yaml"),
            file_url: format!("file://{name}.yaml"),
            name: StackSetRecord::stack_set(region, number),
            region: region.to_owned(),
            keys: joined(|part| part.account_key.to_owned(), ", "),
            ids: joined(|part| part.account_id.to_owned(), " "),
            preflights: parts.iter().map(|part| format!("../{}/{region}-preflight.sh", part.account_key)).collect(),
            number,
        }
    }
}

impl Page {
    /// `records` say who is in which template, and who has left it.
    pub(super) fn new(cx: &Context, mut templates: Vec<Template>, left_out: Vec<LeftOut>, records: &[StackSetRecord]) -> Self {
        let accounts: BTreeMap<&str, &Account> =
            cx.plan().accounts.iter().map(|account| (account.id.as_str(), account)).collect();
        let places: BTreeMap<(&str, &str), usize> = records
            .iter()
            .flat_map(|record| record.accounts.iter().map(move |id| ((&*record.region, &**id), record.number)))
            .collect();
        let moves: Vec<Move> = records
            .iter()
            .flat_map(|record| record.left.iter().map(move |id| (record, id)))
            .map(|(record, id)| {
                let region = &record.region;
                let account = accounts.get(id.as_str()).copied();
                let to = places.get(&(region.as_str(), id.as_str())).copied();
                let is_here = |account: &&Account| account.placements.iter().any(|placement| placement.region == *region);
                let own = account.filter(is_here).filter(|_| to.is_none()).map(|account| format!("../{}/{region}", account.key));
                let own = |end: &str| own.as_ref().map_or(String::new(), |own| format!("{own}{end}"));
                Move {
                    account_id: id.clone(),
                    account: account.map_or_else(|| id.clone(), |account| account.key.clone()),
                    region: region.clone(),
                    from: StackSetRecord::stack_set(region, record.number),
                    to: to.map_or(String::new(), |to| StackSetRecord::stack_set(region, to)),
                    own: own(".yaml"),
                    own_preflight: own("-preflight.sh"),
                }
            })
            .collect();
        let listed: Vec<_> = cx.plan().render.tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
        let tags = if listed.is_empty() { String::new() } else { text::json(&listed) };
        let header = match tags.as_str() {
            "" => cx.header(&(&templates, &moves, &left_out)),
            tags => cx.header(&(&templates, &moves, &left_out, tags)),
        };
        let archive = cx.plan().archive.as_ref();
        templates.sort_by_key(|template| archive.is_some_and(|archive| archive.region != template.region));
        let archive = archive.map_or_else(String::new, |archive| format!("{} in {}", archive.account, archive.region));
        Page { header, tags, capability: cx.plan().render.capability(), archive, templates, moves, left_out }
    }
}
