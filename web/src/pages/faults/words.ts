/** The words for devices and faults; a name we have no words for is shown as it is. */
import { type Key, t } from '../../i18n';
import { AGENT, GONE } from './state';

const DEVICES = new Map<string, Key>([
  ['main_camera', 'faults.device.camera'],
  ['front_display', 'faults.device.display'],
  ['second_display', 'faults.device.second_display'],
  ['room_mic', 'faults.device.mic'],
  ['room_speaker', 'faults.device.speaker'],
  ['content_input', 'faults.device.input'],
  [AGENT, 'faults.device.agent'],
]);

const FAULTS = new Map<string, Key>([
  ['unplugged', 'faults.fault.unplugged'],
  ['reboot', 'faults.fault.reboot'],
  ['drop', 'faults.fault.drop'],
  ['delay', 'faults.fault.delay'],
  ['garbage', 'faults.fault.garbage'],
  ['reset', 'faults.fault.reset'],
  ['silent', 'faults.fault.silent'],
  ['buffer_full', 'faults.fault.buffer_full'],
  ['lost_stop', 'faults.fault.lost_stop'],
  ['no_socket', 'faults.fault.no_socket'],
  ['unknown', 'faults.fault.unknown'],
  [GONE, 'faults.fault.gone'],
]);

const worded = (words: ReadonlyMap<string, Key>, name: string): string => {
  const key = words.get(name);
  return key === undefined ? name : t(key);
};

/** A device by its role. */
export const deviceWord = (role: string): string => worded(DEVICES, role);
/** A fault by its name. */
export const faultWord = (fault: string): string => worded(FAULTS, fault);

/** What one should now see, on the dashboard and on the tablet. */
export function expected(role: string, fault: string): string {
  if (role === AGENT) return t('faults.see.agent');
  if (fault === 'reboot') return t('faults.see.reboot', { device: deviceWord(role) });
  if (fault === 'unplugged' || fault === 'silent') return t('faults.see.gone', { device: deviceWord(role) });
  if (fault === 'delay' || fault === 'drop' || fault === 'reset' || fault === 'garbage') return t('faults.see.flaky', { device: deviceWord(role) });
  return t('faults.see.other');
}
