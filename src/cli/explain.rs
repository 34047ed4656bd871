//! `logmap explain`: a rule's page.

use super::{Outcome, args::ExplainArgs, exit::Exit, io::Io};
use crate::{diagnostics::did_you_mean, rules};

pub(super) fn run(args: &ExplainArgs, io: &Io) -> Outcome {
    let Some(code) = &args.code else {
        let lines: String = rules::all()
            .iter()
            .map(|rule| format!("{}  {:<8} {:<26} {}\n", rule.id, rule.severity.word(), rule.name, rule.summary))
            .collect();
        io.data(&lines)?;
        return Ok(Exit::Clean);
    };
    match rules::find(code.trim()) {
        Some(rule) => {
            io.data(rule.page)?;
            Ok(Exit::Clean)
        }
        None => {
            let all = rules::all();
            let near = did_you_mean(code, all.iter().flat_map(|rule| [rule.id, rule.name]));
            let hint =
                near.map_or("`logmap explain --list` lists the rules".to_owned(), |near| format!("did you mean `{near}`?"));
            io.say(format_args!("error: there is no rule `{code}`; {hint}"));
            Ok(Exit::Findings)
        }
    }
}
