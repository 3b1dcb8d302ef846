import koffi from 'koffi';
import { withoutSignals } from '../libc.ts';

/** NFT_CTX_OUTPUT_JSON in <nftables/libnftables.h>. */
const OUTPUT_JSON = 1 << 4;

/** What one run of commands said. */
export interface NftRun {
  ok: boolean;
  output: string;
  error: string;
}

/** libnftables in this process (libnftables(3)): half a millisecond a change, where a spawn takes ten. */
export interface LibNftables {
  /** Runs commands as one transaction. @param json listings as JSON. */
  run(commands: string, json: boolean): NftRun;
}

/**
 * Loads the library and opens a context in the network namespace of this process.
 * @returns undefined where the library is not installed.
 */
export function openLibNftables(): LibNftables | undefined {
  const library = loadLibrary();
  if (!library) return undefined;
  const create = library.func('nft_ctx_new', 'void *', ['uint32']);
  const bufferOutput = library.func('nft_ctx_buffer_output', 'int', ['void *']);
  const bufferError = library.func('nft_ctx_buffer_error', 'int', ['void *']);
  const setFlags = library.func('nft_ctx_output_set_flags', 'void', ['void *', 'uint']);
  const output = library.func('nft_ctx_get_output_buffer', 'str', ['void *']);
  const error = library.func('nft_ctx_get_error_buffer', 'str', ['void *']);
  const runBuffer = library.func('nft_run_cmd_from_buffer', 'int', ['void *', 'str']);
  const context: unknown = create(0);
  if (context === null || bufferOutput(context) !== 0 || bufferError(context) !== 0) {
    return undefined;
  }
  return {
    run(commands, json) {
      setFlags(context, json ? OUTPUT_JSON : 0);
      // It takes a signal, as of a child that ends, for an error of the kernel's, though all is done.
      const code = withoutSignals(() => Number(runBuffer(context, commands)));
      return { ok: code === 0, output: String(output(context)), error: String(error(context)) };
    },
  };
}

function loadLibrary(): ReturnType<typeof koffi.load> | undefined {
  try {
    return koffi.load('libnftables.so.1');
  } catch {
    // Not installed: the caller has another way.
    return undefined;
  }
}
