//! Rules on the files that `generate` writes, as `generate --check` finds them. Their check is in `disk`, which compares.

use crate::rule_family;

rule_family! {
    since "0.1.0";
    MISSING = "LM1701" "missing-file" Error Output: "a file that the map gives is not there";
    STALE = "LM1702" "stale-file" Error Output: "a generated file is not what the map gives";
    EDITED = "LM1703" "edited-file" Error Output: "a generated file was edited since logmap wrote it";
    FOREIGN = "LM1704" "foreign-file" Error Output: "a file that logmap did not write is in the way";
    UNWANTED = "LM1705" "unwanted-file" Error Output: "a generated file is there that the map no longer gives";
    LINE_ENDS = "LM1706" "line-ends" Error Output: "a generated file differs in its line ends only";
}
