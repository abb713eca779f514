/** Before entering: which meeting, who is there, do I look and sound right, my name. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { BarKey, Button } from '../../components/Button';
import { Person } from '../../components/Face';
import { Glyph } from '../../components/Icon';
import { LanguageSwitch } from '../../components/LanguageSwitch';
import { Level } from '../../components/Level';
import { Note } from '../../components/Notice';
import { RoomPlate } from '../../components/RoomPlate';
import { clock, problem, t } from '../../i18n';
import type { Participant } from '../../wire';
import { isLive } from './capture';
import { DeviceChoices } from './DeviceChoices';
import type { Stage } from './stage';
import type { Visit } from './visit';

type Checking = Extract<Stage, { kind: 'checking' | 'entering' }>;

export function Check({ visit, stage }: { visit: Visit; stage: Checking }) {
  const { view } = stage;
  return (
    <div class="check" onPointerDown={() => visit.touched()} onKeyDown={() => visit.touched()}>
      <header class="top">
        <span class="brand"><Glyph name="mark" />roomctl</span>
        <div class="end"><LanguageSwitch /></div>
      </header>
      <main>
        <Look visit={visit} />
        <section class="meet" aria-labelledby="t">
          <div class="intro">
            <h1 id="t">{view.title}</h1>
            <p class="second num">{t('join.since', { since: clock(view.started_at) })}</p>
            <There present={view.present ?? []} />
          </div>
          <Entry visit={visit} stage={stage} />
        </section>
      </main>
    </div>
  );
}

function There({ present }: { present: readonly Participant[] }) {
  return (
    <div class="there">
      <h2 class="label">{t('join.there')}</h2>
      {present.length === 0 ? <p class="second">{t('join.nobody')}</p> : null}
      <ul class="rows">
        {present.map((one) => (
          <li key={one.id} class="row">
            {one.kind === 'room' ? <RoomPlate center={one.center ?? ''} name={one.name}>{t('join.a_room')}</RoomPlate> : <Person name={one.name}>{t('join.a_person')}</Person>}
          </li>
        ))}
      </ul>
    </div>
  );
}

function Look({ visit }: { visit: Visit }) {
  const { mic, camera } = visit.capture.value;
  const micOff = !mic.on || mic.fault !== null;
  const cameraOff = !camera.on || camera.fault !== null;
  return (
    <section class="look" aria-label={t('join.look')}>
      <div class="tile person-tile view stage">
        {isLive(camera) && camera.track !== null ? <Preview track={camera.track} /> : <p class="dark">{t(cameraWords(camera.on, camera.opening, camera.fault !== null))}</p>}
        <span class="name">{t('join.you')}</span>
      </div>
      <div class="under">
        <BarKey icon={micOff ? 'mic-off' : 'mic'} state={micOff ? 'off' : 'plain'} pressed={micOff} onPress={() => void visit.toggle('mic')}>{t(micOff ? 'join.mic_off' : 'join.mic_on')}</BarKey>
        <BarKey icon={cameraOff ? 'cam-off' : 'cam'} state={cameraOff ? 'off' : 'plain'} pressed={cameraOff} onPress={() => void visit.toggle('camera')}>{t(cameraOff ? 'join.camera_off' : 'join.camera_on')}</BarKey>
        <Hear visit={visit} />
      </div>
      {mic.fault === null ? null : <Note state="degraded" urgent><b>{t(`join.mic_${mic.fault}`)}</b> {t(`join.mic_${mic.fault}_do`)}</Note>}
      {camera.fault === null ? null : <Note state="degraded" urgent><b>{t(`join.camera_${camera.fault}`)}</b> {t(`join.camera_${camera.fault}_do`)}</Note>}
      <DeviceChoices visit={visit} />
    </section>
  );
}

function cameraWords(on: boolean, opening: boolean, faulty: boolean) {
  if (on && opening) return 'join.camera_opening' as const;
  return faulty ? ('join.camera_none' as const) : ('join.camera_closed' as const);
}

/** A part of its own: it is drawn twenty times a second. */
function Hear({ visit }: { visit: Visit }) {
  const { mic } = visit.capture.value;
  const heard = mic.fault === null ? visit.heard.value : 'off';
  return (
    <div class="hear">
      <span class="hint" id="lv">{t(`join.heard_${heard}`)}</span>
      <Level value={visit.level.value} segments={24} labelledBy="lv" />
    </div>
  );
}

function Preview({ track }: { track: MediaStreamTrack }) {
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    const element = video.current;
    if (element === null) return;
    element.srcObject = new MediaStream([track]);
    element.play().catch(() => undefined); // a muted preview may always play; where not, its first frame shows
  }, [track]);
  return <video ref={video} class="picture mirror" muted playsInline aria-label={t('join.your_picture')} />;
}

function Entry({ visit, stage }: { visit: Visit; stage: Checking }) {
  const [missing, setMissing] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const entering = stage.kind === 'entering';
  const refusal = stage.kind === 'checking' ? stage.refusal : null;
  const submit = (event: Event): void => {
    event.preventDefault();
    const nameless = visit.name.value.trim() === '';
    setMissing(nameless);
    if (nameless) input.current?.focus();
    else void visit.enter();
  };
  return (
    <form onSubmit={submit} noValidate>
      <div class="field">
        <label for="n">{t('join.name')}</label>
        <input
          ref={input}
          class="input"
          id="n"
          value={visit.name.value}
          maxLength={60}
          autocomplete="name"
          required
          aria-invalid={missing}
          aria-describedby="nh"
          onInput={(event) => {
            visit.name.value = event.currentTarget.value;
            setMissing(false);
          }}
        />
        <p class="hint" id="nh" role={missing ? 'alert' : undefined}>{t(missing ? 'join.name_missing' : 'join.name_hint')}</p>
      </div>
      <div class="send">
        {refusal === null ? null : <Note state="unusable" urgent>{problem(refusal)}</Note>}
        {stage.kind === 'checking' && stage.stale ? <Note state="unknown">{t('join.stale')}</Note> : null}
        <Button kind="go" wide type="submit" icon="link">{t(entering ? 'join.entering' : 'join.enter')}</Button>
        <p class="hint">{t('join.not_recorded')}</p>
      </div>
    </form>
  );
}
