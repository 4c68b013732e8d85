//! The little of ASN.1 DER that the cloud needs: the public key inside an X.509 certificate, and the numbers inside an
//! RSA key. Anything unexpected is `None`; nothing here trusts a length that it read.

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const EXPLICIT_VERSION: u8 = 0xa0;

/// One tag-length-value element.
struct Element<'a> {
    tag: u8,
    whole: &'a [u8],
    content: &'a [u8],
}

/// Returns the `SubjectPublicKeyInfo` of a certificate, as it stands in the certificate.
pub(super) fn subject_public_key(certificate: &[u8]) -> Option<&[u8]> {
    let (outer, _) = expect(certificate, SEQUENCE)?;
    let (inner, _) = expect(outer.content, SEQUENCE)?;
    let (first, mut rest) = element(inner.content)?;
    let mut skipped = 4_usize;
    if first.tag == EXPLICIT_VERSION {
        skipped = 5;
    }
    // Serial number, signature algorithm, issuer, validity and subject stand before the key.
    for _ in 0..skipped {
        rest = element(rest)?.1;
    }
    expect(rest, SEQUENCE).map(|(key, _)| key.whole)
}

/// Returns modulus and exponent of a PKCS#1 `RSAPublicKey`, big-endian, without leading zeros.
pub(super) fn rsa_numbers(key: &[u8]) -> Option<(&[u8], &[u8])> {
    let (outer, _) = expect(key, SEQUENCE)?;
    let (modulus, rest) = expect(outer.content, INTEGER)?;
    let (exponent, _) = expect(rest, INTEGER)?;
    Some((without_zeros(modulus.content), without_zeros(exponent.content)))
}

fn without_zeros(mut number: &[u8]) -> &[u8] {
    while let Some((0, rest)) = number.split_first() {
        number = rest;
    }
    number
}

fn expect(input: &[u8], tag: u8) -> Option<(Element<'_>, &[u8])> {
    element(input).filter(|(found, _)| found.tag == tag)
}

fn element(input: &[u8]) -> Option<(Element<'_>, &[u8])> {
    let (&tag, after_tag) = input.split_first()?;
    let (&first, after_length) = after_tag.split_first()?;
    let (length, header) = if first < 0x80 {
        (usize::from(first), 2_usize)
    } else {
        let digits = usize::from(first & 0x7f);
        if digits == 0 || digits > 4 {
            return None;
        }
        let length = after_length
            .get(..digits)?
            .iter()
            .fold(0_usize, |sum, digit| (sum << 8) | usize::from(*digit));
        (length, 2_usize.checked_add(digits)?)
    };
    let end = header.checked_add(length)?;
    let whole = input.get(..end)?;
    Some((
        Element {
            tag,
            whole,
            content: input.get(header..end)?,
        },
        input.get(end..)?,
    ))
}
