//! Entra's numbers, what each stands for and which light it turns on (graph.md 1.5).

use m365_presence::light::AuthenticationCode as Code;

/// Number, code of the light, cause.
pub(super) type Row = (u32, Code, &'static str);

/// Finds the row of a number.
pub(super) fn row(number: u32) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.0 == number)
}

/// The whole table, in the reference's order, and behind it what else is met. What Entra says while it is busy (50196, 90033, 90055) and while a
/// person has not yet entered a device code (70016) is no refusal and has no row.
#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    (50126,   Code::WrongPassword,       "the user name or the password is wrong"),
    (50034,   Code::WrongPassword,       "the user does not exist in this directory"),
    (50053,   Code::AccountLocked,       "the account is locked, or this host's address is blocked"),
    (50055,   Code::PasswordExpired,     "the password has expired"),
    (50144,   Code::PasswordExpired,     "the on-premises password has expired"),
    (50056,   Code::WrongPassword,       "the account has no password in this directory"),
    (50057,   Code::AccountDisabled,     "the account is disabled"),
    (50059,   Code::UnknownTenant,       "the request names no directory"),
    (50128,   Code::UnknownTenant,       "the domain is not one of a directory"),
    (50072,   Code::MfaRequired,         "the account has to enrol for multi-factor authentication"),
    (50074,   Code::MfaRequired,         "multi-factor authentication is required"),
    (50076,   Code::MfaRequired,         "multi-factor authentication is required"),
    (50078,   Code::MfaRequired,         "the multi-factor authentication has expired"),
    (50079,   Code::MfaRequired,         "the account has to enrol for multi-factor authentication"),
    (50105,   Code::Refused,             "the account is not assigned to the application"),
    (50131,   Code::ConditionalAccess,   "a Conditional Access policy blocks the sign-in"),
    (53000,   Code::ConditionalAccess,   "Conditional Access wants a compliant device"),
    (53001,   Code::ConditionalAccess,   "Conditional Access wants a domain-joined device"),
    (53002,   Code::ConditionalAccess,   "Conditional Access wants an approved application"),
    (53003,   Code::ConditionalAccess,   "Conditional Access blocks the token"),
    (50133,   Code::SignInRequired,      "the session was revoked by a change of the password"),
    (50173,   Code::SignInRequired,      "the session was revoked"),
    (50158,   Code::MfaRequired,         "an external challenge is required"),
    (50194,   Code::UnknownTenant,       "the application belongs to one directory and none is named"),
    (50049,   Code::UnknownTenant,       "the sign-in host is not known"),
    (65001,   Code::ConsentRequired,     "consent to the application is missing"),
    (70000,   Code::SignInRequired,      "the stored sign-in is not valid"),
    (70008,   Code::SignInRequired,      "the stored sign-in has expired"),
    (700082,  Code::SignInRequired,      "the stored sign-in has expired by inactivity"),
    (700081,  Code::SignInRequired,      "the stored sign-in has reached its maximum age"),
    (70011,   Code::Refused,             "the scope is not valid"),
    (1002012, Code::Refused,             "the scope is not valid for an application"),
    (700016,  Code::UnknownApp,          "the application does not exist in this directory"),
    (7000112, Code::UnknownApp,          "the application is disabled"),
    (7000215, Code::WrongClientSecret,   "the client secret is wrong"),
    (7000218, Code::WrongClientSecret,   "a client secret or certificate is missing, or public client flows are not allowed for this application"),
    (7000222, Code::ClientSecretExpired, "the client secret has expired"),
    (700027,  Code::WrongCertificate,    "the certificate is not known, or the private key does not belong to it"),
    (50012,   Code::WrongCertificate,    "the certificate's assertion is refused"),
    (50013,   Code::WrongCertificate,    "the certificate's assertion is refused"),
    (500133,  Code::WrongCertificate,    "the certificate's assertion is outside of its time"),
    (700024,  Code::WrongCertificate,    "the certificate's assertion is outside of its time"),
    (500011,  Code::Refused,             "Microsoft Graph is not known in this directory"),
    (50001,   Code::Refused,             "Microsoft Graph is not known in this directory"),
    (90002,   Code::UnknownTenant,       "the directory does not exist"),
    (900144,  Code::Refused,             "the request lacks a parameter"),
    (9001023, Code::UnknownTenant,       "this sign-in needs a directory of its own, not 'common' or 'consumers'"),
    (9002313, Code::Refused,             "the request is malformed"),
    // beyond the reference: learn.microsoft.com, Microsoft Entra authentication and authorization error codes
    (50020,   Code::Refused,             "the account belongs to another directory"),
    (50132,   Code::SignInRequired,      "the session has expired or was revoked"),
    (70043,   Code::SignInRequired,      "the stored sign-in has expired by the sign-in frequency of Conditional Access"),
    (70044,   Code::SignInRequired,      "the session has expired by the sign-in frequency of Conditional Access"),
    (53004,   Code::ConditionalAccess,   "the sign-in is too risky to enrol for multi-factor authentication"),
    (53011,   Code::ConditionalAccess,   "the account is blocked because of a risk"),
    (530003,  Code::ConditionalAccess,   "Conditional Access wants a managed device"),
    (530032,  Code::ConditionalAccess,   "a security policy of the directory blocks the sign-in"),
    (65004,   Code::ConsentRequired,     "the person has declined the consent"),
    (90094,   Code::ConsentRequired,     "an administrator has to consent to the application"),
    (1000502, Code::WrongCertificate,    "the certificate is outside of its time"),
];
