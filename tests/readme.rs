//! The README's tables say what the code says.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail loudly")]

use logmap::{cli::exit::Exit, rules};

const README: &str = include_str!("../README.md");

#[test]
fn the_table_of_rules_is_the_registry() {
    let rows: String = rules::all()
        .iter()
        .map(|rule| format!("| {} | {} | {} | {} |\n", rule.id, rule.name, rule.severity.word(), rule.summary))
        .collect();
    let table = format!("| rule | name | severity | finds |\n| --- | --- | --- | --- |\n{rows}");
    assert!(README.contains(&table), "the README's table of rules should be\n{table}");
}

#[test]
fn the_table_of_exit_codes_is_the_enum() {
    let rows: String = Exit::TABLE.iter().map(|(exit, meaning)| format!("| {} | {meaning} |\n", exit.code())).collect();
    assert!(README.contains(&format!("| exit code | meaning |\n| ---: | --- |\n{rows}\n")), "{rows}");
}

#[test]
fn every_command_is_in_the_table() {
    use clap::CommandFactory;
    for command in logmap::cli::args::Cli::command().get_subcommands().filter(|command| command.get_name() != "help") {
        assert!(README.contains(&format!("| `logmap {}", command.get_name())), "{}", command.get_name());
    }
}
