"""Runs what the README and the pages in docs/ show.  Blocks of one file share one temporary folder and run in order, with `logmap` on PATH.

    ```console            each line `$ command` is run by bash (a line that ends in \\ goes on in the next); the lines after
    $ logmap validate     it are what it prints, standard output and error together.  A line `...` stands for any lines.
    ...
    ```
    <!-- file: NAME -->   before any block: the block is written to NAME first.
    <!-- exits N -->      before a console block: its last command ends with N; otherwise every command ends with 0.
    <!-- not run: WHY --> before a console, sh or bash block: it is not run.  An sh or bash block needs it.

The README of an example starts in a copy of that example's folder.
"""
import re
import shutil
import subprocess

from .report import Failure, clean_env, expect

BLOCK = re.compile(r"(?P<notes>(?:^<!--[^\n]*-->\n+)*)^```(?P<language>\w*)[^\n]*\n(?P<body>.*?)^```$", re.M | re.S)
NOTE = re.compile(r"<!--\s*(file|exits|not run):?\s+(.*?)\s*-->")


def commands(body):
    """[(command, expected lines)] of a console block."""
    found, lines = [], iter(body.splitlines())
    for line in lines:
        if line.startswith("$ "):
            command = line[2:]
            while command.endswith("\\"):
                command = command[:-1] + next(lines).strip()
            found.append((command, []))
        else:
            expect(found, f"a console block starts with output: {line}")
            found[-1][1].append(line.rstrip())
    return found


def matches(expected, printed):
    """Line by line; `...` stands for any lines."""
    pattern = "".join(r"(?:[^\n]*\n)*?" if line == "..." else re.escape(line) + "\n" for line in expected)
    return re.fullmatch(pattern, "".join(line.rstrip() + "\n" for line in printed.splitlines())) is not None


def run_block(body, code, folder, path):
    found = commands(body)
    for number, (command, expected) in enumerate(found, 1):
        env = clean_env(HOME=str(folder), PATH=path)
        done = subprocess.run(["bash", "-c", command], cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        wanted = code if number == len(found) else 0
        expect(done.returncode == wanted, f"$ {command}\nexits {done.returncode}, not {wanted}\n{done.stdout[-2000:]}")
        if not matches(expected, done.stdout):
            raise Failure(f"$ {command}\nprints\n{done.stdout[-3000:]}\nand the text says\n" + "\n".join(expected))


def run_file(text, folder, path):
    """Gives how many blocks were run."""
    count = 0
    for block in BLOCK.finditer(text):
        notes = dict(NOTE.findall(block["notes"]))
        if "file" in notes:
            target = folder / notes["file"]
            expect(target.resolve().is_relative_to(folder.resolve()), f"{notes['file']} is outside of the folder")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(block["body"])
        elif "not run" in notes:
            continue
        elif block["language"] == "console":
            run_block(block["body"], int(notes.get("exits", 0)), folder, path)
            count += 1
        else:
            expect(block["language"] not in ("sh", "bash"), f"this block is neither `console` nor marked `not run`:\n{block['body']}")
    return count


def check(report, root, logmap, new_folder):
    path = f"{logmap.parent}:{clean_env()['PATH']}"
    # pages of rules have examples of their own kind, which tests/rule_pages.rs runs; without any page a glob would pass in silence
    pages = [page for page in sorted((root / "docs").rglob("*.md")) if page.parent.name != "rules"]
    for readme in [root / "README.md", *pages, *sorted((root / "examples").glob("*/README.md"))]:
        title = f"readme/{readme.relative_to(root)}"
        if not report.wants(title):
            continue
        with report.check(title):
            expect(readme.exists(), "there is no README.md")
            folder = new_folder() / "copy"
            if readme.parent.parent == root / "examples":
                shutil.copytree(readme.parent, folder)
            else:
                folder.mkdir()
            count = run_file(readme.read_text(), folder, path)
            expect(count or readme.parent != root, "no block was run")
    expect(len(pages) > 10, "docs/ has no pages")
