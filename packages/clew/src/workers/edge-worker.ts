/**
 * The entry of an edge worker's thread. All it does is to let Node keep compiled sources, which is set for each thread and has to happen
 * before they are loaded: a worker is then ready in half the time.
 */
import module from 'node:module';

module.enableCompileCache();
await import('./worker-main.ts');
