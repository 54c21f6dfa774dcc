// How the console is built: plain files under /static/console/, nothing inlined, so that a strict
// content security policy holds (an inlined worklet would be a data: URL, which it forbids).
import { defineConfig } from "vite";

export default defineConfig({
  base: "/static/console/",
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    emptyOutDir: true,
    chunkSizeWarningLimit: 600,
  },
  worker: { format: "es" },
});
