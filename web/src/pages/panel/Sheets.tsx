/** What opens over a screen: help, the guest link, one participant, the end for all, the camera at rest. */
import { Button } from '../../components/Button';
import { Dialog } from '../../components/Dialog';
import { Note } from '../../components/Notice';
import { now } from '../../clock';
import { clock, type Key, t } from '../../i18n';
import type { PanelView } from '../../wire';
import { CameraPad } from './CameraPad';
import { cameraControl } from './equipment';
import { DisplaySheet } from './DisplaySheet';
import { rowWords } from './People';
import { type Row, rows } from './roster';
import { RefusalLine } from './Refusal';
import type { PanelState, Sheet } from './state';
import { ask, dispatch } from './store';
import { InviteSheet } from './InviteSheet';

export function Sheets({ current }: { current: PanelState }) {
  const { sheet, view } = current;
  if (view === null) return null;
  switch (sheet.kind) {
    case 'none':
    case 'call':
      return null;
    case 'help':
      return <HelpSheet current={current} view={view} />;
    case 'invite':
      return <InviteSheet current={current} view={view} />;
    case 'end':
      return <EndSheet />;
    case 'camera':
      return <CameraSheet current={current} view={view} />;
    case 'display':
      return <DisplaySheet current={current} view={view} role={sheet.role} />;
    case 'participant':
      return <ParticipantSheet view={view} id={sheet.id} />;
  }
}

export const closing = (kind: Sheet['kind']) => (): void => dispatch({ type: 'close', kind });

const REASONS: readonly Key[] = ['panel.help.sound', 'panel.help.picture', 'panel.help.call', 'panel.help.other'];

function HelpSheet({ current, view }: { current: PanelState; view: PanelView }) {
  const asked = view.help_asked_at ?? null;
  const server = (view.server ?? false) && current.reach === 'open';
  return (
    <Dialog title={t('panel.help.title')} onClose={closing('help')}>
      <div class="sheet">
        {server ? <p>{asked === null ? t('panel.help.words') : t('panel.help.sent', { at: clock(asked) })}</p> : <p>{t('panel.help.no_server')}</p>}
        {server ? (
          <div class="choices four">
            {REASONS.map((reason) => <Button key={reason} kind="quiet" onPress={() => ask({ op: 'help', text: t(reason) })}>{t(reason)}</Button>)}
          </div>
        ) : null}
        {view.center.contact ? <p class="second">{t('panel.contact', { contact: view.center.contact })}</p> : null}
        <RefusalLine current={current} view={view} />
      </div>
    </Dialog>
  );
}

function EndSheet() {
  return (
    <Dialog title={t('panel.end.title')} onClose={closing('end')}>
      <div class="sheet">
        <p>{t('panel.end.words')}</p>
        <div class="choices">
          <Button kind="stop" icon="leave" onPress={() => ask({ op: 'end' })}>{t('panel.end')}</Button>
          <Button kind="quiet" onPress={closing('end')}>{t('panel.end.stay')}</Button>
        </div>
      </div>
    </Dialog>
  );
}

function CameraSheet({ current, view }: { current: PanelState; view: PanelView }) {
  const control = cameraControl(view);
  return (
    <Dialog title={t('panel.camera')} onClose={closing('camera')}>
      <div class="sheet">
        {control === null || control.reachable ? null : <Note state="degraded">{t('panel.camera.unreachable')}</Note>}
        {control === null
          ? <p class="second">{t('panel.camera.fixed')}</p>
          : <CameraPad control={control} wish={current.wishes.preset?.value ?? null} reachable={current.reach === 'open'} />}
        <RefusalLine current={current} view={view} />
      </div>
    </Dialog>
  );
}

function ParticipantSheet({ view, id }: { view: PanelView; id: string }) {
  const row = rows(view, now.value).find((one) => one.id === id);
  if (row === undefined) return null;
  return (
    <Dialog title={row.name} onClose={closing('participant')}>
      <div class="sheet">
        <p class="second">{rowWords(row)}</p>
        <div class="choices">
          {canCallAgain(row) ? <Button icon="call" onPress={() => ask({ op: 'add_rooms', rooms: [row.room] })}>{t('panel.call_again')}</Button> : null}
          {isThere(row) ? <Button kind="stop" onPress={() => ask({ op: 'remove', participant: row.id })}>{t('panel.remove')}</Button> : null}
          <Button kind="quiet" onPress={closing('participant')}>{t('dialog.close')}</Button>
        </div>
      </div>
    </Dialog>
  );
}

const canCallAgain = (row: Row): row is Extract<Row, { kind: 'room' }> =>
  row.kind === 'room' && (row.call === 'declined' || row.call === 'unanswered' || row.call === 'left');

const isThere = (row: Row): boolean => !canCallAgain(row);
