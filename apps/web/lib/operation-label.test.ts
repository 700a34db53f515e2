import { expect, test } from 'vitest'
import { operationLabel } from './operation-label.ts'

test.each([
  ['start_compute', 'Start compute'],
  ['createBranch', 'Create branch'],
  ['APPLY_CONFIG', 'Apply config'],
  ['', 'Operation'],
])('%j reads %s', (kind, label) => expect(operationLabel(kind)).toBe(label))
