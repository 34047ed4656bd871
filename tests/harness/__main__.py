"""The Python part of the tests; `tests/run` starts it in the virtual environment.

Order: the harness on itself, then for each good map `logmap generate` and every check of the tree, then the README.
"""
import argparse
import functools
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from . import attacks, changes, generated, judges, maps, meaning, others, readme, refusals, scripts
from . import selftest, selftest_readme, selftest_templates, selftest_terraform, templates, terraform
from .cli_shim import Shim
from .mock import Mock
from .report import Report, clean_env, expect
from .world import World

ROOT = Path(__file__).resolve().parents[2]


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
    kinds = [kind for kind in ("scripts", "templates", "terraform", "meaning", "others") if report.wants(f"{name}/{kind}")]
    if not (kinds or report.wants(f"{name}/generate")):
        return
    if path.stem == "hostile":  # its strings matter, and `meaning` runs its scripts; what a script does with faults, others show
        kinds = [kind for kind in kinds if kind != "scripts"]
    stage = None
    with report.check(f"{name}/generate"):
        stage = stage_of(maps.read(path), generate(args.logmap, path, folder), folder)
    if stage and "scripts" in kinds:
        scripts.check(report, f"{name}/scripts", stage, sample=2)
        attacks.check(report, f"{name}/scripts", stage, exhaustive=name == "examples/small")
    if stage and path.stem == "hostile":
        with report.check(f"{name}/lint"):
            scripts.lint(stage.tree)
    if stage and "templates" in kinds:
        templates.check(report, f"{name}/templates", stage)
    if stage and "terraform" in kinds:
        terraform.check(report, f"{name}/terraform", core, stage.map, stage.tree, folder)
    if stage and "others" in kinds:
        if "terraform" not in kinds:
            shutil.copytree(stage.tree / "terraform", folder / "terraform")
        others.check(report, name, args.logmap, core, stage.tree, folder)
    if stage and "meaning" in kinds:
        meaning.check(report, f"{name}/meaning", stage, core, folder)


def stage_from(logmap, stage_of, text, folder):
    """The stage of a map that is given as text."""
    path = folder / "logmap.yaml"
    path.write_text(text)
    return stage_of(maps.read(path), generate(logmap, path, folder), folder)


def main():
    parser = argparse.ArgumentParser(prog="tests/run")
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--logmap", type=Path, required=True)
    parser.add_argument("--counts", required=True)
    args = parser.parse_args()
    report = Report(args.only, args.full)
    with tempfile.TemporaryDirectory(prefix="logmap-tests-") as temp:
        temp, mock = Path(temp), Mock()
        shim, world = Shim(temp / "shim"), World(mock.url)
        new_folder = lambda: Path(tempfile.mkdtemp(dir=temp))
        stage_of = lambda region_map, tree, folder: scripts.Stage(mock, shim, world, region_map, tree, folder)
        core = functools.cache(lambda: terraform.Terraform(temp / "terraform"))  # made when first needed
        try:
            selftest.check(report, stage_of, new_folder)
            selftest_readme.check(report, new_folder)
            selftest_templates.check(report, stage_of, new_folder)
            selftest_terraform.check(report, core, new_folder)
            judges.check(report)
            for name, path in good_maps().items():
                check_map(report, args, name, path, stage_of, core, new_folder())
            if report.wants("others/corpus"):
                with report.check("others/corpus"):
                    others.corpus(args.logmap, core, ROOT / "tests" / "check-terraform", new_folder())
            refusals.check(report, lambda text: stage_from(args.logmap, stage_of, text, new_folder()))
            changes.check(report, args.logmap, core, new_folder)
            generated.check(report, args.logmap, generate, stage_of, core, new_folder)
            readme.check(report, ROOT, args.logmap, new_folder)
        finally:
            shim.close()
    report.save(args.counts)
    return report.failed > 0


if __name__ == "__main__":
    sys.exit(main())
