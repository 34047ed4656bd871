"""What a release consists of, made by packaging/release.py of the program that is tested: archives, the packages for npm, installer and formula.

They are installed where nothing else is, npm's from files and the installer's from a server on this machine. The workflow that makes them, and
the Action that takes them, are linted; nothing of either is run on GitHub here.
"""
import contextlib
import functools
import hashlib
import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import threading
import zipfile
from pathlib import Path

import yaml

from .hooks import MAP
from .packages import lint, run, version_of
from .report import clean_env, expect
from .tools import find_tool
from .vscode import needs_node

TARGET = f"{os.uname().machine}-unknown-linux-musl"
OTHERS = ("aarch64-apple-darwin", "x86_64-apple-darwin", "aarch64-pc-windows-msvc", "x86_64-unknown-linux-musl", "aarch64-unknown-linux-musl")
BROKEN = MAP.replace("us-east-1:", "us-esat-1:")


class Release:
    """A copy of what `release.py` reads, in which a version can be released; and what it makes."""

    def __init__(self, root, logmap, folder):
        self.root, self.folder, self.version = folder / "source", folder, version_of(root)
        shutil.copytree(root / "packaging", self.root / "packaging", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(root / "editors", self.root / "editors", ignore=shutil.ignore_patterns("node_modules", "dist", "bin", "schemas"))
        (self.root / "schemas").mkdir()
        for name in ("Cargo.toml", "Cargo.lock", "CHANGELOG.md", "README.md", "LICENSE-APACHE", "LICENSE-MIT", "schemas/region-map.schema.json"):
            shutil.copyfile(root / name, self.root / name)
        log = self.root / "CHANGELOG.md"
        log.write_text(log.read_text().replace("## [Unreleased]\n", f"## [Unreleased]\n\n## [{self.version}] - 2026-12-01\n", 1))
        # debug information is most of a program that was built for tests
        program = folder / "logmap"
        subprocess.run([find_tool("strip"), "-o", program, logmap], check=True)
        self.wheel = folder / "aws_logmap.whl"
        with zipfile.ZipFile(self.wheel, "w") as wheel:
            wheel.write(program, "aws_logmap-0.data/scripts/logmap")
            wheel.writestr("aws_logmap-0.dist-info/sboms/logmap.cyclonedx.json", "{}")
        self.archives = folder / "archives"

    def step(self, *arguments, env=None):
        done = subprocess.run([sys.executable, "-B", self.root / "packaging/release.py", *arguments], env=env or clean_env(), capture_output=True, text=True)
        return done.returncode, done.stdout, done.stderr

    def make(self, *arguments):
        code, out, err = self.step(*arguments)
        expect(code == 0, f"release.py {' '.join(map(str, arguments))}: {code}\n{out}{err}")
        return out


def one_version(release):
    expect(release.make("version", f"v{release.version}").strip() == release.version, "the version is not said")
    code, _, said = release.step("version", "v9.9.9")
    expect(code == 1 and "the tag: 9.9.9" in said, said)
    notes = release.make("notes")
    expect("### Added" in notes and "## [" not in notes, notes[:300])
    for name, change, word in (("CHANGELOG.md", lambda text: text.replace(f"## [{release.version}]", "## [0.0.9]"), "CHANGELOG.md has no section"),
                               ("editors/vscode/package.json", lambda text: text.replace(f'"version": "{release.version}"', '"version": "0.0.9"'), "package.json: 0.0.9")):
        path = release.root / name
        text = path.read_text()
        path.write_text(change(text))
        code, _, said = release.step("version", f"v{release.version}")
        path.write_text(text)
        expect(code == 1 and word in said, f"{name} says another version: {code} {said}")


def archive(release):
    """What is in it, and that it is the same bytes twice; other platforms get archives that stand in for theirs."""
    path = Path(release.make("archive", release.wheel, TARGET, release.archives).strip())
    with tarfile.open(path) as packed:
        modes = {entry.name.split("/", 1)[1]: entry.mode for entry in packed}
    expect(modes.pop("logmap") == 0o755 and set(modes.values()) == {0o644}, f"modes {modes}")
    wanted = {"LICENSE-APACHE", "LICENSE-MIT", "README.md", "CHANGELOG.md", "sbom.cyclonedx.json", "completions/_logmap", "completions/logmap.bash", "man/logmap.1", "man/logmap-check.1"}
    expect(wanted <= set(modes), f"{wanted - set(modes)} is missing")
    again = Path(release.make("archive", release.wheel, TARGET, release.folder / "again").strip())
    expect(again.name == path.name and again.read_bytes() == path.read_bytes(), "another archive of the same program")
    # never run: only names and digests of them are looked at
    for target in OTHERS:
        ending, name = ("zip", "logmap.exe") if "windows" in target else ("tar.gz", "logmap")
        stem = f"aws-logmap-{release.version}-{target}"
        other = release.archives / f"{stem}.{ending}"
        if other.exists():
            continue
        (release.folder / stem).mkdir()
        for each in (name, "LICENSE-APACHE", "LICENSE-MIT"):
            (release.folder / stem / each).write_text(target)
        shutil.make_archive(release.archives / stem, {"zip": "zip", "tar.gz": "gztar"}[ending], release.folder, stem)


def npm(release):
    """`npx aws-logmap` from packages in files, with npm that can reach nothing."""
    packages, clean, tool = release.folder / "packages", release.folder / "clean", find_tool("npm")
    packages.mkdir()
    release.make("npm", release.archives, packages)
    system = f"aws-logmap-linux-{ {'x86_64': 'x64', 'aarch64': 'arm64'}[os.uname().machine] }"
    expect({path.name for path in packages.iterdir()} == {"aws-logmap", "aws-logmap-darwin-arm64", "aws-logmap-darwin-x64", "aws-logmap-linux-arm64", "aws-logmap-linux-x64", "aws-logmap-win32-arm64"},
           f"{sorted(packages.iterdir())}")
    about = json.loads((packages / "aws-logmap/package.json").read_text())
    expect(about["optionalDependencies"] == {path.name: release.version for path in sorted(packages.iterdir()) if path.name != "aws-logmap"}, about)
    expect("scripts" not in about, "something is run while it is installed")
    env = clean_env(npm_config_offline="true", npm_config_cache=str(release.folder / "npm-cache"), npm_config_update_notifier="false")
    files = {}
    for name in ("aws-logmap", system):
        packed = json.loads(run(env, packages / name, tool, "pack", "--json", "--pack-destination", release.folder))
        [packed] = packed if isinstance(packed, list) else packed.values()
        files[name] = release.folder / packed["filename"]
        expect({each["path"] for each in packed["files"]} == {"aws-logmap": {"LICENSE-APACHE", "LICENSE-MIT", "README.md", "logmap.js", "package.json"}}.get(
            name, {"LICENSE-APACHE", "LICENSE-MIT", "README.md", "bin/logmap", "package.json"}), packed["files"])
    clean.mkdir()
    (clean / "package.json").write_text('{"private": true}')

    def installed(*arguments, text=None):
        return subprocess.run([clean / "node_modules/.bin/logmap", *arguments], cwd=clean, env=env, input=text, capture_output=True, text=True)
    # the others are not in any registry that npm can reach, and optional: that must not matter
    run(env, clean, tool, "install", "--no-audit", "--no-fund", "--ignore-scripts", files["aws-logmap"], files[system])
    expect(installed("--version").stdout.split()[:2] == ["logmap", release.version], "it does not run")
    found = installed("validate", "-", text=BROKEN)
    expect(found.returncode == 1 and "us-esat-1" in found.stdout + found.stderr, f"{found}")
    expect(installed("validate", "-", text=MAP).returncode == 0, "exit codes are not passed on")
    by_npx = run(env, clean, find_tool("npx"), "--no-install", "aws-logmap", "--version")
    expect(by_npx.split()[:2] == ["logmap", release.version], by_npx)
    shutil.rmtree(clean / "node_modules" / system)
    without = installed("--version")
    expect(without.returncode == 2 and f"the package {system} is not installed" in without.stderr, f"{without}")


@contextlib.contextmanager
def served(folder):
    """The address of a server with these files."""
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def bin_with(folder, *names):
    """A PATH with these programs only."""
    folder.mkdir()
    for name in names:
        (folder / name).symlink_to(find_tool(name))
    return str(folder)


def installer(release):
    """The shell installer against a server on this machine; and one that would install something else."""
    files = release.folder / "files"
    needed = ("cat", "chmod", "cp", "cut", "gzip", "mkdir", "mktemp", "mv", "rm", "sed", "sha256sum", "tar", "uname")
    with served(files) as base:
        release.make("installer", release.archives, base, files)
        for path in release.archives.iterdir():
            shutil.copy(path, files)
        script = files / "install.sh"
        expect("@" not in re.sub(r'"\$@"', "", script.read_text()), "something is not filled in")
        run(clean_env(), files, find_tool("shellcheck"), "--shell=sh", script)

        def install(shell="sh", text=None, **env):
            home = Path(env["HOME"])
            home.mkdir(exist_ok=True)
            source = script if text is None else home / "install.sh"
            if text is not None:
                source.write_text(text)
            done = subprocess.run([find_tool(shell), source], cwd=home, env={"PATH": os.environ["PATH"], **env}, capture_output=True, text=True)
            program = Path(env.get("LOGMAP_INSTALL_DIR", home / ".local/bin")) / "logmap"
            return done, program
        done, program = install(HOME=str(release.folder / "one"))
        expect(done.returncode == 0 and "Add " in done.stdout, done.stdout + done.stderr)
        expect(run(clean_env(), files, program, "--version").split()[:2] == ["logmap", release.version], "another program")
        # over one that runs, to a place with a space in its name, by other shells, and by wget
        with subprocess.Popen([program, "lsp"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as running:
            done, _ = install(HOME=str(release.folder / "one"))
            running.stdin.close()
        expect(done.returncode == 0, done.stderr)
        for number, (shell, tools) in enumerate((("bash", (*needed, "curl")), ("dash", (*needed, "wget")))):
            path = bin_with(release.folder / f"bin{number}", *tools)
            place = release.folder / f"a place {number}"
            done, program = install(shell, HOME=str(release.folder / f"home{number}"), PATH=path, LOGMAP_INSTALL_DIR=str(place))
            expect(done.returncode == 0 and program.exists(), f"{shell}: {done.stdout}{done.stderr}")
            expect([entry.name for entry in place.iterdir()] == ["logmap"], "something is left behind")
        # never anything but what the digest says, and nothing of half a script
        archive = files / f"aws-logmap-{release.version}-{TARGET}.tar.gz"
        good = archive.read_bytes()
        archive.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
        done, program = install(HOME=str(release.folder / "two"))
        expect(done.returncode == 1 and not program.exists() and "nothing was installed" in done.stderr, f"{done}")
        archive.unlink()
        done, program = install(HOME=str(release.folder / "three"))
        expect(done.returncode != 0 and not program.exists(), f"{done}")
        archive.write_bytes(good)
        text = script.read_text()
        for part in (0.3, 0.6, 0.9):
            done, program = install(HOME=str(release.folder / f"part{part}"), text=text[:int(len(text) * part)])
            expect(not program.exists(), f"{part} of the script installs")
        done, program = install(HOME=str(release.folder / "four"), text=text.replace(TARGET, "riscv64-unknown-linux-musl"))
        expect(done.returncode == 1 and "has no program for" in done.stderr and not program.exists(), f"{done}")
    action(release, files)
    formula = (files / "aws-logmap.rb").read_text()
    for target in OTHERS:
        sums = hashlib.sha256((release.archives / f"aws-logmap-{release.version}-{target}.tar.gz").read_bytes()).hexdigest() if "windows" not in target else ""
        expect(sums in formula, f"the formula lacks the digest for {target}")
    expect("@" not in formula and formula.count("sha256 ") == 4, formula)
    code, _, said = release.step("installer", release.archives, "https://example.com/$(id)", release.folder / "hostile")
    expect(code == 1 and "no plain address" in said, said)


def action(release, files):
    """The first step of action.yml with a released version, and with all that must not be installed."""
    sums = hashlib.sha256((files / "SHA256SUMS").read_bytes()).hexdigest()
    with served(files) as base:
        def install(name, **given):
            place = release.folder / name
            place.mkdir()
            env = clean_env(RUNNER_TEMP=str(place), ACTION_PATH=str(release.root), SERVER="https://127.0.0.1:1", REPOSITORY="o/r", VERSION=release.version, SHA256=sums, BASE=base)
            done = subprocess.run(["bash", "-ec", 'bash "$ACTION_PATH/packaging/action.sh"'], cwd=place, env=env | given, capture_output=True, text=True)
            return done, (place / "logmap/bin/logmap")
        done, program = install("action")
        expect(done.returncode == 0 and program.exists(), done.stdout + done.stderr)
        for name, given, word in (
            ("other digest", {"SHA256": "0" * 64}, "nothing was installed"),
            ("no digest", {"SHA256": ""}, "with a version comes sha256"),
            ("no version", {"VERSION": ""}, "without a version"),
            ("hostile version", {"VERSION": "0.1.0/../$(touch owned)"}, "is no version"),
            ("hostile base", {"BASE": "--output=owned"}, "begins with https://"),
            ("no release", {"BASE": ""}, "there is no https://127.0.0.1:1/o/r/releases/download/v"),
        ):
            done, program = install(name, **given)
            expect(done.returncode == 2 and word in done.stdout and not program.exists(), f"{name}: {done}")
            expect(not list((release.folder / name).rglob("owned")), f"{name} was run")


def extension(release):
    """The extension for this platform, with the program: what an editor unpacks can be run."""
    needs_node()
    here, out = release.folder / "here", release.folder / "extensions"
    here.mkdir()
    shutil.copy(release.archives / f"aws-logmap-{release.version}-{TARGET}.tar.gz", here)
    release.make("extensions", here, out)
    [vsix] = out.iterdir()
    system = {"x86_64": "linux-x64", "aarch64": "linux-arm64"}[os.uname().machine]
    expect(vsix.name == f"aws-logmap-{release.version}-vscode-{system}.vsix", vsix.name)
    with zipfile.ZipFile(vsix) as packed:
        expect(f'TargetPlatform="{system}"' in packed.read("extension.vsixmanifest").decode(), "it says another platform")
        entry = packed.getinfo("extension/bin/logmap")
        expect(entry.external_attr >> 16 & 0o111 == 0o111, "the program can't be executed")
        program = Path(packed.extract(entry, release.folder / "unpacked"))
    program.chmod(0o755)
    expect(run(clean_env(), release.folder, program, "--version").split()[:2] == ["logmap", release.version], "another program")


def image(release):
    """What the container's image is made of."""
    context = release.folder / "context"
    release.make("image", release.archives, context)
    expect((context / "linux/amd64/logmap").exists() and (context / "linux/arm64/logmap").exists(), "an architecture is missing")
    text = (context / "Dockerfile").read_text()
    commands = re.findall(r"^([A-Z]+) (.+)$", text, re.M)
    expect(commands[0] == ("FROM", "scratch") and ("USER", "65532:65532") in commands and not any(word == "RUN" for word, _ in commands), text)


def workflows(root, folder):
    """The workflows, the Action and what else GitHub reads: by schema, by zizmor, and what they run by shellcheck."""
    schema = find_tool("check-jsonschema")
    paths = sorted((root / ".github/workflows").glob("*.yml"))
    run(clean_env(), root, schema, "--builtin-schema", "vendor.github-workflows", *paths)
    run(clean_env(), root, schema, "--builtin-schema", "vendor.github-actions", root / "action.yml")
    run(clean_env(), root, schema, "--builtin-schema", "vendor.dependabot", root / ".github/dependabot.yml")
    forms = sorted((root / ".github/ISSUE_TEMPLATE").glob("*.yml"))
    run(clean_env(), root, schema, "--builtin-schema", "vendor.github-issue-config", *[path for path in forms if path.name == "config.yml"])
    run(clean_env(), root, schema, "--builtin-schema", "vendor.github-issue-forms", *[path for path in forms if path.name != "config.yml"])
    run(clean_env(), root, find_tool("zizmor"), "--offline", "--quiet", root / ".github")
    for update in yaml.safe_load((root / ".github/dependabot.yml").read_text())["updates"]:
        for folder_name in update.get("directories", [update.get("directory")]):
            expect((root / folder_name.strip("/")).is_dir(), f"dependabot is sent to {folder_name}, which is not there")
    for path in paths:
        lint(root, path)
    jobs = [job for path in paths for job in yaml.safe_load(path.read_text())["jobs"].values()]
    steps = [step for job in jobs for step in job["steps"]] + yaml.safe_load((root / "action.yml").read_text())["runs"]["steps"]
    scripts = [step["run"] for step in steps if "run" in step]
    expect(len(scripts) > 15, f"only {len(scripts)} scripts")
    for number, script in enumerate(scripts):
        expect("${{" not in script, f"an expression stands in a command: {script}")
        path = folder / f"{number}.sh"
        path.write_text(f"#!/bin/bash\n{script}\n")
        # words that the runner gives are split on purpose: flags, and files of a glob
        run(clean_env(), folder, find_tool("shellcheck"), "--severity=warning", "--exclude=SC2154", path)
    run(clean_env(), root, find_tool("shellcheck"), root / "packaging/action.sh")
    for job in jobs:
        expect("permissions" in job and "timeout-minutes" in job, f"a job without permissions or without an end: {job.get('name')}")


def check(report, root, logmap, new_folder, whole):
    # each needs the archives, so that one brings all
    tests = {"npm": npm, "installer": installer, "image": image}
    if whole:  # npm installs what it is packed with anew, a minute
        tests["extension"] = extension
    if not any(report.wants(f"distribution/{name}") for name in ("workflows", "archive", *tests)):
        return
    with report.check("distribution/workflows"):
        workflows(root, new_folder())
    release = None
    with report.check("distribution/archive"):
        made = Release(root, logmap, new_folder())
        one_version(made)
        archive(made)
        release = made
    for name, test in tests.items():
        if release:
            with report.check(f"distribution/{name}"):
                test(release)
