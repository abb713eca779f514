/** The line between two ends: dashes run while it rings, solid when joined, broken when lost. */
export type LinkLineState = 'calling' | 'open' | 'lost';

export function LinkLine({ state }: { state: LinkLineState }) {
  return <span class={`link-line ${state}`} aria-hidden="true" />;
}
