/** Microphone, camera and loudspeaker to choose from, and a sound to try the last. */
import { Button } from '../../components/Button';
import { toast } from '../../components/Toast';
import { t } from '../../i18n';
import type { Choice } from './capture';
import { chime } from './chime';
import type { Visit } from './visit';

export function DeviceChoices({ visit }: { visit: Visit }) {
  const { mic, camera, mics, cameras, speakers, speaker } = visit.capture.value;
  return (
    <div class="devices">
      <DeviceSelect id="d1" label={t('join.mic')} choices={mics} chosen={mic.chosen} onChoose={(device) => void visit.choose('mic', device)} />
      <DeviceSelect id="d2" label={t('join.camera')} choices={cameras} chosen={camera.chosen} onChoose={(device) => void visit.choose('camera', device)} />
      <div class="field">
        <DeviceSelect id="d3" label={t('join.sound')} choices={speakers} chosen={speaker} onChoose={(device) => visit.chooseSpeaker(device)} />
        <Button kind="quiet" icon="volume" onPress={() => void chime(speaker).catch(() => toast(t('join.no_sound'), 'degraded'))}>{t('join.try_sound')}</Button>
      </div>
    </div>
  );
}

interface SelectProps {
  id: string;
  label: string;
  choices: readonly Choice[];
  chosen: string | null;
  onChoose: (device: string) => void;
}

/** A native select; with nothing to choose it says so. Browsers that give loudspeakers no name use the system's. */
export function DeviceSelect({ id, label, choices, chosen, onChoose }: SelectProps) {
  const known = choices.some((choice) => choice.id === chosen);
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select class="select" id={id} value={known && chosen !== null ? chosen : ''} disabled={choices.length === 0} onChange={(event) => onChoose(event.currentTarget.value)}>
        {known ? null : <option value="">{t('join.system_choice')}</option>}
        {choices.map((choice, place) => <option key={choice.id} value={choice.id}>{choice.label === '' ? t('join.unnamed_device', { n: place + 1 }) : choice.label}</option>)}
      </select>
    </div>
  );
}
