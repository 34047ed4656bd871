//! Proposal → the text of a map, laid out to be read and edited: a bucket a line, and what was guessed or left out beside what
//! it speaks of.
//!
//! The text is analysed; what a rule objects to is taken out again and said, until nothing of that kind is left. Every name
//! goes through an escape, for scalars or for comments.

use super::proposal::{Account, Adopt, Note, Proposal, Region, Source, Trail};
use crate::{
    analysis::{Analysis, analyze},
    diagnostics::{Finding, Severity},
    escape,
    map::ManagementEvents,
    source::SourceFile,
};
use serde_json::{Map, Value, json};

/// What rules object to is taken out at most so often; each time some of it goes.
const MOST_ROUNDS: usize = 20;
/// More accounts than this go below each other.
const ON_ONE_LINE: usize = 6;

/// The setting whose parts are left out one by one.
const TAGS: &str = "tags";

/// What a map that `import` writes begins with.
const MADE_BY: &str = "# Made by `logmap import`";

/// Is this a map that an earlier `import` wrote, edited since or not?
pub(crate) fn is_own_map(text: &[u8]) -> bool {
    text.starts_with(MADE_BY.as_bytes())
}

/// A part of the map that can be left out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Source(String, String, String),
    Adopt(String, String),
    Setting(String, String, &'static str),
    Tag(String, String, String),
    Statement(String, String, usize),
    Trail(String),
}

/// The analysis of the proposal's text. What is wrong in it is no longer in the proposal, if it could be left out.
pub(super) fn settled(proposal: &mut Proposal, inputs: &[&str]) -> Analysis {
    let mut rounds = 0;
    loop {
        let mut writer = Writer::indented(0, 2);
        writer.map(proposal, inputs);
        let Writer { text, parts, .. } = writer;
        let analysis = analyze(SourceFile::new("logmap.yaml", text));
        let errors = analysis.findings.iter().filter(|finding| finding.severity() == Severity::Error);
        let mut wrong: Vec<(Part, String)> =
            errors.filter_map(|finding| Some((part_at(&parts, finding)?.clone(), finding.message.clone()))).collect();
        rounds += 1;
        if wrong.is_empty() || rounds > MOST_ROUNDS {
            return analysis;
        }
        // later statements first, so that the numbers of earlier ones hold
        wrong.sort();
        wrong.dedup_by(|a, b| a.0 == b.0);
        wrong.reverse();
        for (part, why) in wrong {
            take_out(proposal, &part, why);
        }
    }
}

/// The innermost part in which a finding stands; if it stands in none, the one in which its other end does.
fn part_at<'p>(parts: &'p [(usize, usize, Part)], finding: &Finding) -> Option<&'p Part> {
    let at = |offset: u32| {
        // parts are sorted by their ends, inner ones before the outer ones that they end with
        let open = parts.partition_point(|(_, end, _)| *end <= offset as usize);
        parts[open..].iter().find(|(start, _, _)| *start <= offset as usize).map(|(_, _, part)| part)
    };
    at(finding.span.start).or_else(|| finding.related.iter().find_map(|related| at(related.span.start)))
}

fn take_out(proposal: &mut Proposal, part: &Part, why: String) {
    match part {
        Part::Trail(name) => {
            if let Some(trail) = proposal.trails.remove(name) {
                proposal.notes.push(Note::left_out(trail.place, format!("the trail `{name}`"), why));
            }
        }
        Part::Source(account, region, name) => {
            let Some(region) = region_of(proposal, account, region) else { return };
            if let Some(source) = region.sources.remove(name) {
                region.left_out.push(Note::left_out(source.place, format!("`{name}`"), why));
            }
        }
        Part::Adopt(account, region) => {
            let Some(region) = region_of(proposal, account, region) else { return };
            if let Some(adopt) = region.adopt.take() {
                region.left_out.push(Note::left_out(
                    adopt.place,
                    format!("`{}`", adopt.name),
                    format!("it can't be adopted: {why}"),
                ));
            }
        }
        Part::Setting(account, region, key) => {
            let Some(adopt) = region_of(proposal, account, region).and_then(|region| region.adopt.as_mut()) else { return };
            let before = adopt.settings.len();
            adopt.settings.retain(|(known, _)| known != key);
            if adopt.settings.len() == before {
                return;
            }
            let mut subject = format!("`{key}` of `{}`", adopt.name);
            if *key == "retention" {
                // without a word about it the default would hold, and logs would go sooner
                adopt.settings.push(("lifecycle", "external".into()));
                subject += ", whose lifecycle is left to other code,";
            }
            adopt.notes.push(Note::left_out(adopt.place, subject, why));
        }
        Part::Tag(account, region, key) => {
            let Some(adopt) = region_of(proposal, account, region).and_then(|region| region.adopt.as_mut()) else { return };
            let tags = adopt.settings.iter_mut().find(|(known, _)| *known == TAGS).and_then(|(_, tags)| tags.as_object_mut());
            if let Some(tags) = tags
                && tags.remove(key).is_some()
            {
                let subject = format!("the tag `{}` of `{}`", key.escape_debug(), adopt.name);
                adopt.notes.push(Note::left_out(adopt.place, subject, why));
            }
        }
        Part::Statement(account, region, index) => {
            let Some(adopt) = region_of(proposal, account, region).and_then(|region| region.adopt.as_mut()) else { return };
            if *index < adopt.statements.len() {
                let (value, place) = adopt.statements.remove(*index);
                let subject = format!("the statement {} of `{}`", super::adopt::sid(&value), adopt.name);
                adopt.notes.push(Note::left_out(place, subject, why));
            }
        }
    }
}

fn region_of<'p>(proposal: &'p mut Proposal, account: &str, region: &str) -> Option<&'p mut Region> {
    proposal.accounts.get_mut(account)?.regions.get_mut(region)
}

/// A text that grows by lines.
#[derive(Default)]
pub(super) struct Writer {
    /// The text.
    pub text: String,
    indent: usize,
    step: usize,
    parts: Vec<(usize, usize, Part)>,
}

impl Writer {
    /// A text whose lines have so many spaces before them, and so many more for each level.
    pub(super) fn indented(indent: usize, step: usize) -> Self {
        Writer { indent, step, ..Writer::default() }
    }

    /// A line.
    pub(super) fn line(&mut self, text: impl AsRef<str>) {
        self.begin(text);
        self.text.push('\n');
    }

    /// The beginning of a line.
    fn begin(&mut self, text: impl AsRef<str>) {
        self.text += &" ".repeat(self.indent);
        self.text += text.as_ref();
    }

    fn inner(&mut self, write: impl FnOnce(&mut Self)) {
        self.indent += self.step;
        write(self);
        self.indent -= self.step;
    }

    fn part(&mut self, part: Part, write: impl FnOnce(&mut Self)) {
        let start = self.text.len();
        write(self);
        self.parts.push((start, self.text.len(), part));
    }

    fn map(&mut self, proposal: &Proposal, inputs: &[&str]) {
        let inputs: Vec<String> = inputs.iter().map(|name| escape::comment(name)).collect();
        self.line(format!("{MADE_BY} from {}.", shortened(&inputs)));
        self.line("# A comment that begins with \"guess\" says what no input tells; read those first.");
        self.line("version: 1");
        self.line("");
        let note =
            proposal.organization_note.as_ref().map_or_else(String::new, |note| format!(" # guess: {}", comment(&note.why)));
        let name = format!("name: {}{note}", escape::yaml_word(&proposal.organization));
        self.organization(Some(name), proposal.organization_trails.as_ref().map(|(id, management)| (id, management)));
        self.line("");
        if proposal.accounts.is_empty() {
            self.line("accounts: {}");
        } else {
            self.line("accounts:");
        }
        self.inner(|to| proposal.accounts.iter().for_each(|(key, account)| to.account(key, account)));
        if !proposal.trails.is_empty() {
            self.line("");
            self.trails(proposal.trails.iter());
        }
    }

    /// `organization`.
    pub(super) fn organization(&mut self, name: Option<String>, for_trails: Option<(&String, &String)>) {
        self.line("organization:");
        self.inner(|to| {
            name.iter().for_each(|name| to.line(name));
            if let Some((id, management)) = for_trails {
                to.line(format!("id: {}", escape::yaml_word(id)));
                to.line(format!("management_account: {}", escape::yaml_word(management)));
            }
        });
    }

    /// An account with its key.
    pub(super) fn account(&mut self, key: &str, account: &Account) {
        let note = account.note.as_ref().map_or_else(String::new, |note| format!(" # guess: {}", comment(&note.why)));
        self.line(format!("{}:{note}", escape::yaml_word(key)));
        self.inner(|to| {
            to.line(format!("id: {}", escape::yaml_string(&account.id)));
            if !account.regions.is_empty() {
                to.regions(key, account);
            }
        });
    }

    /// An included file that has one account.
    pub(super) fn included(&mut self, key: &str, account: &Account) {
        self.line("version: 1");
        self.line("accounts:");
        self.inner(|to| to.account(key, account));
    }

    /// `regions` of an account.
    pub(super) fn regions(&mut self, key: &str, account: &Account) {
        self.line("regions:");
        self.inner(|to| account.regions.iter().for_each(|(name, region)| to.region(key, name, region)));
    }

    /// A Region with its name.
    pub(super) fn region(&mut self, account: &str, name: &str, region: &Region) {
        self.line(format!("{}:", escape::yaml_word(name)));
        self.inner(|to| {
            if let Some(adopt) = &region.adopt {
                to.part(Part::Adopt(account.to_owned(), name.to_owned()), |to| to.adopt(account, name, adopt));
            }
            to.left_out(region);
            if !region.sources.is_empty() {
                to.buckets(account, name, region);
            }
        });
    }

    fn left_out(&mut self, region: &Region) {
        for note in &region.left_out {
            self.line(format!("# {}", words(note)));
        }
    }

    /// `buckets` of a Region.
    pub(super) fn buckets(&mut self, account: &str, region: &str, content: &Region) {
        self.line("buckets:");
        self.inner(|to| to.sources(account, region, content));
    }

    /// The items of `buckets`.
    pub(super) fn sources(&mut self, account: &str, region: &str, content: &Region) {
        for (name, source) in &content.sources {
            self.part(Part::Source(account.to_owned(), region.to_owned(), name.clone()), |to| {
                let notes: Vec<String> =
                    source.notes.iter().map(|note| comment(&format!("{}: {}", note.heading(), note.why))).collect();
                let notes = if notes.is_empty() { String::new() } else { format!(" # {}", notes.join("; ")) };
                to.line(format!("- {}{notes}", flow(&source_value(name, source))));
            });
        }
    }

    fn adopt(&mut self, account: &str, region: &str, adopt: &Adopt) {
        let guess = if adopt.note.is_some() { "guess: " } else { "" };
        for note in &adopt.notes {
            self.line(format!("# {}", words(note)));
        }
        let name = escape::yaml_word(&adopt.name);
        if adopt.statements.is_empty() {
            self.begin(format!("log_bucket: {{ adopt: true, name: {name}"));
            for setting in &adopt.settings {
                self.text += ", ";
                self.setting(account, region, setting);
            }
            self.text += &format!(" }} # {guess}{}\n", comment(&adopt.why));
            return;
        }
        self.line(format!("log_bucket: # {guess}{}", comment(&adopt.why)));
        self.inner(|to| {
            to.line("adopt: true");
            to.line(format!("name: {name}"));
            for setting in &adopt.settings {
                to.begin("");
                to.setting(account, region, setting);
                to.text.push('\n');
            }
            to.line("# what its policy holds that logmap does not derive");
            to.line("extra_statements:");
            to.inner(|to| {
                for (index, (statement, _)) in adopt.statements.iter().enumerate() {
                    to.part(Part::Statement(account.to_owned(), region.to_owned(), index), |to| {
                        let list = Value::Array(vec![statement.clone()]);
                        to.text += escape::yaml_block(&list, to.indent).trim_start_matches('\n');
                        to.text.push('\n');
                    });
                }
            });
        });
    }

    /// A setting of an adopted bucket, in flow style.
    fn setting(&mut self, account: &str, region: &str, (key, value): &(&'static str, Value)) {
        let (account, region) = (account.to_owned(), region.to_owned());
        let tags = value.as_object().filter(|_| *key == TAGS);
        self.part(Part::Setting(account.clone(), region.clone(), key), |to| {
            to.text += &format!("{key}: ");
            let Some(tags) = tags else { return to.text += &flow(value) };
            to.text += "{ ";
            for (at, (key, value)) in tags.iter().enumerate() {
                to.text += if at == 0 { "" } else { ", " };
                to.part(Part::Tag(account.clone(), region.clone(), key.clone()), |to| {
                    to.text += &format!("{}: {}", escape::yaml_word(key), flow(value))
                });
            }
            to.text += " }";
        });
    }

    /// `trails`.
    pub(super) fn trails<'t>(&mut self, trails: impl Iterator<Item = (&'t String, &'t Trail)>) {
        self.line("trails:");
        self.inner(|to| trails.for_each(|(name, trail)| to.trail(name, trail)));
    }

    /// A trail with its name.
    pub(super) fn trail(&mut self, name: &str, trail: &Trail) {
        self.part(Part::Trail(name.to_owned()), |to| {
            let mut said: Vec<String> = trail.notes.iter().map(words).collect();
            said.sort();
            said.dedup();
            said.iter().take(ON_ONE_LINE).for_each(|note| to.line(format!("# {note}")));
            if said.len() > ON_ONE_LINE {
                to.line(format!(
                    "# and {} more like these, which the findings of `logmap import` list",
                    said.len() - ON_ONE_LINE
                ));
            }
            to.line(format!("{}:", escape::yaml_word(name)));
            to.inner(|to| {
                for (key, value) in trail_value(trail) {
                    match value {
                        Value::Array(items) if items.len() > ON_ONE_LINE => {
                            to.line(format!("{key}:"));
                            to.inner(|to| items.iter().for_each(|item| to.line(format!("- {}", scalar(item)))));
                        }
                        Value::Object(entries) if key != "deliver_to" => {
                            to.line(format!("{key}:"));
                            to.inner(|to| {
                                entries
                                    .iter()
                                    .for_each(|(key, value)| to.line(format!("{}: {}", escape::yaml_word(key), scalar(value))))
                            });
                        }
                        value => to.line(format!("{key}: {}", flow(&value))),
                    }
                }
            });
        });
    }
}

/// The names of inputs, or how many they are.
fn shortened(names: &[String]) -> String {
    match names {
        [one] if one == "-" => "standard input".to_owned(),
        names if names.len() <= ON_ONE_LINE => names.join(", "),
        [first, ..] => format!("{first} and {} more files", names.len() - 1),
        [] => String::new(),
    }
}

/// A note as a comment.
fn words(note: &Note) -> String {
    comment(&format!("{}: {}: {}", note.heading(), note.subject, note.why))
}

fn comment(text: &str) -> String {
    escape::comment(text)
}

fn scalar(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), escape::yaml_word)
}

/// A value in flow style.
pub(super) fn flow(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::Object(entries) => {
            let entries = entries.iter().map(|(key, value)| format!("{}: {}", escape::yaml_word(key), flow(value)));
            format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
        }
        other => scalar(other),
    }
}

/// A source as an item.
pub(super) fn source_value(name: &str, source: &Source) -> Value {
    if !source.external && source.keys.is_empty() {
        return name.into();
    }
    let mut value = Map::from_iter([("name".to_owned(), name.into())]);
    value.extend(source.keys.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
    value.extend(source.external.then(|| ("logging".to_owned(), "external".into())));
    value.into()
}

/// A Region as a flow mapping.
pub(super) fn region_value(region: &Region) -> Value {
    let mut value = Map::new();
    if let Some(adopt) = &region.adopt {
        let mut log_bucket = Map::from_iter([("adopt".to_owned(), true.into()), ("name".to_owned(), adopt.name.as_str().into())]);
        log_bucket.extend(adopt.settings.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
        let statements: Vec<Value> = adopt.statements.iter().map(|(statement, _)| statement.clone()).collect();
        log_bucket.extend((!statements.is_empty()).then(|| ("extra_statements".to_owned(), statements.into())));
        value.insert("log_bucket".to_owned(), log_bucket.into());
    }
    if !region.sources.is_empty() {
        let sources = region.sources.iter().map(|(name, source)| source_value(name, source));
        value.insert("buckets".to_owned(), sources.collect());
    }
    value.into()
}

/// `regions` of an account as a flow mapping.
pub(super) fn regions_value(account: &Account) -> Value {
    account.regions.iter().map(|(name, region)| (name.clone(), region_value(region))).collect()
}

/// An account as a flow mapping.
pub(super) fn account_value(account: &Account) -> Value {
    json!({ "id": account.id, "regions": regions_value(account) })
}

/// A trail's keys and values.
pub(super) fn trail_value(trail: &Trail) -> Map<String, Value> {
    let mut value = Map::new();
    let mut set = |key: &str, to: Value| value.insert(key.to_owned(), to);
    if trail.organization {
        set("scope", "organization".into());
    } else {
        set("accounts", trail.accounts.iter().map(String::as_str).collect());
    }
    set("adopt", true.into());
    match &trail.home_region {
        Some(home) => set("home_region", home.as_str().into()),
        None => set("coverage", "per-region".into()),
    };
    if let Some(account) = &trail.deliver_to {
        set("deliver_to", json!({ "account": account }));
    }
    if !trail.prefix.is_empty() {
        set("prefix", trail.prefix.as_str().into());
    }
    match trail.keys.len() {
        0 => {}
        1 if trail.home_region.is_some() => {
            set("kms_key_arn", trail.keys.values().next().map_or("", String::as_str).into());
        }
        _ => {
            set("kms_key_arn", trail.keys.iter().map(|(region, key)| (region.clone(), Value::from(key.as_str()))).collect());
        }
    }
    if !trail.validation {
        set("log_file_validation", false.into());
    }
    if let Some(events) = &trail.events {
        if events.data {
            set("s3_data_events", true.into());
        }
        if !events.of_log_buckets.is_empty() {
            set("log_bucket_events", events.of_log_buckets.iter().map(|what| what.word()).collect());
        }
        if events.management != ManagementEvents::All {
            set("management_events", events.management.word().into());
        }
        if !events.excluded.is_empty() {
            set("exclude_event_sources", events.excluded.iter().map(|source| source.word()).collect());
        }
    }
    if !trail.insights.is_empty() {
        set("insights", trail.insights.iter().map(|insight| insight.word()).collect());
    }
    if let Some((group, role)) = &trail.logs {
        set("cloudwatch_logs", json!({ "log_group": group, "role": role }));
    }
    if let Some(topic) = &trail.topic {
        set("sns_topic", topic.as_str().into());
    }
    value
}
