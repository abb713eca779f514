/** Which scene the room's screen shows, and the names it needs. Pure. */
import type { DisplayView } from '../../wire';

export type Scene = 'idle' | 'standby' | 'incoming' | 'outgoing' | 'meeting';

/** The scene of a document. */
export function sceneOf(view: DisplayView): Scene {
  switch (view.phase) {
    case 'ringing':
      return view.incoming ? 'incoming' : 'idle';
    case 'calling':
      return 'outgoing';
    case 'preparing':
    case 'in_meeting':
      return 'meeting';
    case 'idle':
    case 'releasing':
    case 'maintenance':
    case 'offline':
      return view.scene === 'standby' ? 'standby' : 'idle';
  }
}

export interface Named {
  readonly id: string;
  readonly name: string;
  readonly center: string;
  readonly centerName: string;
}

/** A room by id, as well as the document knows it. */
export function named(view: DisplayView, id: string): Named {
  const own = id === view.room.id;
  const center = own ? view.center.id : (id.split('-')[0] ?? id);
  return {
    id,
    name: own ? view.room.name : (view.rooms?.[id] ?? id),
    center,
    centerName: own ? view.center.name : (view.centers?.[center] ?? ''),
  };
}

/** The other rooms that are called and have not answered. */
export function called(view: DisplayView): Named[] {
  return Object.values(view.meeting?.rooms ?? {})
    .filter((room) => room.id !== view.room.id && room.call === 'ringing')
    .map((room) => named(view, room.id));
}
