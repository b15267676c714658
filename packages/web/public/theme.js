// Runs before the first paint so that a chosen theme never flashes the other one. The page's own code
// (src/app/preferences.ts) writes this key.
try {
  const stored = JSON.parse(localStorage.getItem('clew.preferences') ?? '{}');
  if (stored.theme === 'light' || stored.theme === 'dark') document.documentElement.dataset.theme = stored.theme;
} catch {
  // Storage is blocked or holds something else: the system's theme applies.
}
