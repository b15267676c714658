import { readFileSync } from 'node:fs';
import { rootCertificates } from 'node:tls';
import * as tls from 'node:tls';
import type { SecureContextOptions } from 'node:tls';
import { NetError } from '../errors.ts';
import type { TlsCommonSettings, TlsVersion } from './settings.ts';

const versions: Readonly<Record<TlsVersion, tls.SecureVersion>> = {
  '1.0': 'TLSv1',
  '1.1': 'TLSv1.1',
  '1.2': 'TLSv1.2',
  '1.3': 'TLSv1.3',
};

/** IANA names of curves as configuration writes them, and what OpenSSL calls them. */
const curves: Readonly<Record<string, string>> = {
  X25519: 'X25519',
  P256: 'prime256v1',
  P384: 'secp384r1',
  P521: 'secp521r1',
  X25519MLKEM768: 'X25519MLKEM768',
};

/**
 * Reads the files both ends use and turns settings into Node's options. Fails with `tls_config`, naming the setting.
 */
export function readTlsMaterials(settings: TlsCommonSettings): SecureContextOptions {
  const cert = oneOf('cert', settings.certFile, settings.certPem);
  const key = oneOf('key', settings.keyFile, settings.keyPem);
  if ((cert === undefined) !== (key === undefined)) {
    const [given, missing] = cert === undefined ? ['key', 'cert'] : ['cert', 'key'];
    throw tlsError(`${given} is given without ${missing}: for a certificate provide both ${given} and ${missing}`);
  }
  const ca = authorities(settings);
  const { minVersion = '1.2', maxVersion = '1.3' } = settings;
  if (minVersion > maxVersion) throw tlsError(`min_version ${minVersion} is above max_version ${maxVersion}`);
  return {
    minVersion: versions[minVersion],
    maxVersion: versions[maxVersion],
    ...(cert === undefined ? {} : { cert, key }),
    ...(ca === undefined ? {} : { ca }),
    ...(settings.cipherSuites?.length ? { ciphers: cipherList(settings.cipherSuites) } : {}),
    ...(settings.curvePreferences?.length ? { ecdhCurve: settings.curvePreferences.map(curveName).join(':') } : {}),
  };
}

function authorities(settings: TlsCommonSettings): string[] | undefined {
  const own = oneOf('ca', settings.caFile, settings.caPem);
  if (own === undefined) return undefined;
  return settings.includeSystemCaCertsPool ? [own, ...systemAuthorities()] : [own];
}

function systemAuthorities(): readonly string[] {
  // Node 22.15 and later can read the system's own pool; before that there are only the roots Node ships.
  return typeof tls.getCACertificates === 'function' ? tls.getCACertificates('system') : rootCertificates;
}

function oneOf(name: string, file: string | undefined, pem: string | undefined): string | undefined {
  if (file && pem) throw tlsError(`${name}_file and ${name}_pem exclude each other: give one of them`);
  return file ? readPem(`${name}_file`, file) : pem || undefined;
}

/** Reads a PEM file that a setting names. Fails with `tls_config`. */
export function readPem(setting: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw tlsError(`${setting} cannot be read: ${why}`, cause);
  }
}

function curveName(name: string): string {
  const known = curves[name];
  if (!known) throw tlsError(`curve_preferences: ${name} is none of ${Object.keys(curves).join(', ')}`);
  return known;
}

/** OpenSSL's names pass; IANA's (`TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256`) are turned into them. */
function cipherList(names: readonly string[]): string {
  return names.map(cipherName).join(':');
}

function cipherName(name: string): string {
  const match = /^TLS_(ECDHE_RSA|ECDHE_ECDSA|DHE_RSA|RSA)_WITH_(.+)$/.exec(name);
  if (!match) return name; // TLS 1.3 suites have one name for everybody.
  const exchange = match[1] === 'RSA' ? [] : [(match[1] ?? '').replace('_', '-')];
  const cipher = (match[2] ?? '')
    .replace(/^AES_(128|256)_CBC_SHA/, 'AES$1-SHA')
    .replace(/^AES_(128|256)_GCM/, 'AES$1-GCM')
    .replace(/^CHACHA20_POLY1305_SHA256$/, 'CHACHA20-POLY1305')
    .replaceAll('_', '-');
  return [...exchange, cipher].join('-');
}

/** An error of configuration. */
export function tlsError(why: string, cause?: unknown): NetError {
  return new NetError('tls_config', `cannot set up TLS: ${why}`, { cause });
}
