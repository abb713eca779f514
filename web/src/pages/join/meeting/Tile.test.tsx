import { render } from 'preact';
import { beforeAll, expect, test } from 'vitest';
import english from '../../../../.build/catalogs/en.json';
import { use } from '../../../i18n';
import { seated, type SessionFacts } from './seats';
import type { Session } from './session';
import { ScreenTile, SeatTile } from './Tile';

const koen: SessionFacts = {
  identity: 'guest:1', name: 'Koen', room: null, center: null, local: false, mic: true,
  camera: 'TR_1', screen: 'TR_2', withheld: [], speaking: false, joinedAt: 0,
};
const session = { draw: () => () => undefined } as unknown as Session; // draws nothing

beforeAll(() => use('en', english));

function words(facts: SessionFacts, slow: boolean): readonly string[] {
  const [seat] = seated([], [facts]);
  const place = document.createElement('div');
  if (seat !== undefined) render(<><SeatTile seat={seat} session={session} slow={slow} /><ScreenTile seat={seat} session={session} slow={slow} /></>, place);
  return [...place.querySelectorAll('.withheld')].map((one) => one.textContent);
}

test('a picture that does not come says why', () => {
  expect(words(koen, true)).toEqual([]);
  expect(words({ ...koen, withheld: ['TR_1'] }, true)).toEqual(['Picture paused: your connection is too slow']);
  expect(words({ ...koen, withheld: ['TR_1'] }, false)).toEqual(['Picture hidden: only those who spoke last are shown']);
  expect(words({ ...koen, withheld: ['TR_1', 'TR_2'] }, true)).toHaveLength(2);
});
