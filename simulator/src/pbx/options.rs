//! What an administrator would configure at a PBX and at its App object.

use std::time::Duration;

use super::entries::{Clearing, OnThePhone};

/// The settings of one simulated PBX and the App object through which it dials.
#[derive(Clone, Debug)]
pub struct PbxOptions {
    /// Names the PBX; the column `loc` of its users.
    pub name: String,
    /// Names the system, `domain` in the login.
    pub domain: String,
    /// Holds the DNS name, `pbxDns` in PbxInfo.
    pub dns: String,
    /// Whether the PBX dials the App; one that may not reach out only listens.
    pub dials: bool,
    /// Tells which users its table holds.
    pub role: Role,
    /// Names the App object (`sip`).
    pub app_object: String,
    /// Holds the object's guid, 32 hex digits.
    pub object_guid: String,
    /// Holds the object's display name; may contain any character.
    pub object_dn: String,
    /// Holds the App URL, over http; its last path component is the app, the rest is dialled.
    pub app_url: String,
    /// Holds the object's password; may contain colons.
    pub password: String,
    /// Lists the object's checkmarks; requests for any other API are dropped.
    pub apis: Vec<String>,
    /// Holds the firmware version; left out when empty, as before 13r2.
    pub version: String,
    /// Holds the firmware build; left out when empty, as before 13r2.
    pub build: String,
    /// Sets `unlicensed` in the login's info, normally true for an App object.
    pub unlicensed: bool,
    /// Puts the PBX into license test mode: every user counts as licensed.
    pub test_mode: bool,
    /// Counts the service licenses configured at the object (`lics`).
    pub service_licenses: Option<u32>,
    /// Counts the licenses of the app that are installed; `None` installs as many as are assigned.
    pub installed_licenses: Option<usize>,
    /// Lists the other Apps that may be reached, as `apps` of the login's info.
    pub other_apps: Vec<String>,
    /// Tells what clearing a presence entry leaves.
    pub clearing: Clearing,
    /// Describes the entry shown while a user has calls; `None` shows nothing.
    pub on_the_phone: Option<OnThePhone>,
    /// Tells what becomes of `on-the-phone` in SetPresence.
    pub on_the_phone_setting: Setting,
    /// Announces `guid` and `usn` in the replication, as since 13r3.
    pub numbered_replication: bool,
    /// Sends AppInfo before PbxInfo instead of after it.
    pub app_info_first: bool,
    /// Sends CheckBuild with this URL before the login, as a browser does.
    pub check_build: Option<String>,
    /// Sends KeepAlive this often, and closes when nothing was received for twice as long.
    pub keep_alive: Option<Duration>,
    /// Waits this long before it dials again, doubling from the first to the second with each failure.
    pub back_off: (Duration, Duration),
    /// Keeps this many messages in the journal.
    pub journal_capacity: usize,
}

impl PbxOptions {
    /// Describes a master PBX with all checkmarks that a presence connector needs.
    ///
    /// The App object is `m365`, its password `secret`, the domain `example.com`; the back-off runs from 1 s to 60 s.
    #[must_use]
    pub fn new(name: &str, app_url: &str) -> Self {
        let apis = [
            "PbxAdminApi",
            "PbxApi",
            "PbxTableUsers",
            "RCC",
            "PbxImpersonation",
        ];
        Self {
            name: name.to_owned(),
            domain: "example.com".to_owned(),
            dns: format!("{name}.example.com"),
            dials: true,
            role: Role::Master,
            app_object: "m365".to_owned(),
            object_guid: "00112233445566778899aabbccddeeff".to_owned(),
            object_dn: "Connector for Microsoft 365".to_owned(),
            app_url: app_url.to_owned(),
            password: "secret".to_owned(),
            apis: apis.map(str::to_owned).to_vec(),
            version: "13r3".to_owned(),
            build: "137818".to_owned(),
            unlicensed: true,
            test_mode: false,
            service_licenses: None,
            installed_licenses: None,
            other_apps: Vec::new(),
            clearing: Clearing::Drop,
            on_the_phone: Some(OnThePhone::default()),
            on_the_phone_setting: Setting::Stored,
            numbered_replication: false,
            app_info_first: false,
            check_build: None,
            keep_alive: None,
            back_off: (Duration::from_secs(1), Duration::from_secs(60)),
            journal_capacity: 50_000,
        }
    }

    /// Returns the app: the last path component of the App URL (reference 1.2).
    #[must_use]
    pub fn app(&self) -> &str {
        self.app_url.rsplit('/').next().unwrap_or_default()
    }

    /// Returns the URL of another App of the same service: the App URL with another last path component.
    #[must_use]
    pub fn url_of(&self, app: &str) -> String {
        let folder = self.app_url.rsplit_once('/').map_or("", |(folder, _)| folder);
        format!("{folder}/{app}")
    }

    /// Returns the address to dial: the App URL without its last path component, over ws instead of http.
    #[must_use]
    pub fn websocket_url(&self) -> String {
        let path = self
            .app_url
            .rsplit_once('/')
            .map_or(self.app_url.as_str(), |(path, _)| path);
        match path.strip_prefix("http") {
            Some(rest) => format!("ws{rest}"),
            None => path.to_owned(),
        }
    }
}

/// Which users a PBX knows in its own table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// The users of every PBX of the estate.
    #[default]
    Master,
    /// Only the users who live on this PBX.
    Slave,
}

/// What a PBX does with `on-the-phone` in SetPresence; the reference leaves it open (3.2, 10).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Setting {
    /// It is stored like every activity.
    #[default]
    Stored,
    /// It is answered as a success, without effect.
    Ignored,
    /// It is answered with an error.
    Rejected,
}
