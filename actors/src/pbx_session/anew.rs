//! Asks the PBX anew for what it shows of one user (pbx.md 3.1): it answers a subscription with the whole picture.

use actix::{Handler, Message};
use m365_presence::identity::PbxGuid;
use m365_presence::ports::PbxOrder;

use super::PbxSession;

/// Orders a user's presence to be subscribed anew, where it is followed.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Resubscribe {
    /// Whose.
    pub user: PbxGuid,
}

impl Handler<Resubscribe> for PbxSession {
    type Result = ();

    fn handle(&mut self, message: Resubscribe, ctx: &mut Self::Context) {
        let Resubscribe { user } = message;
        let Some(h323) = self.followed.name_of(&user) else {
            return;
        };
        self.subscribe_anew(user, h323);
        self.send(ctx);
    }
}

impl PbxSession {
    /// Orders one subscription to be made anew; an earlier one may or may not stand.
    pub(super) fn subscribe_anew(&mut self, user: PbxGuid, h323: String) {
        self.conversations.order(PbxOrder::UnsubscribePresence {
            user: user.clone(),
            h323: h323.clone(),
        });
        self.conversations
            .order(PbxOrder::SubscribePresence { user, h323 });
    }
}
