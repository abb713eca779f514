import { describe, expect, test } from 'vitest';
import { byCenter, firstTablets, type StartRoom } from './data';
import { HEIGHT, place, WIDTH } from './layout';

const CENTERS = [
  ['lln', 'Louvain-la-Neuve', 50.668, 4.614], ['msg', 'Mont-Saint-Guibert', 50.634, 4.611], ['tou', 'Tournai', 50.606, 3.389], ['eng', 'Enghien', 50.691, 4.041],
  ['sai', 'Saintes', 50.704, 4.166], ['isn', 'Les Isnes', 50.506, 4.735], ['red', 'Redu', 50.005, 5.16], ['wem', 'Wemmel', 50.909, 4.307],
] as const;

function room(id: string, busy: boolean): StartRoom {
  const center = id.slice(0, 3);
  return { id, name: id, center, center_name: center, seats: 4, panel: '', display: '', in_demo_meeting: busy };
}

describe('the map', () => {
  const placed = place(CENTERS.map(([id, name, latitude, longitude]) => ({ id, name, latitude, longitude })));

  test('north is up and east is right', () => {
    const at = (id: string) => placed.find((one) => one.id === id) ?? { x: NaN, y: NaN };
    expect(at('wem').y).toBeLessThan(at('red').y);
    expect(at('tou').x).toBeLessThan(at('lln').x);
  });

  test('no plate covers another, nor a dot', () => {
    for (const one of placed) {
      for (const other of placed) {
        if (one === other) continue;
        const apart = Math.abs(one.plateX - other.plateX) >= 36 || Math.abs(one.plateY - other.plateY) >= 20;
        expect(apart, `${one.id} and ${other.id}`).toBe(true);
        const clear = Math.abs(one.plateX - other.x) >= 20 || Math.abs(one.plateY - other.y) >= 12;
        expect(clear, `${one.id} over ${other.id}`).toBe(true);
      }
    }
  });

  test('everything is on it', () => {
    for (const { plateX, plateY } of placed) {
      expect(plateX).toBeGreaterThan(18);
      expect(plateX).toBeLessThan(WIDTH - 18);
      expect(plateY).toBeGreaterThan(10);
      expect(plateY).toBeLessThan(HEIGHT - 10);
    }
  });

  test('one center alone is in the middle', () => {
    expect(place([{ id: 'a', name: 'A', latitude: 50, longitude: 4 }])[0]).toMatchObject({ x: WIDTH / 2, y: HEIGHT / 2 });
  });
});

describe('doors', () => {
  const rooms = [room('lln-a', true), room('lln-b', false), room('sai-a', true)];

  test('the rooms in the demo meeting, and a call worth trying', () => {
    const { busy, from, to } = firstTablets({ rooms, call: { from: 'lln-b', to: 'sai-a' } });
    expect(busy.map((one) => one.id)).toEqual(['lln-a', 'sai-a']);
    expect([from?.id, to?.id]).toEqual(['lln-b', 'sai-a']);
    expect(firstTablets({ rooms: [] }).from).toBeUndefined();
  });

  test('rooms by center, in the order given', () => {
    expect(byCenter(rooms).map((center) => [center.id, center.rooms.length])).toEqual([['lln', 2], ['sai', 1]]);
  });
});
