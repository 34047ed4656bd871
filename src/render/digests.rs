//! Digests: of a file for the lock, of a slice of the plan for the head of a file, of a name for an id.
//!
//! A place is in a slice by its own digest, which is taken once, however many files are made of the place.

use crate::{
    aws::Partition,
    plan::{Account, KeyPolicy, Place, Plan, RenderSettings, position, prove::Proven},
};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::{
    io::{BufWriter, Write},
    sync::OnceLock,
};

/// Digests of a plan's places, each taken when it is first asked for, by whichever thread.
pub struct Digests<'p> {
    /// The plan.
    pub plan: &'p Proven,
    /// For each account, for each of its places.
    places: Vec<Vec<OnceLock<String>>>,
}

/// An account in a slice of the plan.
#[derive(Serialize)]
pub struct AccountSlice<'p> {
    key: &'p str,
    id: &'p str,
    partition: Partition,
    role_arn: &'p Option<String>,
    profile: &'p Option<String>,
    /// Digests.
    places: Vec<String>,
}

/// What the digest of a plan is taken from.
#[derive(Serialize)]
struct PlanSlice<'p> {
    accounts: Vec<AccountSlice<'p>>,
    apply_order: &'p [String],
    render: &'p RenderSettings,
    key_policies: &'p [KeyPolicy],
}

impl<'p> Digests<'p> {
    /// Of a plan.
    pub fn of(plan: &'p Proven) -> Self {
        let none_yet = |account: &Account| account.places.iter().map(|_| OnceLock::new()).collect();
        Digests { plan, places: plan.accounts.iter().map(none_yet).collect() }
    }

    /// Of a place of the plan.
    pub fn place(&self, account: &Account, place: &Place) -> String {
        let known = position(&self.plan.accounts, &account.key).and_then(|account| {
            let at = self.plan.accounts[account].places.iter().position(|known| known.region == place.region)?;
            self.places[account].get(at)
        });
        known.map_or_else(|| digest(place), |known| known.get_or_init(|| digest(place)).clone())
    }

    /// An account of the plan, as a slice.
    pub fn account(&self, account: &'p Account) -> AccountSlice<'p> {
        let Account { key, id, partition, role_arn, profile, places } = account;
        let places = places.iter().map(|place| self.place(account, place)).collect();
        AccountSlice { key, id, partition: *partition, role_arn, profile, places }
    }

    /// Of the whole plan.
    pub fn whole(&self) -> String {
        let Plan { accounts, apply_order, render, key_policies, wanted: _ } = &**self.plan;
        digest(&PlanSlice {
            accounts: accounts.iter().map(|account| self.account(account)).collect(),
            apply_order,
            render,
            key_policies,
        })
    }
}

/// `sha256:` and the digest of a value's canonical JSON, which is never held as a whole: a place's may be large.
pub fn digest(value: &impl Serialize) -> String {
    let mut json = BufWriter::new(Sha256::new());
    // writing strings and lists to a digest can't fail
    let _ = serde_json::to_writer(&mut json, value);
    let _ = json.flush();
    format!("sha256:{}", hex(&json.get_ref().clone().finalize()))
}

/// SHA-256 as lower-case hexadecimal.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Twelve digits of a name's SHA-256: enough to tell the things of one template or module apart.
pub fn short_digest(name: &str) -> String {
    hex(&Sha256::digest(name)[..6])
}

/// The first eight bytes of a name's SHA-256, as a number.
pub fn number(name: &str) -> u64 {
    Sha256::digest(name)[..8].iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        text.extend([byte >> 4, byte & 15].map(|half| char::from(b"0123456789abcdef"[usize::from(half)])));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_digest_however_it_is_spelt() {
        // FIPS 180-2, appendix B.1
        assert_eq!(sha256_hex(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(short_digest("abc"), "ba7816bf8f01");
        assert_eq!(number("abc"), 0xba78_16bf_8f01_cfea);
        assert_eq!(digest(&1), format!("sha256:{}", sha256_hex(b"1")));
    }
}
