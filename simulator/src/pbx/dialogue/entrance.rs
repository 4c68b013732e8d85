//! The login in either direction, and the introduction that follows it (reference 1.3 to 1.5).

use uuid::Uuid;

use super::{
    super::{
        faults::Cut,
        login::{Login, app_login},
        message::{Message, Request},
        options::PbxOptions,
    },
    Dialogue,
};

/// How far the login has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Challenging,
    LoggingIn,
    /// The other side is to ask for a challenge.
    Awaiting,
    /// The other side is to answer this challenge.
    Challenged(String),
    Open,
    Refused,
}

/// What a login entitles to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Granted {
    /// The object itself is logged in.
    Everything,
    /// A user is: since 13r3 only the APIs that concern a user are available.
    OnBehalfOfUser,
}

impl Granted {
    pub(super) fn covers(self, api: &str) -> bool {
        self == Self::Everything || ["PbxApi", "RCC"].contains(&api)
    }
}

impl Dialogue {
    pub(super) fn challenge(&mut self) {
        let challenge: String = Uuid::new_v4().simple().to_string().chars().take(16).collect();
        self.outbox
            .send(Message::new("AppChallengeResult").with("challenge", challenge.clone()));
        self.stage = Stage::Challenged(challenge);
    }

    pub(super) fn admit(&mut self, login: Option<Login>, options: &PbxOptions) {
        let answer = Message::new("AppLoginResult");
        let Some(login) = login else {
            self.outbox
                .send(answer.with("ok", false).with("error", "login refused"));
            self.refuse();
            return;
        };
        self.granted = if login.sip.is_empty() {
            Granted::Everything
        } else {
            Granted::OnBehalfOfUser
        };
        self.stage = Stage::Open;
        let answer = answer
            .with("app", login.app)
            .with("domain", options.domain.clone());
        self.outbox.send(answer.with("ok", true));
    }

    pub(super) fn log_in(&mut self, result: &Request, options: &PbxOptions) {
        match app_login(
            options,
            result.text("challenge"),
            self.outbox.faults().capital_digest,
        ) {
            Ok(login) => {
                self.stage = Stage::LoggingIn;
                self.outbox.send_text(login);
            }
            Err(_) => self.refuse(),
        }
    }

    pub(super) fn open(&mut self, result: &Request, options: &PbxOptions) {
        if !result.is_true("ok") {
            self.refuse();
            return;
        }
        self.stage = Stage::Open;
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let pbx_info = Message::new("PbxInfo")
            .with("domain", options.domain.clone())
            .with("pbx", options.name.clone())
            .with("pbxDns", options.dns.clone())
            .with("apis", options.apis.clone())
            .with_some("version", text(&options.version))
            .with_some("build", text(&options.build));
        let app_info = Message::new("AppInfo").with("app", options.app());
        let mut introduction = [pbx_info, app_info];
        if options.app_info_first {
            introduction.reverse();
        }
        for message in introduction {
            self.outbox.send(message);
        }
    }

    fn refuse(&mut self) {
        self.stage = Stage::Refused;
        self.outbox.cut(Cut::Close);
    }
}
