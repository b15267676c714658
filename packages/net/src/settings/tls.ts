import { z } from 'zod';
import type { TlsClientSettings, TlsServerSettings } from '../tls/settings.ts';
import { compact, durationMs, secretText } from './fields.ts';

const version = z.enum(['1.0', '1.1', '1.2', '1.3']);

/** An empty version means the default, as the reference has it. */
const optionalVersion = z.union([version, z.literal('')], {
  error: 'unsupported TLS version: use 1.0, 1.1, 1.2 or 1.3',
});

const commonShape = {
  ca_file: z.string().optional(),
  ca_pem: secretText().optional(),
  include_system_ca_certs_pool: z.boolean().prefault(false),
  cert_file: z.string().optional(),
  cert_pem: secretText().optional(),
  key_file: z.string().optional(),
  key_pem: secretText().optional(),
  min_version: optionalVersion.prefault('1.2'),
  max_version: optionalVersion.prefault(''),
  cipher_suites: z.array(z.string()).optional(),
  curve_preferences: z.array(z.string()).optional(),
  reload_interval: durationMs().prefault('0s'),
};

type Common = z.output<z.ZodObject<typeof commonShape>>;

function checkPairs(settings: Common, context: z.core.$RefinementCtx): void {
  for (const [file, pem, name] of [
    [settings.ca_file, settings.ca_pem, 'ca'],
    [settings.cert_file, settings.cert_pem, 'cert'],
    [settings.key_file, settings.key_pem, 'key'],
  ] as const) {
    if (file && pem)
      context.addIssue({ code: 'custom', message: `provide either ${name}_file or ${name}_pem, not both` });
  }
  const hasCert = Boolean(settings.cert_file || settings.cert_pem);
  const hasKey = Boolean(settings.key_file || settings.key_pem);
  if (hasCert !== hasKey) {
    context.addIssue({ code: 'custom', message: 'for a certificate provide both its certificate and its key' });
  }
  if (settings.max_version !== '' && settings.min_version > settings.max_version) {
    context.addIssue({ code: 'custom', message: 'min_version cannot be greater than max_version' });
  }
}

/** The `tls` block of servers; its presence switches TLS on. */
export const tlsServerSchema = z
  .strictObject({
    ...commonShape,
    client_ca_file: z.string().optional(),
    client_ca_file_reload: z.boolean().prefault(false),
  })
  .superRefine(checkPairs)
  .transform((parsed): TlsServerSettings => ({
    ...fromCommon(parsed),
    ...compact({ clientCaFile: parsed.client_ca_file }),
    clientCaFileReload: parsed.client_ca_file_reload,
  }));

/** The `tls` block of clients; TLS is on unless `insecure`. */
export const tlsClientSchema = z
  .strictObject({
    ...commonShape,
    insecure: z.boolean().prefault(false),
    insecure_skip_verify: z.boolean().prefault(false),
    server_name_override: z.string().optional(),
  })
  .superRefine(checkPairs)
  .transform((parsed): TlsClientSettings => ({
    ...fromCommon(parsed),
    insecure: parsed.insecure,
    insecureSkipVerify: parsed.insecure_skip_verify,
    ...compact({ serverNameOverride: parsed.server_name_override }),
  }));

function fromCommon(parsed: Common): TlsServerSettings {
  return compact({
    caFile: parsed.ca_file,
    caPem: parsed.ca_pem,
    includeSystemCaCertsPool: parsed.include_system_ca_certs_pool,
    certFile: parsed.cert_file,
    certPem: parsed.cert_pem,
    keyFile: parsed.key_file,
    keyPem: parsed.key_pem,
    minVersion: parsed.min_version || undefined,
    maxVersion: parsed.max_version || undefined,
    cipherSuites: parsed.cipher_suites,
    curvePreferences: parsed.curve_preferences,
    reloadIntervalMs: parsed.reload_interval,
  });
}
