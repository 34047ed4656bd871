"""The jobs of the harness, and the workers that do them: groups of checks that know nothing of each other.

Each worker has a mock AWS, a warm AWS CLI and a folder of its own; what a job prints is given back in one piece.
"""
import contextlib
import functools
import hashlib
import io
import json
import shutil
import subprocess
import tempfile
import time
import traceback
from pathlib import Path

from . import adopted, athena, attacks, book, bus, called, calls, central, changes, cli2, deployer, distribution, editor, report_formats, generated, graph, guardrails, hooks, evaluator_oracle, limits, live, manual, maps, targets_agree, moves, foreign_inputs, packages
from . import readme, refusals, scanners, schema, scripts
from . import selftest, selftest_readme, selftest_templates, selftest_terraform, rollback_after_changes, stack_refusals, templates, terraform, vended, vscode, watching, writer
from .cli_shim import Shim
from .mock import Mock
from .report import Report, clean_env, expect
from .world import World

ROOT = Path(__file__).resolve().parents[2]
BESIDE_RUST = "evaluator_oracle"  # its cases are written by `cargo test`, which only the first shard runs
ATTACKED = "examples/small"  # the map whose script meets every fault at every call


def good_maps():
    """{name: path} of every map that must generate."""
    examples = {f"examples/{path.parent.name}": path for path in sorted((ROOT / "examples").glob("*/logmap.yaml"))}
    ours = {f"maps/{path.stem}": path for path in sorted((ROOT / "tests" / "maps").glob("*.yaml"))}
    return {name: path for name, path in {**examples, **ours}.items() if "broken" not in name}


def generate(logmap, path, folder):
    """The tree, which must come out the same a second time and be up to date for --check."""
    def run(*flags):
        done = subprocess.run([logmap, "generate", path, *flags], env=clean_env(), capture_output=True, text=True)
        expect(done.returncode == 0, f"generate {' '.join(map(str, flags))} exits {done.returncode}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    trees = folder / "out", folder / "again"
    for tree in trees:
        run("--out", tree)
    once, again = ({file.relative_to(tree): file.read_bytes() for file in tree.rglob("*") if file.is_file()} for tree in trees)
    expect(once, "generate wrote nothing")
    expect(once == again, f"not the same bytes twice: {[str(file) for file in once if once[file] != again.get(file)]}")
    run("--out", trees[0], "--check")
    listed = json.loads(once.pop(Path("logmap.lock.json")))["files"]
    real = {str(file): hashlib.sha256(text).hexdigest() for file, text in once.items()}
    expect(listed == real, f"the lock does not list what is there: {sorted(set(listed.items()) ^ set(real.items()))[:5]}")
    return trees[0]


def check_map(report, args, name, path, stage_of, core, folder):
    """Everything that holds for one good map."""
    kinds = [kind for kind in ("scripts", "templates", "terraform", "targets_agree", "athena", "foreign_inputs") if report.wants(f"{name}/{kind}")]
    if not (kinds or report.wants(f"{name}/generate")):
        return
    # the strings of `hostile` matter, and `meaning` runs its scripts; what a script does with faults, others show
    if path.stem == "hostile" or args.tier.scripted and name not in args.tier.scripted:
        kinds = ["lint" if kind == "scripts" else kind for kind in kinds]
    stage = None
    with report.check(f"{name}/generate"):
        stage = stage_of(maps.read(path), generate(args.logmap, path, folder), folder)
    if stage and "scripts" in kinds:
        scripts.check(report, f"{name}/scripts", stage, sample=args.tier.map_faults, also=lambda stage: live.good(args.logmap, stage))
        expect(set(args.tier.attacked) <= set(good_maps()), "a map that is to be attacked is not there")
        if name != ATTACKED and (not args.tier.attacked or name in args.tier.attacked):  # that one has jobs of its own
            attacks.check(report, f"{name}/scripts", stage, args.tier.map_attacks)
    if stage and "lint" in kinds:
        with report.check(f"{name}/lint"):
            scripts.lint(stage.tree)
    if stage and "templates" in kinds:
        templates.check(report, f"{name}/templates", stage)
    if stage and "terraform" in kinds:
        terraform.check(report, f"{name}/terraform", core, stage.map, stage.tree, folder)
    if stage and "foreign_inputs" in kinds:
        if "terraform" not in kinds:
            terraform.roots(stage.tree, folder / "terraform")
        known = ["--map", path] if stage.map.organization else []
        foreign_inputs.check(report, name, args.logmap, core, stage.tree, folder, 1 if name == ATTACKED else args.tier.mutants, known)
    if stage and "targets_agree" in kinds:
        targets_agree.check(report, f"{name}/targets_agree", stage, core, folder)
    if stage and "athena" in kinds:
        athena.check(report, f"{name}/athena", stage)
        if name == ATTACKED:  # the records are written for its sources
            athena.records(report, f"{name}/athena", stage.tree)
        if path.stem == "ask":
            athena.central(report, f"{name}/athena", stage.tree)


def stage_from(logmap, stage_of, text, folder):
    """The stage of a map that is given as text."""
    path = folder / "logmap.yaml"
    path.write_text(text)
    return stage_of(maps.read(path), generate(logmap, path, folder), folder)


def others_corpus(bench, report):
    """What others wrote, planned by Terraform's core."""
    if report.wants("foreign_inputs/corpus"):
        with report.check("foreign_inputs/corpus"):
            foreign_inputs.corpus(bench.args.logmap, bench.core, ROOT / "tests" / "check-terraform", bench.new_folder())


class Bench:
    """What one worker has: a mock AWS, a warm AWS CLI, and Terraform's core when it is first needed."""

    def __init__(self, args):
        self.args, self.temp = args, tempfile.TemporaryDirectory(prefix="logmap-tests-")
        self.folder, self.mock = Path(self.temp.name), Mock()
        self.shim, self.world = Shim(self.folder / "shim"), World(self.mock)
        self.core = functools.cache(lambda: terraform.Terraform(self.folder / "terraform"))

    def new_folder(self):
        return Path(tempfile.mkdtemp(dir=self.folder))

    def stage_of(self, region_map, tree, folder):
        return scripts.Stage(self.mock, self.shim, self.world, region_map, tree, folder)

    def stage_from(self, text):
        return stage_from(self.args.logmap, self.stage_of, text, self.new_folder())

    def close(self):
        self.shim.close()
        self.temp.cleanup()


def shard(names, place):
    """Of these jobs those of shard `place`, (1, 3) for the first of three: dealt to and fro, as those that take longest come first."""
    number, of = place
    dealt = [name for name in names if name != BESIDE_RUST]
    rounds = [dealt[at:at + of] for at in range(0, len(dealt), of)]
    lines = [line if at % 2 == 0 else line[::-1] if len(line) == of else line for at, line in enumerate(rounds)]
    return [line[number - 1] for line in lines if len(line) >= number] + [BESIDE_RUST] * (number == 1 and BESIDE_RUST in names)


def jobs(tier):
    """{name: job}: groups of checks that know nothing of each other; those that take longest come first."""
    attacked = good_maps()[ATTACKED].read_text()
    found = {
        f"attack {part}": lambda bench, report, part=part: attacks.every_call(
            report, f"{ATTACKED}/scripts", part, lambda: bench.stage_from(attacked), tier.attacks)
        for part in attacks.PARTS}
    found |= {
        f"map {name}": lambda bench, report, name=name, path=path: check_map(report, bench.args, name, path, bench.stage_of, bench.core, bench.new_folder())
        for name, path in sorted(good_maps().items(), key=lambda one: (one[0] not in SLOW, one[0]))}
    for pair in moves.pairs():
        walked = not tier.walked or pair.name in tier.walked
        parts = ["walk", "wrong-hands"] * walked + ["terraform"] + ["refusals"] * (pair == moves.EXAMPLE)
        found |= {f"moves {pair.name} {part}": lambda bench, report, pair=pair, part=part: moves.check(report, bench, pair, part) for part in parts}
    for part, run in refusals.parts(tier).items():
        found[f"refusals {part}"] = lambda bench, report, part=part, run=run: refusals.check(report, bench.stage_from, part, run)
    found["bus"] = lambda bench, report: bus.check(report, bench.stage_from)
    found["copied"] = lambda bench, report: central.check(report, bench.stage_from)
    found["vended"] = lambda bench, report: vended.check(report, bench.stage_from)
    for part, run in watching.parts(tier.watching).items():
        found[f"watching {part}"] = lambda bench, report, part=part, run=run: watching.check(report, bench.stage_from, part, run)
    found |= {
        "changes": lambda bench, report: changes.check(report, bench.args.logmap, bench.core, bench.new_folder, tier.providers),
        "called": lambda bench, report: called.check(report, bench.args.logmap, bench.core, bench.new_folder, tier.providers),
        "live": lambda bench, report: live.check(report, bench),
        "deployer": lambda bench, report: deployer.check(report, bench),
        "selftest": lambda bench, report: selftest.check(report, bench.stage_of, bench.new_folder, tier.mutants),
        "foreign_inputs": lambda bench, report: others_corpus(bench, report),
        "calls": lambda bench, report: calls.check(report, bench.stage_from),
        "guardrails": lambda bench, report: guardrails.check(report, lambda path, folder: generate(bench.args.logmap, path, folder), bench.new_folder),
        "limits": lambda bench, report: limits.check(report, lambda path, folder: generate(bench.args.logmap, path, folder), bench.new_folder),
        "rollback_after_changes": lambda bench, report: rollback_after_changes.check(report, bench.stage_from),
        "stack_refusals": lambda bench, report: stack_refusals.check(report, bench.stage_from, tier),
        "scanners": lambda bench, report: scanners.check(report, lambda path, folder: generate(bench.args.logmap, path, folder), {name: good_maps()[name] for name in tier.scanned}, bench.new_folder),
        "writer": lambda bench, report: writer.check(report, bench.args.logmap, bench.new_folder, tier),
        "selftest templates": lambda bench, report: selftest_templates.check(report, bench.stage_of, bench.new_folder, tier.mutants),
        "selftest terraform": lambda bench, report: selftest_terraform.check(report, bench.core, bench.new_folder, tier.mutants),
    }
    for seeds in (tier.seeds[at:at + 10] for at in range(0, len(tier.seeds), 10)):
        found[f"generated {seeds[0]}"] = lambda bench, report, seeds=seeds: generated.check(
            report, bench.args.logmap, generate, bench.stage_of, bench.core, bench.new_folder, seeds, tier.planned)
    for seeds in (tier.adoptions[at:at + 10] for at in range(0, len(tier.adoptions), 10)):
        found[f"adopted {seeds[0]}"] = lambda bench, report, seeds=seeds: adopted.check(report, bench, seeds)
    if tier.cli2:
        found["aws_cli_2"] = lambda bench, report: cli2.check(report, bench.stage_from, attacked, bench.new_folder)
    if tier.book:
        found["book"] = lambda bench, report: book.check(report, bench.new_folder)
    return found | {
        "hooks": lambda bench, report: hooks.check(report, ROOT, bench.args.logmap, bench.new_folder),
        "packages": lambda bench, report: packages.check(report, ROOT, bench.args.logmap, bench.new_folder, tier.wheel),
        "distribution": lambda bench, report: distribution.check(report, ROOT, bench.args.logmap, bench.new_folder, tier.extension),
        "graph": lambda bench, report: graph.check(report, bench.args.logmap, good_maps(), bench.new_folder()),
        "manual": lambda bench, report: manual.check(report, bench.args.logmap, bench.new_folder()),
        "evaluator_oracle": lambda bench, report: evaluator_oracle.check(report, bench.args.features),
        "schema": lambda bench, report: schema.check(report, bench.args.logmap, good_maps(), bench.new_folder()),
        "editor": lambda bench, report: editor.check(report, bench.args.logmap, bench.new_folder()),
        "vscode": lambda bench, report: vscode.check(report, bench.args.logmap, bench.new_folder),
        "report_formats": lambda bench, report: report_formats.check(report, bench.args.logmap, good_maps(), bench.new_folder()),
        "readme": lambda bench, report: (selftest_readme.check(report, bench.new_folder), readme.check(report, ROOT, bench.args.logmap, bench.new_folder)),
    }


SLOW = ("maps/organization", "examples/organization", "examples/gov-and-china")


def work(args, names, results):
    """One worker: takes names of jobs until there are none, and gives back what each printed and counted."""
    bench, all_jobs = Bench(args), jobs(args.tier)
    try:
        while (name := names.get()) is not None:
            report, said, start = Report(args.only, args.full), io.StringIO(), time.monotonic()
            try:
                with contextlib.redirect_stdout(said):
                    all_jobs[name](bench, report)
            except Exception:  # a job that breaks outside of its checks is a failure, too
                report.failed += 1
                said.write(f"FAIL    {name}\n{traceback.format_exc()}")
            results.put((said.getvalue(), report.passed, report.failed, report.skipped, name, time.monotonic() - start))
    finally:
        bench.close()
        results.put(None)
