//! What is printed in place of a run: help and the version, which are data, and what is wrong with the arguments, which is talk.

use super::{
    args::{Cli, Color},
    exit::Exit,
    io::Io,
};
use crate::escape::shown;
use clap::{
    Error, Parser, ValueEnum,
    error::{ContextKind, ContextValue, ErrorKind},
};
use std::{borrow::Cow, ffi::OsString};

/// A flag that a command does not have, and where what it is wanted for can be had.
const ELSEWHERE: &[(&str, &str, &str)] = &[
    ("runbook", "--format", "`runbook` writes files; `logmap diff --format json` says what differs, for machines"),
    ("generate", "--diff", "`logmap generate --check` prints how the folder differs"),
    ("check", "--fix", "`check` only reads; `logmap validate --fix` mends a region map"),
];

/// Prints what the parser gave instead of arguments; a closed pipe leaves nobody to tell.
///
/// An argument that is not what it seems gives the same error as its harmless twin, so that the parser's styles stay apart from it.
pub(super) fn print(error: Error, arguments: &[OsString]) -> Exit {
    let harmless = arguments.iter().map(|word| shown::line(&word.to_string_lossy()).into_owned());
    let mut error = Cli::try_parse_from(harmless).err().unwrap_or(error);
    if let Some(hint) = hint(&error, arguments) {
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![hint.into()]));
        // the parser's own guess, and the usage that it made of it
        error.remove(ContextKind::SuggestedArg);
        error.remove(ContextKind::Usage);
    }
    let io = Io::new(asked(arguments), false, false);
    let talk = error.use_stderr();
    let styled = error.render();
    // what is left of an argument that is not what it seems is shown, and then without colours
    let text = match shown::lines(&styled.to_string()) {
        Cow::Owned(text) => text,
        Cow::Borrowed(_) if io.colour(!talk) => styled.ansi().to_string(),
        Cow::Borrowed(text) => text.to_owned(),
    };
    if talk {
        io.draw_stderr(&text);
        return Exit::Usage;
    }
    let _ = io.write_stdout(&text);
    Exit::Clean
}

/// Where to find what an unknown flag is wanted for.
fn hint(error: &Error, arguments: &[OsString]) -> Option<&'static str> {
    let ContextValue::String(flag) = error.get(ContextKind::InvalidArg).filter(|_| error.kind() == ErrorKind::UnknownArgument)?
    else {
        return None;
    };
    let row =
        ELSEWHERE.iter().find(|(command, known, _)| known == flag && arguments.iter().skip(1).any(|word| word == command))?;
    Some(row.2)
}

/// What `--color` says in arguments that can't be parsed, or ask for help.
fn asked(arguments: &[OsString]) -> Color {
    let words: Vec<_> = arguments.iter().map(|word| word.to_string_lossy()).take_while(|word| word != "--").collect();
    let given = words.iter().enumerate().rev().find_map(|(at, word)| match word.strip_prefix("--color")? {
        "" => words.get(at + 1).map(|next| next.as_ref()),
        rest => rest.strip_prefix('='),
    });
    given.and_then(|word| Color::from_str(word, false).ok()).unwrap_or(Color::Auto)
}
