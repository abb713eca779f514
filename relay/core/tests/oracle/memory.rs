//! How much memory the thread of a test holds: the figure behind "bounded".

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    static LIVE: Cell<isize> = const { Cell::new(0) };
}

struct Counted;

#[global_allocator]
static ALLOCATOR: Counted = Counted;

/// Bytes this thread has allocated and not freed.
pub fn live() -> isize {
    LIVE.get()
}

fn note(bytes: isize) {
    let _ = LIVE.try_with(|live| live.set(live.get() + bytes)); // fails while the thread ends: nobody asks any more
}

// SAFETY: all is passed on to the system's allocator unchanged; the counter allocates nothing.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size().cast_signed());
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        note(-layout.size().cast_signed());
        unsafe { System.dealloc(pointer, layout) }
    }
}
