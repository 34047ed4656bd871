//! Rules on what is there, as `drift` finds it in a snapshot. Their checks are in `drift`.

use crate::rule_family;

rule_family! {
    since "0.1.0";
    LOG_BUCKET_MISSING = "LM2101" "log-bucket-missing" Error Live: "a log bucket of the map is not there";
    LOG_BUCKET_ELSEWHERE = "LM2102" "log-bucket-elsewhere" Error Live: "a log bucket's name belongs to another account or Region";
    POLICY_REFUSES = "LM2103" "policy-refuses" Error Live: "the policy that is there refuses what the map needs";
    POLICY_ADMITS = "LM2104" "policy-admits" Error Live: "the policy that is there lets somebody in whom the map does not";
    POLICY_DIFFERS = "LM2105" "policy-differs" Warning Live: "the policy that is there is not the map's";
    STOPS_DELIVERY = "LM2106" "stops-delivery" Error Live: "a setting of a log bucket keeps logs from being delivered";
    PROTECTION = "LM2107" "protection-differs" Error Live: "a log bucket is protected otherwise than the map says";
    RETENTION = "LM2108" "retention-differs" Warning Live: "the lifecycle rules of a log bucket are not the map's";
    TAGS = "LM2109" "tags-differ" Info Live: "a log bucket lacks tags of the map";
    LOG_BUCKET_LOGS = "LM2110" "log-bucket-logs" Error Live: "a log bucket logs where the map does not say so";
    NOT_LOGGING = "LM2111" "not-logging" Error Live: "a source of the map does not log";
    LOGS_ELSEWHERE = "LM2112" "source-logs-elsewhere" Error Live: "a source of the map logs to another bucket";
    LOG_KEYS = "LM2113" "log-keys-differ" Error Live: "a source's log objects get other keys than the map says";
    SOURCE_PLACE = "LM2114" "source-place" Error Live: "a source is not where the map has it";
    COPIES_DIFFER = "LM2115" "copies-differ" Error Live: "a log bucket is not copied to the archive as the map says";
    COPIED_ELSEWHERE = "LM2116" "copied-elsewhere" Error Live: "a log bucket is copied to a bucket that the map does not name";
    TRAIL_MISSING = "LM2121" "trail-missing" Error Live: "a trail of the map is not there";
    TRAIL_STOPPED = "LM2122" "trail-stopped" Error Live: "a trail of the map does not record";
    TRAIL_DIFFERS = "LM2123" "trail-differs" Error Live: "a trail has other settings than the map says";
    MONITORING_DIFFERS = "LM2131" "monitoring-differs" Warning Live: "what the map publishes or watches is not there, or differs";
    UNLOGGED = "LM2201" "unmapped-unlogged" Warning Live: "a bucket that the map does not know logs nowhere";
    FOREIGN_SOURCE = "LM2202" "unmapped-logs-here" Warning Live: "a bucket that the map does not know logs to a log bucket of the map";
    FOREIGN_REFUSED = "LM2203" "unmapped-refused" Error Live: "a bucket logs to a log bucket of the map whose policy refuses it";
    LOGGED_ELSEWHERE = "LM2204" "unmapped-logs-elsewhere" Info Live: "a bucket that the map does not know logs to a bucket of its own choice";
    VENDED_ONLY = "LM2205" "unmapped-vended" Info Live: "a bucket that the map does not know logs by vended delivery only";
    UNMAPPED_PLACE = "LM2206" "unmapped-place" Warning Live: "buckets in an account or a Region that the map does not know";
    UNUSED_COVERAGE = "LM2207" "unused-coverage-ignore" Warning Live: "a pattern under `coverage` ignores no bucket";
    UNREAD = "LM2291" "unread" Warning Live: "something was not read, so that nothing is known of it";
    GAPS = "LM2302" "delivery-gaps" Info Live: "days without logs between days with logs";
    STOPPED = "LM2303" "delivery-stopped" Error Live: "logs arrived once, and no longer do";
    NEVER = "LM2304" "delivery-never" Error Live: "no log of a source has ever arrived";
    MISPLACED = "LM2305" "delivery-misplaced" Warning Live: "logs of a source arrive under another prefix or in another layout";
    QUIET = "LM2306" "delivery-quiet" Info Live: "nothing arrives, and it is not known whether anything should";
    TRAIL_DELIVERY = "LM2307" "trail-delivery" Error Live: "a trail records, and its files do not arrive";
}
