/** The bar: its keys never move or change width. Off is a state: outlined, struck, another word. */
import { useEffect, useState } from 'preact/hooks';
import { BarKey } from '../../../components/Button';
import { Level } from '../../../components/Level';
import { t } from '../../../i18n';
import { Meter } from '../meter';
import type { Session } from './session';
import { pressed, type MeetingEvent, type MeetingState, type OwnSource } from './state';

interface BarProps {
  state: MeetingState;
  session: Session;
  send: (event: MeetingEvent) => void;
}

export function Bar({ state, session, send }: BarProps) {
  const { mic, camera, screen } = state.own;
  const ready = state.connection.kind === 'connected';
  const toggle = (source: OwnSource) => () => void session.set(source, !pressed(state.own[source]));
  const micOn = pressed(mic);
  const cameraOn = pressed(camera);
  const screenOn = pressed(screen);
  return (
    <nav class="bar" aria-label={t('meeting.controls')}>
      <BarKey extra="left" icon={micOn ? 'mic' : 'mic-off'} state={micOn ? 'plain' : 'off'} pressed={!micOn} disabled={!ready || mic.asked !== null} onPress={toggle('mic')}>
        {t(micOn ? 'join.mic_on' : 'join.mic_off')}{mic.on ? <OwnLevel session={session} /> : null}
      </BarKey>
      <BarKey icon={cameraOn ? 'cam' : 'cam-off'} state={cameraOn ? 'plain' : 'off'} pressed={!cameraOn} disabled={!ready || camera.asked !== null} onPress={toggle('camera')}>
        {t(cameraOn ? 'meeting.camera' : 'meeting.camera_off')}
      </BarKey>
      {canShare() ? (
        <BarKey extra="hide" icon="share" state={screenOn ? 'on' : 'plain'} pressed={screenOn} disabled={!ready || screen.asked !== null} onPress={toggle('screen')}>
          {t(screenOn ? 'meeting.stop_share' : 'meeting.share')}
        </BarKey>
      ) : null}
      <BarKey icon="invite" onPress={() => send({ kind: 'dialog', dialog: 'invite' })}>{t('meeting.invite')}</BarKey>
      <BarKey extra="people" icon="people" expanded={state.side === 'people'} onPress={() => send({ kind: 'side', side: 'people' })}>
        <span>{t('meeting.people')}<span class="vh">, </span> <span class="num">{state.seats.length}</span></span>
      </BarKey>
      <BarKey extra="hide" icon="more" onPress={() => send({ kind: 'dialog', dialog: 'devices' })}>{t('meeting.devices')}</BarKey>
      <BarKey extra="stop" icon="leave" onPress={() => void session.leave()}>{t('meeting.leave')}</BarKey>
    </nav>
  );
}

/** Phones cannot share their screen. */
function canShare(): boolean {
  return 'mediaDevices' in navigator && 'getDisplayMedia' in navigator.mediaDevices;
}

/** The own voice, always seen while the microphone is open. */
function OwnLevel({ session }: { session: Session }) {
  const [level, setLevel] = useState(0);
  const track = session.micTrack;
  useEffect(() => {
    if (track === null) return;
    const meter = new Meter(track, setLevel);
    return () => meter.stop();
  }, [track]);
  return <Level value={level} segments={10} />;
}
