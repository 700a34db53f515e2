/** An object of the API with a global id, as a subscription sends it. */
export interface Entity {
  readonly id: string
}

/**
 * `data` with the fields of `entity` put into every object of the same id, or `data` itself when there is none: unchanged parts keep their identity,
 * so that only what moved is drawn again. Fields that an object was not asked with are not added to it.
 */
export function patchEntity<Data>(data: Data, entity: Entity): Data {
  if (Array.isArray(data)) {
    let isChanged = false
    const next = data.map((item: unknown) => {
      const patched = patchEntity(item, entity)
      isChanged ||= patched !== item
      return patched
    })
    return isChanged ? (next as Data) : data
  }
  if (typeof data !== 'object' || data === null) return data
  const fields = data as Record<string, unknown>
  const own = fields.id === entity.id ? (entity as unknown as Record<string, unknown>) : undefined
  let next: Record<string, unknown> | undefined
  for (const [key, value] of Object.entries(fields)) {
    const merged = own && key in own ? mergeField(value, own[key], entity) : patchEntity(value, entity)
    if (merged === value) continue
    next ??= { ...fields }
    next[key] = merged
  }
  return (next ?? fields) as Data
}

/** A nested object keeps the fields that the update does not carry; lists and scalars are replaced. */
function mergeField(old: unknown, fresh: unknown, entity: Entity): unknown {
  if (isPlain(old) && isPlain(fresh) && old.id === fresh.id) {
    const merged: Record<string, unknown> = { ...old }
    for (const key of Object.keys(old)) if (key in fresh) merged[key] = mergeField(old[key], fresh[key], entity)
    return sameFields(old, merged) ? old : merged
  }
  return Object.is(old, fresh) ? old : fresh
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function sameFields(left: Record<string, unknown>, right: Record<string, unknown>): boolean {
  return Object.keys(left).every((key) => Object.is(left[key], right[key]))
}

/** Whether an object of this id is anywhere in `data`. */
export function containsEntity(data: unknown, id: string): boolean {
  if (Array.isArray(data)) return data.some((item) => containsEntity(item, id))
  if (!isPlain(data)) return false
  return data.id === id || Object.values(data).some((value) => containsEntity(value, id))
}
