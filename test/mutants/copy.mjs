/**
 * A copy of the built project in a temporary folder, in which one line of `src/` or `compat/` can be broken at a time and one test
 * file run on it. What is broken, and what is made of the outcome, is the business of `run.mjs`.
 */
import { spawn } from 'node:child_process'
import { cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import ts from 'typescript'

/** What is not copied: the packages, which are linked, and what no test reads. */
const left = ['node_modules', '.git', 'bench']
/** For a test file, or the model, in ms: then the process that runs it is ended. */
const longest = 60_000
/** For a test that says nothing of its own, in ms. */
const testTimeout = 8_000
/** For what a test opens and closes, in ms. */
const hookTimeout = 10_000

/** A row that cannot be run as it stands. */
export class OutOfDate extends Error {}

export class Copy {
  /** @param {string} root of the project */
  static async make(root) {
    const folder = await mkdtemp(join(tmpdir(), 'mutants-'))
    const names = (await readdir(root)).filter((name) => !left.includes(name))
    await Promise.all(names.map((name) => cp(join(root, name), join(folder, name), { recursive: true })))
    await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
    const { target, esModuleInterop } = JSON.parse(await readFile(join(root, 'tsconfig.json'), 'utf8')).compilerOptions
    // One file by itself: the compiler does not see that the package is CommonJS.
    const { options } = ts.convertCompilerOptionsFromJson({ target, esModuleInterop, module: 'commonjs' }, root)
    return new Copy(folder, options)
  }

  #folder
  /** For one file. */
  #compilerOptions
  /** The process that runs a test at the moment. */
  #testing

  constructor(folder, compilerOptions) {
    this.#folder = folder
    this.#compilerOptions = compilerOptions
  }

  async remove() {
    this.#end()
    await rm(this.#folder, { recursive: true, force: true })
  }

  /**
   * Does `work` while one line is broken.
   * @throws OutOfDate if that line is not there, is there twice, or what is left does not compile
   */
  async whileBroken({ file, text, replacement }, work) {
    const path = file.startsWith('compat/') ? file : `src/${file}`
    const source = await readFile(join(this.#folder, path), 'utf8').catch(() => '')
    const count = source.split(text).length - 1
    if (count !== 1) throw new OutOfDate(`its text is in ${path} ${count} times`)
    const built = join(this.#folder, 'dist', path.replace(/\.ts$/, '.js'))
    const sound = await readFile(built, 'utf8')
    try {
      await writeFile(built, this.#transpile(source.replace(text, () => replacement)))
      return await work()
    } finally {
      await writeFile(built, sound)
    }
  }

  #transpile(source) {
    const { outputText, diagnostics } = ts.transpileModule(source, {
      compilerOptions: this.#compilerOptions,
      reportDiagnostics: true,
    })
    const [wrong] = diagnostics ?? []
    if (wrong) throw new OutOfDate(`it does not compile: ${ts.flattenDiagnosticMessageText(wrong.messageText, ' ')}`)
    return outputText
  }

  /**
   * Runs a test file, or those of its tests whose names match.
   * @returns the first test that failed and why, if any did; and whether the file had to be ended
   * @throws OutOfDate if no test was run, as the file or what it imports cannot be loaded, or has no such test
   */
  async test(test, only) {
    const report = join(this.#folder, 'report.json')
    await rm(report, { force: true })
    const isEnded = await this.#run([
      ...[join(this.#folder, 'node_modules/vitest/vitest.mjs'), 'run'],
      ...['--config', 'test/vitest.config.mts', join(this.#folder, 'test', `${test}.test.ts`)],
      ...['--bail', '1', '--reporter', 'json', '--outputFile', report],
      ...['--testTimeout', String(testTimeout), '--hookTimeout', String(hookTimeout)],
      ...(only ? ['-t', only] : []),
    ])
    const { testResults = [] } = JSON.parse(await readFile(report, 'utf8').catch(() => '{}'))
    const tests = testResults.flatMap(({ assertionResults }) => assertionResults)
    const failed = tests.find(({ status }) => status === 'failed')
    const [why = ''] = failed?.failureMessages ?? testResults.map(({ message }) => message)
    const wasRun = isEnded || tests.some(({ status }) => status === 'failed' || status === 'passed')
    if (!wasRun) throw new OutOfDate(`${test} has no such test, or does not load: ${firstLine(why)}`)
    return { failed: failed?.fullName, why: firstLine(why), isEnded }
  }

  /**
   * Plays so many histories of `test/model`, always the same ones.
   * @returns as `test`: how many failed, if any did
   */
  async model(histories) {
    const output = []
    const args = ['test/model/run.mjs', String(histories), '--show', '0']
    const isEnded = await this.#run(args, (chunk) => output.push(chunk))
    const report = output.join('')
    const played = /^(\d+) of \d+ histories failed$/m.exec(report)
    if (!played && !isEnded) throw new OutOfDate('the model does not run')
    const seeds = [...report.matchAll(/ (\d+) '/g)].map(([, seed]) => Number(seed))
    const failed = seeds.length > 0 ? `${played?.[0]}, the first after ${Math.min(...seeds)}` : undefined
    return { failed, why: '', isEnded }
  }

  /** In a group of processes of its own, as it has children, which an endless loop keeps from ending with it. */
  async #run(args, hear = () => {}) {
    const child = spawn(process.execPath, args, {
      cwd: this.#folder,
      detached: true,
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    child.stdout.on('data', hear)
    this.#testing = child
    let isEnded = false
    const timer = setTimeout(() => {
      isEnded = true
      this.#end()
    }, longest)
    await new Promise((resolve, reject) => child.once('close', resolve).once('error', reject))
    clearTimeout(timer)
    this.#testing = undefined
    return isEnded
  }

  #end() {
    if (this.#testing?.pid) process.kill(-this.#testing.pid, 'SIGKILL')
  }
}

function firstLine(text) {
  return text.split('\n', 1)[0].slice(0, 200)
}
