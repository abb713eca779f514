/** One picture with its name. Rooms are square with their center's code; people have round corners. */
import { useEffect, useRef } from 'preact/hooks';
import { Face } from '../../../components/Face';
import { Icon } from '../../../components/Icon';
import { Code, RoomPlate } from '../../../components/RoomPlate';
import { t } from '../../../i18n';
import type { Picture, Seat } from './seats';
import type { Session } from './session';

/** `slow`: our own connection is. */
export function SeatTile({ seat, session, slow }: { seat: Seat; session: Session; slow: boolean }) {
  const classes = ['tile', seat.kind === 'person' ? 'person-tile' : 'room-tile', seat.speaking ? 'speaking' : ''].filter(Boolean).join(' ');
  return (
    <section class={classes} aria-label={spoken(seat)}>
      {seat.camera === null ? <Dark seat={seat} /> : <Video picture={seat.camera} source="camera" session={session} mirror={seat.local} />}
      {seat.camera?.withheld === true ? <Withheld slow={slow} /> : null}
      <span class="name">
        {seat.mic ? null : <Icon name="mic-off" />}
        {seat.kind === 'room' ? <Code center={seat.center ?? ''} /> : null}
        <span>{seat.local ? t(seat.mic ? 'meeting.you' : 'meeting.you_muted') : seat.name}</span>
        {seat.speaking ? <small>{t(seat.local ? 'meeting.you_speak' : 'meeting.speaks')}</small> : null}
      </span>
    </section>
  );
}

/** A shared screen, whole: nothing of it is cut off. */
export function ScreenTile({ seat, session, slow }: { seat: Seat; session: Session; slow: boolean }) {
  const words = seat.local ? t('meeting.you_share') : t('meeting.shares', { name: seat.name });
  return (
    <section class="tile content" aria-label={words}>
      {seat.screen === null ? null : <Video picture={seat.screen} source="screen" session={session} mirror={false} />}
      {seat.screen?.withheld === true ? <Withheld slow={slow} /> : null}
      <span class="name"><Icon name="share" /><span>{words}</span></span>
    </section>
  );
}

/** Without a picture: who it is, large. */
function Dark({ seat }: { seat: Seat }) {
  return (
    <div class="dark-tile">
      {seat.kind === 'room' ? <RoomPlate center={seat.center ?? ''} name={seat.name} big /> : <Face name={seat.name} />}
    </div>
  );
}

/** Why a picture does not come. Our link is too thin, or only the latest speakers are shown: the server says the first by our quality. */
function Withheld({ slow }: { slow: boolean }) {
  return <p class="dark-tile withheld">{t(slow ? 'meeting.withheld_slow' : 'meeting.withheld_silent')}</p>;
}

function Video({ picture, source, session, mirror }: { picture: Picture; source: 'camera' | 'screen'; session: Session; mirror: boolean }) {
  const element = useRef<HTMLVideoElement>(null);
  const { identity, track } = picture;
  useEffect(() => (element.current === null ? undefined : session.draw(element.current, identity, source)), [identity, track, source, session]);
  return <video ref={element} class={mirror ? 'picture mirror' : 'picture'} muted playsInline aria-hidden="true" />;
}

function spoken(seat: Seat): string {
  const who = seat.local ? t('meeting.you') : seat.kind === 'room' ? t('meeting.room_named', { name: seat.name }) : seat.name;
  return [who, seat.mic ? null : t('meeting.muted'), seat.camera === null ? t('meeting.no_picture') : null, seat.speaking ? t(seat.local ? 'meeting.you_speak' : 'meeting.speaks') : null].filter(Boolean).join(', ');
}
