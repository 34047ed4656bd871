#!/usr/bin/env python3
"""How long a keystroke takes: `logmap lsp` and the YAML language server on the same map, in the same run.

    benches/editor.py [--logmap target/release/logmap] [--sources 20000] [--keystrokes 40]

A keystroke is one change of one character, in a source's name somewhere in the map; its time ends when the diagnostics
of that text have arrived. The two servers take turns, so that what else the machine does touches both. The YAML language
server (an npm package, as in the tests) checks the map against `schemas/region-map.schema.json`, after a pause of
200 ms; logmap checks every rule, derives the plan and proves its policies. The CPU time is the server's own, all its
threads together, so that it says something on a busy machine too. The last line is the ratio of the medians.
"""
import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))
from harness import npm, schema  # noqa: E402
from harness.language_client import LanguageClient  # noqa: E402
from harness.tools import find_tool  # noqa: E402

REGIONS = ["us-east-1", "eu-west-1"]


def region_map(sources):
    lines = ["version: 1", "organization: { name: acme }", "accounts:"]
    for account in range(sources // 100):
        lines += [f"  team-{account:03}:", f'    id: "{100000000000 + 7 * account}"', "    regions:"]
        for region in REGIONS:
            lines += [f"      {region}:", "        buckets:"]
            lines += [f"          - acme-team-{account:03}-{region}-app-{bucket:03}" for bucket in range(50)]
    return "\n".join(lines) + "\n"


def yaml_language_server():
    return [find_tool("node"), npm.package("yaml-language-server", schema.VERSION) / "bin" / "yaml-language-server", "--stdio"]


def keystroke(client, document, place, text):
    """Seconds from a change to the diagnostics of the changed text."""
    change = client.changed(document, (place, place if text else {**place, "character": place["character"] + 1}), text)
    start = time.perf_counter()
    client.notify("textDocument/didChange", change)
    found = client.diagnostics(document)
    return time.perf_counter() - start, found


def in_step(client, document):
    """Breaks an account's id and mends it: what has been published by then is of the last text."""
    place = document.at("100000000000").start
    for written, faulty in (("x", True), ("", False)):
        _, found = keystroke(client, document, place, written)
        while bool(found) != faulty:  # what a server says twice, or says of the text before
            client.published.pop(document.uri)
            found = client.diagnostics(document)


def cpu(client):
    """Seconds of CPU time that a server has used."""
    fields = Path(f"/proc/{client.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--logmap", type=Path, default=ROOT / "target" / "release" / "logmap")
    parser.add_argument("--sources", type=int, default=20000)
    parser.add_argument("--keystrokes", type=int, default=40)
    args = parser.parse_args()
    text, dice = region_map(args.sources), random.Random(4)
    committed = (ROOT / "schemas" / "region-map.schema.json").as_uri()
    settings = {"yaml": {"schemas": {committed: "*.yaml"}, "validate": True, "schemaStore": {"enable": False}}}
    with tempfile.TemporaryDirectory() as temp:
        folder = Path(temp)
        with LanguageClient([args.logmap, "lsp"], folder) as ours, LanguageClient(yaml_language_server(), folder, settings) as theirs:
            servers = {"logmap lsp": ours, "yaml-language-server": theirs}
            documents = {name: client.open(folder / "logmap.yaml", text) for name, client in servers.items()}
            times = {name: [] for name in servers}
            for name, client in servers.items():
                start = time.perf_counter()
                assert client.diagnostics(documents[name]) == [], f"{name} finds fault with the map"
                print(f"{name}: {1000 * (time.perf_counter() - start):.0f} ms after opening", flush=True)
                in_step(client, documents[name])
            used = {name: cpu(client) for name, client in servers.items()}
            for _ in range(args.keystrokes // 2):
                index = text.index("-app-", dice.randrange(len(text) - 2000)) + len("-app-")
                for written in ("x", ""):  # typed, and taken back
                    for name, client in servers.items():
                        document = documents[name]
                        took, found = keystroke(client, document, document.position(index), written)
                        assert found == [], f"{name} finds fault with the map"
                        times[name].append(1000 * took)
            used = {name: 1000 * (cpu(client) - used[name]) / args.keystrokes for name, client in servers.items()}
    print(f"{args.sources} sources, {len(text.splitlines())} lines, {args.keystrokes} keystrokes, {os.cpu_count()} cores")
    medians = {name: statistics.median(each) for name, each in times.items()}
    for name, each in times.items():
        print(f"{name}: median {medians[name]:.1f} ms, fastest {min(each):.1f} ms, slowest {max(each):.1f} ms; {used[name]:.1f} ms of CPU time each")
    print(f"ratio: {medians['yaml-language-server'] / medians['logmap lsp']:.1f}")


if __name__ == "__main__":
    main()
