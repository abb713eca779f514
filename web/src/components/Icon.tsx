/** A drawing from `web/icons.svg`, whose symbols are in every page. Decoration: the word beside it carries the meaning. */

/** Line icons (class `i`), as in icons.svg. */
export type IconName =
  | 'mic' | 'mic-off' | 'cam' | 'cam-off' | 'volume' | 'minus' | 'plus' | 'share' | 'leave' | 'call' | 'invite' | 'people'
  | 'person' | 'chat' | 'hand' | 'react' | 'more' | 'layout' | 'grid' | 'blur' | 'back' | 'go' | 'up' | 'down' | 'left'
  | 'right' | 'close' | 'check' | 'search' | 'send' | 'file' | 'help' | 'center' | 'screen' | 'projector' | 'speaker'
  | 'server' | 'network' | 'clock' | 'calendar' | 'test' | 'restart' | 'apply' | 'wrench' | 'battery' | 'logs' | 'lock' | 'link' | 'air';

/** Filled glyphs (class `g`): the shapes of states, and the mark. */
export type GlyphName = 'st-ready' | 'st-degraded' | 'st-unusable' | 'st-unknown' | 'st-maint' | 'st-live' | 'mark';

export function Icon({ name, large = false }: { name: IconName; large?: boolean }) {
  return <svg class={large ? 'i i-l' : 'i'} aria-hidden="true"><use href={`#${name}`} /></svg>;
}

export function Glyph({ name }: { name: GlyphName }) {
  return <svg class="g" aria-hidden="true"><use href={`#${name}`} /></svg>;
}
