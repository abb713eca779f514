/** The panel of a room, served by the room's agent: everything in it follows one live document. */
import '../../styles/base.css';
import './panel.css';
import { effect } from '@preact/signals';
import { language, languages, speak } from '../../i18n';
import { start } from '../../island';
import { Panel } from './Panel';
import { connect, state } from './store';

/** The room's own language, where there is a catalog for it; otherwise French. */
function roomLanguage(): string {
  const wanted = state.peek().view?.center.language ?? 'fr';
  return languages.includes(wanted) ? wanted : 'fr';
}

/** After each meeting the panel speaks the room's language again: the next people may be others. */
function resetLanguageAfterMeetings(): void {
  let seen = state.peek().ended;
  effect(() => {
    const { ended } = state.value;
    if (ended === seen) return;
    seen = ended;
    const wanted = roomLanguage();
    if (wanted !== language.peek()) speak(wanted).catch(() => undefined);
  });
}

await start(() => <Panel />);
connect();
resetLanguageAfterMeetings();
