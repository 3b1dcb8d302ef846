import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { webBundle } from './report/bundle.ts';
import { page } from './report/page.ts';
import { reportData, type ReportInput } from './report/report-data.ts';

export type { ReportInput } from './report/report-data.ts';

/**
 * Writes report.html: one file with the run's data in it, that opens with no network.
 * @returns its path.
 * @throws Failure 'web-build' where the page can't be built.
 */
export async function writeReport(input: ReportInput & { outDir: string }): Promise<string> {
  const bundle = await webBundle('src/web/report/main.ts');
  const data = reportData(input);
  const word = data.verdict?.verdict ?? input.run.phase;
  const title = `${word}: ${input.run.scenario.name}, seed ${input.run.seed}`;
  await mkdir(input.outDir, { recursive: true });
  const file = path.join(input.outDir, 'report.html');
  await writeFile(file, page(title, bundle, data));
  return file;
}
