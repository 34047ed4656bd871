"""The scripts with version 2 of the AWS CLI: the one that people have. All else runs version 1, which pip installs.

Version 2 is no package of Python's. Debian packages it as pure Python: the pinned one comes from where apt gets its packages here, and
is unpacked into `target/cli2` with an environment of its own.
"""
import functools
import hashlib
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

from . import attacks, scripts
from .attacks import Attack
from .cli_shim import Shim
from .report import ToolMissing, expect

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = ROOT / "tests" / "requirements-cli2.txt"
FOLDER = ROOT / "target" / "cli2"
PACKAGE = "pool/main/a/awscli/awscli_2.23.6-1_all.deb"
SHA256 = "09645cccbeece0553786ea7532d28901a9e7375d761fe5676490dbb4e7180569"
VERSION = "aws-cli/2.23.6"


def package():
    """The bytes of Debian's package, from the first of apt's sites that has it."""
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        raise ToolMissing("AWS CLI 2")
    told = subprocess.run(["apt-get", "indextargets", "--format", "$(SITE)", "Created-By: Packages"], capture_output=True, text=True, check=True)
    for site in dict.fromkeys(told.stdout.split()):
        try:
            with urllib.request.urlopen(f"{site}/{PACKAGE}", timeout=60) as answer:
                found = answer.read()
        except urllib.error.URLError:
            continue
        expect(hashlib.sha256(found).hexdigest() == SHA256, "the package of the AWS CLI 2 is another one than before")
        return found
    raise ToolMissing("AWS CLI 2")


@functools.cache
def program():
    """(the Python that runs it, the folder of its modules)."""
    done, wanted = FOLDER / "done", hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest() + SHA256
    if not (done.exists() and done.read_text() == wanted):
        shutil.rmtree(FOLDER, ignore_errors=True)
        FOLDER.mkdir(parents=True)
        (FOLDER / "awscli.deb").write_bytes(package())
        subprocess.run(["dpkg-deb", "-x", FOLDER / "awscli.deb", FOLDER / "code"], check=True)
        subprocess.run([sys.executable, "-m", "venv", FOLDER / "venv"], check=True)
        pip = [FOLDER / "venv" / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--requirement", REQUIREMENTS], check=True)
        done.write_text(wanted)
    return FOLDER / "venv" / "bin" / "python", FOLDER / "code" / "usr" / "lib" / "python3" / "dist-packages"


def check(report, make_stage, text, new_folder):
    """What a script does on the map of `text`: dry run, applying, again, drift, faults, and disturbed at every eighth call."""
    if not report.wants("aws_cli_2/"):
        return
    stage, shim = make_stage(text), None
    with report.check("aws_cli_2/starts"):
        shim = Shim(new_folder(), *program())
        told = subprocess.run([f"{shim.bin}/aws", "--version"], capture_output=True, text=True, env=scripts.clean_env())
        expect(told.stdout.startswith(VERSION + " "), f"it says {told.stdout}{told.stderr}")
    if shim is None:
        return
    stage.shim = shim
    try:
        scripts.check(report, "aws_cli_2", stage, sample=4)
        account, script = next((a, s) for a, s in stage.scripts() if "trail/" in s.read_text())
        for part in ("faults", "rollback"):
            with report.check(f"aws_cli_2/attack-{part}"):
                print(f"        {attacks.PARTS[part](Attack(stage, account, script), 8)}")
    finally:
        shim.close()
