/**
 * Sentences in the person's language, from the one catalog (`web/translations/*.po`), and numbers and times as that
 * language writes them. The language can change while the page is open: everything that calls `t` in a component follows.
 */
import { signal } from '@preact/signals';
import type french from '../.build/catalogs/fr.json';
import type { Code, Notice } from './wire';

/** Every key of the catalog. */
export type Key = keyof typeof french;
/** What fills the places of a sentence. */
export type Args = Record<string, string | number>;
/** A compiled catalog: one sentence per key, or two where it has a plural. */
export type Catalog = Record<string, string | readonly string[]>;

const catalogs = import.meta.glob<Catalog>('../.build/catalogs/*.json', { import: 'default' });

/** Languages that have a catalog, in the order of the switch. */
export const languages: readonly string[] = ['fr', 'nl', 'de', 'en'].filter((code) => `../.build/catalogs/${code}.json` in catalogs);

/** The language of the page. */
export const language = signal('fr');
const sentences = signal<Catalog>({});

/** Fetch the catalog of `wanted` and speak it. Throws when it cannot be fetched: the page goes on in the old language. */
export async function speak(wanted: string): Promise<void> {
  const load = catalogs[`../.build/catalogs/${wanted}.json`];
  if (load === undefined) throw new RangeError(`no catalog for ${wanted}`);
  use(wanted, await load());
}

/** Speak `wanted` with a catalog at hand. */
export function use(wanted: string, catalog: Catalog): void {
  sentences.value = catalog;
  language.value = wanted;
  document.documentElement.lang = wanted;
}

/** Remember the person's choice for a year, and speak it. */
export async function choose(wanted: string): Promise<void> {
  await speak(wanted);
  document.cookie = `language=${wanted}; path=/; max-age=31536000; samesite=lax`;
}

/** The sentence of `key`. `args.count` chooses between one and many. */
export function t(key: Key, args: Args = {}): string {
  return fill(key, args) ?? key;
}

/** Whether the catalog has `key`: for codes that come from elsewhere. */
export function known(key: string): key is Key {
  return key in sentences.value;
}

/** What a notice says; its code may be a refusal's. An unknown code says that something is not known, never the bare code. */
export function notice(of: Notice): string {
  const args = spoken(of.args ?? {});
  const refusal = of.code.startsWith('problem.') ? of.code : `problem.${of.code}`;
  return known(refusal) ? whole(refusal) : (fill(of.code, args) ?? t('notice.unknown'));
}

/** What to do about a notice, and who can: `anyone` there, the center's `host`, `it` or the `installer`; null where nobody knows. */
export function nextStep(of: Notice): { words: string; who: string } | null {
  const step = /\.next(\.|$)/u.test(of.code) ? of.code : `${of.code}.next`;
  const who = sentences.value[`${step.replace(/\.next$/u, '')}.who`];
  return known(step) && typeof who === 'string' ? { words: notice({ ...of, code: step }), who } : null;
}

/** Who can, in words. */
export const whoWords = (who: string): string => (known(`who.${who}`) ? t(`who.${who}` as Key) : who);

/** A notice about a device where its name stands already: "Caméra : câble débranché." says "câble débranché". */
export function briefly(of: Notice): string {
  return notice({ ...of, args: { ...of.args, device: '' } }).replace(/^\s*:\s*/u, '').replace(/\.$/u, '');
}

/** What a refusal's code says, and what to do. */
export function problem(code: Code): string {
  return whole(`problem.${code}`);
}

function whole(refusal: Key): string {
  const step = `${refusal}.next`;
  return known(step) ? `${t(refusal)} ${t(step)}` : t(refusal);
}

/** "Alimentation", "Volume"… A property of devices that the catalog does not know keeps its own name. */
export function propertyName(name: string): string {
  const port = /^(port|power)_(\d+)$/u.exec(name);
  if (port !== null) return t(port[1] === 'port' ? 'property.port' : 'property.port_power', { n: port[2] ?? '' });
  const key = `property.${name}`;
  return known(key) ? t(key) : name;
}

/** "a, b et c". */
export function listed(words: readonly string[]): string {
  return new Intl.ListFormat(language.value, { type: 'conjunction' }).format(words);
}

/** Hours and minutes of a moment (Unix seconds), 24 h. */
export function clock(at: number): string {
  return format({ hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(at * 1000);
}

/** Weekday, day and month of a moment (Unix seconds). */
export function day(at: number): string {
  const text = format({ weekday: 'long', day: 'numeric', month: 'long' }).format(at * 1000);
  return text.charAt(0).toLocaleUpperCase(language.value) + text.slice(1);
}

/** A duration in its largest unit: "20 s", "3 min", "2 h", "4 j". */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return t('time.seconds', { n: whole });
  if (whole < 3600) return t('time.minutes', { n: Math.floor(whole / 60) });
  if (whole < 86_400) return t('time.hours', { n: Math.floor(whole / 3600) });
  return t('time.days', { n: Math.floor(whole / 86_400) });
}

/** How long ago: "il y a 3 s". Under a second, and for a moment not yet come, "à l'instant". */
export function ago(seconds: number): string {
  return seconds < 1 ? t('time.now') : t('time.ago', { duration: duration(seconds) });
}

/** A number with at most one decimal, as the language writes it. */
export function number(value: number): string {
  return new Intl.NumberFormat(language.value, { maximumFractionDigits: 1 }).format(value);
}

const zone = signal<string | undefined>(undefined);

/**
 * Tell times as in a center's IANA time zone (without one: the wire's default): a room's pages speak of the room's day.
 * Until told, and for a zone unknown here, times are the device's.
 */
export function useTimeZone(name = 'Europe/Brussels'): void {
  try {
    zone.value = new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone;
  } catch {
    zone.value = undefined;
  }
}

function format(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat(language.value, { ...options, timeZone: zone.value });
}

/** Arguments that are moments (`since`, `until`, `at`, `…_at`: Unix seconds) as a time of day, a `property` by its name. */
function spoken(args: Args): Args {
  return Object.fromEntries(Object.entries(args).map(([name, value]) => [name, word(name, value)]));
}

function word(name: string, value: string | number): string | number {
  if (typeof value === 'string') return name === 'property' ? propertyName(value) : value;
  if (name === 'since' || name === 'until' || name === 'at' || name.endsWith('_at')) return clock(value);
  return name === 'count' ? value : number(value);
}

function fill(key: string, args: Args): string | undefined {
  const sentence = sentences.value[key];
  if (sentence === undefined) return undefined;
  const text = typeof sentence === 'string' ? sentence : form(sentence, Number(args.count ?? 1));
  return text.replace(/\{(\w+)\}/g, (_, name: string) => String(args[name] ?? ''));
}

function form(forms: readonly string[], count: number): string {
  return forms[new Intl.PluralRules(language.value).select(count) === 'one' ? 0 : 1] ?? '';
}
