//! The buffer that a session reads into: small while it is idle, large while content comes, never a trap for memory.

use bytes::BytesMut;

/// Room for a command line and a little more: what an idle session holds.
const IDLE_OCTETS: usize = 1024;
/// Room for pipelined commands.
const COMMAND_OCTETS_MAX: usize = 8 * 1024;
/// Room for content.
const CONTENT_OCTETS: usize = 64 * 1024;
/// The least of it that is read into before more is made.
const CONTENT_OCTETS_MIN: usize = 8 * 1024;

/// Octets that were read and not yet used.
#[derive(Debug, Default)]
pub(crate) struct Input(BytesMut);

impl Input {
    /// The octets, for the machine to take from the front and for a read to put behind.
    pub(crate) fn buffer(&mut self) -> &mut BytesMut {
        &mut self.0
    }

    /// Makes room before a read.
    ///
    /// Content that was handed on shares this memory. So a client that drips goes on filling the
    /// same piece, and what it has sent never holds much more than itself.
    pub(crate) fn make_room(&mut self, receiving: bool) {
        let (length, capacity) = (self.0.len(), self.0.capacity());
        let left = capacity - length;
        if receiving {
            if left < CONTENT_OCTETS_MIN {
                self.0.reserve(CONTENT_OCTETS);
            }
        } else if length == 0 {
            if !(IDLE_OCTETS..=COMMAND_OCTETS_MAX).contains(&capacity) {
                self.0 = BytesMut::with_capacity(IDLE_OCTETS);
            }
        } else if left == 0 {
            self.0.reserve(length.clamp(IDLE_OCTETS, COMMAND_OCTETS_MAX));
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn an_idle_session_holds_little_after_commands_and_content() {
        let mut input = Input::default();
        input.make_room(false);
        assert_eq!(input.0.capacity(), IDLE_OCTETS);
        input.make_room(true);
        input.0.extend_from_slice(&[b'x'; 50_000]);
        input.0.clear();
        input.make_room(false);
        assert_eq!(input.0.capacity(), IDLE_OCTETS);
    }

    #[test]
    fn a_full_buffer_of_commands_grows_by_at_most_its_bound() {
        let mut input = Input::default();
        for _ in 0..5 {
            input.make_room(false);
            let left = input.0.capacity() - input.0.len();
            assert!((1..=2 * COMMAND_OCTETS_MAX).contains(&left), "{left}");
            input.0.extend_from_slice(&vec![b'x'; left]);
        }
    }

    #[test]
    fn content_that_drips_holds_hardly_more_than_itself() {
        let (mut input, mut kept, mut pieces) = (Input::default(), Vec::new(), BTreeSet::new());
        for _ in 0..100_000 {
            input.make_room(true);
            input.0.extend_from_slice(b"0123456789");
            let content = input.0.split().freeze();
            pieces.insert(content.as_ptr() as usize / CONTENT_OCTETS);
            kept.push(content);
        }
        let octets: usize = kept.iter().map(bytes::Bytes::len).sum();
        // every piece of memory touched, once or twice across its borders
        assert!(pieces.len() * CONTENT_OCTETS < 3 * octets, "{} pieces for {octets} octets", pieces.len());
    }
}
