//! The Regions: which are known, which need opting in, and what a well-formed Region name is.
//!
//! The table is dated. An unknown Region with a well-formed name may be newer than the table; that is never an error.
//! Source: the AWS Regions page of the global infrastructure guide, and SDK partition metadata for other partitions.

/// When the table was last compared with its sources.
pub(crate) const TABLE_DATE: &str = "2026-10-31";

/// A known Region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region {
    /// As in ARNs and endpoints.
    pub name: &'static str,
    /// Where it is.
    pub place: &'static str,
    /// An account must enable it before use.
    pub opt_in: bool,
}

const fn on(name: &'static str, place: &'static str) -> Region {
    Region { name, place, opt_in: false }
}

const fn opt(name: &'static str, place: &'static str) -> Region {
    Region { name, place, opt_in: true }
}

/// All known Regions, sorted by name.
pub const KNOWN: [Region; 46] = [
    opt("af-south-1", "Cape Town"),
    opt("ap-east-1", "Hong Kong"),
    opt("ap-east-2", "Taipei"),
    on("ap-northeast-1", "Tokyo"),
    on("ap-northeast-2", "Seoul"),
    on("ap-northeast-3", "Osaka"),
    on("ap-south-1", "Mumbai"),
    opt("ap-south-2", "Hyderabad"),
    on("ap-southeast-1", "Singapore"),
    on("ap-southeast-2", "Sydney"),
    opt("ap-southeast-3", "Jakarta"),
    opt("ap-southeast-4", "Melbourne"),
    opt("ap-southeast-5", "Malaysia"),
    opt("ap-southeast-6", "New Zealand"),
    opt("ap-southeast-7", "Thailand"),
    on("ca-central-1", "Canada Central"),
    opt("ca-west-1", "Calgary"),
    on("cn-north-1", "Beijing"),
    on("cn-northwest-1", "Ningxia"),
    on("eu-central-1", "Frankfurt"),
    opt("eu-central-2", "Zurich"),
    on("eu-isoe-west-1", "EU ISOE West"),
    on("eu-north-1", "Stockholm"),
    opt("eu-south-1", "Milan"),
    opt("eu-south-2", "Spain"),
    on("eu-west-1", "Ireland"),
    on("eu-west-2", "London"),
    on("eu-west-3", "Paris"),
    on("eusc-de-east-1", "Brandenburg"),
    opt("il-central-1", "Tel Aviv"),
    opt("me-central-1", "UAE"),
    opt("me-south-1", "Bahrain"),
    opt("mx-central-1", "Mexico Central"),
    on("sa-east-1", "Sao Paulo"),
    on("us-east-1", "N. Virginia"),
    on("us-east-2", "Ohio"),
    on("us-gov-east-1", "GovCloud US East"),
    on("us-gov-west-1", "GovCloud US West"),
    on("us-iso-east-1", "US ISO East"),
    on("us-iso-west-1", "US ISO West"),
    on("us-isob-east-1", "US ISOB East"),
    on("us-isob-west-1", "US ISOB West"),
    on("us-isof-east-1", "US ISOF East"),
    on("us-isof-south-1", "US ISOF South"),
    on("us-west-1", "N. California"),
    on("us-west-2", "Oregon"),
];

/// Regions without the account regional namespace.
/// Source: S3 user guide, "Namespaces for general purpose buckets".
pub(crate) const WITHOUT_ACCOUNT_REGIONAL: [&str; 2] = ["me-south-1", "me-central-1"];

/// The known Region of this name.
pub(crate) fn find(name: &str) -> Option<&'static Region> {
    KNOWN.binary_search_by(|region| region.name.cmp(name)).ok().map(|at| &KNOWN[at])
}

/// First parts of the names of Regions.
const AREAS: [&str; 17] = [
    "af", "ap", "ca", "cn", "eu", "eusc-de", "eu-isoe", "il", "me", "mx", "sa", "us", "us-gov", "us-iso", "us-isob", "us-isof",
    "eusc",
];
/// Second parts.
const DIRECTIONS: [&str; 9] = ["north", "south", "east", "west", "central", "northeast", "northwest", "southeast", "southwest"];

/// A regular expression for what is well formed, as JSON Schema has them.
pub fn pattern() -> String {
    format!("^({})-({})-[1-9][0-9]?$", AREAS.join("|"), DIRECTIONS.join("|"))
}

/// Is every part of the name a word that Region names are made of, and the last one a number?
pub fn is_well_formed(name: &str) -> bool {
    let Some((rest, number)) = name.rsplit_once('-') else { return false };
    let Some((area, direction)) = rest.rsplit_once('-') else { return false };
    AREAS.contains(&area)
        && DIRECTIONS.contains(&direction)
        && (1..=2).contains(&number.len())
        && !number.starts_with('0')
        && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// The Region that another word names in AWS's own APIs: `EU` is `eu-west-1`.
pub(crate) fn legacy(name: &str) -> Option<&'static str> {
    (name == "EU" || name == "eu").then_some("eu-west-1")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::Partition;

    #[test]
    fn the_table_is_sorted_and_every_name_in_it_is_well_formed() {
        assert!(KNOWN.windows(2).all(|pair| pair[0].name < pair[1].name));
        for region in KNOWN {
            assert!(is_well_formed(region.name), "{}", region.name);
        }
    }

    #[test]
    fn a_misspelt_region_is_not_well_formed_and_a_new_one_is() {
        for bad in ["us-esat-1", "us-east", "us-east-01", "useast1", "US-EAST-1", "us-east-1a", "", "-", "eu", "us--east-1"] {
            assert!(!is_well_formed(bad), "{bad}");
        }
        assert!(is_well_formed("sa-west-1") && find("sa-west-1").is_none());
        assert_eq!(KNOWN.iter().filter(|region| Partition::of_region(region.name) == Partition::Cn).count(), 2);
    }
}
