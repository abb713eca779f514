/** The meeting: tiles, the bar, who is there. Loaded with livekit-client while the person checks camera and name. */
import './meeting.css';
import { useEffect, useMemo, useReducer, useRef } from 'preact/hooks';
import { now } from '../../../clock';
import { Button } from '../../../components/Button';
import { LanguageSwitch } from '../../../components/LanguageSwitch';
import { LinkLine } from '../../../components/LinkLine';
import { toast } from '../../../components/Toast';
import { clock, duration, t } from '../../../i18n';
import type { Capture } from '../capture';
import type { Out, Stage } from '../stage';
import { Bar } from './Bar';
import { DevicesDialog } from './DevicesDialog';
import { InviteDialog } from './InviteDialog';
import { Network } from './Network';
import { People } from './People';
import { choices, Session } from './session';
import { Grid } from './Grid';
import { ENTERING, meet, type MeetingState, type OwnSource } from './state';

export interface MeetingProps {
  stage: Extract<Stage, { kind: 'in' }>;
  capture: Capture;
  onOut: (why: Out) => void;
}

export function Meeting({ stage, capture, onOut }: MeetingProps) {
  const { grant, view } = stage;
  const [state, send] = useReducer(meet, ENTERING);
  // One session for as long as this place in the meeting lasts: the component is keyed by it.
  const session = useMemo(() => new Session(grant, choices(capture), send, onOut), []);
  useEffect(() => {
    void session.enter();
  }, [session]);
  useFaultToasts(state);
  const minutes = Math.max(0, now.value - view.started_at);
  return (
    <div class={state.side === null ? 'meeting' : 'meeting with-side'}>
      <header class="head">
        <h1>{grant.title}</h1>
        <span class="second num hide">{duration(minutes)}</span>
        <span class="end"><Network quality={state.quality} /><LanguageSwitch /></span>
      </header>
      <main class="area stage" aria-label={t('meeting.participants')}>
        <Grid state={state} session={session} />
        <Banner state={state} session={session} />
      </main>
      {state.side === 'people' ? <People seats={state.seats} onClose={() => send({ kind: 'side', side: 'people' })} /> : null}
      <Bar state={state} session={session} send={send} />
      {state.dialog === 'invite' ? <InviteDialog session={session} onClose={() => send({ kind: 'dialog', dialog: null })} /> : null}
      {state.dialog === 'devices' ? <DevicesDialog session={session} onClose={() => send({ kind: 'dialog', dialog: null })} /> : null}
      <Announcer state={state} />
    </div>
  );
}

/** Over the pictures: what is wrong with the connection or the sound, and what to do. */
function Banner({ state, session }: { state: MeetingState; session: Session }) {
  const { connection } = state;
  if (connection.kind === 'connecting') return <div class="banner" role="status"><LinkLine state="calling" /><b>{t('meeting.connecting')}</b></div>;
  if (connection.kind === 'reconnecting') {
    return (
      <div class="banner" role="alert">
        <LinkLine state="lost" />
        <b>{t('meeting.reconnecting', { since: clock(connection.since / 1000) })}</b>
        <span>{t('meeting.reconnecting_do')}</span>
      </div>
    );
  }
  if (!state.soundBlocked) return null;
  return (
    <div class="banner" role="alert">
      <b>{t('meeting.sound_blocked')}</b>
      <Button icon="volume" onPress={() => void session.allowSound()}>{t('meeting.allow_sound')}</Button>
    </div>
  );
}

/** Who came and who went, for screen readers. */
function Announcer({ state }: { state: MeetingState }) {
  const words = [...state.came.map((name) => t('meeting.came', { name })), ...state.went.map((name) => t('meeting.went', { name }))];
  return <p class="vh" role="log" aria-live="polite">{words.join(' ')}</p>;
}

/** A device that could not be opened is told once, with what to do. */
function useFaultToasts(state: MeetingState): void {
  const told = useRef(new Map<OwnSource, string | null>());
  const { mic, camera, screen } = state.own;
  useEffect(() => {
    for (const [source, { fault }] of [['mic', mic], ['camera', camera], ['screen', screen]] as const) {
      if (fault !== null && told.current.get(source) !== fault) {
        toast(source === 'screen' ? t('meeting.no_share') : `${t(`join.${source}_${fault}`)} ${t(`join.${source}_${fault}_do`)}`, 'degraded', 12);
      }
      told.current.set(source, fault);
    }
  }, [mic, camera, screen]);
}
