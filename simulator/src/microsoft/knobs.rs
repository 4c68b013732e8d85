//! Everything about the cloud's behaviour that a test or the demo may turn. The defaults are what the reference calls
//! usual.

use std::collections::BTreeSet;
use std::time::Duration;

use uuid::Uuid;

/// Which of the two shapes a basic presence notification has (reference 4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BasicShape {
    /// As documented: names the user, carries no state.
    Documented,
    /// As observed: carries the state, its `id` is null.
    Observed,
}

/// Which of the two shapes a lifecycle notification has (reference 4.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LifecycleShape {
    /// As documented.
    Documented,
    /// As observed in 2023: `organizationId`, empty members, validation tokens.
    Observed,
}

/// Which version the validation tokens have (reference 4.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenVersion {
    /// Issued by `sts.windows.net`, publisher in `appid`.
    V1,
    /// Issued by the sign-in host, publisher in `azp`.
    V2,
}

/// What a renewal that names another certificate brings (reference 3.2: "may also take").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateChange {
    /// Content is locked for it from then on.
    Taken,
    /// Nothing changes, and the answer shows so.
    Ignored,
    /// The whole renewal is refused.
    Refused,
}

/// How resource data is refused: the reference knows no text, so it is the test's choice.
#[derive(Clone, Debug)]
pub struct RichRefusal {
    /// The status.
    pub status: u16,
    /// The error code.
    pub code: &'static str,
    /// The text.
    pub message: &'static str,
}

/// How notifications are delivered.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The shape of basic presence notifications.
    pub basic: BasicShape,
    /// The shape of the automatic lifecycle notifications.
    pub lifecycle: LifecycleShape,
    /// The version of validation tokens.
    pub tokens: TokenVersion,
    /// The least delay between a change and its notification.
    pub delay: Duration,
    /// How much longer the delay may be, drawn per notification.
    pub jitter: Duration,
    /// The share of notifications that are sent twice, 0 to 1.
    pub duplicate: f64,
    /// The share of notifications that are overtaken by later ones, 0 to 1.
    pub reorder: f64,
    /// The share of notifications that are never sent, 0 to 1.
    pub drop: f64,
    /// Subscriptions of which no notification is ever sent.
    pub mute: BTreeSet<Uuid>,
    /// How many notifications one POST carries at most.
    pub batch: usize,
    /// Whether rich content carries `sequenceNumber`.
    pub sequence_numbers: bool,
    /// Whether rich content carries the other optional members (reference 4.3).
    pub rich_extras: bool,
    /// How long the first attempt may take: 3 s.
    pub first_timeout: Duration,
    /// How long later attempts may take: 10 s.
    pub retry_timeout: Duration,
    /// How long the first back-off is; it doubles. Runs in scaled time.
    pub first_retry: Duration,
    /// After how long a notification is given up: 4 h. Runs in scaled time.
    pub give_up: Duration,
    /// Whether slow endpoints are delayed and dropped (reference 3.4).
    pub police_slow_endpoints: bool,
    /// Whether `reauthorizationRequired` is sent by itself when a token or subscription nears its end.
    pub automatic_lifecycle: bool,
}

impl Default for Delivery {
    fn default() -> Self {
        Self {
            basic: BasicShape::Documented,
            lifecycle: LifecycleShape::Documented,
            tokens: TokenVersion::V2,
            delay: Duration::from_millis(20),
            jitter: Duration::ZERO,
            duplicate: 0.0,
            reorder: 0.0,
            drop: 0.0,
            mute: BTreeSet::new(),
            batch: 50,
            sequence_numbers: false,
            rich_extras: false,
            first_timeout: Duration::from_secs(3),
            retry_timeout: Duration::from_secs(10),
            first_retry: Duration::from_secs(1),
            give_up: Duration::from_secs(4 * 3600),
            police_slow_endpoints: true,
            automatic_lifecycle: true,
        }
    }
}

/// How the cloud behaves.
#[derive(Clone, Debug)]
pub struct Knobs {
    /// How notifications are delivered.
    pub delivery: Delivery,
    /// The most users that a page of `/users` carries, below what `$top` asks for.
    pub page_size: Option<usize>,
    /// What stands in front of `/v1.0` in a next link, instead of this cloud's Graph URL.
    pub foreign_next_link: Option<String>,
    /// Whether expiries less than 45 minutes ahead are raised to 45 minutes (reference 3.1).
    pub raise_short_expiries: bool,
    /// How a create that asks for resource data is refused; `None` grants it.
    pub refuse_resource_data: Option<RichRefusal>,
    /// What a renewal that names another certificate brings.
    pub certificate_change: CertificateChange,
    /// Whether answers show `encryptionCertificateId`.
    pub show_certificate_ids: bool,
    /// Whether v1.0 refuses to delete presence subscriptions (reference 3.2).
    pub refuse_presence_delete: bool,
    /// Whether beta refuses that, too.
    pub refuse_presence_delete_in_beta: bool,
    /// How long a notification URL may take to prove itself: 10 s.
    pub validation_timeout: Duration,
    /// The life of access tokens; `None` is 60 to 90 minutes as in reality.
    pub token_life: Option<Duration>,
    /// The life of refresh tokens: 90 days.
    pub refresh_life: Duration,
    /// The life of device codes: 900 s.
    pub device_code_life: Duration,
    /// The polling interval of the device code grant: 5 s.
    pub device_code_interval: Duration,
    /// Whether polling faster than the interval is answered with `slow_down`.
    pub slow_down: bool,
    /// Whether reads of presence carry `sequenceNumber`.
    pub read_sequence_numbers: bool,
    /// Whether `setStatusMessage` is refused for want of the permission, while presence may be set.
    pub refuse_status_messages: bool,
    /// Whether bulk reads answer unknown users as `PresenceUnknown` instead of leaving them out.
    pub unknown_presences: bool,
    /// Whether `GET /communications/presences/{id}` wraps its answer in `value`, as one documentation page shows.
    pub wrapped_presence: bool,
    /// Whether signing keys name their `issuer`, as newer documents do.
    pub key_issuers: bool,
    /// Whether the documented request limits are enforced (reference 6.3).
    pub enforce_limits: bool,
}

impl Default for Knobs {
    fn default() -> Self {
        Self {
            delivery: Delivery::default(),
            page_size: None,
            foreign_next_link: None,
            raise_short_expiries: true,
            refuse_resource_data: None,
            certificate_change: CertificateChange::Taken,
            show_certificate_ids: true,
            refuse_presence_delete: false,
            refuse_presence_delete_in_beta: false,
            validation_timeout: Duration::from_secs(10),
            token_life: None,
            refresh_life: Duration::from_secs(90 * 86_400),
            device_code_life: Duration::from_secs(900),
            device_code_interval: Duration::from_secs(5),
            slow_down: false,
            read_sequence_numbers: false,
            refuse_status_messages: false,
            unknown_presences: false,
            wrapped_presence: false,
            key_issuers: false,
            enforce_limits: true,
        }
    }
}
