//! Requests: sent over one agent, signed by AWS's own signer, and their answers whole.

use super::operation::{Body, How, Operation};
use crate::aws::Partition;
use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{
        PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings, UriPathNormalizationMode, sign,
    },
    sign::v4,
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};
use ureq::{
    Agent,
    http::{Method, Request},
    tls::{PemItem, RootCerts, TlsConfig, parse_pem},
};

/// What RFC 3986 reserves nothing of.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// How long an answer may be, in bytes: a page of AWS's is below 1 MB.
const LONGEST: u64 = 32 << 20;
const CONNECT: Duration = Duration::from_secs(3);

/// What is asked for beside the operation.
#[derive(Debug, Clone, Default)]
pub(super) struct Input<'a> {
    /// S3: whose.
    pub bucket: Option<&'a str>,
    /// S3: further parameters of the query; form: its fields.
    pub fields: Vec<(&'static str, &'a str)>,
    /// JSON: the body.
    pub json: Option<serde_json::Value>,
}

impl<'a> Input<'a> {
    /// Of a bucket.
    pub(super) fn bucket(name: &'a str) -> Self {
        Input { bucket: Some(name), ..Input::default() }
    }

    /// With this body.
    pub(super) fn json(body: serde_json::Value) -> Self {
        Input { json: Some(body), ..Input::default() }
    }
}

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Its words.
    pub reason: String,
    /// Headers, by names in lower case.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: String,
}

impl Answer {
    /// A header.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }
}

/// Why there is no answer, by the name that the AWS SDK for Python has for it.
#[derive(Debug)]
pub(super) struct NoAnswer {
    /// Such as `ConnectTimeoutError`.
    pub name: &'static str,
    /// What happened.
    pub text: String,
    /// Nobody is there, or nobody says anything: to ask again may help, and another Region may answer.
    pub silent: bool,
}

/// Whom the agents trust: Mozilla's certificates, or those that `AWS_CA_BUNDLE` names.
///
/// # Errors
/// The file that `AWS_CA_BUNDLE` names can't be read, or has no certificate.
pub(super) fn trust() -> Result<TlsConfig, String> {
    let Some(path) = std::env::var_os("AWS_CA_BUNDLE").filter(|path| !path.is_empty()) else { return Ok(TlsConfig::default()) };
    let shown = path.to_string_lossy();
    let text = std::fs::read(&path).map_err(|error| format!("AWS_CA_BUNDLE: {shown} can't be read: {error}"))?;
    let certificates: Vec<_> = parse_pem(&text)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    if certificates.is_empty() {
        return Err(format!("AWS_CA_BUNDLE: {shown} has no certificate"));
    }
    Ok(TlsConfig::builder().root_certs(RootCerts::Specific(Arc::new(certificates))).build())
}

/// An agent: connections are kept, nothing is followed, and every status is an answer. Proxies are those of the environment.
pub(super) fn agent(trust: &TlsConfig, connect: Duration, read: Duration) -> Agent {
    Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .user_agent(concat!("logmap/", env!("CARGO_PKG_VERSION")))
        .max_idle_connections(512)
        .max_idle_connections_per_host(64)
        .timeout_resolve(Some(connect))
        .timeout_connect(Some(connect))
        .timeout_send_request(Some(read))
        .timeout_recv_response(Some(read))
        .timeout_recv_body(Some(read))
        .tls_config(trust.clone())
        .build()
        .new_agent()
}

/// The agent of calls, whose answers may take so long.
pub(super) fn calling(trust: &TlsConfig, read: Duration) -> Agent {
    agent(trust, CONNECT, read)
}

/// Where a service is in a Region: `endpoint` if one is set.
pub(super) fn address(operation: &Operation, region: &str, endpoint: Option<&str>, bucket: Option<&str>) -> String {
    let partition = Partition::of_region(region);
    let service = operation.service.name;
    let encoded = bucket.map(|bucket| utf8_percent_encode(bucket, ENCODED).to_string());
    match (endpoint, encoded) {
        (Some(endpoint), Some(bucket)) => format!("{}/{bucket}", endpoint.trim_end_matches('/')),
        (Some(endpoint), None) => format!("{}/", endpoint.trim_end_matches('/')),
        // the certificate of S3 has one label for a bucket, and a dot begins another one
        (None, Some(bucket)) if bucket.contains(['.', '%', '_']) => {
            format!("https://{service}.{region}.{}/{bucket}", partition.dns_suffix())
        }
        (None, Some(bucket)) => format!("https://{bucket}.{service}.{region}.{}/", partition.dns_suffix()),
        (None, None) if service == "iam" => match partition {
            Partition::Aws => "https://iam.amazonaws.com/".to_owned(),
            Partition::UsGov => "https://iam.us-gov.amazonaws.com/".to_owned(),
            _ => format!("https://iam.{region}.{}/", partition.dns_suffix()),
        },
        (None, None) => format!("https://{service}.{region}.{}/", partition.dns_suffix()),
    }
}

/// Sends one request, signed by the keys.
///
/// # Errors
/// There is no answer.
pub(super) fn send(
    agent: &Agent,
    keys: &Credentials,
    operation: &Operation,
    region: &str,
    endpoint: Option<&str>,
    input: &Input<'_>,
) -> Result<Answer, NoAnswer> {
    let pairs = |fields: &[(&str, &str)]| {
        let one = |(key, value): &(&str, &str)| format!("{}={}", encode(key), encode(value));
        fields.iter().map(one).collect::<Vec<_>>().join("&")
    };
    let mut url = address(operation, region, endpoint, input.bucket);
    let (mut method, mut body, mut headers) = (Method::POST, String::new(), Vec::new());
    match &operation.how {
        How::S3 { query, body, .. } => {
            method = if matches!(body, Body::None) { Method::HEAD } else { Method::GET };
            let words = [*query].into_iter().filter(|query| !query.is_empty()).map(str::to_owned);
            let query: Vec<String> = words.chain((!input.fields.is_empty()).then(|| pairs(&input.fields))).collect();
            if !query.is_empty() {
                url = format!("{url}?{}", query.join("&"));
            }
        }
        How::Json { target, .. } => {
            body = input.json.as_ref().map_or_else(|| "{}".to_owned(), serde_json::Value::to_string);
            headers = vec![("content-type", "application/x-amz-json-1.1"), ("x-amz-target", *target)];
        }
        How::Query { version, .. } => {
            let more = if input.fields.is_empty() { String::new() } else { format!("&{}", pairs(&input.fields)) };
            body = format!("Action={}&Version={version}{more}", operation.name);
            headers = vec![("content-type", "application/x-www-form-urlencoded; charset=utf-8")];
        }
    }
    let is_s3 = matches!(operation.how, How::S3 { .. });
    let mut settings = SigningSettings::default();
    if is_s3 {
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    }
    let broken = |text: String| NoAnswer { name: "HTTPClientError", text, silent: false };
    let identity = keys.clone().into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name(operation.service.name)
        .time(SystemTime::now())
        .settings(settings)
        .build()
        .map_err(|error| broken(error.to_string()))?
        .into();
    let signable = SignableRequest::new(method.as_str(), &url, headers.iter().copied(), SignableBody::Bytes(body.as_bytes()))
        .map_err(|error| broken(error.to_string()))?;
    let (signature, _) = sign(signable, &parameters).map_err(|error| broken(error.to_string()))?.into_parts();
    let mut request = Request::builder().method(method).uri(&url);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let mut request = request.body(body).map_err(|error| broken(error.to_string()))?;
    signature.apply_to_request_http1x(&mut request);
    let address = url.split('?').next().unwrap_or_default();
    let answered = if is_s3 { agent.run(request.map(|_| ())) } else { agent.run(request) };
    let mut answered = answered.map_err(|error| no_answer(&error, address))?;
    let read = answered.body_mut().with_config().limit(LONGEST).read_to_vec().map_err(|error| no_answer(&error, address))?;
    let status = answered.status();
    Ok(Answer {
        status: status.as_u16(),
        reason: status.canonical_reason().unwrap_or_default().to_owned(),
        headers: answered
            .headers()
            .iter()
            .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
            .collect(),
        body: String::from_utf8_lossy(&read).into_owned(),
    })
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

fn no_answer(error: &ureq::Error, address: &str) -> NoAnswer {
    use ureq::{Error, Timeout};
    let (name, text, silent) = match error {
        Error::Timeout(Timeout::Resolve | Timeout::Connect) => {
            ("ConnectTimeoutError", format!("Connect timeout on endpoint URL: \"{address}\""), true)
        }
        Error::Timeout(_) => ("ReadTimeoutError", format!("Read timeout on endpoint URL: \"{address}\""), true),
        Error::Io(error) if matches!(error.kind(), std::io::ErrorKind::ConnectionReset | std::io::ErrorKind::UnexpectedEof) => (
            "ConnectionClosedError",
            format!("Connection was closed before we received a valid response from endpoint URL: \"{address}\"."),
            true,
        ),
        Error::HostNotFound | Error::ConnectionFailed | Error::Io(_) => {
            ("EndpointConnectionError", format!("Could not connect to the endpoint URL: \"{address}\""), true)
        }
        Error::Tls(_) | Error::Rustls(_) | Error::Pem(_) => {
            ("SSLError", format!("SSL validation failed for {address} {error}"), false)
        }
        error => ("HTTPClientError", format!("{address}: {error}"), false),
    };
    NoAnswer { name, text, silent }
}

#[cfg(test)]
mod tests {
    use super::{super::operation, *};

    #[test]
    fn addresses_are_those_of_the_partition() {
        for (operation, region, endpoint, bucket, expected) in [
            (&operation::GET_LOGGING, "us-east-1", None, Some("acme-web"), "https://acme-web.s3.us-east-1.amazonaws.com/"),
            (&operation::GET_LOGGING, "cn-north-1", None, Some("acme.web"), "https://s3.cn-north-1.amazonaws.com.cn/acme.web"),
            (&operation::GET_LOGGING, "eu-west-1", Some("http://127.0.0.1:5000/"), Some("a"), "http://127.0.0.1:5000/a"),
            (&operation::LIST_BUCKETS, "us-iso-east-1", None, None, "https://s3.us-iso-east-1.c2s.ic.gov/"),
            (&operation::GET_ROLE, "us-east-1", None, None, "https://iam.amazonaws.com/"),
            (&operation::GET_ROLE, "us-gov-west-1", None, None, "https://iam.us-gov.amazonaws.com/"),
            (&operation::GET_ROLE, "cn-north-1", None, None, "https://iam.cn-north-1.amazonaws.com.cn/"),
            (&operation::GET_CALLER, "us-gov-west-1", None, None, "https://sts.us-gov-west-1.amazonaws.com/"),
            // what a list of buckets says is nobody's host
            (
                &operation::GET_LOGGING,
                "us-east-1",
                None,
                Some("a.example/?b#"),
                "https://s3.us-east-1.amazonaws.com/a.example%2F%3Fb%23",
            ),
            (&operation::GET_LOGGING, "us-east-1", None, Some("a@b"), "https://s3.us-east-1.amazonaws.com/a%40b"),
        ] {
            assert_eq!(address(operation, region, endpoint, bucket), expected);
        }
    }
}
