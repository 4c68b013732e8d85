//! What the tests of the sign-ins ask again and again.

use m365_actors::token_refresh::{CommunicationUser, CredentialStatus, GetStatus, GetToken, ProofEnds};
use m365_presence::identity::{Account, Credential};
use m365_presence::ports::{AccessToken, Rejected, SignInError};
use m365_presence::sign_in::Way;

use super::house::{Cast, House};
use super::people::ANNA;

pub const APP: &str = "entra: sign in the app";
pub const WITH_ACCOUNT: &str = "entra: sign in anna";

/// What stands in the journal for a sign-in with the password alone.
pub const WITH_PASSWORD: &str = "entra: sign in anna@contoso.test ";

pub fn anna() -> Credential {
    Credential::Communication(Account::new(ANNA))
}

/// Anna signs in with a device code.
pub fn by_code(house: &mut House) {
    house.accounts = vec![CommunicationUser {
        account: Account::new(ANNA),
        way: Way::Person,
        ends: ProofEnds::default(),
    }];
}

pub async fn token(
    cast: &Cast,
    credential: Credential,
    rejected: Option<Rejected>,
) -> Result<AccessToken, SignInError> {
    let ask = GetToken { credential, rejected };
    cast.token_refresh.ask(ask).await.unwrap()
}

pub async fn status(cast: &Cast, credential: &Credential) -> CredentialStatus {
    let status = cast.token_refresh.ask(GetStatus).await.unwrap();
    let of = |status: &CredentialStatus| status.credential == *credential;
    status.credentials.into_iter().find(of).unwrap()
}

/// Graph rejects a token without a challenge.
pub fn rejected(token: &AccessToken) -> Option<Rejected> {
    Some(Rejected {
        token: token.clone(),
        claims: None,
    })
}
