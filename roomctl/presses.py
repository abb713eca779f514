"""What somebody in the room presses at a device itself: it does what the panel's key does, and the device shows the answer."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from devices import DeviceRequest
from roomctl.actions import act
from roomctl.scenes import call_commands
from roomctl.switches import command, show_mute
from wire.link import Phase
from wire.views import PanelAction

if TYPE_CHECKING:
    from roomctl.agent import RoomAgent

log = logging.getLogger(__name__)

TALKING = (Phase.CALLING, Phase.PREPARING, Phase.IN_MEETING)  # the room's microphone has somebody to speak to
STEP = 0.05  # of the volume, with each press


def requested(agent: RoomAgent, request: DeviceRequest) -> None:
    """Carry out a device's wish, or show it that the room does not: by lights as they were."""
    match request.op, request.args:
        case "set_mute", {"on": bool(muted)}:
            if agent.room.phase in TALKING:
                agent.spawn(_act(agent, PanelAction(0, "set_mic", on=not muted)))
            else:
                agent.spawn(show_mute(agent))
        case "set_call", {"on": bool(off_hook)}:
            agent.spawn(_hook(agent, off_hook=off_hook))
        case "step_volume", {"up": bool(up)}:
            volume = round((agent.known.volume_wanted or 0.0) + (STEP if up else -STEP), 2)
            agent.spawn(_act(agent, PanelAction(0, "set_volume", volume=min(1.0, max(0.0, volume)))))
        case _:
            log.info("room %s: %s asks for %s, which a room does not do", agent.room.id, request.device, request.op)


async def _hook(agent: RoomAgent, *, off_hook: bool) -> None:
    """Off the hook takes the call that rings, on the hook leaves; else the device goes back to where the room is."""
    phase = agent.room.phase
    if off_hook and phase is Phase.RINGING:
        await _act(agent, PanelAction(0, "answer"))
    elif not off_hook and phase in TALKING:
        await _act(agent, PanelAction(0, "cancel" if phase is Phase.CALLING else "leave"))
    await command(agent, *call_commands(agent.equipment.snapshot(), agent.room.scene))


async def _act(agent: RoomAgent, action: PanelAction) -> None:
    answer = await act(agent, action)
    if answer.problem is not None:
        log.info("room %s: %s at a device: %s", agent.room.id, action.op, answer.problem.message)
