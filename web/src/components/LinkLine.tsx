/** The line between two ends: dashes run while it rings, solid when joined, broken when lost, plain when put down. */
export type LinkLineState = 'calling' | 'open' | 'lost' | 'down';

export function LinkLine({ state }: { state: LinkLineState }) {
  return <span class={`link-line ${state}`} aria-hidden="true" />;
}
