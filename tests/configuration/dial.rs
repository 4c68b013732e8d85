//! The PBXs that the connector dials.

use crate::program::{Answer, and, check, check_with};

const FINGERPRINT: &str = "6653b8fd9518cb6bc8a6b9469e506156081b546d1e42e164565368c4fe249b68";

fn dial(section: &str) -> Answer {
    check(&and(&format!("[[pbx.dial]]\n{section}")))
}

#[test]
fn a_host_and_an_object_are_enough() {
    for host in ["pbx.example.com", "pbx.example.com:8443", "10.1.2.3"] {
        dial(&format!("host = \"{host}\"\nobject = \"m365\"")).is_fine();
    }
}

#[test]
fn what_is_missing_is_named_with_its_place() {
    dial("object = \"m365\"").refuses("pbx.dial.0.host", &["is missing", "PBX > Config"]);
    dial("host = \"pbx\"").refuses("pbx.dial.0.object", &["is missing", "App object > Name"]);
}

#[test]
fn a_host_is_no_address() {
    dial("host = \"https://pbx.example.com\"\nobject = \"m365\"")
        .refuses("pbx.dial.0.host", &["whole address", "use the host alone"]);
    dial("host = \"pbx.example.com/PBX0\"\nobject = \"m365\"").refuses("pbx.dial.0.host", &["more in it"]);
}

#[test]
fn an_ipv6_address_needs_a_name() {
    dial("host = \"[2001:db8::1]\"\nobject = \"m365\"").refuses("pbx.dial.0.host", &["IPv6", "DNS name"]);
}

#[test]
fn an_unusual_address_is_a_websocket_with_tls() {
    dial("url = \"wss://proxy.example.com/x/PBX0/APPS/websocket\"\nobject = \"m365\"").is_fine();
    dial("url = \"ws://127.0.0.1:8080/PBX0/APPS/websocket\"\nobject = \"m365\"").is_fine();
    dial("url = \"ws://pbx.example.com/PBX0/APPS/websocket\"\nobject = \"m365\"")
        .refuses("pbx.dial.0.url", &["without TLS", "certificate ="]);
    dial("url = \"https://pbx.example.com\"\nobject = \"m365\"").refuses("pbx.dial.0.url", &["wss://"]);
    dial("host = \"pbx\"\nurl = \"wss://pbx/x\"\nobject = \"m365\"")
        .refuses("pbx.dial.0.url", &["beside host"]);
}

#[test]
fn a_certificate_is_pinned_by_its_fingerprint_in_every_spelling() {
    let capitals = FINGERPRINT.to_uppercase();
    let pairs: Vec<_> = capitals
        .as_bytes()
        .chunks(2)
        .map(|pair| std::str::from_utf8(pair).unwrap())
        .collect();
    for fingerprint in [
        FINGERPRINT.to_owned(),
        pairs.join(":"),
        pairs.join("-"),
        format!("sha256:{FINGERPRINT}"),
    ] {
        dial(&format!(
            "host = \"pbx\"\nobject = \"m365\"\ncertificate = \"{fingerprint}\""
        ))
        .is_fine();
    }
}

#[test]
fn what_is_no_certificate_is_refused_with_the_remedy() {
    let with = |certificate: &str| {
        dial(&format!(
            "host = \"pbx\"\nobject = \"m365\"\ncertificate = \"{certificate}\""
        ))
    };
    with(&FINGERPRINT[..40]).refuses("pbx.dial.0.certificate", &["SHA-1", "openssl x509"]);
    with("/nowhere/pbx.crt").refuses(
        "pbx.dial.0.certificate",
        &["cannot be read", "SHA-256 fingerprint"],
    );
    dial(&format!(
        "url = \"ws://localhost/x\"\nobject = \"m365\"\ncertificate = \"{FINGERPRINT}\""
    ))
    .refuses("pbx.dial.0.certificate", &["without TLS"]);
}

#[test]
fn the_name_is_no_dns_name() {
    dial("host = \"pbx\"\nobject = \"m365\"\npbx = \"pbx.example.com\"")
        .refuses("pbx.dial.0.pbx", &["DNS name", "\"pbx\""]);
}

#[test]
fn the_same_object_of_the_same_pbx_is_dialled_once() {
    let section = "host = \"pbx\"\nobject = \"m365\"\n";
    dial(&format!("{section}[[pbx.dial]]\n{section}"))
        .refuses("pbx.dial.1.object", &["pbx.dial.0", "remove"]);
    dial(&format!(
        "{section}[[pbx.dial]]\nhost = \"pbx\"\nobject = \"microsoft365-api\""
    ))
    .is_fine();
}

#[test]
fn the_environment_can_give_it_all() {
    let answer = check_with(
        &and(""),
        &[
            ("CONNECTOR__PBX__DIAL__0__HOST", "pbx.example.com"),
            ("CONNECTOR__PBX__DIAL__0__OBJECT", "m365"),
            ("CONNECTOR__PBX__DIAL__0__PASSWORD", "of-its-own"),
        ],
    );
    answer.is_fine();
    assert_eq!(answer.value("pbx.dial.0.host").0, "\"pbx.example.com\"");
    assert!(!answer.stdout.contains("of-its-own"), "{}", answer.stdout);
}

#[test]
fn an_unknown_key_is_refused_with_the_nearest_one() {
    dial("host = \"pbx\"\nobjekt = \"m365\"\nobject = \"m365\"")
        .refuses("pbx.dial.0.objekt", &["pbx.dial.0.object"]);
}
