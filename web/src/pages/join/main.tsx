import '../../styles/base.css';
import './join.css';
import { start } from '../../island';
import { Join } from './Join';
import { Visit } from './visit';

await start(({ secret }: { secret: string }) => {
  const visit = new Visit(secret);
  void visit.begin();
  return <Join visit={visit} />;
});
