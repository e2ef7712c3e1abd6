//! From an inbound message to a ticket or a reply.

pub mod inbound;
