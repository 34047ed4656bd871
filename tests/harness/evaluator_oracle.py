"""Other judges of the evaluator in src/policy/evaluate.rs: the same cases, decided by programs that share no code with it.

`cargo test --test evaluator_oracle` writes the cases with our verdicts (and compares with the crate iam-rs itself).
"""
import functools
import json
import subprocess
from pathlib import Path

from . import npm
from .evaluate import Request, evaluate
from .report import Failure, expect
from .tools import find_tool

ROOT = Path(__file__).resolve().parents[2]
CASES = ROOT / "target" / "judge-cases.jsonl"
WORDS = {"allow": "allowed", "deny": "denied", "none": "not allowed"}
SIMULATE = "@cloud-copilot/iam-simulate", "0.1.173"


@functools.cache
def cases(features):
    """Those of a build with the features that the program has: with others, everything would be built once more."""
    build = ["cargo", "test", "--quiet", "--profile", "ci", *(["--features", features] if features else []), "--test", "evaluator_oracle"]
    subprocess.run([*build, "cases_for_other_judges"], cwd=ROOT, check=True, capture_output=True)
    return [json.loads(line) for line in CASES.read_text().splitlines()]


def compare(all_cases, verdicts):
    expect(len(all_cases) == len(verdicts), f"{len(verdicts)} verdicts for {len(all_cases)} cases")
    split = [(case, verdict) for case, verdict in zip(all_cases, verdicts) if case["verdict"] != verdict]
    if split:
        shown = "\n".join(f"{json.dumps(case)}\n  the judge says {verdict}" for case, verdict in split[:5])
        raise Failure(f"{len(split)} of {len(all_cases)} cases are judged otherwise:\n{shown}")


def check(report, features):
    if not report.wants("evaluator_oracle/"):
        return
    with report.check("evaluator_oracle/python"):
        every = cases(features)
        verdicts = []
        for case in every:
            verdict, _ = evaluate(case["policy"], Request(case["service"], case["action"], case["resource"], case["context"]))
            verdicts.append(WORDS[verdict])
        compare(every, verdicts)
    with report.check("evaluator_oracle/iam-simulate"):
        node, folder = find_tool("node"), npm.package(*SIMULATE).parents[2]
        every = cases(features)
        lines = "".join(json.dumps(case) + "\n" for case in every)
        script = Path(__file__).with_name("evaluator_oracle.mjs")
        done = subprocess.run([node, script, folder], input=lines, text=True, capture_output=True)
        expect(done.returncode == 0, done.stderr[-2000:])
        compare(every, done.stdout.splitlines())
