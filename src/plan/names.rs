//! Names of log buckets: templates filled in and judged. And the ARN of the role of an account.

use crate::{
    aws::{Partition, arn, bucket_name, region},
    diagnostics::Finding,
    map::{
        effective,
        placeholders::{NamePlaceholder, placeholders_in},
    },
    rules::naming::{ACCOUNT_REGIONAL, LOG_BUCKET_DOTS, LOG_BUCKET_NAME, PLACEHOLDER, unknown_placeholder},
    source::{Span, Spanned},
};

/// ARN of the role with which an account is deployed to, if the map names one by its name or ARN.
pub(super) fn role_arn(account: &effective::Account<'_>, partition: Partition) -> Option<String> {
    let role = account.role?;
    Some(if role.starts_with("arn:") { role.value.clone() } else { arn::role(partition, account.id, role) })
}

/// Values of the placeholders in a name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NameValues<'a> {
    /// `{org}`, if the map has one.
    pub organization: Option<&'a str>,
    /// `{account}`.
    pub account: &'a str,
    /// `{account_id}`.
    pub account_id: &'a str,
    /// `{region}`.
    pub region: &'a str,
    /// `{partition}`.
    pub partition: Partition,
    /// Span of the Region's name, or of the trail that brings it in.
    pub span: Span,
}

/// Fills in a template and checks the name. `None` if the template can't be filled in, which has been reported.
pub(crate) fn derive(
    template: Spanned<&str>,
    settings: &effective::Settings<'_>,
    adopted: bool,
    values: &NameValues<'_>,
    findings: &mut Vec<Finding>,
) -> Option<String> {
    let name = if adopted { template.value.to_owned() } else { fill(template, values, findings)? };
    let name = match settings.account_regional {
        Some(span) if !adopted => {
            if region::WITHOUT_ACCOUNT_REGIONAL.contains(&values.region) {
                findings.push(
                    Finding::new(
                        &ACCOUNT_REGIONAL,
                        values.span,
                        format!("`{}` has no account regional namespace", values.region),
                    )
                    .related(span, "it is asked for here")
                    .help("write `namespace: global` for this Region"),
                );
            }
            name + &bucket_name::account_regional_suffix(values.account_id, values.region)
        }
        _ => name,
    };
    let origin = if adopted { "adopted" } else { "derived" };
    if let Some(problem) = bucket_name::problem(&name) {
        let help = if adopted && name.contains('{') {
            "the name of an adopted bucket is taken as it stands: write it out, under its own Region"
        } else if adopted && values.region == "us-east-1" && bucket_name::could_be_legacy(&name) {
            "there are such buckets from before March 2018, but CloudFormation and virtual-hosted addresses refuse their names; let logmap derive a new log bucket, and keep the old one for its old logs"
        } else if adopted {
            "S3 has no bucket of this name; look for a typing mistake"
        } else if name.len() > bucket_name::MAX_LEN {
            "S3 would not create it; a shorter name leaves room for account id and Region, which take up to 28 characters"
        } else {
            "S3 would not create a bucket of this name"
        };
        let mut finding =
            Finding::new(&LOG_BUCKET_NAME, template.span, format!("the {origin} log bucket name `{name}` {problem}")).help(help);
        if values.span != template.span {
            finding = finding.related(values.span, format!("for `{}` of `{}`", values.region, values.account));
        }
        findings.push(finding);
    } else if let Some((id, region)) = bucket_name::account_regional(&name)
        && (id, region) != (values.account_id, values.region)
    {
        findings.push(
            Finding::new(&ACCOUNT_REGIONAL, template.span, format!("`{name}` belongs to account `{id}` in `{region}`"))
                .related(values.span, format!("it would take logs of `{}` of `{}`", values.region, values.account))
                .help("a log bucket must be in the account and Region of its sources"),
        );
    } else if settings.account_regional.is_none() && !adopted && name.ends_with("-an") {
        findings.push(
            Finding::new(&ACCOUNT_REGIONAL, template.span, format!("the derived log bucket name `{name}` ends with `-an`"))
                .help("that ending is for the account regional namespace: write `namespace: account-regional`, or end the name otherwise"),
        );
    } else if name.contains('.') {
        findings.push(
            Finding::new(&LOG_BUCKET_DOTS, template.span, format!("the log bucket name `{name}` has dots"))
                .help("the TLS certificate of virtual-hosted addresses does not cover such names; use hyphens"),
        );
    }
    Some(name)
}

fn fill(template: Spanned<&str>, values: &NameValues<'_>, findings: &mut Vec<Finding>) -> Option<String> {
    let before = findings.len();
    for name in placeholders_in(template.value) {
        if let Some(finding) = unknown_placeholder(name, template) {
            findings.push(finding);
        } else if name == "org" && values.organization.is_none() {
            findings.push(
                Finding::new(
                    &PLACEHOLDER,
                    template.span,
                    format!("the log bucket name `{}` needs `organization.name`", template.value),
                )
                .label("the log bucket's name comes from here, or from the default")
                .help("write `organization: { name: … }`, or give `log_bucket.name` without `{org}` under `defaults`"),
            );
        }
    }
    // a malformed `{org}` has been reported at its own place
    let malformed = template.value.contains("{org}") && values.organization.is_some_and(|name| !effective::is_org_name(name));
    if malformed || findings.len() > before {
        return None;
    }
    let fill = |name: String, placeholder: &NamePlaceholder| {
        name.replace(&format!("{{{}}}", placeholder.name()), values.value(*placeholder))
    };
    Some(NamePlaceholder::ALL.iter().fold(template.value.to_owned(), fill))
}

impl<'a> NameValues<'a> {
    fn value(&self, placeholder: NamePlaceholder) -> &'a str {
        match placeholder {
            NamePlaceholder::Org => self.organization.unwrap_or_default(),
            NamePlaceholder::Account => self.account,
            NamePlaceholder::AccountId => self.account_id,
            NamePlaceholder::Region => self.region,
            NamePlaceholder::Partition => self.partition.id(),
        }
    }
}
