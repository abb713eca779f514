"""Agents' control link, meetings, room states, health."""
