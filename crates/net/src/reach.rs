//! Where the relay does not dial because DNS or a customer named it: special addresses, and its own.

use relay::reachable::{Forbidden, forbidden};
use std::net::{IpAddr, UdpSocket};

/// Why `address` is not dialled; none where it may be. `own`: what we listen on; where that is everything (`0.0.0.0` or
/// `::`), each address of this machine is ours.
pub(crate) fn refused(address: IpAddr, own: &[IpAddr]) -> Option<Forbidden> {
    forbidden(address, own)
        .or_else(|| (own.iter().any(IpAddr::is_unspecified) && is_here(address)).then_some(Forbidden::Own))
}

/// Those of `found` that may be dialled, and one of the others with why not. With `allow_private` all may be.
pub(crate) fn admitted(
    found: Vec<IpAddr>,
    own: &[IpAddr],
    allow_private: bool,
) -> (Vec<IpAddr>, Option<(IpAddr, Forbidden)>) {
    let mut forbidden = None;
    let may_be_dialled = |address: &IpAddr| {
        let why = if allow_private { None } else { refused(*address, own) };
        forbidden = why.map(|why| (*address, why)).or(forbidden);
        why.is_none()
    };
    let admitted = found.into_iter().filter(may_be_dialled).collect();
    (admitted, forbidden)
}

/// Whether this machine has the address: the system lets nobody bind another's. Nothing is sent.
fn is_here(address: IpAddr) -> bool {
    UdpSocket::bind((address.to_canonical(), 0)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    #[test]
    fn what_this_machine_has_is_known() {
        assert!(is_here(Ipv4Addr::LOCALHOST.into()) && is_here(Ipv4Addr::LOCALHOST.to_ipv6_mapped().into()));
        assert!(!is_here(Ipv4Addr::new(198, 41, 0, 4).into()));
    }

    #[test]
    fn what_is_listened_on_is_not_dialled() {
        let (here, elsewhere) = (IpAddr::from([198, 41, 0, 4]), IpAddr::from([199, 9, 14, 201]));
        assert_eq!(refused(here, &[here]), Some(Forbidden::Own));
        assert_eq!(refused(elsewhere, &[here, Ipv4Addr::UNSPECIFIED.into()]), None);
        assert_eq!(refused(Ipv4Addr::LOCALHOST.into(), &[]), Some(Forbidden::Loopback));
    }
}
