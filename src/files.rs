//! Reading what a path names: plain files, and for names that the user gave also pipes. Devices have no end, and a pipe that nobody
//! writes to has no beginning, so neither is read by accident.

use std::{
    fs::{self, File, Metadata},
    io::{self, ErrorKind, IsTerminal, Read},
    path::Path,
};

/// Most bytes of a file: places in a text are numbers of 32 bits.
const LONGEST_FILE: u64 = 2 << 30;
/// Most bytes of a pipe, of which nobody knows the length before.
const LONGEST_PIPE: u64 = 512 << 20;

/// Reads a plain file; a link to one is one.
///
/// # Errors
/// It can't be read, is no plain file, or is too long; the message says which, without the path.
pub(crate) fn read_plain(path: &Path) -> io::Result<Vec<u8>> {
    let meta = fs::metadata(path)?;
    if let Some(kind) = other_kind(&meta) {
        return Err(refused(format!("it is {kind}, not a file")));
    }
    within(meta.len(), LONGEST_FILE)?;
    fs::read(path)
}

/// Reads a file that the user named: a plain file, a pipe (`<(…)`, `/dev/stdin`) or a terminal.
///
/// # Errors
/// It can't be read, is a device, or is too long; the message says which, without the path.
pub(crate) fn read_named(path: &Path) -> io::Result<Vec<u8>> {
    let meta = fs::metadata(path)?;
    match other_kind(&meta) {
        None => read_plain(path),
        Some(PIPE) => read_stream(File::open(path)?),
        Some(DEVICE) => {
            let file = File::open(path)?;
            if file.is_terminal() || fs::canonicalize(path).is_ok_and(|path| path == Path::new("/dev/null")) {
                return read_stream(file);
            }
            Err(refused(format!("it is {DEVICE}, not a file")))
        }
        Some(kind) => Err(refused(format!("it is {kind}, not a file"))),
    }
}

/// Reads a stream to its end.
///
/// # Errors
/// It can't be read, or is too long.
pub(crate) fn read_stream(stream: impl Read) -> io::Result<Vec<u8>> {
    read_at_most(stream, LONGEST_PIPE)
}

fn read_at_most(stream: impl Read, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let length = stream.take(most + 1).read_to_end(&mut bytes)?;
    within(length as u64, most)?;
    Ok(bytes)
}

/// The same as text.
///
/// # Errors
/// As those of [`read_named`]; it is not UTF-8.
pub(crate) fn read_named_text(path: &Path) -> io::Result<String> {
    String::from_utf8(read_named(path)?).map_err(|error| io::Error::new(ErrorKind::InvalidData, error.utf8_error()))
}

fn within(length: u64, most: u64) -> io::Result<()> {
    if length <= most { Ok(()) } else { Err(refused(format!("it is longer than {} MiB", most >> 20))) }
}

fn refused(reason: String) -> io::Error {
    io::Error::new(ErrorKind::InvalidInput, reason)
}

const PIPE: &str = "a pipe";
const DEVICE: &str = "a device";

/// What a path names if it is no plain file, with its article.
#[cfg(unix)]
fn other_kind(meta: &Metadata) -> Option<&'static str> {
    use std::os::unix::fs::FileTypeExt;
    let kind = meta.file_type();
    if kind.is_file() {
        None
    } else if kind.is_dir() {
        Some("a folder")
    } else if kind.is_fifo() {
        Some(PIPE)
    } else if kind.is_char_device() || kind.is_block_device() {
        Some(DEVICE)
    } else {
        Some("a socket")
    }
}

#[cfg(not(unix))]
fn other_kind(meta: &Metadata) -> Option<&'static str> {
    if meta.is_file() {
        None
    } else if meta.is_dir() {
        Some("a folder")
    } else {
        Some(DEVICE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_without_an_end_is_given_up() {
        let read = read_at_most(io::repeat(b'a'), 1 << 20).map_err(|error| error.to_string());
        assert_eq!(read, Err("it is longer than 1 MiB".to_owned()));
        assert_eq!(read_at_most(&b"abc"[..], 3).ok().as_deref(), Some(&b"abc"[..]));
    }
}
