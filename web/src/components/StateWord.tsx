/** A state of a room: colour, shape and word, always the three. */
import { t } from '../i18n';
import type { Health } from '../wire';
import { Glyph, type GlyphName } from './Icon';

/** What a room can be shown as: its health, or that it is in a meeting. */
export type State = Health | 'live';

/** The CSS class that sets a state's colours. */
export function stateClass(state: State): string {
  return state === 'maintenance' ? 'maint' : state;
}

/** The glyph of a state. */
export function stateGlyph(state: State): GlyphName {
  return state === 'maintenance' ? 'st-maint' : `st-${state}`;
}

/** The word of a state. */
export function stateWord(state: State): string {
  return t(`state.${state}`);
}

export function StateWord({ state, large = false, word }: { state: State; large?: boolean; word?: string }) {
  return (
    <span class={`st ${stateClass(state)}${large ? ' st-l' : ''}`}>
      <Glyph name={stateGlyph(state)} />
      {word ?? stateWord(state)}
    </span>
  );
}
