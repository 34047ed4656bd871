//! Modules that roots call: one for each Region, without providers and backend, and an example of a root for the account.
//!
//! Import blocks are the root's: in a module OpenTofu and older versions of Terraform refuse them, Terraform 1.15 passes over them and
//! plans to create what exists, and only later ones take them (hashicorp/terraform#38352, opentofu/opentofu#1914). So the example has them.
//! `removed` works in any module, with addresses of its own.

use super::{
    Module, label,
    module::{Import, StateContext},
    moved::MovesContext,
    names::file_stem,
};
use crate::{
    artifacts::Artifact,
    plan::Placement,
    render::{Sink, engine::Engine},
    tables::Catalog,
};
use anyhow::Result;
use serde::Serialize;

/// How addresses of a Region's module begin, if its root calls it as the example does.
pub(crate) fn called_module(region: &str) -> String {
    format!("module.logs_{}.", label(region))
}

/// Contract of `terraform/here.tf`.
#[derive(Debug, Serialize)]
struct HereContext {
    /// Lines for the head of the file, without comment marks.
    header: Vec<String>,
    /// Twelve digits.
    account_id: String,
    /// Region name.
    region: String,
    /// Attribute of the data source `aws_region` that has the name: `region` with provider 6, `name` with 5.
    region_attribute: &'static str,
    /// What is said where the provider is another account's.
    wrong_account: String,
    /// What is said where the provider is another Region's.
    wrong_region: String,
}

/// Contract of `terraform/root.tf`, an example.
#[derive(Debug, Serialize)]
struct RootContext {
    /// Lines for the head of the file, without comment marks.
    header: Vec<String>,
    /// Key of the account.
    account_key: String,
    /// Twelve digits.
    account_id: String,
    /// AWS CLI profile, or empty.
    profile: String,
    /// Role to assume, or empty.
    role_arn: String,
    /// Constraint on Terraform and OpenTofu.
    required_version: &'static str,
    /// What asks for that version, for a comment.
    required_version_reason: &'static str,
    /// Constraint on the AWS provider.
    provider_version: &'static str,
    /// Where the state is kept.
    state: StateContext,
    /// The Regions with a module.
    regions: Vec<CalledRegion>,
    /// The import blocks.
    imports: Vec<Import>,
    /// True if resources are forgotten that a root module made with its default provider, which it takes to forget them.
    forgets_in_root: bool,
    /// What was at other addresses before the layout changed, and moves here; nothing if it did not.
    moves: MovesContext,
    /// Labels of the Regions whose outputs the root passes on.
    outputs: Vec<String>,
}

/// A Region with a module.
#[derive(Debug, Serialize)]
struct CalledRegion {
    /// Region name.
    name: String,
    /// The Region as an identifier: alias of the provider, end of the module's name.
    label: String,
    /// Path of the module from the account's folder.
    source: String,
    /// True if the map no longer has it.
    is_gone: bool,
}

impl Module<'_> {
    pub(super) fn render_called(&self, engine: &Engine, catalog: Option<&Catalog<'_>>, sink: &mut Sink) -> Result<()> {
        let folder = format!("terraform/{}", self.account.key);
        for region in self.regions() {
            let placement = self.account.placements.iter().find(|placement| placement.region == region);
            let part = self.of_region(region, placement);
            let folder = format!("{folder}/{}", file_stem(region));
            let mut put = |name: &str, text: String| sink(Artifact::file(format!("{folder}/{name}"), text));
            let placements = placement.map_or(&[][..], std::slice::from_ref);
            put("versions.tf", engine.render("terraform/versions.tf", &part.versions(placements, StateContext::default()))?)?;
            put("here.tf", engine.render("terraform/here.tf", &part.here(region))?)?;
            if let Some(placement) = placement {
                part.files_of(placement, ("main.tf", "athena.tf"), engine, catalog, &mut put)?;
                if let Some(catalog) = catalog {
                    part.central_of(Some(region), engine, catalog, &mut put)?;
                }
            }
            if part.forgets() {
                put("removed.tf", engine.render("terraform/removed.tf", &part.removed())?)?;
            }
            put("outputs.tf", engine.render("terraform/outputs.tf", &part.outputs(placements)?)?)?;
        }
        let text = engine.render("terraform/root.tf", &self.root(catalog))?;
        sink(Artifact::file(format!("{folder}/root.tf.example"), text))
    }

    /// What is about one Region alone: nothing that happens in another one changes a file of its module.
    fn of_region(&self, region: &str, placement: Option<&Placement>) -> Self {
        let mut part = self.clone();
        part.retired.retain(|entry| entry.region == region);
        part.retired_trails.retain(|entry| entry.region == region);
        let digest = placement.map(|placement| self.cx.digests.placement(self.account, placement));
        let slice = (&self.account.id, region, digest, &self.cx.plan().render, &part.retired, &part.retired_trails);
        part.header = self.cx.header(&slice);
        part
    }

    fn here(&self, region: &str) -> HereContext {
        let id = &self.account.id;
        let call = "pass the provider of that one: providers = { aws = aws.ALIAS }.";
        HereContext {
            header: self.header.clone(),
            account_id: id.clone(),
            region: region.to_owned(),
            region_attribute: if self.cx.plan().render.aws_provider >= 6 { "region" } else { "name" },
            wrong_account: format!("This module is made for account {id}, and the provider is of another account; {call}"),
            wrong_region: format!("This module is made for the Region {region}, and the provider is of another Region; {call}"),
        }
    }

    fn root(&self, catalog: Option<&Catalog<'_>>) -> RootContext {
        let placements = &self.account.placements;
        let (required_version, required_version_reason, provider_version) = self.constraints(placements);
        let regions = self.regions().into_iter().map(|region| CalledRegion {
            name: region.to_owned(),
            label: label(region),
            source: format!("./{}", file_stem(region)),
            is_gone: !placements.iter().any(|placement| placement.region == region),
        });
        RootContext {
            header: self.header.clone(),
            account_key: self.account.key.clone(),
            account_id: self.account.id.clone(),
            profile: self.account.profile.clone().unwrap_or_default(),
            role_arn: self.account.role_arn.clone().unwrap_or_default(),
            required_version,
            required_version_reason,
            provider_version,
            state: self.state(),
            regions: regions.collect(),
            imports: self.imports().imports,
            forgets_in_root: self.forgets_elsewhere(),
            moves: self.moves(catalog),
            outputs: placements.iter().map(|placement| label(&placement.region)).collect(),
        }
    }
}
