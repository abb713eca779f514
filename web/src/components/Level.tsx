/** A level in segments, so that it reads without colour. `value` 0..1. */
interface LevelProps {
  value: number;
  segments?: number;
  ink?: boolean; // a volume, not a voice
  labelledBy?: string; // without it the level is decoration
}

export function Level({ value, segments = 16, ink = false, labelledBy }: LevelProps) {
  const share = Math.min(1, Math.max(0, value));
  const meaning = labelledBy === undefined
    ? { 'aria-hidden': true }
    : { role: 'meter' as const, 'aria-labelledby': labelledBy, 'aria-valuemin': 0, 'aria-valuemax': 100, 'aria-valuenow': Math.round(share * 100) };
  return <span class={ink ? 'level ink' : 'level'} style={{ display: 'block', '--v': share.toFixed(3), '--n': segments }} {...meaning} />;
}
