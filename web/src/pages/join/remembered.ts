/** What the person chose last time, kept in this browser only. A browser that keeps nothing is no obstacle. */

/** Device ids, whether microphone and camera were open, and the name shown to others. */
export interface Remembered {
  readonly name: string;
  readonly mic: string | null;
  readonly camera: string | null;
  readonly speaker: string | null;
  readonly micOn: boolean;
  readonly cameraOn: boolean;
}

const KEY = 'roomctl.join';
const NOTHING: Remembered = { name: '', mic: null, camera: null, speaker: null, micOn: true, cameraOn: true };

export function recall(): Remembered {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? '{}');
    if (typeof kept !== 'object' || kept === null) return NOTHING;
    const text = (name: string): string | null => {
      const value: unknown = Reflect.get(kept, name);
      return typeof value === 'string' ? value.slice(0, 200) : null;
    };
    const flag = (name: string): boolean => Reflect.get(kept, name) !== false;
    return { name: (text('name') ?? '').slice(0, 60), mic: text('mic'), camera: text('camera'), speaker: text('speaker'), micOn: flag('micOn'), cameraOn: flag('cameraOn') };
  } catch {
    return NOTHING;
  }
}

export function remember(choice: Remembered): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(choice));
  } catch {
    // Private windows and full disks: asked again next time.
  }
}
