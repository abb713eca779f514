/** A link for someone else, made when asked for, to copy. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { Button } from '../../../components/Button';
import { Dialog } from '../../../components/Dialog';
import { ProblemNote } from '../../../components/Notice';
import { clock, day, t } from '../../../i18n';
import type { Invitation, Problem } from '../../../wire';
import { invite } from '../api';
import type { Session } from './session';

type Asked = { readonly kind: 'asking' } | { readonly kind: 'made'; readonly invitation: Invitation } | { readonly kind: 'refused'; readonly problem: Problem };

export function InviteDialog({ session, onClose }: { session: Session; onClose: () => void }) {
  const [asked, setAsked] = useState<Asked>({ kind: 'asking' });
  useEffect(() => {
    void invite(session.refreshSecret).then((answer) => setAsked(answer.ok ? { kind: 'made', invitation: answer.value } : { kind: 'refused', problem: answer.problem }));
  }, [session]);
  return <Dialog title={t('meeting.invite_title')} onClose={onClose}>{body(asked)}</Dialog>;
}

function body(asked: Asked) {
  switch (asked.kind) {
    case 'asking':
      return <p role="status">{t('meeting.invite_asking')}</p>;
    case 'refused':
      return <ProblemNote of={asked.problem} />;
    case 'made':
      return <Link invitation={asked.invitation} />;
  }
}

function Link({ invitation }: { invitation: Invitation }) {
  const [copied, setCopied] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const copy = (): void => {
    field.current?.select();
    copyText(invitation.url).then(() => setCopied(true)).catch(() => setCopied(false));
  };
  return (
    <div class="invite">
      <p>{t('meeting.invite_text', { until: `${day(invitation.expires_at)}, ${clock(invitation.expires_at)}` })}</p>
      <div class="field">
        <label for="link">{t('meeting.invite_link')}</label>
        <input ref={field} class="input" id="link" readOnly value={invitation.url} onFocus={(event) => event.currentTarget.select()} />
      </div>
      <Button icon={copied ? 'check' : 'link'} onPress={copy}>{t(copied ? 'meeting.copied' : 'meeting.copy')}</Button>
    </div>
  );
}

/** Pages that did not come over https have no clipboard: the selected link is then copied by hand. */
async function copyText(text: string): Promise<void> {
  if (!('clipboard' in navigator)) throw new Error('no clipboard');
  await navigator.clipboard.writeText(text);
}
