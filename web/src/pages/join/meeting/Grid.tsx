/** The tiles: places fixed, the speaker gets an edge. A shared screen stands large, with people beside it. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { t } from '../../../i18n';
import { columns, tiles } from './seats';
import type { Session } from './session';
import { sharedScreen, type MeetingState } from './state';
import { SeatTile, ScreenTile } from './Tile';

export function Grid({ state, session }: { state: MeetingState; session: Session }) {
  const area = useRef<HTMLDivElement>(null);
  const size = useSize(area);
  const screen = sharedScreen(state.seats);
  const { shown, hidden } = tiles(state.seats, state.voices);
  const count = shown.length + (hidden > 0 ? 1 : 0);
  const slow = state.quality === 'poor';
  const across = columns(count, size.width, size.height);
  return (
    <div class={screen === null ? 'tiles' : 'tiles sharing'} ref={area} style={{ '--across': across, '--down': Math.ceil(Math.max(count, 1) / across) }}>
      {screen === null ? null : <ScreenTile seat={screen} session={session} slow={slow} />}
      <div class="strip">
        {shown.map((seat) => <SeatTile key={seat.key} seat={seat} session={session} slow={slow} />)}
        {hidden > 0 ? <p class="tile others">{t('meeting.others', { count: hidden })}</p> : null}
      </div>
    </div>
  );
}

function useSize(of: { readonly current: HTMLElement | null }): { width: number; height: number } {
  const [size, setSize] = useState({ width: 16, height: 9 });
  useEffect(() => {
    const element = of.current;
    if (element === null) return;
    const watcher = new ResizeObserver(([entry]) => {
      if (entry !== undefined) setSize({ width: entry.contentRect.width, height: entry.contentRect.height });
    });
    watcher.observe(element);
    return () => watcher.disconnect();
  }, [of]);
  return size;
}
