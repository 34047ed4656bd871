"""Findings in the hands of those who read them: SARIF before Microsoft's validator with GitHub's rules, JUnit as XML, and text on a terminal."""
import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import termios
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from . import npm
from .report import clean_env, expect

ROOT = Path(__file__).resolve().parents[2]
MULTITOOL = "5.7.0"
# the tool has no page on the web that could be named
TOLERATED = {"SARIF2005"}

# names in other scripts, with what JSON, XML and annotations must escape
HOSTILE = """\
version: 1
organization: { name: "<acme> & \\"sons\\"" }
accounts:
  prod:
    id: 012345678901
    regions:
      us-esat-1: { buckets: ["größe::error::%0A", "[a](b)", "\\u0001\\uffff\\r\\n]]>"] }
      eu-west-1: { buckets: [acme-web, acme-web], log_bucket: { prefix: "logs" } }
trails: { audit: { deliver_to: { account: log-archive } } }
"""
# the elements and attributes of the schema that Jenkins's xUnit plugin insists on, as far as they are used
KNOWN = {
    "testsuites": {"name", "tests", "failures", "errors"},
    "testsuite": {"name", "tests", "failures", "errors", "skipped"},
    "testcase": {"classname", "name"},
    "failure": {"type", "message"},
    "system-out": set(),
}


def check(report, logmap, good_maps, folder):
    hostile = folder / "a, b%20:é" / "logmap.yaml"
    hostile.parent.mkdir()
    hostile.write_text(HOSTILE)
    maps = {**good_maps, "hostile": hostile, "examples/broken": ROOT / "examples" / "broken" / "logmap.yaml"}
    maps.update({path.name: path for path in sorted((ROOT / "tests" / "findings").glob("*.yaml"))})
    for name, look in (("sarif", sarif), ("junit", junit), ("terminal", terminal)):
        if report.wants(f"report_formats/{name}"):
            with report.check(f"report_formats/{name}"):
                look(logmap, maps, folder)


def found(logmap, path, form):
    done = subprocess.run([logmap, "validate", path.name, "--format", form], cwd=path.parent, env=clean_env(), capture_output=True)
    expect(done.returncode in (0, 1) and not done.stderr, f"{path}: {done.returncode} {done.stderr.decode()}")
    return done.stdout


def sarif(logmap, maps, folder):
    logs = folder / "sarif"
    logs.mkdir()
    for number, path in enumerate(maps.values()):
        (logs / f"{number}.sarif").write_bytes(found(logmap, path, "sarif"))
    # one that the validator must refuse, so that its silence means something
    broken = json.loads((logs / "0.sarif").read_text())
    broken["runs"][0]["results"] = [{"ruleId": "LM0001", "locations": [{"physicalLocation": {"region": {"startLine": 0}}}]}]
    (logs / "broken.sarif").write_text(json.dumps(broken))
    tool = npm.package("@microsoft/sarif-multitool-linux", MULTITOOL) / "Sarif.Multitool"
    tool.chmod(0o755)
    out = folder / "verdict.sarif"
    subprocess.run([tool, "validate", logs / "*.sarif", "--rule-kind", "Sarif;Gh", "--log", "ForceOverwrite", "--output", out],
                   env={**clean_env(), "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"}, capture_output=True, timeout=300)
    results = json.loads(out.read_text(encoding="utf-8-sig"))["runs"][0]["results"]
    about = lambda result: result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].rsplit("/", 1)[-1]
    errors = [(about(result), result["ruleId"], result["message"]) for result in results if result["ruleId"] not in TOLERATED]
    expect(any(name == "broken.sarif" for name, _, _ in errors), "the validator took a log that is not right")
    seen = {about(result) for result in results}
    expect(len(seen) == len(maps) + 1, f"the validator spoke of {len(seen)} of {len(maps) + 1} logs")
    wrong = [error for error in errors if error[0] != "broken.sarif"]
    expect(not wrong, f"{wrong[:5]}")


def junit(logmap, maps, _):
    for name, path in maps.items():
        one_junit(name, json.loads(found(logmap, path, "json")), found(logmap, path, "junit"))


def one_junit(name, json_report, xml):
    root = ElementTree.fromstring(xml)
    for element in root.iter():
        expect(element.tag in KNOWN and set(element.attrib) <= KNOWN[element.tag], f"{name}: {element.tag} {element.attrib}")
    findings = json_report["findings"]
    cases, failures = root.findall("testsuite/testcase"), root.findall("testsuite/testcase/failure")
    expect(len(cases) == max(len(findings), 1) == int(root.get("tests")), f"{name}: {len(cases)} cases for {len(findings)} findings")
    expect(len(failures) == json_report["summary"]["errors"] == int(root.get("failures")), f"{name}: {len(failures)} failures")
    for case, finding in zip(cases, findings):
        start = finding["range"]["start"]
        place = f":{start['line']}:{start['column']}: {finding['severity']}: "
        expect(case.get("classname") == f"logmap.{finding['rule']}" and place in case[0].text, f"{name}: {case.attrib} {case[0].text!r}")
        # what XML can't hold is replaced
        legal = "".join("\ufffd" if ord(c) < 32 and c not in "\t\n\r" or c in "\ufffe\uffff" else c for c in finding["message"])
        expect(legal in case[0].text, f"{name}: {finding['message']!r} is not in {case[0].text!r}")


def terminal(logmap, _, folder):
    """Long lines of a map are cut for the terminal's width."""
    widest, path = {}, folder / "wide.yaml"
    names = ", ".join(f"acme-source-{n:03}" for n in range(40))
    path.write_text(f"version: 1\norganization: {{ name: acme }}\naccounts: {{ prod: {{ id: \"111122223333\", regions: {{ us-east-1: {{ buckets: [Acme_Source!, {names}] }} }} }} }}\n")
    for width in (60, 120):
        leader, follower = pty.openpty()
        fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
        with open(follower, "wb") as out:
            process = subprocess.Popen([logmap, "validate", path, "--color", "never"], env=clean_env(), stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.DEVNULL)
        text = b""
        try:
            while piece := os.read(leader, 65536):
                text += piece
        except OSError:
            pass  # the other end is closed
        os.close(leader)
        process.wait()
        quoted = [line for line in text.decode().splitlines() if re.match(r" *[0-9]+ \| ", line)]
        expect(quoted, f"nothing is drawn: {text!r}")
        widest[width] = max(map(len, quoted))
    expect(widest[60] <= 60 < widest[120] <= 120, f"lines of the map do not fit the terminal: {widest}")
