const numeric = /^(u?(small|big|huge|tiny)?int(eger)?\d*|float\d*|double.*|real|numeric.*|decimal.*|money|oid)$/i

/** Whether values of this SQL type, as Postgres or DuckDB names it, are numbers: they stand to the right, and make a chart. */
export function isNumericType(type: string): boolean {
  return numeric.test(type)
}
