//! The PROXY protocol, versions 1 and 2: who really called, as a trusted load balancer says.
