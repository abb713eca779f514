/** Who is in the meeting. Rooms are square, people are round; a row opens what can be done about it. */
import { Button } from '../../components/Button';
import { Person } from '../../components/Face';
import { Icon } from '../../components/Icon';
import { RoomPlate } from '../../components/RoomPlate';
import { now } from '../../clock';
import { t } from '../../i18n';
import type { PanelView } from '../../wire';
import { calledWords } from './Outgoing';
import { count, type Row, rows } from './roster';
import { dispatch } from './store';

export function People({ view }: { view: PanelView }) {
  const list = rows(view, now.value);
  return (
    <section aria-labelledby="who" tabIndex={0}>
      <h2 id="who" class="label">{heading(list)}</h2>
      <div class="rows">
        {list.map((row) => (row.kind === 'room' && row.own ? <div key={row.id} class="one"><Who row={row} /><Mic row={row} /></div> : <RowKey key={row.id} row={row} />))}
      </div>
      <Button kind="quiet" wide onPress={() => dispatch({ type: 'open', sheet: { kind: 'call', adding: true, center: null, chosen: [], query: '' } })}>
        <Icon name="plus" />{t('panel.add.title')}
      </Button>
    </section>
  );
}

function heading(list: readonly Row[]): string {
  const there = count(list);
  const rooms = t('panel.rooms', { count: there.rooms });
  return there.people === 0 ? rooms : `${rooms}, ${t('panel.people', { count: there.people })}`;
}

function RowKey({ row }: { row: Row }) {
  return (
    <button type="button" class="one" aria-haspopup="dialog" onClick={() => dispatch({ type: 'open', sheet: { kind: 'participant', id: row.id } })}>
      <Who row={row} />
      <Mic row={row} />
      <Icon name="right" />
    </button>
  );
}

/** A row's second line. */
export function rowWords(row: Row): string {
  if (row.kind === 'room' && !row.own && row.call !== 'joined') return calledWords(row.call, row.left);
  const voice = row.speaking ? t('panel.people.speaks') : row.mic ? '' : t('panel.people.muted');
  if (row.kind === 'person') return voice || t('panel.people.remote');
  return [row.own ? t('panel.people.here') : '', voice].filter(Boolean).join(', ') || t('panel.people.listens');
}

function Who({ row }: { row: Row }) {
  return row.kind === 'room'
    ? <RoomPlate center={row.center} name={row.name}>{rowWords(row)}</RoomPlate>
    : <Person name={row.name}>{rowWords(row)}</Person>;
}

function Mic({ row }: { row: Row }) {
  if (row.kind === 'room' && !row.own && row.call !== 'joined') return null;
  return <span class={row.mic ? 'voice' : 'voice off'}><Icon name={row.mic ? 'mic' : 'mic-off'} /></span>;
}
