/** What could not be done, in words, with what to do instead: a refused press, or a call that nobody answered. */
import { Button } from '../../components/Button';
import { Glyph } from '../../components/Icon';
import { problem, t } from '../../i18n';
import type { PanelView } from '../../wire';
import { type Named, named } from './directory';
import type { How } from './outcome';
import type { PanelState } from './state';
import { ask, dispatch } from './store';
import type { Key } from '../../i18n';

const HOW: Record<How, Key> = {
  declined: 'panel.outcome.declined',
  unanswered: 'panel.outcome.unanswered',
  stopped: 'panel.outcome.stopped',
};

interface Said {
  title: string;
  words: string;
  instead: Named | null;
}

function said(current: PanelState, view: PanelView): Said | null {
  const { refusal, outcome } = current;
  if (refusal !== null) {
    const room = refusal.problem.room ?? null;
    const instead = refusal.problem.instead ?? null;
    return {
      title: room === null ? t('panel.refused') : t('panel.refused_room', { room: named(view, room).name }),
      words: problem(refusal.problem.code),
      instead: instead === null ? null : named(view, instead),
    };
  }
  const first = outcome?.rooms[0];
  if (outcome === null || first === undefined) return null;
  const title = outcome.rooms.length === 1 ? t(HOW[first.how], { room: first.room.name }) : t('panel.outcome.nobody');
  const words = outcome.rooms.length === 1 ? '' : outcome.rooms.map(({ room, how }) => t(HOW[how], { room: room.name })).join(' ');
  return { title, words, instead: outcome.instead };
}

/** The block that takes the place of the room's state until it is read. */
export function Refusal({ current, view }: { current: PanelState; view: PanelView }) {
  const what = said(current, view);
  if (what === null) return null;
  const { instead } = what;
  return (
    <section class="state refusal degraded" role="alert">
      <Glyph name="st-degraded" />
      <div>
        <h2>{what.title}</h2>
        {what.words === '' ? null : <p class="second">{what.words}</p>}
        <p class="choices">
          {instead === null ? null : (
            <Button kind="go" icon="call" onPress={() => ask({ op: 'start', rooms: [instead.id] })}>
              {t('panel.call_one', { room: instead.name })}
            </Button>
          )}
          <Button kind="quiet" onPress={() => dispatch({ type: 'dismiss' })}>{t('panel.understood')}</Button>
        </p>
      </div>
    </section>
  );
}

/** The same in one line, where a screen has no place for the block. */
export function RefusalLine({ current, view }: { current: PanelState; view: PanelView }) {
  const what = current.refusal === null ? null : said(current, view);
  if (what === null) return null;
  const instead = what.instead === null ? '' : ` ${t('panel.instead', { room: what.instead.name })}`;
  return (
    <div class="refusal-line note degraded" role="alert">
      <Glyph name="st-degraded" />
      <p><b>{what.title}</b> {what.words}{instead}</p>
      <Button kind="bare" icon="close" name={t('panel.understood')} onPress={() => dispatch({ type: 'dismiss' })} />
    </div>
  );
}
