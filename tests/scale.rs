//! Cost grows in proportion to the map: counted in allocations, so that no clock and no other process has a say.
//!
//! Allocations are counted of the whole process, so the tests of this file take turns.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail loudly")]

mod common;
#[path = "common/large.rs"]
mod large;

use logmap::testing::{
    analysis::{Analysis, analyze},
    artifacts::Artifact,
    included::Sources,
    plan::prove::{Proven, Subject, prove, proven},
    render::{
        Context, Filter,
        digests::Digests,
        readme,
        targets::{TARGETS, Target},
    },
    source::SourceFile,
};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::{alloc::System, sync::Mutex};

#[global_allocator]
static COUNTED: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

static TURN: Mutex<()> = Mutex::new(());

/// What a piece of work gives, its allocations and the bytes allocated.
fn counted<T>(work: impl FnOnce() -> T) -> (T, [usize; 2]) {
    let region = Region::new(COUNTED);
    let result = work();
    let change = region.change();
    (result, [change.allocations + change.reallocations, change.bytes_allocated])
}

fn analysis(text: &str) -> Analysis {
    analyze(SourceFile::new("logmap.yaml", text))
}

/// What a target renders, all on the caller's thread.
fn render(plan: &Proven, filter: &Filter, target: &Target) -> Vec<Artifact> {
    let digests = &Digests::of(plan);
    let context = Context {
        digests,
        map_name: "logmap.yaml",
        overrides: &[],
        filter,
        retired: &[],
        retired_trails: &[],
        layouts: &[],
        stack_sets: None,
    };
    let mut artifacts = Vec::new();
    (target.render)(&context, &mut |artifact| {
        artifacts.push(artifact);
        Ok(())
    })
    .unwrap();
    artifacts
}

fn at_most(what: &str, small: [usize; 2], large: [usize; 2], times: f64) {
    for (unit, (small, large)) in ["allocations", "bytes"].iter().zip(small.iter().zip(large)) {
        let ratio = large as f64 / *small as f64;
        assert!(ratio <= times, "{what}: {small} {unit} became {large}, {ratio:.2} times as many");
    }
}

/// The targets but for those that a map has to ask for.
fn of_every_map() -> impl Iterator<Item = &'static Target> {
    TARGETS.iter().filter(|target| target.name != "guardrails")
}

#[test]
fn guardrails_grow_in_proportion_to_the_sources() {
    let _turn = TURN.lock();
    let guarded = |sources| large::grid(sources) + "guardrails: { deployer: logmap-deployer }\n";
    let (small, large) = (guarded(8_000), guarded(64_000));
    let (small, small_work) = counted(|| analysis(&small));
    let (large, large_work) = counted(|| analysis(&large));
    at_most("guardrails", small_work, large_work, 8.8);
    let (small, large) = (&proven(small.plan.unwrap()).unwrap(), &proven(large.plan.unwrap()).unwrap());
    let target = TARGETS.iter().find(|target| target.name == "guardrails").unwrap();
    let (few, many) = (render(small, &Filter::default(), target), render(large, &Filter::default(), target));
    // the same files, and as long as AWS takes them
    assert_eq!(few.len(), many.len());
    assert!(many.iter().any(|artifact| artifact.path == "guardrails/scp.json") && many.len() == 4, "{}", many.len());
}

#[test]
fn work_grows_in_proportion_to_the_sources() {
    let _turn = TURN.lock();
    let broken = |sources| large::grid(sources).replace("- acme-team", "- Acme_team");
    let in_one_line = |sources| {
        let list: Vec<String> = (0..sources).map(|source| format!("\"Acme_{source}\"")).collect();
        format!("{{version: 1, accounts: {{prod: {{id: 7, regions: {{us-east-1: {{buckets: [{}]}}}}}}}}}}", list.join(", "))
    };
    let maps: [(&str, &dyn Fn(usize) -> String); 4] =
        [("grid", &large::grid), ("one", &large::one), ("errors", &broken), ("one line of errors", &in_one_line)];
    for (name, map) in maps {
        // by a power of two, so that lists that double their room as they grow have as much of it to spare in both
        let (small, large) = (map(1_000), map(8_000));
        let (small, small_work) = counted(|| analysis(&small));
        let (large, large_work) = counted(|| analysis(&large));
        at_most(name, small_work, large_work, 8.8);
        let (Some(small), Some(large)) = (small.plan, large.plan) else {
            assert!(large.findings.len() >= 8_000, "{name} has {} findings", large.findings.len());
            continue;
        };
        let (small, large) = (&proven(small).unwrap(), &proven(large).unwrap());
        for target in of_every_map() {
            let (few, small_work) = counted(|| render(small, &Filter::default(), target));
            let (many, large_work) = counted(|| render(large, &Filter::default(), target));
            assert!(!few.is_empty() && many.len() >= few.len());
            at_most(&format!("{} of {name}", target.name), small_work, large_work, 8.8);
        }
    }

    // an account out of a hundred costs about a hundredth, whatever the target
    let whole = proven(analysis(&large::grid(10_000)).plan.unwrap()).unwrap();
    let filter = Filter { accounts: vec!["team-00042".to_owned()], regions: Vec::new() };
    for target in of_every_map() {
        let (all, all_work) = counted(|| render(&whole, &Filter::default(), target));
        let (some, some_work) = counted(|| render(&whole, &filter, target));
        let id = whole.account("team-00042").unwrap().id.clone();
        // the library of the scripts is needed by those of any account
        let own =
            |artifact: &&Artifact| ["/team-00042/", &format!("-{id}-"), "/lib/"].iter().any(|part| artifact.path.contains(part));
        let paths = |artifacts: &[Artifact]| artifacts.iter().map(|artifact| artifact.path.clone()).collect::<Vec<_>>();
        let wanted: Vec<Artifact> = all.iter().filter(own).cloned().collect();
        assert_eq!(paths(&some), paths(&wanted), "{}", target.name);
        assert!(some == wanted, "{}", target.name);
        // the templates are read for one as for all
        at_most(&format!("{} of one account", target.name), all_work, some_work, 0.1);
    }
}

/// A file for each account costs little more than one for all.
#[test]
fn a_map_in_many_files_costs_what_one_costs() {
    let _turn = TURN.lock();
    let text = large::grid(20_000);
    let (head, rest) = text.split_once("accounts:\n").unwrap();
    let (accounts, tail) = rest.split_once("trails:\n").unwrap();
    let included: Vec<String> =
        accounts.split("  team-").skip(1).map(|account| format!("version: 1\naccounts:\n  team-{account}")).collect();
    assert_eq!(included.len(), 200);
    let file = |(at, text): (usize, &String)| SourceFile::new(format!("accounts/{at}.yaml"), text.as_str());
    let sources = Sources {
        map: SourceFile::new("logmap.yaml", format!("{head}include: [accounts/*.yaml]\ntrails:\n{tail}")),
        included: included.iter().enumerate().map(file).collect(),
        unusable: Some(Vec::new()),
        baseline: None,
    };
    let (one, one_work) = counted(|| analysis(&text));
    let (many, many_work) = counted(|| analyze(sources));
    assert!(one.plan.is_some() && many.plan.is_some(), "{:?}", many.findings);
    at_most("many files", one_work, many_work, 1.1);
}

/// The files are rendered on one thread and written on another; here all is done on one.
#[test]
fn the_tree_on_the_disk_is_what_a_single_thread_renders() {
    let _turn = TURN.lock();
    let dir = tempfile::tempdir().unwrap();
    let text = large::grid(1_000);
    std::fs::write(dir.path().join("logmap.yaml"), &text).unwrap();
    assert_eq!(common::logmap(dir.path(), &["generate"]).code, 0);
    let mut written = common::tree(&dir.path().join("out"));
    written.remove("logmap.lock.json").unwrap();
    written.remove(".gitattributes").unwrap(); // for no target in particular
    let plan = proven(analysis(&text).plan.unwrap()).unwrap();
    let mut rendered: Vec<Artifact> = TARGETS.iter().flat_map(|target| render(&plan, &Filter::default(), target)).collect();
    let whole = Filter::default();
    let digests = &Digests::of(&plan);
    let context = Context {
        digests,
        map_name: "logmap.yaml",
        overrides: &[],
        filter: &whole,
        retired: &[],
        retired_trails: &[],
        layouts: &[],
        stack_sets: None,
    };
    rendered.push(readme::render(&context, &TARGETS.each_ref().map(|target| target.name)).unwrap());
    assert_eq!(written.len(), rendered.len());
    for artifact in rendered {
        assert_eq!(written[&artifact.path], artifact.text, "{}", artifact.path);
    }
}

#[test]
fn a_proof_in_parts_asks_about_every_source() {
    let _turn = TURN.lock().unwrap();
    let plan = analysis(&large::one(25_000)).plan.unwrap();
    let (account, placement) = (&plan.accounts[0], &plan.accounts[0].placements[0]);
    let bucket = &placement.buckets[0];
    let mut sources = placement.sources.clone();
    sources[20_007].name = "not-granted".to_owned();
    let proof = prove(&Subject { sources: &sources, ..Subject::of(account, placement, bucket) });
    assert!(proof.rows.is_sorted_by(|one, next| one.kind < next.kind), "{:?}", proof.rows);
    let deliveries = &proof.rows[0];
    assert_eq!((deliveries.asked, deliveries.failures.len(), deliveries.by.len()), (25_000, 1, 1), "{deliveries:?}");
    assert!(deliveries.failures[0].what.contains("`not-granted`"), "{deliveries:?}");
}

#[test]
fn a_large_map_is_checked_as_a_small_one_is() {
    let _turn = TURN.lock().unwrap();
    let unused = "version: 1\norganization: { name: acme }\naccounts: { a: { id: \"111122223333\" }, b: { id: x } }\n";
    for text in [include_str!("../examples/broken/logmap.yaml"), include_str!("maps/full.yaml"), unused] {
        let told = |text: &str| format!("{:?}", analysis(text).findings);
        let large = format!("{text}{}", "# a comment\n".repeat(10_000));
        assert!(large.len() > 100_000 && told(text).contains("Finding"));
        assert_eq!(told(&large), told(text));
    }
}
