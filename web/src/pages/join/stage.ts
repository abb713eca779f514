/** Where a person who opened a link stands: looking, checking camera and name, entering, in, out. Pure. */
import type { Code, InvitationView, JoinGrant } from '../../wire';

/** Why someone is no longer in the meeting. */
export type Out = 'left' | 'removed' | 'ended' | 'duplicate';

export type Stage =
  | { readonly kind: 'looking' }
  | { readonly kind: 'refused'; readonly code: Code } // the link leads nowhere
  | { readonly kind: 'checking'; readonly view: InvitationView; readonly refusal: Code | null; readonly stale: boolean }
  | { readonly kind: 'entering'; readonly view: InvitationView }
  | { readonly kind: 'in'; readonly view: InvitationView; readonly grant: JoinGrant }
  | { readonly kind: 'out'; readonly why: Out; readonly title: string };

export type StageEvent =
  | { readonly kind: 'looked'; readonly view: InvitationView }
  | { readonly kind: 'look_failed'; readonly code: Code; readonly reached: boolean }
  | { readonly kind: 'asked' }
  | { readonly kind: 'let_in'; readonly grant: JoinGrant }
  | { readonly kind: 'turned_away'; readonly code: Code }
  | { readonly kind: 'went_out'; readonly why: Out }
  | { readonly kind: 'again' };

/** Where one stands after an event; events that do not belong to a stage change nothing. */
export function step(stage: Stage, event: StageEvent): Stage {
  switch (event.kind) {
    case 'looked':
      if (stage.kind === 'looking') return { kind: 'checking', view: event.view, refusal: null, stale: false };
      return stage.kind === 'checking' ? { ...stage, view: event.view, stale: false } : stage;
    case 'look_failed':
      return lookFailed(stage, event.code, event.reached);
    case 'asked':
      return stage.kind === 'checking' ? { kind: 'entering', view: stage.view } : stage;
    case 'let_in':
      return stage.kind === 'entering' ? { kind: 'in', view: stage.view, grant: event.grant } : stage;
    case 'turned_away':
      return turnedAway(stage, event.code);
    case 'went_out':
      return stage.kind === 'in' ? { kind: 'out', why: event.why, title: stage.grant.title } : stage;
    case 'again':
      return stage.kind === 'out' || stage.kind === 'refused' ? { kind: 'looking' } : stage;
  }
}

function lookFailed(stage: Stage, code: Code, reached: boolean): Stage {
  if (stage.kind === 'looking') return { kind: 'refused', code };
  if (stage.kind !== 'checking') return stage;
  return reached && isFinal(code) ? { kind: 'refused', code } : { ...stage, stale: true };
}

function turnedAway(stage: Stage, code: Code): Stage {
  if (stage.kind !== 'entering') return stage;
  return isFinal(code) ? { kind: 'refused', code } : { kind: 'checking', view: stage.view, refusal: code, stale: false };
}

/** Whether trying again with this link can never work. */
export function isFinal(code: Code): boolean {
  return code === 'link_unknown' || code === 'link_expired' || code === 'link_revoked' || code === 'link_used' || code === 'meeting_over' || code === 'meeting_unknown';
}
