//! Where outgoing packets are written: the port between the sans-IO core and whoever owns the sockets.

/// Who a packet is for: an opaque number the engine gave to a transport's current peer address.
///
/// The engine resolves it (socket, address) when it sends; two packets with the same value may share a GSO run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Destination(pub u32);

/// A send arena. `packet` lends a slot to write into; `commit` says how much of it was used.
///
/// A `packet` without a `commit` before the next `packet` is given up and sends nothing. Implementations are generic
/// parameters of the packet path, never trait objects.
pub trait Outbox {
    /// Lends a slot of at least `max_len` bytes for one datagram to `destination`. Its content is unspecified.
    ///
    /// An empty slice means there is no room (the arena is full and cannot be flushed); the packet is then lost, as it
    /// would be on a full socket.
    fn packet(&mut self, destination: Destination, max_len: usize) -> &mut [u8];

    /// Queues the first `len` bytes of the slot lent last.
    fn commit(&mut self, len: usize);
}

/// An outbox that keeps every packet as its own vector: for tests and for rarely used paths.
#[derive(Debug, Default)]
pub struct VecOutbox {
    /// The committed packets in order.
    pub packets: Vec<(Destination, Vec<u8>)>,
    slot: Vec<u8>,
    destination: Destination,
}

impl Outbox for VecOutbox {
    fn packet(&mut self, destination: Destination, max_len: usize) -> &mut [u8] {
        self.destination = destination;
        self.slot.clear();
        self.slot.resize(max_len, 0);
        &mut self.slot
    }

    fn commit(&mut self, len: usize) {
        self.slot.truncate(len);
        self.packets.push((self.destination, std::mem::take(&mut self.slot)));
    }
}
