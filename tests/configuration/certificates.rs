//! Certificates with their keys: the app registrations', and the public listener's.

use std::path::PathBuf;

use rcgen::{CertificateParams, KeyPair, SignatureAlgorithm};
use tempfile::TempDir;

use crate::program::{Answer, check, with};

const SECRET: &str = "client_secret = \"the~client.secret\"";

/// A folder with the files of one test.
struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Makes a certificate for these years, with its key.
    fn pair(
        &self,
        name: &str,
        algorithm: &'static SignatureAlgorithm,
        years: (i32, i32),
    ) -> (PathBuf, PathBuf) {
        let key = KeyPair::generate_for(algorithm).unwrap();
        let mut parameters = CertificateParams::new(["connector.test".to_owned()]).unwrap();
        parameters.not_before = rcgen::date_time_ymd(years.0, 1, 1);
        parameters.not_after = rcgen::date_time_ymd(years.1, 1, 1);
        let certificate = parameters.self_signed(&key).unwrap();
        (
            self.file(&format!("{name}.crt"), &certificate.pem()),
            self.file(&format!("{name}.key"), &key.serialize_pem()),
        )
    }

    fn rsa(&self, name: &str) -> (PathBuf, PathBuf) {
        self.pair(name, &rcgen::PKCS_RSA_SHA256, (2024, 2124))
    }
}

fn named((certificate, key): &(PathBuf, PathBuf)) -> String {
    format!("client_certificate = {certificate:?}\nclient_private_key = {key:?}")
}

/// Checks an app registration that proves itself by this pair.
fn by(pair: &(PathBuf, PathBuf)) -> Answer {
    check(&with(SECRET, &named(pair)))
}

#[test]
fn an_app_registration_has_a_secret_or_a_certificate_with_its_key() {
    let files = Files::new();
    let pair = files.rsa("app");
    check(&with(SECRET, "")).refuses("microsoft.client_secret", &["is missing", "client_certificate"]);
    by(&pair).is_fine();
    let both = check(&with(SECRET, &format!("{SECRET}\n{}", named(&pair))));
    both.refuses(
        "microsoft.client_secret",
        &["beside a certificate", "remove either"],
    );
    let alone = check(&with(SECRET, &format!("client_certificate = {:?}", pair.0)));
    alone.refuses("microsoft.client_private_key", &["is missing"]);
    let absent = (files.0.path().join("gone.crt"), pair.1);
    by(&absent).refuses("microsoft.client_certificate", &["cannot be read"]);
}

#[test]
fn a_certificate_and_a_key_that_do_not_belong_together_are_told() {
    let files = Files::new();
    let (pair, other) = (files.rsa("app"), files.rsa("other"));
    by(&(pair.0.clone(), other.1)).refuses(
        "microsoft.client_private_key",
        &["does not belong to the certificate", "public keys differ"],
    );
    by(&(pair.1.clone(), pair.1)).refuses("microsoft.client_certificate", &["without a certificate"]);
    by(&(pair.0.clone(), pair.0)).refuses("microsoft.client_private_key", &["without a private key"]);
}

#[test]
fn a_key_that_entra_does_not_take_is_told_with_the_command_for_a_better_one() {
    let files = Files::new();
    let elliptic = files.pair("elliptic", &rcgen::PKCS_ECDSA_P256_SHA256, (2024, 2124));
    by(&elliptic).refuses(
        "microsoft.client_certificate",
        &["no RSA key", "openssl req -x509"],
    );
    let short = include_str!("../../graph/tests/vectors/short-key/cert.pem");
    let short = (files.file("short.crt", short), files.rsa("app").1);
    by(&short).refuses("microsoft.client_certificate", &["1024 bits", "2048 or more"]);
    let (certificate, key) = files.rsa("app");
    let encrypted = std::fs::read_to_string(key)
        .unwrap()
        .replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    by(&(certificate, files.file("app.key", &encrypted))).refuses(
        "microsoft.client_private_key",
        &["encrypted with a passphrase", "openssl rsa"],
    );
}

#[test]
fn a_file_that_only_looks_like_a_certificate_is_told() {
    let files = Files::new();
    let (certificate, key) = files.rsa("app");
    let damaged = files.file(
        "damaged.crt",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    );
    by(&(damaged, key)).refuses(
        "microsoft.client_certificate",
        &["no certificate that can be read"],
    );
    let damaged = files.file(
        "damaged.key",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    );
    by(&(certificate, damaged)).refuses("microsoft.client_private_key", &["no private RSA key"]);
}

#[test]
fn a_certificate_out_of_its_time_is_refused_with_the_day() {
    let files = Files::new();
    let old = files.pair("old", &rcgen::PKCS_RSA_SHA256, (2019, 2021));
    by(&old).refuses(
        "microsoft.client_certificate",
        &["has expired on 2021-01-01", "upload"],
    );
    let early = files.pair("early", &rcgen::PKCS_RSA_SHA256, (2124, 2125));
    by(&early).refuses(
        "microsoft.client_certificate",
        &["not valid before 2124-01-01", "clock"],
    );
}

#[test]
fn a_communication_user_may_have_a_certificate_of_its_own() {
    let files = Files::new();
    let pair = files.rsa("delegated");
    let user = "client_id = \"22222222-2222-3333-4444-555555555555\"";
    let path = "microsoft.communication_users.0";
    check(&and_user(&format!("{user}\n{}", named(&pair)))).is_fine();
    check(&and_user(&named(&pair))).refuses(&format!("{path}.client_id"), &["is missing"]);
    check(&and_user(&format!("{user}\nclient_certificate = {:?}", pair.0)))
        .refuses(&format!("{path}.client_private_key"), &["is missing"]);
    check(&and_user(&format!(
        "{user}\nclient_secret = \"x\"\n{}",
        named(&pair)
    )))
    .refuses(&format!("{path}.client_secret"), &["beside a certificate"]);
    let other = files.rsa("other");
    check(&and_user(&format!("{user}\n{}", named(&(pair.0, other.1)))))
        .refuses(&format!("{path}.client_private_key"), &["does not belong"]);
}

/// A valid configuration whose communication user has these lines more.
fn and_user(lines: &str) -> String {
    let username = "username = \"presence@contoso.com\"";
    with(username, &format!("{username}\n{lines}"))
}

#[test]
fn the_end_of_a_secret_is_a_day_and_belongs_to_a_secret() {
    let expires = |day: &str| {
        check(&with(
            SECRET,
            &format!("{SECRET}\nclient_secret_expires = \"{day}\""),
        ))
    };
    expires("2124-06-30").is_fine();
    expires("30.06.2124").refuses("microsoft.client_secret_expires", &["no date", "YYYY-MM-DD"]);
    expires("2020-06-30").warns(
        "microsoft.client_secret_expires",
        &["in the past", "create a new secret"],
    );
    let pair = Files::new();
    let by_certificate = format!(
        "{}\nclient_secret_expires = \"2124-06-30\"",
        named(&pair.rsa("app"))
    );
    check(&with(SECRET, &by_certificate)).refuses(
        "microsoft.client_secret_expires",
        &["without a client_secret", "read off the certificate"],
    );
}

/// Checks a listener that shows this pair.
fn listener((certificate, key): &(PathBuf, PathBuf)) -> Answer {
    let lines = format!("tls_certificate = {certificate:?}\ntls_private_key = {key:?}\n");
    check(&with("[public]\n", &format!("[public]\n{lines}")))
}

#[test]
fn the_listeners_certificate_and_key_belong_together() {
    let files = Files::new();
    let pair = files.pair("tls", &rcgen::PKCS_ECDSA_P256_SHA256, (2024, 2124));
    listener(&pair).is_fine();
    let other = files.pair("other", &rcgen::PKCS_ECDSA_P256_SHA256, (2024, 2124));
    listener(&(pair.0.clone(), other.1)).refuses("public.tls_private_key", &["does not belong"]);
    let damaged = files.file(
        "damaged.crt",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    );
    listener(&(damaged, pair.1)).refuses("public.tls_certificate", &["cannot be read"]);
    let old = files.pair("old", &rcgen::PKCS_ECDSA_P256_SHA256, (2019, 2021));
    listener(&old).warns("public.tls_certificate", &["has expired on 2021-01-01", "renew"]);
}
