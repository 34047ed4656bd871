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
