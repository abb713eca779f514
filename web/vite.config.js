// One entry per page. Output in dist/ with hashed names; Python reads .vite/manifest.json (web/manifest.py).
import { defineConfig } from 'vite';

const pages = ['start', 'join', 'dashboard', 'room', 'panel', 'display', 'faults', 'message'];

export default defineConfig({
  base: '/static/',
  publicDir: false,
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: 'dist',
    manifest: true,
    target: ['chrome123', 'firefox120', 'safari17.5'],
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    rollupOptions: { input: Object.fromEntries(pages.map((page) => [page, `src/pages/${page}/main.tsx`])) },
  },
  test: { environment: 'happy-dom', include: ['src/**/*.test.ts', 'src/**/*.test.tsx'], restoreMocks: true },
});
