//! `guardrails`: policies of the organization around what logmap makes. Vocabulary only.

use crate::{record, source::Spanned};

record! {
    /// Who may change what logmap makes: policies of the organization, and a rule for templates.
    Guardrails "`guardrails`" {
        /// Name of the role, with its path if it has one, that runs in each account what logmap renders. It, and nobody else, may change log
        /// buckets, trails, alerts, and the logging of sources that logmap sets.
        [required "write `deployer:` and the name of a role, such as `logmap-deployer`"] deployer: String,
            { "pattern": ROLE, "examples": ["logmap-deployer"] };
        /// Names of further roles that may, such as one for emergencies. `*` stands for any text.
        exempt: Vec<Spanned<String>>, { "items": { "type": "string", "pattern": ROLES, "examples": ["break-glass"] }, "examples": [["break-glass", "aws-reserved/sso.amazonaws.com/*/AWSReservedSSO_Break_*"]] };
    }
}

/// The name of a role, with a path.
const ROLE: &str = "^[A-Za-z0-9+=,.@_-][A-Za-z0-9+=,.@_/-]*$";
/// The same, and `*` in it.
const ROLES: &str = "^[A-Za-z0-9+=,.@_*-][A-Za-z0-9+=,.@_*/-]*$";
