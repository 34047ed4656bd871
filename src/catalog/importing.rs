//! Rules on what is imported. Their checks are in `import`.

use crate::rule_family;

rule_family! {
    since "0.1.0";
    DISAGREE = "LM1601" "inputs-disagree" Error Import: "two inputs put a bucket into different accounts or Regions";
    NO_REGION = "LM1602" "no-region" Error Import: "an input does not tell the Regions of its buckets";
    WHOSE = "LM1603" "whose-buckets" Error Import: "an input does not tell whose its buckets are";
    LEFT_OUT = "LM1604" "left-out" Info Import: "something that was found is not in the map";
    GUESS = "LM1605" "guess" Info Import: "something in the map is a guess";
    NOTHING = "LM1606" "nothing-to-import" Error Import: "no input tells of a bucket";
    OWN_CODE = "LM1607" "own-code" Warning Import: "the code that sets a bucket up does not fit the map";
    LOST_GRANT = "LM1608" "lost-grant" Error Import: "the map would no longer let in logs that an adopted bucket takes today";
}
