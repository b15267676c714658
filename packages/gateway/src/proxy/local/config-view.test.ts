import { describe, expect, it } from 'vitest';
import { onEnd, proxyConfig, send, startGateway } from '../../../test/proxy/harness.ts';
import { removeSocketPaths, socketPath } from '../../../test/agents/script.ts';
import { configView } from './config-view.ts';

/** Every place of a configuration that can hold a secret holds this one. */
const SECRET = 'hunter2';

const text = (agent: string): string => `
  listeners {
    listener "http" { address "127.0.0.1:0" }
    listener "tls" { address "127.0.0.1:1"; protocol "https"; tls { cert-file "/c.pem"; key-file "/${SECRET}.key" } }
  }
  routes {
    route "config" { matches { path "/config" }; builtin-handler "config" }
    route "api" {
      matches { path-prefix "/api/"; header "X-Key" "${SECRET}"; query-param "token" "${SECRET}" }
      upstream "u"
      agents "a"
      filters "h" "rewrite"
      policies { request-headers { set { Authorization "${SECRET}" }; add { X-Key "${SECRET}" } } }
    }
  }
  upstreams {
    upstream "u" {
      target "127.0.0.1:1"
      tls { client-cert "/c.pem"; client-key "/${SECRET}.key" }
      health-check { type "http" { path "/health" } }
    }
  }
  agents { agent "h" { http "https://h.test/agent?token=${SECRET}" }
    agent "a" { unix-socket "${agent}"; config { password "${SECRET}" } } }
  filters {
    filter "h" { type "headers"; set { Cookie "${SECRET}" } }
    filter "rewrite" { type "url-rewrite"; replace-full-path "/x" }
  }
  limits { max-body-size "1MB" }
  observability {
    tracing { backend "otlp" { endpoint "http://user:${SECRET}@127.0.0.1:1"; headers { Authorization "${SECRET}" } } }
  }`;

describe('the configuration as it is shown', () => {
  it('has no secret in it, wherever one was written', async () => {
    const config = await proxyConfig(text('/tmp/a.sock'));
    expect(JSON.stringify([config, [...config.upstreams.values()], [...config.agents.values()]])).toContain(SECRET);
    expect(JSON.stringify(configView(config))).not.toContain(SECRET);
  });

  it('hides credentials in every address', () => {
    const redirect = { id: 'r', settings: { type: 'redirect', hostname: `https://me:${SECRET}@example.test/x` } };
    const shown = configView({ filters: new Map([['r', redirect]]) } as never);
    expect(shown).toMatchObject({ filters: [{ settings: { hostname: 'https://[hidden]@example.test/x' } }] });
  });

  it('shows everything else, with the defaults filled in', async () => {
    const config = await proxyConfig(text('/tmp/a.sock'));
    expect(configView(config)).toMatchObject({
      server: { worker_threads: 0, trace_id_format: 'tinyflake' },
      listeners: [
        { id: 'http', address: { host: '127.0.0.1', port: 0 }, keepalive_timeout_ms: 75_000 },
        { id: 'tls', tls: { cert_file: '/c.pem', key_file: '[hidden]' } },
      ],
      routes: [
        { id: 'config', destination: { kind: 'builtin', handler: 'config' } },
        {
          id: 'api',
          conditions: { headers: [{ name: 'x-key', value: '[hidden]' }] },
          policies: { request_headers: { set: [{ name: 'Authorization', value: '[hidden]' }] } },
        },
      ],
      upstreams: [
        {
          id: 'u',
          load_balancing: 'round_robin',
          health_check: { probe: { path: '/health' }, timeout_ms: 5000 },
        },
      ],
      agents: [
        { id: 'h', transport: { address: 'https://h.test/agent?[hidden]' } },
        { id: 'a', transport: { path: '/tmp/a.sock' }, config: '[hidden]' },
      ],
      filters: [{ id: 'h' }, { id: 'rewrite' }],
      waf: null,
      limits: { max_body_bytes: 1_048_576 },
    });
  });

  it('is what the builtin handler answers, and after a reload the new one', async () => {
    onEnd(removeSocketPaths);
    const routes = (id: string): string =>
      `routes { route "config" { matches { path "/config" }; builtin-handler "config" }
                route "${id}" { matches { path "/x" }; builtin-handler "health" } }
       agents { agent "a" { unix-socket "${socketPath()}" } }`;
    const gateway = await startGateway(routes('before'));
    const ids = async (): Promise<unknown> => {
      const { status, headers, body } = await send(gateway, '/config');
      expect(status).toBe(200);
      const shown = JSON.parse(body) as { request_id: string; timestamp: string; config: { routes: { id: string }[] } };
      expect(shown.request_id).toBe(headers['x-request-id']);
      expect(Date.parse(shown.timestamp)).toBeGreaterThan(0);
      return shown.config.routes.map(({ id }) => id);
    };
    expect(await ids()).toEqual(['config', 'before']);
    gateway.server.reload(await proxyConfig(routes('after')));
    expect(await ids()).toEqual(['config', 'after']);
  });
});
