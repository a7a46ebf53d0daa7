// Before anything is drawn: a page that turns dark once it is there would flash. A file, because the policy allows no script in the page.
try {
  const theme = localStorage.getItem("atelier.theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  const language = localStorage.getItem("atelier.language") ?? navigator.language.slice(0, 2);
  document.documentElement.lang = language === "ko" ? "ko" : "en";
} catch {
  // Storage may be forbidden; the system's colours and English do.
}
