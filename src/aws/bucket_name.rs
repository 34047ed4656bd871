//! Bucket names: what S3 accepts, and what it accepted once.
//!
//! Source: S3 user guide, "General purpose bucket naming rules" and "Namespaces for general purpose buckets".

/// Longest name.
pub(crate) const MAX_LEN: usize = 63;
/// Prefixes that S3 reserves.
pub(crate) const RESERVED_PREFIXES: [&str; 3] = ["xn--", "sthree-", "amzn-s3-demo-"];
/// Suffixes that S3 reserves for things that are no general purpose buckets.
pub(crate) const RESERVED_SUFFIXES: [&str; 5] = ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"];

/// Why S3 would not create a bucket of this name; `None` if it would.
///
/// A name that ends in `-an` belongs to the account regional namespace; [`account_regional`] takes it apart.
pub(crate) fn problem(name: &str) -> Option<String> {
    let ends = |byte: Option<&u8>| byte.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    if name.chars().count() < 3 {
        return Some("is shorter than 3 characters".to_owned());
    }
    if let Some(c) = name.chars().find(|c| !(c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.'))) {
        return Some(match c {
            'A'..='Z' => {
                format!("has the upper-case letter `{c}`; only lower-case letters, digits, hyphens and dots are allowed")
            }
            c if c.is_control() => {
                "has a control character; only lower-case letters, digits, hyphens and dots are allowed".to_owned()
            }
            c => format!("has the character `{c}`; only lower-case letters, digits, hyphens and dots are allowed"),
        });
    }
    if name.len() > MAX_LEN {
        return Some(format!("has {} characters; at most {MAX_LEN} are allowed", name.len()));
    }
    if !ends(name.as_bytes().first()) || !ends(name.as_bytes().last()) {
        return Some("does not begin and end with a letter or digit".to_owned());
    }
    let dots = name.contains('.');
    if dots && name.contains("..") {
        return Some("has two dots in a row".to_owned());
    }
    if dots && is_ipv4(name) {
        return Some("has the form of an IP address".to_owned());
    }
    if let Some(prefix) = RESERVED_PREFIXES.iter().find(|prefix| name.starts_with(*prefix)) {
        return Some(format!("begins with `{prefix}`, which S3 reserves"));
    }
    RESERVED_SUFFIXES
        .iter()
        .find(|suffix| name.ends_with(*suffix))
        .map(|suffix| format!("ends with `{suffix}`, which S3 reserves"))
}

/// What a name with a reserved suffix names instead of a general purpose bucket.
pub(crate) fn other_kind(name: &str) -> Option<&'static str> {
    [
        ("--x-s3", "a directory bucket"),
        ("--table-s3", "a table bucket"),
        ("-s3alias", "an access point alias"),
        ("--ol-s3", "an Object Lambda access point alias"),
        (".mrap", "a Multi-Region Access Point"),
    ]
    .iter()
    .find(|(suffix, _)| name.ends_with(suffix))
    .map(|(_, kind)| *kind)
}

/// Could the name be one from before March 2018 in us-east-1: up to 255 characters, upper case and underscores?
/// Names that S3 reserves and names like an IP address are taken for mistakes: most come from AWS's own examples.
pub(crate) fn could_be_legacy(name: &str) -> bool {
    let reserved = RESERVED_PREFIXES.iter().any(|prefix| name.starts_with(prefix)) || is_ipv4(name);
    !reserved
        && (3..=255).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'))
}

/// The suffix of a name in the account regional namespace.
pub(crate) fn account_regional_suffix(account_id: &str, region: &str) -> String {
    format!("-{account_id}-{region}-an")
}

/// Account id and Region in a name of the account regional namespace, `prefix-111122223333-eu-west-1-an`.
pub(crate) fn account_regional(name: &str) -> Option<(&str, &str)> {
    let body = name.strip_suffix("-an")?;
    let mut from = 0;
    while let Some(at) = body[from..].find('-').map(|at| at + from) {
        let rest = &body[at + 1..];
        if let Some((id, region)) = rest.split_at_checked(12)
            && id.bytes().all(|b| b.is_ascii_digit())
            && let Some(region) = region.strip_prefix('-')
            && super::region::is_well_formed(region)
        {
            return Some((id, region));
        }
        from = at + 1;
    }
    None
}

fn is_ipv4(name: &str) -> bool {
    let mut parts = name.split('.');
    parts.clone().count() == 4 && parts.all(|part| (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_s3_refuses_is_refused() {
        for bad in [
            "ab",
            "Upper",
            "under_score",
            "a..b",
            "-lead",
            "trail-",
            "192.168.5.4",
            "xn--a",
            "sthree-a",
            "amzn-s3-demo-a",
            "x-s3alias",
            "x--x-s3",
        ] {
            assert!(problem(bad).is_some(), "{bad}");
        }
        assert!(problem(&"a".repeat(64)).is_some());
        for good in ["abc", "a.b-c", "a-.b", "1.2.3", "x-an"] {
            assert_eq!(problem(good), None, "{good}");
        }
    }

    #[test]
    fn an_account_regional_name_is_taken_apart() {
        assert_eq!(account_regional("a-b-111122223333-us-gov-west-1-an"), Some(("111122223333", "us-gov-west-1")));
        assert_eq!(account_regional("a-11112222333-us-east-1-an"), None);
        assert_eq!(account_regional("juan-an"), None);
    }
}
