import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

// One stylesheet for the application and for the pages that the server renders; they find it through the manifest.
export default defineConfig({
  plugins: [svelte()],
  build: { manifest: true, cssCodeSplit: false, assetsInlineLimit: 0, modulePreload: { polyfill: false }, target: "es2022" },
  server: { proxy: { "/api": "http://127.0.0.1:8080" } },
  test: { include: ["src/**/*.test.ts"] },
});
