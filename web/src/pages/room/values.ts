/** Properties of devices in words. */
import { known, number, t } from '../../i18n';
import type { Device } from '../../wire';
import type { Value } from './devices';

/** "Alimentation", "Volume"… A property the catalog does not know keeps its own name: this page is IT's. */
export function propertyName(name: string): string {
  const key = `property.${name}`;
  return known(key) ? t(key) : name;
}

/** "Allumé", "60 %", "1, Table"… */
export function valueWord(name: string, value: Value, device: Device): string {
  if (typeof value === 'boolean') return yesNo(name, value);
  if (value === '') return t('value.none');
  if (name === 'volume' && typeof value === 'number') return t('value.percent', { n: number(value * 100) });
  if (name === 'preset') return [String(value), device.presets?.[String(value)]].filter(Boolean).join(', ');
  const key = `value.${name}.${String(value)}`;
  if (known(key)) return t(key);
  return typeof value === 'number' ? number(value) : value;
}

function yesNo(name: string, value: boolean): string {
  const key = `value.${name}.${value ? 'on' : 'off'}`;
  return known(key) ? t(key) : t(value ? 'value.yes' : 'value.no');
}
