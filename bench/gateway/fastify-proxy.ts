// The well-known Node proxy: @fastify/http-proxy over undici, without log. Arguments: port of the backend.
import httpProxy from '@fastify/http-proxy';
import Fastify from 'fastify';

const fastify = Fastify({ logger: false });
await fastify.register(httpProxy, {
  upstream: `http://127.0.0.1:${process.argv[2]}`,
  undici: { connections: 128, pipelining: 1, keepAliveTimeout: 60_000 },
});
await fastify.listen({ host: '127.0.0.1', port: 0 });
const [address] = fastify.addresses();
process.send?.({ port: typeof address === 'object' ? address.port : 0 });
process.on('disconnect', () => process.exit(0));
