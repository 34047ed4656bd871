//! Rules on reading a map: YAML itself, keys, types, the version. What they find keeps anything from being derived.

use crate::rule_family;

rule_family! {
    since "0.1.0";
    SYNTAX = "LM0001" "yaml-syntax" Error Text blocking: "the text is not YAML";
    NESTING = "LM0002" "yaml-nesting" Error Text blocking: "the nesting is too deep";
    ALIAS = "LM0003" "yaml-alias" Error Text blocking: "an alias has no anchor, no end, or stands for too much";
    SECOND_DOCUMENT = "LM0004" "second-document" Error Text blocking: "the file has a second YAML document";
    DUPLICATE_KEY = "LM0005" "duplicate-key" Error Text blocking: "a key stands twice in one mapping";
    MERGE_KEY = "LM0006" "merge-key" Error Text blocking: "the merge key `<<` is used";
    KEY_TYPE = "LM0007" "key-type" Error Text blocking: "a key is not a word";
    TAG = "LM0008" "yaml-tag" Error Text blocking: "a value has a YAML tag";
    UNKNOWN_KEY = "LM0009" "unknown-key" Error Shape blocking: "a key that the format does not have";
    MISSING_KEY = "LM0010" "missing-key" Error Shape blocking: "a key that must be there is missing";
    WRONG_TYPE = "LM0011" "wrong-type" Error Shape blocking: "a value has another type than its key needs";
    UNKNOWN_WORD = "LM0012" "unknown-word" Error Shape blocking: "a value is not one of the words its key knows";
    VERSION = "LM0013" "version" Error Shape blocking: "the version of the format is not 1";
    IGNORE_WITHOUT_REASON = "LM0014" "ignore-without-reason" Error Text blocking: "a comment silences a finding without a reason";
    UNUSED_IGNORE = "LM0015" "unused-ignore" Warning Map: "a comment silences nothing";
    INCLUDE = "LM0016" "include" Error Map blocking: "an included file can't be used";
    SETTINGS = "LM0017" "settings" Error Map blocking: "a setting of the map can't be used";
}
