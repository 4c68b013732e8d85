//! What a certificate says of itself: how long it is good, and which key it is about.
//!
//! Only what an administrator must be told is read, with a reader of forty lines instead of a library: nothing is
//! trusted by it. Who trusts a certificate is decided by Entra, or by whoever opens a TLS connection.

use chrono::{DateTime, NaiveDateTime, Utc};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OBJECT_IDENTIFIER: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const EXPLICIT_VERSION: u8 = 0xa0;

/// `rsaEncryption`, 1.2.840.113549.1.1.1.
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

/// From when until when a certificate is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// Its first moment.
    pub from: DateTime<Utc>,
    /// Its last moment.
    pub until: DateTime<Utc>,
}

/// A certificate as far as it is read here.
#[derive(Clone, Debug)]
pub struct Certificate {
    der: CertificateDer<'static>,
    validity: Validity,
    /// The `RSAPublicKey`; `None` for keys of other kinds.
    rsa_key: Option<Vec<u8>>,
}

impl Certificate {
    /// Reads the first certificate of a PEM text; `None` when there is none, or none that can be read.
    pub fn from_pem(pem: &[u8]) -> Option<Self> {
        Self::from_der(&CertificateDer::from_pem_slice(pem).ok()?)
    }

    /// Reads a certificate in DER; `None` when it cannot be read.
    pub fn from_der(der: &CertificateDer<'_>) -> Option<Self> {
        let der = der.clone().into_owned();
        let (validity, rsa_key) = read(&der)?;
        Some(Self {
            validity,
            rsa_key: rsa_key.map(<[u8]>::to_vec),
            der,
        })
    }

    /// From when until when it is good.
    pub fn validity(&self) -> Validity {
        self.validity
    }

    pub(crate) fn der(&self) -> &[u8] {
        &self.der
    }

    /// Its public key as an `RSAPublicKey` in DER, if it is one.
    pub(crate) fn rsa_key(&self) -> Option<&[u8]> {
        self.rsa_key.as_deref()
    }

    /// The length of its RSA key in bits; 0 for keys of other kinds.
    pub(crate) fn rsa_bits(&self) -> usize {
        let modulus = || {
            let (numbers, _) = expect(self.rsa_key()?, SEQUENCE)?;
            expect(numbers, INTEGER).map(|(modulus, _)| modulus)
        };
        let modulus = modulus().unwrap_or_default();
        let begin = modulus
            .iter()
            .position(|byte| *byte != 0)
            .unwrap_or(modulus.len());
        let leading = modulus.get(begin).map_or(0, |byte| byte.leading_zeros());
        let digits = modulus.len().saturating_sub(begin).saturating_mul(8);
        digits.saturating_sub(usize::try_from(leading).unwrap_or_default())
    }
}

/// Reads validity and RSA key of a certificate (RFC 5280, section 4.1).
fn read(certificate: &[u8]) -> Option<(Validity, Option<&[u8]>)> {
    let (signed, _) = expect(certificate, SEQUENCE)?;
    let (content, _) = expect(signed, SEQUENCE)?;
    let (tag, _, after_first) = element(content)?;
    // the serial number stands first, or behind the version
    let rest = match tag {
        EXPLICIT_VERSION => element(after_first)?.2,
        _ => after_first,
    };
    let (_algorithm, rest) = expect(rest, SEQUENCE)?;
    let (_issuer, rest) = expect(rest, SEQUENCE)?;
    let (validity, rest) = expect(rest, SEQUENCE)?;
    let (_subject, rest) = expect(rest, SEQUENCE)?;
    let (key, _) = expect(rest, SEQUENCE)?;
    let (from, until) = time(validity)?;
    let validity = Validity {
        from,
        until: time(until)?.0,
    };
    Some((validity, rsa_key(key)))
}

fn rsa_key(key: &[u8]) -> Option<&[u8]> {
    let (algorithm, rest) = expect(key, SEQUENCE)?;
    let (kind, _) = expect(algorithm, OBJECT_IDENTIFIER)?;
    let (bits, _) = expect(rest, BIT_STRING)?;
    // the first byte counts unused bits, of which a key has none
    bits.strip_prefix(&[0]).filter(|_| kind == RSA)
}

/// Reads a time and returns what stands behind it.
fn time(input: &[u8]) -> Option<(DateTime<Utc>, &[u8])> {
    let (tag, text, rest) = element(input)?;
    let text = std::str::from_utf8(text).ok()?;
    let text = match tag {
        GENERALIZED_TIME => text.to_owned(),
        UTC_TIME => {
            let year: u8 = text.get(..2)?.parse().ok()?;
            format!("{}{text}", if year < 50 { "20" } else { "19" })
        }
        _ => return None,
    };
    let time = NaiveDateTime::parse_from_str(&text, "%Y%m%d%H%M%SZ").ok()?;
    Some((time.and_utc(), rest))
}

/// Takes an element of this tag off: its content, and what stands behind it.
fn expect(input: &[u8], wanted: u8) -> Option<(&[u8], &[u8])> {
    element(input).and_then(|(tag, content, rest)| (tag == wanted).then_some((content, rest)))
}

/// Takes one element off: tag, content, and what stands behind it.
fn element(input: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, first], rest) = input.split_first_chunk::<2>()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
        let fits = (1..=4).contains(&digits.len());
        let length = digits
            .iter()
            .fold(0_usize, |length, digit| length << 8 | usize::from(*digit));
        (fits.then_some(length)?, rest)
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEM: &[u8] = include_bytes!("../tests/vectors/rich-notification/cert.pem");

    fn made(algorithm: &'static rcgen::SignatureAlgorithm, years: (i32, i32)) -> String {
        let key = rcgen::KeyPair::generate_for(algorithm).unwrap();
        let mut parameters = rcgen::CertificateParams::new(["connector.test".to_owned()]).unwrap();
        parameters.not_before = rcgen::date_time_ymd(years.0, 2, 3);
        parameters.not_after = rcgen::date_time_ymd(years.1, 4, 5);
        parameters.self_signed(&key).unwrap().pem()
    }

    #[test]
    fn a_certificate_tells_its_time_in_both_notations() {
        for (algorithm, years) in [
            (&rcgen::PKCS_RSA_SHA256, (2024, 2049)),
            (&rcgen::PKCS_ECDSA_P256_SHA256, (1999, 2050)),
            (&rcgen::PKCS_ED25519, (2051, 2300)),
        ] {
            let read = Certificate::from_pem(made(algorithm, years).as_bytes()).unwrap();
            let day = |text: String| text.parse::<DateTime<Utc>>().unwrap();
            assert_eq!(read.validity.from, day(format!("{}-02-03T00:00:00Z", years.0)));
            assert_eq!(read.validity.until, day(format!("{}-04-05T00:00:00Z", years.1)));
        }
    }

    #[test]
    fn only_rsa_keys_are_read_with_their_length() {
        let rsa = Certificate::from_pem(PEM).unwrap();
        assert_eq!(rsa.rsa_bits(), 4096);
        let other = Certificate::from_pem(made(&rcgen::PKCS_ED25519, (2024, 2034)).as_bytes()).unwrap();
        assert_eq!((other.rsa_key(), other.rsa_bits()), (None, 0));
    }

    #[test]
    fn damaged_certificates_are_none_and_never_a_panic() {
        let whole = CertificateDer::from_pem_slice(PEM).unwrap();
        for length in 0..whole.len() {
            assert!(read(whole.get(..length).unwrap()).is_none(), "{length}");
        }
        let mut seed = fastrand::Rng::with_seed(7);
        for _ in 0..20_000 {
            let mut damaged = whole.to_vec();
            let position = seed.usize(..damaged.len());
            *damaged.get_mut(position).unwrap() = seed.u8(..);
            let _whatever = read(&damaged);
        }
        assert!(Certificate::from_pem(b"-----BEGIN CERTIFICATE-----\n").is_none());
    }
}
