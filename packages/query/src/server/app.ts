import swagger from '@fastify/swagger';
import fastify from 'fastify';
import type { FastifyInstance } from 'fastify';
import { compressAnswers } from './compress.ts';

/** Largest request body the query APIs read: uploads of traces to transform. */
const maxBodyBytes = 64 * 1024 * 1024;

/** An HTTP application without a socket of its own: the shared listener hands requests to `app.routing`. */
export async function createApp(version: string): Promise<FastifyInstance> {
  const app = fastify({
    bodyLimit: maxBodyBytes,
    logger: false,
    // Jaeger's routes hold service names with slashes and percent signs in one parameter.
    routerOptions: { maxParamLength: 4096 },
    exposeHeadRoutes: false,
  });
  // Schemas document; reading and writing are the routes' own.
  app.setValidatorCompiler(() => () => true);
  app.setSerializerCompiler(() => JSON.stringify);
  compressAnswers(app);
  await app.register(swagger, {
    hideUntagged: true,
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Clew', description: 'Traces: the Jaeger query API and the Clew API.', version },
    },
  });
  return app;
}
