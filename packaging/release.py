#!/usr/bin/env python3
"""Makes what a release consists of, from wheels that maturin has built: each step of .github/workflows/release.yml that is more than a command.

  release.py version [TAG]                     the version, if the tag, the changelog and all packages agree on it
  release.py notes                             the changelog's section on it
  release.py archive WHEEL TARGET OUT          the wheel's program with licences, list of parts, completions and manual pages, as .tar.gz or .zip
  release.py npm ARCHIVES OUT                  the packages for npm, as folders
  release.py extensions ARCHIVES OUT           the extension for VS Code, packed for each platform with its program
  release.py image ARCHIVES OUT                what the container image is built of
  release.py installer ARCHIVES BASE OUT       install.sh, aws-logmap.rb (a formula for Homebrew) and SHA256SUMS; BASE is where archives are downloaded

Python's standard library only. The same program and files always give the same bytes.
"""
import argparse
import gzip
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NAME = "aws-logmap"
# of each target what npm calls its platform; Linux gets the static program, which runs whatever the C library is
TARGETS = {
    "aarch64-apple-darwin": ("darwin", "arm64"),
    "aarch64-pc-windows-msvc": ("win32", "arm64"),
    "aarch64-unknown-linux-gnu": None,
    "aarch64-unknown-linux-musl": ("linux", "arm64"),
    "x86_64-apple-darwin": ("darwin", "x64"),
    "x86_64-pc-windows-msvc": ("win32", "x64"),
    "x86_64-unknown-linux-gnu": None,
    "x86_64-unknown-linux-musl": ("linux", "x64"),
}
SHELLS = {"bash": "logmap.bash", "zsh": "_logmap", "fish": "logmap.fish", "powershell": "_logmap.ps1", "elvish": "logmap.elv"}
# 1980, the first year that a .zip can say
MOMENT = (1980, 1, 1, 0, 0, 0)


class Stop(Exception):
    """What a person has to mend."""


def version():
    return re.search(r'^version = "(.+)"', (ROOT / "Cargo.toml").read_text(), re.M)[1]


def check_version(tag):
    wanted = version()
    said = {
        "editors/vscode/package.json": json.loads((ROOT / "editors/vscode/package.json").read_text())["version"],
        "editors/vscode/package-lock.json": json.loads((ROOT / "editors/vscode/package-lock.json").read_text())["version"],
        "Cargo.lock": re.search(rf'^name = "{NAME}"\nversion = "(.+)"', (ROOT / "Cargo.lock").read_text(), re.M)[1],
    }
    if tag:
        said["the tag"] = tag.removeprefix("v")
    wrong = [f"{where}: {what}" for where, what in said.items() if what != wanted]
    if wrong:
        raise Stop(f"Cargo.toml says version {wanted}, but " + ", ".join(wrong))
    if tag:
        notes(wanted)
    return wanted


def notes(wanted):
    """What CHANGELOG.md says of a version: its heading has the version and a day."""
    text = (ROOT / "CHANGELOG.md").read_text()
    found = re.search(rf"^## \[{re.escape(wanted)}\] - \d{{4}}-\d{{2}}-\d{{2}}\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    if not found or not found[1].strip():
        raise Stop(f"CHANGELOG.md has no section `## [{wanted}] - YYYY-MM-DD` with text")
    return found[1].strip() + "\n"


def is_windows(target):
    return "windows" in target


def archive_name(target):
    return f"{NAME}-{version()}-{target}" + (".zip" if is_windows(target) else ".tar.gz")


def program_of(wheel, folder, target):
    """Unpacks the program of a wheel."""
    name = "logmap.exe" if is_windows(target) else "logmap"
    with zipfile.ZipFile(wheel) as archive:
        [entry] = [entry for entry in archive.namelist() if entry.endswith(f".data/scripts/{name}")]
        path = folder / name
        path.write_bytes(archive.read(entry))
    path.chmod(0o755)
    return path


def pack(files, path):
    """Files by their names, with a mode each, in one folder that is called like the archive."""
    stem = path.name.removesuffix(".tar.gz").removesuffix(".zip")
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, (text, mode) in sorted(files.items()):
                entry = zipfile.ZipInfo(f"{stem}/{name}", MOMENT)
                entry.external_attr, entry.compress_type, entry.create_system = mode << 16, zipfile.ZIP_DEFLATED, 3
                archive.writestr(entry, text)
        return
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, (text, mode) in sorted(files.items()):
            entry = tarfile.TarInfo(f"{stem}/{name}")
            entry.size, entry.mode = len(text), mode
            archive.addfile(entry, io.BytesIO(text))
    with path.open("wb") as out, gzip.GzipFile(filename="", fileobj=out, mode="wb", compresslevel=6, mtime=0) as compressed:
        compressed.write(packed.getvalue())


def archive(wheel, target, out):
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        program = program_of(wheel, folder, target)

        def run(*arguments):
            return subprocess.run([program, *arguments], check=True, capture_output=True).stdout
        said = run("--version").decode().split()
        if said[:2] != ["logmap", version()]:
            raise Stop(f"the program says that it is {' '.join(said)}, not logmap {version()}")
        run("man", "--out", folder / "man")
        files = {program.name: (program.read_bytes(), 0o755)}
        with zipfile.ZipFile(wheel) as parts:
            [sbom] = [entry for entry in parts.namelist() if entry.endswith(".cyclonedx.json")]
            files["sbom.cyclonedx.json"] = (parts.read(sbom), 0o644)
        files |= {name: ((ROOT / name).read_bytes(), 0o644) for name in ("LICENSE-APACHE", "LICENSE-MIT", "README.md", "CHANGELOG.md")}
        files |= {f"completions/{name}": (run("completions", shell), 0o644) for shell, name in SHELLS.items()}
        files |= {f"man/{page.name}": (page.read_bytes(), 0o644) for page in (folder / "man").iterdir()}
    path = out / archive_name(target)
    pack(files, path)
    return path


def unpacked(path):
    """{name: bytes} of an archive, without its folder."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            return {name.split("/", 1)[1]: archive.read(name) for name in archive.namelist()}
    with tarfile.open(path) as archive:
        return {entry.name.split("/", 1)[1]: archive.extractfile(entry).read() for entry in archive if entry.isfile()}


def there(archives):
    """{target: path} of the archives in a folder."""
    found = {target: archives / archive_name(target) for target in TARGETS}
    return {target: path for target, path in found.items() if path.exists()}


def npm(archives, out):
    """A package for each platform with its program, and the one that people install, which needs the one that fits."""
    about = json.loads((ROOT / "packaging/npm/package.json").read_text())
    optional = {}
    for target, platform in TARGETS.items():
        path = there(archives).get(target)
        if not platform or not path:
            continue
        system, machine = platform
        name, files = f"{NAME}-{system}-{machine}", unpacked(path)
        folder = out / name
        (folder / "bin").mkdir(parents=True)
        program = "logmap.exe" if is_windows(target) else "logmap"
        (folder / "bin" / program).write_bytes(files[program])
        (folder / "bin" / program).chmod(0o755)
        for licence in ("LICENSE-APACHE", "LICENSE-MIT"):
            (folder / licence).write_bytes(files[licence])
        one = {"name": name, "version": version(), "description": f"The program of {NAME} for {system} on {machine}", "license": about["license"],
               "os": [system], "cpu": [machine], "preferUnplugged": True, "files": ["bin", "LICENSE-*"]}
        (folder / "package.json").write_text(json.dumps(one, indent=2) + "\n")
        (folder / "README.md").write_text(f"The program of [{NAME}](https://www.npmjs.com/package/{NAME}) for {system} on {machine}. Install `{NAME}` instead.\n")
        optional[name] = version()
    if not optional:
        raise Stop(f"{archives} has no archive of version {version()}")
    main = out / NAME
    main.mkdir()
    for path in (ROOT / "packaging/npm").iterdir():
        shutil.copyfile(path, main / path.name)
    for licence in ("LICENSE-APACHE", "LICENSE-MIT"):
        shutil.copyfile(ROOT / licence, main / licence)
    (main / "logmap.js").chmod(0o755)
    about |= {"version": version(), "optionalDependencies": optional}
    (main / "package.json").write_text(json.dumps(about, indent=2) + "\n")


def extensions(archives, out):
    """Needs npm: what the extension is built with is installed by its lock."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "vscode"
        shutil.copytree(ROOT / "editors/vscode", folder, ignore=shutil.ignore_patterns("node_modules", "dist", "bin", "schemas"))
        env = os.environ | {"LOGMAP_ROOT": str(ROOT)}
        subprocess.run(["npm", "ci", "--prefer-offline", "--no-audit", "--no-fund"], cwd=folder, env=env, check=True)
        for target, platform in TARGETS.items():
            path = there(archives).get(target)
            if not platform or not path:
                continue
            name = "logmap.exe" if is_windows(target) else "logmap"
            (folder / "bin").mkdir()
            (folder / "bin" / name).write_bytes(unpacked(path)[name])
            (folder / "bin" / name).chmod(0o755)
            vsix = (out / f"{NAME}-{version()}-vscode-{'-'.join(platform)}.vsix").resolve()
            subprocess.run(["npm", "run", "package", "--", "--target", "-".join(platform), "--out", vsix], cwd=folder, env=env, check=True)
            shutil.rmtree(folder / "bin")


def image(archives, out):
    """The Dockerfile beside a folder for each architecture, as BuildKit calls it."""
    for target, folder in (("x86_64-unknown-linux-musl", "linux/amd64"), ("aarch64-unknown-linux-musl", "linux/arm64")):
        path = there(archives).get(target)
        if path:
            files = unpacked(path)
            (out / folder).mkdir(parents=True)
            (out / folder / "logmap").write_bytes(files["logmap"])
            (out / folder / "logmap").chmod(0o755)
            for licence in ("LICENSE-APACHE", "LICENSE-MIT"):
                (out / licence).write_bytes(files[licence])
    if not out.exists():
        raise Stop(f"{archives} has no static program of version {version()}")
    shutil.copyfile(ROOT / "packaging/Dockerfile", out / "Dockerfile")


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def filled(template, **values):
    """A template with its @WORDS@ replaced, all of them and no other."""
    text = (ROOT / "packaging" / template).read_text()
    if set(re.findall(r"@([A-Z_]+)@", text)) != set(values):
        raise Stop(f"{template} has other words than {sorted(values)}")
    return re.sub(r"@([A-Z_]+)@", lambda word: values[word[1]], text)


def installer(archives, base, out):
    # it stands in a script of the shell and in one of Ruby
    if not re.fullmatch(r"https?://[A-Za-z0-9._~:/-]+", base):
        raise Stop(f"{base} is no plain address")
    digests = {target: digest(path) for target, path in there(archives).items()}
    if not digests:
        raise Stop(f"{archives} has no archive of version {version()}")
    out.mkdir(parents=True, exist_ok=True)
    sums = "".join(f"{digests[target]}  {archive_name(target)}\n" for target in sorted(digests))
    (out / "SHA256SUMS").write_text(sums)
    (out / "install.sh").write_text(filled("install.sh", VERSION=version(), BASE=base.rstrip("/"), SUMS=sums.strip()))
    of_brew = {"MAC_ARM": "aarch64-apple-darwin", "MAC_INTEL": "x86_64-apple-darwin", "LINUX_ARM": "aarch64-unknown-linux-musl", "LINUX_INTEL": "x86_64-unknown-linux-musl"}
    if set(of_brew.values()) <= set(digests):
        urls = {f"URL_{name}": f"{base.rstrip('/')}/{archive_name(target)}" for name, target in of_brew.items()}
        of_formula = {f"SHA_{name}": digests[target] for name, target in of_brew.items()}
        (out / f"{NAME}.rb").write_text(filled(f"{NAME}.rb", VERSION=version(), **urls, **of_formula))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    steps = parser.add_subparsers(dest="step", required=True)
    steps.add_parser("version").add_argument("tag", nargs="?", default="")
    steps.add_parser("notes")
    step = steps.add_parser("archive")
    step.add_argument("wheel", type=Path)
    step.add_argument("target", choices=sorted(TARGETS))
    step.add_argument("out", type=Path)
    for name in ("npm", "extensions", "image"):
        step = steps.add_parser(name)
        step.add_argument("archives", type=Path)
        step.add_argument("out", type=Path)
    step = steps.add_parser("installer")
    step.add_argument("archives", type=Path)
    step.add_argument("base")
    step.add_argument("out", type=Path)
    given = parser.parse_args()
    try:
        if given.step == "version":
            print(check_version(given.tag))
        elif given.step == "notes":
            print(notes(version()), end="")
        elif given.step == "archive":
            print(archive(given.wheel, given.target, given.out))
        elif given.step == "installer":
            installer(given.archives, given.base, given.out)
        else:
            {"npm": npm, "extensions": extensions, "image": image}[given.step](given.archives, given.out)
    except Stop as stop:
        sys.exit(f"error: {stop}")


if __name__ == "__main__":
    main()
