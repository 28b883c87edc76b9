//! Speaks SMTP: addresses, commands, replies, framing and both dialogues, as values without IO.
//!
//! Nothing here opens a socket, reads a clock or rolls dice. Bytes go in, steps come out; the driver
//! (`net`) carries them out and answers the questions that the server machine asks.

pub mod address;
pub mod body;
pub mod client;
pub mod command;
pub mod dsn;
pub mod envelope;
pub mod line;
pub mod replies;
pub mod reply;
pub mod sasl;
pub mod secret;
pub mod server;
pub mod xtext;
