/** The five calls a guest makes. A refusal is a value, not an exception; a server that does not answer is one too. */
import type { Code, Invitation, InvitationView, JoinGrant, Problem } from '../../wire';

/** What came back: the thing, or why not. `reached` is false when the server did not answer at all. */
export type Answer<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: Problem; readonly reached: boolean };

const TIMEOUT_MS = 10_000;

/** What meeting a link leads to, and who is there. */
export function look(secret: string): Promise<Answer<InvitationView>> {
  return call(`/api/v1/invitations/${encodeURIComponent(secret)}`);
}

/** Exchange the link for a place in the meeting. */
export function join(secret: string, name: string, language: string): Promise<Answer<JoinGrant>> {
  return call(`/api/v1/invitations/${encodeURIComponent(secret)}/join`, { name, language });
}

/** The next token. */
export function refresh(secret: string): Promise<Answer<JoinGrant>> {
  return call('/api/v1/sessions/refresh', { refresh: secret });
}

/** A link for someone else. */
export function invite(secret: string): Promise<Answer<Invitation>> {
  return call('/api/v1/sessions/invite', { refresh: secret });
}

/** Say that we left, even while the page goes away. */
export function leave(secret: string): void {
  navigator.sendBeacon('/api/v1/sessions/leave', new Blob([JSON.stringify({ refresh: secret })], { type: 'application/json' }));
}

async function call<T>(path: string, body?: object): Promise<Answer<T>> {
  try {
    const answer = await fetch(path, {
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }),
      cache: 'no-store',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const content: unknown = await answer.json();
    if (answer.ok) return { ok: true, value: content as T };
    return { ok: false, problem: isProblem(content) ? content : made('internal'), reached: true };
  } catch {
    return { ok: false, problem: made('unavailable'), reached: false };
  }
}

function made(code: Code): Problem {
  return { code, message: '' };
}

function isProblem(content: unknown): content is Problem {
  return typeof content === 'object' && content !== null && 'code' in content && typeof content.code === 'string';
}
