/** Environment variables that name the configuration, first found first. The second is that of the original. */
export const configPathVariables = ['CLEW_GATEWAY_CONFIG', 'ZENTINEL_CONFIG'] as const;

/** The file to load: the one of the command line, else of the environment; undefined when neither names one. */
export function configPath(
  option: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const named = [option, ...configPathVariables.map((name) => env[name])];
  return named.find((path) => path !== undefined && path !== '');
}
