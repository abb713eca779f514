/** Breaking things on purpose, in the demo only: what is broken, and what one should see of it elsewhere. */
import '../../styles/base.css';
import './faults.css';
import { start } from '../../island';
import { Faults, type FaultsData } from './Faults';
import { watch } from './store';

await start((data: FaultsData) => <Faults data={data} />);
watch();
