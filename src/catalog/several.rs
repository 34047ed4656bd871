//! Rules on several maps that are validated together. Their check is in `several`.

use crate::rule_family;

rule_family! {
    since "0.1.0";
    IN_TWO_MAPS = "LM0121" "in-two-maps" Error Maps: "a Region of an account, or a source, is in two maps";
    ACCOUNT_IN_TWO_MAPS = "LM0122" "account-in-two-maps" Warning Maps: "an account is in two maps";
}
