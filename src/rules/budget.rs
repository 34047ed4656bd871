//! Rules on the policy budget, and what the report of a composed policy tells the reader of the map.

use crate::{
    aws::limits::{BUCKET_POLICY_BYTES, BUCKET_POLICY_WARN_BYTES},
    diagnostics::Finding,
    map::PolicyScope,
    policy::compose::{Cause, Overflow, PolicyReport},
    rule_family,
    source::{Span, Spanned},
};

rule_family! {
    since "0.1.0";
    POLICY_SIZE = "LM0401" "policy-size" Error Map blocking: "a bucket policy does not fit into 20,480 bytes";
    POLICY_NEARLY_FULL = "LM0402" "policy-nearly-full" Warning Map: "a bucket policy is nearly full";
    POLICY_WIDENED = "LM0403" "policy-widened" Info Map: "a grant is wider than exact names, because those do not fit";
}

/// Reports a policy that fits: nearly full, or wider than exact names.
pub(crate) fn report_fit(
    bucket: &str,
    report: &PolicyReport,
    region: Span,
    scope: Spanned<PolicyScope>,
    has_extra: bool,
    findings: &mut Vec<Finding>,
) {
    if report.bytes_used > BUCKET_POLICY_WARN_BYTES && (scope.value == PolicyScope::Buckets || has_extra) {
        findings.push(
            Finding::new(
                &POLICY_NEARLY_FULL,
                region,
                format!(
                    "the policy of `{bucket}` has {} bytes; {} are left of {BUCKET_POLICY_BYTES}",
                    report.bytes_used, report.bytes_left
                ),
            )
            .help("with `policy_scope: auto` exact names give way to the tightest patterns that fit when more sources come"),
        );
    }
    if !report.notes.is_empty() {
        findings.push(Finding::new(&POLICY_WIDENED, region, format!("the policy of `{bucket}` is wider than exact names: {}", report.notes.join("; "))).help(
            "`aws:SourceAccount` still keeps other accounts out; fewer sources, or an organization trail, make exact names fit",
        ));
    }
}

/// Reports that the map adds more statements to a policy than any policy holds.
pub(crate) fn report_too_many(bucket: &str, most: usize, region: Span, extra: Option<Span>, findings: &mut Vec<Finding>) {
    let message =
        format!("the policy of `{bucket}` would have more than {most} extra statements; {BUCKET_POLICY_BYTES} bytes are allowed");
    let finding = Finding::new(&POLICY_SIZE, region, message).help(SHORTEN);
    findings.push(extra.into_iter().fold(finding, |finding, span| finding.related(span, "these statements take the room")));
}

/// Reports that the map adds so many statements to so many policies that they are not composed.
pub(crate) fn report_too_many_in_all(most: usize, account: Span, findings: &mut Vec<Finding>) {
    findings.push(
        Finding::new(&POLICY_SIZE, account, format!("up to here the map adds more than {most} statements to its policies"))
            .help("list fewer `extra_statements`, or split the map"),
    );
}

const SHORTEN: &str = "shorten the extra statements, or move them to a policy of the readers' roles";

/// Reports a policy that does not fit.
pub(crate) fn report_overflow(
    bucket: &str,
    overflow: &Overflow,
    region: Span,
    scope: Spanned<PolicyScope>,
    extra: Option<Span>,
    findings: &mut Vec<Finding>,
) {
    let message = format!("the policy of `{bucket}` would have {} bytes; {BUCKET_POLICY_BYTES} are allowed", overflow.bytes);
    findings.push(match overflow.what {
        Cause::Sources => Finding::new(&POLICY_SIZE, region, message)
            .related(scope.span, "`buckets` asks for the exact name of every source")
            .help("write `policy_scope: auto`, which names as many exactly as fit, or `account`"),
        Cause::Extra => {
            let finding = Finding::new(&POLICY_SIZE, region, message).help(SHORTEN);
            extra.into_iter().fold(finding, |finding, span| finding.related(span, "these statements take the room"))
        }
        Cause::Readers => Finding::new(&POLICY_SIZE, region, message)
            .help("name fewer roles in `athena.readers`, or none: the account's own policies say who reads, then"),
        Cause::Senders => Finding::new(&POLICY_SIZE, region, message).help(
            "let fewer accounts' services write here: `accounts` of a sender names them, and without it each log bucket takes those of its own account",
        ),
        Cause::Copies => Finding::new(&POLICY_SIZE, region, message).help(
            "write `organization.id`, so that the roles of the whole organization can be admitted, or name fewer accounts under `central.only`",
        ),
        Cause::Deliveries => Finding::new(&POLICY_SIZE, region, message).help(
            "name fewer accounts under `central.only`: deliveries are admitted by a list of accounts, because AWS does not say that they tell their organization",
        ),
        Cause::Trails => Finding::new(&POLICY_SIZE, region, message).help(
            "use one organization trail instead of a trail in each account (`scope: organization`): its grant has the same size for any number of accounts",
        ),
    });
}
