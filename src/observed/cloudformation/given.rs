//! What the other templates of a run give to one: values of its parameters, imports, outputs of its nested stacks.

use std::{collections::BTreeMap, rc::Rc};

/// Templates that may export under one name before nobody knows which one is meant.
const MOST_OF_A_NAME: usize = 64;

/// What others give to a template.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Given {
    /// Values of parameters, from the stack that it is nested in.
    pub parameters: BTreeMap<String, String>,
    /// Outputs of the stacks that are nested in it, by logical id and name.
    pub outputs: BTreeMap<(String, String), String>,
    /// What all templates export.
    pub exports: Rc<Exports>,
    /// The account and the Region that the app deploys it in.
    pub environment: (Option<String>, Option<String>),
}

/// What templates export, by name.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Exports {
    /// `Export` of an output. Only templates of one account and Region see each other's (CloudFormation user guide,
    /// `Fn::ImportValue`).
    pub outputs: BTreeMap<String, Vec<Export>>,
    /// What the CDK's `Custom::CrossRegionExportWriter` writes, by the name of the parameter of Systems Manager.
    pub crossing: BTreeMap<String, Vec<Export>>,
}

/// A value that a template exports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Export {
    /// The account and the Region that the exporting template is deployed in, as far as the app says.
    pub environment: (Option<String>, Option<String>),
    /// The same as the template itself has them: holes where nobody says.
    pub place: (String, String),
    /// The value; nothing if it depends on conditions.
    pub value: Option<String>,
}

impl Given {
    /// The one export of a name that this template can import.
    pub(crate) fn export(&self, name: &str) -> Option<&Export> {
        let all = self.exports.outputs.get(name).filter(|all| all.len() <= MOST_OF_A_NAME)?;
        let fits = |mine: &Option<String>, other: &Option<String>| mine.is_none() || other.is_none() || mine == other;
        let mut found = all.iter().filter(|export| {
            fits(&self.environment.0, &export.environment.0) && fits(&self.environment.1, &export.environment.1)
        });
        let one = found.next()?;
        found.all(|other| other == one).then_some(one)
    }

    /// What `Fn::ImportValue` gives.
    pub(crate) fn import(&self, name: &str) -> Option<String> {
        self.export(name)?.value.clone()
    }

    /// What the CDK's `Custom::CrossRegionExportReader` has under the name of a parameter.
    pub(crate) fn crossing(&self, name: &str) -> Option<String> {
        match self.exports.crossing.get(name)?.as_slice() {
            [one] => one.value.clone(),
            _ => None,
        }
    }
}
