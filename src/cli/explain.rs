//! `logmap explain`: a rule's page, or what the AWS errors in a text mean and, with a map, what mends them.

use super::{
    Outcome, Stop,
    args::{ExplainArgs, MapArgs},
    exit::Exit,
    io::Io,
    read,
};
use crate::{
    diagnostics::{did_you_mean, list},
    explain::{
        self,
        errors::{self, AwsError},
        mentions,
    },
    rules,
};
use anyhow::Context;

pub(super) fn run(args: &ExplainArgs, io: &Io) -> Outcome {
    if args.list {
        let lines: String = rules::all()
            .iter()
            .map(|rule| format!("{}  {:<8} {:<26} {}\n", rule.id, rule.severity.word(), rule.name, rule.summary))
            .collect();
        io.write_stdout(&lines)?;
        return Ok(Exit::Clean);
    }
    if args.errors {
        let lines: String = errors::ALL.iter().map(|error| format!("{}\n", title(error))).collect();
        io.write_stdout(&lines)?;
        return Ok(Exit::Clean);
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
        io.write_stdout(rule.page)?;
        return Ok(Exit::Clean);
    }
    let causes = explain::causes(&text);
    if causes.is_empty() {
        io.message(unknown(&text));
        return Ok(Exit::Findings);
    }
    let mut out = causes.iter().map(|cause| cause.page).collect::<Vec<_>>().join("\n");
    let found = mentions::find(&text);
    let named = [("buckets", &found.buckets), ("Regions", &found.regions)];
    let named: Vec<String> = named
        .iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(what, names)| format!("{what} {}", list(names.iter().map(String::as_str))))
        .collect();
    if !named.is_empty() {
        out += &format!("\nThe text names the {}.\n", named.join(", and the "));
    }
    if let Some(map) = &args.map {
        let analysis = read::read_map(&MapArgs { map: Some(map.clone()) }, io)?;
        out += &explain::by_map(&analysis, map, &causes, &text, &found);
    }
    io.print(&out)?;
    Ok(Exit::Clean)
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
