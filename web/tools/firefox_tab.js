// `node tools/firefox_tab.js`: one tab of a real Firefox for tests. Reads lines of JSON and answers each by one:
// {"open": URL} or {"run": SCRIPT, "argument": ANY} in, {"value": ANY} or {"error": TEXT} out; {"screenshot": FILE} too.
// Ends with its input. Debian's Firefox ESR, driven over WebDriver BiDi.
import { createInterface } from 'node:readline';
import puppeteer from 'puppeteer-core';

const browser = await puppeteer.launch({
  browser: 'firefox',
  executablePath: process.env.FIREFOX ?? '/usr/bin/firefox-esr',
  headless: true,
  extraPrefsFirefox: {
    'media.navigator.streams.fake': true,
    'media.navigator.permission.disabled': true,
    'media.devices.insecure.enabled': true,
    'media.getusermedia.insecure.enabled': true,
    'media.peerconnection.ice.loopback': true,
    'media.autoplay.default': 0,
  },
});

try {
  const page = await browser.newPage();
  const evaluate = (script, argument) =>
    page.evaluate(
      async (text, value) => {
        const found = (0, eval)(text);
        return typeof found === 'function' ? found(value) : found;
      },
      script,
      argument,
    );
  for await (const line of createInterface({ input: process.stdin })) {
    const { open, run, argument, screenshot } = JSON.parse(line);
    try {
      if (open) await page.goto(open);
      if (screenshot) await page.screenshot({ path: screenshot });
      const value = run ? await evaluate(run, argument ?? null) : null;
      console.log(JSON.stringify({ value: value ?? null }));
    } catch (error) {
      console.log(JSON.stringify({ error: String(error) }));
    }
  }
} finally {
  await browser.close();
}
