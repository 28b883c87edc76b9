//! DATA and BDAT against a simple model: what is content, where it ends, and the same however it was cut.

use bytes::BytesMut;
use smtp::body::{ChunkReader, DataReader, Piece};
use smtp::server::{Answer, Question, Security, Session, Settings, Step};

use crate::phrases::{self, spoken};

const END: &[u8] = b"\r\n.\r\n";
/// What comes in front of content.
const ENVELOPE: &[u8] =
    b"EHLO a.example\r\nAUTH PLAIN AHUAcA==\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\n";

/// Frames the octets behind the first four by DATA, and by BDAT in chunks that those four say; they also say the
/// cuts.
///
/// # Panics
/// Where a promise is broken.
pub fn check(data: &[u8]) {
    let Some((cuts, octets)) = data.split_first_chunk::<4>() else { return };
    let octets = spoken(octets, phrases::LINE_ENDS);
    by_data(&octets, cuts);
    by_chunks(&octets, cuts);
}

/// Lengths to cut by, over and over.
fn lengths(cuts: &[u8; 4]) -> impl Iterator<Item = usize> {
    let lengths = cuts.map(|cut| usize::from(cut % 32) + 1);
    lengths.into_iter().cycle()
}

fn pieces<'a>(mut octets: &'a [u8], cuts: &[u8; 4]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    for length in lengths(cuts) {
        if octets.is_empty() {
            break;
        }
        let (piece, rest) = octets.split_at(length.min(octets.len()));
        pieces.push(piece);
        octets = rest;
    }
    pieces
}

/// The model of line ends: whatever ends a line becomes CRLF.
fn normalised(octets: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = octets;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match (first, after) {
            (b'\r', [b'\n', tail @ ..]) => {
                out.extend_from_slice(b"\r\n");
                rest = tail;
            }
            (b'\r' | b'\n', _) => out.extend_from_slice(b"\r\n"),
            (octet, _) => out.push(*octet),
        }
    }
    out
}

/// The model of DATA: content and what follows its end, for octets that hold one.
fn data_model(wire: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let framed = [b"\r\n", wire].concat();
    let Some(end) = framed.windows(END.len()).position(|window| window == END) else {
        panic!("the model needs an end")
    };
    let mut content = Vec::new();
    // what stands between CRLF and CRLF is a line, and a dot in front of it goes
    let mut rest = &framed[2..end + 2];
    while !rest.is_empty() {
        let length = rest.windows(2).position(|pair| pair == b"\r\n").map_or(rest.len(), |at| at + 2);
        let (line, after) = rest.split_at(length);
        content.extend_from_slice(line.strip_prefix(b".").unwrap_or(line));
        rest = after;
    }
    (normalised(&content), framed[end + END.len()..].to_vec())
}

fn by_data(octets: &[u8], cuts: &[u8; 4]) {
    let wire = [octets, END, b"NOOP\r\n"].concat();
    let (content, rest) = data_model(&wire);
    for pieces in [vec![&wire[..]], pieces(&wire, cuts)] {
        let (mut reader, mut input, mut read) = (DataReader::default(), BytesMut::new(), Vec::new());
        let mut arriving = pieces.iter();
        let left = loop {
            match reader.next(&mut input) {
                Piece::Content(octets) => {
                    assert!(!octets.is_empty());
                    read.extend_from_slice(&octets);
                }
                Piece::End => break [&input[..], &arriving.copied().collect::<Vec<_>>().concat()].concat(),
                Piece::Partial => {
                    assert!(input.len() <= 3, "{} octets are held", input.len());
                    let Some(piece) = arriving.next() else { panic!("no end of {wire:?}") };
                    input.extend_from_slice(piece);
                }
            }
        };
        assert_eq!((&read, &left), (&content, &rest), "of {wire:?}");
        assert!(reader.octets() <= wire.len() as u64);
        let said = [ENVELOPE, b"DATA\r\n", &wire].concat();
        assert_eq!(accepted(&said, cuts), content);
    }
}

fn by_chunks(octets: &[u8], cuts: &[u8; 4]) {
    let mut content = normalised(octets);
    if !content.is_empty() && !content.ends_with(b"\r\n") {
        content.extend_from_slice(b"\r\n");
    }
    let chunks = pieces(octets, cuts);
    for pieces in [vec![octets], chunks.clone()] {
        let (mut reader, mut read) = (ChunkReader::default(), Vec::new());
        for piece in pieces {
            read.extend_from_slice(&reader.content(BytesMut::from(piece)));
        }
        read.extend_from_slice(&reader.finish().unwrap_or_default());
        assert_eq!(read, content, "of {octets:?}");
        assert_eq!(reader.octets(), octets.len() as u64);
    }
    let mut said = ENVELOPE.to_vec();
    for chunk in chunks {
        said.extend_from_slice(format!("BDAT {}\r\n", chunk.len()).as_bytes());
        said.extend_from_slice(chunk);
    }
    said.extend_from_slice(b"BDAT 0 LAST\r\nNOOP\r\n");
    let [a, b, c, d] = *cuts;
    assert_eq!(accepted(&said, &[d, c, b, a]), content);
}

/// The content of the first message that a session accepts, its input cut.
fn accepted(said: &[u8], cuts: &[u8; 4]) -> Vec<u8> {
    let settings = Settings {
        service: smtp::server::Service::Submission,
        hostname: "relay.test".into(),
        recipients_max: 1,
        message_octets_max: u64::MAX,
        messages_max: 1,
        errors_max: 1,
        authentication_failures_max: 1,
    };
    let mut session = Session::new(settings, Security::Tls);
    let (mut input, mut content) = (BytesMut::new(), Vec::new());
    let pieces = pieces(said, cuts);
    let mut arriving = pieces.iter();
    loop {
        match session.step(&mut input) {
            Step::Read => match arriving.next() {
                Some(piece) => input.extend_from_slice(piece),
                None => panic!("nothing was accepted of {said:?}"),
            },
            Step::Send { reply, .. } => assert!(reply.is_positive(), "{reply:?} to {said:?}"),
            Step::Content(octets) => content.extend_from_slice(&octets),
            Step::Ask(Question::Accept { .. }) => return content,
            Step::Ask(_) => session.answer(Answer::Yes),
            step @ (Step::Abandon | Step::StartTls | Step::Close) => panic!("{step:?} in {said:?}"),
        }
    }
}
