//! Where Terraform keeps its state: settings of backends that are not ours. They are written as they stand, so what would not arrive as it
//! is meant is said here.

use super::{BACKEND, BACKEND_SECRET, BACKEND_SETTING, SHARED_STATE};
use crate::{
    diagnostics::{Finding, did_you_mean, list},
    edit::Change,
    map::{
        RegionMap, RenderTerraform, S3Backend, Setting, is_setting_name,
        placeholders::{BackendPlaceholder, placeholders_of_statement},
        setting::Settings,
    },
    rules::texts,
    source::{Span, Spanned},
};

/// Names of settings that are secrets in the backends that there are: `access_key`, `secret_key`, `token`, `sse_customer_key` of `s3`,
/// `password` and `client_private_key_pem` of `http`, `access_token` and `http_auth` of `consul`, `encryption_key` of `gcs`, `client_secret`,
/// `sas_token` and the like of `azurerm`, `secret_id` of `cos`, `security_token` of `oss` (their pages in Terraform's documentation).
const SECRETS: [&str; 19] = [
    "access_key",
    "secret_key",
    "secret_id",
    "token",
    "access_token",
    "security_token",
    "oidc_token",
    "oidc_request_token",
    "password",
    "secret",
    "client_secret",
    "client_certificate_password",
    "client_key",
    "client_private_key_pem",
    "sas_token",
    "sse_customer_key",
    "encryption_key",
    "http_auth",
    "ado_pipeline_token",
];

/// Checks the backends of other types than `s3`, the `cloud` block, and what `s3` has beyond its own keys.
pub(super) fn check(map: &RegionMap, terraform: &RenderTerraform, findings: &mut Vec<Finding>) {
    let mut check = Check { map, findings };
    let backend = terraform.backend.as_ref();
    let s3 = backend.and_then(|backend| backend.s3.as_ref());
    // the first that is given is the one that counts
    let mut first = s3.map(|s3| ("the backend `s3`".to_owned(), s3.span));
    for backend in s3.map_or(&[][..], |list| &list.value.0) {
        check.s3(backend);
    }
    for (kind, settings) in backend.iter().flat_map(|backend| &backend.others) {
        if !is_setting_name(kind) {
            let finding = Finding::new(&BACKEND_SETTING, kind.span, format!("`{}` is no type of backend", kind.escape_debug()));
            check.findings.push(finding.help("a type is a word, such as `gcs`"));
        }
        check.only_one(&mut first, format!("the backend `{}`", kind.escape_debug()), kind.span);
        check.settings(settings);
        if kind.value != "local" {
            check.is_shared(kind, settings, &format!("the backend `{}`", kind.escape_debug()));
        }
    }
    if let Some(cloud) = &terraform.cloud {
        check.only_one(&mut first, "`cloud`".to_owned(), cloud.span);
        check.settings(cloud);
        // with tags a workspace is chosen when the module is initialized
        let named = cloud.items.iter().any(|(name, value)| {
            name.value == "workspaces"
                && matches!(&value.value, Setting::Settings(inner) if inner.items.iter().any(|(key, _)| key.value == "name"))
        });
        if named {
            check.is_shared(cloud, cloud, "`cloud`");
        }
    }
}

struct Check<'a> {
    map: &'a RegionMap,
    findings: &'a mut Vec<Finding>,
}

impl Check<'_> {
    fn only_one(&mut self, first: &mut Option<(String, Span)>, name: String, span: Span) {
        match first {
            Some((other, place)) => self.findings.push(
                Finding::new(&BACKEND, span, format!("{name} is given beside {other}"))
                    .related(*place, "it is here")
                    .help("a module's state is kept in one place; leave one of the two out"),
            ),
            None => *first = Some((name, span)),
        }
    }

    fn s3(&mut self, backend: &S3Backend) {
        let Some(settings) = &backend.settings else { return };
        self.settings(settings);
        let is_key = |name: &str| name != "settings" && S3Backend::KEYS.contains(&name);
        for (name, _) in settings.items.iter().filter(|(name, _)| is_key(name)) {
            self.findings.push(
                Finding::new(&BACKEND_SETTING, name.span, format!("`{name}` has a key of its own in `s3`", name = name.value))
                    .help(format!("write `{}` beside `settings`", name.value)),
            );
        }
        if let Some((name, key)) = settings.items.iter().find(|(name, _)| name.value == "key") {
            self.is_shared(name, &one(name, key), "`key`");
        }
    }

    fn settings(&mut self, settings: &Settings) {
        for (name, setting) in &settings.items {
            if !is_setting_name(name) {
                let problem = format!("`{}` can't be the name of a setting", name.escape_debug());
                let help = "a name begins with a letter or `_`, and has only letters, digits, `_` and `-`";
                self.findings.push(Finding::new(&BACKEND_SETTING, name.span, problem).help(help));
            }
            self.setting(name, setting);
        }
    }

    /// `name` is what it is called, or the list that it is in.
    fn setting(&mut self, name: &str, setting: &Spanned<Setting>) {
        match &setting.value {
            Setting::Text(text) => self.text(name, text, setting.span),
            Setting::Bare(_) => {}
            Setting::List(items) => items.iter().for_each(|item| self.setting(name, item)),
            Setting::Settings(inner) => {
                for (name, setting) in &inner.items {
                    self.text("", name, name.span);
                    self.setting(name, setting);
                }
            }
        }
    }

    fn text(&mut self, name: &str, text: &str, span: Span) {
        let shown = text.escape_debug();
        if is_secret(name, text) {
            self.findings.push(
                Finding::new(&BACKEND_SECRET, span, format!("`{}` looks like a secret", name.escape_debug()))
                    .label("whoever can read the map, the modules or a plan file would have it")
                    .help(
                        "leave it out: a backend takes its credentials from the environment or a profile; what stands in its block goes into \
                         `.terraform/` and plan files",
                    ),
            );
            return;
        }
        if !unicode_normalization::is_nfc(text) {
            let finding = Finding::new(&BACKEND, span, format!("`{shown}` {}", texts::NOT_COMPOSED));
            self.findings.push(finding.help(texts::NOT_COMPOSED_HELP));
        }
        if let Some(begin) = ["${", "%{"].into_iter().find(|begin| text.contains(begin)) {
            self.findings.push(
                Finding::new(&BACKEND_SETTING, span, format!("`{shown}` has `{begin}`, and a backend takes no variables"))
                    .label("it would stand there as text")
                    .help(format!("write the value out, or with placeholders: {}", all())),
            );
            return;
        }
        for placeholder in placeholders_of_statement(text) {
            match BackendPlaceholder::find(placeholder) {
                None => self.findings.push(unknown(placeholder, text, span)),
                Some(BackendPlaceholder::Org) if !self.has_organization() => self.findings.push(
                    Finding::new(&BACKEND_SETTING, span, format!("`{shown}` needs `organization.name`"))
                        .help("write `organization: { name: … }`, or leave `{org}` out"),
                ),
                Some(_) => {}
            }
        }
    }

    fn has_organization(&self) -> bool {
        self.map.organization.as_ref().is_some_and(|organization| organization.name.is_some())
    }

    /// Would two accounts keep their state in one place?
    fn is_shared<T>(&mut self, at: &Spanned<T>, settings: &Settings, what: &str) {
        let mut accounts = self.map.accounts_in_use();
        let (Some((first, _)), Some((second, _))) = (accounts.next(), accounts.next()) else { return };
        let tells = settings.items.iter().any(|(_, setting)| tells_accounts_apart(&setting.value));
        if !tells {
            self.findings.push(
                Finding::new(&SHARED_STATE, at.span, format!("the state of all accounts would be in one place of {what}"))
                    .related(first.span, "the modules of this account")
                    .related(second.span, "and of this one would take each other's resources for their own")
                    .help("write `{account}` or `{account_id}` in what names the state, such as `prefix: \"logmap/{account}\"`"),
            );
        }
    }
}

fn one(name: &Spanned<String>, setting: &Spanned<Setting>) -> Settings {
    let mut entries = Settings::default();
    entries.items.push((name.clone(), setting.clone()));
    entries
}

fn tells_accounts_apart(setting: &Setting) -> bool {
    match setting {
        Setting::Text(text) => placeholders_of_statement(text).any(|name| {
            matches!(BackendPlaceholder::find(name), Some(BackendPlaceholder::Account | BackendPlaceholder::AccountId))
        }),
        Setting::Bare(_) => false,
        Setting::List(items) => items.iter().any(|item| tells_accounts_apart(item)),
        Setting::Settings(inner) => inner.items.iter().any(|(_, item)| tells_accounts_apart(item)),
    }
}

fn is_secret(name: &str, text: &str) -> bool {
    let password = || {
        let (_, rest) = text.split_once("://")?;
        let authority = rest.split(['/', '?', '#']).next()?;
        authority.rsplit_once('@')?.0.split_once(':').filter(|(_, password)| !password.is_empty())
    };
    let named = SECRETS.iter().any(|secret| name.eq_ignore_ascii_case(secret)) && !text.is_empty();
    // the settings of `conn_str` of `pg` come as `name=value`, too, and `credentials` of `gcs` may be a key's content
    named
        || text.contains("PRIVATE KEY-----")
        || text.contains("password=")
        || text.contains("\"private_key\"")
        || password().is_some()
}

fn all() -> String {
    list(BackendPlaceholder::names())
}

fn unknown(name: &str, text: &str, span: Span) -> Finding {
    let finding = Finding::new(&BACKEND_SETTING, span, format!("`{{{}}}` is not a placeholder", name.escape_debug()));
    match did_you_mean(name, BackendPlaceholder::names()) {
        Some(near) => {
            let meant = text.replace(&format!("{{{name}}}"), &format!("{{{near}}}"));
            finding
                .help(format!("did you mean `{{{near}}}`?"))
                .unsafe_fix(format!("write `{{{near}}}`"), Change::Scalar(span, meant))
        }
        // a root module has all Regions of its account
        None => finding.help(format!("the placeholders of a backend are {}; `{{{{` and `}}}}` are braces", all())),
    }
}
