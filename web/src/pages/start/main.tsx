import '../../styles/base.css';
import './start.css';
import { start } from '../../island';
import type { StartData } from './data';
import { Start } from './Start';

await start((data: StartData) => <Start {...data} />);
