//! The client's side of a conversation with a next hop, as a machine without IO.
