/** The words for devices and faults; a name we have no words for is shown as it is. */
import { known, t } from '../../i18n';
import { AGENT, type Seen } from './state';

const MILD = new Set(['occupancy_sensor', 'air_sensor', 'ups', 'network_switch', 'broker']);
const FLAKY = new Set(['delay', 'drop', 'reset', 'garbage', 'half', 'duplicate']);
const GONE_DEVICE = new Set(['unplugged', 'silent', 'single_client', 'deaf', 'mumbles', 'cable']);

const worded = (key: string, name: string): string => (known(key) ? t(key) : name);

/** A device by its role. */
export function deviceWord(role: string): string {
  const own = `faults.device.${role}`;
  return known(own) ? t(own) : worded(`role.${role}`, role);
}

/** A device wherever the page speaks of it: what it is for, and its own name where that is another. */
export function named(role: string, name: string | undefined): string {
  const word = deviceWord(role);
  return name === undefined || name === word ? word : t('faults.device_named', { role: word, name });
}

/** A fault by its name. */
export const faultWord = (fault: string): string => worded(`faults.fault.${fault}`, fault);
/** What hands do, by its name. */
export const actWord = (act: string): string => worded(`faults.hand.${act}`, act);

/** What one sees, standing before a device. */
export function shownWord(name: string, value: Seen): string {
  if (name === 'people' && typeof value === 'number') return t('faults.shows.people', { count: value });
  if (name === 'charge' && typeof value === 'number') return t('faults.shows.charge', { n: value });
  if (name === 'moving') return t(value === true ? 'faults.shows.moving.on' : 'faults.shows.moving.off');
  if (name === 'light') return t(value === true ? 'faults.shows.light.on' : 'faults.shows.light.off');
  if (name === 'off_hook') return t(value === true ? 'faults.shows.off_hook.on' : 'faults.shows.off_hook.off');
  return worded(`value.${name}.${String(value)}`, String(value));
}

/** What one should now see, on the dashboard and on the tablet. */
export function expected(role: string, fault: string): string {
  if (role === AGENT) return t('faults.see.agent');
  const device = deviceWord(role);
  if (fault === 'power') return t('faults.see.power');
  if (fault === 'lamp') return t('faults.see.lamp', { device });
  if (fault === 'pretends') return t('faults.see.pretends', { device });
  if (fault === 'wrong_password') return t('faults.see.password', { device });
  if (MILD.has(role)) return t('faults.see.mild', { device });
  if (fault === 'reboot') return t('faults.see.reboot', { device });
  if (GONE_DEVICE.has(fault)) return t('faults.see.gone', { device });
  if (FLAKY.has(fault)) return t('faults.see.flaky', { device });
  return t('faults.see.other');
}
