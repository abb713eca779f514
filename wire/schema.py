"""`python -m wire.schema`: the JSON Schema of everything pages exchange, from which `web/src/wire.ts` is generated."""

from __future__ import annotations

import json

import msgspec

from wire import live, meetings, problems, views

ROOTS = (
    views.PanelView,
    views.DisplayView,
    views.PanelAction,
    views.ActionResult,
    views.DashboardView,
    live.Snapshot,
    live.Patch,
    meetings.InvitationView,
    meetings.JoinRequest,
    meetings.RefreshRequest,
    meetings.JoinGrant,
    meetings.Invitation,
    meetings.StartMeeting,
    problems.Problem,
)


def schema() -> str:
    """One JSON Schema document with every type under `$defs`, keys sorted."""
    _, components = msgspec.json.schema_components(ROOTS, ref_template="#/$defs/{name}")
    return json.dumps({"$defs": components}, indent=2, sort_keys=True, ensure_ascii=False)


if __name__ == "__main__":
    print(schema())
