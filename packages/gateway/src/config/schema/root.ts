import { fail, ok } from '@clew/base';
import type { ObservabilityConfig } from '../model/observability.ts';
import type { LimitsConfig, RateLimitsConfig, SystemConfig } from '../model/system.ts';
import type { AgentConfig } from '../model/agent.ts';
import type { Named } from '../model/named.ts';
import type { UpstreamConfig } from '../model/upstream.ts';
import { block } from '../table/block.ts';
import type { Block } from '../table/block.ts';
import { named } from '../table/collections.ts';
import type { NamedItems, WithId } from '../table/collections.ts';
import { child, section, setting, tolerant } from '../table/field.ts';
import type { ValueType } from '../table/value-type.ts';
import { agent } from './agent.ts';
import { filter } from './filter.ts';
import type { RawFilter } from './filter.ts';
import { listener } from './listener.ts';
import type { RawListener } from './listener.ts';
import { observability } from './observability.ts';
import { route } from './route.ts';
import type { RawRoute } from './route.ts';
import { limits, rateLimits, system } from './system.ts';
import { upstream } from './upstream.ts';

/** Everything a configuration says, before names are looked up. */
export interface RawConfig {
  readonly schemaVersion: string;
  readonly system?: SystemConfig;
  readonly listeners: NamedItems<WithId<RawListener>>;
  readonly routes: NamedItems<WithId<RawRoute>>;
  readonly upstreams: NamedItems<WithId<Omit<UpstreamConfig, keyof Named>>>;
  readonly agents: NamedItems<WithId<Omit<AgentConfig, keyof Named>>>;
  readonly filters: NamedItems<WithId<RawFilter>>;
  readonly limits: LimitsConfig;
  readonly rateLimits?: RateLimitsConfig;
  readonly observability: ObservabilityConfig;
}

/** The version of the language this build knows. */
const supportedSchemaVersion = '1.0';

const schemaVersion: ValueType<string> = {
  label: 'a version such as "1.0"',
  read(value) {
    // `1.0` without quotes is the number one; how it was written tells.
    const written = typeof value.value === 'number' ? value.text : value.value;
    const match = typeof written === 'string' ? /^(\d{1,9})\.(\d{1,9})$/.exec(written) : null;
    if (match === null) return fail(undefined);
    const [major, minor] = [Number(match[1]), Number(match[2])];
    if (major < 1) return fail(`the oldest version is "${supportedSchemaVersion}"`);
    if (major === 1 && minor === 0) return ok({ value: match[0] });
    const message = `${match[0]} is newer than ${supportedSchemaVersion}, which this build knows; what it added is not understood`;
    return ok({ value: match[0], warning: { code: 'unsupported', message } });
  },
};

/** What a file without them is told to add. */
const minimalExample = `system {
    worker-threads 0
}

listeners {
    listener "http" {
        address "0.0.0.0:8080"
    }
}`;

/** The top level of a configuration. `include` is resolved before. */
export const root: Block<RawConfig> = block(
  {
    schemaVersion: setting('schema-version', schemaVersion, {
      default: supportedSchemaVersion,
      aliases: ['version'],
      doc: 'version of the language',
    }),
    system: tolerant(
      child('system', system, { level: 'must', deprecated: ['server'], doc: 'the process as a whole; required' }),
    ),
    listeners: named('listeners', 'listener', listener, { level: 'must', doc: 'where clients connect; required' }),
    routes: named('routes', 'route', route, { level: 'must', doc: 'which request goes where' }),
    upstreams: named('upstreams', 'upstream', upstream, { level: 'must', doc: 'servers behind the gateway' }),
    agents: named('agents', 'agent', agent, { level: 'must', doc: 'processes that decide about requests' }),
    filters: named('filters', 'filter', filter, { doc: 'what happens to requests on their way' }),
    limits: section('limits', limits, { doc: 'bounds on what clients and agents send' }),
    rateLimits: tolerant(child('rate-limits', rateLimits, { doc: 'how many requests are taken' })),
    observability: section('observability', observability, { level: 'must', doc: 'spans, logs and metrics' }),
  },
  {
    noun: 'block',
    elsewhere: ['include'],
    unknown: 'error',
    unsupported: {
      cache: 'remembered answers',
      waf: 'a web application firewall; use an agent',
      namespace: 'configurations of their own for parts of an organisation',
    },
  },
  (values, node, reader) => {
    const present = (name: string) => node.children.some((inner) => inner.name === name);
    if (!present('system') && !present('server')) {
      reader.error(
        'missing',
        'there is no system block',
        node.position,
        `a minimal configuration begins:\n${minimalExample}`,
      );
    }
    // Listeners with mistakes have been reported; they are not missing.
    if (!node.children.some(({ name, children }) => name === 'listeners' && children.length > 0)) {
      const what = present('listeners') ? 'listeners holds no listener' : 'there is no listeners block';
      reader.error('missing', what, node.position, `a minimal configuration begins:\n${minimalExample}`);
    }
    return values;
  },
);
