//! What each step from a map's text to its files costs: time, and allocations, which are the same on a busy machine.
//!
//! `cargo bench`; one step: `cargo bench -- grid::render_terraform`. Whole runs beside other programs are measured by `compare.py`.
#![allow(clippy::unwrap_used, reason = "a bench may fail loudly")]

#[path = "../tests/common/large.rs"]
mod large;

use divan::{AllocProfiler, Bencher, black_box};
use logmap::testing::{
    diagnostics::Finding,
    document::{self, Document},
    map::{self, RegionMap, effective},
    plan::{
        Account, Plan, derive,
        prove::{Subject, prove, proven},
    },
    policy::condense::condense,
    render::{Context, Filter, digests::Digests, targets::Target},
    rules,
    source::SourceFile,
};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

fn file(text: String) -> SourceFile {
    SourceFile::new("logmap.yaml", text)
}

/// The tree and the map of a text without errors.
fn read(file: &SourceFile) -> (Document, RegionMap) {
    let mut findings = Vec::new();
    let document = document::read(file, &mut findings);
    let map = map::decode(&document, &mut findings);
    assert!(findings.is_empty(), "{findings:?}");
    (document, map)
}

fn plan(text: String) -> Plan {
    derive::derive(&effective::effective_map(&read(&file(text)).1), &mut Vec::new())
}

/// The steps of one shape of map.
macro_rules! steps {
    ($shape:ident, $sizes:expr) => {
        mod $shape {
            use super::*;

            #[divan::bench(args = $sizes)]
            fn document(bencher: Bencher<'_, '_>, sources: usize) {
                let file = file(large::$shape(sources));
                bencher.bench(|| document::read(black_box(&file), &mut Vec::new()));
            }

            #[divan::bench(args = $sizes)]
            fn decode_and_settle(bencher: Bencher<'_, '_>, sources: usize) {
                let document = read(&file(large::$shape(sources))).0;
                bencher.bench(|| {
                    let map = map::decode(black_box(&document), &mut Vec::new());
                    effective::effective_map(&map).accounts.len()
                });
            }

            #[divan::bench(args = $sizes)]
            fn rules(bencher: Bencher<'_, '_>, sources: usize) {
                let map = read(&file(large::$shape(sources))).1;
                bencher.bench(|| {
                    let mut findings: Vec<Finding> = Vec::new();
                    rules::check_map(black_box(&map), &mut findings);
                    findings
                });
            }

            /// With the policies composed and proven.
            #[divan::bench(args = $sizes)]
            fn derive(bencher: Bencher<'_, '_>, sources: usize) {
                let map = read(&file(large::$shape(sources))).1;
                bencher.bench(|| derive::derive(&effective::effective_map(black_box(&map)), &mut Vec::new()));
            }

            #[divan::bench(args = $sizes)]
            fn prove(bencher: Bencher<'_, '_>, sources: usize) {
                let plan = plan(large::$shape(sources));
                bencher.bench(|| plan.accounts.iter().map(prove_account).sum::<usize>());
            }

            #[divan::bench(args = $sizes)]
            fn render_policies(bencher: Bencher<'_, '_>, sources: usize) {
                render(bencher, large::$shape(sources), "policies");
            }

            #[divan::bench(args = $sizes)]
            fn render_terraform(bencher: Bencher<'_, '_>, sources: usize) {
                render(bencher, large::$shape(sources), "terraform");
            }

            #[divan::bench(args = $sizes)]
            fn render_cloudformation(bencher: Bencher<'_, '_>, sources: usize) {
                render(bencher, large::$shape(sources), "cloudformation");
            }

            #[divan::bench(args = $sizes)]
            fn render_aws_cli(bencher: Bencher<'_, '_>, sources: usize) {
                render(bencher, large::$shape(sources), "aws-cli");
            }

            #[divan::bench(args = $sizes)]
            fn render_athena(bencher: Bencher<'_, '_>, sources: usize) {
                render(bencher, large::$shape(sources), "athena");
            }
        }
    };
}

steps!(grid, [1_000, 10_000]);
steps!(one, [1_000, 10_000]);

/// Proves the policies of an account again, and gives how many requests were asked about.
fn prove_account(account: &Account) -> usize {
    let buckets = account.placements.iter().flat_map(|placement| placement.buckets.iter().map(move |bucket| (placement, bucket)));
    let proofs = buckets.map(|(placement, bucket)| prove(&Subject::of(account, placement, bucket)));
    proofs.flat_map(|proof| proof.rows).map(|row| row.asked).sum()
}

fn render(bencher: Bencher<'_, '_>, text: String, target: &str) {
    let (plan, filter) = (proven(plan(text)).unwrap(), Filter::default());
    let target = Target::find(target).unwrap();
    bencher.bench(|| {
        // anew in each round, as nothing of them is known before a run
        let digests = &Digests::of(&plan);
        let context = Context {
            digests,
            map_name: "logmap.yaml",
            overrides: &[],
            filter: &filter,
            retired: &[],
            retired_trails: &[],
            layouts: &[],
            stack_sets: None,
        };
        let mut bytes = 0;
        (target.render)(&context, &mut |artifact| {
            bytes += artifact.text.len();
            Ok(())
        })
        .unwrap();
        bytes
    });
}

/// Names that do not fit into a policy become patterns that do.
#[divan::bench(args = [1_000, 10_000, 100_000, 1_000_000], max_time = 5)]
fn condense_names(bencher: Bencher<'_, '_>, names: usize) {
    let names: Vec<String> = (0..names).map(|name| format!("acme-team-{:05}-app-{:03}", name / 100, name % 100)).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    bencher.bench(|| condense(black_box(&names), 16, 19_000).unwrap().patterns.len());
}
