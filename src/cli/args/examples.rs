//! Examples of each command, as its long help ends with them. `tests/help.rs` runs every line and expects its exit code.

/// A command line that works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Example {
    /// What it is for: one line, as a shell's comment.
    pub about: &'static str,
    /// The command line, for a POSIX shell.
    pub line: &'static str,
    /// How it ends in the folder of the test.
    pub code: i32,
}

const fn clean(about: &'static str, line: &'static str) -> Example {
    Example { about, line, code: 0 }
}

/// One that finds something.
const fn finds(about: &'static str, line: &'static str) -> Example {
    Example { about, line, code: 1 }
}

/// Each command with its examples, the most usual first.
pub const EXAMPLES: &[(&str, &[Example])] = &[
    (
        "init",
        &[
            clean(
                "a map of one account with two Regions, its schema, and a workflow",
                "logmap init --org acme --account prod=111122223333 --region eu-west-1,us-east-1",
            ),
            clean("in another folder, without a workflow", "logmap init --dir logging --ci none"),
        ],
    ),
    (
        "validate",
        &[
            clean("the map here or in a folder above", "logmap validate"),
            clean("annotations in a workflow, where warnings fail too", "logmap validate --format github --fail-on warning"),
            finds("what the safe fixes would change", "logmap validate draft.yaml --diff"),
        ],
    ),
    (
        "generate",
        &[
            clean("write everything to out/", "logmap generate"),
            clean("only the Terraform of one account", "logmap generate --target terraform --account prod"),
            finds("in CI: a report on the files that are not up to date", "logmap generate --check --format junit > report.xml"),
        ],
    ),
    (
        "diff",
        &[
            finds("two files", "logmap diff old.yaml logmap.yaml"),
            finds("for a pull request: the map here and on the main branch", "logmap diff --since main --format markdown"),
        ],
    ),
    (
        "check",
        &[
            clean("a Terraform plan", "terraform show -json plan.out | logmap check -"),
            finds("all that is in a folder, with what the map knows", "logmap check --map logmap.yaml templates"),
            finds("in a hook: after -- every name is a file's", "logmap check --strict -- *.json"),
        ],
    ),
    (
        "import",
        &[
            clean(
                "a map of one account",
                "logmap import buckets.json --account prod=111122223333 --organization acme --out new.yaml",
            ),
            finds(
                "what the map here lacks, as a diff",
                "logmap import buckets.json --account 111122223333 --into logmap.yaml --diff",
            ),
        ],
    ),
    (
        "snapshot",
        &[clean(
            "for AWS CloudShell, or wherever boto3 and the credentials are",
            "logmap snapshot --script python > snapshot.py",
        )],
    ),
    (
        "drift",
        &[
            finds("what differs from the map here", "logmap drift --snapshot snapshot.json"),
            finds(
                "a report with the buckets that the map does not know",
                "logmap drift --snapshot snapshot.json --coverage --format markdown > drift.md",
            ),
        ],
    ),
    (
        "runbook",
        &[
            clean("from one file to another", "logmap runbook old.yaml logmap.yaml"),
            clean("from the map on the main branch to the map here", "logmap runbook --since main --out move"),
        ],
    ),
    (
        "graph",
        &[
            clean("a page that searches and filters", "logmap graph --out topology.html"),
            clean(
                "a picture of one account, with violations marked",
                "logmap graph --account prod --check templates --out prod.svg",
            ),
        ],
    ),
    (
        "explain",
        &[
            clean("a rule", "logmap explain LM0203"),
            clean("an error that AWS gave", "terraform apply 2>&1 | logmap explain --map logmap.yaml"),
            clean("all rules, for a script", "logmap explain --list --format json"),
        ],
    ),
    (
        "templates",
        &[
            clean("the names, and which command and target uses each", "logmap templates"),
            clean("a template to change, for --templates mine", "logmap templates --out mine terraform/region.tf"),
        ],
    ),
    ("schema", &[clean("for an editor", "logmap schema > region-map.schema.json")]),
    ("completions", &[clean("for bash", "logmap completions bash > logmap.bash")]),
    (
        "man",
        &[clean("read the page", "logmap man > logmap.1"), clean("a page for each command", "logmap man --out share/man/man1")],
    ),
    #[cfg(feature = "lsp")]
    ("lsp", &[clean("what an editor starts", "logmap lsp")]),
];

/// The section of a command's long help; empty for a command without examples.
pub(super) fn examples(command: &str) -> String {
    let found = EXAMPLES.iter().filter(|(name, _)| *name == command).flat_map(|(_, examples)| *examples);
    let lines = found.map(|example| format!("\n  # {}\n  {}\n", example.about, example.line));
    let text = lines.collect::<String>();
    if text.is_empty() { text } else { format!("Examples:{text}").trim_end().to_owned() }
}
