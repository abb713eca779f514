/** Two soft notes through the chosen loudspeaker: "do I hear?" */

/** Play them on `device` (null: the system's own). Throws when the browser may not play or the device is gone. */
export async function chime(device: string | null): Promise<void> {
  const context = new AudioContext();
  const out = context.createMediaStreamDestination();
  const element = new Audio();
  element.srcObject = out.stream;
  if (device !== null && 'setSinkId' in element) await element.setSinkId(device);
  await element.play();
  const ended = [note(context, out, 523.25, 0), note(context, out, 783.99, 0.28)];
  await Promise.all(ended);
  element.pause();
  await context.close();
}

function note(context: AudioContext, out: AudioNode, frequency: number, after: number): Promise<void> {
  const oscillator = new OscillatorNode(context, { type: 'sine', frequency });
  const gain = new GainNode(context, { gain: 0 });
  const start = context.currentTime + 0.05 + after;
  gain.gain.setValueAtTime(0, start);
  gain.gain.linearRampToValueAtTime(0.25, start + 0.03);
  gain.gain.exponentialRampToValueAtTime(0.001, start + 0.5);
  oscillator.connect(gain).connect(out);
  oscillator.start(start);
  oscillator.stop(start + 0.55);
  return new Promise((resolve) => {
    oscillator.onended = () => resolve();
  });
}
