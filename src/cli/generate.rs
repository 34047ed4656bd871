//! `logmap generate`: validates, derives, renders, writes (or checks, or prints). Nothing is written from a map with
//! errors, and nothing at all when a file that logmap did not write is in the way.

use super::{
    Outcome, Stop,
    args::{FindingFormat, GenerateArgs},
    baseline,
    budgets::budgets,
    exit::Exit,
    findings,
    io::Io,
    overrides,
    progress::Progress,
    read,
    settings::Settings,
    stale::Stale,
    writing::{stands_in_the_way, start_writing},
};
use crate::{
    analysis::Analysis,
    disk::{File, check::Checker, lock::Lock},
    escape,
    generate::Request,
    places::Places,
    plan::{Plan, StackSetRecord, prove::proven},
    render::{Filter, line_ends, readme},
};
use anyhow::anyhow;
use std::path::{Path, PathBuf};

pub(super) fn run(args: &GenerateArgs, io: &Io) -> Outcome {
    let asked = &args.report;
    let mut analysis = read::read_map(&args.map, &asked.known, io)?;
    baseline::apply(&mut analysis, asked, io)?;
    let exit = findings::exit_of(&analysis.findings, asked)?;
    let failed = exit != Exit::Clean;
    // findings are data in a machine's format: with --check they are in the report on the files, and with --stdout the files are the
    // data, unless findings end the run
    let data = asked.format != FindingFormat::Text;
    if !data || failed || !(args.check || args.stdout) {
        read::print_findings(&analysis, asked, io, data, io.verbose)?;
    }
    let (Some(plan), Exit::Clean) = (analysis.plan.take(), exit) else { return Ok(Exit::Findings) };
    let plan = &proven(plan).map_err(anyhow::Error::from)?;
    let filter = filter(&args.account, &args.region, plan)?;
    let settings = Settings::of(args, &analysis)?;
    let overrides = overrides::for_generate(settings.templates.as_ref(), io)?;
    let map_name = read::map_name(&analysis);
    let (targets, dropped) = (&settings.targets, &settings.dropped);
    let request = Request { plan, filter: &filter, overrides: &overrides, targets, dropped, map_name: &map_name };
    let job = Job { request, out: settings.out.clone(), all: args.target.is_empty() };
    if args.stdout {
        job.print(io)
    } else if args.check {
        job.check(args, &analysis, io)
    } else {
        job.write(args, io)
    }
}

/// So many accounts that leave a StackSet are named.
const MOST_SHOWN: usize = 10;

/// One run, in the user's words.
struct Job<'a> {
    request: Request<'a>,
    /// The output folder.
    out: PathBuf,
    /// Were no targets named?
    all: bool,
}

impl Job<'_> {
    /// Makes the files and gives them to `take`, while a line on the terminal says how far it has come.
    fn each(&self, old: &Lock, io: &Io, mut take: impl FnMut(&File) -> anyhow::Result<()>) -> anyhow::Result<Lock> {
        let start = std::time::Instant::now();
        let clock = || start.elapsed();
        let mut progress = Progress::new(io, &clock, self.request.expected_files());
        self.request.run(old, |file| take(file).map(|()| progress.step()))
    }

    fn print(&self, io: &Io) -> Outcome {
        let mut artifacts = self.request.artifacts()?;
        if !self.all {
            artifacts.retain(|artifact| ![readme::PATH, line_ends::PATH].contains(&artifact.path.as_str()));
        }
        let text: String = match artifacts.as_slice() {
            [one] => one.text.clone(),
            many => many.iter().map(|artifact| format!("==> {} <==\n{}\n", artifact.path, artifact.text)).collect(),
        };
        io.write_stdout(&text)?;
        Ok(Exit::Clean)
    }

    fn check(&self, args: &GenerateArgs, analysis: &Analysis, io: &Io) -> Outcome {
        let mut checker = Checker::new(&self.out)?;
        let old = checker.old_lock().clone();
        let lock = self.each(&old, io, |file| checker.add(file))?;
        checker.finish(lock, |path| self.request.prunes(path));
        let command = self.command(args) + if checker.edited() { " --force" } else { "" };
        let stale = Stale { out: &self.out, checker: &checker, command: &command, places: Places::here() };
        if args.report.format == FindingFormat::Text {
            io.print(&stale.diff())?;
        } else {
            stale.report(analysis, &args.report, io)?;
            if !io.quiet {
                io.write_stderr(&stale.diff());
            }
        }
        if !checker.differences.is_empty() {
            stale.say(io);
            return Ok(Exit::Findings);
        }
        if !io.quiet {
            io.message(format_args!("{} is up to date", self.out.display()));
        }
        Ok(Exit::Clean)
    }

    fn write(&self, args: &GenerateArgs, io: &Io) -> Outcome {
        let mut writer = start_writing(&self.out, args.force, io)?;
        let old = writer.old_lock().clone();
        let lock = self.each(&old, io, |file| writer.add(file))?;
        writer.keep_edited(|path| self.request.prunes(path));
        if stands_in_the_way(writer.conflicts(), &self.out, io) {
            return Ok(Exit::Findings);
        }
        let left = self.left(&old, &lock);
        let back = self.request.coming_back(&old);
        let mut gone = self.request.retired_trails(&old);
        gone.retain(|record| old.trails.contains(record));
        let done = writer.finish(lock, |path| self.request.prunes(path))?;
        for name in &back {
            io.message(format_args!(
                "the log bucket `{name}` is back in the map: an earlier run retired it, and nothing deletes one, so it is taken over; if it is gone, write `adopt: false` under its `log_bucket`"
            ));
        }
        for record in self.request.trails_coming_back(&old).iter().take(MOST_SHOWN) {
            io.message(format_args!(
                "the trail `{}` of `{}` is back in the map: an earlier run let it go, and nothing ends one; if it is there still, write `adopt: true` under it",
                record.trail, record.account
            ));
        }
        for record in gone.iter().take(MOST_SHOWN) {
            io.message(format_args!(
                "the trail `{}` of `{}` leaves the map, and no target ends it: it records until `aws cloudtrail delete-trail --region {} --name {}` in account {}, and once the policy of its bucket is set anew its files are no longer let in",
                record.trail, record.account, record.region, record.trail, record.account_id
            ));
        }
        if gone.len() > MOST_SHOWN {
            io.message(format_args!(
                "so do {} more trails, which the lock lists under `retired_trails`",
                gone.len() - MOST_SHOWN
            ));
        }
        if !io.quiet {
            io.write_stderr(&budgets(self.request.plan, if io.verbose { usize::MAX } else { 10 }));
            io.message(format_args!(
                "{}: {} files written, {} unchanged, {} removed",
                self.out.display(),
                done.written,
                done.unchanged,
                done.removed
            ));
            left.iter().for_each(|text| io.message(text));
        }
        Ok(Exit::Clean)
    }

    /// A message where accounts leave a StackSet: what has to be done by hand.
    fn left(&self, old: &Lock, new: &Lock) -> Option<String> {
        let left = StackSetRecord::departures(&old.stack_sets, &new.stack_sets);
        let shown: Vec<String> = left
            .iter()
            .take(MOST_SHOWN)
            .map(|(region, id)| {
                let account = self.request.plan.accounts.iter().find(|account| account.id == *id);
                format!("`{}` in {region}", account.map_or(*id, |account| &account.key))
            })
            .collect();
        let more = left.len().saturating_sub(shown.len());
        let more = if more > 0 { format!(", and {more} more") } else { String::new() };
        (!left.is_empty()).then(|| {
            let page = self.out.join("cloudformation/stacksets/README.md");
            format!(
                "these accounts leave the StackSet that they are in, and {} has the commands: {}{more}",
                page.display(),
                shown.join(", ")
            )
        })
    }

    /// The command that does what this run would have done.
    fn command(&self, args: &GenerateArgs) -> String {
        let mut command = "logmap generate".to_owned();
        if let Some(map) = &args.map.map {
            command += &format!(" {}", word(map));
        }
        if let Some(out) = &args.out {
            command += &format!(" --out {}", word(out));
        }
        if !self.all {
            let names: Vec<&str> = self.request.targets.iter().map(|target| target.name).collect();
            command += &format!(" --target {}", names.join(","));
        }
        for (flag, values) in [("--account", &self.request.filter.accounts), ("--region", &self.request.filter.regions)] {
            if !values.is_empty() {
                command += &format!(" {flag} {}", values.join(","));
            }
        }
        if let Some(templates) = &args.templates {
            command += &format!(" --templates {}", word(templates));
        }
        command
    }
}

/// A path as one word of a shell command, which is no flag.
fn word(path: &Path) -> String {
    let path = path.to_string_lossy();
    if path.starts_with('-') && path != "-" { escape::sh_word(&format!("./{path}")) } else { escape::sh_word(&path) }
}

/// `--account` and `--region`, whose words the plan must know.
pub(super) fn filter(wanted_accounts: &[String], wanted_regions: &[String], plan: &Plan) -> Result<Filter, Stop> {
    // the account that asks the logs of all may have no log bucket
    let asks = || plan.central.iter();
    let accounts = plan.accounts.iter().chain(asks().map(|central| &central.account));
    let accounts: Vec<&str> = accounts.map(|account| account.key.as_str()).collect();
    let regions = plan.placements().map(|(_, placement)| &placement.region).chain(asks().map(|central| &central.region));
    let regions: Vec<&str> = regions.map(String::as_str).collect();
    for (what, wanted, known) in [("account", wanted_accounts, &accounts), ("Region", wanted_regions, &regions)] {
        if let Some(unknown) = wanted.iter().find(|word| !known.contains(&word.as_str())) {
            let near = crate::diagnostics::did_you_mean(unknown, known.iter().copied())
                .map_or(String::new(), |near| format!("; did you mean `{near}`?"));
            return Err(Stop::usage(anyhow!("the plan of this map has no {what} `{unknown}`{near}")));
        }
    }
    let filter = Filter { accounts: wanted_accounts.to_vec(), regions: wanted_regions.to_vec() };
    if !plan.accounts.iter().any(|account| filter.account(account))
        && !asks().any(|central| filter.central(central))
        && !plan.accounts.is_empty()
    {
        return Err(Stop::usage(anyhow!("no account of `--account` has a Region of `--region`")));
    }
    Ok(filter)
}
