/** `start_compute`, `createBranch`, `APPLY_CONFIG` -> `Start compute`, `Create branch`, `Apply config`. */
export function operationLabel(kind: string): string {
  const words = kind
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/[_\-.]+/g, ' ')
    .trim()
    .toLowerCase()
  return words === '' ? 'Operation' : words.charAt(0).toUpperCase() + words.slice(1)
}
