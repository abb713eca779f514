import '../../styles/base.css';
import './room.css';
import { start } from '../../island';
import { connect } from '../dashboard/store';
import { RoomPage } from './RoomPage';

const connected = connect();
await start(({ room }: { room: string }) => <RoomPage connected={connected} room={room} />);
