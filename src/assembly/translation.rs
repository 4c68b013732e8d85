//! What the settings mean to the rooms: each room's own words from the configuration's.

use std::path::Path;

use anyhow::Context as _;
use m365_actors::token_refresh::{self, ProofEnds};
use m365_graph::{AppRegistration, CommunicationUser, IdentitySettings, Proof, WebhookSettings};
use m365_presence::board::{self, Restraint, Rules};
use m365_presence::cadence::Reading;
use m365_presence::identity::Account;
use m365_presence::mapping::{PbxToTeams, TeamsToPbx};
use m365_presence::sign_in::Way;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::config::{
    AppCredential, Dial, Direction, Notes, OnThePhone, PinnedCertificate, Read, Settings, SignIn, TeamsCalls,
};
use crate::pbx_connection::certificate::{Fingerprint, Trust};
use crate::pbx_connection::dialled::Destination;

/// How presence is read.
pub(super) fn reading(settings: &Settings) -> Reading {
    match settings.sync.read {
        Read::Subscription => Reading::Subscription,
        Read::Polling => Reading::Polling,
        Read::Hybrid => Reading::Hybrid,
    }
}

/// What the board decides by.
pub(super) fn rules(settings: &Settings) -> Rules {
    Rules {
        teams_to_pbx: TeamsToPbx::default().with_overrides(&settings.mapping.teams_to_pbx),
        pbx_to_teams: PbxToTeams::default().with_overrides(&settings.mapping.pbx_to_teams),
        contact: settings.pbx.presence_contact.clone(),
        direction: board::Direction {
            teams_to_pbx: settings.sync.direction != Direction::PbxToTeams,
            pbx_to_teams: settings.sync.direction != Direction::TeamsToPbx,
        },
        on_the_phone: match settings.sync.on_the_phone {
            OnThePhone::InACall => board::OnThePhone::InACall,
            OnThePhone::DoNotDisturb => board::OnThePhone::DoNotDisturb,
        },
        teams_calls: match settings.pbx.teams_calls {
            TeamsCalls::Entry => board::TeamsCalls::Entry,
            TeamsCalls::AlienCall => board::TeamsCalls::AlienCall,
        },
        notes_to_pbx: matches!(settings.sync.notes, Notes::TeamsToPbx | Notes::Both),
        notes_to_teams: matches!(settings.sync.notes, Notes::PbxToTeams | Notes::Both),
        renewal: settings.timers.on_the_phone,
        restraint: restraint(&settings.sync),
    }
}

fn restraint(sync: &crate::config::Sync) -> Restraint {
    let paused = |one| {
        let mut directions = sync.paused_directions.iter();
        directions.any(|direction| *direction == one || *direction == Direction::Both)
    };
    Restraint {
        shadow: sync.shadow,
        teams: paused(Direction::PbxToTeams),
        pbx: paused(Direction::TeamsToPbx),
        users: sync.paused_users.iter().map(|name| name.to_lowercase()).collect(),
    }
}

/// Who carries presence subscriptions.
pub(super) fn accounts(settings: &Settings) -> Vec<Account> {
    settings
        .microsoft
        .communication_users
        .iter()
        .map(|user| Account::new(&user.username))
        .collect()
}

/// Who signs in beside the app, and how.
pub(super) fn communication_users(settings: &Settings) -> Vec<token_refresh::CommunicationUser> {
    let users = settings.microsoft.communication_users.iter();
    users
        .map(|user| token_refresh::CommunicationUser {
            account: Account::new(&user.username),
            way: match user.sign_in {
                SignIn::Password(_) => Way::Password,
                SignIn::DeviceCode => Way::Person,
            },
            ends: user
                .registration
                .as_ref()
                .and_then(|registration| registration.credential.as_ref())
                .map(proof_ends)
                .unwrap_or_default(),
        })
        .collect()
}

/// When an app registration's proof ends.
pub(super) fn proof_ends(credential: &AppCredential) -> ProofEnds {
    match credential {
        AppCredential::Secret { expires_at, .. } => ProofEnds {
            secret: *expires_at,
            certificate: None,
        },
        AppCredential::Certificate { expires_at, .. } => ProofEnds {
            secret: None,
            certificate: Some(*expires_at),
        },
    }
}

/// Who proves itself by what at Entra.
pub(crate) fn identity_settings(settings: &Settings) -> anyhow::Result<IdentitySettings> {
    let microsoft = &settings.microsoft;
    let mut users = Vec::new();
    for user in &microsoft.communication_users {
        let registration = user.registration.as_ref().map(|registration| {
            let proof = registration.credential.as_ref().map(proof).transpose()?;
            Ok::<_, anyhow::Error>(AppRegistration {
                client_id: registration.client_id.clone(),
                proof,
            })
        });
        users.push(CommunicationUser {
            username: user.username.clone(),
            password: match &user.sign_in {
                SignIn::Password(password) => Some(password.clone()),
                SignIn::DeviceCode => None,
            },
            registration: registration.transpose()?,
        });
    }
    Ok(IdentitySettings {
        tenant: microsoft.tenant.clone(),
        app: AppRegistration {
            client_id: microsoft.client_id.clone(),
            proof: Some(proof(&microsoft.credential)?),
        },
        communication_users: users,
    })
}

/// Reads what an app registration proves itself by.
fn proof(credential: &AppCredential) -> anyhow::Result<Proof> {
    let read = |file: &Path| {
        std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))
    };
    Ok(match credential {
        AppCredential::Secret { value, .. } => Proof::Secret(value.clone()),
        AppCredential::Certificate {
            certificate,
            private_key,
            ..
        } => Proof::Certificate {
            certificate: read(certificate)?,
            private_key: read(private_key)?.into(),
        },
    })
}

/// For whom notifications are meant.
pub(super) fn webhook_settings(settings: &Settings) -> WebhookSettings {
    let microsoft = &settings.microsoft;
    let own = microsoft
        .communication_users
        .iter()
        .filter_map(|user| user.registration.as_ref());
    let client_ids = std::iter::once(microsoft.client_id.clone())
        .chain(own.map(|registration| registration.client_id.clone()))
        .collect();
    WebhookSettings {
        tenant: microsoft.tenant.clone(),
        client_ids,
    }
}

/// Where a PBX is dialled; `number` is its place in the configuration.
pub(super) fn destination(number: usize, dial: &Dial) -> anyhow::Result<Destination> {
    let trust = match &dial.certificate {
        None => Trust::Authorities,
        Some(PinnedCertificate::Fingerprint(bytes)) => Trust::Pinned(Fingerprint(*bytes)),
        Some(PinnedCertificate::File(file)) => {
            let certificates = CertificateDer::pem_file_iter(file).and_then(Iterator::collect);
            Trust::Certificates(certificates.with_context(|| {
                format!(
                    "pbx.dial.{number}.certificate: {} holds a certificate that cannot be read",
                    file.display()
                )
            })?)
        }
    };
    Ok(Destination {
        url: dial.url.clone(),
        object: dial.object.clone(),
        password: dial.password.clone(),
        pbx: dial.pbx.clone(),
        trust,
    })
}
