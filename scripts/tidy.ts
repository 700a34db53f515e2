import * as fs from 'node:fs'
import * as path from 'node:path'
import { engineFolder, listFiles, rootFolder } from './repository.ts'
import { checkDocs, checkSource, checkSpecification, type Problem } from './tidy-rules.ts'

/** Layout and style rules as code (docs/architecture.md, "Rules of the source tree"). Prints `file:line: what is wrong`. */
const files = listFiles(rootFolder).filter((file) => !file.includes(`${path.sep}fixtures${path.sep}`))
const relative = (file: string) => path.relative(rootFolder, file)
const read = (file: string) => fs.readFileSync(file, 'utf8')

const sources = files
  .filter((file) => /\.tsx?$/.test(file) && !file.endsWith('.d.ts') && !file.includes(`${path.sep}gql${path.sep}`))
  .map((file) => ({ file: relative(file), text: read(file) }))
const documents = files
  .filter((file) => file.endsWith('.md'))
  .map((file) => ({ file: relative(file), text: read(file) }))

const problems: Problem[] = [
  ...sources.flatMap(({ file, text }) => checkSource(file, text)),
  ...documents.flatMap(({ file, text }) =>
    checkDocs(file, text, (target) =>
      [rootFolder, engineFolder, path.join(engineFolder, 'src'), path.dirname(path.join(rootFolder, file))].some(
        (base) => fs.existsSync(path.join(base, target)),
      ),
    ),
  ),
  ...documents
    .filter(({ file }) => path.basename(file) === 'SPEC.md')
    .flatMap(({ file, text }) =>
      checkSpecification(
        file,
        text,
        sources.filter((source) => source.file.endsWith('.test.ts')),
      ),
    ),
]

for (const { file, line, message } of problems) console.log(`${file}:${line}: ${message}`)
if (problems.length > 0) {
  console.log(`${problems.length} problems`)
  process.exitCode = 1
}
