import { describe, expect, test } from 'vitest';
import type { InvitationView, JoinGrant } from '../../wire';
import { step, type Stage, type StageEvent } from './stage';

const view: InvitationView = { title: 'Chantiers', started_at: 1 };
const grant: JoinGrant = { url: 'ws://x', token: 't', identity: 'guest:1', meeting: 'm', title: 'Chantiers', expires_in: 600, refresh: 'r' };
const after = (...events: StageEvent[]): Stage => events.reduce<Stage>(step, { kind: 'looking' });
const looked: StageEvent = { kind: 'looked', view };
const asked: StageEvent = { kind: 'asked' };

describe('a guest', () => {
  test('looks, checks, enters, leaves', () => {
    expect(after(looked)).toEqual({ kind: 'checking', view, refusal: null, stale: false });
    expect(after(looked, asked)).toEqual({ kind: 'entering', view });
    expect(after(looked, asked, { kind: 'let_in', grant })).toEqual({ kind: 'in', view, grant });
    expect(after(looked, asked, { kind: 'let_in', grant }, { kind: 'went_out', why: 'removed' })).toEqual({ kind: 'out', why: 'removed', title: 'Chantiers' });
  });

  test('is told when the link leads nowhere', () => {
    expect(after({ kind: 'look_failed', code: 'link_revoked', reached: true })).toEqual({ kind: 'refused', code: 'link_revoked' });
    expect(after({ kind: 'look_failed', code: 'unavailable', reached: false })).toEqual({ kind: 'refused', code: 'unavailable' });
  });

  test('keeps the check when the server is silent for a moment, not when the meeting ends', () => {
    expect(after(looked, { kind: 'look_failed', code: 'unavailable', reached: false })).toMatchObject({ kind: 'checking', stale: true });
    expect(after(looked, { kind: 'look_failed', code: 'unavailable', reached: false }, looked)).toMatchObject({ stale: false });
    expect(after(looked, { kind: 'look_failed', code: 'meeting_over', reached: true })).toEqual({ kind: 'refused', code: 'meeting_over' });
  });

  test('turned away for now may try again; turned away for good may not', () => {
    expect(after(looked, asked, { kind: 'turned_away', code: 'too_many' })).toMatchObject({ kind: 'checking', refusal: 'too_many' });
    expect(after(looked, asked, { kind: 'turned_away', code: 'link_expired' })).toEqual({ kind: 'refused', code: 'link_expired' });
  });

  test('events out of place change nothing', () => {
    const checking = after(looked);
    expect(step(checking, { kind: 'let_in', grant })).toBe(checking);
    expect(step(checking, { kind: 'went_out', why: 'left' })).toBe(checking);
    expect(step(checking, { kind: 'again' })).toBe(checking);
    expect(after(looked, asked, asked)).toMatchObject({ kind: 'entering' });
    expect(after(looked, asked, { kind: 'look_failed', code: 'meeting_over', reached: true })).toMatchObject({ kind: 'entering' });
  });
});
