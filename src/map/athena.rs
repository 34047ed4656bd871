//! `athena`: one account from which the logs of all are asked. Vocabulary only.

use super::names::region_value;
use crate::{record, source::Spanned};

record! {
    /// One place to ask: an account that reads the logs of all accounts and Regions of its partition with Athena.
    Athena "`athena`" {
        /// Key of the account that asks. The policies of the log buckets of the others let it read, and nothing else.
        [required "write `central:` and the key of an account, such as `central: security`"] central: String, { "pattern": super::ACCOUNT_KEY, "examples": ["security"] };
        /// Region with its database, workgroup and results; by default the account's first one with a log bucket.
        region: String, { "anyOf": region_value(), "examples": ["us-east-1"] };
        /// Roles of that account that may read: names, with their path if they have one, or ARNs; `*` stands for any text. Without them the account
        /// may, and its own policies say who.
        readers: Vec<Spanned<String>>, { "items": { "type": "string", "pattern": READER, "examples": ["auditor"] }, "examples": [["auditor", "aws-reserved/sso.amazonaws.com/*/AWSReservedSSO_Audit_*"]] };
        /// Name of the bucket for results of queries, which is made for them. Without it `{org}-athena-{account_id}-{region}`.
        result_bucket: String, { "examples": ["acme-athena-results"] };
        /// Days after which results of queries are deleted.
        result_days: u32, { "minimum": 1, "default": 30, "examples": [7] };
        /// Gigabytes that one query may scan; Athena ends one that would scan more.
        scan_limit_gb: u32, { "minimum": 1, "default": 100, "examples": [500] };
    }
}

/// A role's name with a path, or its ARN, and `*` in it.
const READER: &str = "^(arn:[a-z-]+:iam::[0-9]{12}:role/)?[A-Za-z0-9+=,.@_*-][A-Za-z0-9+=,.@_*/-]*$";
