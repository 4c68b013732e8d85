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
        rows().map(|row| Self(row.code)).collect()
    }
}

/// The table: code, status, `error`, `suberror` or a dash, and text, separated by tabs.
const TABLE: &str = include_str!("refusals.tsv");

struct Row {
    code: u32,
    status: u16,
    error: &'static str,
    suberror: Option<&'static str>,
    text: &'static str,
}

/// What a code that the table does not name looks like.
const OTHER: Row = Row {
    code: 0,
    status: 400,
    error: "invalid_grant",
    suberror: None,
    text: "The sign-in was refused.",
};

fn rows() -> impl Iterator<Item = Row> {
    TABLE.lines().filter_map(|line| {
        let mut columns = line.split('\t');
        Some(Row {
            code: columns.next()?.parse().ok()?,
            status: columns.next()?.parse().ok()?,
            error: columns.next()?,
            suberror: columns.next().filter(|name| *name != "-"),
            text: columns.next()?,
        })
    })
}

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
        let row = rows().find(|row| row.code == code.0).unwrap_or(OTHER);
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
