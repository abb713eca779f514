/** A plain page: the words are rendered by the server; the script only brings the language switch. */
import '../../styles/base.css';
import { effect } from '@preact/signals';
import { LanguageSwitch } from '../../components/LanguageSwitch';
import { language } from '../../i18n';
import { start } from '../../island';

await start(() => <LanguageSwitch />);

let spoken: string | null = null;
effect(() => {
  if (spoken !== null && spoken !== language.value) location.reload();
  spoken = language.value;
});
