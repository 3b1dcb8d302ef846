import { kibosh } from '../cli/kibosh.ts';
import { reasonOf } from '../core/base/failure.ts';

try {
  process.exitCode = await kibosh(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`kibosh: ${reasonOf(error)}\n`);
  process.exitCode = 1;
}
