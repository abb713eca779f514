// One entry per page. Output in dist/ with hashed names; Python reads .vite/manifest.json (web/manifest.py).
import { defineConfig } from 'vite';

const every = ['start', 'join', 'dashboard', 'room', 'panel', 'display', 'faults', 'message'];
// While one page is being written, the others need not build: PAGES=start,join DIST=elsewhere npx vite build
const pages = process.env.PAGES?.split(',') ?? every;

export default defineConfig({
  base: '/static/',
  publicDir: false,
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: process.env.DIST ?? 'dist',
    emptyOutDir: true,
    manifest: true,
    chunkSizeWarningLimit: 700, // kB; livekit-client is one piece, fetched apart
    target: ['chrome123', 'firefox120', 'safari17.5'],
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    rollupOptions: { input: Object.fromEntries(pages.map((page) => [page, `src/pages/${page}/main.tsx`])) },
  },
  test: { environment: 'happy-dom', include: ['src/**/*.test.ts', 'src/**/*.test.tsx'], restoreMocks: true },
});
