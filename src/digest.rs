//! Digests: of a file for the lock, of a value for the head of a file, of a name for an id.
//!
//! Takes bytes, names and values that can be serialised; gives lower-case hexadecimal. Knows nothing of plans.

use serde::Serialize;
use sha2::{Digest, Sha256};
use std::io::{BufWriter, Write};

/// `sha256:` and the digest of a value's canonical JSON, which is never held as a whole: a place's may be large.
pub fn digest(value: &impl Serialize) -> String {
    let mut json = BufWriter::new(Sha256::new());
    // writing strings and lists to a digest can't fail
    let _ = serde_json::to_writer(&mut json, value);
    let _ = json.flush();
    format!("sha256:{}", hex(&json.get_ref().clone().finalize()))
}

/// SHA-256 as lower-case hexadecimal.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Twelve digits of a name's SHA-256: enough to tell the things of one template or module apart.
pub(crate) fn short_digest(name: &str) -> String {
    hex(&Sha256::digest(name)[..6])
}

/// The first eight bytes of a name's SHA-256, as a number.
pub(crate) fn number(name: &str) -> u64 {
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
