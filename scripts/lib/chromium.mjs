// The browser that browser tests drive: one that is there, else Debian's, which apt-get installs.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const names = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome', 'microsoft-edge'];
const fixedPaths = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
  'C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe',
];

function onMachine() {
  if (process.env.CLEW_CHROMIUM) return process.env.CLEW_CHROMIUM;
  for (const name of names) {
    const found = spawnSync(process.platform === 'win32' ? 'where' : 'which', [name], { encoding: 'utf8' });
    if (found.status === 0) return found.stdout.trim().split('\n')[0];
  }
  return fixedPaths.find((path) => existsSync(path));
}

/** Path of a Chromium, installing Debian's when none is there and that is possible; ends the process with one sentence otherwise. */
export function findChromium() {
  const found = onMachine();
  if (found) return found;
  const asRoot = process.getuid?.() === 0;
  if (process.platform === 'linux' && spawnSync('which', ['apt-get']).status === 0) {
    console.log('installing chromium for the browser tests');
    const apt = (args) =>
      spawnSync(asRoot ? 'apt-get' : 'sudo', asRoot ? args : ['-n', 'apt-get', ...args], {
        stdio: ['ignore', 'ignore', 'inherit'],
        env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      }).status === 0;
    apt(['update', '-q']);
    if (apt(['install', '-y', '-q', '--no-install-recommends', 'chromium'])) return onMachine();
  }
  console.error(
    'the browser tests need Chromium or Chrome: install one, or set CLEW_CHROMIUM to its path, then run npm test again',
  );
  process.exit(1);
}
