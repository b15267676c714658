import { fail, ok } from '@clew/base';
import type {
  ListenerConfig,
  ListenerTlsConfig,
  SniCertFolder,
  SniCertificate,
  TlsVersion,
} from '../model/listener.ts';
import type { Named } from '../model/named.ts';
import { socketAddress } from '../table/address-type.ts';
import { block } from '../table/block.ts';
import type { Block } from '../table/block.ts';
import { child, children, list, optional, required, setting } from '../table/field.ts';
import { invalid } from '../table/reader.ts';
import { duration, flag, integer, oneOf, refine, text, word } from '../table/value-type.ts';
import type { ValueType } from '../table/value-type.ts';
import { reference } from './reference.ts';
import type { Reference } from './reference.ts';

const tlsVersion: ValueType<TlsVersion> = {
  label: '"1.2" or "1.3"',
  read(value) {
    const written = String(value.value).replace(/^TLS(?:v)?/i, '');
    if (written === '1.2') return ok({ value: 'TLSv1.2' });
    if (written === '1.3') return ok({ value: 'TLSv1.3' });
    return /^1\.[01]$|^1$/.test(written) ? fail('older versions are broken and not offered') : fail(undefined);
  },
};

const serverName = refine(text, 'a server name such as "example.com" or "*.example.com"', (written) =>
  /^(?:\*\.)*[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/.test(written) ? ok(written.toLowerCase()) : fail(undefined),
);

const sni: Block<SniCertificate> = block(
  {
    hostnames: list('hostnames', serverName, { doc: 'names it serves; without them those in the certificate' }),
    priorityHostnames: list('priority-hostnames', serverName, {
      level: 'may',
      doc: 'names it serves although another certificate claims them too',
    }),
    certFile: required('cert-file', word, {
      doc: 'certificate and chain, PEM',
      example: 'cert-file "/etc/…/server.crt"',
    }),
    keyFile: required('key-file', word, {
      doc: 'key of the certificate, PEM',
      example: 'key-file "/etc/…/server.key"',
    }),
  },
  { unsupported: { acme: 'certificates from an ACME authority' } },
);

const sniCerts: Block<SniCertFolder> = block({
  certFolder: required('cert-folder', word, {
    doc: 'where certificates and keys lie',
    example: 'cert-folder "/etc/…/certs"',
  }),
  reloadMode: setting('reload-mode', oneOf(['off', 'interval', 'watch']), {
    default: 'off',
    doc: 'when the folder is read again',
  }),
  reloadIntervalMs: setting('reload-interval', duration('seconds', { min: 1 }), {
    default: '30s',
    doc: 'how often, with reload-mode "interval"',
  }),
});

const tls: Block<ListenerTlsConfig> = block(
  {
    certFile: optional('cert-file', word, { doc: 'certificate and chain, PEM; required' }),
    keyFile: optional('key-file', word, { doc: 'key of the certificate, PEM; required' }),
    caFile: optional('ca-file', word, { doc: 'authorities whose client certificates are accepted' }),
    minVersion: setting('min-version', tlsVersion, { default: '1.2', doc: 'oldest version of TLS' }),
    maxVersion: optional('max-version', tlsVersion, { doc: 'newest version of TLS' }),
    clientAuth: setting('client-auth', flag, {
      default: false,
      doc: 'whether clients must show a certificate; needs ca-file',
    }),
    ocspStapling: setting('ocsp-stapling', flag, {
      default: true,
      doc: 'pass on what the authority says about the certificate',
    }),
    sessionResumption: setting('session-resumption', flag, {
      default: true,
      doc: 'shorter handshakes for returning clients',
    }),
    cipherSuites: list('cipher-suite', word, { doc: 'cipher suites, most wanted first; repeatable' }),
    sni: children('sni', sni, { doc: 'a certificate for certain server names; repeatable' }),
    sniCerts: child('sni-certs', sniCerts, { doc: 'a folder of certificates' }),
    allowSniOverlaps: setting('allow-sni-overlaps', flag, {
      default: false,
      doc: 'whether two certificates may claim one name',
    }),
  },
  { unsupported: { acme: 'certificates from an ACME authority' } },
  ({ certFile, keyFile, ...rest }, node, reader) => {
    if (certFile === undefined || keyFile === undefined) {
      const acme = node.children.some(({ name }) => name === 'acme');
      const why = acme ? '; certificates from an ACME authority are not supported by this build' : '';
      return reader.error('missing', `cert-file and key-file are both needed${why}`, node.position);
    }
    if (rest.clientAuth && rest.caFile === undefined) {
      reader.error('missing', 'client-auth needs ca-file, the authorities to accept', node.position);
    }
    if (rest.maxVersion !== undefined && rest.maxVersion < rest.minVersion) {
      reader.error('conflict', 'max-version is older than min-version', node.position);
    }
    const claimed = new Set<string>();
    for (const { hostnames } of rest.sni) {
      for (const name of hostnames) {
        if (claimed.has(name) && !rest.allowSniOverlaps) {
          const help = 'remove one, or set allow-sni-overlaps #true to show the first';
          reader.error('conflict', `two certificates claim ${JSON.stringify(name)}`, node.position, help);
        }
        claimed.add(name);
      }
    }
    return { certFile, keyFile, ...rest };
  },
);

/** A listener whose default route has not been looked up yet. */
export type RawListener = Omit<ListenerConfig, keyof Named | 'defaultRoute'> & { readonly defaultRoute?: Reference };

/** `listener`. */
export const listener: Block<RawListener> = block(
  {
    address: required('address', socketAddress, {
      level: 'must',
      doc: 'where to listen',
      example: 'address "0.0.0.0:8080"',
    }),
    protocol: setting('protocol', oneOf(['http', 'https', 'h2', 'h3']), {
      default: 'http',
      level: 'must',
      doc: 'https = TLS, with HTTP/2 and HTTP/1.1; h2 and h3 are read as https',
    }),
    tls: child('tls', tls, { doc: 'certificates; required for https' }),
    defaultRoute: optional('default-route', reference, { doc: 'route of requests that match none' }),
    requestTimeoutMs: setting('request-timeout-secs', duration('seconds'), {
      default: 60,
      doc: 'for a whole request; 0 = no limit',
    }),
    keepaliveTimeoutMs: setting('keepalive-timeout-secs', duration('seconds'), {
      default: 75,
      doc: 'how long a client connection may idle',
    }),
    headTimeoutMs: setting('head-timeout-secs', duration('seconds', { min: 1 }), {
      default: 15,
      level: 'may',
      doc: 'how long a client may take to send the head of a request; beyond it 408',
    }),
    handshakeTimeoutMs: setting('handshake-timeout-secs', duration('seconds', { min: 1 }), {
      default: 10,
      level: 'may',
      doc: 'how long agreeing about TLS with a client may take',
    }),
    maxConcurrentStreams: setting('max-concurrent-streams', integer({ min: 1, max: 2 ** 31 - 1 }), {
      default: 100,
      level: 'may',
      doc: 'HTTP/2 requests at once on one connection',
    }),
    keepaliveMaxRequests: optional('keepalive-max-requests', integer({ min: 1 }), {
      level: 'may',
      doc: 'requests after which an HTTP/1.1 connection is closed',
    }),
  },
  { unsupported: { namespace: 'serving only the routes of a namespace' } },
  (values, node, reader) => {
    const { protocol: written, tls: certificates, ...rest } = values;
    const secure = written === 'https' || certificates !== undefined;
    if (written === 'h2' || written === 'h3') {
      const served = secure ? 'HTTP/2 and HTTP/1.1 over TLS' : 'HTTP/1.1';
      reader.warn(
        'unsupported',
        `protocol ${JSON.stringify(written)} is not supported; the listener serves ${served}`,
        node.position,
      );
    }
    if (written === 'https' && certificates === undefined) {
      // A tls block with mistakes has been reported on its own.
      const help = 'add: tls { cert-file "/etc/…/server.crt"; key-file "/etc/…/server.key" }';
      return reader.error('missing', 'protocol "https" needs a tls block', node.position, help);
    }
    if (written === 'http' && certificates !== undefined) {
      reader.error(
        'conflict',
        'a tls block and protocol "http" contradict each other',
        node.position,
        'write: protocol "https"',
      );
      return invalid;
    }
    return {
      ...rest,
      protocol: secure ? 'https' : 'http',
      ...(certificates === undefined ? {} : { tls: certificates }),
    };
  },
);
