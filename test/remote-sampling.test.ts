// Unmodified clients that ask how much to sample: they follow a strategies file while it changes, and adaptive sampling steers them to its
// target.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GrpcClient } from '@clew/net';
import { launchClew } from '@clew/testkit';
import type { LaunchedClew } from '@clew/testkit';
import { decodeSamplingStrategy, encodeSamplingRequest, samplingManagerService } from '@clew/wire/jaeger';
import { startProcess, until } from './support/clew.ts';
import type { RunningCommand } from './support/clew.ts';

const folder = fileURLToPath(new URL('clients/remote-sampled/', import.meta.url));

interface Counts {
  readonly sent: number;
  readonly sampled: number;
}

/** A running program that sends roots, and what it said of the last 200 ms. */
class Fleet {
  readonly #command: RunningCommand;

  constructor(
    program: 'jaeger' | 'otel',
    clew: LaunchedClew,
    options: {
      readonly service: string;
      readonly rates: object;
      readonly samplingPort?: number;
      readonly path?: string;
    },
  ) {
    this.#command = startProcess(process.execPath, [join(folder, `${program}.cjs`)], {
      env: {
        SERVICE: options.service,
        FLEET: JSON.stringify(options.rates),
        SAMPLING_PORT: String(options.samplingPort ?? clew.ports.samplingHttp),
        SAMPLING_PATH: options.path ?? '/sampling',
        AGENT_PORT: String(clew.ports.jaegerCompact),
        OTLP_PORT: String(clew.ports.http),
      },
    });
  }

  /** Shares of the roots of an operation that were sampled, by window of 200 ms, oldest first. */
  shares(operation: string): number[] {
    const { stdout, stderr } = this.#command.output;
    expect(stderr).toBe('');
    return stdout
      .split('\n')
      .slice(0, -1)
      .map((line) => (JSON.parse(line) as Record<string, Counts>)[operation]!)
      .filter(({ sent }) => sent > 0)
      .map(({ sent, sampled }) => sampled / sent);
  }

  /** Waits until the last three windows are as told. */
  async settles(what: string, operation: string, holds: (share: number) => boolean): Promise<void> {
    await until(what, async () => {
      const last = this.shares(operation).slice(-3);
      return last.length === 3 && last.every(holds) ? true : undefined;
    });
  }

  async stop(): Promise<void> {
    this.#command.process.kill('SIGTERM');
    await this.#command.ended;
  }
}

const all = (share: number): boolean => share === 1;
const none = (share: number): boolean => share === 0;

describe('clients follow a strategies file while it changes', () => {
  const path = join(tmpdir(), `clew-strategies-${process.pid}.json`);
  const operation = (name: string, param: number) => ({ operation: name, type: 'probabilistic', param });
  const put = (strategies: object): void => writeFileSync(path, JSON.stringify(strategies));
  let clew: LaunchedClew;

  beforeAll(async () => {
    put({ default_strategy: { type: 'probabilistic', param: 1 } });
    clew = await launchClew({
      args: [
        '--set',
        `extensions.remote_sampling.file.path=${path}`,
        '--set',
        'extensions.remote_sampling.file.reload_interval=50ms',
      ],
    });
  });
  afterAll(async () => {
    await clew.close();
    rmSync(path, { force: true });
  });

  const programs = [
    { name: 'jaeger-client on 5778', program: 'jaeger', port: 'samplingHttp', path: '/sampling' },
    { name: 'jaeger-client on 14268', program: 'jaeger', port: 'jaegerHttp', path: '/api/sampling' },
    { name: 'the jaeger_remote sampler of OpenTelemetry', program: 'otel', port: 'samplingHttp', path: '' },
  ] as const;

  it.each(programs)('$name', async ({ name, program, port, path: samplingPath }) => {
    put({ default_strategy: { type: 'probabilistic', param: 1 } });
    const rates = { buy: 200, look: 200 };
    const fleet = new Fleet(program, clew, {
      service: name,
      rates,
      samplingPort: clew.ports[port],
      path: samplingPath,
    });
    try {
      await fleet.settles('everything sampled', 'buy', all);
      put({ default_strategy: { type: 'probabilistic', param: 0 } });
      await fleet.settles('nothing sampled', 'buy', none);
      put({
        service_strategies: [
          { service: name, type: 'probabilistic', param: 0, operation_strategies: [operation('look', 1)] },
        ],
        default_strategy: { type: 'probabilistic', param: 1 },
      });
      await fleet.settles('one operation sampled', 'look', all);
      await fleet.settles('the other not', 'buy', none);
      put({ service_strategies: 'nonsense' });
      await until('the failure to be noticed', async () => {
        const state = await samplingState(clew);
        return typeof state.provider.failure === 'string' ? true : undefined;
      });
      await fleet.settles('nothing changed', 'look', all);
    } finally {
      await fleet.stop();
    }
  });

  it('on every port and path where any client asks', async () => {
    put({ default_strategy: { type: 'ratelimiting', param: 7 } });
    const { samplingHttp, samplingGrpc, jaegerHttp, jaegerGrpc } = clew.ports;
    const text = async (port: number, path: string) => (await fetch(`http://127.0.0.1:${port}${path}`)).text();
    const named = '{"strategyType":"RATE_LIMITING","rateLimitingSampling":{"maxTracesPerSecond":7}}';
    const numbered =
      '{"strategyType":1,"probabilisticSampling":null,"rateLimitingSampling":{"maxTracesPerSecond":7},"operationSampling":null}';
    await until('the file in force', async () =>
      (await text(samplingHttp, '/sampling?service=x')) === named ? true : undefined,
    );
    expect(await text(samplingHttp, '/api/sampling?service=x')).toBe(named);
    expect(await text(jaegerHttp, '/sampling?service=x')).toBe(named);
    expect(await text(jaegerHttp, '/api/sampling?service=x')).toBe(named);
    expect(await text(samplingHttp, '/?service=x')).toBe(numbered);
    expect(await text(jaegerHttp, '/?service=x')).toBe(numbered);
    expect(await text(samplingHttp, '/baggageRestrictions?service=x')).toBe('[]');
    expect(await text(jaegerHttp, '/')).toContain('"status":"Server available"');
    for (const port of [samplingGrpc, jaegerGrpc]) {
      const client = new GrpcClient({ endpoint: `http://127.0.0.1:${port}` });
      const path = `/${samplingManagerService}/GetSamplingStrategy`;
      const reply = decodeSamplingStrategy(await client.unary(path, encodeSamplingRequest('x')));
      expect(reply).toEqual({ strategyType: 'RATE_LIMITING', rateLimitingSampling: { maxTracesPerSecond: 7 } });
      await client.close();
    }
  });

  it('and are listed with what they were told', async () => {
    const { pollers } = await samplingState(clew);
    expect(pollers.map(({ service }) => service)).toEqual(expect.arrayContaining(programs.map(({ name }) => name)));
    expect(pollers.find(({ service }) => service === programs[0].name)!.polls).toBeGreaterThan(3);
  });
});

describe('adaptive sampling', () => {
  let clew: LaunchedClew;

  const adaptive = {
    target_samples_per_second: 20,
    initial_sampling_probability: 0.5,
    calculation_interval: '2s',
    calculation_delay: '2s',
  };
  beforeAll(async () => {
    clew = await launchClew({
      args: Object.entries(adaptive).flatMap(([name, value]) => [
        '--set',
        `extensions.remote_sampling.adaptive.${name}=${value}`,
      ]),
    });
  });
  afterAll(() => clew.close());

  it.each([
    ['jaeger-client, whose roots say how they were sampled', 'jaeger'],
    ['the jaeger_remote sampler of OpenTelemetry, whose roots say nothing', 'otel'],
  ] as const)(
    'steers %s, each operation to the target',
    async (_, program) => {
      const service = `shop of ${program}`;
      const fleet = new Fleet(program, clew, { service, rates: { buy: 200, look: 30 } });
      try {
        const reached = async () => {
          const rates = await ratesOf(clew, service);
          const { buy = 0, look = 0 } = rates;
          // 20 of 200 and of 30 a second, give or take the tolerance and the luck of counting.
          return buy > 0.05 && buy < 0.2 && look > 0.4 ? rates : undefined;
        };
        await until('both operations near their target', reached, 90_000);
        await until(
          'the service following it',
          async () => {
            const shares = fleet.shares('buy').slice(-10);
            const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
            return mean > 0.03 && mean < 0.25 ? true : undefined;
          },
          30_000,
        );
      } finally {
        await fleet.stop();
      }
    },
    180_000,
  );
});

interface SamplingState {
  readonly provider: { readonly failure?: string | null };
  readonly pollers: readonly { readonly service: string; readonly polls: number }[];
}

/** What the program shows of remote sampling. */
async function samplingState(clew: LaunchedClew): Promise<SamplingState> {
  const response = await fetch(`${clew.queryUrl}/debug/graph`);
  const { nodes } = (await response.json()) as { nodes: { id: string; details: SamplingState }[] };
  return nodes.find(({ id }) => id === 'remote_sampling')!.details;
}

/** Probabilities by operation, as a client is told them. */
async function ratesOf(clew: LaunchedClew, service: string): Promise<Record<string, number>> {
  const url = `http://127.0.0.1:${clew.ports.samplingHttp}/sampling?service=${encodeURIComponent(service)}`;
  const { operationSampling } = (await (await fetch(url)).json()) as {
    operationSampling: {
      perOperationStrategies: { operation: string; probabilisticSampling: { samplingRate: number } }[];
    };
  };
  return Object.fromEntries(
    operationSampling.perOperationStrategies.map((each) => [each.operation, each.probabilisticSampling.samplingRate]),
  );
}
