//! A relay under load: what its clients share, and what they heard acknowledged.

use super::{House, Login, Port, Server, eventually, send};
use lettre::SmtpTransport;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub struct Load<'a> {
    pub house: &'a House,
    login: &'a Login,
    port: AtomicU16,
    over: AtomicBool,
    acknowledged: Mutex<BTreeSet<String>>,
}

impl<'a> Load<'a> {
    pub fn new(house: &'a House, login: &'a Login, server: &Server) -> Load<'a> {
        let port = AtomicU16::new(server.tls);
        Load { house, login, port, over: AtomicBool::new(false), acknowledged: Mutex::default() }
    }

    fn marks(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was acknowledged so far.
    pub fn acknowledged(&self) -> BTreeSet<String> {
        self.marks().clone()
    }

    /// Waits until so much was acknowledged in all.
    pub fn wait_for(&self, wanted: usize) {
        eventually("load", || (self.marks().len() >= wanted).then_some(()));
    }

    /// Waits until so much more was acknowledged.
    pub fn wait_for_more(&self, more: usize) {
        let wanted = self.marks().len() + more;
        self.wait_for(wanted);
    }

    /// Starts the relay again; clients find it.
    pub fn serve_again(&self) -> Server {
        let server = self.house.serve();
        self.port.store(server.tls, Ordering::SeqCst);
        server
    }

    /// The clients send no more.
    pub fn end(&self) {
        self.over.store(true, Ordering::SeqCst);
    }

    pub fn client(&self) -> SmtpTransport {
        self.house.client(Port::Tls(self.port.load(Ordering::SeqCst)), self.login)
    }

    /// Sends one numbered message after the other until the end: `attempt` says what was acknowledged with it.
    pub fn repeat<T: IntoIterator<Item = String>, E>(&self, mut attempt: impl FnMut(usize) -> Result<T, E>) {
        let mut number = 0;
        while !self.over.load(Ordering::SeqCst) {
            number += 1;
            match attempt(number) {
                Ok(acknowledged) => self.marks().extend(acknowledged),
                // the relay was killed or would not have it: what was not acknowledged may be lost
                Err(_) => std::thread::park_timeout(Duration::from_millis(20)),
            }
        }
    }

    /// Sends messages with a subject of their own until the end, one of so many large.
    pub fn send_marked(&self, client: u64, large_every: usize) {
        self.repeat(|number| {
            let mark = format!("mark-{client}-{number}-end");
            let size = if number.is_multiple_of(large_every) { 1_500_000 } else { 2_000 };
            let body = "0123456789abcdef0123456789abcdef0123456789abcdef\r\n".repeat(size / 50);
            let content = format!("From: <shop@example.com>\r\nSubject: {mark}\r\n\r\n{body}");
            send(&self.client(), "shop@example.com", &["b@example.net"], content.as_bytes()).map(|_| [mark])
        });
    }
}
