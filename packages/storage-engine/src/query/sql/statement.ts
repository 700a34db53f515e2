/** What a statement reads, from the parser's own tree of it (json_serialize_sql), and what it may not contain. */
import { StorageError } from '../../base/errors.ts'
import { splitMarkedName } from './moments.ts'

export interface TableName {
  /** Empty: not given. */
  readonly catalog: string
  readonly schema: string
  readonly name: string
  /** Index of its AT clause. */
  readonly moment: number | undefined
  /** Of the name's first part, in bytes of UTF-8. */
  readonly location: number
}

export interface Statement {
  readonly tables: readonly TableName[]
  /** Lower-case names that may be columns. */
  readonly columns: ReadonlySet<string>
  /** A star or something like it: every column of every table may be read. */
  readonly readsAllColumns: boolean
  /** Columns that are compared with a text constant, and where that constant stands. */
  readonly comparedTexts: readonly { readonly column: string; readonly location: number }[]
}

/** Functions in FROM that read nothing but their arguments. */
const TABLE_FUNCTIONS = new Set(['generate_series', 'range', 'unnest', 'generate_subscripts', 'repeat', 'repeat_row'])
/** Functions that tell of, or touch, the process rather than the data. */
const REFUSED_FUNCTIONS = new Set([
  'current_setting',
  'getenv',
  'getvariable',
  'write_log',
  'set_config',
  'nextval',
  'currval',
  'json_execute_serialized_sql',
  'query',
  'query_table',
  'read_text',
  'read_blob',
  'read_csv',
  'read_json',
  'read_parquet',
  'parquet_scan',
  'glob',
])
const TREE_DEPTH_MAX = 1000

type Node = Readonly<Record<string, unknown>>

/** `tree` is the parser's answer. Throws `invalid-input` for anything but one SELECT that keeps to the rules. */
export function analyzeStatement(tree: unknown): Statement {
  const statements = isNode(tree) ? tree.statements : undefined
  if (!Array.isArray(statements) || statements.length === 0) throw refused('statement is empty')
  if (statements.length > 1) throw refused('one statement at a time')
  const visitor = new Visitor()
  visitor.visit(statements[0], new Set(), 0)
  const { tables, columns, names, comparedTexts } = visitor
  // The name of a table as a value is its whole row.
  const readsAllColumns = visitor.readsAllColumns || [...names].some((name) => columns.has(name))
  return { tables, columns, readsAllColumns, comparedTexts }
}

class Visitor {
  readonly tables: TableName[] = []
  readonly columns = new Set<string>()
  /** Names and aliases of tables. */
  readonly names = new Set<string>()
  readonly comparedTexts: { column: string; location: number }[] = []
  readsAllColumns = false

  visit(value: unknown, scope: ReadonlySet<string>, depth: number): void {
    if (depth > TREE_DEPTH_MAX) throw refused('statement is nested too deeply')
    if (Array.isArray(value)) {
      for (const item of value) this.visit(item, scope, depth + 1)
      return
    }
    if (!isNode(value)) return
    this.#visitKind(value, scope)
    const inner = this.#visitCtes(value, scope, depth)
    for (const [key, child] of Object.entries(value)) if (key !== 'cte_map') this.visit(child, inner, depth + 1)
  }

  #visitKind(node: Node, scope: ReadonlySet<string>): void {
    if (typeof node.alias === 'string' && node.alias !== '') this.names.add(node.alias.toLowerCase())
    this.#visitComparison(node)
    if (Array.isArray(node.column_name_alias) && node.column_name_alias.length > 0) this.readsAllColumns = true
    switch (node.type) {
      case 'BASE_TABLE':
        this.#visitTable(node, scope)
        return
      case 'TABLE_FUNCTION': {
        const name = isNode(node.function) ? textOf(node.function.function_name).toLowerCase() : ''
        if (!TABLE_FUNCTIONS.has(name)) throw refused(`function ${name} may not stand in FROM`, node)
        return
      }
      case 'SHOW_REF':
        if (!isNode(node.query)) throw refused('SHOW is not served here: ask pg_catalog', node)
        return
      case 'FUNCTION': {
        const name = textOf(node.function_name).toLowerCase()
        if (REFUSED_FUNCTIONS.has(name)) throw refused(`function ${name} is not allowed`, node)
        return
      }
      case 'COLUMN_REF':
        if (Array.isArray(node.column_names)) {
          for (const name of node.column_names) this.columns.add(textOf(name).toLowerCase())
        }
        return
      case 'STAR':
      case 'POSITIONAL_REFERENCE':
      case 'PIVOT':
        this.readsAllColumns = true
        return
      case 'JOIN':
        if (node.ref_type === 'NATURAL') this.readsAllColumns = true
        if (Array.isArray(node.using_columns)) {
          for (const name of node.using_columns) this.columns.add(textOf(name).toLowerCase())
        }
        return
      default:
        return
    }
  }

  /** `column < 'text'`, either way round, and BETWEEN. */
  #visitComparison(node: Node): void {
    if (node.class !== 'COMPARISON' && node.class !== 'BETWEEN') return
    const sides = [node.left, node.right, node.input, node.lower, node.upper].filter(isNode)
    const column = sides.find((side) => side.class === 'COLUMN_REF')
    const name = column && Array.isArray(column.column_names) ? textOf(column.column_names.at(-1)).toLowerCase() : ''
    for (const side of sides) {
      const location = side.class === 'CONSTANT' && isTextConstant(side) ? locationOf(side) : undefined
      if (name !== '' && location !== undefined) this.comparedTexts.push({ column: name, location })
    }
  }

  #visitTable(node: Node, scope: ReadonlySet<string>): void {
    if (node.at_clause !== null && node.at_clause !== undefined) {
      throw refused("write AT (LSN => '…'), AT (TIME => '…') or AT (BRANCH => '…')", node)
    }
    const { name, moment } = splitMarkedName(textOf(node.table_name))
    const catalog = textOf(node.catalog_name)
    const schema = textOf(node.schema_name)
    this.names.add(name.toLowerCase())
    if (catalog === '' && schema === '' && moment === undefined && scope.has(name.toLowerCase())) return
    this.tables.push({ catalog, schema, name, moment, location: locationOf(node) ?? 0 })
  }

  /** Visits the WITH entries of a query and returns the names its body sees. */
  #visitCtes(node: Node, scope: ReadonlySet<string>, depth: number): ReadonlySet<string> {
    const map = isNode(node.cte_map) ? node.cte_map.map : undefined
    if (!Array.isArray(map) || map.length === 0) return scope
    const inner = new Set(scope)
    for (const entry of map) {
      if (!isNode(entry)) continue
      const name = textOf(entry.key).toLowerCase()
      const own = new Set(inner)
      if (isRecursive(entry.value)) own.add(name)
      this.visit(entry.value, own, depth + 1)
      inner.add(name)
    }
    return inner
  }
}

function isTextConstant(node: Node): boolean {
  const value = isNode(node.value) ? node.value : {}
  return isNode(value.type) && value.type.id === 'VARCHAR' && value.is_null === false
}

function isRecursive(value: unknown): boolean {
  const query = isNode(value) ? value.query : undefined
  const node = isNode(query) ? query.node : undefined
  return isNode(node) && node.type === 'RECURSIVE_CTE_NODE'
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/** Unset locations are the largest u64. */
function locationOf(node: Node): number | undefined {
  const location = node.query_location
  return typeof location === 'number' && location < 0xffff_ffff ? location : undefined
}

function refused(message: string, node?: Node): StorageError {
  const location = node && locationOf(node)
  return new StorageError('invalid-input', message, location === undefined ? {} : { position: location + 1 })
}
