"""Shared truth: the messages, documents and error codes that server, agents and pages exchange.

Everything here is a msgspec struct coded as JSON. Pages get the same types in TypeScript (`web/src/wire.ts`, generated
by `python -m wire.schema`). Nothing here does I/O, and nothing first-party is imported.

    problems.py   stable error codes, and the notices that pages translate
    places.py     centers and rooms as the directory knows them
    devices.py    what a device is, was asked, and last said
    health.py     signals and verdicts
    meetings.py   meetings, participants, invitations, joining by link
    link.py       the agent's control link (one WebSocket per room)
    views.py      the documents pages show: panel, display, dashboard
    live.py       snapshot, then patches with a revision
    topic.py      a live document with bounded subscribers
"""
