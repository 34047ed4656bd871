"""The wheel, built as a release builds it and installed where nothing else is; and what `init` and docs/ci.md write, run with it.

pip is told to take packages from a folder that holds the wheel, so that nothing of that name in a registry can be what is tested.
"""
import os
import re
import subprocess
import sys
import zipfile

import yaml

from .hooks import MAP
from .report import clean_env, expect
from .tools import find_tool

PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}")


def run(env, cwd, *command):
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True)
    expect(done.returncode == 0, f"{' '.join(map(str, command))} exits {done.returncode}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return done.stdout


def version_of(root):
    return re.search(r'^version = "(.+)"', (root / "Cargo.toml").read_text(), re.M)[1]


def started(logmap, folder, env):
    """What `init` writes into an empty folder; the path of its workflow."""
    run(env, folder, logmap, "init", "--org", "acme", "--account", "prod=111122223333", "--region", "us-east-1", "--drift-job")
    return folder / ".github/workflows/logmap.yml"


class Wheel:
    """A wheel in a folder, and an environment in which pip knows that folder only."""

    def __init__(self, root, logmap, folder):
        self.links, self.version = folder / "links", version_of(root)
        profile = {"debug": "dev"}.get(logmap.parent.name, logmap.parent.name)
        build = clean_env(CARGO_TARGET_DIR=str(logmap.parent.parent.resolve()))
        # with the profile and the folder of what is tested nothing but the program's last step is built
        run(build, root, find_tool("maturin"), "build", "--locked", "--profile", profile, "--out", self.links)
        [self.path] = self.links.iterdir()
        # pre-commit makes a package of its own for each hook that is local, and pipx wants the newest pip
        run(clean_env(), folder, sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--dest", self.links, "setuptools", "pip")
        self.env = clean_env(HOME=str(folder), PIP_NO_INDEX="1", PIP_FIND_LINKS=str(self.links), PIP_DISABLE_PIP_VERSION_CHECK="1",
                             PIPX_HOME=str(folder / "pipx"), PIPX_BIN_DIR=str(folder / "bin"), PRE_COMMIT_HOME=str(folder / "pre-commit"),
                             PATH=os.pathsep.join((str(folder / "bin"), os.path.dirname(find_tool("pipx")), "/usr/bin", "/bin")),
                             **{f"GIT_{who}_{what}": "harness@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")})


def contents(wheel, folder):
    """One program, its licences, its list of parts; and it runs where it is installed."""
    names = zipfile.ZipFile(wheel.path).namelist()
    ends = ("scripts/logmap", "licenses/LICENSE-APACHE", "licenses/LICENSE-MIT", ".cyclonedx.json", "METADATA", "WHEEL", "RECORD")
    expect(all(sum(name.endswith(end) for name in names) == 1 for end in ends) and len(names) == len(ends), f"the wheel holds {names}")
    run(wheel.env, folder, sys.executable, "-m", "venv", folder / "clean")
    run(wheel.env, folder, folder / "clean/bin/pip", "install", "--quiet", f"aws-logmap=={wheel.version}")
    said = run(wheel.env, folder, folder / "clean/bin/logmap", "--version")
    expect(said.split()[:2] == ["logmap", wheel.version], said)


def lint(root, *workflows):
    """No finding of zizmor's in the workflows and in the action, and no step by a name that can be moved."""
    for path in (*workflows, root / "action.yml", *(root / ".github/workflows").iterdir()):
        run(clean_env(), root, find_tool("zizmor"), "--offline", "--quiet", path)
        steps = re.findall(r"^\s*(?:- )?uses: (\S+)", path.read_text(), re.M)
        expect(all(PINNED.fullmatch(step) for step in steps), f"{path}: {steps}")


def workflow(wheel, logmap, folder):
    """The steps of the workflow that `init` writes, as the runner runs them: first with files that are stale, then with fresh ones."""
    path = started(logmap, folder, wheel.env)
    job = yaml.safe_load(path.read_text())["jobs"]["check"]
    commands = [step["run"] for step in job["steps"] if "run" in step]
    expect([command.split()[0] for command in commands] == ["pipx", "logmap", "logmap"], commands)
    expect(f"aws-logmap=={wheel.version}" in commands[0], commands[0])

    def step(command):
        return subprocess.run(["bash", "-e", "-c", command], cwd=folder, env=wheel.env, capture_output=True, text=True)
    install, validate, fresh = commands
    done = step(install)
    expect(done.returncode == 0 and (folder.parent / "bin/logmap").exists(), done.stdout + done.stderr)
    expect(step(validate).returncode == 0, "the map of `init` has findings")
    stale = step(fresh)
    expect(stale.returncode == 1 and "::error file=out/README.md" in stale.stdout, f"{stale.returncode} {stale.stdout}{stale.stderr}")
    expect(step("logmap generate --quiet").returncode == 0, "generate fails")
    done = step(fresh)
    expect(done.returncode == 0, done.stdout + done.stderr)
    (folder / "logmap.yaml").write_text(MAP.replace("us-east-1:", "us-esat-1:"))
    wrong = step(validate)
    expect(wrong.returncode == 1 and "::error file=logmap.yaml,line=3" in wrong.stdout, f"{wrong.returncode} {wrong.stdout}{wrong.stderr}")


def pre_commit(wheel, root, logmap, folder):
    """The configuration of docs/ci.md for pre-commit, which takes the wheel."""
    [config] = [block for block in re.findall(r"^```yaml\n(.*?)^```", (root / "docs/ci.md").read_text(), re.M | re.S) if "repo: local" in block]
    hooks = yaml.safe_load(config)["repos"][0]["hooks"]
    expect(all(hook["additional_dependencies"] == [f"aws-logmap=={wheel.version}"] for hook in hooks), f"not version {wheel.version}")
    run(wheel.env, folder, "git", "init", "--quiet")
    (folder / ".pre-commit-config.yaml").write_text(config)
    (folder / "logmap.yaml").write_text(MAP)
    run(wheel.env, folder, logmap, "generate")

    def outcome():
        run(wheel.env, folder, "git", "add", ".")
        done = subprocess.run([find_tool("pre-commit"), "run", "--all-files"], cwd=folder, env=wheel.env, capture_output=True, text=True)
        ends = [line.rsplit(".", 1)[-1] for line in done.stdout.splitlines() if line.endswith(("Passed", "Failed"))]
        return ends, done.stdout + done.stderr
    found, said = outcome()
    expect(found == ["Passed"] * len(hooks) == ["Passed"] * 3, said)
    (folder / "logmap.yaml").write_text(MAP.replace("acme-web", "acme-other"))
    found, said = outcome()
    expect(found == ["Passed", "Failed", "Passed"], said)
    (folder / "logmap.yaml").write_text(MAP.replace("us-east-1:", "us-esat-1:"))
    found, said = outcome()
    expect(found[0] == "Failed" and "us-esat-1" in said, said)


def written(root, logmap, folder):
    """The workflow of `init`, as it is read; and the version that it and docs/ci.md install."""
    installs, wanted = started(logmap, folder, clean_env()), version_of(root)
    lint(root, installs, installs.with_name("logmap-drift.yml"))
    for path in (installs, installs.with_name("logmap-drift.yml"), root / "docs/ci.md"):
        versions = set(re.findall(r"aws-logmap==([\w.]+)", path.read_text()))
        expect(versions == {wanted}, f"{path}: versions {versions}, not {wanted}")
        expect(not re.search(r"install (?:\S+ )*logmap\b", path.read_text()), f"{path} installs a stranger's package")


def check(report, root, logmap, new_folder, build):
    if report.wants("packages/written"):
        with report.check("packages/written"):
            written(root, logmap, new_folder())
    if not build or not report.wants("packages/wheel"):
        return
    folder, wheel = new_folder(), None
    with report.check("packages/wheel"):
        made = Wheel(root, logmap, folder)
        contents(made, folder)
        wheel = made
    if wheel:
        for name, test in (("workflow", lambda place: workflow(wheel, logmap, place)), ("pre-commit", lambda place: pre_commit(wheel, root, logmap, place))):
            with report.check(f"packages/{name}"):
                place = folder / name
                place.mkdir()
                test(place)
