//! Every message that this side sends, as its members stand on the wire.

use m365_presence::identity::PbxGuid;
use m365_presence::pbx::PbxApi;
use serde::Serialize;

/// Whether a message that this side made sets a presence at the PBX.
pub fn sets_presence(message: &str) -> bool {
    message.starts_with(r#"{"mt":"SetPresence""#)
}

/// The empty JSON object.
#[derive(Clone, Copy, Default, Serialize)]
pub(crate) struct Empty {}

/// What is asked of a PBX (pbx.md 2 to 5).
#[derive(Serialize)]
#[serde(tag = "mt")]
pub(crate) enum Request<'a> {
    ReplicateStart {
        api: PbxApi,
        src: &'a str,
        add: bool,
        del: bool,
        columns: Columns,
        pseudo: [&'static str; 2],
    },
    ReplicateNext {
        api: PbxApi,
        src: &'a str,
    },
    SubscribePresence {
        api: PbxApi,
        src: &'a PbxGuid,
        sip: &'a str,
    },
    UnsubscribePresence {
        api: PbxApi,
        src: &'a PbxGuid,
        sip: &'a str,
    },
    SetPresence {
        api: PbxApi,
        src: &'a str,
        guid: &'a PbxGuid,
        sip: &'a str,
        contact: &'a str,
        activity: &'a str,
        note: &'a str,
    },
    Initialize {
        api: PbxApi,
        src: &'a str,
        calls: bool,
        limit: u32,
        #[serde(skip_serializing_if = "Option::is_none")]
        more: Option<&'a serde_json::Value>,
    },
    CheckAppLic {
        api: PbxApi,
        src: &'a str,
        #[serde(flatten)]
        user: LicensedUser<'a>,
        lic: &'a str,
    },
    CreateApi {
        api: PbxApi,
        src: &'a str,
        sip: &'a str,
        target: &'static str,
    },
    AddAlienCall {
        api: &'a str,
        src: &'a str,
    },
    DelAlienCall {
        api: &'a str,
        src: &'a str,
        id: &'a serde_json::Value,
    },
    DeleteApi {
        api: PbxApi,
        src: &'a str,
        target: &'a str,
    },
    MonitorUnallowed {
        api: PbxApi,
        src: &'a str,
    },
    GetPbxLicenses {
        api: PbxApi,
        src: &'a str,
    },
}

/// The columns that are replicated: what matching and routing need, and nothing private.
#[derive(Default, Serialize)]
pub(crate) struct Columns {
    guid: Empty,
    h323: Empty,
    cn: Empty,
    dn: Empty,
    loc: Empty,
    /// The template: who gets another one may get or lose a license by it, and then the row is reported anew.
    config: Empty,
}

/// What is said to log in where we have dialled, and to keep that connection alive (pbx.md 1.3, 1.5, 1.7).
#[derive(Serialize)]
#[serde(tag = "mt")]
pub(crate) enum Greeting<'a> {
    AppChallenge,
    /// The shortest login that exists: what is left out is hashed as the empty text, `info` without its colon.
    AppLogin {
        app: &'a str,
        digest: &'a str,
    },
    GetPbxConfig {
        api: PbxApi,
        src: &'a str,
    },
    KeepAlive,
}

/// By what a license check names its user; a PBX takes one of them.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LicensedUser<'a> {
    H323(&'a str),
    Guid(&'a PbxGuid),
}

/// What is answered to whoever opened the connection (pbx.md 1.3, 1.4, 1.7).
#[derive(Serialize)]
#[serde(tag = "mt")]
#[expect(clippy::enum_variant_names, reason = "these are the names on the wire")]
pub(crate) enum Answer<'a> {
    AppChallengeResult {
        challenge: &'a str,
    },
    AppLoginResult {
        app: &'a str,
        domain: &'a str,
        ok: bool,
        /// A text always: a client in the field fails to decode a number.
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<&'static str>,
    },
    AppCheckLoginResult {
        #[serde(skip_serializing_if = "Option::is_none")]
        src: Option<String>,
        ok: bool,
    },
    KeepAliveResult {
        #[serde(skip_serializing_if = "Option::is_none")]
        src: Option<String>,
    },
    CheckBuildResult {
        #[serde(skip_serializing_if = "Option::is_none")]
        src: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        url: Option<String>,
    },
    AppInfoResult {
        #[serde(skip_serializing_if = "Option::is_none")]
        src: Option<String>,
        app: &'a str,
        info: AppInfo,
        #[serde(rename = "serviceInfo")]
        service_info: ServiceInfo,
    },
}

/// What a person's session is told beyond the courtesies: messages of this app's own (its page is the only reader).
#[derive(Serialize)]
#[serde(tag = "mt")]
pub(crate) enum ToUser<'a> {
    SubscribeStateResult {
        api: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        src: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<&'static str>,
    },
    State {
        api: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        src: Option<&'a str>,
        state: &'a serde_json::value::RawValue,
    },
}

/// What the App object's connection learns of the app.
#[derive(Serialize)]
pub(crate) struct AppInfo {
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) hidden: bool,
    pub(crate) apis: Empty,
}

/// The APIs that other services could use: none.
#[derive(Default, Serialize)]
pub(crate) struct ServiceInfo {
    apis: Empty,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_sets_a_presence_is_told_from_everything_else() {
        let guid = PbxGuid::new("01ab");
        let api = PbxApi::PbxApi;
        let set = Request::SetPresence {
            api,
            src: "1",
            guid: &guid,
            sip: "SetPresence",
            contact: "teams:",
            activity: "busy",
            note: "",
        };
        let subscribe = Request::SubscribePresence {
            api,
            src: &guid,
            sip: "SetPresence",
        };
        assert!(sets_presence(&serde_json::to_string(&set).unwrap()));
        assert!(!sets_presence(&serde_json::to_string(&subscribe).unwrap()));
    }
}
