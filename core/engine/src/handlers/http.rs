//! `http`: asks a service.
//!
//! | parameter | meaning |
//! |---|---|
//! | `url` | `http` or `https`, without user and password |
//! | `method` | `GET` (default), `POST`, … |
//! | `headers` | a map: text, or `{ env: NAME }` for a variable of the engine's environment, so that a secret is not in the log |
//! | `body` | text as it is, anything else as JSON |
//! | `keep` | names of the answer's headers that the result has; none by default, as they may hold secrets |
//!
//! Its result is a map of `status`, `headers` and `body` (JSON as data, other text as text, anything else as bytes). Every status but
//! 2xx fails the attempt with the code `http/STATUS`, such as `http/503`; other codes are `http/connect` and `http/body`. Redirects are
//! answers, not followed. Each call has the header `idempotency-key`, `case/item`, the same for all attempts, unless the net sets it.
//! Certificates are checked against the system's roots.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use actum_model::Value;
use async_trait::async_trait;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::sync::OnceCell;

use super::json;
use super::secrets::{self, Lookup};
use crate::handler::{Call, Handler, HandlerError, TimeLimits};
use crate::telemetry;

/// Most bytes of an answer's body, below what one event may hold.
const BODY_BYTES_MAX: usize = 512 << 10;
/// Most bytes of an answer's header that is kept.
const HEADER_BYTES_MAX: usize = 4_096;
/// How much of the body of a failure its message has.
const ERROR_BYTES_MAX: usize = 500;
/// How long a call may take, if its task's policies do not say.
const TIME_MAX: Duration = Duration::from_mins(1);
/// How long finding and reaching a host may take.
const CONNECT_MAX: Duration = Duration::from_secs(10);

type HttpClient = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// The handler `http`; see the crate's table of its parameters.
#[derive(Clone)]
pub struct Http {
    /// If there are any: only these hosts.
    allowed: Option<Arc<[String]>>,
    lookup: Arc<Lookup>,
    client: Arc<OnceCell<HttpClient>>,
}

impl std::fmt::Debug for Http {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Http").field("allowed", &self.allowed).finish_non_exhaustive()
    }
}

impl Http {
    /// Asks whatever host nets name.
    #[must_use]
    pub fn any() -> Self {
        Http { allowed: None, lookup: Arc::new(secrets::environment), client: Arc::default() }
    }

    /// Asks only these hosts, each as in a URL, without a port.
    #[must_use]
    pub fn only(hosts: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let hosts = hosts.into_iter().map(|host| host.into().to_ascii_lowercase());
        Http { allowed: Some(hosts.collect()), ..Self::any() }
    }

    /// Takes secrets from somewhere else than the environment of the process.
    #[must_use]
    pub fn secrets(mut self, lookup: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        self.lookup = Arc::new(lookup);
        self
    }

    fn request(&self, call: &Call) -> Result<(Request<Full<Bytes>>, Vec<String>), HandlerError> {
        let Value::Map(input) = &call.input else { return Err(bad("the parameters are a map")) };
        let known = ["url", "method", "headers", "body", "keep"];
        if let Some(unknown) = input.keys().find(|key| !known.contains(&key.as_str())) {
            return Err(bad(&format!("the handler http has no parameter `{unknown}`")));
        }
        let method = match input.get("method") {
            None => Method::GET,
            Some(Value::String(method)) => method.parse().map_err(|_| bad("`method` is no HTTP method"))?,
            Some(_) => return Err(bad("`method` is a text")),
        };
        let mut request = Request::new(Full::default());
        *request.method_mut() = method;
        *request.uri_mut() = self.uri(input)?;
        let (body, kind) = match input.get("body") {
            None | Some(Value::Null) => (Vec::new(), None),
            Some(Value::String(text)) => (text.clone().into_bytes(), Some("text/plain; charset=utf-8")),
            Some(value) => (json::write(value), Some("application/json")),
        };
        let headers = request.headers_mut();
        headers.extend(kind.map(|kind| (CONTENT_TYPE, HeaderValue::from_static(kind))));
        // Digits and a slash are always a header's value.
        let key = HeaderValue::try_from(format!("{}/{}", call.case, call.item));
        headers.extend(key.ok().map(|key| (HeaderName::from_static("idempotency-key"), key)));
        headers
            .insert(hyper::header::USER_AGENT, HeaderValue::from_static(concat!("actum/", env!("CARGO_PKG_VERSION"))));
        let parent = telemetry::traceparent().and_then(|parent| HeaderValue::try_from(parent).ok());
        headers.extend(parent.map(|parent| (HeaderName::from_static("traceparent"), parent)));
        for (name, value) in secrets::map(input, "headers")? {
            let what = format!("`headers.{name}`");
            let (text, is_secret) = secrets::text(value, &what, &*self.lookup)?;
            let name: HeaderName = name.parse().map_err(|_| bad(&format!("{what} is no header")))?;
            let mut value = HeaderValue::try_from(text).map_err(|_| bad(&format!("{what} is no header's value")))?;
            value.set_sensitive(is_secret);
            headers.insert(name, value);
        }
        *request.body_mut() = Full::new(Bytes::from(body));
        let keep = match input.get("keep") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::List(names)) => names.iter().map(kept).collect::<Result<_, _>>()?,
            Some(_) => return Err(bad("`keep` is a list of headers")),
        };
        Ok((request, keep))
    }

    fn uri(&self, input: &BTreeMap<String, Value>) -> Result<Uri, HandlerError> {
        let Some(Value::String(url)) = input.get("url") else { return Err(bad("`url` is a text")) };
        // The URL itself is not said: it may hold a secret.
        let uri: Uri = url.parse().map_err(|_| bad("`url` is no URL"))?;
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        let is_http = matches!(uri.scheme_str(), Some("http" | "https"));
        if !is_http || authority.contains('@') {
            return Err(bad("`url` begins with http:// or https://, and has no user or password"));
        }
        let host = uri.host().unwrap_or_default().to_ascii_lowercase();
        if self.allowed.as_ref().is_some_and(|allowed| !allowed.contains(&host)) {
            return Err(HandlerError::new("http/not-allowed", format!("the host {host} may not be asked")));
        }
        Ok(uri)
    }

    async fn client(&self) -> Result<&HttpClient, HandlerError> {
        self.client
            .get_or_try_init(|| async {
                let mut tcp = HttpConnector::new();
                tcp.enforce_http(false);
                tcp.set_connect_timeout(Some(CONNECT_MAX));
                let roots = HttpsConnectorBuilder::new().with_native_roots().map_err(|error| {
                    HandlerError::new("http/roots", format!("the system has no certificates: {error}"))
                })?;
                let connector = roots.https_or_http().enable_http1().wrap_connector(tcp);
                Ok(Client::builder(TokioExecutor::new()).build(connector))
            })
            .await
    }
}

fn bad(what: &str) -> HandlerError {
    HandlerError::new("handler/input", what)
}

fn kept(name: &Value) -> Result<String, HandlerError> {
    match name {
        Value::String(name) => Ok(name.to_ascii_lowercase()),
        _ => Err(bad("`keep` is a list of headers")),
    }
}

fn body(kind: &str, bytes: Bytes) -> Result<Value, HandlerError> {
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if kind == "application/json" || kind.ends_with("+json") {
        return json::read(&bytes).map_err(|error| HandlerError::new("http/body", format!("it is not JSON: {error}")));
    }
    Ok(String::from_utf8(bytes.into()).map_or_else(|error| Value::Bytes(error.into_bytes()), Value::String))
}

fn headers(all: &HeaderMap, keep: &[String]) -> Value {
    let of = |name: &String| {
        let text = all.get(name)?.to_str().ok().filter(|text| text.len() <= HEADER_BYTES_MAX)?;
        Some((name.clone(), Value::String(text.to_owned())))
    };
    Value::Map(keep.iter().filter_map(of).collect())
}

#[async_trait]
impl Handler for Http {
    async fn handle(&self, call: Call) -> Result<Value, HandlerError> {
        let (request, keep) = self.request(&call)?;
        let host = request.uri().host().unwrap_or_default().to_owned();
        let failed = |error: &dyn std::error::Error| {
            HandlerError::new("http/connect", format!("{host}: {}", crate::error::chain(error)))
        };
        let response = self.client().await?.request(request).await.map_err(|error| failed(&error))?;
        let status = response.status();
        let (parts, stream) = response.into_parts();
        let bytes = Limited::new(stream, BODY_BYTES_MAX).collect().await.map_err(|error| {
            let what = if error.is::<LengthLimitError>() { "more than the limit" } else { "it ended early" };
            HandlerError::new("http/body", format!("the answer of {host}: {what} ({BODY_BYTES_MAX} bytes)"))
        })?;
        let bytes = bytes.to_bytes();
        if !status.is_success() {
            let text = String::from_utf8_lossy(&bytes);
            let said = &text[..text.floor_char_boundary(ERROR_BYTES_MAX)];
            return Err(HandlerError::new(format!("http/{}", status.as_u16()), format!("{host}: {status}: {said}")));
        }
        let kind = parts.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let result = [
            ("status".to_owned(), Value::Int(i64::from(status.as_u16()))),
            ("headers".to_owned(), headers(&parts.headers, &keep)),
            ("body".to_owned(), body(kind, bytes)?),
        ];
        Ok(Value::Map(BTreeMap::from(result)))
    }

    fn time_limits(&self) -> TimeLimits {
        TimeLimits { handle: Some(TIME_MAX), ..TimeLimits::default() }
    }
}
