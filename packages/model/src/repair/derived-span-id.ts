/**
 * A span id (16 hexadecimal digits, never zero) made from a text: the same for the same text and attempt in every process. Two mixes of
 * 32 bits, which is enough to tell the spans of one trace apart; whoever needs certainty tries the next attempt.
 */
export function derivedSpanId(text: string, attempt: number): string {
  const high = mixed(text, 0x811c9dc5 ^ attempt);
  const low = mixed(text, 0x9e3779b9 + attempt) | 1;
  return hexWord(high) + hexWord(low);
}

function mixed(text: string, seed: number): number {
  let hash = seed;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
    hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
  }
  hash ^= hash >>> 16;
  return Math.imul(hash, 0x2c1b3c6d) ^ (hash >>> 12);
}

function hexWord(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0');
}
