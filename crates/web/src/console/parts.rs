//! A file that is sent in parts as they are made, so that no length of it is held at once.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use hyper::body::Frame;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// How long whoever asked may take for one part, so that one who reads nothing keeps no place from the others.
const PATIENCE: Duration = Duration::from_secs(60);

/// A part of a file.
struct Part {
    text: Bytes,
    is_last: bool,
}

/// Where the parts of a file go.
pub(super) struct Parts(mpsc::Sender<Part>);

impl Parts {
    /// Sends one; whether it was taken: nothing further is to be made where it was not.
    pub(super) async fn send(&self, text: String, is_last: bool) -> bool {
        let part = Part { text: Bytes::from(text), is_last };
        matches!(timeout(PATIENCE, self.0.send(part)).await, Ok(Ok(())))
    }
}

/// The answer that a file is, of this type and disposition, and where its parts go. One that ends without its last part
/// breaks off.
pub(super) fn file(kind: &'static str, disposition: &'static str) -> (Parts, Response) {
    let (to, parts) = mpsc::channel(1);
    let mut answer = Body::new(Stream { parts, is_whole: false }).into_response();
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    answer.headers_mut().insert(header::CONTENT_DISPOSITION, HeaderValue::from_static(disposition));
    (Parts(to), answer)
}

/// What is sent, as it comes.
struct Stream {
    parts: mpsc::Receiver<Part>,
    is_whole: bool,
}

impl hyper::body::Body for Stream {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.parts.poll_recv(context).map(|part| match part {
            Some(part) => {
                self.is_whole = part.is_last;
                Some(Ok(Frame::data(part.text)))
            }
            None if self.is_whole => None,
            // a file that ends early must not look whole
            None => {
                self.is_whole = true;
                Some(Err(io::Error::other("the file broke off")))
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_that_ends_early_does_not_look_whole() {
        for is_last in [true, false] {
            let (to, answer) = file("text/plain", "attachment");
            assert!(to.send("a".to_owned(), is_last).await);
            drop(to);
            assert_eq!(axum::body::to_bytes(answer.into_body(), 10).await.is_ok(), is_last);
        }
    }
}
