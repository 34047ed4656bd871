//! Large region maps, made by a rule.
#![allow(dead_code, reason = "each test file uses what it needs")]

const REGIONS: [&str; 4] = ["us-east-1", "eu-west-1", "eu-central-1", "ap-southeast-2"];

/// Accounts with four Regions of 25 sources each, and an organization trail; `sources` is a multiple of 100.
pub fn grid(sources: usize) -> String {
    let mut text =
        "version: 1\norganization: { name: acme, id: o-a1b2c3d4e5, management_account: team-00000 }\naccounts:\n".to_owned();
    for account in 0..sources / 100 {
        text += &format!("  team-{account:05}:\n    id: \"{:012}\"\n    regions:\n", 100_000_000_000 + 7 * account);
        for region in REGIONS {
            text += &format!("      {region}:\n        buckets:\n");
            for bucket in 0..25 {
                text += &format!("          - acme-team-{account:05}-{region}-app-{bucket:03}\n");
            }
        }
    }
    text + "trails:\n  audit: { scope: organization, deliver_to: { account: team-00000 } }\n"
}

/// One account with all its sources in one Region, a hundred for each of its teams.
pub fn one(sources: usize) -> String {
    let mut text = "version: 1\norganization: { name: acme }\naccounts:\n  prod:\n    id: \"111122223333\"\n    regions:\n      us-east-1:\n        buckets:\n".to_owned();
    for source in 0..sources {
        text += &format!("          - acme-team-{:05}-app-{:03}\n", source / 100, source % 100);
    }
    text
}
