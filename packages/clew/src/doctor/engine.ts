import { createRequire } from 'node:module';
import type { Finding } from './check.ts';

/** Whether the embedded engine exists for this machine. The library is not loaded, only looked for. */
export function checkEngine(platform: string = process.platform, arch: string = process.arch): Finding[] {
  const area = 'storage engine';
  const supported = (platform === 'linux' || platform === 'darwin') && (arch === 'x64' || arch === 'arm64');
  const advice = 'set extensions::clew_storage::url to a ClickHouse server';
  if (!supported)
    return [{ area, level: 'problem', text: `the embedded engine does not exist for ${platform}-${arch}`, advice }];
  const library = `@chdb/lib-${platform}-${arch}${platform === 'linux' ? '-gnu' : ''}`;
  try {
    createRequire(import.meta.url).resolve(`${library}/package.json`);
    return [{ area, level: 'ok', text: `embedded ClickHouse (${library})` }];
  } catch {
    return [
      {
        area,
        level: 'problem',
        text: `${library} is not installed`,
        advice: `install it (it needs glibc on Linux), or ${advice}`,
      },
    ];
  }
}
