export { GatewayServer } from './server/gateway-server.ts';
export type { GatewayServerOptions, GatewaySnapshot, GatewayState } from './server/gateway-server.ts';
export { AgentCall, Attempt, Exchange } from './exchange.ts';
export type * from './exchange.ts';
export type * from './failure.ts';
export { blindObserver } from './observer.ts';
export type * from './observer.ts';
export type { TargetSnapshot, UpstreamSnapshot } from './upstream/upstream.ts';
