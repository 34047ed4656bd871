//! Texts of a map that several families look at: placeholders in them, and how their characters are composed.

/// What is wrong with a string that has an accent or the like as a character of its own.
pub(super) const NOT_COMPOSED: &str = "is not in Unicode's composed form (NFC)";
/// Why, and what to do.
pub(super) const NOT_COMPOSED_HELP: &str =
    "Terraform composes every string, so the targets would differ; type the characters anew, or convert the text to NFC";

/// The names between braces that are not policy variables.
pub(crate) fn bare_placeholders(text: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        let variable = rest[..at].ends_with('$');
        let after = &rest[at + 1..];
        let Some(end) = after.find('}') else { break };
        if !variable {
            names.push(&after[..end]);
        }
        rest = &after[end + 1..];
    }
    names
}
