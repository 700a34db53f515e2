import { describe, expect, test } from 'vitest'
import { chartChoice, chartPoints } from './chart-data.ts'
import { errorPlace } from './error-place.ts'
import { toCsv, toJson, uniqueNames } from './export-result.ts'

const table = {
  columns: [
    { name: 'id', type: 'int8' },
    { name: 'name', type: 'text' },
    { name: 'name', type: 'text' },
    { name: 'n', type: 'int4' },
    { name: 'ok', type: 'bool' },
    { name: 'doc', type: 'jsonb' },
  ],
  rows: [
    ['9007199254740993', 'a "quoted", name', '', '1', 't', '{"a": 1}'],
    ['2', null, 'line\nbreak', null, 'f', 'broken'],
  ],
}

describe('export', () => {
  test('CSV quotes what needs it and keeps NULL apart from the empty text', () => {
    expect(toCsv(table)).toBe(
      'id,name,name,n,ok,doc\r\n9007199254740993,"a ""quoted"", name","",1,t,"{""a"": 1}"\r\n2,,"line\nbreak",,f,broken\r\n',
    )
  })

  test('JSON keeps every value exactly, bigints as text, and no column is lost to its twin', () => {
    expect(JSON.parse(toJson(table))).toEqual([
      { id: '9007199254740993', name: 'a "quoted", name', name_2: '', n: 1, ok: true, doc: { a: 1 } },
      { id: '2', name: null, name_2: 'line\nbreak', n: null, ok: false, doc: 'broken' },
    ])
    expect(uniqueNames(['a', 'a', 'a'])).toEqual(['a', 'a_2', 'a_3'])
  })
})

describe('the place of an error', () => {
  test('is the line and column of the character Postgres counted, also after characters outside the basic plane', () => {
    const sql = "select '😀' as x,\n  wrong from t"
    const position = [...sql].indexOf('w') + 1
    expect(errorPlace(sql, position)).toEqual({
      line: 2,
      column: 3,
      lineText: '  wrong from t',
      offset: sql.indexOf('wrong'),
    })
  })

  test('at the very end of the text is the end, beyond it nothing', () => {
    expect(errorPlace('select', 7)).toEqual({ line: 1, column: 7, lineText: 'select', offset: 6 })
    expect(errorPlace('select', 99)).toBeUndefined()
    expect(errorPlace('select', null)).toBeUndefined()
  })
})

describe('chart', () => {
  test('names come from the first column that is no number, values from those that are', () => {
    const choice = chartChoice(table)
    expect(choice).toEqual({ labelIndex: 1, valueIndexes: [0, 3] })
    if (choice) expect(chartPoints(table, choice)[1]).toEqual({ label: 'NULL', v0: 2, v3: null })
  })

  test('a result without numbers has no chart', () => {
    expect(chartChoice({ columns: [{ name: 'a', type: 'text' }], rows: [['x'], ['y']] })).toBeUndefined()
  })
})
