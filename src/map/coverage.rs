//! `coverage`: which buckets are left out of the map on purpose. Vocabulary only.

use crate::{record, source::Spanned};

record! {
    /// What `drift --coverage` says of buckets that the map does not know.
    BucketCoverage "`coverage`" {
        /// Buckets that are left out on purpose, each with the reason.
        ignore: Vec<Spanned<IgnoredBuckets>>, { "examples": [[{ "buckets": ["cdk-*-assets-*"], "reason": "build artefacts, no data" }]] };
    }
}

record! {
    /// Buckets that are left out on purpose.
    IgnoredBuckets "an entry of `ignore`" {
        /// Their names; `*` stands for any characters and `?` for one.
        [required "write `buckets:` and a list of names, in which `*` and `?` are wildcards"]
        buckets: Vec<Spanned<String>>, { "examples": [["cdk-*-assets-*"]] };
        /// Why, for whoever reviews the map.
        [required "write `reason:` and why these buckets are left out"]
        reason: String, { "pattern": r"\S", "examples": ["build artefacts, no data"] };
    }
}
