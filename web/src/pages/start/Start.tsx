/** The start page: what this is, and four doors in order. */
import type { ComponentChildren } from 'preact';
import { Code } from '../../components/RoomPlate';
import { Glyph, Icon } from '../../components/Icon';
import { LanguageSwitch } from '../../components/LanguageSwitch';
import { Toasts } from '../../components/Toast';
import { t } from '../../i18n';
import { byCenter, firstTablets, type Demo, type StartData, type StartRoom } from './data';
import { CenterMap } from './Map';

interface Way {
  readonly label: string;
  readonly href: string;
}

export function Start({ demo }: StartData) {
  return (
    <div class="frame">
      <main class="l">
        <div class="top">
          <span class="brand"><Glyph name="mark" />roomctl</span>
          <div class="end"><LanguageSwitch /></div>
        </div>
        <h1>{t('start.title')}</h1>
        <p class="second">{t(demo === null ? 'start.intro' : 'start.demo_intro')}</p>
        {demo === null ? <OwnDoor /> : <Doors demo={demo} />}
        <p class="hint foot">{t(demo === null ? 'start.access' : 'start.demo_access')}</p>
      </main>
      {demo === null ? null : <Network demo={demo} />}
      <Toasts />
    </div>
  );
}

function Doors({ demo }: { demo: Demo }) {
  const { busy, from, to } = firstTablets(demo);
  const names = busy.map((room) => room.name).join(', ');
  const tablets = [from, to, ...busy].filter((room) => room !== undefined);
  return (
    <ol class="rows steps">
      <Door n={1} title={t('start.tablets')} text={from === undefined || to === undefined ? t('start.tablets_busy', { names }) : t('start.tablets_text', { names, from: from.name, to: to.name })} ways={tablets.map((room) => ({ label: room.name, href: room.panel }))} />
      <Door n={2} title={t('start.screens')} text={t('start.screens_text')} ways={busy.map((room) => ({ label: room.name, href: room.display }))} />
      <Door n={3} title={t('start.guest')} text={t('start.guest_text')} ways={[{ label: t('start.guest'), href: demo.join }]} />
      <Door
        n={4}
        title={t('start.it')}
        text={t('start.it_text')}
        ways={[{ label: t('start.it_board'), href: demo.dashboard }, { label: t('start.it_faults'), href: demo.faults }]}
      />
    </ol>
  );
}

/** Without a demo there is one door: IT's. */
function OwnDoor() {
  return <ol class="rows steps"><Door n={1} title={t('start.it')} text={t('start.it_text_own')} ways={[{ label: t('start.it'), href: '/dashboard' }]} /></ol>;
}

function Door({ n, title, text, ways }: { n: number; title: string; text: string; ways: readonly Way[] }) {
  const body: ComponentChildren = (
    <>
      <span class="n num" aria-hidden="true">{n}</span>
      <span><b>{title}</b><span class="second">{text}</span></span>
    </>
  );
  const [first] = ways;
  if (first !== undefined && ways.length === 1) {
    return <li><a class="door" href={first.href} target="_blank" rel="noopener">{body}<Icon name="go" /></a></li>;
  }
  return (
    <li>
      <div class="door">
        {body}
        <span class="ways">
          {ways.map((way) => (
            <a key={way.href} class="btn quiet" href={way.href} target="_blank" rel="noopener">{way.label}<Icon name="go" /></a>
          ))}
        </span>
      </div>
    </li>
  );
}

function Network({ demo }: { demo: Demo }) {
  const centers = byCenter(demo.rooms);
  return (
    <section class="r" aria-label={t('start.network')}>
      {demo.centers === undefined ? null : <CenterMap centers={demo.centers} />}
      <div class="facts num">
        <p><b>{centers.length}</b>{t('start.centers', { count: centers.length })}</p>
        <p><b>{demo.rooms.length}</b>{t('start.rooms', { count: demo.rooms.length })}</p>
      </div>
      <details class="all">
        <summary class="label">{t('start.all_rooms')}</summary>
        {centers.map((center) => (
          <section key={center.id}>
            <h3><Code center={center.id} silent />{center.name}</h3>
            <ul class="rows">{center.rooms.map((room) => <RoomRow key={room.id} room={room} />)}</ul>
          </section>
        ))}
      </details>
    </section>
  );
}

function RoomRow({ room }: { room: StartRoom }) {
  return (
    <li class="row">
      <span>{room.name}<span class="second">, {t('room.seats', { count: room.seats })}</span></span>
      <span class="end">
        <a href={room.panel} target="_blank" rel="noopener">{t('start.tablet')}<span class="vh"> {room.name}</span></a>
        <a href={room.display} target="_blank" rel="noopener">{t('start.screen')}<span class="vh"> {room.name}</span></a>
      </span>
    </li>
  );
}
