import { svelte } from "@sveltejs/vite-plugin-svelte";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

/** vite's own server shows the console where the gateway shows it. */
const consolePaths: Plugin = {
  name: "console-paths",
  configureServer: (server) => {
    server.middlewares.use((request: { url?: string }, _answer, next) => {
      if (/^\/console([/?]|$)/.test(request.url ?? "")) request.url = "/console.html";
      next();
    });
  },
};

// Two builds into one folder, so that the staff's console adds nothing to My Products. Each has one stylesheet; the pages
// that the server renders have that of My Products, and find it through the manifest, which is of that build alone.
export default defineConfig(({ mode }) => {
  const isConsole = mode === "console";
  return {
    plugins: [svelte(), consolePaths],
    build: {
      manifest: !isConsole,
      emptyOutDir: !isConsole,
      rollupOptions: { input: isConsole ? "console.html" : "index.html" },
      cssCodeSplit: false,
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      target: "es2022",
    },
    server: { proxy: { "^/(api|brand)[/.]": "http://127.0.0.1:8080" } },
    test: { include: ["src/**/*.test.ts"] },
  };
});
