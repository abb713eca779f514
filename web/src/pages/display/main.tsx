/** The big screen of a room, served by the room's agent. Nobody touches it: it follows one live document. */
import '../../styles/base.css';
import './display.css';
import { start } from '../../island';
import { Display } from './Display';
import { connect } from './store';

await start(() => <Display />);
connect();
