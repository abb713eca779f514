/** What a room is doing, in a few words. */
import { clock, t } from '../../i18n';
import type { DashboardRoom } from '../../wire';

/** "En réunion depuis 10:02", "Libre", "Sonne"… Never a title or a name. */
export function doing(room: DashboardRoom): string {
  switch (room.phase) {
    case 'in_meeting':
      return typeof room.meeting_since === 'number' ? t('phase.in_meeting_since', { since: clock(room.meeting_since) }) : t('phase.in_meeting');
    case 'idle':
    case 'calling':
    case 'ringing':
    case 'preparing':
    case 'releasing':
    case 'maintenance':
    case 'offline':
      return t(`phase.${room.phase}`);
  }
}
