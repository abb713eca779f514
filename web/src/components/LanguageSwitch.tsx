/** The language key: on every page, always seen. */
import { choose, language, languages, t } from '../i18n';
import { toast } from './Toast';

const SPOKEN: Record<string, string> = { fr: 'Français', nl: 'Nederlands', de: 'Deutsch', en: 'English' };

export function LanguageSwitch() {
  return (
    <div class="seg" role="group" aria-label={t('language.switch')}>
      {languages.map((code) => (
        <button
          key={code}
          type="button"
          lang={code}
          aria-label={`${code.toUpperCase()}, ${SPOKEN[code] ?? code}`} // what is seen comes first: people speak it to their computer
          aria-pressed={language.value === code}
          onClick={() => {
            choose(code).catch(() => toast(t('language.unavailable'), 'unknown'));
          }}
        >
          {code.toUpperCase()}
        </button>
      ))}
    </div>
  );
}
