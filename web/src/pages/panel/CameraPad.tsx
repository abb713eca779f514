/** Moves the camera while a key is held, and recalls its positions. A move stops by itself unless it is renewed. */
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { Icon, type IconName } from '../../components/Icon';
import { type Key, t } from '../../i18n';
import type { CameraControl } from './equipment';
import { type Direction, Hold, MOVES } from './hold';
import { askDevice } from './store';

type Moves = NonNullable<CameraControl['moves']>;

const KEYS: readonly { at: string; icon: IconName; direction: Direction; name: Key; axis: keyof Moves }[] = [
  { at: 'up', icon: 'up', direction: 'up', name: 'panel.camera.up', axis: 'panTilt' },
  { at: 'le', icon: 'left', direction: 'left', name: 'panel.camera.left', axis: 'panTilt' },
  { at: 'ri', icon: 'right', direction: 'right', name: 'panel.camera.right', axis: 'panTilt' },
  { at: 'dn', icon: 'down', direction: 'down', name: 'panel.camera.down', axis: 'panTilt' },
  { at: 'zo', icon: 'minus', direction: 'out', name: 'panel.camera.out', axis: 'zoom' },
  { at: 'zi', icon: 'plus', direction: 'in', name: 'panel.camera.in', axis: 'zoom' },
];

interface Props {
  control: CameraControl;
  /** The preset pressed and not yet confirmed. */
  wish: string | null;
  reachable: boolean;
}

export function CameraPad({ control, wish, reachable }: Props) {
  const usable = reachable && control.reachable;
  return (
    <div class="camrow">
      {control.moves === null ? null : <Pad moves={control.moves} usable={usable} />}
      {control.framing === null && control.presets.length === 0 ? null : (
        <div class="presets">
          {control.presets.length === 0 ? null : <Presets control={control} wish={wish} usable={usable} />}
          {control.framing === null ? null : <Framing framing={control.framing} usable={usable} />}
        </div>
      )}
    </div>
  );
}

function Pad({ moves, usable }: { moves: Moves; usable: boolean }) {
  const hold = useRef<Hold | null>(null);
  hold.current ??= new Hold(
    (direction) => askDevice({ role: 'main_camera', op: 'move', args: MOVES[direction] }),
    () => askDevice({ role: 'main_camera', op: 'stop' }),
  );
  const held = hold.current;
  useEffect(() => () => held.release(), [held]);
  return (
    <div class={moves.panTilt ? 'pad5' : 'pad5 zoom'} role="group" aria-label={t('panel.camera.move')}>
      {KEYS.filter(({ axis }) => moves[axis]).map(({ at, icon, direction, name }) => (
        <PadKey key={at} at={at} name={t(name)} usable={usable} onHold={() => held.press(direction)} onRelease={() => held.release()}>
          <Icon name={icon} />
        </PadKey>
      ))}
    </div>
  );
}

interface PadKeyProps {
  at: string;
  name: string;
  usable: boolean;
  onHold: () => void;
  onRelease: () => void;
  children: ComponentChildren;
}

function PadKey({ at, name, usable, onHold, onRelease, children }: PadKeyProps) {
  return (
    <button
      type="button"
      class={`btn ${at}`}
      aria-label={name}
      aria-disabled={usable ? undefined : 'true'}
      onPointerDown={(event) => {
        if (!usable || event.button !== 0) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        onHold();
      }}
      onPointerUp={onRelease}
      onPointerCancel={onRelease}
      onLostPointerCapture={onRelease}
      onContextMenu={(event) => event.preventDefault()}
      onKeyDown={(event) => {
        if (!usable || (event.key !== ' ' && event.key !== 'Enter')) return;
        event.preventDefault();
        if (!event.repeat) onHold();
      }}
      onKeyUp={onRelease}
      onBlur={onRelease}
    >
      {children}
    </button>
  );
}

function Presets({ control, wish, usable }: { control: CameraControl; wish: string | null; usable: boolean }) {
  return (
    <div class="presets" role="group" aria-label={t('panel.camera.presets')}>
      {control.presets.map(({ number, name, selected }, index) => (
        <button
          key={number}
          type="button"
          class={wish === number && !selected ? 'btn quiet asked' : 'btn quiet'}
          aria-pressed={wish === null ? selected : wish === number}
          aria-disabled={usable ? undefined : 'true'}
          onClick={() => {
            if (usable) askDevice({ role: 'main_camera', op: 'recall_preset', args: { preset: Number(number) } });
          }}
        >
          <span class="n">{index + 1}</span>
          {name}
        </button>
      ))}
    </div>
  );
}

/** The camera follows people by itself, or stays where it is told. */
function Framing({ framing, usable }: { framing: NonNullable<CameraControl['framing']>; usable: boolean }) {
  const on = framing.asked ?? framing.on;
  return (
    <button
      type="button"
      class={framing.asked === null ? 'btn quiet' : 'btn quiet asked'}
      aria-pressed={on}
      aria-disabled={usable ? undefined : 'true'}
      onClick={() => {
        if (usable) askDevice({ role: 'main_camera', op: 'set_framing', args: { on: !on } });
      }}
    >
      <Icon name="people" />
      {t('panel.framing')}
      <span class="second" aria-hidden="true">{t(on ? 'panel.framing.on' : 'panel.framing.off')}</span>
    </button>
  );
}
