"""Tests of `signaling/rooms`."""
