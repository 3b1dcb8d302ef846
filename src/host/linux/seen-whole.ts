const LOOKS = 3;

/**
 * Whether everything is there. While a set grows, the kernel may list one of its elements twice and
 * another not at all (one listing of a thousand elements in two hundred, just after they were added), so
 * what is missing is looked for again.
 */
export async function seenWhole(look: () => Promise<boolean>): Promise<boolean> {
  for (let looks = 0; looks < LOOKS; looks++) if (await look()) return true;
  return false;
}
