import { beforeEach, describe, expect, test } from 'vitest';
import english from '../.build/catalogs/en.json';
import french from '../.build/catalogs/fr.json';
import { ago, briefly, clock, day, duration, known, language, languages, nextStep, notice, number, problem, t, use, useTimeZone, whoWords } from './i18n';

beforeEach(() => use('fr', french));

describe('sentences', () => {
  test('fill their places', () => {
    expect(t('time.ago', { duration: '3 s' })).toBe('il y a 3 s');
    expect(t('dashboard.help_said', { text: '$& <b>' })).toContain('$& <b>');
  });

  test.each([[0, '0 salle à traiter'], [1, '1 salle à traiter'], [2, '2 salles à traiter']])('French counts %i as %s', (count, expected) => {
    expect(t('dashboard.to_do', { count })).toBe(expected);
  });

  test.each([[0, '0 rooms need someone'], [1, '1 room needs someone'], [2, '2 rooms need someone']])('English counts %i as %s', (count, expected) => {
    use('en', english);
    expect(t('dashboard.to_do', { count })).toBe(expected);
  });

  test('speaking a language tells the page', () => {
    use('en', english);
    expect(language.value).toBe('en');
    expect(document.documentElement.lang).toBe('en');
  });

  test('every catalog can be spoken', () => {
    expect(languages).toEqual(expect.arrayContaining(['fr', 'en']));
  });

  test('French keeps its signs with their words', () => {
    expect(t('value.asked', { value: 'x' })).toBe('demandé\u00a0: x');
  });
});

describe('notices and problems', () => {
  test('moments become a time of day, numbers stay', () => {
    const since = new Date(2026, 10, 22, 9, 31).getTime() / 1000;
    expect(notice({ code: 'health.camera_silent', args: { since } })).toBe('La caméra ne répond plus depuis 09:31.');
    expect(notice({ code: 'health.clock_wrong', args: { seconds: 75 } })).toContain('75 s');
  });

  test('what we cannot name is not shown as a code', () => {
    expect(known('health.from_the_future')).toBe(false);
    expect(notice({ code: 'health.from_the_future' })).toBe('Un fait que cette page ne sait pas nommer.');
  });

  test('where the name of a device stands already, it is not said twice', () => {
    const of = { code: 'device.unplugged', args: { device: 'Micros de plafond' } };
    expect(notice(of)).toBe('Micros de plafond\u00a0: câble débranché.');
    expect(briefly(of)).toBe('câble débranché');
    use('en', english);
    expect(briefly(of)).toBe('not plugged in');
  });

  test('what a device did not follow is called by its name', () => {
    expect(notice({ code: 'device.not_followed', args: { device: 'Écran', property: 'power' } })).toContain('(Alimentation)');
    expect(notice({ code: 'device.not_followed', args: { device: 'Écran', property: 'port_3' } })).toContain('(Port 3)');
  });

  test('what to do about a notice, and who can', () => {
    expect(nextStep({ code: 'device.unplugged', args: { device: 'x' } })).toEqual({ words: 'Rebrancher son câble sur l’ordinateur de la salle.', who: 'anyone' });
    expect(nextStep({ code: 'device.garbage.next' })?.who).toBe('it');
    expect(nextStep({ code: 'health.next.check_camera' })).toMatchObject({ who: 'anyone' });
    expect(nextStep({ code: 'device.from_the_future' })).toBeNull();
    expect(whoWords('it')).toBe('L’informatique');
  });

  test('a notice may carry a refusal’s code', () => {
    expect(notice({ code: 'storage_full' })).toContain('plus de place');
    expect(notice({ code: 'problem.storage_full' })).toContain('L’informatique doit en libérer.');
  });

  test('a refusal says what to do', () => {
    expect(problem('link_expired')).toContain('Demandez-en un nouveau');
  });
});

describe('time and numbers', () => {
  test('a room tells the time of its center, wherever the device thinks it is', () => {
    const at = Date.UTC(2026, 10, 22, 23, 30) / 1000;
    useTimeZone('Europe/Brussels');
    expect([clock(at), day(at)]).toEqual(['00:30', 'Lundi 23 novembre']);
    useTimeZone('America/New_York');
    expect([clock(at), day(at)]).toEqual(['18:30', 'Dimanche 22 novembre']);
    useTimeZone('Mars/Olympus');
    expect(clock(at)).toMatch(/^\d\d:\d\d$/);
  });

  test.each([[0, '0 s'], [59.4, '59 s'], [60, '1 min'], [3599, '59 min'], [7300, '2 h'], [200_000, '2 j']])('%d s is %s', (seconds, expected) => {
    expect(duration(seconds).replaceAll('\u00a0', ' ')).toBe(expected);
  });

  test('less than a second, and the future, are now', () => {
    expect(ago(0.4)).toBe('à l’instant');
    expect(ago(-5)).toBe('à l’instant');
  });

  test('24 hours, decimal comma', () => {
    expect(clock(new Date(2026, 10, 22, 0, 5).getTime() / 1000)).toBe('00:05');
    expect(number(2.65)).toMatch(/^2,[67]$/);
  });
});
