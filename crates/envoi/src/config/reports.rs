//! `[bounces]`: where other servers report on mail that has left.

use std::net::SocketAddr;

use super::read::Tree;

/// Where other servers report on mail that has left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reports {
    /// Where they are taken.
    pub listen: Vec<SocketAddr>,
    /// Whether mail goes out with addresses of its own; never where nothing listens.
    pub return_path: bool,
    /// An address for complaints.
    pub feedback: Option<String>,
}

/// What the table says.
pub(super) fn read(tree: &Tree) -> Reports {
    let table = tree.table("bounces");
    let listen = table.sockets("listen");
    Reports {
        return_path: table.flag("return_path") && !listen.is_empty(),
        feedback: Some(table.text("feedback")).filter(|address| !address.is_empty()),
        listen,
    }
}
