//! Placeholders in the map's texts: which there are, what they mean, and where they stand in a text. Their values are the plan's.

/// Declares placeholders: variants, names and meanings.
macro_rules! placeholders {
    ($(#[doc = $doc:literal])* $name:ident { $( $variant:ident = $word:literal $meaning:literal, )* }) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum $name {
            $( #[doc = $meaning] $variant, )*
        }

        impl $name {
            /// In the order in which they are offered.
            pub(crate) const ALL: &[$name] = &[$( $name::$variant, )*];

            /// What stands between the braces.
            pub(crate) fn name(self) -> &'static str {
                match self {
                    $( $name::$variant => $word, )*
                }
            }

            /// What it stands for, for people.
            #[cfg(feature = "lsp")]
            pub(crate) fn meaning(self) -> &'static str {
                match self {
                    $( $name::$variant => $meaning, )*
                }
            }

            /// The one of this name.
            pub(crate) fn find(name: &str) -> Option<$name> {
                $name::ALL.iter().copied().find(|known| known.name() == name)
            }

            /// The names of all.
            pub(crate) fn names() -> impl Iterator<Item = &'static str> {
                $name::ALL.iter().map(|known| known.name())
            }
        }
    };
}

placeholders! {
    /// Placeholders in names of log buckets.
    NamePlaceholder {
        Org = "org" "the organisation's short name",
        Account = "account" "the account's key",
        AccountId = "account_id" "the account's id",
        Region = "region" "the Region",
        Partition = "partition" "the partition, such as `aws`",
    }
}

placeholders! {
    /// Placeholders in strings of extra statements.
    StatementPlaceholder {
        LogBucketArn = "log_bucket_arn" "the ARN of the log bucket",
        AccountId = "account_id" "the account's id",
        Region = "region" "the Region",
        Partition = "partition" "the partition, such as `aws`",
    }
}

placeholders! {
    /// Placeholders in settings of state backends.
    BackendPlaceholder {
        Org = "org" "the organisation's short name",
        Account = "account" "the account's key",
        AccountId = "account_id" "the account's id",
        Partition = "partition" "the partition, such as `aws`",
    }
}

/// The names between braces; `${name}` is a policy variable of IAM and no placeholder.
pub(crate) fn placeholders_in(text: &str) -> Vec<&str> {
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

/// A part of a string of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StatementPart<'t> {
    /// Text as it stands; a policy variable of IAM with its braces.
    Text(&'t str),
    /// The name in a placeholder's braces.
    Placeholder(&'t str),
}

/// The parts of a string of a statement: `{name}` is a placeholder, `{{` and `}}` are braces, and `${name}` is a policy variable.
pub(crate) fn statement_parts(text: &str) -> Vec<StatementPart<'_>> {
    let mut parts = Vec::new();
    let (mut rest, mut start) = (text, 0);
    fn text_to<'t>(text: &'t str, parts: &mut Vec<StatementPart<'t>>, from: usize, to: usize) {
        if from < to {
            parts.push(StatementPart::Text(&text[from..to]));
        }
    }
    while let Some(found) = rest.find(['{', '}']) {
        let at = text.len() - rest.len() + found;
        let here = &text[at..];
        let is_double = here.starts_with("{{") || here.starts_with("}}");
        let end = here.find('}').map(|end| at + end);
        let is_variable = text[start..at].ends_with('$') && here.starts_with('{');
        let next = match end {
            // of a variable all is text
            Some(end) if is_variable => end + 1,
            _ if is_double => {
                text_to(text, &mut parts, start, at + 1);
                start = at + 2;
                start
            }
            Some(end) if here.starts_with('{') => {
                text_to(text, &mut parts, start, at);
                parts.push(StatementPart::Placeholder(&text[at + 1..end]));
                start = end + 1;
                start
            }
            _ => at + 1,
        };
        rest = &text[next..];
    }
    text_to(text, &mut parts, start, text.len());
    parts
}

/// The names in the placeholders of a string of a statement.
pub(crate) fn placeholders_of_statement(text: &str) -> impl Iterator<Item = &str> {
    statement_parts(text).into_iter().filter_map(|part| match part {
        StatementPart::Placeholder(name) => Some(name),
        StatementPart::Text(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubled_braces_are_braces_and_variables_of_iam_stay() {
        let parts = |text| {
            let one = |part| match part {
                StatementPart::Text(text) => format!("{text:?}"),
                StatementPart::Placeholder(name) => format!("<{name}>"),
            };
            statement_parts(text).into_iter().map(one).collect::<Vec<_>>().join(" ")
        };
        for (text, expected) in [
            ("plain", r#""plain""#),
            ("{region}/x", r#"<region> "/x""#),
            ("a{{b}}c", r#""a{" "b}" "c""#),
            ("{{region}}", r#""{" "region}""#),
            ("${aws:username}/{region}", r#""${aws:username}/" <region>"#),
            ("{{{region}}}", r#""{" <region> "}""#),
            ("open {", r#""open {""#),
            ("shut }", r#""shut }""#),
            ("", ""),
        ] {
            assert_eq!(parts(text), expected, "{text}");
        }
    }
}
