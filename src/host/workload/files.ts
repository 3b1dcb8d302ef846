/** The files of a workload's directory. */
export const FILES = {
  spec: 'spec.json',
  process: 'process.json',
  status: 'status.json',
  history: 'history.jsonl',
  series: 'series.jsonl',
  commands: 'commands.jsonl',
  log: 'process.log',
} as const;
