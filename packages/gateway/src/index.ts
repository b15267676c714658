export { loadGatewayConfig } from './config/load.ts';
export type { ConfigSource, LoadedConfig } from './config/load.ts';
export {
  checkAgentSockets,
  checkCertificates,
  checkNetwork,
  checkStaticFiles,
  connectTimeoutMs,
} from './config/checks.ts';
export type { ConnectProbe } from './config/checks.ts';
export { nodeConnectProbe } from './config/connect-probe.ts';
export { configPath, configPathVariables } from './config/config-path.ts';
export { lintGatewayConfig } from './config/lint/lint.ts';
export { checkReport, countsOf, exitCodes, formatProblem, formatProblems, testReport } from './config/report.ts';
export type { CommandReport } from './config/report.ts';
export { gatewayReference, gatewaySettings } from './config/reference.ts';
export type { ConfigIo, DirectoryEntry, FileKind } from './config/io.ts';
export { nodeConfigIo } from './config/node-io.ts';
export type * from './config/model.ts';
export type * from './config/model/agent.ts';
export type * from './config/model/filter.ts';
export type * from './config/model/listener.ts';
export type * from './config/model/observability.ts';
export type * from './config/model/named.ts';
export type * from './config/model/route.ts';
export type * from './config/model/system.ts';
export type * from './config/model/upstream.ts';
export { formatPosition } from './kdl/position.ts';
export type { SourcePosition } from './kdl/position.ts';
export type { ConfigProblem, LintCode, ProblemCode } from './kdl/problem.ts';
export { RouteMatcher, rankRoutes } from './routing/matcher.ts';
export type { MatcherOptions, RouteMatch } from './routing/matcher.ts';
export { normalizeHost, splitRequestTarget } from './routing/request.ts';
export type { RequestTarget, RoutableRequest } from './routing/request.ts';
export { compareConfigs, effectiveConfig } from './config/changes.ts';
export type { ConfigChanges, ItemChanges } from './config/changes.ts';
export { lintCommand, prepareGatewayConfig, testCommand, validateCommand } from './config/commands.ts';
export type { ValidateOptions } from './config/commands.ts';
export { GatewayError } from './errors.ts';
export type { AgentErrorCode, AttemptErrorCode, GatewayErrorCode } from './errors.ts';
export { GatewayProgram } from './command/gateway-program.ts';
export type { GatewayAddress, GatewayProgramOptions } from './command/gateway-program.ts';
export { followSignals, gatewayCommand } from './command/run.ts';
export type { GatewayAction, GatewayCall, GatewayCommandIo } from './command/run.ts';
