import "./look/look.css";

import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { createRoot } from "react-dom/client";

import { queryClient } from "./api/api";
import { router } from "./router";
import { SettingsProvider } from "./shared/settings";

// A page that was open while the server was replaced asks for parts that are gone: it is read anew, once.
addEventListener("vite:preloadError", (event) => {
  const last = Number(sessionStorage.getItem("atelier.reloaded") ?? 0);
  if (Date.now() - last < 10_000) return;
  event.preventDefault();
  sessionStorage.setItem("atelier.reloaded", String(Date.now()));
  location.reload();
});

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <SettingsProvider>
      <QueryClientProvider client={queryClient}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </SettingsProvider>,
  );
}
