//! Rules on what is imported. Their checks are in `import`.

use crate::{diagnostics::Rule, rule};

rule!(DISAGREE, "LM1601", "inputs-disagree", Error, "two inputs put a bucket into different accounts or Regions");
rule!(NO_REGION, "LM1602", "no-region", Error, "an input does not tell the Regions of its buckets");
rule!(WHOSE, "LM1603", "whose-buckets", Error, "an input does not tell whose its buckets are");
rule!(LEFT_OUT, "LM1604", "left-out", Info, "something that was found is not in the map");
rule!(GUESS, "LM1605", "guess", Info, "something in the map is a guess");
rule!(NOTHING, "LM1606", "nothing-to-import", Error, "no input tells of a bucket");
rule!(OWN_CODE, "LM1607", "own-code", Warning, "the code that sets a bucket up does not fit the map");

/// The family.
pub const RULES: &[&Rule] = &[&DISAGREE, &NO_REGION, &WHOSE, &LEFT_OUT, &GUESS, &NOTHING, &OWN_CODE];
