// Stands in for livekit-client where a page is tested without a server: the address says who is there.
// ws://stand-in/?cameras=room:a,guest:b&screen=room:a&speaking=room:a  draws a moving picture for each.
export const RoomEvent = {
  TrackSubscribed: 'trackSubscribed', TrackUnsubscribed: 'trackUnsubscribed', ActiveSpeakersChanged: 'activeSpeakersChanged',
  AudioPlaybackStatusChanged: 'audioPlaybackChanged', Disconnected: 'disconnected', Reconnecting: 'reconnecting', Reconnected: 'reconnected',
};
export const DisconnectReason = { DUPLICATE_IDENTITY: 2 };

function picture(words, screen) {
  const canvas = Object.assign(document.createElement('canvas'), { width: 640, height: 360 });
  const context = canvas.getContext('2d');
  let step = 0;
  const draw = () => {
    context.fillStyle = screen ? '#f6f6f3' : `hsl(${words.length * 47} 18% 38%)`;
    context.fillRect(0, 0, 640, 360);
    context.fillStyle = screen ? '#1d2b33' : '#e8e2d4';
    context.font = 'bold 40px sans-serif';
    context.fillText(words, 40, 120);
    context.fillRect((step++ * 7) % 640, 300, 80, 20);
  };
  draw();
  setInterval(draw, 66);
  const stream = canvas.captureStream(15);
  const [mediaStreamTrack] = stream.getVideoTracks();
  return {
    kind: 'video', mediaStreamTrack,
    attach(element) { element.srcObject = stream; element.play().catch(() => undefined); return element; },
    detach(element) { if (element) element.srcObject = null; return element ? [element] : []; },
  };
}

const session = (identity) => ({
  identity: identity.startsWith('room:') ? `${identity}/main` : identity,
  attributes: identity.startsWith('room:') ? { room: identity.slice(5) } : {},
  trackPublications: new Map(),
});

export class Room {
  handlers = new Map();
  remoteParticipants = new Map();
  localParticipant = { permissions: { canPublish: false, hidden: true } };
  canPlaybackAudio = true;
  on(name, handler) { this.handlers.set(name, handler); return this; }
  emit(name, ...args) { this.handlers.get(name)?.(...args); }
  async startAudio() {}
  async disconnect() {}
  async connect(url, token) {
    window.standIn = { room: this, token, connects: (window.standIn?.connects ?? 0) + 1 };
    const query = new URL(url).searchParams;
    if (query.has('refuse')) throw new Error('refused');
    const list = (name) => (query.get(name) ?? '').split(',').filter(Boolean);
    for (const who of list('cameras')) this.emit('trackSubscribed', picture(who, false), { source: 'camera' }, session(who));
    for (const who of list('screen')) this.emit('trackSubscribed', picture('Planning janvier–mars', true), { source: 'screen_share' }, session(who));
    this.emit('activeSpeakersChanged', list('speaking').map(session));
  }
}
