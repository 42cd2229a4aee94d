import { fileURLToPath } from 'node:url'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** `HOLDFAST_CONTROL_URL` points the development server at a control (or at the fake one of the tests). */
const control = process.env['HOLDFAST_CONTROL_URL'] ?? 'http://127.0.0.1:8400'

export default defineConfig({
  root: here('.'),
  base: '/',
  plugins: [react()],
  server: { proxy: { '/ops': control } },
  build: {
    outDir: here('../../dist/console'),
    emptyOutDir: true,
    // A strict content security policy: nothing inline, so no data: addresses either.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    target: 'es2023',
  },
})
