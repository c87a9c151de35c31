import { defineConfig } from 'rolldown';
import { executable, thirdPartyLicenses } from './scripts/third-party.ts';

/**
 * One folder of ESM without runtime dependencies. Dynamic imports stay chunks of their own,
 * so `gate --version` loads neither YAML nor the cluster client.
 */
export default defineConfig({
  input: { cli: 'src/cli/bin.ts', action: 'src/action/main.ts' },
  platform: 'node',
  external: [/^node:/],
  tsconfig: 'tsconfig.json',
  plugins: [thirdPartyLicenses(), executable()],
  output: {
    dir: 'dist',
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: 'chunks/[name]-[hash].js',
    // CommonJS packages inside the bundle call require() for Node's own modules.
    banner: (chunk) => (chunk.isEntry ? '#!/usr/bin/env node' : ''),
    minify: false,
    sourcemap: false,
    cleanDir: true,
  },
});
