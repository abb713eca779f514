import '../../styles/base.css';
import { start } from '../../island';
import { t } from '../../i18n';

await start(() => <main class="page"><h1 class="title">{t('page.soon')}</h1></main>);
