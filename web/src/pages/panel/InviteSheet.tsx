/** The guest link of this meeting: to read, to scan with a phone, to withdraw. */
import { Button } from '../../components/Button';
import { Dialog } from '../../components/Dialog';
import { now } from '../../clock';
import { duration, t } from '../../i18n';
import type { PanelView } from '../../wire';
import { RefusalLine } from './Refusal';
import { busy, type PanelState } from './state';
import { ask, dispatch } from './store';

/** SVG text as an image's address; inline SVG has no namespace, an image needs one. */
function picture(svg: string): string {
  const whole = svg.includes('xmlns=') ? svg : svg.replace('<svg', '<svg xmlns="http://www.w3.org/2000/svg"');
  return `data:image/svg+xml,${encodeURIComponent(whole)}`;
}

export function InviteSheet({ current, view }: { current: PanelState; view: PanelView }) {
  const { invitation, invitation_qr: qr } = view;
  return (
    <Dialog title={t('panel.invite.title')} onClose={() => dispatch({ type: 'close', kind: 'invite' })}>
      <div class="sheet invite">
        <RefusalLine current={current} view={view} />
        {invitation ? (
          <>
            {qr ? <img class="qr" src={picture(qr)} alt={t('panel.invite.qr')} /> : null}
            <div class="words">
              <p>{t('panel.invite.words')}</p>
              <p class="url">{invitation.url}</p>
              <p class="second">{t('panel.invite.for', { duration: duration(invitation.expires_at - now.value) })}</p>
              <Button kind="quiet" onPress={() => ask({ op: 'revoke_invitations' })}>{t('panel.invite.revoke')}</Button>
            </div>
          </>
        ) : (
          <div class="words">
            <p role="status">{busy(current, 'invite') ? t('panel.invite.coming') : t('panel.invite.none')}</p>
            {busy(current, 'invite') ? null : <Button onPress={() => ask({ op: 'invite' })}>{t('panel.invite.make')}</Button>}
          </div>
        )}
      </div>
    </Dialog>
  );
}
