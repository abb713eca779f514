/** A person: a round face with initials, a name, and a second line. People are round. */
import type { ComponentChildren } from 'preact';

/** Up to two initials: of the first and the last word of a name. */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/).filter(Boolean);
  const [first, last] = [words[0], words.length > 1 ? words.at(-1) : undefined];
  return [first, last].map((word) => String.fromCodePoint(word?.codePointAt(0) ?? 32)).join('').trim().toLocaleUpperCase();
}

export function Face({ name }: { name: string }) {
  return <span class="face" aria-hidden="true">{initials(name)}</span>;
}

export function Person({ name, children }: { name: string; children?: ComponentChildren }) {
  return (
    <span class="person">
      <Face name={name} />
      <span>
        <b>{name}</b>
        {children === undefined ? null : <small>{children}</small>}
      </span>
    </span>
  );
}
