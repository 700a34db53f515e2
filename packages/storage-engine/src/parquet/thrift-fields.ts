/** Typed access to the fields of a generic thrift struct: a missing or mistyped field is corruption, with its name. */
import { CorruptionError } from '../base/errors.ts'
import type { ThriftStruct, ThriftValue } from './thrift.ts'

export function integerField(struct: ThriftStruct, id: number, name: string): number {
  const value = struct.get(id)
  if (typeof value !== 'number' || !Number.isInteger(value)) throw wrong(name, value)
  return value
}

export function bytesField(struct: ThriftStruct, id: number, name: string): Uint8Array {
  const value = struct.get(id)
  if (!(value instanceof Uint8Array)) throw wrong(name, value)
  return value
}

export function textField(struct: ThriftStruct, id: number, name: string): string {
  return decoder.decode(bytesField(struct, id, name))
}

export function structField(struct: ThriftStruct, id: number, name: string): ThriftStruct {
  const value = struct.get(id)
  if (!(value instanceof Map)) throw wrong(name, value)
  return value
}

/** Empty when the field is missing. */
export function listField(struct: ThriftStruct, id: number, name: string): ThriftValue[] {
  const value = struct.get(id) ?? []
  if (!Array.isArray(value)) throw wrong(name, value)
  return value
}

export function structsField(struct: ThriftStruct, id: number, name: string): ThriftStruct[] {
  return listField(struct, id, name).map((item) => {
    if (!(item instanceof Map)) throw wrong(name, item)
    return item
  })
}

export function bytesListField(struct: ThriftStruct, id: number, name: string): Uint8Array[] {
  return listField(struct, id, name).map((item) => {
    if (!(item instanceof Uint8Array)) throw wrong(name, item)
    return item
  })
}

export function textsField(struct: ThriftStruct, id: number, name: string): string[] {
  return bytesListField(struct, id, name).map((item) => decoder.decode(item))
}

function wrong(name: string, value: ThriftValue | undefined): CorruptionError {
  return new CorruptionError('parquet metadata field is missing or of a wrong type', {
    field: name,
    found: typeof value,
  })
}

const decoder = new TextDecoder()
