// What a gateway shows of itself while its configuration changes.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { onEnd, startProgram, testFolder, waitFor } from '../../test/command/harness.ts';
import { attributesOf, startCollector } from '../telemetry/test/collector.ts';

const text = (observability: string, threads = 1): string => `
system { worker-threads ${threads} }
listeners { listener "http" { address "127.0.0.1:0" } }
routes { route "own" { matches { path-prefix "/" }; builtin-handler "health" } }
observability { metrics { address "127.0.0.1:0" }; ${observability} }`;

describe('service-name', () => {
  it.each([1, 3])(
    'of spans is the one in force when they ended, and those that wait are sent at once, with %i threads',
    async (threads) => {
      const collector = await startCollector();
      onEnd(() => collector.close());
      const tracing = (name: string): string => `
      tracing { backend "otlp" { endpoint "http://127.0.0.1:${collector.port}" }; sampling-rate 1; service-name "${name}" }`;
      // By themselves spans would not be sent within this test.
      const env = { OTEL_BSP_SCHEDULE_DELAY: '3600000' };
      const { program, ask, reload } = await startProgram(text(tracing('before'), threads), env);
      const names = () => collector.spans.map(({ resource }) => attributesOf(resource)['service.name']);
      await ask(9);
      await reload(text(tracing('after'), threads));
      await waitFor(() => expect(names()).toEqual(Array<string>(9).fill('before')));
      await ask(9);
      await program.stop();
      expect(names().slice(9)).toEqual(Array<string>(9).fill('after'));
    },
  );
});

describe('the application log', () => {
  it('has the level and the format of the configuration in force', async () => {
    const { program, said, reload } = await startProgram(text('logging { level "info"; format "json" }'));
    /** What is said when something happens that is worth an `info`. */
    const saying = async (): Promise<string> => {
      said.length = 0;
      program.reopenLogs();
      return said.join('');
    };
    expect(JSON.parse(await saying())).toMatchObject({ level: 'info', message: 'Log files were opened anew.' });
    await reload(text('logging { level "info"; format "pretty"; timestamps #false }'));
    expect(await saying()).toBe(' INFO gateway: Log files were opened anew.\n');
    await reload(text('logging { level "warn"; format "pretty" }'));
    expect(await saying()).toBe('');
    await reload(text('logging { level "info"; format "json" }'));
    expect(JSON.parse(await saying())).toHaveProperty('timestamp');
  });
});

describe('the access log', () => {
  it.each([1, 3])('is written as long as the configuration says so, with %i threads', async (threads) => {
    const folder = testFolder();
    const [first, second] = [join(folder, 'first.log'), join(folder, 'second.log')];
    const accessLog = (file: string, more = ''): string => `logging { access-log { file "${file}"; ${more} } }`;
    const lines = (file: string): string[] =>
      existsSync(file)
        ? readFileSync(file, 'utf8')
            .split('\n')
            .filter((line) => line !== '')
        : [];
    const { ask, reload } = await startProgram(text('', threads));
    await ask(6);
    await reload(text(accessLog(first), threads));
    await ask(6);
    await waitFor(() => expect(lines(first)).toHaveLength(6));
    await reload(text(accessLog(first, 'enabled #false'), threads));
    await ask(6);
    await reload(text(accessLog(second, 'format "combined"'), threads));
    await ask(6);
    await waitFor(() => expect(lines(second)).toHaveLength(6));
    expect(lines(first)).toHaveLength(6);
    expect(JSON.parse(lines(first)[0]!)).toMatchObject({ path: '/', status: 200 });
    expect(lines(second)[0]).toMatch(/^127\.0\.0\.1 - - \[.*\] "GET \/ HTTP\/1\.1" 200 /);
  });
});
