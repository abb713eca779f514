/** The network as the crow flies: a square dot per center, and its plate. */
import { t } from '../../i18n';
import type { StartCenter } from './data';
import { HEIGHT, WIDTH, place } from './layout';

export function CenterMap({ centers }: { centers: readonly StartCenter[] }) {
  return (
    <svg class="map" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={t('start.map', { names: centers.map((center) => center.name).join(', ') })}>
      {place(centers).map((at) => (
        <g key={at.id}>
          <path class="lead" d={`M${at.x} ${at.y}L${at.plateX} ${at.plateY}`} />
          <rect class="dot" x={at.x - 4.5} y={at.y - 4.5} width="9" height="9" />
          <rect class="code-r" x={at.plateX - 18} y={at.plateY - 10} width="36" height="20" />
          <text class="code-t" x={at.plateX} y={at.plateY + 4}>{at.id.toUpperCase()}</text>
          <text class="nm" x={at.plateX + 23} y={at.plateY + 4}>{at.name}</text>
        </g>
      ))}
    </svg>
  );
}
