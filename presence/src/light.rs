//! The closed sets of codes behind the three lights and the warnings, each with its remedy.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Declares a closed set of codes with a stable spelling and a remedy each.
macro_rules! codes {
    ($(#[$meta:meta])* $type:ident { $($(#[$variant_meta:meta])* $variant:ident = $code:literal, $remedy:literal;)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum $type {
            $($(#[$variant_meta])* $variant,)*
        }

        impl $type {
            /// Every code of the set.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The stable spelling.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// What an administrator does about it, as one sentence.
            pub fn remedy(self) -> &'static str {
                match self { $(Self::$variant => $remedy,)* }
            }
        }
    };
}

codes! {
    /// State of the connection to the master PBX.
    MasterPbxCode {
        /// Connected and replicated.
        Ok = "ok", "Nothing to do.";
        /// The connector has just been started.
        Starting = "starting", "Wait; the PBX dials within a minute.";
        /// Another instance does the work.
        Standby = "standby", "Nothing to do; the active instance holds the connection.";
        /// No PBX of that name is connected.
        NotConnected = "not_connected", "Check at the PBX that the App object's URL leads here, that its websocket checkmark is set and that the PBX can resolve and reach this host.";
        /// The PBX that we dial does not answer.
        Unreachable = "unreachable", "Check the address of this [[pbx.dial]], the DNS and the firewall between this host and the PBX, and that the PBX serves HTTPS there.";
        /// The certificate of the PBX that we dial is neither pinned nor trusted.
        UntrustedCertificate = "untrusted_certificate", "Compare the fingerprint with the certificate at the PBX (General > Certificates); if it is the PBX's own, set it as certificate of this [[pbx.dial]].";
        /// The App object's password is not ours.
        WrongAppPassword = "wrong_app_password", "Set the same password at the App object of the PBX and in pbx.password, or in the password of its [[pbx.dial]].";
        /// The PBX that we dial does not say its name.
        UnknownPbxName = "unknown_pbx_name", "Set the checkmark Admin at the App object, or the PBX's name as pbx of this [[pbx.dial]].";
        /// PBXs are connected, but none is called as configured.
        WrongMasterName = "wrong_master_name", "Set pbx.master to the master PBX's name as shown at its System page: the name only, not a DNS name.";
        /// The App object lacks a checkmark.
        MissingApiRight = "missing_api_right", "Set the missing checkmark at the App object of the master PBX.";
        /// The users of the master PBX cannot be replicated.
        ReplicationFailed = "replication_failed", "Check the App object's rights to TableUsers at the master PBX and the PBX's own log; the connector asks again every minute.";
    }
}

codes! {
    /// State of the sign-ins.
    AuthenticationCode {
        /// Every account is signed in.
        Ok = "ok", "Nothing to do.";
        /// No answer yet.
        Starting = "starting", "Wait; the first sign-in is under way.";
        /// Another instance does the work.
        Standby = "standby", "Nothing to do; the active instance is signed in.";
        /// The user name or the password is wrong.
        WrongPassword = "wrong_password", "Correct the communication user's user name and password; the next attempt is made at once after a restart of token-refresh, else after an hour, because accounts lock.";
        /// The account must confirm a second factor, which a password alone cannot.
        MfaRequired = "mfa_required", "Set sign_in = \"device-code\" for this communication user, or exclude the account from multi-factor authentication.";
        /// Somebody must sign in with the device code.
        SignInRequired = "sign_in_required", "Open the address shown, enter the code and sign in as this communication user.";
        /// The app registration lacks consent.
        ConsentRequired = "consent_required", "Grant admin consent at Entra admin centre > App registrations > API permissions.";
        /// Too many wrong attempts.
        AccountLocked = "account_locked", "Wait until the lock ends or unlock the account, and check its password.";
        /// The account may not sign in.
        AccountDisabled = "account_disabled", "Enable the account at Entra admin centre > Users.";
        /// The password is too old.
        PasswordExpired = "password_expired", "Set a new password for the account, best one that does not expire, and enter it here.";
        /// The client secret is not the app registration's.
        WrongClientSecret = "wrong_client_secret", "Enter the secret's value (not its id) from App registrations > Certificates & secrets.";
        /// The client secret is too old.
        ClientSecretExpired = "client_secret_expired", "Create a new secret at App registrations > Certificates & secrets and enter its value.";
        /// The certificate is not the app registration's.
        WrongCertificate = "wrong_certificate", "Upload the certificate at App registrations > Certificates & secrets, or configure the uploaded one with its key.";
        /// The directory does not exist.
        UnknownTenant = "unknown_tenant", "Set microsoft.tenant to the directory id or a verified domain, from Entra admin centre > Overview.";
        /// The app registration does not exist there.
        UnknownApp = "unknown_app", "Set client_id to the application id from App registrations > Overview of this directory.";
        /// A policy of the directory refuses the sign-in.
        ConditionalAccess = "conditional_access", "Exclude the account from the Conditional Access policy that blocks it, or allow this host's address there.";
        /// No answer from the sign-in service.
        Unreachable = "unreachable", "Check this host's DNS, proxy and outgoing HTTPS to the Microsoft sign-in service.";
        /// The sign-in service asks for patience.
        Throttled = "throttled", "Wait; the next attempt follows the time that Microsoft asked for.";
        /// A refusal that has no class of its own.
        Refused = "refused", "Look the AADSTS number up in the detail and correct the app registration or the account.";
    }
}

codes! {
    /// State of the presence subscriptions.
    SubscriptionCode {
        /// Every shard is subscribed.
        Ok = "ok", "Nothing to do.";
        /// Presence is read in bulk, as configured.
        Polling = "polling", "Nothing to do.";
        /// The first subscription is under way.
        Starting = "starting", "Wait until users, licenses and the first subscription are there.";
        /// Another instance does the work.
        Standby = "standby", "Nothing to do; the active instance holds the subscriptions.";
        /// An older subscription, which cannot be taken over or deleted, must end first.
        WaitingForExpiry = "waiting_for_expiry", "Nothing to do; presence is read in bulk until the old subscription ends.";
        /// Microsoft could not reach the notification URL.
        NotificationUrlUnreachable = "notification_url_unreachable", "Check public DNS, firewall, reverse proxy and the publicly signed certificate of public.url.";
        /// The notification URL answered, but not as it must.
        NotificationUrlRejected = "notification_url_rejected", "Check that the reverse proxy leads /graph/ to this connector unchanged, and the case of the path.";
        /// The communication user holds no Teams license.
        NoTeamsLicense = "no_teams_license", "Assign a Teams license to the communication user.";
        /// More users than the communication users can carry.
        TooManyUsers = "too_many_users", "Add a communication user for every further 650 users.";
        /// Nobody to subscribe for.
        NoLicensedUsers = "no_licensed_users", "Assign App(innovaphone-microsoft365) licenses at the PBX and check the matching of the users.";
        /// Graph refuses the subscription to this account.
        Forbidden = "forbidden", "Grant the delegated permission Presence.Read.All with consent for the communication user.";
        /// Notifications do not arrive although the subscription lives.
        Deaf = "deaf", "Nothing to do at once: the subscription is made anew; if this repeats, check the way from Microsoft to public.url.";
        /// Graph does not answer.
        Unreachable = "unreachable", "Check this host's DNS, proxy and outgoing HTTPS to Microsoft Graph.";
        /// The communication user is not signed in.
        NotSignedIn = "not_signed_in", "See the authentication light.";
    }
}

codes! {
    /// What is no trouble yet, but will be.
    WarningCode {
        /// An administrator holds writes back.
        WritesHeldBack = "writes_held_back", "Nothing, while that is wanted; to go on set sync.shadow to false and empty sync.paused_directions and sync.paused_users.";
        /// The database does not take what it is given.
        DatabaseAway = "database_away", "Presence goes on, and what must survive a restart is kept in memory; mend what the detail names before the connector is restarted.";
        /// Few places are left in the presence subscriptions.
        NearlyFull = "nearly_full", "Add a communication user before the last place is taken; each carries 650 users.";
        /// More users are licensed than the presence subscriptions have places.
        OverCapacity = "over_capacity", "Add a communication user for every further 650 users.";
        /// Graph does not send resource data.
        ResourceDataRefused = "resource_data_refused", "Nothing is lost: every notification is followed by a read. It is tried again every day, and at once after POST /api/v1/subscriptions/renew.";
        /// Resource data comes without any proof that Microsoft sent it.
        ValidationTokensMissing = "validation_tokens_missing", "In the Entra admin center under Enterprise applications > the app > Properties set 'Assignment required?' to No, or assign Microsoft Graph Change Tracking to the app.";
        /// The encryption key has outlived its time and cannot be replaced.
        NotificationKeyOverdue = "notification_key_overdue", "Correct what the detail names, mostly the database's disk or its rights; the key is replaced by itself then.";
        /// A slave PBX that was connected is not any more.
        SlavePbxAway = "slave_pbx_away", "Check that PBX, its App object and the way between it and this connector; until it is back the master carries its users' presence, and their calls are not seen.";
        /// The App object of a slave PBX lacks a checkmark.
        SlavePbxMissingApiRight = "slave_pbx_missing_api_right", "Set the missing checkmark at the App object of that PBX, too.";
        /// A PBX that we dial is not reached, and it is not the master.
        DialledPbxNotReached = "dialled_pbx_not_reached", "Correct what the detail names at that PBX or at its [[pbx.dial]]; it is dialled again by itself, and at once after a restart of its pbx-dialler.";
        /// More licenses are assigned than installed at the PBX.
        TooFewLicenses = "too_few_licenses", "Install further licenses at the PBX, or withdraw them from users who do not need one.";
        /// The client secret ends soon.
        ClientSecretExpiring = "client_secret_expiring", "Create a new secret at App registrations > Certificates & secrets, enter its value and its end as client_secret_expires, and restart the connector.";
        /// The client certificate ends soon.
        ClientCertificateExpiring = "client_certificate_expiring", "Make a new pair, upload its certificate at App registrations > Certificates & secrets beside the old one, name it as client_certificate with client_private_key, and restart the connector.";
        /// The certificate of the public listener ends soon.
        TlsCertificateExpiring = "tls_certificate_expiring", "Renew the certificate in the file of public.tls_certificate and restart the connector.";
        /// The refresh token of a communication user was not used for long.
        StoredSignInExpiring = "stored_sign_in_expiring", "Mend what keeps this communication user from signing in, see the authentication light; after that day a person must sign in with a new code.";
        /// Somebody else than the communication user has entered the device code.
        SignedInAsAnother = "signed_in_as_another", "Revoke that account's sessions at Entra admin centre > Users and enter the next code as the communication user, or set username to the account that is meant.";
        /// A host of Microsoft's is out of reach.
        OutOfReach = "out_of_reach", "Check this host's DNS, proxy and outgoing HTTPS, and Microsoft's service health; it is asked again by itself, and what is missed is made good.";
        /// The machine's clock is wrong.
        ClockOff = "clock_off", "Nothing is lost, for the connector goes by Microsoft's clock; set this machine's clock right (NTP), so that logs and other programs are right, too.";
    }
}
