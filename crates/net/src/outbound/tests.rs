//! Delivery against next hops that behave, and next hops that do not, on loopback.
