//! Running the binary in tests: a clean environment, a folder of its own, and its output as text.
#![allow(dead_code, reason = "each test file uses what it needs")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail loudly")]

use std::{
    path::Path,
    process::{Command, Output, Stdio},
};

/// What a run gave.
pub struct Run {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// Runs logmap in a folder with nothing of the caller's environment but PATH and HOME.
pub fn logmap(dir: &Path, arguments: &[&str]) -> Run {
    run(command(dir, arguments).stdin(Stdio::null()).output().expect("logmap starts"))
}

/// Runs logmap with text on standard input.
pub fn logmap_with_input(dir: &Path, arguments: &[&str], input: &str) -> Run {
    run(feed(command(dir, arguments), input))
}

fn feed(mut command: Command, input: &str) -> Output {
    use std::io::Write;
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the command starts");
    // what ends before it has read everything has had enough
    if let Err(error) = child.stdin.take().unwrap().write_all(input.as_bytes()) {
        assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe, "{error}");
    }
    child.wait_with_output().unwrap()
}

/// Runs a line in a POSIX shell that finds logmap, and before it what is in the folder's `bin`.
pub fn shell(dir: &Path, line: &str, input: &str) -> Run {
    let program = Path::new(env!("CARGO_BIN_EXE_logmap")).parent().unwrap();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let names = [dir.join("bin"), program.to_owned()].into_iter().chain(std::env::split_paths(&path));
    let mut command = Command::new("sh");
    command.args(["-ec", line]).current_dir(dir).env_clear();
    command.env("PATH", std::env::join_paths(names).unwrap()).env("HOME", dir);
    for name in ["TMPDIR", "LLVM_PROFILE_FILE"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    run(feed(command, input))
}

/// Runs logmap with text on standard input and with these variables.
pub fn logmap_with_variables(dir: &Path, arguments: &[&str], input: &str, variables: &[(&str, &str)]) -> Run {
    let mut command = command(dir, arguments);
    command.envs(variables.iter().copied());
    run(feed(command, input))
}

fn command(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_logmap"));
    command.args(arguments).current_dir(dir).env_clear();
    for name in ["PATH", "HOME", "TMPDIR", "LLVM_PROFILE_FILE"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command
}

fn run(output: Output) -> Run {
    let run = Run {
        code: output.status.code().expect("logmap ends by itself"),
        stdout: String::from_utf8(output.stdout).expect("UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("UTF-8"),
    };
    // texts that are known in part are strings with such characters in them: whatever is run, people never see one
    let marks = |text: &str| text.contains(|c| matches!(u32::from(c), 0xf_0000..=0xf_ffff | 0x10_0000..));
    assert!(!marks(&run.stdout) && !marks(&run.stderr), "a hole is written out:\n{}{}", run.stdout, run.stderr);
    run
}

/// Path, with slashes → text of every file below a folder.
pub fn tree(dir: &Path) -> std::collections::BTreeMap<String, String> {
    fn walk(root: &Path, dir: &Path, found: &mut std::collections::BTreeMap<String, String>) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(root, &path, found);
            } else {
                let name = path.strip_prefix(root).unwrap().to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/");
                found.insert(name, std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    let mut found = std::collections::BTreeMap::new();
    walk(dir, dir, &mut found);
    found
}
