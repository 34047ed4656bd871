//! What to run so that an account and Region are as the map says: of the target that the map's settings choose.

use crate::{
    analysis::Analysis,
    plan::{Account, Placement},
};

/// The targets and the folder of a map.
pub(super) struct Mend {
    out: String,
    targets: Option<Vec<&'static str>>,
}

impl Mend {
    pub(super) fn of(analysis: &Analysis) -> Self {
        let settings = analysis.settings.as_ref();
        let targets = settings.and_then(|settings| settings.targets.as_ref());
        Mend {
            out: settings.map_or("out", |settings| settings.out.trim_end_matches('/')).to_owned(),
            targets: targets.map(|targets| targets.iter().map(|target| target.word()).collect()),
        }
    }

    /// The command.
    pub(super) fn words(&self, account: &Account, placement: &Placement) -> String {
        let has = |target: &str| self.targets.as_ref().is_none_or(|targets| targets.contains(&target));
        let (out, key, region) = (&self.out, &account.key, &placement.region);
        let first = "`logmap generate`, and then";
        if has("aws-cli") {
            format!("{first} `bash {out}/aws-cli/{key}/{region}.sh`, or apply the Terraform or the stack of this place")
        } else if has("terraform") {
            format!("{first} `terraform -chdir={out}/terraform/{key} apply`")
        } else if has("cloudformation") {
            format!("{first} update the stack of `{out}/cloudformation/{key}/{region}.yaml`")
        } else {
            format!("{first} apply what it writes for `{key}` in `{region}`")
        }
    }
}
