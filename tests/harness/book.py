"""The documentation as a book, built by mdBook: every page of the summary, every link, and nothing from elsewhere.

`cargo test --test docs` looks at the links of the Markdown. What only the pages of HTML show is here: a page that mdBook calls otherwise than the
link does, an anchor that it makes otherwise, and what a browser would load from another host.
"""
import os
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from .report import Failure, clean_env, expect
from .tools import find_tool

ROOT = Path(__file__).resolve().parents[2]
VERSION = "0.5.4"
FOLDER = ROOT / "target" / f"mdbook-{VERSION}"
# pages that repeat others, or are shown at every depth
REPEATED = {"print.html", "404.html", "toc.html", "index.html"}


def program():
    """mdBook of this version, which is built once: three minutes."""
    binary = FOLDER / "bin" / "mdbook"
    if not binary.exists():
        command = [find_tool("cargo"), "install", "--quiet", "--locked", "--root", FOLDER, "--no-default-features", "--features", "search", f"mdbook@{VERSION}"]
        subprocess.run(command, env=clean_env(CARGO_TARGET_DIR=str(FOLDER / "target")), check=True)
        shutil.rmtree(FOLDER / "target", ignore_errors=True)
    return binary


class Page(HTMLParser):
    """The links, anchors and loaded files of a page."""

    def __init__(self, text):
        super().__init__()
        self.links, self.ids, self.loaded = [], set(), []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if given.get("id"):
            self.ids.add(given["id"])
        for key in ("href", "src"):
            if given.get(key):
                (self.links if tag == "a" else self.loaded).append(given[key])


def faults(docs, folder):
    """What is wrong with the book of these pages; a link out of it must lead to a file of the repository."""
    done = subprocess.run([program(), "build", docs, "--dest-dir", folder], env=clean_env(), capture_output=True, text=True)
    if done.returncode:
        raise Failure(f"mdbook exits {done.returncode}\n{done.stdout}{done.stderr}")
    wrong = [line for line in (done.stdout + done.stderr).splitlines() if re.search(r"\b(WARN|ERROR)\b", line)]
    pages = {path: Page(path.read_text()) for path in sorted(folder.rglob("*.html"))}
    wrong += [f"no page is made of {name}" for name in re.findall(r"\]\(([\w/.-]+)\.md\)", (docs / "SUMMARY.md").read_text()) if folder / f"{name}.html" not in pages]
    for path, page in pages.items():
        name = path.relative_to(folder)
        if path.name in REPEATED:
            continue
        wrong += [f"{name} loads {link}" for link in page.loaded if urlsplit(link).netloc]
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            there = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not there.is_relative_to(folder):
                there = (ROOT / "docs" / os.path.relpath(there, folder)).resolve()
                if not (there.exists() or there.with_suffix(".md").exists()):
                    wrong.append(f"{name}: {link} leads out of the book, to nothing")
            elif not there.exists():
                wrong.append(f"{name}: {link} leads to nothing")
            elif parts.fragment and there in pages and unquote(parts.fragment) not in pages[there].ids:
                wrong.append(f"{name}: {link} has no such anchor")
    return list(dict.fromkeys(wrong))


def check(report, new_folder):
    if not report.wants("book/built"):
        return
    with report.check("book/built"):
        found = faults(ROOT / "docs", new_folder() / "book")
        expect(not found, "\n".join(found))
        broken = new_folder() / "docs"
        shutil.copytree(ROOT / "docs", broken)
        with (broken / "live.md").open("a") as page:
            page.write("\n[a](no-such.md) [b](map.md#no-such) [c](../no-such.md) ![d](https://example.com/d.png)\n")
        found = faults(broken, new_folder() / "book")
        expect(len(found) == 4 and all(line.startswith("live.html") for line in found), f"of four faults these are found: {found}")
