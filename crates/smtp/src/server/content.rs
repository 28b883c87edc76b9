//! DATA and BDAT in a session: when content may begin, where it goes, how it ends (RFC 5321 §4.1.1.4, RFC 3030).

use bytes::{Buf, BytesMut};

use super::{About, Answer, Asked, Phase, Question, Refusal, Session, Step, Swallow, Then};
use crate::body::{ChunkReader, DataReader, Piece};
use crate::command::Chunk;
use crate::replies;

impl Session {
    pub(super) fn on_data(&mut self, argument: &str) {
        if !argument.is_empty() {
            return self.error(replies::argument_invalid("DATA"), About::Session);
        }
        let refusal = match &self.transaction {
            Some(transaction) if transaction.chunks.is_some() => {
                Some(self.wrong_order("the content has begun by BDAT; RSET ends it"))
            }
            _ => self.content_refusal(),
        };
        match refusal {
            Some(refusal) => self.refuse(refusal),
            None => self.ask(Asked::Begin(None), Question::Begin),
        }
    }

    /// Why no content may come now, if so.
    fn content_refusal(&mut self) -> Option<Refusal> {
        let refusal = |reply, error, ends| Some(Refusal { reply, about: About::Session, error, ends });
        if self.lacks_tls() {
            return refusal(replies::tls_required(), true, false);
        }
        if self.lacks_login() {
            return refusal(replies::auth_required(), true, false);
        }
        match &self.transaction {
            None => Some(self.wrong_order("send MAIL first")),
            Some(transaction) if transaction.refused => refusal(replies::all_or_nothing(), false, true),
            Some(transaction) if transaction.accepted > 0 => None,
            // the recipients were refused one by one: a pipelining client could not know (RFC 2920 §3.1)
            Some(transaction) if transaction.tried => refusal(replies::no_recipients(), false, true),
            Some(_) => Some(self.wrong_order("send RCPT first")),
        }
    }

    pub(super) fn on_bdat(&mut self, argument: &str) {
        // what a refused chunk carried is lost: a message without it must not be taken for whole, even
        // where its next chunk is under way already (RFC 3030 §2)
        let ends = self.transaction.is_some();
        let about = if ends { About::Content } else { About::Session };
        let malformed = Refusal { reply: replies::argument_invalid("BDAT octets [LAST]"), about, error: true, ends };
        let Some(chunk) = Chunk::parse(argument) else {
            // nobody knows how many octets follow
            return self.refuse(malformed);
        };
        let refusal = match chunk.last {
            Some(_) => self.content_refusal(),
            None => Some(malformed),
        };
        let begun = self.transaction.as_ref().and_then(|transaction| transaction.chunks.as_ref());
        let total = begun.map_or(0, ChunkReader::octets).saturating_add(chunk.octets);
        if total > self.swallowed_octets_max() {
            let about = if refusal.is_none() { About::Content } else { About::Session };
            return self.close(replies::too_large(self.settings.message_octets_max), about);
        }
        match refusal {
            Some(refusal) => self.phase = Phase::Chunk(Swallow { left: chunk.octets, then: Then::Refuse(refusal) }),
            None if begun.is_some() => self.take_chunk(chunk),
            None => self.ask(Asked::Begin(Some(chunk)), Question::Begin),
        }
    }

    fn take_chunk(&mut self, chunk: Chunk) {
        let then = Then::Take { octets: chunk.octets, last: chunk.last == Some(true) };
        self.phase = Phase::Chunk(Swallow { left: chunk.octets, then });
    }

    /// Content over the limit is read on to its end, so that the refusal is heard, but only so far.
    fn swallowed_octets_max(&self) -> u64 {
        self.settings.message_octets_max.saturating_mul(2)
    }

    pub(super) fn on_begin(&mut self, answer: Answer, chunk: Option<Chunk>) {
        match (answer, chunk) {
            (Answer::Yes | Answer::YesAt(_) | Answer::Queued(_), None) => {
                self.phase = Phase::Data(DataReader::default());
                self.send(replies::data_start(), About::Session);
            }
            (Answer::Yes | Answer::YesAt(_) | Answer::Queued(_), Some(chunk)) => {
                if let Some(transaction) = &mut self.transaction {
                    transaction.chunks = Some(ChunkReader::default());
                }
                self.take_chunk(chunk);
            }
            (Answer::No { reply, error }, chunk) => {
                let refusal = Refusal { reply, about: About::Content, error, ends: true };
                match chunk {
                    None => self.refuse(refusal),
                    Some(chunk) => {
                        let then = Then::Refuse(refusal);
                        self.phase = Phase::Chunk(Swallow { left: chunk.octets, then });
                    }
                }
            }
            (Answer::Close(reply), _) => self.close(reply, About::Content),
        }
    }

    /// Reads on in DATA; whether something came of it.
    pub(super) fn on_data_input(&mut self, input: &mut BytesMut) -> bool {
        let Phase::Data(reader) = &mut self.phase else { return false };
        let piece = reader.next(input);
        let octets = reader.octets();
        match piece {
            Piece::Partial => return false,
            Piece::Content(_) if octets > self.swallowed_octets_max() => {
                self.close(replies::too_large(self.settings.message_octets_max), About::Content);
            }
            Piece::Content(content) => {
                if octets <= self.settings.message_octets_max {
                    self.steps.push_back(Step::Content(content));
                }
            }
            Piece::End => {
                self.phase = Phase::Command;
                self.on_end_of_content(octets);
            }
        }
        true
    }

    /// Reads on in a chunk; whether something came of it.
    pub(super) fn on_chunk_input(&mut self, input: &mut BytesMut) -> bool {
        let Phase::Chunk(swallow) = &mut self.phase else { return false };
        if swallow.left > 0 {
            if input.is_empty() {
                return false;
            }
            let octets = usize::try_from(swallow.left).map_or(input.len(), |left| left.min(input.len()));
            swallow.left -= octets as u64;
            match swallow.then {
                Then::Take { .. } => self.take_content(input.split_to(octets)),
                Then::Refuse(_) => input.advance(octets),
            }
            return true;
        }
        if let Phase::Chunk(swallow) = std::mem::replace(&mut self.phase, Phase::Command) {
            self.on_end_of_chunk(swallow.then);
        }
        true
    }

    fn take_content(&mut self, piece: BytesMut) {
        let Some(chunks) = self.transaction.as_mut().and_then(|transaction| transaction.chunks.as_mut()) else {
            return;
        };
        let content = chunks.content(piece);
        if chunks.octets() <= self.settings.message_octets_max && !content.is_empty() {
            self.steps.push_back(Step::Content(content));
        }
    }

    fn on_end_of_chunk(&mut self, then: Then) {
        let (octets, last) = match then {
            Then::Refuse(refusal) => return self.refuse(refusal),
            Then::Take { octets, last } => (octets, last),
        };
        let Some(chunks) = self.transaction.as_mut().and_then(|transaction| transaction.chunks.as_mut()) else {
            return;
        };
        let total = chunks.octets();
        if last || total > self.settings.message_octets_max {
            if let Some(rest) = chunks.finish().filter(|_| total <= self.settings.message_octets_max) {
                self.steps.push_back(Step::Content(rest));
            }
            return self.on_end_of_content(total);
        }
        self.send(replies::chunk_done(octets), About::Session);
    }

    fn on_end_of_content(&mut self, octets: u64) {
        if let Some(reply) = self.revoked.take() {
            return self.close(reply, About::Content);
        }
        if octets > self.settings.message_octets_max {
            let reply = replies::too_large(self.settings.message_octets_max);
            return self.refuse(Refusal { reply, about: About::Content, error: false, ends: true });
        }
        self.ask(Asked::Accept, Question::Accept { octets });
    }

    pub(super) fn on_accept(&mut self, answer: Answer) {
        match answer {
            Answer::Queued(id) => {
                self.transaction = None;
                self.send(replies::accepted(&id), About::Content);
            }
            Answer::Yes | Answer::YesAt(_) => {
                self.transaction = None;
                self.send(replies::done(), About::Content);
            }
            Answer::No { reply, error } => self.refuse(Refusal { reply, about: About::Content, error, ends: true }),
            Answer::Close(reply) => self.close(reply, About::Content),
        }
    }
}
