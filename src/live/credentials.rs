//! Whose credentials: AWS's own chains (environment, profiles with roles and sources, SSO, processes, web identity, containers and
//! instances), asked over our agent.

use super::{http, operation::Service};
use aws_config::{
    BehaviorVersion, Region, SdkConfig,
    profile::{ProfileFileCredentialsProvider, load},
    provider_config::ProviderConfig,
};
use aws_credential_types::{
    Credentials,
    provider::{ProvideCredentials, SharedCredentialsProvider, error::CredentialsError},
};
use aws_smithy_runtime_api::{
    client::{
        http::{
            HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector, http_client_fn,
        },
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
    },
    http::StatusCode,
};
use aws_smithy_types::body::SdkBody;
use aws_types::{
    os_shim_internal::{Env, Fs},
    service_config::ServiceConfigKey,
};
use std::{
    collections::BTreeMap,
    error::Error,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};
use tokio::runtime::Runtime;
use ureq::{Agent, tls::TlsConfig};

/// How long before their end credentials are asked for again.
const EARLY: Duration = Duration::from_secs(300);

/// The chains: one for each profile, and one for none.
pub(super) struct Chains {
    runtime: Mutex<Runtime>,
    http: SharedHttpClient,
    held: Mutex<BTreeMap<Option<String>, Arc<Chain>>>,
    /// Names of the profiles that there are.
    profiles: Vec<String>,
}

/// A chain of providers.
pub(super) struct Chain {
    provider: Option<SharedCredentialsProvider>,
    config: SdkConfig,
    keys: Mutex<Option<Credentials>>,
}

/// Why there are no credentials.
#[derive(Debug, Clone)]
pub(super) struct NoCredentials {
    /// A name for it.
    pub code: &'static str,
    /// What the chain says.
    pub message: String,
}

impl Chains {
    /// Looks at the files of profiles.
    ///
    /// # Errors
    /// A thread's means are used up.
    pub(super) fn new(trust: TlsConfig) -> Result<Self, String> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
        let http = http_client(trust);
        let found = runtime.block_on(load(&Fs::real(), &Env::real(), &Default::default(), None));
        // a file that can't be read is told where a chain needs it
        let profiles = found.map_or_else(|_| Vec::new(), |set| set.profiles().map(str::to_owned).collect());
        Ok(Chains { runtime: Mutex::new(runtime), http, held: Mutex::default(), profiles })
    }

    /// Is there a profile of this name?
    pub(super) fn has(&self, profile: &str) -> bool {
        self.profiles.iter().any(|name| name == profile)
    }

    /// The chain of a profile, or of none.
    pub(super) fn chain(&self, profile: Option<&str>) -> Arc<Chain> {
        let mut held = lock(&self.held);
        if let Some(chain) = held.get(&profile.map(str::to_owned)) {
            return Arc::clone(chain);
        }
        let mut loader = aws_config::defaults(BehaviorVersion::latest()).http_client(self.http.clone());
        if let Some(profile) = profile {
            loader = loader.profile_name(profile);
        }
        let config = lock(&self.runtime).block_on(loader.load());
        let provider = match profile {
            None => config.credentials_provider(),
            // a profile that is asked for wins over keys in the environment, as in the AWS CLI
            Some(profile) => {
                let region = config.region().cloned().or_else(|| Some(Region::from_static("us-east-1")));
                let settings = ProviderConfig::without_region().with_http_client(self.http.clone()).with_region(region);
                let provider = ProfileFileCredentialsProvider::builder().profile_name(profile).configure(&settings).build();
                Some(SharedCredentialsProvider::new(provider))
            }
        };
        let chain = Arc::new(Chain { provider, config, keys: Mutex::default() });
        held.insert(profile.map(str::to_owned), Arc::clone(&chain));
        chain
    }

    /// The credentials of a chain; those that end soon are asked for again.
    ///
    /// # Errors
    /// The chain has none.
    pub(super) fn keys(&self, chain: &Chain) -> Result<Credentials, NoCredentials> {
        let mut held = lock(&chain.keys);
        if let Some(keys) = held.as_ref().filter(|keys| lasts(keys)) {
            return Ok(keys.clone());
        }
        let none = || NoCredentials { code: "NoCredentialsError", message: "Unable to locate credentials".to_owned() };
        let provider = chain.provider.as_ref().ok_or_else(none)?;
        let keys = lock(&self.runtime).block_on(provider.provide_credentials()).map_err(|error| match error {
            CredentialsError::CredentialsNotLoaded(_) => none(),
            error => NoCredentials { code: "CredentialRetrievalError", message: causes(&error) },
        })?;
        *held = Some(keys.clone());
        Ok(keys)
    }
}

impl Chain {
    /// The Region of the profile or the environment.
    pub(super) fn region(&self) -> Option<String> {
        self.config.region().map(ToString::to_string)
    }

    /// The address that is set for a service, in the environment or in the profile.
    pub(super) fn endpoint(&self, service: Service) -> Option<String> {
        let key =
            ServiceConfigKey::builder().service_id(service.id).env("AWS_ENDPOINT_URL").profile("endpoint_url").build().ok()?;
        self.config
            .service_config()
            .and_then(|settings| settings.load_config(key))
            .or_else(|| self.config.endpoint_url().map(str::to_owned))
            .filter(|address| !address.is_empty())
    }
}

/// Do they last for some minutes more?
pub(super) fn lasts(keys: &Credentials) -> bool {
    keys.expiry().is_none_or(|end| end.duration_since(SystemTime::now()).is_ok_and(|left| left > EARLY))
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An error with its causes: the outermost alone says only that something went wrong.
fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        next = cause.source();
    }
    text
}

/// The chains' HTTP over our agent: theirs would be a second stack of TLS.
#[derive(Debug)]
struct Connector(Agent);

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::ready(call(&self.0, request))
    }
}

fn http_client(trust: TlsConfig) -> SharedHttpClient {
    http_client_fn(move |settings: &HttpConnectorSettings, _| {
        let seconds = |given: Option<Duration>, most: u64| given.unwrap_or(Duration::from_secs(most));
        let agent = http::agent(&trust, seconds(settings.connect_timeout(), 3), seconds(settings.read_timeout(), 10));
        SharedHttpConnector::new(Connector(agent))
    })
}

fn call(agent: &Agent, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
    let wrong = |error: Box<dyn Error + Send + Sync>| ConnectorError::user(error);
    let request = request.try_into_http1x().map_err(|error| wrong(error.into()))?;
    let (parts, body) = request.into_parts();
    let bytes = body.bytes().unwrap_or_default().to_vec();
    let has_body = !matches!(parts.method, ureq::http::Method::GET | ureq::http::Method::HEAD);
    let sent = ureq::http::Request::from_parts(parts, bytes);
    let answered = if has_body { agent.run(sent) } else { agent.run(sent.map(|_| ())) };
    let mut answered = answered.map_err(|error| match error {
        ureq::Error::Timeout(_) => ConnectorError::timeout(error.into()),
        error => ConnectorError::io(error.into()),
    })?;
    let body = answered.body_mut().read_to_vec().map_err(|error| ConnectorError::io(error.into()))?;
    let status = StatusCode::try_from(answered.status().as_u16()).map_err(|error| wrong(error.into()))?;
    let mut response = HttpResponse::new(status, SdkBody::from(body));
    for (name, value) in answered.headers() {
        if let Ok(value) = value.to_str() {
            response.headers_mut().append(name.as_str().to_owned(), value.to_owned());
        }
    }
    Ok(response)
}
