/** @returns the known word that a misspelt one comes nearest to; nothing where none comes near */
export function nearest(word: string, known: readonly string[]): string | undefined {
  // Loaded only where something is misspelt.
  const { closest, distance } = require('fastest-levenshtein') as typeof import('fastest-levenshtein');
  const found = closest(word, [...known]);
  return distance(word, found) < word.length / 2 ? found : undefined;
}
