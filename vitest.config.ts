import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Real helm and kustomize runs on a small machine take seconds.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Colours and CI detection of the machine must not decide what a test sees.
    env: { NO_COLOR: '1' },
    unstubEnvs: true,
    restoreMocks: true,
  },
});
