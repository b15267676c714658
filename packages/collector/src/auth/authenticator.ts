import type { Authenticate } from '@clew/net';
import type { Component, Host } from '@clew/pipeline';
import { CollectorError } from '../errors.ts';

/** An extension that checks the credentials of requests (`auth: {authenticator: ID}` of a server). */
export interface ServerAuthenticator extends Component {
  readonly authenticate: Authenticate;
}

function isServerAuthenticator(component: Component): component is ServerAuthenticator {
  return typeof (component as Partial<ServerAuthenticator>).authenticate === 'function';
}

/** The check of the extension with `id`; fails with `authenticator_missing` in the reference's words. */
export function resolveAuthenticator(host: Host, id: string): Authenticate {
  const extension = host.extension(id);
  if (extension === undefined) {
    throw new CollectorError(
      'authenticator_missing',
      `failed to resolve authenticator "${id}": authenticator not found`,
    );
  }
  if (!isServerAuthenticator(extension)) {
    throw new CollectorError(
      'authenticator_missing',
      `failed to resolve authenticator "${id}": the extension does not authenticate servers`,
    );
  }
  return extension.authenticate;
}
