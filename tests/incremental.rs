//! An analysis that borrows from the one before is the same as a fresh one: tree, findings, plan and proofs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail loudly")]

#[path = "common/dice.rs"]
mod dice;

use dice::Dice;
use logmap::testing::{
    analysis::{Analysis, AnalysisCache, analyze, analyze_incremental},
    document::incremental::reread,
    source::SourceFile,
};

const MAP: &str = r#"# Übersicht
version: 1
organization: { name: acme }
defaults:
  log_bucket:
    extra_statements:
      - { Sid: Readers, Effect: Allow, Principal: { AWS: "arn:{partition}:iam::{account_id}:root" }, Action: s3:GetObject, Resource: "{log_bucket_arn}/*" }
accounts: # by key
  prod:
    id: "111122223333"
    regions:
      us-east-1:
        buckets: [acme-prod-web, { name: acme-prod-data, prefix: data/ }]
      eu-west-1:
        buckets:
          - acme-prod-eu # é𝄞
          # a comment of its own
          - name: "acme-prod-eu-2"
            prefix: |-
              folded/
  # of the archive
  log-archive:
    id: '444455556666'
    regions:
  data:
    id: "777788889999"
    regions: { us-east-1: { buckets: [acme-data-1, acme-data-2] } }

# behind the accounts
trails:
  audit:
    accounts: [prod, data]
    deliver_to: { account: log-archive }
"#;

const PIECES: [&str; 34] = [
    "",
    "a",
    "b-2",
    " ",
    "  ",
    "\n",
    "\r\n",
    "\r",
    ":",
    ": ",
    "- ",
    "[",
    "]",
    "\"",
    "'",
    " # é",
    "#",
    "&a ",
    "*a",
    "!t ",
    "|",
    ">\n",
    "? ",
    "---\n",
    "...\n",
    "%Y\n",
    "\t",
    "𝄞",
    "\u{feff}",
    "\n    # logmap: ignore[LM0209] why\n",
    "  dev:\n    id: \"222233334444\"\n",
    "x: {",
    "      ",
    "}",
];

fn fresh_and_borrowed_agree(a: &Analysis, b: &Analysis, text: &str) {
    assert_eq!(format!("{:?}", a.document), format!("{:?}", b.document), "the trees of {text:?}");
    assert_eq!(format!("{:?}", a.findings), format!("{:?}", b.findings), "the findings of {text:?}");
    let plan = |analysis: &Analysis| {
        let plan = analysis.derived()?;
        let buckets = plan.accounts.iter().flat_map(|account| &account.placements).flat_map(|placement| &placement.buckets);
        let proofs: Vec<String> = buckets.map(|bucket| format!("{:?}", bucket.proof)).collect();
        Some((serde_json::to_string(plan).unwrap(), proofs))
    };
    assert_eq!(plan(a), plan(b), "the plans of {text:?}");
    assert_eq!(a.plan.is_some(), b.plan.is_some());
}

#[test]
fn an_analysis_that_borrows_is_the_same_as_a_fresh_one() {
    let mut dice = Dice(20_261_121);
    let mut cache = AnalysisCache::for_editing();
    let mut text = MAP.to_owned();
    let (mut borrowed_trees, mut edits) = (0, 0);
    let mut last = analyze(SourceFile::new("m", MAP));
    assert!(last.plan.is_some(), "{:?}", last.findings);
    for _ in 0..2000 {
        let boundaries: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        let start = dice.below(boundaries.len());
        let length = [0, 1, 1, 2, 5, 12, 60][dice.below(7)];
        let (start, end) = (boundaries[start], boundaries[(start + length).min(boundaries.len() - 1)]);
        let piece = PIECES[dice.below(PIECES.len())];
        // now and then a whole line is doubled or goes
        let line =
            text[..start].rfind('\n').map_or(0, |at| at + 1)..text[start..].find('\n').map_or(text.len(), |at| start + at + 1);
        match dice.below(8) {
            0 => {
                let twice = text[line.clone()].repeat(2);
                text.replace_range(line, &twice);
            }
            1 => text.replace_range(line, ""),
            _ => text.replace_range(start..end, piece),
        }
        let fresh = analyze(SourceFile::new("m", text.clone()));
        // rules up to LM0008 are those of reading
        if last.findings.iter().all(|finding| finding.rule.scope != logmap::testing::diagnostics::Scope::Text) {
            borrowed_trees += usize::from(reread(&last.file, last.document.clone(), &fresh.file).is_some());
        }
        cache.keep(last);
        let again = analyze_incremental(SourceFile::new("m", text.clone()), &mut cache);
        fresh_and_borrowed_agree(&fresh, &again, &text);
        edits += 1;
        last = again;
        // most edits begin with a text that can be read
        if dice.below(4) == 0 || fresh.document.root.is_none() {
            text = MAP.to_owned();
            last = analyze_incremental(SourceFile::new("m", MAP), &mut cache);
        }
    }
    assert!(borrowed_trees > 200, "only {borrowed_trees} of {edits} trees were borrowed");
}
