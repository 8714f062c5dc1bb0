//! The executor of a machine on which no test is to run.

use actix::{Actor, Context, Handler};
use flotilla_messages::Place;

use crate::execution::executor::{ExecutorId, Order};
use crate::run::scheduler::Join;

/// Stands in for this machine's pool where no test is to run on it.
pub(in crate::run) struct Nobody;

impl Nobody {
    /// How it joins: for no leases.
    pub(in crate::run) fn join(executor: ExecutorId) -> Join {
        let orders = Self.start().recipient();
        Join { executor, place: Place::Local, credit: 0, max_heavy: 1, orders }
    }
}

impl Actor for Nobody {
    type Context = Context<Self>;
}

impl Handler<Order> for Nobody {
    type Result = ();

    fn handle(&mut self, _: Order, _: &mut Self::Context) {}
}
