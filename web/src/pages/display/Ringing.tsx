/** A call, both ways: the two ends and the line between them, what to do on the tablet, and that nobody sees us yet. */
import { LinkLine } from '../../components/LinkLine';
import { Code } from '../../components/RoomPlate';
import { now } from '../../clock';
import { t } from '../../i18n';
import type { DisplayView, IncomingCall } from '../../wire';
import { called, named, type Named } from './scene';

export function Ringing({ document }: { document: DisplayView }) {
  const own = named(document, document.room.id);
  const call = document.incoming ?? null;
  const ends = call === null ? called(document) : [];
  const caller = call === null ? null : named(document, call.caller);
  return (
    <>
      <h1 class="big">{title(caller, ends)}</h1>
      <main class="ends">
        <End of={caller ?? own} />
        <LinkLine state="calling" />
        {caller === null ? <Called rooms={ends} /> : <End of={own} />}
      </main>
      <footer class="ft"><p>{call === null ? t('display.calling_hint') : ringWords(call, document)}</p></footer>
    </>
  );
}

function title(caller: Named | null, ends: readonly Named[]): string {
  if (caller !== null) return t('display.calls_you', { room: caller.name });
  const [first] = ends;
  return ends.length === 1 && first !== undefined ? t('display.calling_one', { room: first.name }) : t('display.calling');
}

function End({ of }: { of: Named }) {
  return (
    <div class="end-plate">
      <Code center={of.center} />
      <b>{of.name}</b>
      <span class="second">{of.centerName}</span>
    </div>
  );
}

function Called({ rooms }: { rooms: readonly Named[] }) {
  const [first] = rooms;
  if (rooms.length === 1 && first !== undefined) return <End of={first} />;
  return (
    <ul class="many">
      {rooms.map((room) => <li key={room.id}><Code center={room.center} /><b>{room.name}</b></li>)}
    </ul>
  );
}

function ringWords(call: IncomingCall, document: DisplayView): string {
  const answers = call.answers_at ?? null;
  if (answers === null) return t('display.answer_hint');
  return t('display.answers_in', { count: Math.max(0, Math.ceil(answers - now.value)), room: document.room.name });
}
