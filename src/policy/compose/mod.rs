//! Composing: what may write to a log bucket → its policy, within the byte budget.
//!
//! Each grant is as tight as the budget allows; the forms are tried from the tightest to the widest, in a fixed order, and the report says which was
//! taken. Sources: S3 user guide "Enabling server access logging"; CloudTrail user guide "Amazon S3 bucket policy for
//! CloudTrail" and "Setting bucket policy for multiple accounts".

mod access;
mod report;
mod statements;

use super::{Policy, Statement};
use crate::aws::{Partition, Sender, limits::BUCKET_POLICY_BYTES};
use access::access_forms;
pub use report::{PolicyReport, Tier};
pub(crate) use statements::{COPIES, DELIVERIES, READER_ACTIONS, READER_SID};
use statements::{
    copy_statement, deny_insecure_transport, reader_statement, sender_statements, trail_statements, vended_statements,
};
use std::collections::{BTreeMap, BTreeSet};

/// Everything that may write to one log bucket.
#[derive(Debug, Clone)]
pub struct Grants<'a> {
    /// Name of the log bucket.
    pub bucket: &'a str,
    /// Partition of the bucket.
    pub partition: Partition,
    /// Its account's id.
    pub account_id: &'a str,
    /// Key prefix → names of the sources that use it.
    pub sources: BTreeMap<&'a str, BTreeSet<&'a str>>,
    /// The trails that deliver here, in order.
    pub trails: Vec<TrailGrant>,
    /// The services that write logs of their own here, in order.
    pub senders: Vec<SenderGrant>,
    /// Whom of another account it lets read.
    pub readers: Option<ReaderGrant>,
    /// Who copies logs here, in order; with some the bucket takes nothing else.
    pub copies: &'a [CopyGrant],
    /// Id of the organization, if the map tells.
    pub organization_id: Option<&'a str>,
    /// How tightly sources are named.
    pub scope: Scope,
    /// With a TLS-only deny.
    pub deny_insecure_transport: bool,
    /// Further statements.
    pub extra: &'a [Statement],
}

/// How tightly sources are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// As tightly as fits.
    Auto,
    /// By account.
    Account,
    /// Exactly, or not at all.
    Buckets,
}

/// A trail that delivers to the bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrailGrant {
    /// ARN of the trail.
    pub arn: String,
    /// The account that owns it.
    pub account_id: String,
    /// `prefix/` or empty.
    pub prefix: String,
    /// Id of the organization, for an organization trail.
    pub organization: Option<String>,
    /// True if it records in every Region.
    pub multi_region: bool,
}

/// A service that writes logs of its own to the bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SenderGrant {
    /// Which one.
    pub sender: Sender,
    /// `prefix/` or empty.
    pub prefix: String,
    /// The bucket's Region.
    pub region: String,
    /// Ids of the accounts for which it writes, in order.
    pub accounts: Vec<String>,
}

/// Another account that reads the logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReaderGrant {
    /// The account's id.
    pub account_id: String,
    /// ARNs of its roles that may, with `*` for any text; empty for whomever the account lets.
    pub roles: Vec<String>,
}

/// Who copies logs to the bucket: a role with which S3 does, or CloudWatch Logs for an account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CopyGrant {
    /// The account whose logs they are.
    pub account_id: String,
    /// ARN of its role; none if CloudWatch Logs delivers for it.
    pub role_arn: Option<String>,
}

/// A policy that does not fit, whatever form is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overflow {
    /// Bytes of the widest form that was tried.
    pub bytes: usize,
    /// What takes them.
    pub what: Cause,
}

/// What makes a policy too large.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// `policy_scope: buckets` with too many sources.
    Sources,
    /// Too many accounts deliver trails.
    Trails,
    /// Other services write for too many accounts.
    Senders,
    /// Roles of the account that reads.
    Readers,
    /// Statements of the map.
    Extra,
    /// Too many accounts copy logs.
    Copies,
    /// CloudWatch Logs delivers for too many accounts.
    Deliveries,
}

/// The forms of the CloudTrail grant, tightest first.
const TRAIL_FORMS: [TrailForm; 4] = [TrailForm::EachTrail, TrailForm::Lists, TrailForm::Accounts, TrailForm::AnyPath];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TrailForm {
    /// One write statement for each trail and its own path.
    EachTrail,
    /// One statement with lists of trail ARNs and paths.
    Lists,
    /// One statement with a list of accounts and their paths.
    Accounts,
    /// One statement with a list of accounts, for all of `AWSLogs/`.
    AnyPath,
}

/// The forms of the grants for other services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SenderForm {
    /// One write statement for each account.
    EachAccount,
    /// One statement with lists of accounts and paths.
    Lists,
}

/// The forms of the grant for copies, tightest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CopyForm {
    /// A list of roles.
    Roles,
    /// The organization, and the pattern of the roles' names.
    Organization,
}

/// The forms of the grant for what CloudWatch Logs delivers, tightest first.
///
/// None is bound to an organization: that `aws:SourceOrgID` comes with its requests is documented nowhere, and what a condition on a key that
/// is not there refuses is lost without a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum VendedForm {
    /// One statement for each account and its own path.
    EachAccount,
    /// One statement with lists of accounts and their paths.
    Lists,
    /// One statement with a list of accounts, for all of `AWSLogs/`.
    Accounts,
}

/// The policy of a bucket to which logs are copied.
fn compose_copies(grants: &Grants<'_>) -> Result<(Policy, PolicyReport), Overflow> {
    let mut bytes = 0;
    // only between two maps are there both
    let vended = grants.copies.iter().any(|copy| copy.role_arn.is_none());
    let by_role = grants.copies.iter().any(|copy| copy.role_arn.is_some());
    let roles: &[CopyForm] = if by_role { &[CopyForm::Roles, CopyForm::Organization] } else { &[CopyForm::Roles] };
    let deliveries: &[VendedForm] = match vended {
        true => &[VendedForm::EachAccount, VendedForm::Lists, VendedForm::Accounts],
        false => &[VendedForm::EachAccount],
    };
    for (form, delivery) in roles.iter().flat_map(|form| deliveries.iter().map(move |delivery| (*form, *delivery))) {
        let mut statements = vended_statements(grants, delivery);
        if by_role {
            let Some(statement) = copy_statement(grants, form) else { continue };
            statements.push(statement);
        }
        match with_access(grants, &statements) {
            Ok(Fitting { policy, bytes_used, tier, notes: _ }) => {
                let mut notes = Vec::new();
                if form == CopyForm::Organization {
                    notes.push("roles that copy logs are admitted by the pattern of their names in the whole organization, because the list of their ARNs does not fit");
                }
                match delivery {
                    VendedForm::EachAccount => {}
                    VendedForm::Lists => notes.push(
                        "deliveries share one statement with lists of accounts and paths, because a statement for each account does not fit",
                    ),
                    VendedForm::Accounts => notes.push(
                        "deliveries are admitted by account for any path under `AWSLogs/`, because the list of paths does not fit",
                    ),
                }
                let notes = notes.into_iter().map(str::to_owned).collect();
                return Ok((policy, PolicyReport { tier, bytes_used, bytes_left: BUCKET_POLICY_BYTES - bytes_used, notes }));
            }
            Err(many) => bytes = many,
        }
    }
    Err(Overflow { bytes, what: if by_role { Cause::Copies } else { Cause::Deliveries } })
}

/// Composes the policy of a log bucket.
///
/// # Errors
/// [`Overflow`] when no permitted form fits into 20,480 bytes.
pub fn compose(grants: &Grants<'_>) -> Result<(Policy, PolicyReport), Overflow> {
    if !grants.copies.is_empty() {
        return compose_copies(grants);
    }
    let mut overflow = None;
    let forms = if grants.trails.is_empty() { &TRAIL_FORMS[..1] } else { &TRAIL_FORMS[..] };
    let several = grants.senders.iter().any(|sender| sender.accounts.len() > 1);
    let narrow = std::iter::once((forms[0], SenderForm::EachAccount));
    for (form, senders) in narrow.chain(forms.iter().map(|form| (*form, SenderForm::Lists)).skip(usize::from(!several))) {
        let mut others = trail_statements(grants, form);
        others.extend(sender_statements(grants, if several { senders } else { SenderForm::EachAccount }));
        match with_access(grants, &others) {
            Ok(Fitting { policy, bytes_used, tier, mut notes }) => {
                notes.extend(trail_note(form));
                if several && senders == SenderForm::Lists {
                    notes.push(SENDER_NOTE.to_owned());
                }
                return Ok((policy, PolicyReport { tier, bytes_used, bytes_left: BUCKET_POLICY_BYTES - bytes_used, notes }));
            }
            Err(bytes) => overflow = Some(bytes),
        }
    }
    let bytes = overflow.unwrap_or_default();
    let fits = |grants: &Grants<'_>| {
        let mut others = trail_statements(grants, TrailForm::AnyPath);
        others.extend(sender_statements(grants, SenderForm::Lists));
        with_access(grants, &others).is_ok()
    };
    let what = if grants.scope == Scope::Buckets && fits(&Grants { scope: Scope::Auto, ..grants.clone() }) {
        Cause::Sources
    } else if !grants.extra.is_empty() && fits(&Grants { extra: &[], ..grants.clone() }) {
        Cause::Extra
    } else if grants.readers.is_some() && fits(&Grants { readers: None, ..grants.clone() }) {
        Cause::Readers
    } else if !grants.senders.is_empty() && fits(&Grants { senders: Vec::new(), ..grants.clone() }) {
        Cause::Senders
    } else {
        Cause::Trails
    };
    Err(Overflow { bytes, what })
}

/// A policy that fits.
struct Fitting {
    policy: Policy,
    bytes_used: usize,
    tier: Tier,
    notes: Vec<String>,
}

/// Puts the access-log grant in front of the rest, in the tightest form that fits; else the bytes that were too many.
fn with_access(grants: &Grants<'_>, others: &[Statement]) -> Result<Fitting, usize> {
    let assemble = |access: Vec<Statement>| {
        let mut statements = access;
        statements.extend_from_slice(others);
        statements.extend(reader_statement(grants));
        statements.extend_from_slice(grants.extra);
        if grants.deny_insecure_transport {
            statements.push(deny_insecure_transport(grants));
        }
        Policy::new(statements)
    };
    if grants.sources.is_empty() {
        let policy = assemble(Vec::new());
        let bytes_used = policy.size();
        let fits = bytes_used <= BUCKET_POLICY_BYTES;
        return if fits { Ok(Fitting { policy, bytes_used, tier: Tier::None, notes: Vec::new() }) } else { Err(bytes_used) };
    }
    let mut smallest = usize::MAX;
    for candidate in access_forms(grants, &assemble) {
        let policy = assemble(candidate.statements);
        let bytes_used = policy.size();
        if bytes_used <= BUCKET_POLICY_BYTES {
            return Ok(Fitting { policy, bytes_used, tier: candidate.tier, notes: candidate.notes });
        }
        smallest = smallest.min(bytes_used);
    }
    Err(smallest)
}

const SENDER_NOTE: &str =
    "other services are admitted by lists of accounts and paths, because a statement for each account does not fit";

fn trail_note(form: TrailForm) -> Option<String> {
    let note = match form {
        TrailForm::EachTrail => return None,
        TrailForm::Lists => {
            "the trails share one write statement with lists of ARNs and paths, because a statement for each does not fit"
        }
        TrailForm::Accounts => "trails are admitted by account and path, because the list of their ARNs does not fit",
        TrailForm::AnyPath => {
            "trails are admitted by account for any path under `AWSLogs/`, because the list of paths does not fit"
        }
    };
    Some(note.to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]
mod tests {
    use super::*;
    use crate::policy::Element;

    #[test]
    fn each_prefix_keeps_its_own_statement_when_names_are_condensed() {
        let names: Vec<String> =
            (0..600).map(|n| format!("acme-team-{:x}-assets-{n:03}", (n * 2_654_435_761_u64) % 4_294_967_291)).collect();
        let mut sources: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (at, name) in names.iter().enumerate() {
            sources.entry(["data/", "s3-access/", "web/"][at % 3]).or_default().insert(name);
        }
        let grants = Grants {
            bucket: "acme-logs",
            partition: Partition::Aws,
            account_id: "000011112222",
            sources: sources.clone(),
            trails: Vec::new(),
            senders: Vec::new(),
            readers: None,
            copies: &[],
            organization_id: None,
            scope: Scope::Auto,
            deny_insecure_transport: true,
            extra: &[],
        };
        let (policy, report) = compose(&grants).unwrap();
        assert_eq!(report.tier, Tier::Patterns);
        assert!(report.bytes_used == policy.size() && (20_400..=BUCKET_POLICY_BYTES).contains(&report.bytes_used));
        assert_eq!(policy.statements.len(), sources.len() + 1);
        for (statement, (prefix, names)) in policy.statements.iter().zip(&sources) {
            assert_eq!(statement.resource, Element::Is(vec![format!("arn:aws:s3:::acme-logs/{prefix}*")]));
            let patterns = &statement.condition["ArnLike"]["aws:SourceArn"];
            for name in names {
                let arn = format!("arn:aws:s3:::{name}");
                let covers =
                    |pattern: &&String| pattern.strip_suffix('*').map_or(**pattern == arn, |literal| arn.starts_with(literal));
                assert_eq!(patterns.iter().filter(covers).count(), 1, "{name}");
            }
        }
    }
}
