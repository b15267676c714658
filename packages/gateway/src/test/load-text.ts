import { loadGatewayConfig } from '../config/load.ts';
import type { LoadedConfig } from '../config/load.ts';
import type { ConfigIo } from '../config/io.ts';
import type { GatewayConfig } from '../config/model.ts';
import { formatPosition } from '../kdl/position.ts';
import type { ConfigProblem } from '../kdl/problem.ts';

/** Files of a test by path; folders are those the paths imply. */
export function memoryIo(files: Readonly<Record<string, string>>, env: ConfigIo['env'] = {}): ConfigIo {
  return {
    env,
    readFile(path) {
      const text = files[path];
      return text === undefined ? Promise.reject(new Error('no such file')) : Promise.resolve(text);
    },
    listDirectory(path) {
      const prefix = path === '.' ? '' : path.endsWith('/') ? path : `${path}/`;
      const names = new Map<string, 'file' | 'directory'>();
      for (const file of Object.keys(files)) {
        if (!file.startsWith(prefix)) continue;
        const [name, ...below] = file.slice(prefix.length).split('/');
        names.set(name!, below.length > 0 ? 'directory' : 'file');
      }
      return Promise.resolve([...names].map(([name, kind]) => ({ name, kind })));
    },
    kindOf(path) {
      if (files[path] !== undefined) return Promise.resolve(path.endsWith('.sock') ? 'socket' : 'file');
      const isFolder = Object.keys(files).some((file) => file.startsWith(`${path}/`));
      return Promise.resolve(isFolder ? 'directory' : 'missing');
    },
  };
}

/** The shortest blocks every configuration needs. */
export const frame = 'system {}\nlisteners { listener "http" { address "127.0.0.1:8080" } }\n';

/** Loads a text under the name `g.kdl`. */
export function loadText(text: string, io: ConfigIo = memoryIo({})): Promise<LoadedConfig> {
  return loadGatewayConfig({ text, name: 'g.kdl' }, io);
}

/** The configuration of a text without errors; what is missing of system and listeners is added. */
export async function configOf(text: string, io?: ConfigIo): Promise<GatewayConfig> {
  const whole = text.includes('listeners') ? text : `${text}\n${frame}`;
  const { config, problems } = await loadText(whole, io);
  if (config === undefined) throw new Error(problems.map(shortProblem).join('\n'));
  return config;
}

/** `error g.kdl:1:2: message`. */
export function shortProblem({ severity, message, position }: ConfigProblem): string {
  return `${severity} ${position === undefined ? '' : `${formatPosition(position)}: `}${message}`;
}
