//! `logmap explain`: a rule's page, or what the AWS errors in a text mean and, with a map, what mends them.

use super::{
    Outcome, Stop,
    args::{ExplainArgs, KnownArgs, ListFormat, MapArgs},
    exit::Exit,
    findings,
    io::Io,
    read,
};
use crate::{
    analysis::Analysis,
    diagnostics::{Rule, did_you_mean, list},
    escape::shown,
    explain::{
        self,
        errors::{self, AwsError},
        mentions::{self, Mentions},
    },
    rules,
};
use anyhow::Context;
use serde_json::{Value, json};

/// Version of the answer's format as JSON.
const FORMAT_VERSION: &str = "1.0";

pub(super) fn run(args: &ExplainArgs, io: &Io) -> Outcome {
    if args.list || args.errors {
        let rules = if args.list { rules::all() } else { Vec::new() };
        let errors: Vec<&AwsError> = if args.errors { errors::ALL.iter().collect() } else { Vec::new() };
        return Answer { rules, errors, is_list: true, ..Answer::default() }.give(args.format, Exit::Clean, io);
    }
    let given = args.text.join(" ");
    let text = match given.trim() {
        "" | "-" => {
            let bytes = io.input().context("can't read standard input").map_err(Stop::usage)?;
            String::from_utf8_lossy(&bytes).into_owned()
        }
        _ => given,
    };
    if let Some(rule) = rules::find(text.trim()) {
        let advice = match &args.map {
            Some(map) => set_by(&read::read_map(&MapArgs::of(map), &KnownArgs::default(), io)?, rule),
            None => String::new(),
        };
        return Answer { rules: vec![rule], advice, ..Answer::default() }.give(args.format, Exit::Clean, io);
    }
    let errors = explain::causes(&text);
    if errors.is_empty() {
        io.message(unknown(&text));
        return Answer::default().give(args.format, Exit::Findings, io);
    }
    let named = mentions::find(&text);
    let advice = match &args.map {
        Some(map) => {
            let analysis = read::read_map(&MapArgs::of(map), &KnownArgs::default(), io)?;
            explain::by_map(&analysis, map, &errors, &text, &named)
        }
        None => String::new(),
    };
    Answer { errors, named: Some(named), advice, ..Answer::default() }.give(args.format, Exit::Clean, io)
}

/// What a map's settings say of a rule.
fn set_by(analysis: &Analysis, rule: &Rule) -> String {
    let Some((severity, reason)) = analysis.chosen.about(rule) else { return String::new() };
    let set = severity.map_or("ignores it".to_owned(), |severity| format!("sets it to {}", severity.word()));
    format!("\n{} {set}: {}\n", analysis.file.name, shown::line(reason))
}

/// What is known of a word or a text.
#[derive(Default)]
struct Answer {
    /// Rules that were asked for.
    rules: Vec<&'static Rule>,
    /// AWS errors that are in the text, the first first.
    errors: Vec<&'static AwsError>,
    /// Is a line of each enough for people?
    is_list: bool,
    /// What the text names.
    named: Option<Mentions>,
    /// What the map says; empty without a map.
    advice: String,
}

impl Answer {
    /// Writes the answer; gives the exit code that goes with it.
    fn give(&self, format: ListFormat, exit: Exit, io: &Io) -> Outcome {
        match format {
            ListFormat::Json => io.write_stdout(&findings::pretty(&self.json()))?,
            ListFormat::Text if self.is_list => io.print(&self.lines())?,
            ListFormat::Text => io.print(&self.pages())?,
        }
        Ok(exit)
    }

    fn lines(&self) -> String {
        let rules = self
            .rules
            .iter()
            .map(|rule| format!("{}  {:<8} {:<26} {}\n", rule.id, rule.severity.word(), rule.name, rule.summary));
        rules.chain(self.errors.iter().map(|error| format!("{}\n", title(error)))).collect()
    }

    fn pages(&self) -> String {
        let pages = self.rules.iter().map(|rule| rule.page).chain(self.errors.iter().map(|error| error.page));
        let mut out = pages.collect::<Vec<_>>().join("\n");
        out.extend(self.rules.iter().filter_map(|rule| rule.address()).map(|address| format!("\n{address}\n")));
        let named = self.named.iter().flat_map(|named| [("buckets", &named.buckets), ("Regions", &named.regions)]);
        let named: Vec<String> = named
            .filter(|(_, names)| !names.is_empty())
            .map(|(what, names)| format!("{what} {}", list(names.iter().map(String::as_str))))
            .collect();
        if !named.is_empty() {
            out += &format!("\nThe text names the {}.\n", named.join(", and the "));
        }
        out + &self.advice
    }

    /// The answer for machines; `schemas/explain.schema.json` describes it.
    fn json(&self) -> Value {
        let rules = self.rules.iter().map(|rule| {
            json!({
                "id": rule.id,
                "name": rule.name,
                "severity": rule.severity.word(),
                "summary": rule.summary,
                "since": rule.since,
                "page": rule.page,
            })
        });
        let errors = self.errors.iter().map(|error| json!({ "codes": error.codes, "title": title(error), "page": error.page }));
        let names = |of: fn(&Mentions) -> &Vec<String>| self.named.as_ref().map(of).cloned().unwrap_or_default();
        json!({
            "format_version": FORMAT_VERSION,
            "rules": rules.collect::<Vec<_>>(),
            "errors": errors.collect::<Vec<_>>(),
            "named": { "buckets": names(|named| &named.buckets), "regions": names(|named| &named.regions) },
            "advice": self.advice.trim(),
        })
    }
}

fn title(error: &AwsError) -> &str {
    error.page.lines().next().unwrap_or_default().trim_start_matches("# ")
}

/// Characters of an unknown word that are said again.
const LONGEST_WORD: usize = 100;

/// Says that a text holds nothing that is known.
fn unknown(text: &str) -> String {
    let word = text.trim();
    if word.lines().count() > 1 || word.contains(' ') {
        return "error: there is no AWS error in this text that logmap knows; `logmap explain --errors` lists them".to_owned();
    }
    let all = rules::all();
    let codes = errors::ALL.iter().flat_map(|error| error.codes).copied();
    let near = did_you_mean(word, all.iter().flat_map(|rule| [rule.id, rule.name]).chain(codes));
    let hint = near.map_or("`logmap explain --list` lists the rules, `--errors` the AWS errors".to_owned(), |near| {
        format!("did you mean `{near}`?")
    });
    // a word is said again as far as anybody reads
    let end = word.char_indices().nth(LONGEST_WORD).map(|(at, _)| at);
    let word = end.map_or(word.to_owned(), |end| format!("{}…", &word[..end]));
    format!("error: there is no rule and no AWS error `{word}`; {hint}")
}
