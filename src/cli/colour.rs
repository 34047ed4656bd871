//! Whether a stream gets colours: the flag, then what the environment says, then whether it is a terminal.
//!
//! The variables are those of no-color.org, force-color.org and bixense.com/clicolors; `FORCE_COLOR=0` forbids, as in Node.js.

use super::args::Color;
use std::ffi::{OsStr, OsString};

/// May a stream have colours? `variable` reads the environment; an empty variable is one that is not set.
pub(super) fn wanted(flag: Color, variable: impl Fn(&str) -> Option<OsString>, terminal: bool) -> bool {
    let value = |name: &str| variable(name).filter(|value| !value.is_empty());
    let off = |value: &OsStr| value == "0" || value.eq_ignore_ascii_case("false");
    match flag {
        Color::Always => return true,
        Color::Never => return false,
        Color::Auto => {}
    }
    if value("NO_COLOR").is_some() {
        return false;
    }
    if let Some(force) = value("FORCE_COLOR") {
        return !off(&force);
    }
    if value("CLICOLOR_FORCE").is_some_and(|force| !off(&force)) {
        return true;
    }
    terminal && !value("CLICOLOR").is_some_and(|clicolor| off(&clicolor)) && !is_dumb(value("TERM").as_deref())
}

/// Does a terminal of this kind show control sequences as rubbish? Only Windows has terminals without `TERM`.
pub(super) fn is_dumb(term: Option<&OsStr>) -> bool {
    term.map_or(!cfg!(windows), |term| term == "dumb")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With these variables, on a terminal that has a `TERM` unless they say otherwise.
    fn on_terminal(flag: Color, variables: &[(&str, &str)], terminal: bool) -> bool {
        let variable = |name: &str| {
            let set = variables.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value));
            set.or_else(|| (name == "TERM").then(|| "xterm-256color".into()))
        };
        wanted(flag, variable, terminal)
    }

    #[test]
    fn the_environment_is_heeded_in_its_order() {
        for (variables, on_a_terminal, in_a_pipe) in [
            (&[][..], true, false),
            (&[("NO_COLOR", "1")], false, false),
            (&[("NO_COLOR", "0")], false, false),
            (&[("NO_COLOR", "")], true, false),
            (&[("NO_COLOR", "1"), ("FORCE_COLOR", "1"), ("CLICOLOR_FORCE", "1")], false, false),
            (&[("FORCE_COLOR", "1")], true, true),
            (&[("FORCE_COLOR", "3")], true, true),
            (&[("FORCE_COLOR", "true")], true, true),
            (&[("FORCE_COLOR", "")], true, false),
            (&[("FORCE_COLOR", "0")], false, false),
            (&[("FORCE_COLOR", "false")], false, false),
            (&[("FORCE_COLOR", "0"), ("CLICOLOR_FORCE", "1")], false, false),
            (&[("CLICOLOR_FORCE", "1")], true, true),
            (&[("CLICOLOR_FORCE", "0")], true, false),
            (&[("CLICOLOR_FORCE", "1"), ("CLICOLOR", "0")], true, true),
            (&[("CLICOLOR", "0")], false, false),
            (&[("CLICOLOR", "1")], true, false),
            (&[("TERM", "dumb")], false, false),
            (&[("TERM", "dumb"), ("FORCE_COLOR", "1")], true, true),
            (&[("TERM", "dumb"), ("CLICOLOR", "1")], false, false),
        ] {
            assert_eq!(on_terminal(Color::Auto, variables, true), on_a_terminal, "{variables:?} on a terminal");
            assert_eq!(on_terminal(Color::Auto, variables, false), in_a_pipe, "{variables:?} in a pipe");
            for terminal in [true, false] {
                assert!(on_terminal(Color::Always, variables, terminal), "{variables:?} and --color always");
                assert!(!on_terminal(Color::Never, variables, terminal), "{variables:?} and --color never");
            }
        }
    }

    #[test]
    fn a_terminal_without_a_name_is_a_dumb_one() {
        assert_eq!(wanted(Color::Auto, |_| None, true), cfg!(windows));
    }
}
