/** Short news that goes away by itself, told to screen readers too. */
import { signal } from '@preact/signals';
import { Glyph } from './Icon';
import { stateClass, stateGlyph, type State } from './StateWord';

interface ToastItem {
  readonly id: number;
  readonly text: string;
  readonly state: State | null;
}

const shown = signal<readonly ToastItem[]>([]);
const MOST = 3;
let nextId = 1;

/** Show `text` for `seconds`; a text already shown is not shown twice. `state` gives it a colour and a shape. */
export function toast(text: string, state: State | null = null, seconds = 6): void {
  if (shown.value.some((item) => item.text === text)) return;
  const item = { id: nextId++, text, state };
  shown.value = [...shown.value, item].slice(-MOST);
  setTimeout(() => {
    shown.value = shown.value.filter((other) => other !== item);
  }, seconds * 1000);
}

/** Where toasts appear: once per page. */
export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {shown.value.map((item) => (
        <div key={item.id} class={`toast ${item.state === null ? '' : stateClass(item.state)}`}>
          {item.state === null ? null : <Glyph name={stateGlyph(item.state)} />}
          {item.text}
        </div>
      ))}
    </div>
  );
}
