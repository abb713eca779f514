/** Which of the panel's screens a document asks for. */

import type { MeetingRoom, PanelView } from '../../wire';

export type Screen = 'idle' | 'outgoing' | 'incoming' | 'meeting';

/** The other rooms of the meeting, in the order the server gives them. */
export function otherRooms(view: PanelView): MeetingRoom[] {
  return Object.values(view.meeting?.rooms ?? {}).filter((room) => room.id !== view.room.id);
}

function someoneElseIsIn(view: PanelView): boolean {
  const own = `room:${view.room.id}`;
  return (
    otherRooms(view).some((room) => room.call === 'joined' || room.call === 'preparing' || room.call === 'lost') ||
    Object.keys(view.meeting?.participants ?? {}).some((id) => id !== own)
  );
}

/** Still only ringing: this room started the call, and nobody has answered yet. */
export function waitsForAnswer(view: PanelView): boolean {
  return (
    view.meeting !== undefined &&
    view.meeting !== null &&
    view.meeting.started_by === `room:${view.room.id}` &&
    otherRooms(view).some((room) => room.call === 'ringing') &&
    !someoneElseIsIn(view)
  );
}

/** The screen for a document. A caller keeps the ringing screen while its own devices get ready. */
export function screenOf(view: PanelView): Screen {
  switch (view.phase) {
    case 'idle':
    case 'releasing':
    case 'maintenance':
    case 'offline':
      return 'idle';
    case 'ringing':
      return 'incoming';
    case 'calling':
      return 'outgoing';
    case 'preparing':
    case 'in_meeting':
      return waitsForAnswer(view) ? 'outgoing' : 'meeting';
  }
}
