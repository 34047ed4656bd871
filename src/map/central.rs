//! `central`: a second copy of the logs in one archive. Vocabulary only.

use super::{ACCOUNT_KEY, ObjectLock};
use crate::{record, source::Spanned, words};

record! {
    /// A second copy of the logs: what log buckets get is copied to one bucket, the archive.
    Central "`central`" {
        /// Account and Region of the archive. No source has to be there.
        [required "write `deliver_to: { account: …, region: … }`"] deliver_to: CentralPlace, { "examples": [{ "account": "log-archive", "region": "eu-central-1" }] };
        /// Who copies.
        [required "write `via: replication` or `via: vended`"] via: CentralVia, { "examples": ["replication", "vended"] };
        /// How CloudWatch Logs writes access logs, with `via: vended` only. Without it `json`.
        format: CentralFormat, { "examples": ["json", "parquet"] };
        /// Name of the archive, in which placeholders stand as in `log_bucket.name`. Without it `{org}-central-{account_id}-{region}`.
        bucket: String, { "examples": ["acme-central-logs"] };
        /// ARN of the KMS key with which copies are encrypted: one that customers manage, in the Region of the archive. Without it S3 copies no
        /// file of a trail that is encrypted with a KMS key.
        kms_key_arn: String, { "examples": ["arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"] };
        /// Object Lock of the archive: copies of objects that have no lock of their own get it.
        object_lock: ObjectLock, { "examples": [{ "mode": "COMPLIANCE", "days": 365 }] };
        /// Keys of the accounts whose log buckets are copied. Without it all accounts in the partition of the archive.
        only: Vec<Spanned<String>>, { "items": { "type": "string", "pattern": ACCOUNT_KEY, "examples": ["prod"] }, "examples": [["prod"]] };
    }
}

record! {
    /// Where the archive is.
    CentralPlace "`deliver_to` of `central`" {
        /// Key of the account.
        [required "write `account:` and the key of an account of the map"] account: String, { "pattern": ACCOUNT_KEY, "examples": ["log-archive"] };
        /// Its Region.
        [required "write `region:` and the name of a Region"] region: String, { "examples": ["eu-central-1"] };
    }
}

words! {
    /// Who copies logs to the archive.
    CentralVia {
        /// S3: each log bucket has a replication rule.
        Replication = "replication",
        /// CloudWatch Logs: each source that logmap sets has a delivery of its own, beside its logging. Costs by the byte; no trails.
        Vended = "vended",
    }
}

words! {
    /// How CloudWatch Logs writes access logs to a bucket.
    CentralFormat {
        /// One JSON object for each record.
        Json = "json",
        /// Apache Parquet, for which AWS bills a conversion.
        Parquet = "parquet",
    }
}
