import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

/** Packs what is text beside itself, so that the server has nothing to pack while somebody waits. */
function packed(): Plugin {
  return {
    name: "packed",
    apply: "build",
    // Once they are written: before, other plugins may still change them.
    writeBundle({ dir = "dist" }, bundle) {
      const texts = [...Object.keys(bundle), "icon.svg", "theme.js"].filter((name) => /\.(js|css|html|svg)$/.test(name));
      for (const name of new Set(texts)) {
        const file = join(dir, name);
        writeFileSync(`${file}.gz`, gzipSync(readFileSync(file), { level: 9 }));
      }
    },
  };
}

// The server allows no script or style in the page itself, so nothing is inlined.
export default defineConfig({
  plugins: [react(), packed()],
  // Browsers that know light-dark(): a theme is one list of colours.
  build: { target: "es2023", cssTarget: ["chrome123", "firefox120", "safari17.5"], assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  server: { proxy: { "/api": "http://127.0.0.1:8787" } },
});
