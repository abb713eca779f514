/** In a meeting: the others in their places, shared content large, and whether our own microphones are open. */
import { Icon } from '../../components/Icon';
import { Code } from '../../components/RoomPlate';
import { now } from '../../clock';
import { clock, type Key, t } from '../../i18n';
import type { DisplayView } from '../../wire';
import { media } from './media';
import type { MediaLink } from './media-state';
import { called } from './scene';
import { cutOff, order } from './store';
import { Picture, TileView } from './TileView';
import { layout, type Tile, tiles } from './tiles';

export function Meeting({ document }: { document: DisplayView }) {
  const all = tiles(order.value, document);
  const [content] = media.value.screens;
  const places = layout(all.length, content !== undefined);
  const shown = all.slice(0, places.shown);
  const words = statusOf(media.value.link, media.value.silent);
  const area = ['area', 'stage', content === undefined ? '' : 'beside', places.tallFirst ? 'tall-first' : '', `n${shown.length}`];
  return (
    <>
      <main class={area.filter(Boolean).join(' ')} style={{ gridTemplateColumns: places.columns, gridTemplateRows: places.rows }} aria-label={t('display.participants')}>
        {content === undefined ? null : <Content participant={content[0]} all={all} />}
        {shown.map((tile) => (
          <TileView key={tile.id} tile={tile} track={media.value.cameras.get(tile.id) ?? null} speaking={media.value.speaking.has(tile.id)} joined={media.value.link === 'joined'} />
        ))}
        {all.length === 0 && content === undefined ? <Alone document={document} /> : null}
        {words === null ? null : <p class="status" role="status">{t(words)}</p>}
      </main>
      <Foot document={document} more={all.length - shown.length} />
    </>
  );
}

/** What is wrong with picture and sound, if anything. */
function statusOf(link: MediaLink, silent: boolean): Key | null {
  switch (link) {
    case 'joined':
      return silent ? 'display.media.silent' : null;
    case 'joining':
    case 'off':
      return 'display.media.joining';
    case 'shaky':
    case 'lost':
      return 'display.media.lost';
    case 'replaced':
      return 'display.media.replaced';
  }
}

function Content({ participant, all }: { participant: string; all: readonly Tile[] }) {
  const track = media.value.screens.get(participant);
  const from = all.find((tile) => tile.id === participant);
  if (track === undefined) return null;
  return <section class="tile content" aria-label={t('display.shared_by', { name: from?.name ?? '' })}><Picture track={track} whole /></section>;
}

function Alone({ document }: { document: DisplayView }) {
  const [first] = called(document);
  return <p class="alone big">{first === undefined ? t('display.alone') : t('display.waiting_for', { room: first.name })}</p>;
}

function Foot({ document, more }: { document: DisplayView; more: number }) {
  const { mic = false, mic_silent: silent = false, camera = false, camera_silent: blind = false } = document.media ?? {};
  const rings = called(document);
  const cut = cutOff.value || !(document.server ?? false);
  return (
    <footer class="ft">
      <Code center={document.center.id} />
      <b>{document.room.name}</b>
      <span class={mic ? 'on' : 'on off'}><Icon name={mic || silent ? 'mic' : 'mic-off'} />{t(mic ? 'display.mic.open' : silent ? 'display.mic.silent' : 'display.mic.shut')}</span>
      <span class={camera ? 'on' : 'on off'}><Icon name={camera || blind ? 'cam' : 'cam-off'} />{t(camera ? 'display.cam.open' : blind ? 'display.cam.silent' : 'display.cam.shut')}</span>
      {more > 0 ? <span class="second">{t('display.more', { count: more })}</span> : null}
      {rings[0] === undefined ? null : <span class="second">{t('display.rings', { room: rings[0].name })}</span>}
      <span class="end num">{cut ? t('display.server_lost') : clock(now.value)}</span>
    </footer>
  );
}
