/** The guest's page, stage by stage. */
import type { ComponentChildren, FunctionComponent } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Button } from '../../components/Button';
import { Glyph } from '../../components/Icon';
import { LanguageSwitch } from '../../components/LanguageSwitch';
import { LinkLine, type LinkLineState } from '../../components/LinkLine';
import { Toasts, toast } from '../../components/Toast';
import { known, problem, t } from '../../i18n';
import type { Code } from '../../wire';
import { Check } from './Check';
import type { MeetingProps } from './meeting/Meeting';
import type { Out } from './stage';
import type { Visit } from './visit';

/** The meeting and livekit-client, fetched while the person checks camera and name. */
const fetchMeeting = (): Promise<{ Meeting: FunctionComponent<MeetingProps> }> => import('./meeting/Meeting');

export function Join({ visit }: { visit: Visit }) {
  const stage = visit.stage.value;
  const [Meeting, setMeeting] = useState<FunctionComponent<MeetingProps> | null>(null);
  const needed = stage.kind === 'checking' || stage.kind === 'entering' || stage.kind === 'in';
  useEffect(() => {
    if (!needed || Meeting !== null) return;
    fetchMeeting().then((module) => setMeeting(() => module.Meeting)).catch(() => toast(t('join.no_media'), 'unusable', 30));
  }, [needed, Meeting]);
  return (
    <>
      {view()}
      <Toasts />
    </>
  );

  function view() {
    switch (stage.kind) {
      case 'looking':
        return <Lone line="calling" title={t('join.looking')} />;
      case 'refused':
        return <Refused code={stage.code} visit={visit} />;
      case 'checking':
      case 'entering':
        return <Check visit={visit} stage={stage} />;
      case 'in':
        return Meeting === null ? <Lone line="calling" title={t('join.entering')} /> : <Meeting key={stage.grant.identity} stage={stage} capture={visit.capture.value} onOut={(why) => visit.send({ kind: 'went_out', why })} />;
      case 'out':
        return <Gone why={stage.why} title={stage.title} visit={visit} />;
    }
  }
}

function Refused({ code, visit }: { code: Code; visit: Visit }) {
  const what = `message.${code}.what`;
  const todo = `message.${code}.do`;
  const again = code === 'unavailable' || code === 'internal' || code === 'too_many';
  return (
    <Lone line="lost" title={known(what) ? t(what) : problem(code)} text={known(todo) ? t(todo) : undefined}>
      {again ? <Button icon="restart" onPress={() => retry(visit)}>{t('join.try_again')}</Button> : null}
    </Lone>
  );
}

function Gone({ why, title, visit }: { why: Out; title: string; visit: Visit }) {
  return (
    <Lone line={why === 'removed' ? 'lost' : 'down'} title={t(`join.out_${why}`)} text={t(`join.out_${why}_do`, { title })}>
      {why === 'left' || why === 'duplicate' ? <Button icon="link" onPress={() => retry(visit)}>{t('join.come_back')}</Button> : null}
    </Lone>
  );
}

function retry(visit: Visit): void {
  visit.send({ kind: 'again' });
  location.reload(); // a clean start: devices, media and the link are looked at anew
}

function Lone({ line, title, text, children }: { line: LinkLineState; title: string; text?: string | undefined; children?: ComponentChildren }) {
  return (
    <>
      <header class="top lone-top">
        <span class="brand"><Glyph name="mark" />roomctl</span>
        <div class="end"><LanguageSwitch /></div>
      </header>
      <main class="lone" aria-busy={line === 'calling'}>
        <LinkLine state={line} />
        <h1>{title}</h1>
        {text === undefined ? null : <p>{text}</p>}
        {children}
      </main>
    </>
  );
}
