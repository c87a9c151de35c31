import { defineConfig } from 'vitest/config';

const common = {
  // Real helm and kustomize runs on a small machine take seconds.
  testTimeout: 60_000,
  hookTimeout: 120_000,
  // Colours and CI detection of the machine must not decide what a test sees.
  env: { NO_COLOR: '1' },
  unstubEnvs: true,
  restoreMocks: true,
};

// Each file of these starts an API server of its own (300 MB).
const live = 'test/cluster/live/**/*.test.ts';

export default defineConfig({
  test: {
    projects: [
      { test: { ...common, name: 'main', include: ['test/**/*.test.ts'], exclude: [live] } },
      { test: { ...common, name: 'cluster', include: [live], maxWorkers: 2 } },
    ],
  },
});
