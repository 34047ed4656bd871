//! The policy of a log bucket as it stands, asked the same questions as the one that is derived: is every delivery let in, and who else?

use super::{Out, subject::Subject};
use crate::{
    aws::Partition,
    catalog::live::{POLICY_ADMITS, POLICY_DIFFERS, POLICY_REFUSES},
    changes::{self, StatementChange, StatementKind},
    compare::example,
    diagnostics::{Finding, few},
    document::Node,
    escape::shown,
    observed::policy::{self as written, Plain},
    plan::prove::{self, Admitted, Failure, Kind, Proof},
    policy::{Element, Policy, Principal, evaluate::witness::Witness},
    snapshot::Reading,
    source::FileId,
};

/// A policy as an account has it; nothing if it can't be read whole.
pub(super) fn read(node: &Node, file: FileId) -> Option<Policy> {
    let text = crate::snapshot::text(Some(node)).unwrap_or_default();
    let document = written::parse(text, Plain { file, inside: Some(node.span) }, None);
    (!document.partly_unknown && !document.doubled).then_some(document.policy)
}

/// Do two policies say the same?
pub(super) fn are_alike(live: Policy, wanted: &Policy, partition: Partition) -> bool {
    changes::statements(&plain(live, partition.id()), &plain(wanted.clone(), partition.id())).is_empty()
}

/// Statements that a message tells of.
const MOST: usize = 4;

pub(super) fn check(subject: &Subject<'_>, reading: Reading<'_>, out: &mut Out<'_>) {
    let Some(node) = reading.at(&["Policy"]) else {
        // no policy lets nobody in; of an answer without one nothing is known
        if matches!(reading, Reading::Nothing) {
            let message = format!("`{}` has no policy, so that no log is let in", subject.bucket.name);
            out.found(subject.finding(&POLICY_REFUSES, message));
        } else {
            out.unread.note(&subject.place.account.key, &subject.place.placement.region, &subject.bucket.name, "policy", None);
        }
        return;
    };
    let Some(live) = read(node, subject.place.live.file) else {
        let message =
            format!("the policy of `{}` can't be read whole, so that it is not known whom it lets in", subject.bucket.name);
        out.found(subject.finding(&POLICY_DIFFERS, message));
        return;
    };
    let partition = subject.place.account.partition.id();
    let (live, wanted) = (plain(live, partition), plain(subject.bucket.policy.clone(), partition));
    let differences = changes::statements(&live, &wanted);
    if differences.is_empty() && live.version == wanted.version {
        return;
    }
    let before = out.on_map.len();
    judge(subject, &live, out);
    if out.on_map.len() == before {
        let words = if differences.is_empty() {
            "it is of another version of the policy language".to_owned()
        } else {
            tell(&differences)
        };
        let message = format!("the policy of `{}` is not the map's: {words}", subject.bucket.name);
        out.found(subject.finding(&POLICY_DIFFERS, message));
    } else if let Some(finding) = out.on_map.get_mut(before).filter(|_| !differences.is_empty()) {
        finding.label = tell(&differences);
    }
}

/// Whom the policy refuses, and whom it lets in.
fn judge(subject: &Subject<'_>, live: &Policy, out: &mut Out<'_>) {
    let place = subject.place;
    let partition = place.account.partition.id();
    let ours = prove::Subject::of(place.account, place.placement, subject.bucket);
    let proof = prove::prove(&prove::Subject { policy: live, of_placements: place.of_placements, ..ours });
    let rows = |refuses: bool| proof.rows.iter().filter(move |row| is_need(row.kind) == refuses).flat_map(|row| &row.failures);
    let refused: Vec<(&Failure, Option<&Witness>)> = rows(true).map(|failure| (failure, shown_by(failure))).collect();
    if let Some((first, _)) = refused.iter().find(|(_, witness)| witness.is_some()).or(refused.first()) {
        let (sure, unclear): (Vec<_>, Vec<_>) = refused.iter().partition(|(_, witness)| witness.is_some());
        let (rule, count, doubt) = if sure.is_empty() {
            (&POLICY_DIFFERS, unclear.len(), " perhaps: it turns on what AWS does not document of a delivery")
        } else {
            (&POLICY_REFUSES, sure.len(), "")
        };
        let more = if count > 1 { format!(", and {} more like it", count - 1) } else { String::new() };
        let message = format!("by the policy that is there, {}{doubt}{more}", first.what);
        out.found(with_example(subject.finding(rule, message), sure.first().and_then(|(_, witness)| *witness)));
    }
    let let_in: Vec<(&Failure, Option<&Witness>)> =
        rows(false).map(|failure| (failure, shown_by(failure))).filter(|(_, witness)| witness.is_some()).collect();
    if let Some((first, witness)) = let_in.first() {
        let more = if let_in.len() > 1 { format!(", and {} more like it", let_in.len() - 1) } else { String::new() };
        let message = format!("by the policy that is there, {}{more}", first.what);
        out.found(with_example(subject.finding(&POLICY_ADMITS, message), *witness));
    }
    for one in named_beside(&proof, &subject.bucket.proof, partition) {
        let sid =
            if one.sid.is_empty() { "a statement without a Sid".to_owned() } else { format!("`{}`", shown::line(&one.sid)) };
        let message = format!(
            "the policy of `{}` lets in {} with {}, by {sid}, which the map does not have",
            subject.bucket.name,
            shown::line(&few(&one.who, 3)),
            shown::line(&few(&one.actions, 3)),
        );
        out.found(subject.finding(&POLICY_ADMITS, message));
    }
}

/// Claims that say who has to get in.
fn is_need(kind: Kind) -> bool {
    matches!(kind, Kind::SourcesWrite | Kind::TrailsWrite | Kind::SendersWrite | Kind::ReadersRead | Kind::OwnerNotLockedOut)
}

/// A request that shows a failure.
fn shown_by(failure: &Failure) -> Option<&Witness> {
    failure.statements.iter().find_map(|blamed| blamed.witness.as_ref()).or(failure.refused.as_deref())
}

fn with_example(finding: Finding, witness: Option<&Witness>) -> Finding {
    finding.example(witness.map(example))
}

/// Whom statements name that the map does not have.
fn named_beside<'p>(live: &'p Proof, wanted: &'p Proof, partition: &'p str) -> impl Iterator<Item = &'p Admitted> {
    let who = move |one: &Admitted| {
        one.who.iter().map(|name| root_of(name, partition).unwrap_or_else(|| name.clone())).collect::<Vec<_>>()
    };
    let same = move |one: &Admitted, other: &Admitted| (who(one), &one.actions) == (who(other), &other.actions);
    live.admitted.iter().filter(move |one| !wanted.admitted.iter().any(|other| same(one, other)))
}

/// The differences in words, as seen from the map.
fn tell(differences: &[StatementChange]) -> String {
    let one = |change: &StatementChange| {
        let sid = if change.sid.is_empty() {
            format!("{} without a Sid", change.effect)
        } else {
            format!("`{}`", shown::line(&change.sid.replace('`', "'")))
        };
        match change.change {
            StatementKind::Added => format!("{sid} is missing"),
            StatementKind::Removed => format!("{sid} is beside it"),
            StatementKind::Changed => {
                let elements: Vec<&str> = change.elements.iter().map(|element| element.element.as_str()).collect();
                format!("{sid} differs in {}", shown::line(&few(&elements, 3)))
            }
        }
    };
    let all: Vec<String> = differences.iter().map(one).collect();
    crate::text::few(&all, MOST)
}

/// What S3 gives back for an account's id.
fn root_of(name: &str, partition: &str) -> Option<String> {
    crate::aws::limits::is_account_id(name).then(|| format!("arn:{partition}:iam::{name}:root"))
}

/// A policy as it is compared: S3 gives an account's id back as the ARN of its root, and everybody as `*` in either form.
fn plain(mut policy: Policy, partition: &str) -> Policy {
    for statement in &mut policy.statements {
        let (Element::Is(principal) | Element::IsNot(principal)) = &mut statement.principal;
        let Principal::Kinds(kinds) = principal else { continue };
        for name in kinds.get_mut("AWS").into_iter().flatten() {
            if let Some(root) = root_of(name, partition) {
                *name = root;
            }
        }
        if kinds.len() == 1 && kinds.get("AWS").is_some_and(|names| names.iter().any(|name| name == "*")) {
            *principal = Principal::Any;
        }
    }
    policy
}
