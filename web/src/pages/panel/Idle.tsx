/** At rest: the time, is this room fine, and where to press. */
import { Button } from '../../components/Button';
import { Icon } from '../../components/Icon';
import { StateWord } from '../../components/StateWord';
import { RoomPlate } from '../../components/RoomPlate';
import { stateClass, stateGlyph } from '../../components/StateWord';
import { Glyph } from '../../components/Icon';
import { now } from '../../clock';
import { clock, day, listed, notice, problem, t } from '../../i18n';
import type { PanelView } from '../../wire';
import { type Answer, answerOf } from './answer';
import { DeviceRows, deviceName } from './DeviceRows';
import { deviceRows, working } from './equipment';
import { LanguageRow } from './Language';
import { Refusal } from './Refusal';
import type { PanelState } from './state';
import { dispatch } from './store';
import { Surroundings } from './Surroundings';
import { VolumeKeys } from './VolumeKeys';

export function Idle({ current, view }: { current: PanelState; view: PanelView }) {
  const answer = answerOf(view, current.reach, now.value);
  return (
    <div class="panel idle">
      <main class="main">
        <div class="door pad">
          <RoomPlate as="h1" big center={view.center.id} name={view.room.name}>
            {t('panel.place', { center: view.center.name, seats: view.room.seats })}
          </RoomPlate>
        </div>
        <div class="now pad">
          <div>
            <time class="clock" dateTime={clock(now.value)}>{clock(now.value)}</time>
            <p class="date">{day(now.value)}</p>
            <Surroundings view={view} />
          </div>
          {current.outcome !== null || current.refusal !== null ? <Refusal current={current} view={view} /> : <RoomAnswer answer={answer} view={view} />}
        </div>
        <section class="side pad" aria-labelledby="this-room">
          <LanguageRow />
          <h2 class="label" id="this-room">{t('panel.this_room')}</h2>
          <DeviceRows rows={deviceRows(view, now.value)} reachable={current.reach === 'open'} idle />
          <VolumeKeys current={current} view={view} />
          {view.center.contact ? <p class="second contact">{t('panel.contact', { contact: view.center.contact })}</p> : null}
        </section>
      </main>
      <Actions current={current} view={view} answer={answer} />
    </div>
  );
}

function RoomAnswer({ answer, view }: { answer: Answer; view: PanelView }) {
  return (
    <section class={`state ${stateClass(answer.state)}`} aria-label={t('panel.state_of_room')} aria-live="polite">
      <Glyph name={stateGlyph(answer.state)} />
      <div>
        <h2>{t(answer.title)}</h2>
        <p class="second">{sentences(answer, view)}</p>
      </div>
    </section>
  );
}

/** Three sentences at most: what, what to do here or else what works, who can; good news carries the time of its evidence. */
function sentences(answer: Answer, view: PanelView): string {
  const parts = [
    answer.words === null ? null : t(answer.words),
    answer.problem === null ? null : problem(answer.problem.code),
    answer.because === null ? null : notice(answer.because),
    answer.next !== null ? notice(answer.next) : answer.others ? workingWords(view) : null,
    answer.who === '' ? null : t(answer.others ? 'panel.tell' : 'panel.who', { who: answer.who }),
  ].filter((part) => part !== null);
  if (parts.length === 0 && answer.checkedAt !== null) return t('panel.checked', { at: clock(answer.checkedAt) });
  return parts.slice(0, 3).join(' ');
}

function workingWords(view: PanelView): string {
  const names = working(deviceRows(view, now.value)).map(deviceName);
  return names.length === 0 ? t('panel.works.none') : t('panel.works', { list: listed(names.map((name) => name.toLocaleLowerCase())) });
}

function Actions({ current, view, answer }: { current: PanelState; view: PanelView; answer: Answer }) {
  const asked = view.help_asked_at ?? null;
  return (
    <nav class="acts" aria-label={t('panel.actions')}>
      <div class="act">
        <Button
          disabledBecause={answer.cannotCall === null ? null : t(answer.cannotCall)}
          onPress={() => dispatch({ type: 'open', sheet: { kind: 'call', adding: false, center: null, chosen: [], query: '' } })}
        >
          <Icon name="center" large />
          <span>
            {t('panel.call')}
            <small>{t('panel.call_hint')}</small>
          </span>
        </Button>
      </div>
      <div class="act">
        <Button kind="quiet" onPress={() => dispatch({ type: 'open', sheet: { kind: 'help' } })}>
          <Icon name="help" large />
          <span>
            {t('panel.help')}
            {asked === null ? null : <small>{t('panel.help_asked', { at: clock(asked) })}</small>}
          </span>
        </Button>
      </div>
      {current.reach === 'connecting' ? <StateWord state="unknown" word={t('panel.reaching')} /> : null}
    </nav>
  );
}
