//! Socket addresses and control messages as the kernel lays them out. Unsafe: views of C structures.

use std::mem::{self, MaybeUninit};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

/// Room for one segment size and one packet information of either family, aligned as the kernel wants it.
#[repr(C, align(8))]
#[derive(Clone, Copy)]
pub struct Control(pub [u8; 96]);

impl Control {
    /// All zero.
    pub const EMPTY: Self = Self([0; 96]);
}

/// An address as `sendmsg` takes it, with its length.
pub fn write(address: SocketAddr, storage: &mut libc::sockaddr_storage) -> libc::socklen_t {
    match address {
        SocketAddr::V4(v4) => {
            let raw = libc::sockaddr_in {
                sin_family: libc::AF_INET as libc::sa_family_t,
                sin_port: v4.port().to_be(),
                sin_addr: libc::in_addr { s_addr: u32::from_ne_bytes(v4.ip().octets()) },
                sin_zero: [0; 8],
            };
            // SAFETY: sockaddr_storage is larger than sockaddr_in and aligned for every address.
            unsafe { std::ptr::from_mut(storage).cast::<libc::sockaddr_in>().write(raw) };
            size_of::<libc::sockaddr_in>() as libc::socklen_t
        }
        SocketAddr::V6(v6) => {
            let raw = libc::sockaddr_in6 {
                sin6_family: libc::AF_INET6 as libc::sa_family_t,
                sin6_port: v6.port().to_be(),
                sin6_flowinfo: v6.flowinfo(),
                sin6_addr: libc::in6_addr { s6_addr: v6.ip().octets() },
                sin6_scope_id: v6.scope_id(),
            };
            // SAFETY: as above, for sockaddr_in6.
            unsafe { std::ptr::from_mut(storage).cast::<libc::sockaddr_in6>().write(raw) };
            size_of::<libc::sockaddr_in6>() as libc::socklen_t
        }
    }
}

/// The address the kernel wrote; `None` for another family.
pub fn read(storage: &libc::sockaddr_storage) -> Option<SocketAddr> {
    let storage = std::ptr::from_ref(storage);
    // SAFETY: the kernel wrote an address of the family it names, and the storage is large and aligned enough for it.
    unsafe {
        match i32::from((*storage).ss_family) {
            libc::AF_INET => {
                let raw = *storage.cast::<libc::sockaddr_in>();
                let ip = Ipv4Addr::from(raw.sin_addr.s_addr.to_ne_bytes());
                Some(SocketAddrV4::new(ip, u16::from_be(raw.sin_port)).into())
            }
            libc::AF_INET6 => {
                let raw = *storage.cast::<libc::sockaddr_in6>();
                let ip = Ipv6Addr::from(raw.sin6_addr.s6_addr);
                let port = u16::from_be(raw.sin6_port);
                Some(SocketAddrV6::new(ip, port, raw.sin6_flowinfo, raw.sin6_scope_id).into())
            }
            _ => None,
        }
    }
}

/// What the kernel told about one received message.
#[derive(Debug, Clone, Copy, Default)]
pub struct Received {
    /// Size of each datagram where several were joined.
    pub segment: Option<usize>,
    /// Our address it was sent to.
    pub local: Option<IpAddr>,
}

/// Read the control messages of a received message.
///
/// # Safety
/// `header` must have been filled by `recvmmsg` and its control buffer must be alive.
pub unsafe fn read_control(header: &libc::msghdr) -> Received {
    let mut received = Received::default();
    // SAFETY: by the caller's promise; CMSG_NXTHDR stays within msg_controllen, and each payload is read as the type the
    // kernel wrote for that level and type, unaligned.
    unsafe {
        let mut message = libc::CMSG_FIRSTHDR(header);
        while !message.is_null() {
            let data = libc::CMSG_DATA(message);
            match ((*message).cmsg_level, (*message).cmsg_type) {
                (libc::SOL_UDP, libc::UDP_GRO) => {
                    received.segment = usize::try_from(data.cast::<i32>().read_unaligned()).ok();
                }
                (libc::IPPROTO_IP, libc::IP_PKTINFO) => {
                    let info = data.cast::<libc::in_pktinfo>().read_unaligned();
                    received.local = Some(Ipv4Addr::from(info.ipi_addr.s_addr.to_ne_bytes()).into());
                }
                (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => {
                    let info = data.cast::<libc::in6_pktinfo>().read_unaligned();
                    received.local = Some(Ipv6Addr::from(info.ipi6_addr.s6_addr).into());
                }
                _ => {}
            }
            message = libc::CMSG_NXTHDR(header, message);
        }
    }
    received
}

/// Write the control messages of a message to send; returns their length.
pub fn write_control(control: &mut Control, segment: Option<u16>, local: Option<IpAddr>) -> usize {
    let mut used = 0;
    if let Some(segment) = segment {
        used += put(control, used, libc::SOL_UDP, libc::UDP_SEGMENT, segment);
    }
    match local {
        Some(IpAddr::V4(ip)) => {
            // SAFETY: in_pktinfo is plain numbers; all zero is valid.
            let mut info: libc::in_pktinfo = unsafe { MaybeUninit::zeroed().assume_init() };
            info.ipi_spec_dst.s_addr = u32::from_ne_bytes(ip.octets());
            used += put(control, used, libc::IPPROTO_IP, libc::IP_PKTINFO, info);
        }
        Some(IpAddr::V6(ip)) => {
            let info = libc::in6_pktinfo { ipi6_addr: libc::in6_addr { s6_addr: ip.octets() }, ipi6_ifindex: 0 };
            used += put(control, used, libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, info);
        }
        None => {}
    }
    used
}

#[allow(clippy::cast_ptr_alignment, reason = "Control is aligned for cmsghdr and CMSG_SPACE is a multiple of it")]
fn put<T: Copy>(control: &mut Control, at: usize, level: i32, kind: i32, payload: T) -> usize {
    let payload_len = mem::size_of::<T>() as u32;
    // SAFETY: pure arithmetic on a length.
    let (space, length) = unsafe { (libc::CMSG_SPACE(payload_len) as usize, libc::CMSG_LEN(payload_len) as usize) };
    assert!(at + space <= control.0.len(), "Control has room for one of each");
    // SAFETY: the range was checked above; Control is aligned for cmsghdr and CMSG_SPACE keeps `at` aligned.
    unsafe {
        let header = control.0.as_mut_ptr().add(at).cast::<libc::cmsghdr>();
        header.write(libc::cmsghdr { cmsg_len: length as _, cmsg_level: level, cmsg_type: kind });
        libc::CMSG_DATA(header).cast::<T>().write_unaligned(payload);
    }
    space
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_survive_the_kernels_layout() {
        for text in ["127.0.0.1:7882", "[2001:db8::7]:65535"] {
            let address: SocketAddr = text.parse().unwrap();
            // SAFETY: sockaddr_storage is plain numbers; all zero is valid.
            let mut storage: libc::sockaddr_storage = unsafe { MaybeUninit::zeroed().assume_init() };
            write(address, &mut storage);
            assert_eq!(read(&storage), Some(address));
        }
    }
}
