/** Who is there: rooms with their plates, people with their faces, and what each has open. */
import { Button } from '../../../components/Button';
import { Person } from '../../../components/Face';
import { Icon } from '../../../components/Icon';
import { RoomPlate } from '../../../components/RoomPlate';
import { t } from '../../../i18n';
import type { Seat } from './seats';

export function People({ seats, onClose }: { seats: readonly Seat[]; onClose: () => void }) {
  return (
    <aside class="side" aria-label={t('meeting.people')}>
      <header>
        <h2 class="label">{t('meeting.people')}</h2>
        <Button kind="bare" icon="close" name={t('meeting.close_people')} onPress={onClose} />
      </header>
      <ul class="rows">{seats.map((seat) => <li key={seat.key} class="row"><Who seat={seat} /><span class="end"><Opened seat={seat} /></span></li>)}</ul>
    </aside>
  );
}

function Who({ seat }: { seat: Seat }) {
  if (seat.kind === 'room') return <RoomPlate center={seat.center ?? ''} name={seat.name}>{t('join.a_room')}</RoomPlate>;
  return <Person name={seat.name}>{t(seat.local ? 'meeting.you' : 'join.a_person')}</Person>;
}

function Opened({ seat }: { seat: Seat }) {
  return (
    <>
      {seat.screen === null ? null : <><Icon name="share" /><span class="vh">{t('meeting.sharing')}</span></>}
      <Icon name={seat.camera === null ? 'cam-off' : 'cam'} /><span class="vh">{t(seat.camera === null ? 'meeting.no_picture' : 'meeting.has_picture')}</span>
      <Icon name={seat.mic ? 'mic' : 'mic-off'} /><span class="vh">{t(seat.mic ? 'meeting.unmuted' : 'meeting.muted')}</span>
    </>
  );
}
