/** The language of the panel: a row of keys where there is room, one key with a menu elsewhere. Not remembered. */
import { useRef } from 'preact/hooks';
import { toast } from '../../components/Toast';
import { language, languages, speak, t } from '../../i18n';

const SPOKEN: Record<string, string> = { fr: 'Français', nl: 'Nederlands', de: 'Deutsch', en: 'English' };

function pick(code: string): void {
  speak(code).catch(() => toast(t('language.unavailable'), 'unknown'));
}

export function LanguageRow() {
  return (
    <div class="seg languages" role="group" aria-label={t('language.switch')}>
      {languages.map((code) => (
        <button key={code} type="button" lang={code} aria-label={`${code.toUpperCase()}, ${SPOKEN[code] ?? code}`} aria-pressed={language.value === code} onClick={() => pick(code)}>
          {code.toUpperCase()}
        </button>
      ))}
    </div>
  );
}

export function LanguageKey({ tall = false }: { tall?: boolean }) {
  const menu = useRef<HTMLDivElement>(null);
  return (
    <>
      <button type="button" class={tall ? 'btn quiet lang tall' : 'btn quiet lang'} aria-haspopup="true" popovertarget="languages">
        {language.value.toUpperCase()}
        <span class="vh">, {t('panel.language.change')}</span>
      </button>
      <div id="languages" class="menu" popover="auto" ref={menu}>
        {languages.map((code) => (
          <button
            key={code}
            type="button"
            class="btn bare"
            lang={code}
            aria-pressed={language.value === code}
            onClick={() => {
              pick(code);
              menu.current?.hidePopover();
            }}
          >
            {SPOKEN[code] ?? code}
          </button>
        ))}
      </div>
    </>
  );
}
