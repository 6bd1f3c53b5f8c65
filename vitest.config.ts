import { defineConfig } from "vitest/config";

/**
 * Three projects: `unit` needs nothing but this machine and is part of `npm run check`; `system` starts real
 * nodes and real clients; `soak` holds what is too long for CI and runs only by `npm run soak`.
 */
export default defineConfig({
  test: {
    projects: [
      { test: { name: "unit", include: ["test/unit/**/*.test.ts"], testTimeout: 60_000 } },
      {
        test: {
          name: "system",
          include: ["test/system/**/*.test.ts"],
          globalSetup: ["test/system/global-setup.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      { test: { name: "soak", include: ["test/soak/**/*.test.ts"], testTimeout: 7_200_000 } },
    ],
  },
});
