//! Rules on reading a map: YAML itself, keys, types, the version. What they find keeps anything from being derived.

use crate::{diagnostics::Rule, rule};

rule!(SYNTAX, "LM0001", "yaml-syntax", Error, "the text is not YAML", blocking);
rule!(NESTING, "LM0002", "yaml-nesting", Error, "the nesting is too deep", blocking);
rule!(ALIAS, "LM0003", "yaml-alias", Error, "an alias has no anchor, no end, or stands for too much", blocking);
rule!(SECOND_DOCUMENT, "LM0004", "second-document", Error, "the file has a second YAML document", blocking);
rule!(DUPLICATE_KEY, "LM0005", "duplicate-key", Error, "a key stands twice in one mapping", blocking);
rule!(MERGE_KEY, "LM0006", "merge-key", Error, "the merge key `<<` is used", blocking);
rule!(KEY_TYPE, "LM0007", "key-type", Error, "a key is not a word", blocking);
rule!(TAG, "LM0008", "yaml-tag", Error, "a value has a YAML tag", blocking);
rule!(UNKNOWN_KEY, "LM0009", "unknown-key", Error, "a key that the format does not have", blocking);
rule!(MISSING_KEY, "LM0010", "missing-key", Error, "a key that must be there is missing", blocking);
rule!(WRONG_TYPE, "LM0011", "wrong-type", Error, "a value has another type than its key needs", blocking);
rule!(UNKNOWN_WORD, "LM0012", "unknown-word", Error, "a value is not one of the words its key knows", blocking);
rule!(VERSION, "LM0013", "version", Error, "the version of the format is not 1", blocking);
rule!(IGNORE_WITHOUT_REASON, "LM0014", "ignore-without-reason", Error, "a comment silences a finding without a reason", blocking);
rule!(UNUSED_IGNORE, "LM0015", "unused-ignore", Warning, "a comment silences nothing");

/// The family.
pub const RULES: &[&Rule] = &[
    &SYNTAX,
    &NESTING,
    &ALIAS,
    &SECOND_DOCUMENT,
    &DUPLICATE_KEY,
    &MERGE_KEY,
    &KEY_TYPE,
    &TAG,
    &UNKNOWN_KEY,
    &MISSING_KEY,
    &WRONG_TYPE,
    &UNKNOWN_WORD,
    &VERSION,
    &IGNORE_WITHOUT_REASON,
    &UNUSED_IGNORE,
];
