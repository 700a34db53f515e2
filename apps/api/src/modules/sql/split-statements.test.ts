import { expect, test } from 'vitest'
import { splitStatements } from './split-statements.ts'

const texts = (sql: string) => splitStatements(sql).map(({ text }) => text)

test('semicolons in quotes, dollar quotes and comments end nothing', () => {
  expect(texts(`select ';', E'\\';', "a;b"; select $$;$$, $x$ ; $$ ; $x$; -- ;\nselect 1 /* ; /* ; */ ; */`)).toEqual([
    `select ';', E'\\';', "a;b"`,
    'select $$;$$, $x$ ; $$ ; $x$',
    '-- ;\nselect 1 /* ; /* ; */ ; */',
  ])
})

test('a routine with a body of BEGIN ATOMIC is one statement', () => {
  const body = 'create function f() returns int begin atomic select case when true then 1 end; select 2; end'
  expect(texts(`${body}; begin; commit`)).toEqual([body, 'begin', 'commit'])
})

test('blanks and comments alone are no statement', () => {
  expect(texts(' ; -- nothing\n ; /* nothing */ ')).toEqual([])
})

test('offsets point to the first character of each statement', () => {
  const sql = 'select 1;\n\n  select 2'
  for (const { text, offset } of splitStatements(sql)) expect(sql.slice(offset, offset + text.length)).toBe(text)
})

test('unended quotes and comments run to the end of the text', () => {
  for (const sql of [`select 'a;b`, 'select $$a;b', 'select /* a;b', 'select "a;b']) expect(texts(sql)).toEqual([sql])
})
