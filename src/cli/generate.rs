//! `logmap generate`: validates, derives, renders, writes (or checks, or prints). Nothing is written from a map with
//! errors, and nothing at all when a file that is not ours stands in the way.

use super::{
    Outcome, Stop,
    args::{Common, Format, GenerateArgs, Target},
    baseline,
    budgets::budgets,
    exit::Exit,
    findings,
    handover::{Work, side_by_side},
    io::Io,
    progress::Progress,
    read,
    writing::{stands_in_the_way, start_writing},
};
use crate::{
    artifacts::Artifact,
    disk::{
        File,
        check::Checker,
        lock::{Lock, MapEntry},
    },
    plan::{
        Plan,
        prove::{Proven, proven},
    },
    render::{self, Context, Filter, Retired, Sink, digests::Digests, targets},
    threads::{cores, join},
};
use anyhow::{Context as _, anyhow};
use clap::ValueEnum;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    thread,
};

pub(super) fn run(args: &GenerateArgs, common: &Common, io: &Io) -> Outcome {
    let mut analysis = read::read_map(&args.map, io)?;
    baseline::apply(&mut analysis, common, io)?;
    let findings_on_stdout = common.format != Format::Text && !args.stdout && !args.check;
    let exit = findings::exit_of(&analysis.findings, common)?;
    // with --check and --stdout standard output has other data; a report is then worth its place only if it ends the run
    let failed = exit != Exit::Clean;
    if common.format == Format::Text || failed || findings_on_stdout {
        read::print_findings(&analysis, common, io, findings_on_stdout || (failed && common.format != Format::Text), io.verbose)?;
    }
    let (Some(plan), Exit::Clean) = (analysis.plan.take(), exit) else { return Ok(Exit::Findings) };
    let plan = &proven(plan).map_err(anyhow::Error::from)?;
    let filter = filter(&args.account, &args.region, plan)?;
    let overrides = overrides(args.templates.as_deref())?;
    let targets: Vec<Target> = if args.target.is_empty() { Target::value_variants().to_vec() } else { sorted(&args.target) };
    let map_name = read::map_name(&analysis);
    let job =
        Job { plan, filter: &filter, overrides: &overrides, targets: &targets, map_name: &map_name, all: args.target.is_empty() };
    render::check_overrides(&overrides).map_err(Stop::usage)?;
    if args.stdout {
        job.print(io)
    } else if args.check {
        job.check(args, io)
    } else {
        job.write(args, io)
    }
}

/// One run's request.
struct Job<'a> {
    plan: &'a Proven,
    filter: &'a Filter,
    overrides: &'a [(String, String)],
    targets: &'a [Target],
    map_name: &'a str,
    all: bool,
}

impl Job<'_> {
    /// Renders on threads of their own and gives the files in any order to `take`, which compares and writes meanwhile. Gives
    /// the lock that is to come.
    fn each(&self, old: &Lock, io: &Io, mut take: impl FnMut(&File) -> anyhow::Result<()>) -> anyhow::Result<Lock> {
        let start = std::time::Instant::now();
        let clock = || start.elapsed();
        let mut progress = Progress::new(io, &clock, self.expected_files());
        let (digests, retired) = (Digests::of(self.plan), self.retired(old));
        let context = self.context(&digests, &retired);
        thread::scope(|scope| {
            let lock = scope.spawn(|| self.lock(&context));
            side_by_side(cores(), self.works(&context, old), |file| take(file).map(|()| progress.step()))?;
            Ok(join(lock))
        })
    }

    /// About how many files there will be.
    fn expected_files(&self) -> usize {
        let accounts = || self.plan.accounts.iter().filter(|account| self.filter.account(account));
        let places = accounts().flat_map(|account| &account.places).filter(|place| self.filter.region(place)).count();
        let of_target = |target: &Target| match target {
            Target::Terraform => 3 * accounts().count() + 2 * places,
            _ => places,
        };
        self.targets.iter().map(of_target).sum()
    }

    fn context<'b>(&'b self, digests: &'b Digests<'b>, retired: &'b [Retired]) -> Context<'b> {
        Context { digests, map_name: self.map_name, overrides: self.overrides, filter: self.filter, retired }
    }

    /// What there is to render: each target, and what is about all of them.
    fn works<'b>(&'b self, context: &'b Context<'b>, old: &'b Lock) -> Vec<Work<'b>> {
        let work = |target: &Target| -> Work<'b> {
            let render: fn(&Context<'_>, &mut Sink<'_>) -> anyhow::Result<()> = match target {
                Target::Policies => targets::policies,
                Target::Terraform => targets::terraform,
                Target::Cloudformation => targets::cloudformation,
                Target::AwsCli => targets::aws_cli,
                Target::Athena => targets::athena,
            };
            Box::new(move |sink| render(context, sink))
        };
        let present =
            |target: Target| self.targets.contains(&target) || old.files.keys().any(|path| path.starts_with(folder(target)));
        let readme = move |sink: &mut Sink<'_>| {
            let folders: Vec<&str> =
                Target::value_variants().iter().filter(|target| present(**target)).map(|target| folder(*target)).collect();
            sink(render::readme::render(context, &folders)?)
        };
        let mut works: Vec<Work<'b>> = self.targets.iter().map(work).collect();
        if self.is_whole() {
            works.push(Box::new(readme));
        }
        works
    }

    /// Is the request for every account and Region? Files about all of them are left alone otherwise.
    fn is_whole(&self) -> bool {
        self.filter.accounts.is_empty() && self.filter.regions.is_empty()
    }

    /// May a file of the old lock go when this run does not give it?
    fn prunes(&self, path: &str) -> bool {
        let Some(target) = self.targets.iter().find(|target| path.starts_with(folder(**target))) else {
            return path == "README.md" && self.is_whole();
        };
        if self.is_whole() {
            return true;
        }
        let mut parts = path.split('/').skip(1);
        let (account, file) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let known = self.plan.account(account).is_some_and(|known| self.filter.account(known));
        let here = |region: &String| file.strip_prefix(region.as_str()).is_some_and(|rest| rest.starts_with(['.', '-']));
        let wanted = self.filter.regions.is_empty() || *target == Target::Terraform || self.filter.regions.iter().any(here);
        *target != Target::Policies && known && wanted
    }

    fn log_buckets(&self) -> Vec<Retired> {
        self.plan
            .places()
            .flat_map(|(account, place)| place.buckets.iter().map(move |bucket| Retired::of(account, &place.region, bucket)))
            .collect()
    }

    /// Log buckets of earlier runs that are no longer in the plan.
    fn retired(&self, old: &Lock) -> Vec<Retired> {
        let now: BTreeSet<(&str, &str)> = self
            .plan
            .places()
            .flat_map(|(account, place)| place.buckets.iter().map(|bucket| (account.id.as_str(), bucket.name.as_str())))
            .collect();
        let same = |a: &Retired, b: &Retired| (&a.account_id, &a.bucket) == (&b.account_id, &b.bucket);
        let mut retired: Vec<Retired> = old
            .log_buckets
            .iter()
            .chain(&old.retired)
            .filter(|gone| !now.contains(&(gone.account_id.as_str(), gone.bucket.as_str())))
            .cloned()
            .collect();
        retired.sort();
        retired.dedup_by(|a, b| same(a, b));
        retired
    }

    fn lock(&self, context: &Context<'_>) -> Lock {
        Lock {
            format_version: "1.0".to_owned(),
            logmap_version: env!("CARGO_PKG_VERSION").to_owned(),
            map: MapEntry { file: self.map_name.to_owned(), digest: context.digests.whole() },
            apply_order: self.plan.apply_order.clone(),
            log_buckets: self.log_buckets(),
            retired: context.retired.to_vec(),
            journal: None,
            files: Default::default(),
        }
    }

    fn print(&self, io: &Io) -> Outcome {
        let mut artifacts: Vec<Artifact> = Vec::new();
        let mut sink = |artifact| {
            artifacts.push(artifact);
            Ok(())
        };
        let (digests, nothing) = (Digests::of(self.plan), Lock::default());
        self.works(&self.context(&digests, &[]), &nothing).into_iter().try_for_each(|work| work(&mut sink))?;
        if !self.all {
            artifacts.retain(|artifact| artifact.path != "README.md");
        }
        let text: String = match artifacts.as_slice() {
            [one] => one.text.clone(),
            many => many.iter().map(|artifact| format!("==> {} <==\n{}\n", artifact.path, artifact.text)).collect(),
        };
        io.data(&text)?;
        Ok(Exit::Clean)
    }

    fn check(&self, args: &GenerateArgs, io: &Io) -> Outcome {
        let mut checker = Checker::new(&args.out)?;
        let old = checker.old_lock().clone();
        let lock = self.each(&old, io, |file| checker.add(file))?;
        checker.finish(lock, |path| self.prunes(path));
        if checker.differences.is_empty() {
            if !io.quiet {
                io.say(format_args!("{} is up to date", args.out.display()));
            }
            return Ok(Exit::Clean);
        }
        io.data(&checker.differences.iter().map(|(_, diff)| diff.as_str()).collect::<String>())?;
        if checker.interrupted() {
            io.say(format_args!(
                "a run that wrote to {} was interrupted, or is not done yet: some files are of before, some are new",
                args.out.display()
            ));
        }
        io.say(format_args!(
            "{} is stale: {} files differ; `{}{}` brings it up to date",
            args.out.display(),
            checker.differences.len(),
            self.command(args),
            if checker.edited { " --force" } else { "" }
        ));
        if checker.edited {
            io.say("a file was edited since logmap wrote it: what the edit is for belongs into the map, `--force` drops it");
        }
        for path in &checker.foreign {
            io.say(format_args!("{} was not written by logmap: move it away first", args.out.join(path).display()));
        }
        Ok(Exit::Findings)
    }

    fn write(&self, args: &GenerateArgs, io: &Io) -> Outcome {
        let mut writer = start_writing(&args.out, args.force, io)?;
        let old = writer.old_lock().clone();
        let lock = self.each(&old, io, |file| writer.add(file))?;
        writer.keep_edited(|path| self.prunes(path));
        if stands_in_the_way(writer.conflicts(), &args.out, io) {
            return Ok(Exit::Findings);
        }
        let done = writer.finish(lock, |path| self.prunes(path))?;
        if !io.quiet {
            io.talk(&budgets(self.plan, if io.verbose { usize::MAX } else { 10 }));
            io.say(format_args!(
                "{}: {} files written, {} unchanged, {} removed",
                args.out.display(),
                done.written,
                done.unchanged,
                done.removed
            ));
        }
        Ok(Exit::Clean)
    }

    /// The command that does what this run would have done.
    fn command(&self, args: &GenerateArgs) -> String {
        let mut command = "logmap generate".to_owned();
        if let Some(map) = &args.map.map {
            command += &format!(" {}", word(map));
        }
        if args.out != *"out" {
            command += &format!(" --out {}", word(&args.out));
        }
        if !self.all {
            let names: Vec<&str> = self.targets.iter().map(|target| folder(*target).trim_end_matches('/')).collect();
            command += &format!(" --target {}", names.join(","));
        }
        for (flag, values) in [("--account", &self.filter.accounts), ("--region", &self.filter.regions)] {
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

/// A path as one word of a shell command.
fn word(path: &Path) -> String {
    let text = path.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,:@%".contains(c);
    if !text.is_empty() && text.chars().all(plain) { text.into_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

/// Folder of a target in the output.
fn folder(target: Target) -> &'static str {
    match target {
        Target::Policies => "policies/",
        Target::Terraform => "terraform/",
        Target::Cloudformation => "cloudformation/",
        Target::AwsCli => "aws-cli/",
        Target::Athena => "athena/",
    }
}

fn sorted(targets: &[Target]) -> Vec<Target> {
    let mut targets = targets.to_vec();
    targets.sort_unstable();
    targets.dedup();
    targets
}

/// `--account` and `--region`, whose words the plan must know.
pub(super) fn filter(wanted_accounts: &[String], wanted_regions: &[String], plan: &Plan) -> Result<Filter, Stop> {
    let accounts: Vec<&str> = plan.accounts.iter().map(|account| account.key.as_str()).collect();
    let regions: Vec<&str> = plan.places().map(|(_, place)| place.region.as_str()).collect();
    for (what, wanted, known) in [("account", wanted_accounts, &accounts), ("Region", wanted_regions, &regions)] {
        if let Some(unknown) = wanted.iter().find(|word| !known.contains(&word.as_str())) {
            let near = crate::diagnostics::did_you_mean(unknown, known.iter().copied())
                .map_or(String::new(), |near| format!("; did you mean `{near}`?"));
            return Err(Stop::usage(anyhow!("the plan of this map has no {what} `{unknown}`{near}")));
        }
    }
    let filter = Filter { accounts: wanted_accounts.to_vec(), regions: wanted_regions.to_vec() };
    if !plan.accounts.iter().any(|account| filter.account(account)) && !plan.accounts.is_empty() {
        return Err(Stop::usage(anyhow!("no account of `--account` has a Region of `--region`")));
    }
    Ok(filter)
}

/// Every file below the folder, by its path there.
fn overrides(folder: Option<&Path>) -> Result<Vec<(String, String)>, Stop> {
    let Some(folder) = folder else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    let mut open = vec![PathBuf::new()];
    while let Some(relative) = open.pop() {
        let path = folder.join(&relative);
        let entries = fs::read_dir(&path)
            .with_context(|| format!("can't read the templates in {}", path.display()))
            .map_err(Stop::usage)?;
        for entry in entries {
            let entry = entry?;
            let relative = relative.join(entry.file_name());
            if entry.path().is_dir() {
                open.push(relative);
            } else {
                let text = fs::read_to_string(entry.path())
                    .with_context(|| format!("can't read the template {}", entry.path().display()))
                    .map_err(Stop::usage)?;
                found.push((relative.to_string_lossy().replace('\\', "/"), text));
            }
        }
    }
    found.sort();
    Ok(found)
}
