//! The language server over the protocol, in memory: each feature, and what any client may do to it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail loudly")]

mod client;
mod completion;
#[path = "../common/dice.rs"]
mod dice;
mod family;
mod features;
mod frames;
mod fuzz;
mod half_typed;
mod hostile;
#[path = "../common/markdown.rs"]
mod markdown;
mod protocol;

/// Two accounts, two Regions, a trail, and text that is not ASCII before everything.
pub const SAMPLE: &str = "\
# Übersicht 𝄞
version: 1
organization: { name: acme, id: o-a1b2c3d4e5, management_account: prod }
accounts:
  prod: # Prödüktion 𝄞
    id: \"111122223333\"
    regions:
      us-east-1:
        buckets: [acme-prod-web, { name: acme-prod-data, prefix: data/ }]
      eu-west-1:
        buckets:
          - acme-prod-eu
  log-archive:
    id: \"444455556666\"
    regions: {}
trails:
  audit:
    accounts: [prod]
    deliver_to: { account: log-archive }
";
