/** What the server or the room says, in the person's language: a filled block to be read first. */
import type { ComponentChildren } from 'preact';
import { notice, problem } from '../i18n';
import type { Notice as WireNotice, Problem } from '../wire';
import { Glyph } from './Icon';
import { stateClass, stateGlyph, type State } from './StateWord';

export function Note({ state, urgent = false, children }: { state: State; urgent?: boolean; children: ComponentChildren }) {
  return (
    <div class={`note ${stateClass(state)}`} role={urgent ? 'alert' : undefined}>
      <Glyph name={stateGlyph(state)} />
      <div>{children}</div>
    </div>
  );
}

export function Notice({ of, state = 'degraded' }: { of: WireNotice; state?: State }) {
  return <Note state={state}>{notice(of)}</Note>;
}

export function ProblemNote({ of, state = 'unusable' }: { of: Problem; state?: State }) {
  return <Note state={state} urgent>{problem(of.code)}</Note>;
}
