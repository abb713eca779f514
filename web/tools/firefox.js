// `node tools/firefox.js LINK FRAMES`: a guest joins by LINK in a real Firefox and waits for FRAMES frames of two pictures.
// Prints what it received as one line of JSON. Debian's Firefox ESR, driven over WebDriver BiDi.
import puppeteer from 'puppeteer-core';

const [link, wanted] = process.argv.slice(2);
const PATIENCE = 30_000; // ms

const browser = await puppeteer.launch({
  browser: 'firefox',
  executablePath: process.env.FIREFOX ?? '/usr/bin/firefox-esr',
  headless: true,
  extraPrefsFirefox: {
    'media.navigator.streams.fake': true,
    'media.navigator.permission.disabled': true,
    'media.peerconnection.ice.loopback': true,
    'media.autoplay.default': 0,
    'intl.accept_languages': 'fr',
  },
});

/** Runs before the page's scripts: remembers every peer connection. */
function watch() {
  const Native = window.RTCPeerConnection;
  window.connections = [];
  window.RTCPeerConnection = class extends Native {
    constructor(...args) {
      super(...args);
      window.connections.push(this);
    }
  };
}

/** Frames decoded, audio energy, ciphers and TLS versions of everything received. */
async function count() {
  const counts = { frames: [], energies: [], ciphers: [], versions: [] };
  for (const connection of window.connections) {
    for (const entry of (await connection.getStats()).values()) {
      if (entry.type === 'inbound-rtp' && entry.kind === 'video') counts.frames.push(entry.framesDecoded ?? 0);
      if (entry.type === 'inbound-rtp' && entry.kind === 'audio') counts.energies.push(entry.totalAudioEnergy ?? 0);
      if (entry.type === 'transport' && entry.srtpCipher) counts.ciphers.push(entry.srtpCipher);
      if (entry.type === 'transport' && entry.tlsVersion) counts.versions.push(entry.tlsVersion);
    }
  }
  return counts;
}

const enough = (counts) =>
  counts.frames.filter((frames) => frames >= Number(wanted)).length >= 2 && counts.energies.filter((energy) => energy > 0).length >= 2;

try {
  const page = await browser.newPage();
  await page.evaluateOnNewDocument(watch);
  await page.goto(link);
  await page.locator('input[autocomplete="name"], form input').fill('Firefox');
  await page.locator('form button[type="submit"]').click();
  const deadline = Date.now() + PATIENCE;
  let counts = await page.evaluate(count);
  while (!enough(counts) && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 250));
    counts = await page.evaluate(count);
  }
  console.log(JSON.stringify(counts));
} finally {
  await browser.close();
}
