//! The steps of a session: duties, events and what is told to whom.

use std::sync::Arc;

use actix::{ActorFutureExt, AsyncContext, WrapFuture};
use m365_presence::board::Outcome;
use m365_presence::matching::Directory;
use m365_presence::pbx::PbxApi;
use m365_presence::ports::{LicenseAnswer, PbxEvent, PbxOrder};

use super::followed::Carried;
use super::{PbxSession, TABLE_PAUSE};
use crate::presence_sync::{PbxLost, PbxSeen, PresenceSync, Sighting};
use crate::sessions::Reach;
use crate::supervision::Context;
use crate::user_sync::PbxTable;

impl PbxSession {
    /// Divides the APIs among the connections and begins what a connection now serves; answers which APIs changed hands.
    pub(super) fn take_up_duties(&mut self, ctx: &mut Context<Self>) -> Vec<PbxApi> {
        let changed = self.conversations.divide();
        for api in changed.iter().copied() {
            match api {
                PbxApi::PbxTableUsers if self.is_master() => {
                    self.replicate_users();
                }
                PbxApi::PbxApi => {
                    self.silence.begin();
                    self.followed.forget_presence();
                    self.entries.fail();
                    for (user, h323) in self.followed.subscribed() {
                        self.silence.expect(&user);
                        self.conversations
                            .order(PbxOrder::SubscribePresence { user, h323 });
                    }
                }
                PbxApi::Rcc => {
                    self.follow_lines();
                }
                PbxApi::PbxAdminApi => {
                    self.silence.ask_anew();
                    self.begin_licensing();
                }
                PbxApi::PbxTableUsers | PbxApi::PbxImpersonation => {}
            }
        }
        self.note_caller(ctx);
        self.send(ctx);
        changed
    }

    pub(super) fn replicate_users(&mut self) {
        self.followed.begin_table();
        self.conversations.order(PbxOrder::ReplicateUsers);
    }

    pub(super) fn follow_lines(&mut self) {
        self.followed.begin_lines();
        self.refusals.lines_asked();
        self.conversations.order(PbxOrder::FollowLines);
    }

    /// What a lost connection told is not followed any more; another one may take its duties over.
    pub(super) fn lose_connection(&mut self, ctx: &mut Context<Self>) {
        let pbx = self.dependencies.pbx.clone();
        log::warn!(pbx = pbx.as_str(); "a connection of pbx {pbx} has ended");
        let nothing_changed_hands = self.take_up_duties(ctx).is_empty();
        self.note_reach(ctx);
        if nothing_changed_hands && self.conversations.is_up() {
            return;
        }
        self.tell_presence_sync(PbxLost { pbx: pbx.clone() }, ctx);
        if self.conversations.is_up() {
            self.tell_sightings(self.followed.everything(), ctx);
        } else {
            self.since = self.dependencies.clock.now();
        }
    }

    /// Tells the other sessions how far this PBX can be reached, and follows whom it then carries.
    pub(super) fn note_reach(&mut self, ctx: &mut Context<Self>) {
        let reach = Reach {
            connected: self.conversations.is_up(),
            presence: self.conversations.may(PbxApi::PbxApi),
        };
        let is_new = self
            .dependencies
            .sessions
            .set_reach(&self.dependencies.pbx, reach);
        if let Some(directory) = self.directory.clone().filter(|_| is_new && reach.connected) {
            self.follow(directory, ctx);
        }
    }

    /// Carries the matched users who live here; the master carries the presence of those as well whose PBX is not
    /// connected, or may not be asked for it.
    pub(super) fn follow(&mut self, directory: Arc<Directory>, ctx: &mut Context<Self>) {
        let pbx = &self.dependencies.pbx;
        let sessions = &self.dependencies.sessions;
        let stands_in = self.is_master();
        // a lost PBX freezes what it has told, so its users stay where they were
        let keeps_residents =
            stands_in || !self.conversations.is_up() || self.conversations.may(PbxApi::PbxApi);
        let carried = directory.pairs().filter_map(|(user, _)| {
            let resident = user.home == *pbx || (stands_in && user.home.as_str().is_empty());
            let presence = if resident {
                keeps_residents
            } else {
                stands_in && !sessions.reach(&user.home).presence
            };
            (resident || presence).then(|| Carried {
                user: user.guid.clone(),
                h323: user.h323.clone(),
                resident,
                presence,
            })
        });
        let carried: Vec<Carried> = carried.collect();
        self.directory = Some(directory);
        let changes = self.followed.carry(carried);
        for (user, h323) in changes.unsubscribe {
            self.silence.forget(&user);
            self.conversations
                .order(PbxOrder::UnsubscribePresence { user, h323 });
        }
        for (user, h323) in changes.subscribe {
            self.silence.expect(&user);
            self.conversations
                .order(PbxOrder::SubscribePresence { user, h323 });
        }
        self.tell_sightings(changes.sightings, ctx);
        self.send(ctx);
    }

    /// Takes in what the PBX tells; answers what `PresenceSync` must know.
    pub(super) fn take_in(&mut self, events: Vec<PbxEvent>, ctx: &mut Context<Self>) -> Vec<Sighting> {
        let mut sightings = Vec::new();
        for event in events {
            match event {
                PbxEvent::UserListed(user) => {
                    self.note_altered([user.guid.clone()], ctx);
                    if self.followed.list(user) {
                        self.note_table_change(ctx);
                    }
                }
                PbxEvent::UserRemoved(user) => {
                    if self.followed.remove(&user) {
                        self.note_table_change(ctx);
                    }
                }
                PbxEvent::UsersComplete => {
                    let known_before = self.followed.complete_table();
                    self.note_altered(known_before, ctx);
                    self.refusals.complete_table();
                    self.tell_table(ctx);
                }
                PbxEvent::UsersRefused { message } => {
                    self.refusals.refuse_table(&message);
                    self.note_refusal("the user table", &message);
                }
                PbxEvent::Presence { user, entries } => {
                    self.silence.hear(&user, &entries);
                    sightings.extend(self.followed.see_presence(user, entries))
                }
                PbxEvent::PresenceLost(user) => {
                    self.silence.excuse(&user);
                    sightings.extend(self.followed.lose_presence(user));
                }
                PbxEvent::PresenceRefused { user, message } => {
                    self.note_refusal("a presence subscription", &message);
                    self.silence.refuse(&user, &message);
                    self.refusals.refuse_presence(user.clone());
                    sightings.extend(self.followed.lose_presence(user));
                }
                PbxEvent::Calls { user, calls } => sightings.extend(self.followed.see_calls(user, calls)),
                PbxEvent::LineListed { user, listed } => self.followed.list_line(user, listed),
                PbxEvent::Unallowed {
                    user,
                    subscribers,
                    pending,
                } => {
                    let objects = self.conversations.app_objects();
                    self.silence
                        .note_unallowed(&user, &subscribers, pending, &objects);
                }
                PbxEvent::LinesComplete => {
                    self.refusals.complete_lines();
                    sightings.extend(self.followed.complete_lines());
                }
                PbxEvent::LinesRefused { message } => {
                    self.refusals.refuse_lines(&message);
                    self.note_refusal("its line states", &message);
                    sightings.push(Sighting::LinesLost);
                }
                PbxEvent::EntrySet(user) => self.end_entry(&user, Outcome::Accepted, ctx),
                PbxEvent::EntryRefused { user, message } => {
                    self.note_refusal("a presence entry", &message);
                    self.end_entry(&user, Outcome::Refused { message, gone: false }, ctx);
                }
                PbxEvent::AlienCallSet { user, .. } => self.end_alien_call(&user, Outcome::Accepted, ctx),
                PbxEvent::AlienCallRefused { user, message } => {
                    self.note_refusal("a call of ours", &message);
                    self.end_alien_call(&user, Outcome::Refused { message, gone: false }, ctx);
                }
                PbxEvent::License { user, held } => self.take_license(LicenseAnswer { user, held }),
                PbxEvent::LicenseFailed { user, message } => self.take_license_failure(user, message, ctx),
                PbxEvent::LicensesListed(listed) => self.take_license_list(&listed),
                PbxEvent::Ignored { message_type } => self.conversations.ignore(message_type),
            }
        }
        sightings
    }

    /// Sends what there is to send; a connection that takes nothing any more is gone.
    pub(super) fn send(&mut self, ctx: &mut Context<Self>) {
        let gone = self.conversations.send();
        if !gone.is_empty() {
            for connection in gone {
                self.conversations.detach(connection);
            }
            self.lose_connection(ctx);
        }
    }

    pub(super) fn tell_table(&self, ctx: &mut Context<Self>) {
        let Some(users) = self.followed.table().filter(|_| self.is_master()) else {
            return;
        };
        let table = PbxTable {
            pbx: self.dependencies.pbx.clone(),
            users: Arc::new(users),
        };
        let told = self.dependencies.user_sync.ask(table);
        ctx.spawn(told.into_actor(self).map(|told, _, _| {
            if told.is_err() {
                log::debug!("user-sync is down; it asks for the table when it is back");
            }
        }));
    }

    pub(super) fn tell_sightings(&self, sightings: Vec<Sighting>, ctx: &mut Context<Self>) {
        if !sightings.is_empty() {
            self.tell_presence_sync(
                PbxSeen {
                    pbx: self.dependencies.pbx.clone(),
                    sightings,
                },
                ctx,
            );
        }
    }

    pub(super) fn tell_presence_sync<M>(&self, message: M, ctx: &mut Context<Self>)
    where
        M: actix::Message<Result = ()> + Send + 'static,
        PresenceSync: actix::Handler<M>,
    {
        let told = self.dependencies.presence_sync.ask(message);
        ctx.spawn(told.into_actor(self).map(|told, _, _| {
            if told.is_err() {
                log::debug!("presence-sync is down; it asks for everything when it is back");
            }
        }));
    }

    fn note_table_change(&mut self, ctx: &mut Context<Self>) {
        if self.followed.table_complete() && !self.table_changed {
            self.table_changed = true;
            ctx.run_later(TABLE_PAUSE, |actor, ctx| {
                actor.table_changed = false;
                actor.tell_table(ctx);
            });
        }
    }

    pub(super) fn note_refusal(&mut self, what: &str, message: &str) {
        let pbx = &self.dependencies.pbx;
        if self.refusals.note(format!("{what}: {message}")) {
            log::warn!(pbx = pbx.as_str(); "pbx {pbx} refuses {what}: {message}");
        }
    }
}
