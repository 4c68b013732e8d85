//! The refusals of the token endpoint: every row of the code table (reference 1.5), with status, `error` and `suberror`.
//!
//! Where the table allows several spellings of `error`, the one seen most stands here; a test that needs another one
//! overrides it with [`Refusal::with_error`].

/// Names one AADSTS code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Aadsts(pub u32);

impl Aadsts {
    /// Wrong user name or password.
    pub const WRONG_PASSWORD: Self = Self(50126);
    /// The user is not in this directory.
    pub const UNKNOWN_USER: Self = Self(50034);
    /// The account is locked.
    pub const LOCKED: Self = Self(50053);
    /// The password expired.
    pub const PASSWORD_EXPIRED: Self = Self(50055);
    /// No password is stored for the user.
    pub const NO_PASSWORD: Self = Self(50056);
    /// The user is disabled.
    pub const DISABLED: Self = Self(50057);
    /// The request names no tenant.
    pub const NO_TENANT: Self = Self(50059);
    /// A second factor is demanded.
    pub const MFA_REQUIRED: Self = Self(50076);
    /// The user must enrol for a second factor.
    pub const MFA_ENROLMENT: Self = Self(50079);
    /// The user is not assigned to the application.
    pub const NOT_ASSIGNED: Self = Self(50105);
    /// Conditional Access blocks the sign-in.
    pub const CONDITIONAL_ACCESS: Self = Self(53003);
    /// The grant was revoked.
    pub const REVOKED: Self = Self(50173);
    /// Nobody consented.
    pub const CONSENT_MISSING: Self = Self(65001);
    /// The refresh token was inactive for too long.
    pub const REFRESH_EXPIRED: Self = Self(700_082);
    /// The application is unknown in the tenant.
    pub const UNKNOWN_APP: Self = Self(700_016);
    /// The application is disabled.
    pub const APP_DISABLED: Self = Self(7_000_112);
    /// The client secret is wrong.
    pub const WRONG_SECRET: Self = Self(7_000_215);
    /// Secret or assertion is missing.
    pub const SECRET_MISSING: Self = Self(7_000_218);
    /// The client secret expired.
    pub const SECRET_EXPIRED: Self = Self(7_000_222);
    /// The assertion's key is not registered.
    pub const UNKNOWN_CERTIFICATE: Self = Self(700_027);
    /// The tenant does not exist.
    pub const UNKNOWN_TENANT: Self = Self(90002);
    /// The service is busy.
    pub const BUSY: Self = Self(90033);

    /// Tells whether a browser sign-in (device code) would get past this code.
    pub(super) fn asks_for_interaction(self) -> bool {
        matches!(self.0, 50072 | 50074 | 50076 | 50078 | 50079 | 50158)
    }

    /// Returns every code of the table, for tests that walk through all of them.
    #[must_use]
    pub fn table() -> Vec<Self> {
        ROWS.iter().map(|row| Self(row.code)).collect()
    }
}

struct Row {
    code: u32,
    status: u16,
    error: &'static str,
    suberror: Option<&'static str>,
    text: &'static str,
}

const fn row(
    code: u32,
    status: u16,
    error: &'static str,
    suberror: Option<&'static str>,
    text: &'static str,
) -> Row {
    Row {
        code,
        status,
        error,
        suberror,
        text,
    }
}

const GRANT: &str = "invalid_grant";
const REQUEST: &str = "invalid_request";
const CLIENT: &str = "invalid_client";
const ACTION: Option<&str> = Some("basic_action");
const BAD_TOKEN: Option<&str> = Some("bad_token");

const ROWS: &[Row] = &[
    row(
        50126,
        400,
        GRANT,
        None,
        "Error validating credentials due to invalid username or password.",
    ),
    row(
        50034,
        400,
        GRANT,
        None,
        "The user account does not exist in this directory. To sign into this application, the account must be added to the directory.",
    ),
    row(
        50053,
        400,
        GRANT,
        None,
        "The account is locked, you've tried to sign in too many times with an incorrect user ID or password.",
    ),
    row(50055, 400, GRANT, None, "The password is expired."),
    row(
        50144,
        400,
        GRANT,
        None,
        "The user's Active Directory password has expired.",
    ),
    row(
        50056,
        400,
        GRANT,
        None,
        "Invalid or null password: password does not exist in the directory for this user.",
    ),
    row(50057, 400, GRANT, None, "The user account is disabled."),
    row(
        50059,
        400,
        REQUEST,
        None,
        "No tenant-identifying information found in either the request or implied by any provided credentials.",
    ),
    row(
        50128,
        400,
        REQUEST,
        None,
        "Invalid domain name. No tenant-identifying information found in either the request or implied by any provided credentials.",
    ),
    row(
        50072,
        400,
        GRANT,
        ACTION,
        "Due to a configuration change made by your administrator, you must enroll in multi-factor authentication to access the resource.",
    ),
    row(50074, 400, GRANT, ACTION, "Strong Authentication is required."),
    row(
        50076,
        400,
        GRANT,
        ACTION,
        "Due to a configuration change made by your administrator, or because you moved to a new location, you must use multi-factor authentication to access the resource.",
    ),
    row(
        50078,
        400,
        GRANT,
        ACTION,
        "Presented multi-factor authentication has expired due to policies configured by your administrator, you must refresh your multi-factor authentication to access the resource.",
    ),
    row(
        50079,
        400,
        "interaction_required",
        ACTION,
        "Due to a configuration change made by your administrator, or because you moved to a new location, you must enroll in multi-factor authentication to access the resource.",
    ),
    row(
        50105,
        400,
        GRANT,
        None,
        "Your administrator has configured the application to block users unless they are specifically granted access to it. The signed in user is not assigned to the application.",
    ),
    row(
        50131,
        400,
        GRANT,
        None,
        "Used in various Conditional Access errors: the request was blocked due to suspicious activity, access policy or security policy decisions.",
    ),
    row(
        53000,
        400,
        "interaction_required",
        None,
        "Your device is required to be compliant to access this resource.",
    ),
    row(
        53001,
        400,
        "interaction_required",
        None,
        "Your device is required to be managed to access this resource.",
    ),
    row(
        53002,
        400,
        "access_denied",
        None,
        "The app needs to be on the list of approved apps to comply with Conditional Access policies.",
    ),
    row(
        53003,
        400,
        "access_denied",
        None,
        "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.",
    ),
    row(
        50133,
        400,
        GRANT,
        BAD_TOKEN,
        "The session is not valid due to password expiration or recent password change.",
    ),
    row(
        50173,
        400,
        GRANT,
        BAD_TOKEN,
        "The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might have changed or reset their password.",
    ),
    row(
        50158,
        400,
        GRANT,
        None,
        "External security challenge was not satisfied.",
    ),
    row(
        50194,
        400,
        REQUEST,
        None,
        "The application is not configured as a multi-tenant application. Usage of the /common endpoint is not supported for such apps.",
    ),
    row(
        50196,
        400,
        GRANT,
        None,
        "The server terminated an operation because it encountered a client request loop.",
    ),
    row(
        50049,
        400,
        "invalid_instance",
        None,
        "Unknown or invalid instance.",
    ),
    row(
        65001,
        400,
        GRANT,
        Some("consent_required"),
        "The user or administrator has not consented to use the application. Send an interactive authorization request for this user and resource.",
    ),
    row(70000, 400, GRANT, None, "Provided grant is invalid or malformed."),
    row(
        70008,
        400,
        GRANT,
        None,
        "The provided authorization code or refresh token has expired due to inactivity. Send a new interactive authorization request for this user and resource.",
    ),
    row(
        700_082,
        400,
        GRANT,
        None,
        "The refresh token has expired due to inactivity. The token was inactive for 90.00:00:00.",
    ),
    row(
        700_081,
        400,
        GRANT,
        None,
        "The refresh token has expired due to maximum lifetime.",
    ),
    row(
        70011,
        400,
        "invalid_scope",
        None,
        "The provided request must include a 'scope' input parameter. The provided value for the input parameter 'scope' is not valid.",
    ),
    row(
        1_002_012,
        400,
        "invalid_scope",
        None,
        "The provided value for scope is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).",
    ),
    row(
        70016,
        400,
        "authorization_pending",
        None,
        "OAuth 2.0 device flow error. Authorization is pending. Continue polling.",
    ),
    row(
        70017,
        400,
        "authorization_declined",
        None,
        "The end user declined the authorization request.",
    ),
    row(
        70018,
        400,
        "bad_verification_code",
        None,
        "Invalid verification code. The device code was not recognised.",
    ),
    row(
        70019,
        400,
        "expired_token",
        None,
        "The device code has expired. Start a new sign-in.",
    ),
    row(
        700_016,
        400,
        "unauthorized_client",
        None,
        "Application was not found in the directory. This can happen if the application has not been installed by the administrator of the tenant.",
    ),
    row(
        7_000_112,
        401,
        "unauthorized_client",
        None,
        "Application is disabled.",
    ),
    row(
        7_000_215,
        401,
        CLIENT,
        None,
        "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID.",
    ),
    row(
        7_000_218,
        401,
        CLIENT,
        None,
        "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
    ),
    row(
        7_000_222,
        401,
        CLIENT,
        None,
        "The provided client secret keys are expired. Create new keys for your app.",
    ),
    row(
        700_027,
        401,
        CLIENT,
        None,
        "Client assertion contains an invalid signature.",
    ),
    row(
        50012,
        401,
        CLIENT,
        None,
        "Authentication failed: the client assertion is not valid.",
    ),
    row(
        50013,
        400,
        GRANT,
        None,
        "Assertion failed signature validation: the audience or issuer is wrong.",
    ),
    row(
        500_133,
        401,
        CLIENT,
        None,
        "Assertion is not within its valid time range.",
    ),
    row(
        500_011,
        400,
        "invalid_resource",
        None,
        "The resource principal was not found in the tenant.",
    ),
    row(
        50001,
        400,
        "invalid_resource",
        None,
        "The resource is disabled or does not exist.",
    ),
    row(
        90002,
        400,
        REQUEST,
        None,
        "Tenant not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.",
    ),
    row(
        900_144,
        400,
        REQUEST,
        None,
        "The request body must contain a required parameter.",
    ),
    row(
        9_001_023,
        400,
        REQUEST,
        None,
        "The grant type is not supported over the /common or /consumers endpoints. Please use the /organizations or tenant-specific endpoint.",
    ),
    row(
        9_002_313,
        400,
        REQUEST,
        None,
        "Invalid request. Request is malformed or invalid.",
    ),
    row(
        90033,
        503,
        "temporarily_unavailable",
        None,
        "A transient error has occurred. Please try again.",
    ),
    row(
        90055,
        429,
        "temporarily_unavailable",
        None,
        "Server terminated the connection because of too many requests. Please try again later.",
    ),
];

const OTHER: Row = row(0, 400, GRANT, None, "The sign-in was refused.");

/// Says how the token endpoint refuses a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The AADSTS code.
    pub code: Aadsts,
    /// The HTTP status.
    pub status: u16,
    /// The `error` member.
    pub error: String,
    /// The `suberror` member, where one belongs to the code.
    pub suberror: Option<String>,
    /// The text after `AADSTSnnn: `.
    pub text: String,
    /// The `claims` challenge, as JSON text.
    pub claims: Option<String>,
    /// The `Retry-After` header in seconds.
    pub retry_after: Option<u32>,
}

impl From<Aadsts> for Refusal {
    fn from(code: Aadsts) -> Self {
        let row = ROWS.iter().find(|row| row.code == code.0).unwrap_or(&OTHER);
        Self {
            code,
            status: row.status,
            error: row.error.to_owned(),
            suberror: row.suberror.map(str::to_owned),
            text: row.text.to_owned(),
            claims: None,
            retry_after: matches!(row.error, "temporarily_unavailable").then_some(10),
        }
    }
}

impl Refusal {
    /// Replaces the `error` member: the table names alternatives for some codes.
    #[must_use]
    pub fn with_error(mut self, error: &str) -> Self {
        self.error = error.to_owned();
        self
    }

    /// Adds a `claims` challenge.
    #[must_use]
    pub fn with_claims(mut self, claims: &str) -> Self {
        self.claims = Some(claims.to_owned());
        self
    }

    /// Replaces the `Retry-After` seconds.
    #[must_use]
    pub fn with_retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    pub(super) fn with_text(mut self, text: String) -> Self {
        self.text = text;
        self
    }
}
