/** This room calls: who is called, how long it still rings, how to stop it, and how far our own devices are. */
import { Icon } from '../../components/Icon';
import { LinkLine } from '../../components/LinkLine';
import { Code } from '../../components/RoomPlate';
import { now } from '../../clock';
import { type Key, t } from '../../i18n';
import type { PanelView, RoomCall } from '../../wire';
import { DeviceRows } from './DeviceRows';
import { deviceRows } from './equipment';
import { LanguageKey } from './Language';
import { RefusalLine } from './Refusal';
import { type Called, type Outgoing as OutgoingCall, outgoing } from './ringing';
import { busy, type PanelState } from './state';
import { ask, dispatch } from './store';

export function Outgoing({ current, view }: { current: PanelState; view: PanelView }) {
  const call = outgoing(view, current.calling, now.value);
  const [first] = call.rooms;
  const title = call.rooms.length === 1 && first !== undefined ? t('panel.calling_one', { room: first.name }) : t('panel.calling_many', { count: call.rooms.length });
  const reachable = current.reach === 'open';
  return (
    <div class="panel ring">
      <header class="pad top">
        <h1 class="big-t">{title}</h1>
        <div class="end"><LanguageKey /></div>
      </header>
      <RefusalLine current={current} view={view} />
      <main class="pad">
        <div class="ends">
          <div class="end-plate">
            <Code center={view.center.id} />
            <b>{view.room.name}</b>
            <span class="second">{t('panel.your_room')}</span>
          </div>
          <LinkLine state={reachable && (view.server ?? false) ? 'calling' : 'lost'} />
          {call.rooms.length === 1 && first !== undefined ? <BigEnd room={first} since={call.since} /> : <ManyEnds rooms={call.rooms} />}
        </div>
        <div class="two">
          <section aria-labelledby="ringing">
            <h2 id="ringing" class="label">{t('panel.ringing')}</h2>
            <p class="ringing-words" role="status">{ringingWords(call)}</p>
            <div class="progress" role="progressbar" aria-label={t('panel.ringing_time')} aria-valuenow={Math.round(call.progress * 100)} style={{ '--v': call.progress.toFixed(3) }}><i /></div>
          </section>
          <section aria-labelledby="own">
            <h2 id="own" class="label">{t('panel.getting_ready')}</h2>
            <DeviceRows rows={deviceRows(view, now.value)} reachable={false} />
          </section>
        </div>
      </main>
      <nav class="acts" aria-label={t('panel.actions')}>
        <button type="button" class="btn stop" aria-disabled={busy(current, 'cancel') ? 'true' : undefined} onClick={() => ask({ op: 'cancel' })}>
          <Icon name="leave" large />{t('panel.cancel')}
        </button>
        {view.meeting ? (
          <button type="button" class="btn quiet add" onClick={() => dispatch({ type: 'open', sheet: { kind: 'call', adding: true, center: null, chosen: [], query: '' } })}>
            <Icon name="invite" large />{t('panel.add.title')}
          </button>
        ) : null}
      </nav>
    </div>
  );
}

const STANDING: Record<RoomCall, Key> = {
  ringing: 'panel.called.ringing', preparing: 'panel.called.preparing', joined: 'panel.called.joined', declined: 'panel.called.declined',
  unanswered: 'panel.called.unanswered', lost: 'panel.called.lost', left: 'panel.called.left',
};

export const calledWords = (call: RoomCall, left: number | null): string =>
  call === 'ringing' && left !== null ? t('panel.called.ringing_left', { n: left }) : t(STANDING[call]);

function BigEnd({ room, since }: { room: Called; since: number }) {
  return (
    <div class="end-plate">
      <Code center={room.center} />
      <b>{room.name}</b>
      <span class="second num">{room.call === 'ringing' ? t('panel.rings_since', { n: since }) : t(STANDING[room.call])}</span>
    </div>
  );
}

function ManyEnds({ rooms }: { rooms: readonly Called[] }) {
  return (
    <ul class="end-plates">
      {rooms.map((room) => (
        <li key={room.id}>
          <Code center={room.center} />
          <b>{room.name}</b>
          <span class="second num">{calledWords(room.call, room.left)}</span>
        </li>
      ))}
    </ul>
  );
}

function ringingWords(call: OutgoingCall): string {
  if (call.left === null) return t('panel.ringing_soon');
  const ends = t('panel.ringing_left', { n: call.left });
  return call.instead === null ? ends : `${ends} ${t('panel.ringing_instead', { room: call.instead.name, center: call.instead.centerName })}`;
}
