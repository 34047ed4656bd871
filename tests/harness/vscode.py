"""The extension for VS Code: packed as for the marketplace, its contents, and its client in Node with the real server (vscode.cjs)."""
import hashlib
import json
import os
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

from .packages import version_of
from .report import ToolMissing, clean_env, expect
from .tools import find_tool

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "editors" / "vscode"
PACKED = ["LICENSE.txt", "dist/extension.js", "icon.png", "package.json", "readme.md", "schemas/region-map.schema.json"]
BAD = """\
version: 1
organization: { name: acme }
accounts:
  prod:
    id: 012345678901
    regions:
      us-east-1:
        buckets: [acme-prod-web]
"""
PATIENCE = 60


def needs_node():
    """vsce does not run with an older Node."""
    version = subprocess.run([find_tool("node"), "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if int(version.removeprefix("v").split(".")[0]) < 20:
        raise ToolMissing("Node 20")


def packed(folder):
    """The extension's package. What npm installs stays until the lock changes."""
    needs_node()
    lock = (SOURCE / "package-lock.json").read_bytes()
    place = ROOT / "target" / "judge" / f"vscode-{hashlib.sha256(lock).hexdigest()[:16]}"
    npm, env = find_tool("npm"), clean_env(LOGMAP_ROOT=str(ROOT))
    for path in SOURCE.rglob("*"):
        relative = path.relative_to(SOURCE)
        if path.is_file() and relative.parts[0] not in ("node_modules", "dist", "schemas", "bin"):
            (place / relative).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, place / relative)
    if not (place / "done").exists():
        subprocess.run([npm, "ci", "--silent", "--prefer-offline", "--no-audit", "--no-fund"], cwd=place, env=env, check=True)
        (place / "done").touch()
    vsix = folder / "logmap.vsix"
    done = subprocess.run([npm, "run", "--silent", "package", "--", "--out", vsix], cwd=place, env=env, capture_output=True, text=True)
    expect(done.returncode == 0, f"vsce exits {done.returncode}\n{done.stdout}{done.stderr}")
    expect("WARN" not in done.stdout + done.stderr, done.stdout + done.stderr)
    return vsix


def contents(vsix, folder, version):
    """What is in the package, and nothing else; gives the folder of the extension as it is installed."""
    archive = zipfile.ZipFile(vsix)
    names = [name.removeprefix("extension/") for name in archive.namelist() if name.startswith("extension/")]
    expect(sorted(names) == sorted(PACKED), f"the package holds {names}")
    archive.extractall(folder / "installed")
    extension = folder / "installed" / "extension"
    about = json.loads((extension / "package.json").read_text())
    expect(about["version"] == version, f"the extension is version {about['version']}, logmap {version}")
    [schema] = about["contributes"]["yamlValidation"]
    expect((extension / schema["url"]).read_bytes() == (ROOT / "schemas/region-map.schema.json").read_bytes(), "the schema is another one")
    licences = (extension / "LICENSE.txt").read_text()
    expect(all(name in licences for name in ("vscode-languageclient", "vscode-jsonrpc", "semver", "Apache License")), "a licence is missing")
    commands = {each["command"] for each in about["contributes"]["commands"]}
    return extension, commands


def locked():
    """The lock names digests, and no host of a registry."""
    lock = json.loads((SOURCE / "package-lock.json").read_text())["packages"]
    without = [name for name, each in lock.items() if name and "integrity" not in each]
    expect(len(lock) > 10 and not without, f"no digest: {without}")
    hosts = [name for name, each in lock.items() if "resolved" in each]
    expect(not hosts, f"a registry's address: {hosts}")


class Editor:
    def __init__(self, extension, folder):
        self.extension, self.folder, self.map = extension, folder, folder / "logmap.yaml"

    def session(self, text, code, run=(), path="", cursor=(0, 0), **env):
        """What a person sees of this map."""
        self.map.write_text(text)
        told = {"settings": {"path": str(path)}, "cursor": cursor, "code": code, "run": list(run)}
        done = subprocess.run([find_tool("node"), Path(__file__).with_name("vscode.cjs"), self.extension, self.map], input=json.dumps(told), cwd=self.folder,
                              env=clean_env(**env), capture_output=True, text=True, timeout=PATIENCE)
        expect(done.returncode == 0, f"the extension ends with {done.returncode}\n{done.stderr[-3000:]}")
        return json.loads(done.stdout)


def finding(editor, logmap, commands):
    """A map with a mistake, and what a rule's page says of it; a restarted server says it again."""
    seen = editor.session(BAD, "LM0011", ["logmap.explain"], path=logmap, cursor=(4, 10))
    expect(set(seen["commands"]) == commands, f"the commands are {seen['commands']}")
    for shown in (seen["diagnostics"], seen["again"]):
        [one] = [each for each in shown if each["code"] == "LM0011"]
        expect(one["range"]["start"] == {"line": 4, "character": 8} and one["source"] == "logmap" and "put it in quotes" in one["message"], one)
    expect(seen["asked"] == "LM0011" and seen["previews"][0].startswith("# LM0011 wrong-type"), seen)


def graph(editor, logmap):
    """The topology of what is typed, in a page that can run nothing."""
    # a map that is good but for a name that nothing lets be derived: the warning is waited for
    good = BAD.replace("012345678901", '"012345678901"').replace("us-east-1", "us-east-9")
    seen = editor.session(good, "LM0105", ["logmap.graph"], path=logmap)
    [page] = seen["pages"]
    html = page["webview"]["html"]
    expect("acme-logs-012345678901-us-east-9" in html and "<svg" in html and page["title"] == "logmap.yaml: topology", page)
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', html)[1]
    expect("default-src 'none'" in policy and "script" not in policy and not page["options"], page)


def programs(editor, logmap):
    """Which program is run: the setting's, the bundled one, the one on PATH; and what is said where there is none."""
    nowhere = {"PATH": str(editor.folder / "nothing")}
    # `node` itself is found before PATH is looked at by the extension
    node = {"PATH": os.pathsep.join((str(editor.folder / "on-path"), str(Path(find_tool("node")).parent)))}
    for place in ("on-path", "installed/extension/bin"):
        (editor.folder / place).mkdir()
    (editor.folder / "on-path" / "logmap").symlink_to(logmap)
    expect(editor.session(BAD, "LM0011", **node)["diagnostics"], "the program on PATH is not found")
    said = editor.session(BAD, None, **nowhere)
    expect(len(said["errors"]) == 1 and "pipx install aws-logmap" in said["errors"][0], said)
    said = editor.session(BAD, None, path="/no/such/logmap", **node)
    expect(len(said["errors"]) == 1 and "/no/such/logmap" in said["errors"][0], said)
    (editor.folder / "installed/extension/bin/logmap").symlink_to(logmap)
    expect(editor.session(BAD, "LM0011", **nowhere)["diagnostics"], "the bundled program is not found")


def check(report, logmap, new_folder):
    # each needs the package, so that one brings all
    if not any(report.wants(f"vscode/{name}") for name in ("packed", "finding", "graph", "programs")):
        return
    folder, installed = new_folder(), None
    with report.check("vscode/packed"):
        locked()
        installed = contents(packed(folder), folder, version_of(ROOT))
    if installed:
        extension, commands = installed
        editor = Editor(extension, folder)
        for name, look in (("finding", lambda: finding(editor, logmap, commands)), ("graph", lambda: graph(editor, logmap)), ("programs", lambda: programs(editor, logmap))):
            with report.check(f"vscode/{name}"):
                look()
