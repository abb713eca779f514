/** Changing microphone, camera or loudspeaker while in the meeting. */
import { Room } from 'livekit-client';
import { useEffect, useState } from 'preact/hooks';
import { Dialog } from '../../../components/Dialog';
import { toast } from '../../../components/Toast';
import { t } from '../../../i18n';
import type { Choice } from '../capture';
import { DeviceSelect } from '../DeviceChoices';
import type { Session } from './session';

const KINDS = [['audioinput', 'join.mic'], ['videoinput', 'join.camera'], ['audiooutput', 'join.sound']] as const;

export function DevicesDialog({ session, onClose }: { session: Session; onClose: () => void }) {
  const [found, setFound] = useState<Partial<Record<MediaDeviceKind, readonly Choice[]>>>({});
  const [chosen, setChosen] = useState<Partial<Record<MediaDeviceKind, string>>>({});
  useEffect(() => {
    for (const [kind] of KINDS) {
      void Room.getLocalDevices(kind, false).then((devices) =>
        setFound((before) => ({ ...before, [kind]: devices.filter((device) => device.deviceId !== '').map((device) => ({ id: device.deviceId, label: device.label })) })),
      );
    }
  }, []);
  const choose = (kind: MediaDeviceKind) => (id: string) => {
    setChosen((before) => ({ ...before, [kind]: id }));
    session.choose(kind, id).catch(() => toast(t('meeting.no_device'), 'degraded'));
  };
  return (
    <Dialog title={t('meeting.devices_title')} onClose={onClose}>
      <div class="choose">
        {KINDS.map(([kind, label]) => (
          <DeviceSelect key={kind} id={`choose-${kind}`} label={t(label)} choices={found[kind] ?? []} chosen={chosen[kind] ?? session.room.getActiveDevice(kind) ?? null} onChoose={choose(kind)} />
        ))}
      </div>
    </Dialog>
  );
}
