/** A room as on its door: the code of its center, its name, and a second line. Rooms are square. */
import type { ComponentChildren } from 'preact';

/** The code of a center, as signs show it. */
export function Code({ center, silent = false }: { center: string; silent?: boolean }) {
  return <span class="code" aria-hidden={silent}>{center.toUpperCase()}</span>;
}

interface PlateProps {
  center: string; // center id
  name: string;
  big?: boolean;
  as?: 'span' | 'h1' | 'h2';
  children?: ComponentChildren; // second line: place, seats, why not
}

export function RoomPlate({ center, name, big = false, as: Tag = 'span', children }: PlateProps) {
  return (
    <Tag class={big ? 'plate big' : 'plate'}>
      <Code center={center} silent={children !== undefined} />
      <span>
        <b>{name}</b>
        {children === undefined ? null : <small>{children}</small>}
      </span>
    </Tag>
  );
}
