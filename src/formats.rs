//! Versions of the formats that logmap writes and reads back. What a newer logmap wrote is refused and never guessed at: to read
//! the half that is understood and write it again would lose the other.

use serde::Deserialize;
use std::fmt;

/// What any version of a format says of itself.
#[derive(Deserialize)]
struct Head {
    format_version: Option<serde_json::Value>,
    logmap_version: Option<serde_json::Value>,
}

/// A text that is of the format, but not of a version that this logmap reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unread {
    /// What its `format_version` says; `None` if it has none.
    pub version: Option<String>,
    /// The version that this logmap reads.
    pub ours: &'static str,
    /// The version of the logmap that wrote it, if it says so.
    pub writer: Option<String>,
}

impl Unread {
    /// Did a newer logmap write it?
    pub(crate) fn is_newer(&self) -> bool {
        let number = |text: &str| -> Option<(u32, u32)> {
            let (major, minor) = text.split_once('.')?;
            Some((major.parse().ok()?, minor.parse().ok()?))
        };
        self.version.as_deref().and_then(number).is_some_and(|version| Some(version) > number(self.ours))
    }
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.version {
            None => write!(f, "it has no `format_version`; this logmap reads `{}`", self.ours),
            Some(version) if self.is_newer() => {
                write!(f, "a newer logmap wrote it")?;
                if let Some(writer) = &self.writer {
                    write!(f, ", `{writer}`")?;
                }
                write!(f, ": its format is `{version}`, and this logmap, `{}`, reads `{}`", env!("CARGO_PKG_VERSION"), self.ours)
            }
            Some(version) => write!(f, "its format is `{version}`, which no logmap wrote; this one reads `{}`", self.ours),
        }
    }
}

impl std::error::Error for Unread {}

/// Looks at the version of a JSON text before the rest of it is decoded, which a newer format may have changed in any way.
///
/// # Errors
/// [`Unread`] if the version is neither `ours` nor one of the `older` ones that are read, too. A text that is no JSON object passes: the decoder says better what is wrong with it.
pub(crate) fn look(text: &[u8], ours: &'static str, older: &[&str]) -> Result<(), Unread> {
    let Ok(head) = serde_json::from_slice::<Head>(text) else { return Ok(()) };
    let word = |value: serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let version = head.format_version.map(word);
    if version.as_deref().is_some_and(|version| version == ours || older.contains(&version)) {
        return Ok(());
    }
    Err(Unread { version, ours, writer: head.logmap_version.map(word) })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail loudly")]
mod tests {
    use super::look;

    #[test]
    fn newer_is_told_from_unknown_and_numbers_are_not_compared_as_text() {
        let newer =
            |version: &str| look(format!("{{\"format_version\":{version}}}").as_bytes(), "1.9", &["1.7"]).unwrap_err().is_newer();
        for version in ["\"1.10\"", "\"2.0\"", "\"10.0\""] {
            assert!(newer(version), "{version}");
        }
        for version in ["\"1.8\"", "\"0.1\"", "\"\"", "\"x\"", "2", "null", "{}"] {
            assert!(!newer(version), "{version}");
        }
        assert_eq!(look(br#"{"format_version":"1.9"}"#, "1.9", &[]), Ok(()));
        assert_eq!(look(br#"{"format_version":"1.7"}"#, "1.9", &["1.7"]), Ok(()));
        assert_eq!(look(b"no JSON", "1.9", &[]), Ok(()));
    }

    #[test]
    fn who_wrote_it_is_said() {
        let unread = look(br#"{"format_version":"2.0","logmap_version":"7.1.0","files":3}"#, "1.0", &[]).unwrap_err();
        assert!(unread.to_string().starts_with("a newer logmap wrote it, `7.1.0`: its format is `2.0`"), "{unread}");
    }
}
