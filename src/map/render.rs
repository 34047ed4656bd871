//! `render`: how the targets are to look. Vocabulary only.

use super::decode::OneOrMany;
use crate::{record, words};

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
        /// Where the state is kept.
        backend: Backend, { "examples": [{ "s3": { "bucket": "acme-terraform-state", "region": "us-east-1" } }] };
    }
}

record! {
    /// State backend.
    Backend "`backend`" {
        /// S3 backend; a list when the map has several partitions. Each serves the accounts of its Region's partition.
        s3: OneOrMany<S3Backend>, { "examples": [{ "bucket": "acme-terraform-state", "region": "us-east-1" }] };
    }
}

record! {
    /// An S3 bucket for Terraform state. The key is `logmap/<account>/terraform.tfstate`.
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
