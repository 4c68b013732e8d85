//! The refusals that a route may answer with, for the description of the API.

use std::collections::BTreeMap;

use utoipa::IntoResponses;
use utoipa::openapi::{Content, Ref, RefOr, Response};

/// The schema that every refusal has.
const SCHEMA: &str = "Problem";

fn refusal(status: u16, causes: &str) -> BTreeMap<String, RefOr<Response>> {
    let content = Content::new(Some(Ref::from_schema_name(SCHEMA)));
    let mut response = Response::new(causes);
    response
        .content
        .insert("application/problem+json".to_owned(), content.into());
    BTreeMap::from([(status.to_string(), response.into())])
}

/// Names a refusal: its status, and what it is answered for, with the codes in brackets.
macro_rules! refusals {
    ($($(#[$meta:meta])* $name:ident = $status:literal, $causes:literal;)*) => {$(
        $(#[$meta])*
        pub(super) enum $name {}

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                refusal($status, $causes)
            }
        }
    )*};
}

refusals! {
    /// A parameter or a body.
    NotUnderstood = 400, "A parameter or the body is not understood (`bad_request`)";
    /// No token.
    Unauthorized = 401, "The token is missing or wrong (`unauthorized`)";
    /// The page's sign-in with a wrong token.
    WrongToken = 401, "The token is wrong (`wrong_token`)";
    /// A viewer, or a foreign page.
    Forbidden = 403, "The viewer token changes nothing (`forbidden`), or a session's change lacks its token (`forged`)";
    /// A name.
    NotFound = 404, "There is nothing of that name (`not_found`)";
    /// A user who takes no orders.
    NotSynchronised = 409, "The user is not synchronised (`not_synchronised`)";
    /// A setting that the API has no say in.
    NotChangeable = 409, "The environment sets the key (`set_by_environment`), or it says where settings are kept (`not_storable`)";
    /// A change that was decided upon something older.
    Stale = 412, "The settings have changed since they were read (`stale`)";
    /// Settings that are not valid.
    Invalid = 422, "The settings would not be valid (`invalid_settings`)";
    /// Too many wrong tokens.
    TooManyAttempts = 429, "Too many wrong tokens came from this address (`too_many_attempts`); `Retry-After` tells the seconds";
    /// Stored, but not applied.
    NotApplied = 500, "The change is stored, but cannot be applied before the next start (`not_applied`)";
    /// No random bytes.
    NoRandomness = 500, "The system gives no random bytes (`no_randomness`)";
    /// The actor that knows.
    Unavailable = 503, "The actor that knows is being restarted (`unavailable`)";
    /// Nothing is known yet.
    NotKnownYet = 503, "The users of both sides are not known yet (`not_known_yet`), or their actor is being restarted (`unavailable`)";
    /// The store.
    NotStored = 503, "The database takes nothing (`not_stored`), or the connector is ending (`ending`)";
    /// A standby is asked.
    NotActive = 503, "This instance stands by (`standby`)";
    /// A standby is to change something.
    ChangesNothing = 409, "This instance stands by, and changes nothing (`standby`)";
    /// Streams.
    TooManyStreams = 503, "As many streams are open as are served (`too_many_streams`)";
}
