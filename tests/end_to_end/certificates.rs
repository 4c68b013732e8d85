//! App registrations that prove themselves by certificates, and what is told before an end comes.

use std::path::PathBuf;

use m365_simulator::microsoft::{App, Family};
use rcgen::{CertificateParams, KeyPair};

use crate::world::{CLIENT_SECRET, World};

const DAY: std::time::Duration = std::time::Duration::from_secs(86_400);

/// A certificate in a file of the world, with its key, as the lines that name both.
struct Made {
    der: Vec<u8>,
    certificate: PathBuf,
    key: PathBuf,
}

impl Made {
    /// Makes a certificate that ends in so many days.
    fn new(world: &World, name: &str, days: u32) -> Self {
        let pair = KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
        let mut parameters = CertificateParams::new([name.to_owned()]).unwrap();
        let now = std::time::SystemTime::now();
        parameters.not_before = (now - DAY).into();
        parameters.not_after = (now + DAY * days).into();
        let made = parameters.self_signed(&pair).unwrap();
        let folder = world.configuration_file().parent().unwrap().to_owned();
        let (certificate, key) = (
            folder.join(format!("{name}.crt")),
            folder.join(format!("{name}.key")),
        );
        std::fs::write(&certificate, made.pem()).unwrap();
        std::fs::write(&key, pair.serialize_pem()).unwrap();
        Self {
            der: made.der().to_vec(),
            certificate,
            key,
        }
    }

    fn client(&self) -> String {
        let (certificate, key) = (&self.certificate, &self.key);
        format!("client_certificate = {certificate:?}\nclient_private_key = {key:?}")
    }
}

fn client_secret() -> String {
    format!("client_secret = {CLIENT_SECRET:?}")
}

/// The details of the warnings with a code.
fn warnings(world: &World, code: &str) -> Vec<String> {
    let status = world.status();
    let all = status["warnings"].as_array().cloned().unwrap_or_default();
    let of_code = all.iter().filter(|warning| warning["code"] == code);
    of_code
        .map(|warning| warning["detail"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn the_app_and_a_communication_users_own_app_sign_in_with_certificates() {
    let world = World::of(&["anna"]).build();
    let (app, delegated) = (Made::new(&world, "app", 400), Made::new(&world, "delegated", 400));
    let mut own = App::synchroniser(world.tenant().id, "nobody knows it");
    own.secrets.clear();
    own.public_client = false;
    own.certificates.push(delegated.der.clone());
    world.cloud().put_app(own.clone());
    world.cloud().change_app(world.app().client_id, |known| {
        known.secrets.clear();
        known.certificates.push(app.der.clone());
    });
    world.edit(&client_secret(), &app.client());
    let user = "username = \"presence1@contoso.example\"";
    let lines = format!(
        "{user}\nclient_id = \"{}\"\n{}",
        own.client_id,
        delegated.client()
    );
    world.edit(user, &lines);
    world.start_again();
    world.until_synchronised(1);
    let created = world.cloud().subscriptions();
    let presences = created.iter().find(|found| found.is_presence()).unwrap();
    assert_eq!(presences.app, own.client_id);
    assert_eq!(world.cloud().count(Family::Token).requests, 2);
    assert_eq!(world.status()["warnings"].as_array().unwrap().len(), 0);
}

#[test]
fn a_certificate_that_is_not_uploaded_names_its_light() {
    let world = World::of(&["anna"]).build();
    let app = Made::new(&world, "app", 400);
    world.edit(&client_secret(), &app.client());
    world.start_again();
    world.until_light("authentication", "wrong_certificate");
    let detail = world.status()["lights"]["authentication"]["detail"].to_string();
    assert!(
        detail.contains("AADSTS700027") && detail.contains("Upload"),
        "{detail}"
    );
}

#[test]
fn ends_are_warned_of_before_they_come() {
    let world = World::of(&["anna"]).build();
    let (app, tls) = (Made::new(&world, "app", 20), Made::new(&world, "tls", 5));
    world.cloud().change_app(world.app().client_id, |known| {
        known.certificates.push(app.der.clone())
    });
    world.edit(&client_secret(), &app.client());
    let (certificate, key) = (&tls.certificate, &tls.key);
    world.edit(
        "[public]\n",
        &format!("[public]\ntls_certificate = {certificate:?}\ntls_private_key = {key:?}\n"),
    );
    let user = "username = \"presence1@contoso.example\"";
    let soon = (chrono::Utc::now() + chrono::TimeDelta::days(3)).format("%Y-%m-%d");
    let own = format!(
        "{user}\nclient_id = \"{}\"\n{}\nclient_secret_expires = \"{soon}\"",
        world.app().client_id,
        client_secret()
    );
    world.edit(user, &own);
    world.start_again();
    world.until_light("authentication", "ok");
    let told = |code: &str| warnings(&world, code).join(" ");
    world.wait_until("three warnings", || {
        world.status()["warnings"]
            .as_array()
            .is_some_and(|warnings| warnings.len() == 3)
    });
    let (certificate, listener) = (
        told("client_certificate_expiring"),
        told("tls_certificate_expiring"),
    );
    assert!(
        certificate.contains("the app registration") && certificate.contains("in 19 days"),
        "{certificate}"
    );
    assert!(
        listener.contains("public listener") && listener.contains("in 4 days"),
        "{listener}"
    );
    let secret = told("client_secret_expiring");
    assert!(
        secret.contains("presence1@contoso.example") && secret.contains("client_secret_expires"),
        "{secret}"
    );
    let status = world.status();
    let urgent: Vec<_> = status["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["urgent"])
        .collect();
    assert_eq!(urgent, [true, false, true]);
    let log = world.log();
    let lines = |text: &str| log.lines().filter(|line| line.contains(text)).count();
    assert_eq!(
        lines("in 4 days"),
        1,
        "once, although the status is read every second"
    );
}
