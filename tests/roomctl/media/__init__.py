"""Tests of the room's media endpoint."""
