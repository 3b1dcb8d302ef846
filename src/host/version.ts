import packageJson from '../../package.json' with { type: 'json' };

/** The one version: of the CLI, the daemons, the protocol and the schedules. */
export const VERSION: string = packageJson.version;
