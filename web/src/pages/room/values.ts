/** Properties of devices in words. */
import { duration, known, number, t } from '../../i18n';
import type { Device } from '../../wire';
import type { Value } from './devices';

/** "Allumé", "60 %", "1, Table"… */
export function valueWord(name: string, value: Value, device: Device): string {
  if (typeof value === 'boolean') return yesNo(name, value);
  if (value === '') return t('value.none');
  if (typeof value === 'number') return quantity(name, value) ?? (name === 'preset' ? preset(value, device) : number(value));
  if (name === 'preset') return preset(value, device);
  const key = `value.${name.replace(/_\d+$/u, '')}.${value}`;
  return known(key) ? t(key) : value;
}

const preset = (value: Value, device: Device): string => [String(value), device.presets?.[String(value)]].filter(Boolean).join(', ');

/** A number with its unit, where the property has one. */
function quantity(name: string, value: number): string | null {
  switch (name) {
    case 'volume':
      return t('value.percent', { n: number(value * 100) });
    case 'battery':
    case 'charge':
    case 'humidity':
    case 'load':
      return t('value.percent', { n: number(value) });
    case 'co2':
      return t('value.ppm', { n: number(value) });
    case 'temperature':
      return t('value.celsius', { n: number(value) });
    case 'level':
      return t('value.decibel', { n: number(value) });
    case 'runtime':
      return duration(value);
    default:
      return null;
  }
}

function yesNo(name: string, value: boolean): string {
  const key = `value.${name}.${value ? 'on' : 'off'}`;
  return known(key) ? t(key) : t(value ? 'value.yes' : 'value.no');
}
