//! `logmap completions`: a shell's completion script, made of the declared arguments. For the accounts of a map the script asks logmap
//! again, with the words of the line: it has to be quick, and silent about whatever is wrong.

use super::{
    Outcome,
    args::{Cli, CompletionsArgs},
    exit::Exit,
    io::Io,
    read,
};
use crate::{
    document::{
        self, Entry,
        path::{entries, get, text},
    },
    files,
    map::effective,
    source::SourceFile,
};
use clap::{Command, CommandFactory};
use clap_complete::Shell;
use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

/// Stands in the scripts that clap_complete makes where the accounts of a map are to be offered.
const ACCOUNTS: &str = "logmap-accounts";

/// How a shell asks. Of what is typed nothing is evaluated. `command logmap` is the program on PATH: a word of the line may name one that
/// came with a repository, which nobody has started yet.
const BASH: &str = r#"_logmap_accounts() {
    local account
    while IFS= read -r account; do
        COMPREPLY+=("${account}")
    done < <(command logmap completions "--accounts=${cur}" -- "${COMP_WORDS[@]}" 2>/dev/null </dev/null)
}

"#;
const ZSH: &str = r#"(( $+functions[_logmap_accounts] )) ||
_logmap_accounts() {
    local -a accounts
    accounts=(${(f)"$(command logmap completions "--accounts=${PREFIX}" -- logmap "${words[@]}" 2>/dev/null </dev/null)"})
    compadd "$@" -a accounts
}

"#;
const FISH: &str = r#"function __logmap_accounts
    set -l typed (commandline -ct | string replace -r -- '^--account=' '')
    command logmap completions "--accounts=$typed" -- (commandline -opc | string escape) 2>/dev/null </dev/null
end

"#;

pub(super) fn run(args: &CompletionsArgs, io: &Io) -> Outcome {
    io.write_stdout(&script(args.shell))?;
    Ok(Exit::Clean)
}

/// What a script asks, `completions --accounts=TYPED -- WORDS`, and nobody else says: declared, it would be offered by the scripts.
pub(super) fn asked(arguments: &[OsString]) -> Option<(String, Vec<String>)> {
    let mut words = arguments.iter().skip(1).map(|word| word.to_string_lossy().into_owned());
    let typed = words.next().filter(|word| word == "completions").and(words.next())?;
    let typed = typed.strip_prefix("--accounts=")?.to_owned();
    words.next().filter(|word| word == "--").map(|_| (typed, words.collect()))
}

/// Answers it.
pub(super) fn answer((typed, line): &(String, Vec<String>), io: &Io) -> Outcome {
    io.write_stdout(&offered(typed, line, io))?;
    Ok(Exit::Clean)
}

/// The script of a shell.
fn script(shell: Shell) -> String {
    let mut command = Cli::command().mut_subcommands(|command| command.mut_args(with_accounts));
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, "logmap", &mut script);
    let script = String::from_utf8_lossy(&script);
    let asking = |function: &str, value: &str, call: &str| function.to_owned() + &script.replace(value, call);
    match shell {
        Shell::Bash => asking(BASH, &format!(r#"COMPREPLY=($(compgen -W "{ACCOUNTS}" -- "${{cur}}"))"#), "_logmap_accounts"),
        Shell::Fish => asking(FISH, &format!(r#""{ACCOUNTS}\t''""#), r#""(__logmap_accounts)""#) + &positionals(&command),
        // `#compdef` has to be the first line
        Shell::Zsh => {
            let script = script.replace(&format!("({ACCOUNTS})"), "_logmap_accounts");
            script.replacen("autoload ", &format!("{ZSH}autoload "), 1)
        }
        // the scripts of the others offer no values
        _ => script.into_owned(),
    }
}

/// What fish offers for arguments that are no options, which clap_complete leaves out: rules for `explain`, shells for `completions`.
fn positionals(command: &Command) -> String {
    let of = |command: &Command| {
        let values = command.get_positionals().filter_map(|arg| arg.get_value_parser().possible_values()).flatten();
        let values: Vec<String> = values.map(|value| value.get_name().to_owned()).collect();
        let condition = format!("__fish_logmap_using_subcommand {}", command.get_name());
        let line = format!("complete -c logmap -n \"{condition}\" -a \"{}\"\n", values.join(" "));
        if values.is_empty() { String::new() } else { line }
    };
    command.get_subcommands().map(of).collect()
}

/// Marks an argument that takes accounts of a map; `init` and `import` take those that there are to be.
fn with_accounts(arg: clap::Arg) -> clap::Arg {
    let takes = arg.get_id() == "account"
        && arg.get_value_names().is_some_and(|names| names.iter().all(|name| name == "KEY" || name == "ID"));
    if takes { arg.value_parser([ACCOUNTS]) } else { arg }
}

/// The accounts that go on from what is typed, one on a line: the ids for `check`, else the keys, of which there may be several.
fn offered(typed: &str, line: &[String], io: &Io) -> String {
    let Some((command, map)) = named(line) else { return String::new() };
    let Some(file) = map_of(map, io) else { return String::new() };
    let document = document::read(&file, &mut Vec::new());
    let accounts = document.tops().flat_map(|top| entries(&document, get(entries(&document, Some(top)), "accounts")));
    if command == "check" {
        let id = |account: &'_ Entry| text(&document, get(entries(&document, Some(&account.value)), "id")?).map(str::to_owned);
        let is_id = |id: &String| id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit());
        return lines("", typed, accounts.filter_map(id).filter(is_id));
    }
    let (before, begun) = typed.rfind(',').map_or(("", typed), |comma| typed.split_at(comma + 1));
    let there: Vec<&str> = before.split(',').collect();
    // what is no key is not offered: the text goes into a command line
    let keys = accounts.map(|account| account.key.to_string()).filter(|key| effective::is_account_key(key));
    lines(before, begun, keys.filter(|key| !there.contains(&key.as_str())))
}

fn lines(before: &str, begun: &str, values: impl Iterator<Item = String>) -> String {
    values.filter(|value| value.starts_with(begun)).map(|value| format!("{before}{value}\n")).collect()
}

/// The command of a line and the map that it names, as far as the line has been typed.
fn named(line: &[String]) -> Option<(String, Option<PathBuf>)> {
    let words = unbroken(line.iter().map(|word| unquoted(word)));
    let matches = Cli::command().ignore_errors(true).try_get_matches_from(words).ok()?;
    let (command, matches) = matches.subcommand()?;
    let map = matches.try_get_one::<PathBuf>("map").ok()?.cloned();
    // without a map `check` takes none
    (command != "check" || map.is_some()).then(|| (command.to_owned(), map))
}

/// The words as they were, where bash has taken them apart at `=`.
fn unbroken(words: impl Iterator<Item = String>) -> Vec<String> {
    let mut whole: Vec<String> = Vec::new();
    let mut goes_on = false;
    for word in words {
        let is_break = word == "=";
        match whole.last_mut() {
            Some(last) if is_break || goes_on => last.push_str(&word),
            _ => whole.push(word),
        }
        goes_on = is_break;
    }
    whole
}

/// A word without its quotes and backslashes, and with a home folder for `~`. A variable stays as it is: nothing is evaluated.
fn unquoted(word: &str) -> String {
    let mut plain = String::new();
    let mut quote = None;
    let mut chars = word.chars();
    while let Some(char) = chars.next() {
        match (char, quote) {
            ('\\', None | Some('"')) => plain.extend(chars.next()),
            ('\'' | '"', None) => quote = Some(char),
            (_, Some(open)) if char == open => quote = None,
            _ => plain.push(char),
        }
    }
    match (word.strip_prefix("~/"), std::env::home_dir()) {
        (Some(_), Some(home)) => home.join(plain.trim_start_matches("~/")).display().to_string(),
        _ => plain,
    }
}

/// The text of a map, the named one or that of this folder. Only plain files are read: the terminal is the shell's.
fn map_of(named: Option<PathBuf>, io: &Io) -> Option<SourceFile> {
    let path = named.or_else(|| read::find_above(&io.quieter(true)).ok()).filter(|path| path != Path::new("-"))?;
    let sources = read::sources(&path, files::read_plain(&path).ok()?);
    Some(SourceFile::joined([vec![sources.map], sources.included].concat()))
}
