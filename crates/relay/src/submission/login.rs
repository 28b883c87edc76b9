//! AUTH: who it is, whether the guard looks at the password at all, and what a failure counts.

use smtp::replies;
use smtp::sasl::Mechanism;
use smtp::server::{Answer, Secret};

use super::{Decision, Identity, Submission, Visit, full, lock};
use crate::clock::Timestamp;
use crate::directory::Directory;
use crate::guard::Tried;
use crate::policy;
use crate::smtp_user::SmtpUser;
use crate::store::Login;

/// Pairs that failed in one session. A few at most: the session ends before.
#[derive(Debug, Default)]
pub(super) struct Attempts(Vec<Attempt>);

#[derive(Debug)]
struct Attempt {
    tried: Tried,
    mechanism: Mechanism,
    repeated: bool,
}

impl Attempts {
    /// Whether this failure repeats another by the other mechanism for the first time, as mailers do on
    /// a single mistake: then both are one.
    fn is_second_mechanism(&mut self, tried: Tried, mechanism: Mechanism) -> bool {
        match self.0.iter_mut().find(|attempt| attempt.tried == tried) {
            Some(attempt) if attempt.mechanism == mechanism => false,
            Some(attempt) => !std::mem::replace(&mut attempt.repeated, true),
            None => {
                self.0.push(Attempt { tried, mechanism, repeated: false });
                false
            }
        }
    }
}

impl Visit {
    pub(super) fn on_login(
        &mut self,
        shared: &Submission,
        directory: &Directory,
        username: &str,
        (secret, mechanism): (&Secret, Mechanism),
        now: Timestamp,
    ) -> Decision {
        let user = directory.user_named(username);
        let blocked = lock(&shared.guard).on_login(self.remote, username, user.map(|user| user.id), now);
        if let Some(blocked) = blocked {
            let reason = "The address is blocked after failed logins; the password was not looked at.";
            return Decision::new(self.refuse(replies::auth_blocked(blocked.minutes), reason));
        }
        let live = user.map_or(&[][..], |user| &user.passwords);
        let password = shared.key.verify(secret.expose(), live);
        let (Some(user), Some(password)) = (user, password) else {
            return self.on_wrong(shared, user.map(|user| &**user), username, (secret, mechanism), now);
        };
        if let Err(refusal) = policy::login(user, directory, self.remote, now) {
            return Decision::new(self.no(refusal));
        }
        let placed = self.place.as_mut().map_or(Ok(()), |place| place.login(user.id, user.account));
        if let Err(limit) = placed {
            // the mailer that tries its next mechanism now hears why once more, and then the line is free
            let answer = self.refuse(full(limit), "");
            return Decision { end: Some(replies::sessions_again()), ..Decision::new(answer) };
        }
        lock(&shared.guard).on_success(self.remote, user.id, now);
        let password = Some(password);
        self.identity = Some(Identity { user: user.id, account: user.account, domain: user.domain, password });
        let login = Login { user: user.id, address: self.remote, at: now, password };
        Decision { login: Some(login), ..Decision::new(Answer::Yes) }
    }

    fn on_wrong(
        &mut self,
        shared: &Submission,
        user: Option<&SmtpUser>,
        username: &str,
        (secret, mechanism): (&Secret, Mechanism),
        now: Timestamp,
    ) -> Decision {
        let mut guard = lock(&shared.guard);
        let tried = guard.tried(username, secret.expose());
        let mut reason = match user {
            Some(user) => format!("The password is wrong for the SMTP user \"{}\".", user.name),
            None => String::from("No SMTP user has this username."),
        };
        let error = !self.attempts.is_second_mechanism(tried, mechanism);
        let mut block = None;
        if error {
            block = guard.on_failure(self.remote, username, tried, user.map(|user| user.account), now);
        }
        drop(guard);
        if let Some(block) = &block {
            reason.push_str(&format!(" Blocked for {} minutes: {}.", block.seconds / 60, block.cause));
        }
        self.reason = Some(reason);
        self.is_told = !error;
        Decision { block, ..Decision::new(Answer::No { reply: replies::auth_invalid(), error }) }
    }
}
