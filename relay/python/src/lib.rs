//! The Python binding of the media relay: no logic.
