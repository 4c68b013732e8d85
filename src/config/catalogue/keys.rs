//! The table of all keys, in the order in which they are shown.

use super::{Key, Shape};

const APP_REGISTRATION: &str = "see Entra admin center (entra.microsoft.com) > App registrations > your app";

const fn text(
    path: &'static str,
    default: Option<&'static str>,
    allowed: &'static str,
    example: &'static str,
) -> Key {
    Key {
        path,
        shape: Shape::Text,
        default,
        allowed,
        example,
        found_at: "",
    }
}

const fn secret(path: &'static str, allowed: &'static str, example: &'static str) -> Key {
    Key {
        path,
        shape: Shape::Secret,
        default: None,
        allowed,
        example,
        found_at: "",
    }
}

impl Key {
    const fn found_at(mut self, place: &'static str) -> Self {
        self.found_at = place;
        self
    }

    const fn written_as(mut self, shape: Shape) -> Self {
        self.shape = shape;
        self
    }
}

/// Every key.
pub(in crate::config) static KEYS: &[Key] = &[
    text("public.listen", Some("0.0.0.0:8080"), "IP address and port to listen on", r#""0.0.0.0:8080""#),
    text(
        "public.url",
        None,
        "the https address at which Microsoft and the PBXs reach this connector; http for a loopback host only",
        r#""https://connector.example.com""#,
    )
    .found_at(
        "choose the public DNS name that leads to public.listen, with a publicly signed certificate",
    ),
    text("public.tls_certificate", None, "a readable PEM file with the certificate chain", r#""/data/tls.crt""#),
    text("public.tls_private_key", None, "a readable PEM file with the private key", r#""/data/tls.key""#),
    text("management.listen", Some("127.0.0.1:8081"), "IP address and port to listen on", r#""127.0.0.1:8081""#),
    secret("management.token", "a text of at least 16 characters", "the output of: openssl rand -hex 24")
        .found_at("draw one with 'openssl rand -hex 24' and keep it like a password"),
    secret(
        "management.viewer_token",
        "a text of at least 16 characters, other than management.token",
        "the output of: openssl rand -hex 24",
    ),
    text(
        "database.url",
        Some("sqlite:connector.db"),
        "sqlite: followed by the path of a file, or postgres://user:password@host/database",
        r#""sqlite:/data/connector.db""#,
    )
    .written_as(Shape::Address),
    secret(
        "database.password",
        "the password of the PostgreSQL user, when it does not stand in database.url",
        "CONNECTOR__DATABASE__PASSWORD_FILE=/run/secrets/database_password",
    )
    .found_at("ask whoever runs the PostgreSQL server; psql's \\password sets it"),
    secret(
        "database.key",
        "32 bytes, as 64 hexadecimal digits or 44 characters of base64",
        "the output of: openssl rand -hex 32",
    ),
    text("microsoft.cloud", Some("global"), "global, us-gov-l4, us-gov-l5, china", r#""global""#),
    text(
        "microsoft.login_url",
        None,
        "an https address without query; http for a loopback host only",
        r#""https://login.microsoftonline.com""#,
    ),
    text(
        "microsoft.graph_url",
        None,
        "an https address without query; http for a loopback host only",
        r#""https://graph.microsoft.com""#,
    ),
    text(
        "microsoft.tenant",
        None,
        "one tenant's domain or directory id; not common, organizations or consumers",
        r#""contoso.onmicrosoft.com""#,
    )
    .found_at("see Entra admin center (entra.microsoft.com) > Overview: Primary domain, or Tenant ID"),
    text(
        "microsoft.client_id",
        None,
        "the app registration's Application (client) ID",
        r#""11111111-2222-3333-4444-555555555555""#,
    )
    .found_at("see Entra admin center (entra.microsoft.com) > App registrations > your app > Overview: Application (client) ID"),
    secret(
        "microsoft.client_secret",
        "the app registration's client secret; or client_certificate with client_private_key instead",
        "CONNECTOR__MICROSOFT__CLIENT_SECRET_FILE=/run/secrets/client_secret",
    )
    .found_at("see Entra admin center (entra.microsoft.com) > App registrations > your app > Certificates & secrets > New client secret: the column Value, not Secret ID"),
    text("microsoft.client_secret_expires", None, "the day on which the client secret ends, as YYYY-MM-DD", r#""2027-06-30""#)
        .found_at("see Entra admin center (entra.microsoft.com) > App registrations > your app > Certificates & secrets: the column Expires"),
    text("microsoft.client_certificate", None, "a readable PEM file with the certificate", r#""/data/app.crt""#)
        .found_at("see the certificate that is uploaded in the Entra admin center > App registrations > your app > Certificates & secrets > Certificates"),
    text("microsoft.client_private_key", None, "a readable PEM file with the private key", r#""/data/app.key""#)
        .found_at("look for it where the certificate was made; it is never uploaded to Entra"),
    text("microsoft.teams_plans", None, "service plan ids (GUIDs)", r#"["57ff2da0-773e-42df-b2af-ffb7a2317929"]"#)
        .written_as(Shape::List),
    text(
        "microsoft.communication_users.*.username",
        None,
        "a user principal name, different from the other communication users'",
        r#""presence@contoso.com""#,
    )
    .found_at("see Entra admin center (entra.microsoft.com) > Users > the communication user > User principal name; it needs a Teams license and no role"),
    text("microsoft.communication_users.*.sign_in", Some("password"), "", r#""device-code""#),
    secret(
        "microsoft.communication_users.*.password",
        "the communication user's password, without blanks at either end; or sign_in = \"device-code\" instead",
        "CONNECTOR__MICROSOFT__COMMUNICATION_USERS__0__PASSWORD_FILE=/run/secrets/presence_password",
    )
    .found_at("see Entra admin center (entra.microsoft.com) > Users > the communication user > Reset password; for an account with MFA set sign_in = \"device-code\" instead"),
    text(
        "microsoft.communication_users.*.client_id",
        None,
        "the Application (client) ID of the app registration for this direction",
        r#""11111111-2222-3333-4444-555555555555""#,
    )
    .found_at(APP_REGISTRATION),
    secret(
        "microsoft.communication_users.*.client_secret",
        "the client secret of the app registration for this direction",
        "CONNECTOR__MICROSOFT__COMMUNICATION_USERS__0__CLIENT_SECRET_FILE=/run/secrets/x",
    )
    .found_at(APP_REGISTRATION),
    text(
        "microsoft.communication_users.*.client_secret_expires",
        None,
        "the day on which that client secret ends, as YYYY-MM-DD",
        r#""2027-06-30""#,
    )
    .found_at(APP_REGISTRATION),
    text(
        "microsoft.communication_users.*.client_certificate",
        None,
        "a readable PEM file with the certificate of the app registration for this direction",
        r#""/data/delegated.crt""#,
    )
    .found_at(APP_REGISTRATION),
    text(
        "microsoft.communication_users.*.client_private_key",
        None,
        "a readable PEM file with the private key of that certificate",
        r#""/data/delegated.key""#,
    )
    .found_at("look for it where the certificate was made; it is never uploaded to Entra"),
    text(
        "pbx.app",
        Some("innovaphone-microsoft365"),
        "the last component of the App URL, without slash and without .htm",
        r#""innovaphone-microsoft365""#,
    )
    .found_at("see PBX Manager, or PBX > Objects > the App object > URL"),
    secret("pbx.password", "the App object's password", "CONNECTOR__PBX__PASSWORD_FILE=/run/secrets/pbx_password")
        .found_at("see PBX > Objects > the App object > Password: what is typed there must stand here too"),
    text("pbx.master", None, "the master PBX's name, which is no DNS name and no address", r#""pbx""#)
        .found_at("see PBX > Config > General of the master PBX: PBX Name; 'pbx', not 'pbx.example.com'"),
    text(
        "pbx.presence_contact",
        Some("teams:"),
        "a contact of the connector's own; not im:, app:, calendar: or cal:",
        r#""teams:""#,
    ),
    text("pbx.teams_calls", Some("entry"), "", r#""entry""#),
    text(
        "pbx.license",
        Some("App(innovaphone-microsoft365)"),
        "App(name), without the PBX- before it and the version behind it",
        r#""App(innovaphone-microsoft365)""#,
    )
    .found_at("see PBX > Objects > a user > Licenses"),
    text("pbx.administrators", None, "Names (h323) of PBX users", r#"["admin", "alice"]"#).written_as(Shape::List),
    text(
        "pbx.dial.*.host",
        None,
        "the PBX's DNS name or IP address, perhaps with a port",
        r#""pbx.example.com""#,
    )
    .found_at("see PBX > Config > General: DNS, or IP > General; the connector dials wss://HOST/PBX0/APPS/websocket"),
    text(
        "pbx.dial.*.url",
        None,
        "instead of host, the whole address of the PBX's websocket: wss, or ws for a loopback host only",
        r#""wss://proxy.example.com/pbx/PBX0/APPS/websocket""#,
    ),
    text("pbx.dial.*.object", None, "the Name of the App object, not its Long Name", r#""m365""#)
        .found_at("see PBX > Objects > the App object > Name"),
    secret(
        "pbx.dial.*.password",
        "the App object's password, where it is another one than pbx.password",
        "CONNECTOR__PBX__DIAL__0__PASSWORD_FILE=/run/secrets/pbx_password",
    )
    .found_at("see PBX > Objects > the App object > Password"),
    text(
        "pbx.dial.*.certificate",
        None,
        "the SHA-256 fingerprint of the PBX's certificate, or a readable PEM file with it or with its authority",
        r#""/data/pbx.crt""#,
    )
    .found_at("see PBX > General > Certificates > Device certificate; not needed when a public authority has signed it"),
    text("pbx.dial.*.pbx", None, "the PBX's name, where its App object has no Admin checkmark", r#""pbx""#)
        .found_at("see PBX > Config > General: PBX Name"),
    text("matching.pbx", Some("cn"), "", r#""cn""#),
    text("matching.microsoft", Some("displayName"), "", r#""displayName""#),
    text("matching.strip_domain", Some("false"), "true or false", "true").written_as(Shape::Flag),
    text(
        "matching.overrides.*",
        None,
        "the object id or user principal name of the Teams user who belongs to this PBX user",
        r#"alice = "alice@contoso.com""#,
    ),
    text("matching.exclude", None, "Names (h323) of PBX users", r#"["reception", "door"]"#).written_as(Shape::List),
    text("sync.direction", Some("both"), "", r#""both""#),
    text("sync.read", Some("hybrid"), "", r#""hybrid""#),
    text("sync.on_the_phone", Some("in-a-call"), "", r#""in-a-call""#),
    text("sync.notes", Some("off"), "", r#""both""#),
    text("sync.shadow", Some("false"), "true or false", "true").written_as(Shape::Flag),
    text(
        "sync.paused_directions",
        None,
        "a list of teams-to-pbx and pbx-to-teams",
        r#"["pbx-to-teams"]"#,
    )
    .written_as(Shape::List),
    text("sync.paused_users", None, "a list of names at the PBX (h323)", r#"["anna.huber"]"#)
        .written_as(Shape::List)
        .found_at("see the PBX manager > user objects: Name"),
    text("timers.presence_subscription", Some("10m"), "a duration from 1s to 60m, which is Graph's maximum", r#""10m""#),
    text("timers.user_subscription", Some("60m"), "a duration from 1s to 29d, which is Graph's maximum", r#""60m""#),
    text(
        "timers.on_the_phone",
        Some("5m"),
        "a duration from 1s to 2h, because each lease outlasts its renewal and Graph's maximum is 4h",
        r#""5m""#,
    ),
    text("timers.sweep", Some("5m"), "a duration of 1s or more", r#""5m""#),
    text(
        "timers.notification_key",
        Some("300d"),
        "a duration from 1s to 350d, because a key must be replaced before a year is over",
        r#""300d""#,
    ),
    text(
        "mapping.teams_to_pbx.*",
        None,
        "a PBX activity: away, busy, dnd, meeting, on-the-phone, lunch, vacation; online or \"\" shows nothing",
        r#"Away = "away""#,
    ),
    text("mapping.pbx_to_teams.*", None, "", r#"busy = "Busy""#),
    text("log.format", Some("text"), "", r#""text""#),
    text("log.level", Some("info"), "", r#""info""#),
];
