//! AWS partitions: which Region belongs to which, and the names that ARNs and endpoints use.
//!
//! Source: the partition metadata of the AWS SDKs (botocore `partitions.json`), as of 2026-10.

use serde::{Serialize, Serializer};

/// A partition: a set of Regions with its own accounts, ARNs and endpoints. Nothing crosses one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Partition {
    /// The commercial Regions.
    Aws,
    /// Beijing and Ningxia.
    Cn,
    /// AWS GovCloud (US).
    UsGov,
    /// AWS Top Secret.
    Iso,
    /// AWS Secret.
    IsoB,
    /// The European isolated partition.
    IsoE,
    /// The second US isolated partition.
    IsoF,
    /// The AWS European Sovereign Cloud.
    Eusc,
}

impl Partition {
    /// The partition of a Region by its prefix; any other name is taken for a commercial Region.
    pub fn of_region(region: &str) -> Self {
        const PREFIXES: [(&str, Partition); 7] = [
            ("cn-", Partition::Cn),
            ("us-gov-", Partition::UsGov),
            ("us-iso-", Partition::Iso),
            ("us-isob-", Partition::IsoB),
            ("eu-isoe-", Partition::IsoE),
            ("us-isof-", Partition::IsoF),
            ("eusc-", Partition::Eusc),
        ];
        PREFIXES.iter().find(|(prefix, _)| region.starts_with(prefix)).map_or(Partition::Aws, |(_, p)| *p)
    }

    /// The partition with this name in an ARN, if there is one.
    pub fn from_id(id: &str) -> Option<Self> {
        use Partition::*;
        [Aws, Cn, UsGov, Iso, IsoB, IsoE, IsoF, Eusc].into_iter().find(|p| p.id() == id)
    }

    /// What the names of its endpoints end with: `dnsSuffix` of the SDKs' metadata.
    pub(crate) fn dns_suffix(self) -> &'static str {
        match self {
            Partition::Aws | Partition::UsGov => "amazonaws.com",
            Partition::Cn => "amazonaws.com.cn",
            Partition::Iso => "c2s.ic.gov",
            Partition::IsoB => "sc2s.sgov.gov",
            Partition::IsoE => "cloud.adc-e.uk",
            Partition::IsoF => "csp.hci.ic.gov",
            Partition::Eusc => "amazonaws.eu",
        }
    }

    /// The Region of its global services, which every account has: `implicitGlobalRegion` of the SDKs' metadata.
    #[cfg(feature = "live")]
    pub(crate) fn global_region(self) -> &'static str {
        match self {
            Partition::Aws => "us-east-1",
            Partition::Cn => "cn-northwest-1",
            Partition::UsGov => "us-gov-west-1",
            Partition::Iso => "us-iso-east-1",
            Partition::IsoB => "us-isob-east-1",
            Partition::IsoE => "eu-isoe-west-1",
            Partition::IsoF => "us-isof-south-1",
            Partition::Eusc => "eusc-de-east-1",
        }
    }

    /// The second part of every ARN in the partition.
    pub fn id(self) -> &'static str {
        match self {
            Partition::Aws => "aws",
            Partition::Cn => "aws-cn",
            Partition::UsGov => "aws-us-gov",
            Partition::Iso => "aws-iso",
            Partition::IsoB => "aws-iso-b",
            Partition::IsoE => "aws-iso-e",
            Partition::IsoF => "aws-iso-f",
            Partition::Eusc => "aws-eusc",
        }
    }
}

impl std::fmt::Display for Partition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id())
    }
}

impl Serialize for Partition {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id())
    }
}
