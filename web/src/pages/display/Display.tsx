/** Which scene the screen shows, and its slow walk against burn-in. */
import { LinkLine } from '../../components/LinkLine';
import { now } from '../../clock';
import { clock, t } from '../../i18n';
import { shift } from './drift';
import { Idle } from './Idle';
import { Meeting } from './Meeting';
import { Ringing } from './Ringing';
import type { DisplayView } from '../../wire';
import { type Scene, sceneOf } from './scene';
import { view } from './store';

export function Display() {
  const document = view.value;
  const scene: Scene | 'reaching' = document === null ? 'reaching' : sceneOf(document);
  const { x, y } = shift(now.value);
  return (
    <div class={`display ${scene}`} style={{ '--x': x, '--y': y }}>
      <SceneOf scene={scene} />
    </div>
  );
}

function SceneOf({ scene }: { scene: Scene | 'reaching' }) {
  const document = view.value;
  if (document === null) return <Reaching />;
  switch (scene) {
    case 'reaching':
      return <Reaching />;
    case 'standby':
      return <Standby document={document} />;
    case 'idle':
      return <Idle document={document} />;
    case 'incoming':
    case 'outgoing':
      return <Ringing document={document} />;
    case 'meeting':
      return <Meeting document={document} />;
  }
}

/** The room sleeps: who looks at this page all the same reads which room it is and how to wake it. */
function Standby({ document }: { document: DisplayView }) {
  return (
    <main class="standby-words">
      <time class="standby-clock num" dateTime={clock(now.value)}>{clock(now.value)}</time>
      <p>{document.room.name}, {document.center.name}</p>
      <p>{t('display.start')}</p>
    </main>
  );
}

/** Before the first document. */
function Reaching() {
  return (
    <main class="mid-words">
      <LinkLine state="calling" />
      <h1 class="big">{t('display.reaching')}</h1>
    </main>
  );
}
