import '../../styles/base.css';
import './dashboard.css';
import { start } from '../../island';
import { Dashboard } from './Dashboard';
import { connect } from './store';

const connected = connect();
await start(() => <Dashboard connected={connected} />);
