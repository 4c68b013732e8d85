use std::rc::Rc;
use std::sync::Arc;

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use m365_graph::{
    AppRegistration, Cloud, Endpoints, EntraIdentity, GraphClock, HttpClient, IdentitySettings, Proof,
    client_config, client_config_trusting,
};
use m365_presence::identity::Credential;
use m365_presence::ports::{Identity, Presented, SignInError, SignedIn};
use m365_presence::secret::Secret;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};

use crate::support::APP;

/// A TLS server that offers HTTP/2 as well, and grants a token to HTTP/1.1 only.
fn tls_server() -> (String, CertificateDer<'static>) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let certificate = made.cert.der().clone();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    let server = HttpServer::new(|| App::new().default_service(web::to(grant)))
        .workers(1)
        .disable_signals()
        .bind_rustls_0_23("127.0.0.1:0", config)
        .unwrap();
    let url = format!("https://localhost:{}", server.addrs()[0].port());
    tokio::spawn(server.run());
    (url, certificate)
}

async fn grant(request: HttpRequest) -> HttpResponse {
    match request.version() {
        actix_web::http::Version::HTTP_11 => {
            HttpResponse::Ok().body(r#"{"access_token":"a","expires_in":3599}"#)
        }
        _ => HttpResponse::VersionNotSupported().finish(),
    }
}

fn sign_in(url: &str, tls: Arc<ClientConfig>) -> LocalBoxFuture<'static, Result<SignedIn, SignInError>> {
    let http = Rc::new(HttpClient::new(tls, Rc::new(GraphClock::new())));
    let settings = IdentitySettings {
        tenant: "contoso.onmicrosoft.com".to_owned(),
        app: AppRegistration {
            client_id: APP.to_owned(),
            proof: Some(Proof::Secret(Secret::new("s"))),
        },
        communication_users: vec![],
    };
    let endpoints = Endpoints::new(Cloud::Global, Some(url), None).unwrap();
    let identity = EntraIdentity::new(http, endpoints, &settings).unwrap();
    async move { identity.sign_in(&Credential::App, Presented::default()).await }.boxed_local()
}

#[actix_rt::test]
async fn an_unknown_authority_is_refused_and_a_known_one_spoken_with_over_http_1() {
    let (url, certificate) = tls_server();
    let unknown = sign_in(&url, client_config().unwrap()).await;
    assert!(matches!(unknown, Err(SignInError::Lost { .. })), "{unknown:?}");
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    sign_in(&url, client_config_trusting(roots).unwrap())
        .await
        .unwrap();
}
