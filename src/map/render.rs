//! `render`: how the targets are to look. Vocabulary only.

use super::{
    decode::{self, Cx, Decode, Field, OneOrMany},
    setting::Settings,
};
use crate::{document::Node, record, source::Spanned, words};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::borrow::Cow;

record! {
    /// How the targets are to look.
    Render "`render`" {
        /// Terraform and OpenTofu.
        terraform: RenderTerraform, { "examples": [{ "aws_provider": 6 }] };
        /// CloudFormation.
        cloudformation: RenderCloudFormation, { "examples": [{ "source_logging": "outputs-only" }] };
        /// Athena.
        athena: RenderAthena, { "examples": [{ "glue": true }] };
    }
}

record! {
    /// How Terraform modules are to look.
    RenderTerraform "`terraform`" {
        /// Major version of the AWS provider: 6 (a Region on each resource) or 5 (an aliased provider for each Region).
        aws_provider: u32, { "enum": [5, 6], "default": 6 };
        /// An aliased provider for each Region with version 6, too: the step between version 5, which has nothing else, and a Region on
        /// each resource. Applied once, it writes each resource's Region into the state.
        aliased_providers: bool, { "default": false, "examples": [true] };
        /// What is written for an account: a root module, or a module for each of its Regions that roots of yours call.
        layout: Layout, { "default": "root" };
        /// Where the state is kept: a type of backend, and its settings.
        backend: Backend, { "examples": [{ "s3": { "bucket": "acme-terraform-state", "region": "us-east-1" } }] };
        /// Settings of the `cloud` block (HCP Terraform, Terraform Enterprise and what works like them), instead of a backend. Placeholders in
        /// strings: {account}, {account_id}, {org}, {partition}.
        cloud: Settings, { "examples": [{ "organization": "acme", "workspaces": { "name": "logmap-{account}" } }] };
    }
}

words! {
    /// What is written for an account.
    Layout {
        /// A root module with all its Regions: providers, state backend and import blocks in it, ready to be applied.
        Root = "root",
        /// A module for each Region without providers and backend, and an example of a root that calls them.
        Module = "module",
    }
}

/// The state backend: `s3`, or any other type with settings as Terraform names them.
#[derive(Debug, Clone, Default)]
pub struct Backend {
    /// The S3 backend.
    pub s3: Field<OneOrMany<S3Backend>>,
    /// Other types.
    pub others: Vec<(Spanned<String>, Spanned<Settings>)>,
}

/// Types of backends that both Terraform and OpenTofu have: they are offered, and any other word is taken.
const BACKENDS: [&str; 10] = ["azurerm", "consul", "cos", "gcs", "http", "kubernetes", "local", "oss", "pg", "remote"];

impl Decode for Backend {
    const EXPECTS: &'static str = "a mapping";

    fn decode(node: &Node, cx: &mut Cx<'_>) -> Option<Self> {
        let mut backend = Self::default();
        for entry in decode::entries::<Self>(node, &[], cx)? {
            decode::with_owner(cx, entry.key_span, &entry.key, |cx| match &*entry.key {
                "s3" => backend.s3 = decode::field(&entry.value, cx),
                other => {
                    let name = Spanned { value: other.to_owned(), span: entry.key_span };
                    backend.others.extend(decode::field(&entry.value, cx).map(|settings| (name, settings)));
                }
            });
        }
        Some(backend)
    }

    fn empty() -> Option<Self> {
        Some(Self::default())
    }
}

impl JsonSchema for Backend {
    fn schema_name() -> Cow<'static, str> {
        "Backend".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let described = |schema: Schema, text: &str, example: serde_json::Value| {
            super::schema::describe_property(schema, false, text.to_owned(), serde_json::json!({ "examples": [example] }))
        };
        let settings = generator.subschema_for::<Settings>();
        let mut types = serde_json::Map::new();
        let s3 = described(
            generator.subschema_for::<OneOrMany<S3Backend>>(),
            "S3 backend; a list when the map has several partitions. Each serves the accounts of its Region's partition.",
            serde_json::json!({ "bucket": "acme-terraform-state", "region": "us-east-1" }),
        );
        types.insert("s3".to_owned(), s3.into());
        for name in BACKENDS {
            let example = match name {
                "azurerm" => {
                    serde_json::json!({ "resource_group_name": "state", "storage_account_name": "acmestate", "container_name": "tf", "key": "logmap/{account}.tfstate" })
                }
                "consul" => serde_json::json!({ "path": "logmap/{account}" }),
                "http" => serde_json::json!({ "address": "https://state.example.com/logmap/{account}" }),
                "kubernetes" => serde_json::json!({ "secret_suffix": "logmap-{account}" }),
                "local" => serde_json::json!({ "path": "terraform.tfstate" }),
                "pg" => serde_json::json!({ "schema_name": "logmap_{account_id}" }),
                "remote" => serde_json::json!({ "organization": "acme", "workspaces": { "name": "logmap-{account}" } }),
                _ => serde_json::json!({ "bucket": "acme-terraform-state", "prefix": "logmap/{account}" }),
            };
            let about = format!("Settings of the backend `{name}`, as Terraform names them.");
            types.insert(name.to_owned(), described(settings.clone(), &about, example).into());
        }
        let mut schema = json_schema!({
            "description": "State backend: one type, `s3` or any other, with its settings. A backend knows no variables; placeholders in strings are {account}, {account_id}, {org}, {partition}.",
            "type": ["object", "null"],
            "additionalProperties": settings,
        });
        schema.insert("properties".to_owned(), types.into());
        schema
    }
}

record! {
    /// An S3 bucket for Terraform state. The key is `logmap/<account>/terraform.tfstate`, unless `settings` has another.
    S3Backend "`s3`" {
        /// Name of the bucket.
        [required "write `bucket:` and the name of the state bucket"] bucket: String, { "examples": ["acme-terraform-state"] };
        /// Its Region.
        [required "write `region:` and the Region of the state bucket"] region: String, { "anyOf": super::names::region_value(), "examples": ["us-east-1"] };
        /// Encrypt the state.
        encrypt: bool, { "default": true };
        /// Lock with a file in the bucket.
        use_lockfile: bool, { "examples": [true] };
        /// KMS key for the state.
        kms_key_id: String, { "examples": ["alias/terraform-state"] };
        /// DynamoDB table for locks.
        dynamodb_table: String, { "examples": ["terraform-locks"] };
        /// AWS CLI profile that reads the state.
        profile: String, { "examples": ["acme-state"] };
        /// More settings of the backend, as Terraform names them. Placeholders in strings: {account}, {account_id}, {org}, {partition}.
        settings: Settings, { "examples": [{ "key": "logs/{account}.tfstate", "assume_role": { "role_arn": "arn:aws:iam::111122223333:role/state" } }] };
    }
}

record! {
    /// How CloudFormation templates are to look.
    RenderCloudFormation "`cloudformation`" {
        /// How the logging of sources that the stack doesn't own is set.
        source_logging: SourceLogging, { "default": "custom-resource" };
        /// Templates for StackSets, beside the stacks of each account.
        stack_sets: bool, { "default": true };
        /// Permissions boundary of the role that a stack makes for its custom resource: the name of a managed policy, after its path if it has one,
        /// that each account has.
        permissions_boundary: String, { "examples": ["team-boundary"] };
        /// Path of that role.
        role_path: String, { "default": "/", "examples": ["/logging/"] };
        /// Beginning of the name of that role, for policies that speak of roles by name; the rest is the id of its stack. Without it
        /// CloudFormation makes the name. A role with a name needs `CAPABILITY_NAMED_IAM`.
        role_name_prefix: String, { "pattern": "^[A-Za-z0-9+=,.@_-]{1,27}$", "examples": ["acme-logging"] };
        /// Runtime of the function behind the custom resource.
        function_runtime: FunctionRuntime, { "default": "python3.13", "examples": ["python3.12"] };
    }
}

words! {
    /// A runtime of Lambda that the function is written for: those that Lambda supports
    /// (<https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html>).
    FunctionRuntime {
        /// Python 3.11.
        Python311 = "python3.11",
        /// Python 3.12.
        Python312 = "python3.12",
        /// Python 3.13.
        Python313 = "python3.13",
        /// Python 3.14.
        Python314 = "python3.14",
    }
}

words! {
    /// How CloudFormation sets the logging of sources.
    SourceLogging {
        /// By a small custom resource in the stack.
        CustomResource = "custom-resource",
        /// Not at all: the stack's outputs say what the owners' templates have to set.
        OutputsOnly = "outputs-only",
    }
}

record! {
    /// How Athena tables are to look.
    RenderAthena "`athena`" {
        /// Carry the tables as Glue resources in Terraform and CloudFormation.
        glue: bool, { "default": false };
    }
}
