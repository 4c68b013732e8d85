//! A message on its way: counts itself out of the mailbox when the actor takes it up.

use actix::dev::{Envelope, EnvelopeProxy, MessageResponse, OneshotSender, ToEnvelope};
use actix::{Actor, Handler, Message};

use super::SupervisedActor;
use super::context::Context;
use super::exit::Step;

struct Letter<M: Message> {
    message: Option<M>,
    answer: Option<OneshotSender<M::Result>>,
}

impl<A, M> EnvelopeProxy<A> for Letter<M>
where
    A: SupervisedActor + Handler<M>,
    M: Message + Send + 'static,
    M::Result: Send,
{
    fn handle(&mut self, actor: &mut A, ctx: &mut Context<A>) {
        ctx.count_out();
        let answer = self.answer.take();
        if answer.as_ref().is_some_and(OneshotSender::is_closed) {
            return;
        }
        if let Some(message) = self.message.take() {
            ctx.set_step(Step::Message(std::any::type_name::<M>()));
            <A as Handler<M>>::handle(actor, message, ctx).handle(ctx, answer);
        }
    }
}

impl<A, M> ToEnvelope<A, M> for Context<A>
where
    A: Actor<Context = Self> + SupervisedActor + Handler<M>,
    M: Message + Send + 'static,
    M::Result: Send,
{
    fn pack(message: M, answer: Option<OneshotSender<M::Result>>) -> Envelope<A> {
        Envelope::with_proxy(Box::new(Letter {
            message: Some(message),
            answer,
        }))
    }
}
