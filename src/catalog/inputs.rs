//! Rules on the inputs of `check` as such. Their check is in `inspection`.

use crate::rule_family;

rule_family! {
    since "0.1.0";
    NOT_READ = "LM1801" "input-not-read" Error Input blocking: "an input that was named is not read";
}
