/**
 * The entry of another thread of the gateway. All it does is to let Node keep compiled sources, which is set for each thread and has to
 * happen before they are loaded.
 */
import module from 'node:module';

module.enableCompileCache();
await import('./thread-main.ts');
