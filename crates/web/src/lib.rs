//! Shows: metrics and health over HTTP.
