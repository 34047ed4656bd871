//! Names of Systems Manager parameters.
//!
//! Source: Systems Manager API, PutParameter (`Name`), and the user guide, "Requirements and constraints for parameter names".

/// Levels of a parameter name, the last one included.
pub(crate) const LEVELS: usize = 15;
/// Longest name: 1,011 characters are for the ARN, whose part before the name takes up to 64.
pub(crate) const NAME_CHARS: usize = 1_011 - 64;

/// Characters of the value of a parameter of the standard tier (Systems Manager user guide, "Managing parameter tiers").
pub(crate) const VALUE_CHARS: usize = 4_096;

/// What AWS would not take of a parameter's name: the first thing that is wrong with it.
pub(crate) fn problem(name: &str) -> Option<&'static str> {
    let path = name.strip_prefix('/').unwrap_or(name);
    let levels: Vec<&str> = path.split('/').collect();
    let reserved =
        |word: &str| levels.first().and_then(|first| first.get(..3)).is_some_and(|head| head.eq_ignore_ascii_case(word));
    if name.is_empty() || path.is_empty() {
        Some("is empty")
    } else if !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-/".contains(&b)) {
        Some("has other characters than letters, digits, `.`, `-`, `_` and `/`")
    } else if levels.len() > 1 && !name.starts_with('/') {
        Some("has levels but no `/` at its beginning")
    } else if levels.iter().any(|level| level.is_empty()) {
        Some("has an empty level")
    } else if levels.len() > LEVELS {
        Some("has more than 15 levels")
    } else if reserved("aws") || reserved("ssm") {
        Some("begins with `aws` or `ssm`, which AWS keeps for itself")
    } else if name.len() > NAME_CHARS {
        Some("is too long: with its ARN it may have 1,011 characters")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_judged_as_the_api_reference_says() {
        let fifteen = "/a".repeat(LEVELS);
        for good in ["/logmap/access-log-bucket", "plain.Name_1", "/a", &fifteen, "/prod/aws/ssm"] {
            assert_eq!(problem(good), None, "{good}");
        }
        let (sixteen, long) = ("/a".repeat(LEVELS + 1), "a".repeat(NAME_CHARS + 1));
        for bad in
            ["", "/", "a/b", "/a//b", "/a/", "/a b", "/ä", "/AWS/x", "ssm-x", "/awsome", "{x}", "/a\n", "/*", &sixteen, &long]
        {
            assert!(problem(bad).is_some(), "{bad:?}");
        }
    }
}
