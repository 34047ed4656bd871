//! Texts of a map that several families look at: how their characters are composed.

/// What is wrong with a string that has an accent or the like as a character of its own.
pub(super) const NOT_COMPOSED: &str = "is not in Unicode's composed form (NFC)";
/// Help for it: the reason, and what to do.
pub(super) const NOT_COMPOSED_HELP: &str =
    "Terraform composes every string, so the targets would differ; type the characters anew, or convert the text to NFC";
