//! The account that asks the logs of all: `terraform/central.tf`, a file of its own in its module.

use super::{Module, label};
use crate::{
    aws::limits::ABORT_UPLOAD_AFTER_DAYS,
    plan::central::{Central, DATABASE},
    policy::Policy,
    render::{
        athena::GlueTable,
        central::{Asking, CentralQuestion, CentralView},
        scanners::{RESULTS, RESULTS_OF_TERRAFORM, Scanner, Skip, skips},
    },
};
use indexmap::IndexMap;
use serde::Serialize;

/// Contract of `terraform/central.tf`, and of `terraform/where.tf`, which it includes in each resource.
#[derive(Debug, Serialize)]
pub(crate) struct CentralContext<'a> {
    /// Lines for the head of the file, without comment marks.
    pub header: Vec<String>,
    /// True with provider 6: resources name their Region. False with provider 5: they name the provider `region_label`.
    pub region_per_resource: bool,
    /// True in a module that a root calls: resources name neither, and they wait for the check of `terraform/here.tf`.
    pub is_called: bool,
    /// Key of the account.
    pub account_key: &'a str,
    /// Twelve digits.
    pub account_id: &'a str,
    /// Region name.
    pub region: &'a str,
    /// The Region as an identifier: alias of the provider.
    pub region_label: String,
    /// Name of the bucket for results.
    pub bucket: &'a str,
    /// Its label.
    pub bucket_label: String,
    /// Its policy.
    pub policy: &'a Policy,
    /// Checkov's checks that do not fit it.
    pub checkov_bucket: Vec<Skip>,
    /// Trivy's checks that do not fit it.
    pub trivy_bucket: Vec<Skip>,
    /// The same of its encryption.
    pub trivy_encryption: Vec<Skip>,
    /// Days after which results are deleted.
    pub result_days: u32,
    /// Days after which the parts of an unfinished upload are.
    pub abort_upload_after_days: u32,
    /// Bytes that one query may scan.
    pub scan_limit_bytes: u64,
    /// Name of the workgroup.
    pub workgroup: &'static str,
    /// Name of the database.
    pub database: &'static str,
    /// Tags of what is made; tables and saved queries have none.
    pub tags: IndexMap<String, String>,
    /// The tables.
    pub tables: Vec<GlueTable<'a>>,
    /// The views.
    pub views: Vec<CentralView<'a>>,
    /// The questions.
    pub questions: Vec<CentralQuestion<'a>>,
    /// What is left out, as sentences.
    pub left_out: &'a [String],
}

impl Module<'_> {
    pub(super) fn central<'a>(&self, central: &'a Central, asking: &'a Asking<'_>, policy: &'a Policy) -> CentralContext<'a> {
        let mut context = CentralContext {
            header: Vec::new(),
            region_per_resource: self.region_per_resource(),
            is_called: self.is_called(),
            account_key: &central.account.key,
            account_id: &central.account.id,
            region: &central.region,
            region_label: label(&central.region),
            bucket: &central.result_bucket,
            bucket_label: label(&central.result_bucket),
            policy,
            checkov_bucket: skips(Scanner::Checkov, RESULTS_OF_TERRAFORM, &[]),
            trivy_bucket: skips(Scanner::Trivy, RESULTS_OF_TERRAFORM, &[]),
            trivy_encryption: skips(Scanner::Trivy, RESULTS, &[]),
            result_days: central.result_days,
            abort_upload_after_days: ABORT_UPLOAD_AFTER_DAYS,
            scan_limit_bytes: central.scan_limit_bytes,
            workgroup: asking.workgroup(),
            database: DATABASE,
            tags: self.cx.plan().render.tags.clone(),
            tables: asking.tables().map(|(_, name, shape)| GlueTable::new(format!("central_{name}"), name, shape)).collect(),
            views: asking.views.iter().map(|view| CentralView::new(format!("central_{}", view.name), view)).collect(),
            questions: asking.questions.iter().map(|one| CentralQuestion::new(format!("central_{}", one.key), one)).collect(),
            left_out: &asking.left_out,
        };
        context.header = self.cx.header(&context);
        context
    }
}
